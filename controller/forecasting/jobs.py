"""The way in: two pure jobs for a worker process, train and predict, and what travels to it and back.

This module loads neither numpy nor scikit-learn, so that the daemon can hold what it sends and receives. A trained
model is bytes to everyone but the worker.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from controller.core.forecast import Forecast, Source
from controller.core.text import Text
from controller.forecasting.scoring import Score


class UnusableHistory(Exception):
    """No honest forecast can be made of these readings; says what is wrong and what would be right."""

    def __init__(self, wrong: str, right: str) -> None:
        self.wrong = wrong
        self.right = right
        super().__init__(f"{wrong}; {right}")


@dataclass(frozen=True, slots=True)
class Readings:
    """Interval means of one point, as the historian reads them.

    starts: beginnings of the intervals in microseconds of the Unix epoch, in any order. values: NaN where unknown.
    """

    starts: array[int]
    values: array[float]


@dataclass(frozen=True, slots=True)
class History:
    """What a forecast is made from.

    load: in steps of an hour or less. temperature: outdoors, with the weather forecast beyond the last load where there
    is one. working_days: the exceptions from Monday to Friday: holidays (False) and worked weekends (True).
    """

    load: Readings
    temperature: Readings
    zone: ZoneInfo
    working_days: Mapping[date, bool]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a night's training leaves for the day: the model, or why there is none.

    at: what was known then was learned from. model: None where same-hour-last-week is the better choice. score: the
    model on the last two weeks, which it had not seen; None where the history was too short to try. made_by: the only
    versions that can read the model; others forecast without it until the next night.
    """

    at: datetime
    model: bytes | None
    score: Score | None
    reason: Text
    made_by: str = ""

    @property
    def source(self) -> Source:
        return Source.SAME_HOUR_LAST_WEEK if self.model is None else Source.MODEL


@dataclass(frozen=True, slots=True)
class TrainingJob:
    history: History
    at: datetime


@dataclass(frozen=True, slots=True)
class ForecastJob:
    """history: the last five weeks are enough. at: the origin; nothing measured later is looked at."""

    history: History
    trained: Trained
    at: datetime


def train(job: TrainingJob) -> Trained:
    """Learn from all that was known at `job.at`. Raises UnusableHistory. Heavy: for a worker process."""
    from controller.forecasting import training

    return training.train(job)


def predict(job: ForecastJob) -> Forecast:
    """The 24 hours from `job.at`. Raises UnusableHistory. For a worker process."""
    from controller.forecasting import prediction

    return prediction.predict(job)
