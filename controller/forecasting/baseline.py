"""Same-hour-last-week: what an engineer without a computer would say, and what every model has to beat."""

from __future__ import annotations

import numpy as np

from controller.forecasting.cleaning import Floats, Integers
from controller.forecasting.clock_hours import ClockHours

_WEEK = 168


def same_hour_last_week(hours: ClockHours, origins: Integers, horizon: int = 24) -> Floats:
    """One row an origin. A hole takes the same hour two, three or four weeks before, else of the latest day known.

    Where nothing at all is known of that hour, it takes the mean of the last week known.
    """
    targets = origins[:, None] + np.arange(horizon)
    found = np.full(targets.shape, np.nan)
    weeks = [_WEEK * week for week in range(1, 5)]
    days = [24 * day for day in range(1, 29)]
    for lag in (*weeks, *days):
        found = np.where(np.isnan(found), lagged(hours.load, targets, lag, origins), found)
    for row in np.flatnonzero(np.isnan(found).any(axis=1)):
        before = hours.load[: origins[row]]
        known = before[~np.isnan(before)][-_WEEK:]
        if known.size:
            found[row] = np.where(np.isnan(found[row]), known.mean(), found[row])
    return found


def lagged(values: Floats, targets: Integers, lag: int, origins: Integers) -> Floats:
    """The value so many hours before each target; NaN before the beginning, and where the origin did not know it."""
    rows = targets - lag
    known = (rows >= 0) & (rows < origins[:, None])
    return np.where(known, values[np.clip(rows, 0, values.size - 1)], np.nan)
