"""The night's training: learn, and see on the last two weeks whether the model has earned its place."""

from __future__ import annotations

import pickle

import numpy as np

from controller.core.forecast import Trained, TrainingJob, UnusableHistory
from controller.core.forecast_score import Score
from controller.core.text import Text
from controller.forecasting.cleaning import in_order
from controller.forecasting.clock_hours import ClockHours, clock_hours, microseconds
from controller.forecasting.cores import one_core
from controller.forecasting.regression import versions
from controller.forecasting.rolling import (
    LEVEL_DAYS,
    TRAINING_DAYS,
    TRIAL_DAYS,
    regression_at,
    score_of_model,
    trial,
    trial_on_persistence,
)

# Four weeks for the level, four to learn from, two to try what was learned.
ENOUGH_DAYS = LEVEL_DAYS + 28 + TRIAL_DAYS
# Same-hour-last-week needs a week, and a day to be asked about.
LEAST_DAYS = 8


def train(job: TrainingJob) -> Trained:
    """Deterministic, on one core: the same history gives the same bytes. Raises UnusableHistory."""
    hours = clock_hours(job.history, job.at, LEVEL_DAYS + TRAINING_DAYS)
    today = hours.row(job.at) // 24
    known = int((~np.isnan(hours.load[: today * 24]).reshape(-1, 24)).any(axis=1).sum())
    if known < LEAST_DAYS:
        raise UnusableHistory(
            f"only {known} day{'' if known == 1 else 's'} with readings",
            f"a forecast needs at least {LEAST_DAYS}, its model {ENOUGH_DAYS}",
        )
    if known < ENOUGH_DAYS:
        return Trained(
            job.at,
            None,
            None,
            Text(
                f"{known} of the {ENOUGH_DAYS} days that the model needs; until then the same hour of last week",
                f"已有 {known} 天数据，模型需要 {ENOUGH_DAYS} 天；在此之前采用上周同一时刻",
            ),
        )
    with one_core():
        return _train(hours, today, job)


def _train(hours: ClockHours, today: int, job: TrainingJob) -> Trained:
    # The model is tried with as much of the weather as its forecasts will have.
    tried = trial if _is_weather_foretold(job) else trial_on_persistence
    result = score_of_model(tried(hours, today))
    if not result.skill >= 0.0:
        return Trained(job.at, None, result, _refused(result))
    return Trained(
        job.at,
        pickle.dumps(regression_at(hours, today * 24)),
        result,
        Text(
            f"over the last two weeks its errors were {result.skill:.0%} smaller than with the same hour of last week",
            f"近两周其误差比采用上周同一时刻小 {result.skill:.0%}",
        ),
        versions(),
    )


def _is_weather_foretold(job: TrainingJob) -> bool:
    temperature = in_order(job.history.temperature)
    return temperature.starts.size > 0 and bool(temperature.starts[-1] >= microseconds(job.at))


def _refused(result: Score) -> Text:
    if result.hours == 0:
        return Text(
            "too few readings in some hours of the day for the model; the same hour of last week",
            "某些时段数据太少，无法建模；采用上周同一时刻",
        )
    if not result.baseline_mean_absolute_error:
        return Text(
            "the load has not changed for weeks, so the same hour of last week says it all; is the meter stuck?",
            "负荷数周未变，采用上周同一时刻；请检查电表是否卡死",
        )
    return Text(
        f"the model was {-result.skill:.0%} worse over the last two weeks; the same hour of last week",
        f"近两周模型误差大 {-result.skill:.0%}；采用上周同一时刻",
    )
