"""A site's days on virtual time against the simulated plant: the same daemon, the same strategies, nothing real.

Each day is a life of the daemon: at local midnight it is suspended without letting go and begun anew, as after an
update. So a checkpoint at midnight is all there is, and who goes on from one gets the same numbers to the bit.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import process_time

from controller.cli.past import PAST, STEP_S, record_past
from controller.cli.simulate import engine_of
from controller.core.ports import Phase
from controller.core.site import Device, Link, Site
from controller.core.system import Authority
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime.daemon import Daemon
from controller.runtime.quarter_hours import QuarterHours
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from controller.runtime.workers import InThisProcess, Workers
from simulator.design_day import DesignDay
from simulator.faults.fault import Fault
from simulator.inprocess import in_process
from simulator.kpi import Account, Figures, Quarter
from simulator.own_controls import Baseline
from simulator.simulated import SimulatedSite
from simulator.sizes import Sizes
from simulator.variation import NOMINAL, Variation

WIRE_SPEED = 60.0
"""Seconds of plant time in a second of the wire's, which timers and watchdogs count; as when a demo runs fast."""
LOOK_EVERY_S = 60.0
LONGEST_STEP_S = 30
WARM_UP = timedelta(days=1)
"""Every side begins with a plant that has run for so long under its own controls."""


@dataclass(frozen=True, slots=True)
class Period:
    """Local dates from `first` up to, but without, `end`; what the plant is fed with, and what goes wrong with it; pace
    of polls and scans. sizes: None for the demonstration's. holidays: on which the building is used as on a Sunday.
    has_past: the daemon knows the loads of the days before, to forecast from, as one that has been there for a while.
    """

    first: date
    end: date
    scan_every: timedelta
    seed: int = 0
    weather: Path | DesignDay | None = None
    load: Path | None = None
    faults: tuple[Fault, ...] = ()
    variation: Variation = NOMINAL
    sizes: Sizes | None = None
    holidays: tuple[date, ...] = ()
    has_past: bool = False

    @property
    def days(self) -> int:
        return (self.end - self.first).days


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything at a local midnight. by_day: figures of the days that are over; computing: processor time that each
    took [s]. store: contents of the daemon's store, historian: its history; empty and None under the plant's own
    controls, which know no daemon."""

    engine: SimulatedSite
    wire: float
    by_day: tuple[Figures, ...] = ()
    store: bytes = b""
    historian: MemoryHistorian | None = None
    quarters: tuple[Quarter, ...] = ()
    computing: tuple[float, ...] = ()

    def after(self, account: Account, began: float) -> Checkpoint:
        """With one more day. began: processor time at its beginning."""
        return replace(
            self,
            by_day=(*self.by_day, account.figures),
            quarters=(*self.quarters, *account.quarters),
            computing=(*self.computing, process_time() - began),
        )


def beginning(site: Site, period: Period, baseline: Baseline = Baseline.ORIGINAL) -> Checkpoint:
    """The plant at the period's first midnight, with the controls of a baseline as its own. Raises EnvironmentProblem
    where none is this site's."""
    start = midnight(site, period.first)
    engine = _engine(site, period, start - WARM_UP, baseline=baseline)
    engine.advance(start, 0.0)
    return Checkpoint(engine, 0.0)


def plant_step(scan_every: timedelta) -> float:
    """The plant's steps [s]: the longest up to LONGEST_STEP_S that goes into the scan and into the minute.

    Three days of July with steps of 30 s in place of 1 s: the bill differs by 0.02 %, the peak by 0.3 %.
    """
    common = math.gcd(int(scan_every.total_seconds()), 60)
    return float(max(each for each in range(1, LONGEST_STEP_S + 1) if common % each == 0))


def _engine(
    site: Site,
    period: Period,
    start: datetime,
    step_s: float | None = None,
    baseline: Baseline = Baseline.ORIGINAL,
) -> SimulatedSite:
    """step_s: by default what goes with the period's scans."""
    return engine_of(
        site,
        start,
        period.weather,
        period.load,
        period.seed,
        step_s=plant_step(period.scan_every) if step_s is None else step_s,
        faults=period.faults,
        variation=period.variation,
        sizes=period.sizes,
        holidays=period.holidays,
        baseline=baseline,
    )


def old_days(site: Site, period: Period, checkpoint: Checkpoint) -> Iterator[Checkpoint]:
    """Day after day under the plant's own controls alone."""
    for day in _days_left(period, checkpoint):
        began = process_time()
        engine = checkpoint.engine
        account = Account(site.tariff, engine.counted, keeps_quarters=True)
        at, end = midnight(site, day), midnight(site, day + timedelta(days=1))
        while at <= end:
            engine.advance(at, checkpoint.wire)
            account.look(at, engine.read)
            at += timedelta(seconds=LOOK_EVERY_S)
        checkpoint = checkpoint.after(account, began)
        yield checkpoint


def our_days(
    site: Site, period: Period, checkpoint: Checkpoint, workers: Workers | None = None
) -> Iterator[Checkpoint]:
    """Day after day with the daemon and the site's strategies in charge. workers: by default in this process."""
    site = _at_pace(site, period.scan_every)
    historian = checkpoint.historian or (_past(site, period) if period.has_past else MemoryHistorian())
    around = Surroundings(
        forecaster=FORECASTER,
        workers=workers or InThisProcess(),
        # History once more, and no state: whoever goes on from a checkpoint reads the same.
        quarter_hours=QuarterHours(historian),
    )
    for day in _days_left(period, checkpoint):
        checkpoint = _our_day(site, day, checkpoint, historian, around)
        yield checkpoint


def _at_pace(site: Site, every: timedelta) -> Site:
    """The site in our hands, deciding at this pace and at no other: nothing is so urgent that a scan comes early."""
    return replace(
        site,
        first_authority=Authority.TIDEWATT,
        points={id_: replace(point, urgent=False) for id_, point in site.points.items()},
        mounts=tuple(each.at_pace(every) for each in site.mounts),
        scan_every=every,
    )


def _past(site: Site, period: Period) -> MemoryHistorian:
    historian, start = MemoryHistorian(), midnight(site, period.first)
    asyncio.run(record_past(site, _engine(site, period, start - PAST, STEP_S), start, historian))
    return historian


def _our_day(
    site: Site, day: date, checkpoint: Checkpoint, historian: MemoryHistorian, around: Surroundings
) -> Checkpoint:
    began = process_time()
    start, end = midnight(site, day), midnight(site, day + timedelta(days=1))
    engine = checkpoint.engine
    historian.reopen()
    loop = VirtualLoop(WIRE_SPEED)
    clock = VirtualClock(loop, start, checkpoint.wire)
    store = Store(None, clock, checkpoint.store)
    account = Account(site.tariff, engine.counted, keeps_quarters=True)
    links = tuple(_simulated(link, engine, site.scan_every) for link in site.links)

    async def life() -> None:
        daemon = Daemon(replace(site, links=links), clock, historian, store, around)
        stop = asyncio.Event()

        async def count() -> None:
            await _count(account, engine, clock, end)
            daemon.suspend(stop)

        await daemon.run(stop, lambda _: None, count())

    run(life(), loop)
    lived = replace(checkpoint, wire=clock.wire_time(), store=store.contents, historian=historian)
    return lived.after(account, began)


async def _count(account: Account, engine: SimulatedSite, clock: VirtualClock, end: datetime) -> None:
    while True:
        engine.advance(clock.now(), clock.wire_time())
        account.look(clock.now(), engine.read)
        if clock.now() >= end:
            return
        await clock.sleep_until(clock.monotonic() + LOOK_EVERY_S, Phase.RECORD, "account")


def _simulated(link: Link, engine: SimulatedSite, every: timedelta) -> Link:
    """The link with the plant behind it, polled at the pace of the scan.

    Virtual points stay in this process, on a connection of their own: they do not outlive the daemon's day.
    """
    devices = tuple(_polled_at(every, device) for device in link.devices)
    if link.driver.is_virtual:
        return replace(link, connection=replace(link.connection), devices=devices)
    return replace(link, driver=in_process(engine, link.driver), devices=devices)


def _polled_at(every: timedelta, device: Device) -> Device:
    return replace(device, poll_every=every, urgent=(), urgent_every=None)


def _days_left(period: Period, checkpoint: Checkpoint) -> list[date]:
    return [period.first + timedelta(days=number) for number in range(len(checkpoint.by_day), period.days)]


def midnight(site: Site, day: date) -> datetime:
    return datetime.combine(day, time(), site.zone).astimezone(UTC)
