"""History on the clock of the building: hourly means by local hour, whole days, 24 hours in each.

People and time switches follow the clock on the wall, so that is the axis of the model. On the day on which clocks go
forward one hour is missing, on the day on which they go back one hour is the mean of two; nothing else in this package
knows of daylight saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from controller.core.forecast import History, UnusableHistory
from controller.forecasting.cleaning import Booleans, Cleaned, Floats, Integers, clean, in_order

HOUR = 3_600_000_000
_DAY = 24 * HOUR
# How far back a hole in the temperature is filled with the same hour of an earlier day.
_DAYS_TO_BORROW = 7


class ClockHours(NamedTuple):
    """One row an hour of the local clock; row 0 begins the day `first`. The load is NaN where unknown or to come."""

    first: date
    zone: ZoneInfo
    load: Floats
    temperature: Floats
    hour: Integers
    weekday: Integers
    is_working: Booleans
    is_holiday: Booleans

    def row(self, moment: datetime) -> int:
        local = moment.astimezone(self.zone)
        return (local.date() - self.first).days * 24 + local.hour


def clock_hours(history: History, at: datetime, days_back: int, days_ahead: int = 2) -> ClockHours:
    """The days before `at` that there are, at most `days_back`, and those ahead. Raises UnusableHistory."""
    return arranged(history, clean(history.load), at, days_back, days_ahead)


def arranged(history: History, load: Cleaned, at: datetime, days_back: int, days_ahead: int = 2) -> ClockHours:
    """The same of a load already cleaned. What was measured at `at` or later is left out."""
    end = microseconds(at)
    today = at.astimezone(history.zone).date()
    known = load.starts < end
    if not known.any():
        raise UnusableHistory(f"no load is known before {at:%Y-%m-%d %H:%M}", "give earlier readings")
    oldest = moment(int(load.starts[0])).astimezone(history.zone).date()
    first = max(oldest, today - timedelta(days=days_back))
    days = (today - first).days + days_ahead
    temperature = in_order(history.temperature)
    hours = _hourly(load.starts[known], load.values[known], history.zone, first, days)
    degrees = _hourly(temperature.starts, temperature.values, history.zone, first, days)
    return ClockHours(
        first,
        history.zone,
        hours,
        _borrowed(degrees),
        np.tile(np.arange(24), days),
        *_calendar(first, days, history.working_days),
    )


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _calendar(first: date, days: int, exceptions: Mapping[date, bool]) -> tuple[Integers, Booleans, Booleans]:
    dates = [first + timedelta(days=day) for day in range(days)]
    weekday = np.array([each.weekday() for each in dates], dtype=np.int64)
    is_working = np.array([exceptions.get(each, each.weekday() < 5) for each in dates], dtype=np.bool_)
    is_holiday = np.array([exceptions.get(each) is False for each in dates], dtype=np.bool_)
    return np.repeat(weekday, 24), np.repeat(is_working, 24), np.repeat(is_holiday, 24)


def _hourly(starts: Integers, values: Floats, zone: ZoneInfo, first: date, days: int) -> Floats:
    """Means of the readings that begin in each hour of the local clock; NaN where none does."""
    rows = local_microseconds(starts, zone, first) // HOUR
    inside = (rows >= 0) & (rows < days * 24)
    counts = np.bincount(rows[inside], minlength=days * 24)
    sums = np.bincount(rows[inside], weights=values[inside], minlength=days * 24)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def local_microseconds(starts: Integers, zone: ZoneInfo, first: date) -> Integers:
    """Microseconds on the local clock since the beginning of the day `first`."""
    days, day = np.unique(starts // _DAY, return_inverse=True)
    offsets = np.array([_offset(int(each) * _DAY, zone) for each in days], dtype=np.int64)[day]
    ends = np.array([_offset((int(each) + 1) * _DAY, zone) for each in days], dtype=np.int64)[day]
    for row in np.flatnonzero(offsets != ends):
        offsets[row] = _offset(int(starts[row]), zone)
    midnight = microseconds(datetime(first.year, first.month, first.day, tzinfo=UTC))
    return starts + offsets - midnight


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = moment(at).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


def _borrowed(temperature: Floats) -> Floats:
    """Holes filled with the same hour of the day before, or of the one before that, up to a week."""
    filled = temperature.copy()
    for day in range(1, _DAYS_TO_BORROW + 1):
        earlier = np.full_like(temperature, np.nan)
        earlier[24 * day :] = temperature[: -24 * day]
        filled = np.where(np.isnan(filled), earlier, filled)
    return filled
