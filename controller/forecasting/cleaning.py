"""A meter's readings without what cannot be load."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from controller.core.forecast import Readings, UnusableHistory

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]

# A meter that often reads below zero counts more than the load: what is left without those would be no load either.
_MOST_NEGATIVE = 0.01
# A load is at home near zero if one reading in fifty is below a twentieth of its median: then its zeros are believed.
_NEAR_ZERO, _NEAR_ZERO_SHARE = 0.05, 0.02
# So they are if it goes to zero more often than every tenth day and spends a tenth of its time there: a plant that is
# switched off at night. A meter falls silent less often, or for less long.
_TIMES_A_DAY, _ZERO_SHARE = 0.1, 0.1
# A counter that catches up after a pause reports days of energy as one interval; no building's load peaks at this
# many times what it stays below for 99 % of the time.
_SPIKE = 5.0
_DAY = 86_400_000_000


class Cleaned(NamedTuple):
    """Readings in the order of time, each instant once, and how many were left out for which reason."""

    starts: Integers
    values: Floats
    duplicates: int = 0
    negative: int = 0
    zeros: int = 0
    spikes: int = 0


def in_order(readings: Readings) -> Cleaned:
    """Sorted by time, unknown values left out; of several readings of one instant the first counts."""
    starts: Integers = np.asarray(readings.starts, dtype=np.int64)
    values: Floats = np.asarray(readings.values, dtype=np.float64)
    known: Booleans = np.isfinite(values)
    starts, values = starts[known], values[known]
    kept, first = np.unique(starts, return_index=True)
    return Cleaned(kept, values[first], duplicates=starts.size - kept.size)


def clean(readings: Readings) -> Cleaned:
    """What can be load. Raises UnusableHistory where hardly anything can, or where the meter counts more than load."""
    given = in_order(readings)
    if given.values.size == 0:
        raise UnusableHistory("there are no readings of the load", "give at least eight days")
    below: Booleans = given.values < 0
    if below.mean() > _MOST_NEGATIVE:
        raise UnusableHistory(
            f"{below.mean():.0%} of the readings are negative: this meter also counts what is fed in",
            "give the building's own load, without generation",
        )
    zero: Booleans = (given.values == 0) & (not _zeros_are_load(given))
    positive: Floats = given.values[given.values > 0]
    limit = _SPIKE * float(np.quantile(positive, 0.99)) if positive.size else np.inf
    spike: Booleans = given.values > limit
    good = ~(below | zero | spike)
    return given._replace(
        starts=given.starts[good],
        values=given.values[good],
        negative=int(below.sum()),
        zeros=int(zero.sum()),
        spikes=int(spike.sum()),
    )


def _zeros_are_load(given: Cleaned) -> bool:
    """Whether this load really goes to zero, or the meter writes zero when it has nothing to say."""
    positive: Any = given.values > 0
    if not positive.any():
        return True
    values = given.values[positive]
    if float(np.mean(values < _NEAR_ZERO * float(np.median(values)))) >= _NEAR_ZERO_SHARE:
        return True
    zero: Any = given.values == 0
    times = int((zero[1:] & ~zero[:-1]).sum())
    days = float(given.starts[-1] - given.starts[0]) / _DAY
    return times > _TIMES_A_DAY * days and float(zero.mean()) > _ZERO_SHARE
