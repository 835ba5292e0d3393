"""The sides of a backtest: each run in a process, those of a case side by side, resumable at midnights."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from multiprocessing.context import ForkContext
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path
from time import process_time
from typing import NamedTuple

from controller.cli.virtual_days import Checkpoint, Period, beginning, midnight, old_days, our_days
from controller.core.errors import EnvironmentProblem
from controller.core.site import Site
from controller.core.text import Text
from simulator.kpi import Figures, Quarter
from simulator.own_controls import Baseline
from simulator.variation import NOMINAL

# How often progress is looked for.
_LOOK_EVERY_S = 0.2
_WRITING_SHARE = 20.0
"""Processor time of living for that of writing a checkpoint."""


@dataclass(frozen=True, slots=True)
class Side:
    """In whose hands the plant is. name: in files and JSON. strategies: instead of the site's own strategies.yaml.
    baseline: whose controls the plant has of its own, whoever stands in front of them."""

    name: str
    title: Text
    live: Callable[[Site, Period, Checkpoint], Iterator[Checkpoint]]
    strategies: Path | None = None
    baseline: Baseline = Baseline.ORIGINAL

    @property
    def is_baseline(self) -> bool:
        """Whether the others are compared with it."""
        return self.live is old_days


ORIGINAL = Side("original", Text("original", "原控制"), old_days)
COMPETENT = Side("competent", Text("competent", "规范控制"), old_days, baseline=Baseline.COMPETENT)
"""What a good contractor would deliver without a supervisor."""
TIDEWATT = Side("tidewatt", Text("Tidewatt", "Tidewatt"), our_days)
SIDES = (ORIGINAL, COMPETENT, TIDEWATT)


def against(strategies: Path) -> Side:
    """Tidewatt with other strategies; called as their file is."""
    name = strategies.stem
    if name in [side.name for side in SIDES]:
        name = f"{name}_2"
    return Side(name, Text(name, name), our_days, strategies)


@dataclass(frozen=True, slots=True)
class Task:
    """What is lived: one side of one case. keep: folder for its checkpoints, None to keep none."""

    site: Site
    period: Period
    side: Side
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Lived:
    """Days that are over: their figures, their quarters of an hour, and the processor time that each took [s]."""

    figures: tuple[Figures, ...] = ()
    quarters: tuple[Quarter, ...] = ()
    computing: tuple[float, ...] = ()

    def and_then(self, more: Lived) -> Lived:
        return Lived(self.figures + more.figures, self.quarters + more.quarters, self.computing + more.computing)


class Told(NamedTuple):
    """What a process says of its task: days that have become over since it last said so."""

    task: int
    days: Lived


Progress = Callable[[int], None]


class RunEnded(EnvironmentProblem):
    """A run could not go on, and all were stopped at their next midnight. lived: what was over by then, by task."""

    def __init__(self, why: str, lived: Sequence[Lived]) -> None:
        super().__init__(why)
        self.lived = lived


def live_all(
    tasks: Sequence[Task], progress: Progress, is_asked_to_stop: Callable[[], bool], *, together: int
) -> list[Lived]:
    """What has been lived, by task; less than all days where somebody asked to stop, which takes effect at midnights.

    progress is told how many days are over. together: so many tasks in a row are one case, and go side by side even
    where there are fewer cores, so that whoever stops them finds days that all of them have lived. Raises RunEnded.
    """
    # Forked before there is any thread: everything is loaded already, and a site need not travel.
    context: ForkContext = multiprocessing.get_context("fork")
    told: SimpleQueue[Told] = context.SimpleQueue()
    stop = context.Event()
    given = (tasks, told, stop, logging.getLogger().level)
    with ProcessPoolExecutor(min(len(tasks), max(cores(), together)), context, _begin, given) as pool:
        running = {pool.submit(_work, number) for number in range(len(tasks))}
        try:
            return _followed(running, tasks, told, progress, is_asked_to_stop, lambda: _end(pool, stop))
        except BaseException:
            _end(pool, stop)
            raise


def cores() -> int:
    return len(os.sched_getaffinity(0))


def _end(pool: ProcessPoolExecutor, stop: Event) -> None:
    stop.set()
    pool.shutdown(wait=False, cancel_futures=True)


def _followed(
    running: set[Future[None]],
    tasks: Sequence[Task],
    told: SimpleQueue[Told],
    progress: Progress,
    is_asked_to_stop: Callable[[], bool],
    end: Callable[[], None],
) -> list[Lived]:
    lived = [Lived()] * len(tasks)
    has_ended = False
    trouble = ""
    while running:
        done, running = wait(running, _LOOK_EVERY_S, FIRST_COMPLETED)
        while not told.empty():
            number, days = told.get()
            lived[number] = lived[number].and_then(days)
        progress(sum(len(each.figures) for each in lived))
        for future in done:
            trouble = trouble or _trouble(future)
        if not has_ended and (trouble or is_asked_to_stop()):
            has_ended = True
            end()
    if trouble:
        raise RunEnded(trouble, lived)
    return lived


def _trouble(future: Future[None]) -> str:
    """Why a run could not go on; "" for one that was stopped or is over."""
    if future.cancelled():
        return ""
    try:
        future.result()
    except BrokenProcessPool:
        return "a run's process has ended, as for want of memory"
    except EnvironmentProblem as error:
        return str(error)
    return ""


class _Given(NamedTuple):
    tasks: Sequence[Task]
    told: SimpleQueue[Told]
    stop: Event
    parent: int

    def is_asked_to_stop(self) -> bool:
        """Nobody waits any more for the answers of one whose parent is gone."""
        return self.stop.is_set() or os.getppid() != self.parent


_given: _Given | None = None


def _begin(tasks: Sequence[Task], told: SimpleQueue[Told], stop: Event, level: int) -> None:
    """In a process: what it is to do, and whom to tell. Its log is for errors: a week tells a year's worth of news."""
    global _given
    _given = _Given(tasks, told, stop, os.getppid())
    logging.getLogger().setLevel(max(level, logging.ERROR))
    # Ctrl-C, and what `timeout` sends, reach the whole process group; ours are told by who asked for them.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _work(number: int) -> None:
    assert _given is not None
    given = _given
    one_side(given.tasks[number], lambda days: given.told.put(Told(number, days)), given.is_asked_to_stop)


def one_side(
    task: Task,
    tell: Callable[[Lived], None] = lambda _: None,
    is_asked_to_stop: Callable[[], bool] = lambda: False,
) -> Lived:
    """All days of one side; goes on from its checkpoint where there is one. tell: of days that have become over."""
    site, period = task.site, task.period
    kept = None if task.keep is None else _Kept(task.keep / f"{_name(task)}.checkpoint", _identity(task))
    last = (None if kept is None else kept.read()) or beginning(site, period, task.side.baseline)
    lived = _lived(last, period.days, midnight(site, period.end))
    if lived.figures:
        tell(lived)
    for now in () if is_asked_to_stop() else task.side.live(site, period, last):
        ends = is_asked_to_stop() or len(now.by_day) >= period.days
        more = _since(last, now)
        lived = lived.and_then(more)
        tell(more)  # first: what was lived counts, though there may be no room for a checkpoint
        if kept is not None and (ends or kept.is_worth_while()):
            kept.write(now)
        last = now
        if ends:
            break
    return lived


def _lived(checkpoint: Checkpoint, days: int, end: datetime) -> Lived:
    """Of a checkpoint that may have been kept for longer."""
    quarters = tuple(each for each in checkpoint.quarters if each.start < end.timestamp())
    return Lived(checkpoint.by_day[:days], quarters, checkpoint.computing[:days])


def _since(last: Checkpoint, now: Checkpoint) -> Lived:
    return Lived(
        now.by_day[len(last.by_day) :], now.quarters[len(last.quarters) :], now.computing[len(last.computing) :]
    )


def _name(task: Task) -> str:
    """The first case of a backtest has the side's name alone."""
    period, parts = task.period, [task.side.name]
    if period.seed:
        parts.append(f"seed-{period.seed}")
    variation, nominal = period.variation, NOMINAL
    for quantity in ("load", "traffic", "tank"):
        factor = getattr(variation, quantity)
        if factor != getattr(nominal, quantity):
            parts.append(f"{quantity}-{factor:g}")
    return "-".join(parts)


def _identity(task: Task) -> str:
    """Changes with everything that the numbers depend on."""
    period = task.period
    files = [each for each in (period.weather, period.load) if isinstance(each, Path)]
    records = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    conditions = None if isinstance(period.weather, Path) else period.weather
    rest = replace(period, end=period.first, weather=conditions, load=None)
    parts = (version("tidewatt"), task.site.digest, rest, records, task.side.name)
    return repr(parts)


@dataclass(slots=True)
class _Kept:
    """A checkpoint's file; replaced as a whole, so that an interruption leaves the one before."""

    path: Path
    identity: str
    _rests_until: float = 0.0

    def is_worth_while(self) -> bool:
        """A checkpoint has all history in it and grows with every day: writing may take a twentieth of the time."""
        return process_time() >= self._rests_until

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
        began = process_time()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            fresh.write_bytes(pickle.dumps((self.identity, checkpoint)))
            fresh.replace(self.path)
        except OSError as error:
            raise EnvironmentProblem(f"the checkpoint {self.path} cannot be written: {error.strerror}") from error
        ended = process_time()
        self._rests_until = ended + _WRITING_SHARE * (ended - began)
