"""Other processes for the tests: `python -m tests.unit.historian.processes ROLE PATH`."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.ports import HistoryInterval, RecordedSample
from controller.historian.reading import SqliteHistoryReader
from controller.historian.writer import HistoryWriter
from tests.unit.historian.support import POWER, TEMPERATURE, all_samples, at, every_second, maintain, writer

BATCH = 100


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def append_for_ever(path: Path) -> None:
    """Append batch after batch to two points, say each one, seal and aggregate all the while; until killed.

    Begins with the newest batch that is there: who was killed before the answer sends it again.
    """
    store = writer(path, hot_rows=1500)
    store.open()
    number = max(0, len(all_samples(SqliteHistoryReader(path))) // BATCH - 1)
    while True:
        for point in (POWER, TEMPERATURE):
            append(store, number, every_second(number * BATCH, (number + 1) * BATCH, point))
        number += 1
        say(str(number))
        if number % 10 == 0:
            maintain(store, at(number * BATCH))


def append(store: HistoryWriter, number: int, batch: list[RecordedSample]) -> None:
    store.append_samples(batch)
    store.append_events([Event(at(number), EventKind.COMMAND, batch[0][0], {"number": number})])


def fill_the_disk(path: Path) -> None:
    """Append while the file may not grow, then while it may; say how many batches and how many failures."""
    store = writer(path)
    store.open()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    batches = failures = 0
    while failures < 5:
        try:
            store.append_samples(every_second(batches * BATCH, (batches + 1) * BATCH))
            batches += 1
        except HistorianError:
            failures += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for _ in range(10):
        store.append_samples(every_second(batches * BATCH, (batches + 1) * BATCH))
        batches += 1
    store.close()
    say(f"{batches} {failures}")


def watch(path: Path) -> None:
    """Read again and again what another process writes, and say how much was there; until killed or told to stop."""
    reader = SqliteHistoryReader(path)
    for _ in sys.stdin:
        samples = all_samples(reader)
        whole = [each for _, each in every_second(0, len(samples))]
        minutes = reader.read_aggregates(POWER, at(0), at(len(samples)), HistoryInterval.MINUTE)
        say(f"{len(samples)} {samples == whole} {sum(each.samples for each in minutes)}")


if __name__ == "__main__":
    {"append": append_for_ever, "full-disk": fill_the_disk, "watch": watch}[sys.argv[1]](Path(sys.argv[2]))
