"""A forecast as it would have been made at every midnight of a period, the model refitted now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from controller.core.forecast_score import Score, score
from controller.forecasting.baseline import same_hour_last_week
from controller.forecasting.cleaning import Floats, Integers
from controller.forecasting.clock_hours import ClockHours
from controller.forecasting.features import features
from controller.forecasting.regression import Regression, fit

REFIT_EVERY_DAYS = 28
TRIAL_DAYS = 14
# Beyond a year and a month more days teach little that the season has not taught, and the nights' training grows.
TRAINING_DAYS = 400
# Below this a week's rhythm and the level of four weeks are not yet known.
LEVEL_DAYS = 28


class Days(NamedTuple):
    """Of each day, by its row of 24 hours: what came, what each of the two said, and which of them was in force."""

    load: Floats
    model: Floats
    baseline: Floats
    forecast: Floats

    def part(self, first: int, end: int) -> Days:
        return Days(*(column[first:end] for column in self))


def regression_at(hours: ClockHours, origin: int) -> Regression | None:
    """Fitted to what was known at the origin; None where that is too little for every hour of the day."""
    first = max(origin // 24 - TRAINING_DAYS, LEVEL_DAYS)
    origins = np.arange(first, origin // 24) * 24
    known = ~np.isnan(loads(hours, origins))
    if not known.any(axis=0).all():
        return None
    given = features(hours, origins)
    return fit(given, loads(hours, origins))


def loads(hours: ClockHours, origins: Integers) -> Floats:
    return hours.load[origins[:, None] + np.arange(24)]


def rolled(hours: ClockHours, first_day: int, last_day: int) -> Iterator[Days]:
    """From the first day up to the last, in blocks of one fit each, so that somebody can watch.

    On each day the model is in force if it was not worse than the baseline in the two weeks before, unseen.
    """
    before = trial(hours, first_day)
    for start in range(first_day, last_day, REFIT_EVERY_DAYS):
        origins = np.arange(start, min(start + REFIT_EVERY_DAYS, last_day)) * 24
        block = _tried(hours, regression_at(hours, start * 24), origins)
        known = Days(*map(np.concatenate, zip(before, block, strict=True)))
        for day in range(origins.size):
            if not score_of_model(known.part(day, day + TRIAL_DAYS)).skill >= 0.0:
                block.forecast[day] = block.baseline[day]
        yield block
        before = known.part(known.load.shape[0] - TRIAL_DAYS, known.load.shape[0])


def trial(hours: ClockHours, today: int) -> Days:
    """A model that has not seen the last two weeks, on the last two weeks."""
    first = today - TRIAL_DAYS
    return _tried(hours, regression_at(hours, first * 24), np.arange(first, today) * 24)


def trial_on_persistence(hours: ClockHours, today: int) -> Days:
    """The same where nobody forecasts the weather: each day is expected to be as warm as the one before."""
    first = today - TRIAL_DAYS
    regression = regression_at(hours, first * 24)
    days = [
        _tried(hours._replace(temperature=persisted(hours.temperature, day * 24)), regression, np.array([day * 24]))
        for day in range(first, today)
    ]
    return Days(*map(np.concatenate, zip(*days, strict=True)))


def persisted(temperature: Floats, origin: int) -> Floats:
    """Hourly temperatures as an origin expects them: the day from there on as warm as the day before it."""
    expected = temperature.copy()
    expected[origin : origin + 24] = temperature[origin - 24 : origin]
    return expected


def score_of_model(days: Days) -> Score:
    return score(*(column.ravel().tolist() for column in (days.load, days.model, days.baseline)))


def score_in_force(days: Sequence[Days]) -> Score:
    """Of several blocks together."""
    columns = [(block.load, block.forecast, block.baseline) for block in days]
    return score(*(np.concatenate(column).ravel().tolist() for column in zip(*columns, strict=True)))


def _tried(hours: ClockHours, regression: Regression | None, origins: Integers) -> Days:
    """What no model can say is left unknown in its column; the forecast is then the baseline's."""
    baseline = same_hour_last_week(hours, origins)
    model = np.full(baseline.shape, np.nan)
    if regression is not None:
        model = regression.predict(features(hours, origins))
    return Days(loads(hours, origins), model, baseline, np.where(np.isnan(model), baseline, model))
