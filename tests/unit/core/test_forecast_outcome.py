"""Quarter-hour means, and a forecast beside what came."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.core.forecast import Forecast, Readings, Source, quarter_hour_means
from controller.core.forecast_outcome import outcome

MINUTE, QUARTER, HOUR = 60_000_000, 900_000_000, 3_600_000_000
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NAN = math.nan


def stamp(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def measured(start: datetime, hourly: list[float]) -> Readings:
    """So much in each quarter of each hour; nothing where NaN."""
    starts, values = array("q"), array("d")
    for hour, value in enumerate(hourly):
        for quarter in range(4):
            if not math.isnan(value):
                starts.append(stamp(start) + hour * HOUR + quarter * QUARTER)
                values.append(value)
    return Readings(starts, values)


def test_minutes_become_quarters_of_an_hour() -> None:
    minutes = [0, 1, 14, 15, 45, 46, 61]
    means = [1.0, 2.0, 6.0, 8.0, NAN, NAN, 5.0]
    found = quarter_hour_means([QUARTER * 8 + minute * MINUTE for minute in minutes], means)
    assert found.starts.tolist() == [QUARTER * 8, QUARTER * 9, QUARTER * 12], "of what was not known there is none"
    assert found.values.tolist() == [3.0, 8.0, 5.0]


@pytest.mark.parametrize(
    "start, zone, lag",
    [
        (datetime(2026, 7, 5, 16, tzinfo=UTC), SHANGHAI, 168),
        (datetime(2026, 3, 30, 22, tzinfo=UTC), BERLIN, 167),  # summer time began on the 29th
        (datetime(2026, 10, 26, 23, tzinfo=UTC), BERLIN, 169),
    ],
    ids=["plain", "spring", "autumn"],
)
def test_beside_the_same_hour_by_the_clock_a_week_before(start: datetime, zone: ZoneInfo, lag: int) -> None:
    """Load rises by one an hour, so last week's hour is too low by as many kW as hours lie between."""
    first = start - timedelta(hours=200)
    load = measured(first, [float(hour) for hour in range(224)])
    forecast = Forecast(start, tuple(200.0 + quarter // 4 + 3.0 for quarter in range(96)), Source.MODEL)
    score = outcome(forecast, load, zone)
    assert (score.hours, score.mean_absolute_error, score.bias) == (24, 3.0, 3.0)
    assert score.baseline_mean_absolute_error == lag


def test_hours_that_nobody_measured_do_not_count() -> None:
    start = datetime(2026, 7, 5, 16, tzinfo=UTC)
    hours = [100.0] * 168 + [100.0, NAN, 104.0, *[NAN] * 21]
    hours[2] = NAN
    score = outcome(
        Forecast(start, (101.0,) * 96, Source.MODEL), measured(start - timedelta(hours=168), hours), SHANGHAI
    )
    assert (score.hours, score.mean_absolute_error) == (1, 1.0), "one is unknown now, one was a week before"
