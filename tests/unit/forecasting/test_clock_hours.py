"""The axis of the model: whole days of the clock on the wall."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from controller.core.forecast import UnusableHistory
from controller.forecasting.clock_hours import clock_hours
from tests.unit.forecasting.support import BERLIN, SHANGHAI, START, building, end_of


def by_the_clock(number: int, local: datetime, value: float) -> float:
    """Never zero, which this load would not be."""
    return 1.0 + local.hour


def test_local_hours_of_a_zone_without_summer_time() -> None:
    history = building(3, zone=SHANGHAI, change=by_the_clock)
    hours = clock_hours(history, end_of(history), 30)
    known = ~np.isnan(hours.load)
    assert hours.first == date(2026, 1, 5)
    assert (hours.load[known] - 1.0).tolist() == hours.hour[known].tolist()
    assert hours.row(START) == 8


@pytest.mark.parametrize(
    "day, hours_of_the_day",
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_a_day_of_23_or_25_hours_has_24_rows(day: date, hours_of_the_day: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC) - timedelta(days=3)
    history = building(6 + 1 / 24, zone=BERLIN, start=start, change=by_the_clock)
    hours = clock_hours(history, end_of(history), 30)
    assert hours.load.size % 24 == 0
    row = (day - hours.first).days * 24
    expected = [1.0 + hour for hour in range(24)]
    if hours_of_the_day == 23:
        expected[2] = math.nan  # clocks go from two to three
    assert np.array_equal(hours.load[row : row + 24], expected, equal_nan=True)


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"])
def test_zones_off_the_hour(name: str) -> None:
    zone = ZoneInfo(name)
    history = building(4, zone=zone, step=timedelta(minutes=15), change=by_the_clock)
    hours = clock_hours(history, end_of(history), 30)
    known = ~np.isnan(hours.load)
    assert (hours.load[known] - 1.0).tolist() == hours.hour[known].tolist()


def test_nothing_measured_at_the_origin_or_later_is_there() -> None:
    history = building(5)
    at = START + timedelta(days=3, hours=7)
    hours = clock_hours(history, at, 30)
    assert not np.isnan(hours.load[: hours.row(at)]).any()
    assert np.isnan(hours.load[hours.row(at) :]).all()
    assert not np.isnan(hours.temperature).any()  # the weather of the days to come is a forecast, and stays


def test_a_hole_in_the_temperature_borrows_from_the_days_before() -> None:
    history = building(10)
    for number in range(48, 72):
        history.temperature.values[number] = math.nan
    degrees = clock_hours(history, end_of(history), 30).temperature
    assert degrees[48:72].tolist() == degrees[24:48].tolist()


def test_holidays_and_worked_weekends() -> None:
    history = building(7, working_days={date(2026, 1, 6): False, date(2026, 1, 10): True})
    hours = clock_hours(history, end_of(history), 30)
    assert hours.is_working.reshape(-1, 24)[:7, 0].tolist() == [True, False, True, True, True, True, False]
    assert hours.is_holiday.reshape(-1, 24)[:3, 0].tolist() == [False, True, False]


def test_no_load_before_the_origin() -> None:
    with pytest.raises(UnusableHistory, match="no load is known before 2026-01-05 00:00"):
        clock_hours(building(5), START, 30)
