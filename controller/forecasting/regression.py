"""The model: a line for every hour of the day, and trees for what lines cannot say.

The linear part carries level, trend and temperature, also to values never seen before; trees, which cannot, correct
what it leaves. Both minimise absolute errors: one strange day must not move the others. The correction counts half: the
trees learn it from days that the lines have already seen, so they find it larger than it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from controller.forecasting.cleaning import Floats
from controller.forecasting.features import Features, mean_known

# Counts up with every change to what a stored model contains or is given to look at.
_MODEL_VERSION = 1
# Held against each coefficient, in days of data per unit of a standardised feature: about a month, so that a line
# departs from the typical day only as far as the days that it has seen speak for it.
_RIDGE = 30.0
# Reweighting for absolute errors: rounds, and the error (share of the level) below which all errors weigh the same.
_ROUNDS, _SMALLEST_ERROR = 6, 0.02
# A feature further off than this many standard deviations counts as this far off; small spreads are no spreads.
_FURTHEST, _LEAST_SPREAD = 4.0, 0.02
# A line never departs further from the typical day than all but one in two hundred hours it has learned from.
_DEPARTURE = 0.005
_TREES_COUNT_FOR = 0.5
# Loads as shares of the level are about 1; degrees in tens are, too, so that _LEAST_SPREAD suits both.
_DEGREES = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """Of one hour of the day: standardise, multiply, clip."""

    centre: Floats
    spread: Floats
    coefficients: Floats
    intercept: float
    lowest: float
    highest: float

    def departures(self, columns: Floats) -> Floats:
        standard = _standard(columns, self.centre, self.spread)
        return np.clip(standard @ self.coefficients + self.intercept, self.lowest, self.highest)


@dataclass(frozen=True, slots=True)
class Regression:
    lines: tuple[Line, ...]
    trees: Any  # scikit-learn carries no types

    def predict(self, given: Features) -> Floats:
        """Load of every hour, one row an origin; never negative. NaN where the origin knew nothing of four weeks."""
        departure = _departures(self.lines, given)
        rows = _tree_columns(given)
        correction = cast("Floats", self.trees.predict(rows.reshape(-1, rows.shape[-1]))).reshape(departure.shape)
        return np.maximum(given.typical + (departure + _TREES_COUNT_FOR * correction) * given.level[:, None], 0.0)


def versions() -> str:
    """Who can read a stored model: bytes of another version of it, or of scikit-learn, are no model."""
    from sklearn import __version__

    return f"model {_MODEL_VERSION}, scikit-learn {__version__}"


def fit(given: Features, load: Floats) -> Regression:
    """Learn from rows of features and the loads that came; rows with an unknown load do not count."""
    departure = (load - given.typical) / given.level[:, None]
    columns = _line_columns(given)
    known = ~np.isnan(departure)
    lines = tuple(_fit_line(columns[rows], departure[rows]) for rows in (known & (given.hour == h) for h in range(24)))
    return Regression(lines, _fit_trees(given, departure - _departures(lines, given)))


def _fit_line(columns: Floats, target: Floats) -> Line:
    """Least absolute errors, by least squares weighted with what they left."""
    centre = np.nan_to_num(mean_known(columns))
    spread = np.sqrt(np.nan_to_num(mean_known((columns - centre) ** 2))) + _LEAST_SPREAD
    standard = np.concatenate([_standard(columns, centre, spread), np.ones((target.size, 1))], axis=1)
    # Nothing is held against the intercept, which comes last.
    ridge = np.diag([_RIDGE] * centre.size + [0.0])
    weights: Floats = np.ones(target.size)
    solution: Floats = np.zeros(centre.size + 1)
    for _ in range(_ROUNDS):
        weighted = standard * (weights / weights.mean())[:, None]
        solution = cast("Floats", np.linalg.solve(weighted.T @ standard + ridge, weighted.T @ target))
        weights = 1.0 / np.maximum(np.abs(target - standard @ solution), _SMALLEST_ERROR)
    lowest, highest = np.quantile(target, [_DEPARTURE, 1.0 - _DEPARTURE])
    return Line(centre, spread, solution[:-1], float(solution[-1]), float(lowest), float(highest))


def _fit_trees(given: Features, remainder: Floats) -> Any:
    from sklearn import ensemble

    rows = ~np.isnan(remainder)
    columns = _tree_columns(given)[rows]
    # A column that nobody knows anything of, as temperatures where there is no sensor, is refused; a constant is not.
    columns[:, np.isnan(columns).all(axis=0)] = 0.0
    trees = cast("Any", ensemble).HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=100,
        learning_rate=0.06,
        max_leaf_nodes=15,
        max_features=0.5,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    return trees.fit(columns, remainder[rows])


def _departures(lines: tuple[Line, ...], given: Features) -> Floats:
    columns = _line_columns(given)
    departure = np.zeros(given.typical.shape)
    for hour, line in enumerate(lines):
        rows = given.hour == hour
        departure[rows] = line.departures(columns[rows])
    return departure


def _standard(columns: Floats, centre: Floats, spread: Floats) -> Floats:
    """Unknown counts as average."""
    return np.nan_to_num(np.clip((columns - centre) / spread, -_FURTHEST, _FURTHEST))


def _line_columns(given: Features) -> Floats:
    """Everything once for all days and once for working days only: a weekend follows other lines."""
    shapes = given.shapes - (given.typical / given.level[:, None])[..., None]
    numbers = np.concatenate([shapes, given.recent, given.weather / _DEGREES], axis=-1)
    is_working = given.calendar[..., 8:9]
    return np.concatenate([numbers, numbers * is_working, given.calendar], axis=-1)


def _tree_columns(given: Features) -> Floats:
    hour = given.hour[..., None].astype(np.float64)
    return np.concatenate([hour, given.calendar, given.shapes, given.recent, given.weather], axis=-1)
