"""A value is never seen without its quality and its age."""

from __future__ import annotations

import math
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, TypeAlias

Scalar: TypeAlias = float | int | bool | str

# What a device may say against its own value, whatever its protocol: by these words availability knows it.
OUT_OF_SERVICE = "out of service"
LOCAL_OVERRIDE = "overridden at the device"


class Quality(IntEnum):
    """OPC UA's three severities, ordered so that max() combines (OPC UA Part 8, 6.3)."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Sample(NamedTuple):
    """What was read. A tuple because the daemon makes thousands of them a second.

    timestamp: aware UTC, when the value was true at its source.
    received: the clock's monotonic seconds at which we had it; ages are counted from here.
    """

    value: Scalar | None
    quality: Quality
    reason: str
    timestamp: datetime
    received: float

    @property
    def is_good(self) -> bool:
        return self.quality is Quality.GOOD

    def age(self, monotonic: float) -> float:
        """Seconds since the sample was received."""
        return monotonic - self.received

    def worsened(self, quality: Quality, reason: str) -> Sample:
        """The same value, at most as good as `quality`; an existing worse quality and its reason stay."""
        if self.quality >= quality:
            return self
        return self._replace(quality=quality, reason=reason)


def good(value: Scalar, timestamp: datetime, received: float) -> Sample:
    return Sample(value, Quality.GOOD, "", timestamp, received)


def bad(reason: str, timestamp: datetime, received: float) -> Sample:
    """No usable value; `reason` says why in a few words ("never seen", "device lost: ...")."""
    return Sample(None, Quality.BAD, reason, timestamp, received)


def as_number(value: Scalar | None) -> float | None:
    """The value as a float, booleans as 0 and 1; None where it is no number. Beyond all floats is infinite."""
    if type(value) is float:  # nearly all are, and this is asked of every reading
        return value
    if value is None or isinstance(value, str):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
