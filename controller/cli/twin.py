"""The same plant beside the demo's own, left to its old controls: what the day costs with us, and what it would cost
without.

It lives in the demo's process, follows what was read of the plant, and is never written to; no daemon knows of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from controller.core.event import JsonValue
from controller.core.point import PointId
from controller.core.sample import Quality, Sample, Scalar
from controller.core.site import Site
from controller.runtime.daemon import Daemon
from simulator.kpi import Account, Counted, Read
from simulator.saving import Terms, carbon, money, saving_at_equal_cooling, valley_price
from simulator.simulated import SimulatedSite

LOOK_EVERY = timedelta(minutes=1)
FOLLOW_EVERY_S = 0.5
# Of the plant's time: some 10 ms of work, so that the daemon's scans go on while the twin catches up.
_SLICE = timedelta(minutes=10)

Json = dict[str, JsonValue]


def beginning(start: datetime, site: Site, now: datetime) -> datetime:
    """Where a twin begins of a plant that has run since `start`: the midnight before last is long enough ago to find
    the state it would be in by now, and soon caught up.
    """
    yesterday = now.astimezone(site.zone).date() - timedelta(days=1)
    return max(start, datetime.combine(yesterday, time(), site.zone))


class _Day:
    """Two accounts that are looked at together, from midnight or from the first look on."""

    def __init__(self, since: datetime, date_: date, site: Site, counted: Counted) -> None:
        self.since = self.until = since
        self.date = date_
        self.terms = Terms(site.tariff, site.gas, site.water, valley_price(site.tariff, since))
        self.ours, self.reference = Account(site.tariff, counted), Account(site.tariff, counted)

    def look(self, at: datetime, ours: Read, reference: Read) -> bool:
        """Whether ours could be read; if not, the reference is not counted either, and the next look spans the gap."""
        if not self.ours.look(at, ours):
            return False
        self.reference.look(at, reference)
        self.until = at
        return True


class Twin:
    """engine: the plant as it was when the simulator started, or at `beginning`."""

    def __init__(self, engine: SimulatedSite, site: Site) -> None:
        self._engine = engine
        self._site = site
        self._looked: datetime | None = None
        self._day: _Day | None = None
        self._day_before: _Day | None = None

    async def follow(self, daemon: Daemon) -> None:
        """Look at what the daemon reads, for ever."""
        while True:
            if daemon.scan.frozen is not None:
                await self.look(daemon.scan.frozen.samples)
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def look(self, samples: Mapping[PointId, Sample]) -> None:
        """Bring the twin to the time at which the meter was read, and count both; once a minute of that time."""
        meter = samples.get(PointId(self._engine.counted.energy))
        if meter is None or meter.quality is not Quality.GOOD or meter.timestamp < self._engine.now:
            return
        at = meter.timestamp
        if self._looked is not None and at - self._looked < LOOK_EVERY:
            return
        self._looked = at
        while self._engine.now + _SLICE < at:
            self._engine.advance(self._engine.now + _SLICE, 0.0)
            await asyncio.sleep(0)
        self._engine.advance(at, 0.0)
        self._count(at, _good(samples))

    def _count(self, at: datetime, ours: Read) -> None:
        if self._day is not None and not self._day.look(at, ours, self._engine.read):
            return
        local = at.astimezone(self._site.zone).date()
        if self._day is not None and self._day.date == local:
            return
        day = _Day(at, local, self._site, self._engine.counted)
        if day.look(at, ours, self._engine.read):
            self._day_before, self._day = self._day, day

    @property
    def today(self) -> Json | None:
        """The comparison of the local day as far as it was looked at; None before the first look."""
        return None if self._day is None else _compared(self._day)

    @property
    def day_before(self) -> Json | None:
        return None if self._day_before is None else _compared(self._day_before)


def _good(samples: Mapping[PointId, Sample]) -> Read:
    def read(point: str) -> Scalar | None:
        sample = samples.get(PointId(point))
        return sample.value if sample is not None and sample.quality is Quality.GOOD else None

    return read


def _compared(day: _Day) -> Json:
    """Energy [kWh], money and carbon [kg]: as measured with us, and without us at equal cooling, with what the stores
    hold more or less credited at the valley price. None where the site does not say.
    """
    ours, terms = day.ours.figures, day.terms
    tariff = terms.tariff
    saved = saving_at_equal_cooling(ours, day.reference.figures, terms)
    emitted = carbon(ours, terms)
    return {
        "since": day.since.isoformat(),
        "until": day.until.isoformat(),
        "currency": None if tariff is None else tariff.currency,
        "energy": _sides(ours.energy, saved.energy),
        "money": None if tariff is None or ours.unpriced else _sides(money(ours, terms), saved.money),
        "carbon": None if emitted is None or saved.carbon is None else _sides(emitted, saved.carbon),
    }


def _sides(with_us: float, saved: float) -> Json:
    return {"with_us": with_us, "without_us": with_us + saved, "saved": saved}
