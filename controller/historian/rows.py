"""One sample as history handles it: time in microseconds, value, quality, reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter, lt
from typing import TypeAlias

from controller.core.sample import Quality, Sample, Scalar
from controller.historian.timeline import to_datetime

# A bare tuple: a day of one point has up to 86 400 of them.
Row: TypeAlias = tuple[int, Scalar | None, int, str]

_time = itemgetter(0)
_QUALITIES = {int(quality): quality for quality in Quality}


def in_order(rows: Sequence[Row]) -> Sequence[Row]:
    """By time, each time once; of several rows of one time the one that came first stays."""
    times = [row[0] for row in rows]
    if all(map(lt, times, times[1:])):  # as nearly always
        return rows
    kept: dict[int, Row] = {}
    for row in sorted(rows, key=_time):
        kept.setdefault(row[0], row)
    return list(kept.values())


def to_samples(rows: Iterable[Row]) -> list[Sample]:
    """As samples again. When it was received belongs to a daemon's life and is not kept: 0 makes every age great."""
    return [Sample(value, _QUALITIES[quality], reason, to_datetime(time), 0.0) for time, value, quality, reason in rows]
