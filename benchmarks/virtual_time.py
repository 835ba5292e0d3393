"""What a day of the whole daemon with its plant costs on virtual time, and where it goes.

A site as `tidewatt backtest` runs it, the demo's unless another is named, deciding once a minute. Measured are plant,
strategies, history, and what plans and the training of forecasts take, which in a real daemon is a worker process's;
the rest is daemon. Limits: a day in 2 s, a year in 10 min of one core, plans and training apart.

    .venv/bin/python benchmarks/virtual_time.py
    .venv/bin/python benchmarks/virtual_time.py --days 365 --from 2026-01-01
    .venv/bin/python benchmarks/virtual_time.py config/sites/tower --days 1
    .venv/bin/python benchmarks/virtual_time.py --same     # twice, killed and resumed, with the machine loaded
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from controller.cli.backtest_sides import TIDEWATT, Lived, Task, one_side
from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Period, beginning, old_days, our_days
from controller.core.event import Event
from controller.core.ports import RecordedSample
from controller.core.site import Mount, Site
from controller.historian.memory import MemoryHistorian
from controller.runtime.workers import InThisProcess

DEMO = Path(__file__).resolve().parent.parent / "config" / "sites" / "demo"
MINUTE = timedelta(minutes=1)
DAY_LIMIT_S, YEAR_LIMIT_S, YEAR_DAYS = 2.0, 600.0, 365

spent: dict[str, float] = defaultdict(float)


class Spending:
    """Processor time of this part; what it calls of another part is counted there.

    A class, since it looks on ten thousand times a day: a generator's context would count for a hundredth of the day.
    """

    __slots__ = ("_before", "_began", "_part")

    def __init__(self, part: str) -> None:
        self._part = part

    def __enter__(self) -> None:
        self._before = sum(spent.values())
        self._began = time.process_time()

    def __exit__(self, *raised: object) -> None:
        took = time.process_time() - self._began
        spent[self._part] += took - (sum(spent.values()) - self._before)


def count_plant(engine: Any) -> None:
    """From now on, of any simulated building."""
    for name in ("advance", "write"):
        setattr(engine, name, _counted_call(getattr(engine, name)))


def _counted_call(call: Callable[..., None]) -> Callable[..., None]:
    def counted_call(*given: Any) -> None:
        with Spending("plant"):
            call(*given)

    return counted_call


class CountedHistorian(MemoryHistorian):
    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        with Spending("history"):
            await super().append_samples(rows)

    async def append_events(self, events: Sequence[Event]) -> None:
        with Spending("history"):
            await super().append_events(events)


@dataclass(frozen=True)
class CountedStrategy:
    """Decides as the strategy itself; everything else is the strategy's own."""

    strategy: Any

    def decide(self, seen: Any, state: Any) -> Any:
        with Spending("strategies"):
            return self.strategy.decide(seen, state)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.strategy, name)


class CountedWorkers(InThisProcess):
    async def run(self, function: Callable[[Any], Any], argument: Any, deadline: float) -> Any:
        with Spending("plans and training"):
            return await super().run(function, argument, deadline)


def counted_site(folder: Path) -> Site:
    site = load_site(folder)
    return replace(site, mounts=tuple(_counted(mount) for mount in site.mounts))


def _counted(mount: Mount) -> Mount:
    return replace(mount, strategy=CountedStrategy(mount.strategy))


def measure(folder: Path, period: Period) -> None:
    site = counted_site(folder)
    start = beginning(site, period)
    count_plant(start.engine)
    historian = CountedHistorian()
    began = time.process_time()
    for _ in our_days(site, period, replace(start, historian=historian), CountedWorkers()):
        pass
    total = time.process_time() - began
    plain = beginning(site, period)
    began = time.process_time()
    for _ in old_days(site, period, plain):
        pass
    alone = time.process_time() - began
    _print(site.name, period.days, total, alone)


def _print(name: str, days: int, total: float, alone: float) -> None:
    apart = spent["plans and training"]
    rest = total - sum(spent.values())
    parts = {**{part: spent[part] for part in ("plant", "strategies", "history")}, "rest of the daemon": rest}
    print(f"{name}: {days} days, a decision a minute, on one core:")
    for part, seconds in parts.items():
        print(f"  {part:22} {seconds / days:7.3f} s a day  {seconds / total:5.1%}")
    own = (total - apart) / days
    print(f"  {'together':22} {own:7.3f} s a day  (limit {DAY_LIMIT_S:g} s: {_word(own <= DAY_LIMIT_S)})")
    print(f"  {'plans and training':22} {apart / days:7.3f} s a day, apart")
    year = own * YEAR_DAYS
    kept = _word(year <= YEAR_LIMIT_S)
    print(f"a year: {year:.0f} s (limit {YEAR_LIMIT_S:.0f} s: {kept}), and {apart / days * YEAR_DAYS:.0f} s apart")
    print(f"the plant alone under its old controls: {alone / days:.3f} s a day")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _word(is_kept: bool) -> str:
    return "kept" if is_kept else "MISSED"


# --- the same to the bit ----------------------------------------------------------------------------------------------


def same(folder: Path, period: Period) -> bool:
    """Whether runs that are disturbed in different ways say the same."""
    task = Task(load_site(folder), period, TIDEWATT)
    first = figures(one_side(task))
    answers = {
        "a second time": figures(one_side(task)),
        "killed at a random moment and resumed": figures(killed_and_resumed(task)),
        "with the machine loaded": figures(loaded(task)),
    }
    for how, answer in answers.items():
        print(f"{how}: {'the same to the bit' if answer == first else 'ANOTHER RESULT'}")
    return all(answer == first for answer in answers.values())


def figures(lived: Lived) -> str:
    return repr((lived.figures, lived.quarters))


def killed_and_resumed(task: Task) -> Lived:
    """SIGKILL some time after the first checkpoint has been kept; then to the end."""
    with tempfile.TemporaryDirectory() as folder:
        kept = replace(task, keep=Path(folder))
        process = multiprocessing.get_context("fork").Process(target=one_side, args=(kept,))
        process.start()
        while process.is_alive() and not list(Path(folder).glob("*.checkpoint")):
            time.sleep(0.02)
        time.sleep(random.uniform(0.0, 2.0))
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        return one_side(kept)


def loaded(task: Task) -> Lived:
    """Beside twice as many busy processes as there are cores."""
    count = 2 * len(os.sched_getaffinity(0))
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        return one_side(task)
    finally:
        for each in busy:
            each.kill()
            each.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", nargs="?", type=Path, default=DEMO)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2026, 7, 6))
    parser.add_argument("--same", action="store_true", help="whether disturbed runs say the same; --days 3 will do")
    given = parser.parse_args()
    period = Period(given.first, given.first + timedelta(days=given.days), MINUTE)
    if given.same:
        return 0 if same(given.site, period) else 1
    measure(given.site, period)
    return 0


if __name__ == "__main__":
    sys.exit(main())
