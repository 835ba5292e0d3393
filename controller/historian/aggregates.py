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
from itertools import groupby
from typing import NamedTuple

from controller.core.ports import Aggregate
from controller.core.sample import Quality, Scalar, as_number
from controller.historian.rows import Row
from controller.historian.timeline import MINUTE, to_datetime


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
    tallies: dict[int, _Tally] = {}
    following = [row[0] for row in rows[1:]]
    for (time, value, quality, _), until in zip(rows, _ends([row[0] for row in rows], following, hold), strict=True):
        number = _usable(value, quality)
        start = time - time % MINUTE
        tally = tallies.get(start)
        if tally is None:
            tally = tallies[start] = _Tally()
        if quality == Quality.GOOD:
            tally.samples += 1
        _spread(tallies, tally, start, time, until, number, quality)
    return [tallies[start].bucket(start, MINUTE) for start in sorted(tallies)]


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


def _ends(times: Sequence[int], following: Sequence[int], hold: int) -> list[int]:
    """Until when each sample holds."""
    ends = [
        later if later - time <= hold else time - time % MINUTE + MINUTE
        for time, later in zip(times, following, strict=False)
    ]
    return [*ends, times[-1] - times[-1] % MINUTE + MINUTE] if times else []


def _usable(value: Scalar | None, quality: int) -> float | None:
    if quality == Quality.BAD:
        return None
    try:
        number = as_number(value)
    except OverflowError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _spread(
    tallies: dict[int, _Tally], tally: _Tally, start: int, time: int, until: int, number: float | None, quality: int
) -> None:
    """Credit what one sample says to every minute through which it holds."""
    if number is None and quality != Quality.GOOD:
        return
    while True:
        end = min(until, start + MINUTE)
        lasted = end - time
        if number is not None:
            tally.add(number, lasted, lasted / MINUTE)
        if quality == Quality.GOOD:
            tally.good += lasted
        if end >= until:
            return
        start = time = end
        tally = tallies.setdefault(start, _Tally())


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
