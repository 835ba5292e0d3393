"""How good a forecast was, beside the simplest one that a building's engineer would make."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple


class Score(NamedTuple):
    """Errors over the hours where load, forecast and baseline were all known; in the unit of the load.

    bias: mean of forecast less load. The baseline is the load of the same hour a week before.
    """

    hours: int
    mean_load: float
    mean_absolute_error: float
    root_mean_square_error: float
    bias: float
    baseline_mean_absolute_error: float
    baseline_root_mean_square_error: float

    @property
    def skill(self) -> float:
        """1 - MAE / MAE of same-hour-last-week: 1 is perfect, 0 no better, negative worse."""
        return _skill(self.mean_absolute_error, self.baseline_mean_absolute_error)

    @property
    def root_mean_square_skill(self) -> float:
        """The same of the root mean square errors, in which rare large misses weigh more."""
        return _skill(self.root_mean_square_error, self.baseline_root_mean_square_error)

    @property
    def normalised_bias(self) -> float:
        """NMBE: bias as a share of the mean load, as in ASHRAE Guideline 14 but positive when forecast too high."""
        return self.bias / self.mean_load if self.mean_load else math.nan


def score(loads: Iterable[float], forecasts: Iterable[float], baselines: Iterable[float]) -> Score:
    """The score of one forecast; hours in which one of the three is NaN do not count."""
    rows = [
        (load, forecast - load, baseline - load)
        for load, forecast, baseline in zip(loads, forecasts, baselines, strict=True)
        if math.isfinite(load) and math.isfinite(forecast) and math.isfinite(baseline)
    ]
    count = len(rows)

    def mean(values: Iterable[float]) -> float:
        return math.fsum(values) / count if count else math.nan

    return Score(
        hours=count,
        mean_load=mean(load for load, _, _ in rows),
        mean_absolute_error=mean(abs(error) for _, error, _ in rows),
        root_mean_square_error=math.sqrt(mean(error * error for _, error, _ in rows)),
        bias=mean(error for _, error, _ in rows),
        baseline_mean_absolute_error=mean(abs(error) for _, _, error in rows),
        baseline_root_mean_square_error=math.sqrt(mean(error * error for _, _, error in rows)),
    )


def _skill(error: float, baseline: float) -> float:
    """NaN where the baseline never errs, as on a load that never changes."""
    return 1.0 - error / baseline if baseline > 0 else math.nan
