"""A chiller compared with itself night after night, through learning, fouling, cleaning and restarts.

Its physics here is a Carnot machine whose condensing temperature rises with the load and with dirt: another form than
the baseline's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.equipment_log import CleanPeriod, EquipmentLogging
from controller.core.errors import HistorianError
from controller.core.event import EventKind
from controller.core.point import Point, PointId, PointKind
from controller.core.ports import Aggregate, HistoryInterval
from controller.core.site import Site
from controller.core.tariff import Tariff
from controller.core.units import Unit
from controller.historian.memory import MemoryHistorian
from controller.runtime.equipment_rows import rows
from tests.bench import CHILLER_STATUS, Bench
from tests.unit.core.test_tariff import tariff

UNIT = "plant.chiller_1"
QUANTITIES = {
    "energy": Unit.KILOWATT_HOUR,
    "cooling_energy": Unit.KILOWATT_HOUR,
    "leaving_condenser_water_temperature": Unit.CELSIUS,
    "leaving_chilled_water_temperature": Unit.CELSIUS,
    "saturated_condensing_temperature": Unit.CELSIUS,
}
NEW = datetime(2026, 6, 1, tzinfo=UTC)
NIGHT = datetime(2026, 7, 5, 20, 49, tzinfo=UTC)  # a minute before the comparison, in Shanghai
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Recorded(MemoryHistorian):
    """Hours of a plant, worked out while somebody asks. From fouled_from on dirt adds so many K to the approach."""

    fouled_from: datetime = NEVER
    cleaned_at: datetime = NEVER
    dirt: float = 3.0
    is_broken: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self._counters: dict[str, list[float]] = {"energy": [], "cooling_energy": []}
        self._known: dict[datetime, dict[str, float]] = {}

    def row(self, start: datetime) -> dict[str, float]:
        if start not in self._known:
            hour = (start - NEW) / HOUR
            cooling = 700.0 + 250.0 * math.sin(hour / 24 * 2 * math.pi) + 60.0 * math.sin(hour / 101)
            leaving = 30.0 + 3.0 * math.sin(hour / 24 * 2 * math.pi - 1) + 2.0 * math.sin(hour / 173)
            chilled = 7.0
            approach = 0.4 + 1.3 * cooling / 1000 + (self.dirt if self.fouled_from <= start < self.cleaned_at else 0.0)
            evaporating, condensing = 273.15 + chilled - 2.0, 273.15 + leaving + approach
            power = cooling * (condensing - evaporating) / evaporating / 0.6 + 12.0
            self._known[start] = {
                "power": power,
                "cooling": cooling,
                "leaving_condenser_water_temperature": leaving,
                "leaving_chilled_water_temperature": chilled,
                "saturated_condensing_temperature": leaving + approach,
            }
        return self._known[start]

    async def read_aggregates(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> Sequence[Aggregate]:
        if self.is_broken:
            raise HistorianError("the disk is gone")
        assert interval is HistoryInterval.HOUR
        quantity, found = point.rpartition(".")[2], list[Aggregate]()
        at = max(start, NEW)
        while at < end:
            found.append(self._aggregate(quantity, at))
            at += HOUR
        return found

    def _aggregate(self, quantity: str, at: datetime) -> Aggregate:
        if quantity == "status":
            share = 0.5 if at.hour == 3 else 1.0  # once a day it is switched off and on
            return Aggregate(at, 60, 0.0, share, 1.0, 1.0, 1.0)
        if quantity in self._counters:
            of, counter = "power" if quantity == "energy" else "cooling", self._counters[quantity]
            while len(counter) <= (at - NEW) / HOUR:
                last = counter[-1] if counter else 0.0
                counter.append(last + self.row(NEW + len(counter) * HOUR)[of])
            total = counter[int((at - NEW) / HOUR)]
            return Aggregate(at, 60, total, total, total, total, 1.0)
        value = self.row(at)[quantity]
        return Aggregate(at, 60, value, value, value, value, 1.0)


@dataclass
class Nights(Bench):
    quantities: Sequence[str] = tuple(QUANTITIES)
    tariff: Tariff | None = field(default_factory=tariff)
    clean: CleanPeriod | None = None
    recorded: Recorded = field(default_factory=Recorded)

    def site(self) -> Site:
        site = Bench.site(self)
        points = {PointId(f"{UNIT}.{name}"): QUANTITIES[name] for name in self.quantities}
        return replace(
            site,
            scan_every=timedelta(seconds=30),
            points={**site.points, **{id_: Point(id_, PointKind.SENSOR, unit) for id_, unit in points.items()}},
            equipment={UNIT: "chiller"},
            tariff=self.tariff,
            equipment_log=EquipmentLogging(clean={} if self.clean is None else {UNIT: self.clean}),
        )

    def open_historian(self) -> MemoryHistorian:
        self.recorded.reopen()
        return self.recorded

    def night(self, after: timedelta = DAY) -> dict[str, Any]:
        """What is known in the morning, so long after the last one."""
        shown: list[Any] = []

        async def life(_: Bench) -> None:
            await self.wait(90)
            shown.append(rows(self.daemon, UNIT))

        self.now = self.morning = self.morning + after
        assert self.run(life)
        return shown[0]["equipment"][0]["efficiency"]

    morning: datetime = NIGHT - DAY

    def told(self, step: str) -> list[Any]:
        return [event.body for event in self.events(EventKind.EQUIPMENT, UNIT) if event.body["step"] == step]


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def learnt(nights: Nights) -> dict[str, Any]:
    assert nights.night()["baseline"] is None, "a fortnight less an hour"
    assert nights.night()["baseline"] is not None
    return nights.night()


@pytest.mark.slow
def test_it_learns_and_finds_the_clean_machine_clean(nights: Nights) -> None:
    shown = learnt(nights)
    assert shown["baseline"]["hours"] == pytest.approx(15 * 23, abs=3), "not the hours in which it was switched"
    assert shown["power"]["cop"] == pytest.approx(shown["power"]["clean_cop"], rel=0.01)
    assert shown["approach"]["approach"] == pytest.approx(shown["approach"]["clean"], abs=0.1)
    assert (shown["advice"], shown["is_fouled"], shown["is_drifting"]) == (None, False, False)
    (body,) = nights.told("compared")
    assert body["reason"] == "runs as it did when it was clean"
    assert nights.alarms(UNIT) == []


def test_dirt_is_told_in_kilowatts_and_money_until_the_tubes_are_clean(nights: Nights) -> None:
    learnt(nights)
    nights.recorded.fouled_from = nights.morning
    shown = nights.night(7 * DAY)
    kilowatts, money = worked_out(nights)
    assert shown["power"]["extra_kw"] == pytest.approx(kilowatts, rel=0.1)
    assert shown["power"]["money"] == pytest.approx(money, rel=0.1)
    assert shown["approach"]["rise"] == pytest.approx(3.0, abs=0.2)
    assert nights.alarms(UNIT) == [("condenser fouled", "active")]
    assert "condenser approach" in shown["advice"]["en"]
    assert f"{shown['power']['money']:.0f} CNY" in shown["advice"]["en"]
    assert f"{shown['power']['money']:.0f} CNY" in shown["advice"]["zh"]
    nights.night()
    assert nights.alarms(UNIT) == [], "told once, over the restart of every night here"
    nights.recorded.cleaned_at = nights.morning
    assert nights.night(8 * DAY)["advice"] is None
    assert nights.alarms(UNIT) == [("condenser fouled", "cleared")]


def worked_out(nights: Nights) -> tuple[float, float]:
    """What three kelvins cost a Carnot machine of 60 % in a week: kW on average, and money."""
    assert nights.tariff is not None
    end = nights.morning.replace(minute=0)
    hours = [each for count in range(1, 7 * 24 + 1) if (each := end - count * HOUR).hour != 3]
    extra = [nights.recorded.row(each)["cooling"] * 3.0 / 278.15 / 0.6 for each in hours]
    prices = [nights.tariff.price_at(each) or 0.0 for each in hours]
    return sum(extra) / len(extra), sum(kwh * price for kwh, price in zip(extra, prices, strict=True))


@pytest.mark.slow
def test_without_the_refrigerant_there_is_no_approach_and_power_tells(nights: Nights) -> None:
    nights.quantities = [name for name in QUANTITIES if name != "saturated_condensing_temperature"]
    nights.tariff = None
    shown = learnt(nights)
    assert shown["approach"] is None
    nights.recorded.fouled_from = nights.morning
    shown = nights.night(7 * DAY)
    assert nights.alarms(UNIT) == [("efficiency drifting", "active")]
    assert (shown["approach"], shown["power"]["money"]) == (None, None)
    assert "more power than when it was clean" in shown["advice"]["en"]
    assert "kWh" in shown["advice"]["en"]


@pytest.mark.slow
def test_without_the_cold_there_is_an_approach_and_no_kilowatts(nights: Nights) -> None:
    nights.quantities = [name for name in QUANTITIES if name != "cooling_energy"]
    assert learnt(nights)["power"] is None
    nights.recorded.fouled_from = nights.morning
    shown = nights.night(7 * DAY)
    assert shown["is_fouled"]
    assert "kW" not in shown["advice"]["en"]


@pytest.mark.slow
def test_dates_that_the_site_calls_clean_are_learnt_from_instead(nights: Nights) -> None:
    """It was dirty in its first weeks: what it learnt by itself was wrong, and is told to be."""
    nights.recorded.fouled_from, nights.recorded.cleaned_at = NEW, NIGHT + DAY
    learnt(nights)
    shown = nights.night(7 * DAY)
    assert shown["advice"]["en"].startswith("better than its clean baseline")
    assert nights.alarms(UNIT) == []
    nights.clean = CleanPeriod(date(2026, 7, 8), date(2026, 7, 16))
    shown = nights.night()
    assert shown["baseline"] is None, "the last of these days is not over"
    shown = nights.night(2 * DAY)
    assert shown["baseline"] == {"first": "2026-07-08", "last": "2026-07-16", "is_declared": True, "hours": 9 * 23}
    assert shown["advice"] is None


@pytest.mark.slow
def test_a_history_that_cannot_be_read_costs_one_night(nights: Nights) -> None:
    learnt(nights)
    nights.recorded.is_broken = True
    shown = nights.night()
    assert shown["trouble"] == "the disk is gone"
    assert shown["power"] is not None, "what was known stands"
    nights.recorded.is_broken = False
    shown = nights.night()
    assert (shown["trouble"], shown["power"]["hours"]) == ("", pytest.approx(7 * 23, abs=8))


def test_only_what_measures_enough_is_compared(nights: Nights) -> None:
    nights.quantities = ["energy", "leaving_chilled_water_temperature"]
    assert nights.night() is None
    assert nights.plant.plant.value(CHILLER_STATUS) is False
