"""A BOPTEST test under Tidewatt, or under its own controls with Tidewatt looking on: one life of the daemon on virtual
time, as long as the test.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from controller.cli.boptest_rows import Rows
from controller.core.errors import DeviceError, EnvironmentProblem
from controller.core.event import Event, EventKind, JsonValue
from controller.core.point import PointId
from controller.core.ports import Phase
from controller.core.sample import Scalar
from controller.core.site import Link, Site
from controller.core.system import Authority
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from controller.runtime.workers import InThisProcess
from drivers.boptest.address import BoptestConnection
from drivers.boptest.client import Client
from drivers.boptest.driver import misplaced
from drivers.boptest.running import Plan, RunningTest

log = logging.getLogger(__name__)

WIRE_SPEED = 60.0
"""Seconds of the case's time in a second of the wire's, which timers and watchdogs count."""
_LOOK_EVERY = timedelta(days=1)
"""What a test has brought so far is asked for as often, and kept should the server die."""
_SAME_INSTANT_S = 1.0
ENDINGS = (".csv", ".stored.csv")
"""Of the files of a side: every step as we see it; what the case stored between the steps, in its own units."""

KPIs = dict[str, "float | None"]


@dataclass(frozen=True, slots=True)
class Figures:
    """KPIs at a time of the case, in seconds of its year; they count from the beginning of the test."""

    time: float
    kpis: KPIs


class Judged(NamedTuple):
    """What became of a wish, when that was last told: what was written, what the case showed, what that means."""

    verdict: str
    written: JsonValue
    read: JsonValue


@dataclass
class Outcome:
    """What became of one side. end: seconds of the case's year at which it is complete. trouble: why it is not."""

    authority: Authority
    test_case: str = ""
    version: str = ""
    start: float = 0.0
    end: float = 0.0
    figures: list[Figures] = field(default_factory=list[Figures])
    verdicts: dict[str, Judged] = field(default_factory=dict[str, Judged])
    trouble: str = ""

    def hear(self, event: Event) -> None:
        if event.kind is EventKind.VERDICT:
            body = event.body
            self.verdicts[event.subject] = Judged(str(body["verdict"]), body["written"], body["read"])

    @property
    def is_complete(self) -> bool:
        return not self.trouble and bool(self.figures) and self.figures[-1].time >= self.end


def stepped_link(site: Site) -> Link:
    """The one link behind which a test case is. Raises EnvironmentProblem."""
    links = [link for link in site.links if isinstance(link.connection, BoptestConnection)]
    if len(links) != 1:
        count = "no link" if not links else f"{len(links)} links"
        raise EnvironmentProblem(f"{site.name} has {count} with driver: boptest; a test needs exactly one")
    others = [link.id for link in site.links if not link.driver.is_virtual and link is not links[0]]
    if others:
        raise EnvironmentProblem(f"link {others[0]} is a real one; beside a test case there are only virtual links")
    return links[0]


def run_side(
    site: Site,
    plan: Plan,
    days: int,
    authority: Authority,
    folder: Path | None = None,
    told: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Run one side to its end, or until the server no longer goes along.

    folder: where the steps that we see and what the case itself stored are kept. told: hears of each day that is over.
    Raises EnvironmentProblem where the test cannot even begin.
    """
    link = stepped_link(site)
    connection: BoptestConnection = replace(link.connection)
    outcome = Outcome(authority)
    # The case knows no summer time: its second 0 is midnight of 1 January at the site.
    year = datetime(connection.year, 1, 1, tzinfo=site.zone).astimezone(UTC)
    loop = VirtualLoop(WIRE_SPEED)

    async def life() -> None:
        test = connection.test
        client = Client(link.id, connection.url, connection.timeout, VirtualClock(loop, year).outside)
        try:
            await _begin(test, client, plan, year, link)
            outcome.test_case, outcome.version = test.name, test.version
            outcome.start, outcome.end = test.time, test.time + timedelta(days=days).total_seconds()
            clock = VirtualClock(loop, year + timedelta(seconds=test.time))
            daemon = Daemon(
                _at_its_pace(site, link, connection, authority),
                clock,
                MemoryHistorian(),
                Store(None, clock),
                Surroundings(forecaster=FORECASTER, workers=InThisProcess()),
            )
            daemon.journal.listeners.append(outcome.hear)
            stop = asyncio.Event()
            steps, stored = (None if folder is None else folder / f"{authority.value}{end}" for end in ENDINGS)
            with Rows(steps, ["time", *points_of(link)]) as seen, Rows(stored, ["time", *names_of(link)]) as own:
                side = _Side(daemon, link, connection, client, outcome, seen, own, told)
                await daemon.run(stop, lambda _: None, side.follow(stop))
        finally:
            await _end(test, client)
            client.close()

    run(life(), loop)
    return outcome


async def _begin(test: RunningTest, client: Client, plan: Plan, year: datetime, link: Link) -> None:
    try:
        await test.begin(client, plan, year)
        if any(binding.address.forecast for binding in link.bindings):
            await test.look_at_forecasts(client)
    except DeviceError as error:
        raise EnvironmentProblem(f"the test at {link.connection.url} did not begin: {error}") from error
    if wrong := misplaced(link.bindings, test):
        raise EnvironmentProblem(f"the site does not fit the test case: {'; '.join(wrong)}")


async def _end(test: RunningTest, client: Client) -> None:
    try:
        await test.end(client)
    except DeviceError as error:
        log.info("the test is left to the server: %s", error)


def _at_its_pace(site: Site, link: Link, connection: BoptestConnection, authority: Authority) -> Site:
    """Read and decided at the pace of the case, on the same instants; what a person would change by hand is off."""
    step = connection.step

    def paced(each: Link) -> Link:
        devices = tuple(replace(one, poll_every=step, urgent=(), urgent_every=None) for one in each.devices)
        own = connection if each is link else replace(each.connection)
        return replace(each, connection=own, devices=devices)

    return replace(
        site,
        links=tuple(map(paced, site.links)),
        mounts=tuple(each.at_pace(step) for each in site.mounts),
        scan_every=step,
        first_authority=authority,
        ab_days=None,
    )


# --- beside the daemon ------------------------------------------------------------------------------------------------


@dataclass
class _Side:
    """Looks on, step by step, and stops the daemon at the end of the test. steps: every step as we see it. stored: what
    the case stored between the steps, in its own units."""

    daemon: Daemon
    link: Link
    connection: BoptestConnection
    client: Client
    outcome: Outcome
    steps: Rows
    stored: Rows
    told: Callable[[Outcome], None]
    _stored_until: float = -math.inf

    async def follow(self, stop: asyncio.Event) -> None:
        clock, step = self.daemon.clock, self.connection.step.total_seconds()
        await clock.sleep_until(clock.monotonic(), Phase.RECORD, "test")
        while True:
            try:
                await self._look()
            except (DeviceError, EnvironmentProblem) as error:
                self.outcome.trouble = str(error)
                self.told(self.outcome)
            if self.outcome.trouble or self.outcome.is_complete:
                break
            await clock.sleep_until(clock.monotonic() + step, Phase.RECORD, "test")
        # Nothing is let go: the case stands still now, and is over.
        self.daemon.suspend(stop)

    async def _look(self) -> None:
        test, outcome, now = self.connection.test, self.outcome, self.daemon.clock.now()
        if test.failure is not None:
            raise test.failure
        if test.time < test.time_at(now) - _SAME_INSTANT_S:
            task = next(each for each in self.daemon.links if each.link.id == self.link.id)
            raise EnvironmentProblem(f"{self.link.id}: {task.trouble or 'the case did not go on'}")
        present = self.daemon.image.present
        values = [_cell(present[point].value) for point in points_of(self.link)]
        self.steps.add([now.astimezone(self.daemon.site.zone).isoformat(), *values])
        passed = test.time - outcome.start
        if test.time < outcome.end and (passed == 0 or passed % _LOOK_EVERY.total_seconds()):
            return
        await self._keep_stored()
        outcome.figures.append(Figures(test.time, await test.kpis(self.client)))
        self.told(outcome)

    async def _keep_stored(self) -> None:
        """Since the last midnight."""
        if not self.stored.are_kept:
            return
        since = max(self._stored_until, self.outcome.start)
        for row in await self.connection.test.results(self.client, names_of(self.link), since, math.inf):
            if row[0] > self._stored_until:
                self.stored.add(row)
                self._stored_until = row[0]


def _cell(value: Scalar | None) -> str | Scalar | None:
    """Without the last digits that come of turning kelvin into °C."""
    return f"{value:.10g}" if isinstance(value, float) else value


def points_of(link: Link) -> list[PointId]:
    return [point for device in link.devices for point in device.points]


def names_of(link: Link) -> list[str]:
    """What the case calls the points of the site, without its forecasts."""
    return sorted({each.address.name for each in link.bindings if not each.address.forecast})
