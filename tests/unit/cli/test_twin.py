"""What a day costs with us and without, from readings of a plant and of its twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from controller.cli.simulate import engine_of
from controller.cli.site_folder import load_site
from controller.cli.today_view import told, told_so_far
from controller.cli.twin import Twin, beginning
from controller.core.point import PointId
from controller.core.sample import Quality, Sample
from simulator.simulated import SimulatedSite
from tests.virtual_demo import DEMO

SITE = load_site(DEMO)
MONDAY = datetime(2026, 7, 6, tzinfo=SITE.zone)
MINUTE = timedelta(minutes=1)
METER = PointId("meter.main_1.energy")

Change = Callable[[dict[PointId, Sample]], None]


def engine_at(start: datetime) -> SimulatedSite:
    return engine_of(SITE, start, None, None, 0)


class Pair:
    """A plant and its twin; `look` reads the plant, lets `change` mend the samples, and shows them to the twin."""

    def __init__(self, start: datetime) -> None:
        self.plant = engine_at(start)
        self.twin = Twin(engine_at(start), SITE)

    def look(self, at: datetime, change: Change = lambda samples: None) -> None:
        self.plant.advance(at, 0.0)
        samples = {
            PointId(tag): Sample(value, Quality.GOOD, "", at, 0.0) for tag, value in self.plant.snapshot().items()
        }
        change(samples)
        asyncio.run(self.twin.look(samples))

    @property
    def today(self) -> Mapping[str, Any]:
        assert self.twin.today is not None
        return self.twin.today


def consumed(extra: float) -> Change:
    """As if the site had used so many kWh more."""

    def change(samples: dict[PointId, Sample]) -> None:
        value = samples[METER].value
        assert isinstance(value, float)
        samples[METER] = samples[METER]._replace(value=value + extra)

    return change


def silent(point: str) -> Change:
    def change(samples: dict[PointId, Sample]) -> None:
        samples[PointId(point)] = samples[PointId(point)].worsened(Quality.BAD, "link lost")

    return change


def test_before_the_first_look_nothing_is_claimed() -> None:
    pair = Pair(MONDAY)
    assert pair.twin.today is None
    pair.look(MONDAY + MINUTE, silent("plant.tank_1.stored_energy"))
    assert pair.twin.today is None


def test_who_does_what_the_old_controls_do_saves_nothing() -> None:
    pair = Pair(MONDAY + timedelta(hours=6))
    for minutes in (1, 2, 7, 60, 240):
        pair.look(MONDAY + timedelta(hours=6) + minutes * MINUTE)
    assert pair.today["energy"]["with_us"] > 100.0
    assert [pair.today[key]["saved"] for key in ("energy", "money", "carbon")] == [0.0, 0.0, 0.0]


def test_a_loss_is_told_as_a_loss() -> None:
    pair = Pair(MONDAY)
    pair.look(MONDAY + MINUTE)
    pair.look(MONDAY + 61 * MINUTE, consumed(10.0))
    tariff = SITE.tariff
    assert tariff is not None
    price = tariff.price_at(MONDAY)
    assert price is not None
    energy = pair.today["energy"]
    assert energy["saved"] == pytest.approx(-10.0)
    assert energy["with_us"] - energy["without_us"] == pytest.approx(10.0)
    assert pair.today["money"]["saved"] == pytest.approx(-10.0 * price)
    assert "-10.0 kWh uses more" in told(pair.today, SITE.zone, "en")
    assert "-10.0 千瓦时 多用" in told(pair.today, SITE.zone, "zh")
    assert told_so_far(pair.today, SITE.zone, "en").startswith("saved since 00:01: -10.0 kWh uses more, ")


@pytest.mark.parametrize("point", [METER, "garage.group_1.illuminance"])
def test_a_gap_in_the_readings_is_spanned(point: str) -> None:
    whole, broken = Pair(MONDAY), Pair(MONDAY)
    for minutes in (0, 30, 60, 90):
        whole.look(MONDAY + minutes * MINUTE)
        broken.look(MONDAY + minutes * MINUTE, silent(point) if minutes in (30, 60) else consumed(0.0))
    assert broken.today["energy"]["with_us"] == pytest.approx(whole.today["energy"]["with_us"])
    assert broken.today["energy"]["saved"] == 0.0
    assert broken.today["until"] == whole.today["until"]


def test_the_day_begins_anew_at_midnight_and_the_one_before_stands() -> None:
    pair = Pair(MONDAY - 30 * MINUTE)
    pair.look(MONDAY - 20 * MINUTE)
    assert pair.twin.day_before is None
    pair.look(MONDAY, consumed(5.0))
    pair.look(MONDAY + 10 * MINUTE, consumed(5.0))
    before = pair.twin.day_before
    assert before is not None
    assert "-5.0 kWh uses more" in told(before, SITE.zone, "en")
    assert pair.today["energy"]["saved"] == pytest.approx(0.0, abs=1e-9)
    assert pair.today["since"] == MONDAY.isoformat()


def test_readings_from_before_the_twin_are_left() -> None:
    """The daemon's clock may be a moment behind the plant's."""
    pair = Pair(MONDAY)
    pair.plant = engine_at(MONDAY - MINUTE)
    pair.look(MONDAY - timedelta(seconds=1))
    assert pair.twin.today is None


def test_without_a_price_no_money_is_claimed() -> None:
    before_the_tariff = datetime(2020, 7, 6, tzinfo=SITE.zone)
    pair = Pair(before_the_tariff)
    pair.look(before_the_tariff)
    pair.look(before_the_tariff + 30 * MINUTE)
    assert pair.today["money"] is None
    assert pair.today["energy"]["with_us"] > 0.0


@pytest.mark.parametrize(
    "ran_for, expected",
    [
        (timedelta(hours=3), MONDAY + timedelta(hours=9)),
        (timedelta(days=20), MONDAY - timedelta(days=1)),
    ],
)
def test_a_twin_of_a_plant_that_has_run_for_long_begins_yesterday(ran_for: timedelta, expected: datetime) -> None:
    now = MONDAY + timedelta(hours=12)
    assert beginning(now - ran_for, SITE, now) == expected
