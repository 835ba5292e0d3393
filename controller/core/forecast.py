"""What is expected of a measured load in the next day, what that is made from, and who makes it.

A forecast is two pure jobs for a worker process: training at night, and the 24 hours from any moment. What is here is
what travels to that process and back; none of it needs a numerical library.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from math import fsum, isfinite
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.forecast_score import Score
from controller.core.text import Text

STEP = timedelta(minutes=15)
HORIZON = timedelta(hours=24)
STEP_MICROSECONDS = STEP // timedelta(microseconds=1)
# Of history: what a model learns from, which is what history keeps of minutes, and what one forecast looks back upon.
LEARNED_FROM = timedelta(days=396)
LOOKED_BACK_UPON = timedelta(days=37)


class Source(StrEnum):
    """Which of the two made a forecast."""

    MODEL = "model"
    SAME_HOUR_LAST_WEEK = "same_hour_last_week"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Mean load of each quarter of an hour from `start` (aware UTC), 96 of them, in the unit of the readings."""

    start: datetime
    values: tuple[float, ...]
    source: Source

    @property
    def end(self) -> datetime:
        return self.start + HORIZON


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


def quarter_hour_means(starts: Iterable[int], means: Iterable[float]) -> Readings:
    """Of shorter intervals in order of time, as Readings has them; unknown ones (NaN) do not count."""
    readings = Readings(array("q"), array("d"))
    known = ((start - start % STEP_MICROSECONDS, mean) for start, mean in zip(starts, means, strict=True))
    for quarter, group in groupby((each for each in known if isfinite(each[1])), itemgetter(0)):
        values = [mean for _, mean in group]
        readings.starts.append(quarter)
        readings.values.append(fsum(values) / len(values))
    return readings


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


class Forecaster(NamedTuple):
    """Two pure functions that a worker process can import; both raise UnusableHistory.

    within: what either may take there, in real seconds.
    """

    train: Callable[[TrainingJob], Trained]
    predict: Callable[[ForecastJob], Forecast]
    within: float
