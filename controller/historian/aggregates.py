"""Samples over time: least, mean, greatest, last, and for how long they were known and good. Pure.

Between samples the last value holds: until the next sample if that comes within the holding time, else to the end of
its minute (so that hours in which nobody recorded are not filled with the last thing seen). An UNCERTAIN value counts
as known but not as good: of a meter whose clock is wrong the energy is not thrown away. BAD ends what was known.

There is one path: samples make minutes, minutes make hours, hours make days. So an hour says the same whether it was
stored or is worked out while somebody asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

from controller.core.ports import Aggregate
from controller.core.sample import Quality, Scalar, as_number
from controller.historian.rows import Row
from controller.historian.timeline import MINUTE, to_datetime

_GOOD, _BAD = int(Quality.GOOD), int(Quality.BAD)


class Bucket(NamedTuple):
    """One interval of one point; times in microseconds. `known`: a number was known; `good`: the quality was GOOD."""

    start: int
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    last: float | None
    known: int
    good: int


def minutes(rows: Sequence[Row], hold: int) -> list[Bucket]:
    """The minutes in which there was a sample or something was known. Rows in order of time, each time once."""
    found: list[Bucket] = []
    tally: _Tally | None = None
    start = 0
    for (time, value, quality, _), until in zip(rows, _ends([row[0] for row in rows], hold), strict=True):
        number, is_good, begin = _usable(value, quality), quality == _GOOD, time - time % MINUTE
        if tally is not None and begin != start:
            found.append(tally.bucket(start, MINUTE))
            tally = None
        if tally is None:
            if is_good and number is not None and time == begin and until == begin + MINUTE:
                # The one sample of its minute, as where scans are a minute apart.
                found.append(Bucket(begin, 1, number, number + 0.0, number, number, MINUTE, MINUTE))
                continue
            start, tally = begin, _Tally()
        tally.samples += is_good
        if number is not None or is_good:
            start, tally = _spread(found, tally, start, time, until, number, is_good=is_good)
    if tally is not None:
        found.append(tally.bucket(start, MINUTE))
    return found


def merged(buckets: Iterable[Bucket], step: int) -> list[Bucket]:
    """Shorter intervals, in order of time, put together to longer ones."""
    return [
        _merge(start, list(group), step) for start, group in groupby(buckets, lambda it: it.start - it.start % step)
    ]


def to_aggregates(buckets: Iterable[Bucket], step: int) -> list[Aggregate]:
    return [
        Aggregate(to_datetime(start), samples, minimum, mean, maximum, last, good / step)
        for start, samples, minimum, mean, maximum, last, _, good in buckets
    ]


def renewed(stored: Iterable[Bucket], computed: Iterable[Bucket]) -> list[Bucket]:
    """Stored minutes replaced by newly computed ones, unless those rest on fewer samples.

    Fewer samples mean that the raw rows of that minute are gone and a straggler came in afterwards.
    """
    result = {bucket.start: bucket for bucket in stored}
    for bucket in computed:
        before = result.get(bucket.start)
        if before is None or bucket.samples >= before.samples:
            result[bucket.start] = bucket
    return [result[start] for start in sorted(result)]


@dataclass(slots=True)
class _Tally:
    samples: int = 0
    least: float = math.inf
    greatest: float = -math.inf
    total: float = 0.0
    last: float | None = None
    known: int = 0
    good: int = 0

    def add(self, number: float, lasted: int, share: float) -> None:
        if number < self.least:
            self.least = number
        if number > self.greatest:
            self.greatest = number
        self.total += number * share
        self.last = number
        self.known += lasted

    def bucket(self, start: int, step: int) -> Bucket:
        if self.last is None:
            return Bucket(start, self.samples, None, None, None, None, 0, self.good)
        # Rounding must not carry the mean of a constant beyond that constant.
        mean = min(max(self.total / (self.known / step), self.least), self.greatest)
        return Bucket(start, self.samples, self.least, mean, self.greatest, self.last, self.known, self.good)


def _ends(times: Sequence[int], hold: int) -> list[int]:
    """Until when each sample holds."""
    ends = [later if later - time <= hold else time - time % MINUTE + MINUTE for time, later in pairwise(times)]
    return [*ends, times[-1] - times[-1] % MINUTE + MINUTE] if times else []


def _usable(value: Scalar | None, quality: int) -> float | None:
    if quality == _BAD:
        return None
    if type(value) is float:  # as nearly always
        return value if math.isfinite(value) else None
    try:
        number = as_number(value)
    except OverflowError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _spread(
    found: list[Bucket], tally: _Tally, start: int, time: int, until: int, number: float | None, *, is_good: bool
) -> tuple[int, _Tally]:
    """Credit what one sample says to every minute through which it holds; answers the last of them, still open."""
    while True:
        end = min(until, start + MINUTE)
        lasted = end - time
        if number is not None:
            tally.add(number, lasted, lasted / MINUTE)
        if is_good:
            tally.good += lasted
        if end >= until:
            return start, tally
        found.append(tally.bucket(start, MINUTE))
        start, time, tally = end, end, _Tally()


def _merge(start: int, buckets: Sequence[Bucket], step: int) -> Bucket:
    tally = _Tally()
    for bucket in buckets:
        tally.samples += bucket.samples
        tally.good += bucket.good
        if bucket.minimum is None or bucket.mean is None or bucket.maximum is None:
            continue
        tally.add(bucket.mean, bucket.known, bucket.known / step)
        tally.least = min(tally.least, bucket.minimum)
        tally.greatest = max(tally.greatest, bucket.maximum)
        tally.last = bucket.last
    return tally.bucket(start, step)
