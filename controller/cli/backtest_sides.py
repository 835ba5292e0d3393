"""The two sides of a backtest, each in a process of its own, each resumable at every midnight."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Checkpoint, Period, beginning, old_days, our_days
from controller.core.errors import EnvironmentProblem
from controller.core.site import Site
from simulator.kpi import Figures

# How often progress is looked for.
_LOOK_EVERY_S = 0.2


class Side(StrEnum):
    ORIGINAL = "original"
    TIDEWATT = "tidewatt"


@dataclass(frozen=True, slots=True)
class Task:
    """What a side's process is given. keep: folder for its checkpoints, None to keep none."""

    site: Path
    period: Period
    side: Side
    keep: Path | None


Progress = Callable[[Mapping[Side, int]], None]
Days = tuple[Figures, ...]


def both_sides(site: Path, period: Period, keep: Path | None, progress: Progress) -> dict[Side, Days]:
    """The figures of each day, by side. progress is told how many days each side has behind it."""
    # Forked before there is any thread: everything is loaded already.
    context = multiprocessing.get_context("fork")
    told: SimpleQueue[tuple[Side, int]] = context.SimpleQueue()
    with ProcessPoolExecutor(len(Side), context, _connect, (told, logging.getLogger().level)) as pool:
        running = {side: pool.submit(one_side, Task(site, period, side, keep)) for side in Side}
        _follow(set(running.values()), told, progress)
        return {side: future.result() for side, future in running.items()}


def _follow(running: set[Future[Days]], told: SimpleQueue[tuple[Side, int]], progress: Progress) -> None:
    days = dict.fromkeys(Side, 0)
    while running:
        done, running = wait(running, _LOOK_EVERY_S, FIRST_COMPLETED)
        while not told.empty():
            side, days[side] = told.get()
            progress(days)
        for future in done:
            future.result()


_told: SimpleQueue[tuple[Side, int]] | None = None


def _connect(told: SimpleQueue[tuple[Side, int]], level: int) -> None:
    """In a side's process: whom to tell of progress. Its log is for errors: a week tells a year's worth of news."""
    global _told
    _told = told
    logging.getLogger().setLevel(max(level, logging.ERROR))


def one_side(task: Task) -> Days:
    """All days of one side; goes on from its checkpoint where there is one."""
    site = load_site(task.site)
    kept = None if task.keep is None else _Kept(task.keep / f"{task.side}.checkpoint", _identity(site, task))
    checkpoint = None if kept is None else kept.read()
    last = checkpoint or beginning(site, task.period)
    _tell(task, last)
    for midnight in _days(site, task, last):
        if kept is not None:
            kept.write(midnight)
        _tell(task, midnight)
        last = midnight
    return last.by_day[: task.period.days]


def _days(site: Site, task: Task, checkpoint: Checkpoint) -> Iterator[Checkpoint]:
    live = old_days if task.side is Side.ORIGINAL else our_days
    return live(site, task.period, checkpoint)


def _tell(task: Task, checkpoint: Checkpoint) -> None:
    if _told is not None:
        _told.put((task.side, min(len(checkpoint.by_day), task.period.days)))


def _identity(site: Site, task: Task) -> str:
    """Changes with everything that the numbers depend on."""
    records = [
        hashlib.sha256(file.read_bytes()).hexdigest() for file in (task.period.weather, task.period.load) if file
    ]
    period = task.period
    parts = (
        version("tidewatt"),
        site.digest,
        period.first,
        period.scan_every,
        period.seed,
        records,
        period.faults,
        task.side,
    )
    return repr(parts)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A checkpoint's file; replaced as a whole, so that an interruption leaves the one before."""

    path: Path
    identity: str

    def read(self) -> Checkpoint | None:
        """Raises EnvironmentProblem where it belongs to another backtest, or is none."""
        if not self.path.exists():
            return None
        try:
            identity, checkpoint = pickle.loads(self.path.read_bytes())
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, ValueError, TypeError) as error:
            raise EnvironmentProblem(f"{self.path} is no checkpoint; choose another folder or remove it") from error
        if identity != self.identity:
            raise EnvironmentProblem(
                f"{self.path} belongs to another site, period, seed, pace or version; choose another folder"
            )
        return checkpoint

    def write(self, checkpoint: Checkpoint) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            fresh.write_bytes(pickle.dumps((self.identity, checkpoint)))
            fresh.replace(self.path)
        except OSError as error:
            raise EnvironmentProblem(f"the checkpoint {self.path} cannot be written: {error.strerror}") from error
