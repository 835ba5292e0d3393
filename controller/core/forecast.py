"""What is expected of a measured load in the next day, made by whatever was the best choice that day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

STEP = timedelta(minutes=15)
HORIZON = timedelta(hours=24)


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
