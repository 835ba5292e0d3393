"""A forecast whose time has come, beside what was measured and beside the same hour of the week before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from controller.core.forecast import STEP, Forecast, Readings
from controller.core.forecast_score import Score, score

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTERS = timedelta(hours=1) // STEP
_WEEK = timedelta(days=7)


def outcome(forecast: Forecast, load: Readings, zone: ZoneInfo) -> Score:
    """Over the 24 hours from the forecast's start; an hour unknown now or a week before does not count.

    load: quarter-hour means. zone: whose clock says what the same hour of last week was.
    """
    measured = dict(zip(load.starts, load.values, strict=True))
    hours = [forecast.start + hour * timedelta(hours=1) for hour in range(len(forecast.values) // _QUARTERS)]
    week_before = [(hour.astimezone(zone) - _WEEK).astimezone(UTC) for hour in hours]
    forecasts = [
        math.fsum(forecast.values[at : at + _QUARTERS]) / _QUARTERS for at in range(0, len(forecast.values), _QUARTERS)
    ]
    return score(
        [_mean_of_hour(measured, hour) for hour in hours],
        forecasts,
        [_mean_of_hour(measured, hour) for hour in week_before],
    )


def _mean_of_hour(measured: Mapping[int, float], hour: datetime) -> float:
    """Of the quarters that are known; NaN where none is."""
    first, step = (hour - _EPOCH) // timedelta(microseconds=1), STEP // timedelta(microseconds=1)
    known = [measured[start] for start in range(first, first + _QUARTERS * step, step) if start in measured]
    return math.fsum(known) / len(known) if known else math.nan
