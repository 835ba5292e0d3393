"""What the greatest demand of a month costs, for the days of it that were seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.cli.site_folder import load_site
from controller.core.tariff import DemandCharge, Form, Tariff
from controller.core.tariff_calendar import Band
from simulator.demand_charge import demand_charge, has_demand_charge
from simulator.kpi import Quarter
from tests.virtual_demo import DEMO

SHENZHEN = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 7, 30)


def charged(*charges: DemandCharge) -> Tariff:
    tariff = load_site(DEMO).tariff
    assert tariff is not None
    versions = tuple(replace(each, demand_charges=charges) for each in tariff.versions)
    return replace(tariff, form=Form.TWO_PART, versions=versions)


def quarters(days: int, peaks: dict[datetime, float]) -> list[Quarter]:
    begin = datetime(2026, 7, 30, tzinfo=SHENZHEN)
    times = [begin + number * timedelta(minutes=15) for number in range(96 * days)]
    return [Quarter(each.timestamp(), peaks.get(each, 100.0), 24.0, 0.0) for each in times]


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHENZHEN)


def test_each_month_pays_its_own_peak_for_the_days_that_were_seen() -> None:
    seen = quarters(4, {at(7, 30, 15): 300.0, at(8, 1, 9): 200.0})
    money = demand_charge(charged(DemandCharge(31.0)), seen, FIRST, date(2026, 8, 3))
    assert money == pytest.approx(31.0 * (300.0 * 2 / 31 + 200.0 * 2 / 31))


def test_a_month_that_was_seen_whole_pays_what_the_bill_says() -> None:
    seen = quarters(33, {at(8, 15, 12): 250.0})
    august = demand_charge(charged(DemandCharge(40.0)), seen, date(2026, 8, 1), date(2026, 9, 1))
    assert august == pytest.approx(40.0 * 250.0)


def test_intervals_months_and_bands_are_those_of_the_charge() -> None:
    tariff = charged(DemandCharge(10.0))
    night = next(stretch for stretch in tariff.bands_of_day(FIRST) if stretch.band is Band.VALLEY)
    seen = quarters(1, {night.start.astimezone(SHENZHEN): 400.0, at(7, 30, 14, 30): 300.0, at(7, 30, 14, 45): 200.0})

    def money(charge: DemandCharge) -> float:
        return demand_charge(charged(charge), seen, FIRST, date(2026, 7, 31)) * 31 / 10.0

    half_hour = timedelta(minutes=30)
    assert money(DemandCharge(10.0)) == pytest.approx(400.0)
    assert money(DemandCharge(10.0, bands=frozenset(Band) - {Band.VALLEY})) == pytest.approx(300.0)
    assert money(DemandCharge(10.0, half_hour)) == pytest.approx(250.0)
    assert money(DemandCharge(10.0, months=frozenset({6, 8}))) == 0.0


def test_it_is_told_whether_there_is_one() -> None:
    assert not has_demand_charge(None, FIRST, date(2026, 8, 1))
    assert not has_demand_charge(load_site(DEMO).tariff, FIRST, date(2026, 8, 1))
    assert has_demand_charge(charged(DemandCharge(1.0)), FIRST, date(2026, 8, 1))
    assert not has_demand_charge(charged(DemandCharge(1.0, months=frozenset({9}))), FIRST, date(2026, 8, 1))
