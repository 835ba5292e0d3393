"""Forecasters for a worker process, well and ill behaved; light ones, for tests of who asks them."""

from __future__ import annotations

import math
import os
from typing import Any

from controller.core.forecast import (
    HORIZON,
    STEP,
    Forecast,
    Forecaster,
    ForecastJob,
    Source,
    Trained,
    TrainingJob,
    UnusableHistory,
)
from controller.core.text import Text

# What goes wrong in a test ends soon, real time.
WITHIN_S = 0.5


def learn_the_mean(job: TrainingJob) -> Trained:
    """The mean of all loads is the model; its number of readings and holidays stand in the reason."""
    values = [value for value in job.history.load.values if math.isfinite(value)]
    if not values:
        raise UnusableHistory("there are no readings of the load", "give at least eight days")
    told = f"{len(values)} loads, {len(job.history.temperature.values)} temperatures, {len(job.history.working_days)}"
    return Trained(job.at, str(math.fsum(values) / len(values)).encode(), None, Text(told, told), "mean")


def tell_the_mean(job: ForecastJob) -> Forecast:
    assert job.trained.model is not None
    mean = float(job.trained.model)
    return Forecast(job.at, (mean,) * (HORIZON // STEP), Source.MODEL)


def crash(_: Any) -> Any:
    os._exit(1)


def hang(_: Any) -> Any:
    while True:
        pass


def hoard(_: Any) -> Any:
    return bytearray(1 << 42)


MEAN = Forecaster(learn_the_mean, tell_the_mean, 30.0)
