"""One day of the demo site on virtual time: how long it takes, and where the time goes.

The whole daemon runs (polls, scans at 1 s, strategies, guard, writer, recorder) on the simulated plant behind the
driver protocol, with history in memory. Watchdogs and timers count the wire's seconds, sixty times as long as the
plant's, as beside a demo at sixty times real speed; --speed 1 feeds the watchdogs every few plant seconds. The split
comes from one more run under the profiler, scaled to the runs without it; the wait for the planning process is
measured apart.

    .venv/bin/python benchmarks/scan.py
    .venv/bin/python benchmarks/scan.py --speed 1 --hours 2 --rounds 1
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import sys
import time
from datetime import UTC, datetime
from typing import Any, cast

from tests.virtual_demo import Run, live

START = datetime(2026, 7, 5, 16, 0, tzinfo=UTC)  # midnight of a Monday in Shenzhen

# First match counts.
PARTS = (
    ("waiting for the planning process", ("method 'poll' of 'select.epoll'", "posix", "_posixsubprocess")),
    ("plant", ("/simulator/",)),
    ("strategies", ("/strategies/", "runtime/mounted.py", "runtime/supervisor.py")),
    (
        "writer and ledger",
        ("runtime/writer.py", "/ledger.py", "runtime/delays.py", "runtime/job_queues.py", "core/point.py"),
    ),
    (
        "arbitration, guard, hand-over",
        ("runtime/scan.py", "runtime/rest.py", "core/guard.py", "core/command.py", "core/handover.py"),
    ),
    ("recording", ("runtime/recorder.py", "/historian/", "runtime/journal.py")),
    ("polling", ("runtime/link.py", "runtime/image.py")),
    ("event loop and clock", ("asyncio", "runtime/virtual_time.py", "selectors.py", "_contextvars", "_heapq")),
)
OTHER = "built-in calls and the rest"


def part_of(file: str, function: str) -> str:
    for part, marks in PARTS:
        if any(mark in file or mark in function for mark in marks):
            return part
    return OTHER


def one_run(hours: float, speed: float) -> tuple[float, Run]:
    async def life(this: Run) -> None:
        await this.wait(hours * 3600)

    began = time.perf_counter()
    run = live(START, life, speed=speed)
    return time.perf_counter() - began, run


def split(hours: float, speed: float) -> dict[str, float]:
    """Seconds by part, as the profiler sees them."""
    profiler = cProfile.Profile()
    profiler.enable()
    one_run(hours, speed)
    profiler.disable()
    shares: dict[str, float] = {}
    table: Any = cast("Any", pstats.Stats(profiler)).stats
    for (file, _, function), (_, _, own, _, _) in table.items():
        part = part_of(file, function)
        shares[part] = shares.get(part, 0.0) + own
    return shares


def main() -> int:
    parser = argparse.ArgumentParser(description="a virtual day of the demo site")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--speed", type=float, default=60.0, help="plant seconds in a second of the wire (60)")
    given = parser.parse_args()
    times: list[float] = []
    points = 0
    for number in range(given.rounds):
        seconds, run = one_run(given.hours, given.speed)
        times.append(seconds)
        points = len(run.site.points)
        print(f"round {number + 1}: {seconds:.2f} s, {run.daemon.scan.count} scans, {run.daemon.writer.writes} writes")
    median = statistics.median(times)
    spread = f"{min(times):.2f} to {max(times):.2f}"
    print(f"median {median:.2f} s [{spread}] for {given.hours:g} h, {points} points")
    shares = split(given.hours, given.speed)
    total = sum(shares.values())
    for part, seconds in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"  {part:<36} {seconds / total * median:6.2f} s  {seconds / total:4.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
