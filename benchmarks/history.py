"""How fast history takes samples, what it costs on the disk, how fast it answers: beside a plain table, in one run.

    python benchmarks/history.py                    about half a minute
    python benchmarks/history.py --points 2500 --seconds 7200 --days 30 --rounds 3

The plain table is what one would write first: SQLite WAL, PRIMARY KEY(point, time) WITHOUT ROWID, executemany, one
commit a batch. Both sides get the same rows: one batch a second, every point in it, 21 + 5 sin + noise rounded to 0.01.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from controller.core.point import PointId
from controller.core.ports import HistoryInterval, Phase, RecordedSample
from controller.core.sample import good
from controller.historian.memory import MemoryHistorian
from controller.historian.reading import SqliteHistoryReader
from controller.historian.retention import Retention
from controller.historian.sqlite import SqliteHistorian
from controller.historian.timeline import to_microseconds

START = datetime(2026, 8, 1, tzinfo=UTC)
FOR_EVER = Retention(samples=timedelta(days=100_000), minutes=timedelta(days=100_000))


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wire_time(self) -> float:
        return time.monotonic()

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))

    def outside(self) -> AbstractContextManager[None]:
        return nullcontext()


class PlainTable:
    """The obvious schema."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS sample(point INTEGER, time INTEGER, value, quality INTEGER, reason TEXT,"
            " PRIMARY KEY(point, time)) WITHOUT ROWID"
        )
        self._numbers: dict[str, int] = {}

    def append(self, rows: Sequence[RecordedSample]) -> None:
        numbers = self._numbers
        stored = [
            (
                numbers.setdefault(name, len(numbers)),
                to_microseconds(each.timestamp),
                each.value,
                each.quality,
                each.reason,
            )
            for name, each in rows
        ]
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?, ?)", stored)

    def read(self, point: str, start: datetime, end: datetime) -> list[tuple[int, float]]:
        return self._connection.execute(
            "SELECT time, value FROM sample WHERE point = ? AND time >= ? AND time < ?",
            (self._numbers[point], to_microseconds(start), to_microseconds(end)),
        ).fetchall()

    def quarter_hours(self, point: str, start: datetime, end: datetime) -> list[tuple[int, float]]:
        return self._connection.execute(
            "SELECT time / 900000000, avg(value) FROM sample WHERE point = ? AND time >= ? AND time < ? GROUP BY 1",
            (self._numbers[point], to_microseconds(start), to_microseconds(end)),
        ).fetchall()

    def close(self) -> None:
        self._connection.close()


class Cost(NamedTuple):
    """What a run of appends took: seconds a batch, processor seconds, bytes handed to the disk."""

    batches: list[float]
    processor: float
    written: int


def main() -> None:
    options = _options()
    names = [PointId(f"area.equipment_{number}.quantity") for number in range(options.points)]
    with TemporaryDirectory(dir=options.folder) as folder:
        for number in range(options.rounds):
            place = Path(folder) / str(number)
            place.mkdir()
            asyncio.run(_append(place, names, options.seconds))
        asyncio.run(_query(Path(folder), options.days))


# --- appending -------------------------------------------------------------------------------------------------------


async def _append(folder: Path, names: Sequence[PointId], seconds: int) -> None:
    print(f"\nappend: {len(names)} points, {seconds} batches of one second, one commit each")
    print(f"{'':30}{'rows/s':>10}{'CPU us/row':>12}{'p50 ms':>9}{'p99 ms':>9}{'disk B/row':>12}{'file B/row':>12}")
    rows = len(names) * seconds
    end = START + timedelta(seconds=seconds)

    plain = PlainTable(folder / "plain.db")
    cost = await _timed(names, seconds, plain.append)
    plain.close()
    _line("plain PK(point, time)", rows, cost, folder / "plain.db")

    historian = SqliteHistorian(folder / "history.db", RealClock(), FOR_EVER)
    cost = await _timed(names, seconds, historian.append_samples)
    _line("tidewatt, append and seal", rows, cost, None)
    before, processor, began = _written(), time.process_time(), time.perf_counter()
    await historian.maintain(end + timedelta(days=1, hours=2))
    took, processor = time.perf_counter() - began, time.process_time() - processor
    await historian.close()
    whole = Cost([*cost.batches, took], cost.processor + processor, cost.written + _written() - before)
    _line("  with all maintenance", rows, whole, folder / "history.db")

    memory = MemoryHistorian()
    cost = await _timed(names, seconds, memory.append_samples)
    _line("memory", rows, cost, None)


async def _timed(names: Sequence[PointId], seconds: int, append: Callable[[Sequence[RecordedSample]], object]) -> Cost:
    batches: list[float] = []
    processor = 0.0
    written = _written()
    for batch in _batches(names, seconds):
        began, used = time.perf_counter(), time.process_time()
        waiting = append(batch)
        if asyncio.iscoroutine(waiting):
            await waiting
        processor += time.process_time() - used
        batches.append(time.perf_counter() - began)
    return Cost(batches, processor, _written() - written)


def _batches(names: Sequence[PointId], seconds: int) -> Iterator[list[RecordedSample]]:
    noise = random.Random(1)
    for second in range(seconds):
        stamp = START + timedelta(seconds=second, microseconds=noise.randrange(1000))
        base = 21 + 5 * math.sin(second / 3000)
        yield [(name, good(round(base + noise.gauss(0, 0.1), 2), stamp, 0.0)) for name in names]


def _line(name: str, rows: int, cost: Cost, file: Path | None) -> None:
    ordered = sorted(cost.batches)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    size = f"{file.stat().st_size / rows:.1f}" if file else "-"
    disk = f"{cost.written / rows:.0f}" if cost.written else "-"
    print(
        f"{name:30}{rows / sum(ordered):>10.0f}{cost.processor / rows * 1e6:>12.2f}"
        f"{p50 * 1e3:>9.2f}{p99 * 1e3:>9.2f}{disk:>12}{size:>12}"
    )


def _written() -> int:
    """Bytes this process has handed to the kernel for a disk (0 where the kernel does not count)."""
    counters = Path("/proc/self/io")
    if not counters.exists():
        return 0
    fields = dict(line.split(": ") for line in counters.read_text().splitlines())
    return int(fields["write_bytes"])


# --- asking ----------------------------------------------------------------------------------------------------------


async def _query(folder: Path, days: int) -> None:
    """Ten points once a minute over many days, all of it aggregated; one point asked for."""
    names = [PointId(f"area.equipment_{number}.quantity") for number in range(10)]
    plain = PlainTable(folder / "plain_query.db")
    historian = SqliteHistorian(folder / "query.db", RealClock(), FOR_EVER)
    noise = random.Random(2)
    for day in range(days):
        rows = [
            (name, good(round(21 + noise.gauss(0, 2), 2), START + timedelta(days=day, minutes=minute), 0.0))
            for minute in range(1440)
            for name in names
        ]
        plain.append(rows)
        await historian.append_samples(rows)
    end = START + timedelta(days=days)
    await historian.maintain(end + timedelta(hours=2))
    await historian.close()
    reader = SqliteHistoryReader(folder / "query.db")
    point = names[3]
    questions: list[tuple[str, Callable[[], object]]] = [
        ("plain: (time, value)", lambda: plain.read(point, START, end)),
        ("plain: quarter-hour means", lambda: plain.quarter_hours(point, START, end)),
        ("tidewatt: minute means, columns", lambda: reader.read_means(point, START, end, HistoryInterval.MINUTE)),
        ("tidewatt: hour means, columns", lambda: reader.read_means(point, START, end, HistoryInterval.HOUR)),
        ("tidewatt: minute aggregates", lambda: reader.read_aggregates(point, START, end, HistoryInterval.MINUTE)),
        ("tidewatt: hour aggregates", lambda: reader.read_aggregates(point, START, end, HistoryInterval.HOUR)),
        ("tidewatt: samples, 2 days", lambda: reader.read_samples(point, end - timedelta(days=2), end)),
    ]
    print(f"\nread one of {len(names)} points over {days} days at one sample a minute, warm, median of 9")
    for name, ask in questions:
        print(f"{name:34}{_median(ask) * 1e3:>10.2f} ms")
    plain.close()
    total = len(names) * 1440 * days
    for name, file in (("plain", "plain_query.db"), ("tidewatt, samples and aggregates", "query.db")):
        print(f"{name:34}{(folder / file).stat().st_size / total:>10.1f} bytes a sample")


def _median(ask: Callable[[], object]) -> float:
    ask()
    times: list[float] = []
    for _ in range(9):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2500)
    parser.add_argument("--seconds", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="where the files go; a real disk, to see what it writes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
