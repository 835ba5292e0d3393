"""The next 24 hours, in quarters of an hour."""

from __future__ import annotations

import pickle
from datetime import timedelta

import numpy as np

from controller.core.forecast import HORIZON, STEP, Forecast, ForecastJob, Source, Trained, UnusableHistory
from controller.forecasting.baseline import same_hour_last_week
from controller.forecasting.cleaning import Cleaned, Floats, clean
from controller.forecasting.clock_hours import HOUR, ClockHours, arranged, local_microseconds, microseconds
from controller.forecasting.cores import one_core
from controller.forecasting.features import features, mean_known
from controller.forecasting.regression import Regression, versions

# Of history: four weeks of level, and the temperatures of the week before those that are looked back upon.
_DAYS_BACK = 36
# 24 hours from within an hour reach into a 25th, and into a 26th when clocks go forward.
_HOURS_AHEAD = 26
_QUARTER = STEP // timedelta(microseconds=1)
_QUARTERS = HORIZON // STEP


def predict(job: ForecastJob) -> Forecast:
    """From the quarter of an hour that holds `job.at`. Raises UnusableHistory where nothing is known of five weeks."""
    load = clean(job.history.load)
    hours = arranged(job.history, load, job.at, _DAYS_BACK, days_ahead=3)
    origin = hours.row(job.at)
    ahead, source = _ahead(hours, origin, job.trained)
    first = microseconds(job.at) // _QUARTER * _QUARTER
    rows = local_microseconds(first + np.arange(_QUARTERS) * _QUARTER, hours.zone, hours.first) // _QUARTER
    quarters = ahead[:, None] * _within_hours(hours, load, origin, ahead)
    # Where clocks go back, local hours come twice, and so does what is forecast for them.
    values = quarters.ravel()[np.clip(rows - origin * 4, 0, quarters.size - 1)]
    if np.isnan(values).any():
        raise UnusableHistory("no load is known of the last five weeks", "give the latest readings")
    return Forecast(job.at - timedelta(microseconds=microseconds(job.at) - first), tuple(values.tolist()), source)


def _ahead(hours: ClockHours, origin: int, trained: Trained) -> tuple[Floats, Source]:
    origins = np.array([origin])
    baseline = same_hour_last_week(hours, origins, _HOURS_AHEAD)[0]
    if trained.model is None or trained.made_by != versions():
        return baseline, Source.SAME_HOUR_LAST_WEEK
    regression: Regression = pickle.loads(trained.model)
    with one_core():
        ahead: Floats = regression.predict(features(hours, origins, _HOURS_AHEAD))[0]
    return np.where(np.isnan(ahead), baseline, ahead), Source.MODEL


def _within_hours(hours: ClockHours, load: Cleaned, origin: int, ahead: Floats) -> Floats:
    """What share of its hour's mean each quarter has: as measured where readings are fine enough, else a slope."""
    shares = _slopes(ahead)
    measured = _measured_shares(hours, load, origin)
    if measured is not None:
        rows = origin + np.arange(_HOURS_AHEAD)
        found = measured[hours.is_working[rows].astype(np.int64), hours.hour[rows]]
        shares = np.where(np.isnan(found), shares, found)
    return shares / shares.mean(axis=1, keepdims=True)


def _slopes(ahead: Floats) -> Floats:
    """Straight from hour to hour; the mean of each hour stays what it was."""
    middles = np.arange(ahead.size) + 0.5
    quarters = np.arange(ahead.size * 4) / 4 + 0.125
    straight = np.interp(quarters, middles, ahead).reshape(-1, 4)
    mean = straight.mean(axis=1, keepdims=True)
    return np.where(mean > 0, straight / np.where(mean > 0, mean, 1.0), 1.0)


def _measured_shares(hours: ClockHours, load: Cleaned, origin: int) -> Floats | None:
    """By kind of day, hour and quarter, the mean of the quarter over that of the hour; None if readings are coarser."""
    known = load.starts[-8 * 96 :]
    if known.size < 2 or float(np.median(np.diff(known))) > _QUARTER:
        return None
    quarters = local_microseconds(load.starts, hours.zone, hours.first) // _QUARTER
    inside = (quarters >= 0) & (quarters < origin * 4)
    size = origin * 4
    counts = np.bincount(quarters[inside], minlength=size)
    sums = np.bincount(quarters[inside], weights=load.values[inside], minlength=size)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).reshape(-1, 4)
    shares = np.full((2, 24, 4), np.nan)
    for kind in (0, 1):
        for hour in range(24):
            rows = (hours.is_working[:origin] == bool(kind)) & (hours.hour[:origin] == hour)
            typical = mean_known(means[rows])
            total = typical.mean()
            if total > 0:
                shares[kind, hour] = typical / total
    return shares


assert HOUR == 4 * _QUARTER
