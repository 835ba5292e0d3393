"""What the model looks at for each hour to come: calendar, load known at the origin, temperature.

An origin is the row of the first hour to be forecast; of the load, nothing in or after that row is ever read. Loads are
shares of the level, the mean of the last four weeks, so that a model fitted at one level holds at another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from controller.forecasting.baseline import lagged
from controller.forecasting.cleaning import Booleans, Floats, Integers
from controller.forecasting.clock_hours import ClockHours

_DAY, _WEEK = 24, 168
_LEVEL_DAYS = 28
# Below the first a building heats, above the second it cools (°C): kinks of the linear part; trees find their own.
_HEATING_BELOW, _COOLING_ABOVE = 15.0, 18.0


class Features(NamedTuple):
    """One row an origin, one column an hour to come.

    level: one number a row. typical: what this hour usually was on days of this kind. recent: ways in which the load
    has lately differed from that; weather: temperatures. All arrays end in an axis of their features.
    """

    hour: Integers
    level: Floats
    typical: Floats
    calendar: Floats
    shapes: Floats
    recent: Floats
    weather: Floats


def features(hours: ClockHours, origins: Integers, horizon: int = 24) -> Features:
    targets = origins[:, None] + np.arange(horizon)
    level = _window(hours.load, origins - _DAY * _LEVEL_DAYS, origins)
    shapes = _shapes(hours, targets, origins)
    typical = mean_known(np.stack([shapes[name] for name in ("weeks", "alike", "lately_alike", "last_week")]))
    scale = level[:, None]
    return Features(
        hour=hours.hour[targets],
        level=level,
        typical=typical,
        calendar=_calendar(hours, targets),
        shapes=np.stack(list(shapes.values()), axis=-1) / scale[..., None],
        recent=_recent(hours.load, targets, origins) / scale[..., None],
        weather=_weather(hours.temperature, targets),
    )


def _calendar(hours: ClockHours, targets: Integers) -> Floats:
    days = hours.load.size // _DAY

    def is_working(shift: int) -> Booleans:
        """Of the day that lies so many days off; what is beyond the calendar counts as the nearest day in it."""
        return hours.is_working[(np.clip(targets // _DAY + shift, 0, days - 1)) * _DAY]

    weekday = hours.weekday[targets]
    columns = [weekday == day for day in range(7)]
    columns += [hours.is_holiday[targets], is_working(0), is_working(-1), is_working(1)]
    return np.stack(columns, axis=-1).astype(np.float64)


def _shapes(hours: ClockHours, targets: Integers, origins: Integers) -> dict[str, Floats]:
    """The same hour of earlier days, in several choices of days."""
    by_day = np.stack([lagged(hours.load, targets, _DAY * day, origins) for day in range(1, _LEVEL_DAYS + 1)])
    alike = by_day.copy()
    for day in range(1, _LEVEL_DAYS + 1):
        earlier = np.clip(targets - _DAY * day, 0, None)
        alike[day - 1][hours.is_working[earlier] != hours.is_working[targets]] = np.nan
    order = np.cumsum(~np.isnan(alike), axis=0)
    return {
        "yesterday": by_day[0],
        "day_before": by_day[1],
        "last_week": by_day[6],
        "two_weeks": by_day[13],
        "week": mean_known(by_day[:7]),
        "weeks": mean_known(by_day[6::7]),
        "last_alike": mean_known(np.where(order == 1, alike, np.nan)),
        "lately_alike": mean_known(np.where(order <= 4, alike, np.nan)),
        "alike": mean_known(alike),
    }


def _recent(load: Floats, targets: Integers, origins: Integers) -> Floats:
    """How far the level of the last day and the last hours lies from what it was a day and a week before."""
    day = _window(load, origins - _DAY, origins)
    evening = _window(load, origins - 4, origins)
    columns = [
        day - _window(load, origins - _DAY * _LEVEL_DAYS, origins),
        day - _window(load, origins - _WEEK, origins - _WEEK + _DAY),
        day - _window(load, origins - _WEEK - _DAY, origins - _WEEK),
        evening - _window(load, origins - _DAY - 4, origins - _DAY),
        evening - _window(load, origins - _WEEK - 4, origins - _WEEK),
    ]
    return np.broadcast_to(np.stack(columns, axis=-1)[:, None, :], (*targets.shape, len(columns)))


def _weather(temperature: Floats, targets: Integers) -> Floats:
    """Of the hour, smoothed over a day and three as walls do, and how it differs from the days looked back upon."""
    now = temperature[targets]
    day = _window(temperature, targets - _DAY + 1, targets + 1)
    days = _window(temperature, targets - 3 * _DAY + 1, targets + 1)

    def day_before(lag: int) -> Floats:
        return _window(temperature, targets - lag - _DAY + 1, targets - lag + 1)

    weeks = mean_known(np.stack([day_before(_WEEK * week) for week in range(1, 5)]))
    a_week_ago = np.where(targets >= _WEEK, temperature[np.clip(targets - _WEEK, 0, None)], np.nan)
    columns = [
        now,
        day,
        days,
        now - a_week_ago,
        day - day_before(_WEEK),
        day - day_before(_DAY),
        day - weeks,
        np.maximum(_HEATING_BELOW - day, 0.0),
        np.maximum(day - _COOLING_ABOVE, 0.0),
    ]
    return np.stack(columns, axis=-1)


def _window(values: Floats, starts: Integers, ends: Integers) -> Floats:
    """Mean of what is known in the rows from start up to end; NaN where nothing is."""
    known = ~np.isnan(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    first, last = np.clip(starts, 0, values.size), np.clip(ends, 0, values.size)
    count = counts[last] - counts[first]
    return np.where(count > 0, (sums[last] - sums[first]) / np.maximum(count, 1), np.nan)


def mean_known(values: Floats) -> Floats:
    """Along the first axis, of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
