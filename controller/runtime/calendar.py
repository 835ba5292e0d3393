"""Jobs at local times of day, on the injected clock.

APScheduler's CronTrigger only computes the next instant; it never sees the machine's clock. A job runs at most once a
local date (the hour that repeats in autumn does not repeat it) and is caught up once after downtime.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
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


class Calendar:
    def __init__(self, jobs: Sequence[CalendarJob], zone: ZoneInfo, clock: Clock, store: Store) -> None:
        self._jobs = jobs
        self._zone = zone
        self._clock = clock
        self._store = store

    async def run(self) -> None:
        ran_on = await self._ran_on()
        async with asyncio.TaskGroup() as tasks:
            for job in self._jobs:
                tasks.create_task(self._run_job(job, ran_on.get(job.name)), name=f"calendar {job.name}")

    async def _ran_on(self) -> Mapping[str, date]:
        """Where the disk does not say it, each job waits for its next time: none is worth the control."""
        try:
            return await self._store.load_calendar()
        except EnvironmentProblem as error:
            log.warning("what was missed is not made up for: %s", error)
            return {}

    async def _run_job(self, job: CalendarJob, ran_on: date | None) -> None:
        began = self._clock.now()
        due, known_for = began, None
        while True:
            now = self._clock.now()
            began = min(began, now)
            if ran_on is not None:
                # A run noted for a day still to come was noted by a clock that was wrong.
                ran_on = min(ran_on, now.astimezone(self._zone).date())
            if known_for != (ran_on, began):
                due, known_for = next_run(job.fields, self._zone, ran_on, began), (ran_on, began)
            remaining = (due - now).total_seconds()
            if remaining > 0:
                deadline = self._clock.monotonic() + min(remaining, LONGEST_SLEEP_S)
                await self._clock.sleep_until(deadline, Phase.CALENDAR, job.name)
                continue
            ran_on = settled_on(job.fields, self._zone, now)
            await _as_well_as_the_disk_lets(job.name, self._store.save_calendar(job.name, ran_on))
            await _as_well_as_the_disk_lets(job.name, job.run())


async def _as_well_as_the_disk_lets(name: str, work: Awaitable[None]) -> None:
    try:
        await work
    except EnvironmentProblem as error:
        log.warning("%s: the disk does not take it, at its next time again: %s", name, error)
