"""What the chain of events costs: python benchmarks/audit.py [--events N].

Appends N events (a million) in batches of a second's worth, verifies the chain, and works out what the chain adds to
an append. Figures are of one process on whatever the machine does besides.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from controller.core.event import Event, EventKind
from controller.core.event_chain import BEGINNING, Verification
from controller.historian.chain_reading import ChainReader
from controller.historian.retention import Retention
from controller.historian.stored_events import event_row
from controller.historian.timeline import HOLD, MICROSECOND
from controller.historian.writer import HOT_ROWS, HistoryWriter
from controller.runtime.clock import RealClock

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 100
KINDS = (EventKind.COMMAND, EventKind.VERDICT, EventKind.STRATEGY, EventKind.ALARM)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the file is made; default: a temporary folder")
    arguments = parser.parse_args()
    with TemporaryDirectory(dir=arguments.folder) as folder:
        _measure(Path(folder) / "history.db", arguments.events)


def _measure(path: Path, events: int) -> None:
    writer = HistoryWriter(path, RealClock(), Retention(), HOLD // MICROSECOND, HOT_ROWS)
    began = time.perf_counter()
    for first in range(0, events, BATCH):
        writer.append_events([_event(number) for number in range(first, first + BATCH)])
    appended = time.perf_counter() - began
    head = _seconds(writer.chain_head)
    writer.close()
    rows = [event_row(_event(number)) for number in range(BATCH)]
    linked = _seconds(lambda: [row.link(BEGINNING, 1) for row in rows]) / BATCH
    verification = Verification()
    reader = ChainReader(path)
    verified = _seconds(lambda: reader.verify(verification))
    indexed = _seconds(reader.index_trouble)
    assert (verification.lines, verification.breaks) == (events, 0)
    print(f"{events} events, {path.stat().st_size / events:.0f} bytes each in the file with its indexes")
    print(f"append, batches of {BATCH}    {appended / events * 1e6:8.1f} us an event, its hash {linked * 1e6:.1f} us")
    print(f"newest link, on the disk   {head * 1e3:8.1f} ms")
    print(f"verify the chain           {verified:8.2f} s")
    print(f"verify the indexes         {indexed:8.2f} s")


def _event(number: int) -> Event:
    body = {
        "step": "write",
        "value": number % 100 / 100,
        "accepted": True,
        "reason": "",
        "configuration": "6e4d878c674ed414",
    }
    at = START + timedelta(seconds=number, microseconds=number % 997)
    return Event(at, KINDS[number % len(KINDS)], f"plant.pump_{number % 40}.command", body)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
