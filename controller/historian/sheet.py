"""Batches of samples that are alike but for their numbers and times, row under row.

Where every point is recorded at every scan, nearly all batches are: the same points in the same order, with values of
the same types and of the same qualities. So they wait here, to be put into the columns of their points many at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple

from controller.core.sample import Quality, Scalar
from controller.historian.column import EXACT, PLAIN, Column
from controller.historian.timeline import to_microseconds
from controller.historian.value_type import INTEGER

_HELD: Mapping[type, int] = {**PLAIN, int: INTEGER << 2}


class Shape(NamedTuple):
    """What batches have in common, point by point: its name; of its sample the value's type, quality and reason."""

    names: tuple[str, ...]
    types: tuple[type, ...]
    qualities: tuple[Quality, ...]
    reasons: tuple[str, ...]


class Sheet:
    """Holds what is a number or a switch without a reason, as nearly everything is; `others` are the rest's places."""

    def __init__(self, shape: Shape) -> None:
        """A point may occur only once in the shape."""
        self._shape = shape
        self._is_held = [
            its_type in _HELD and not reason for its_type, reason in zip(shape.types, shape.reasons, strict=True)
        ]
        self.others = [place for place, is_held in enumerate(self._is_held) if not is_held]
        self._integers = [place for place, its_type in enumerate(shape.types) if its_type is int]
        self._numbers: array[float] = array("d")
        self._timestamps: list[tuple[datetime, ...]] = []

    def __len__(self) -> int:
        return len(self._timestamps)

    def takes(self, values: tuple[Any, ...]) -> bool:
        """Whether all of its numbers are exact in a float."""
        return all(-EXACT <= values[place] <= EXACT for place in self._integers)

    def append(self, values: tuple[Scalar | None, ...], timestamps: tuple[datetime, ...]) -> None:
        self._numbers.fromlist([*compress(values, self._is_held)])  # type: ignore[list-item]
        self._timestamps.append(timestamps)

    def empty_into(self, column_of: Callable[[str], Column]) -> None:
        width, numbers, held = self._is_held.count(True), self._numbers, self._is_held
        # Samples of one request share their timestamp.
        times: dict[tuple[datetime, ...], array[int]] = {}
        columns = compress(zip(*self._shape[:3], zip(*self._timestamps, strict=True), strict=True), held)
        for place, (name, its_type, quality, timestamps) in enumerate(columns):
            if timestamps not in times:
                times[timestamps] = array("q", map(to_microseconds, timestamps))
            column_of(name).extend(times[timestamps], numbers[place::width], _HELD[its_type] | quality)
        self._numbers, self._timestamps = array("d"), []
