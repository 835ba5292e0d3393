"""Moments as integers: microseconds since 1970 in UTC.

Microseconds because that is the resolution of `datetime`: a timestamp comes back exactly as it went in, and "the same
(point, source time)" means the same everywhere. Milliseconds would save about a byte a sample in blocks that live for
two days, and would make one sample out of two that a fast device took within a millisecond. Integers because a float
of seconds has no exact microseconds, and UTC because it has no hour that comes twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from controller.core.ports import HistoryInterval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# A recorder writes each point on change and at least once a minute; three missed turns mean that nobody recorded.
HOLD = timedelta(minutes=3)


def to_microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def to_datetime(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def step_of(interval: HistoryInterval) -> int:
    """The interval's length in microseconds."""
    return interval * 1_000_000


def floor(microseconds: int, step: int) -> int:
    """The start of the interval that holds this moment; intervals are counted from 1970 in UTC."""
    return microseconds - microseconds % step


def ceiling(microseconds: int, step: int) -> int:
    return floor(microseconds + step - 1, step)
