"""Jobs at local times of day, on the injected clock.

APScheduler's CronTrigger only computes the next instant; it never sees the machine's clock. A job runs at most once a
local date (the hour that repeats in autumn does not repeat it) and is caught up once after downtime.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock, Phase
from controller.runtime.store import Store

log = logging.getLogger(__name__)

# A wall clock that is set must be noticed soon.
LONGEST_SLEEP_S = 60.0


class CalendarJob(NamedTuple):
    """`fields` are CronTrigger's (hour=3, minute=20), in the site's zone."""

    name: str
    fields: dict[str, int | str]
    run: Callable[[], Awaitable[None]]


def next_run(fields: dict[str, int | str], zone: ZoneInfo, ran_on: date | None, now: datetime) -> datetime:
    """The first instant due on a local date after `ran_on`; in the past if that date's run was missed."""
    earliest = now if ran_on is None else datetime.combine(ran_on + timedelta(days=1), datetime.min.time(), zone)
    trigger = CronTrigger(timezone=zone, **fields)
    due = cast("datetime | None", trigger.get_next_fire_time(None, earliest))  # pyright: ignore[reportUnknownMemberType]
    if due is None:
        raise ValueError(f"{fields} never comes")
    return due


def settled_on(fields: dict[str, int | str], zone: ZoneInfo, now: datetime) -> date:
    """The local date for which a run at `now` stands: today's, or yesterday's if today's is still to come."""
    today = now.astimezone(zone).date()
    yesterday = today - timedelta(days=1)
    return yesterday if next_run(fields, zone, yesterday, now) > now else today


class _Turn:
    """When a job is due. ran_on: the local date that its last run stood for; began: since when we look, aware UTC."""

    def __init__(self, job: CalendarJob, zone: ZoneInfo, ran_on: date | None, began: datetime) -> None:
        self.job = job
        self.is_running = False
        self._zone = zone
        self._ran_on = ran_on
        self._began = began
        self._due = began
        self._looked: datetime | None = None

    def due(self, now: datetime) -> datetime:
        """When it is to begin; not after `now` if it is to begin at once."""
        if self._looked is None or now < self._looked:  # while the clock only goes on, the time due stays
            self._began = min(self._began, now)
            if self._ran_on is not None:
                # A run noted for a day still to come was noted by a clock that was wrong.
                self._ran_on = min(self._ran_on, now.astimezone(self._zone).date())
            self._due = next_run(self.job.fields, self._zone, self._ran_on, self._began).astimezone(UTC)
        self._looked = now
        return self._due

    def begin(self, now: datetime) -> date:
        """It runs now; answers the local date that this stands for."""
        self.is_running = True
        self._looked = None
        self._ran_on = settled_on(self.job.fields, self._zone, now)
        return self._ran_on


class Calendar:
    def __init__(self, jobs: Sequence[CalendarJob], zone: ZoneInfo, clock: Clock, store: Store) -> None:
        self._jobs = jobs
        self._zone = zone
        self._clock = clock
        self._store = store

    async def run(self) -> None:
        ran_on, began = await self._ran_on(), self._clock.now()
        # Jobs of the same instant begin in the order of their names, as all wake-ups do.
        jobs = sorted(self._jobs, key=lambda job: job.name)
        turns = [_Turn(job, self._zone, ran_on.get(job.name), began) for job in jobs]
        async with asyncio.TaskGroup() as tasks:
            while True:
                wait = self._begin_due(turns, tasks)
                await self._clock.sleep_until(self._clock.monotonic() + wait, Phase.CALENDAR, "calendar")

    def _begin_due(self, turns: Sequence[_Turn], tasks: asyncio.TaskGroup) -> float:
        """One look a minute serves all jobs; answers the seconds until the next."""
        now = self._clock.now()
        earliest = now + timedelta(seconds=LONGEST_SLEEP_S)
        for turn in turns:
            if turn.is_running:
                continue
            due = turn.due(now)
            if due <= now:
                tasks.create_task(self._run_job(turn, turn.begin(now)), name=f"calendar {turn.job.name}")
            elif due < earliest:
                earliest = due
        return (earliest - now).total_seconds()

    async def _ran_on(self) -> Mapping[str, date]:
        """Where the disk does not say it, each job waits for its next time: none is worth the control."""
        try:
            return await self._store.load_calendar()
        except EnvironmentProblem as error:
            log.warning("what was missed is not made up for: %s", error)
            return {}

    async def _run_job(self, turn: _Turn, stands_for: date) -> None:
        job = turn.job
        await _as_well_as_the_disk_lets(job.name, self._store.save_calendar(job.name, stands_for))
        await _as_well_as_the_disk_lets(job.name, job.run())
        turn.is_running = False


async def _as_well_as_the_disk_lets(name: str, work: Awaitable[None]) -> None:
    try:
        await work
    except EnvironmentProblem as error:
        log.warning("%s: the disk does not take it, at its next time again: %s", name, error)
