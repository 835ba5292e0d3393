"""The samples of one point in memory: 17 bytes each in three arrays, and what is rare beside them.

Rare are texts, integers beyond what a float holds exactly, reasons, and stragglers.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter, lt
from types import MappingProxyType

from controller.core.sample import Scalar
from controller.historian.rows import Row, in_order
from controller.historian.value_type import BOOLEAN, NOTHING, NUMBER, TYPE_CODES

EXACT = 1 << 53
"""Integers up to here are exact in a float."""
PLAIN: Mapping[type, int] = MappingProxyType({float: NUMBER << 2, bool: BOOLEAN << 2})
"""The kinds, without their quality, of what a float always holds exactly."""

_start = itemgetter(0)


class Column:
    """`kinds` holds type and quality together; `beside` what does not fit into a float."""

    __slots__ = ("_beside", "_kinds", "_latest", "_reasons", "_stragglers", "_times", "_values")

    def __init__(self) -> None:
        self._times: array[int] = array("q")
        self._values: array[float] = array("d")
        self._kinds: array[int] = array("b")
        self._beside: dict[int, Scalar] = {}
        self._reasons: dict[int, str] = {}
        self._stragglers: list[Row] = []
        self._latest = -math.inf

    def add(self, time: int, value: Scalar | None, quality: int, reason: str) -> None:
        """One row; of several of one time the first stays. The value is of a built-in type."""
        if time <= self._latest:
            if time < self._latest:
                insort(self._stragglers, (time, value, quality, reason), key=_start)
            return
        kind = PLAIN.get(type(value))
        if kind is None:
            kind = TYPE_CODES[type(value)] << 2
            if value is None:
                value = math.nan
            elif isinstance(value, str) or not -EXACT <= value <= EXACT:
                self._beside[len(self._times)] = value
                value = math.nan
        if reason:
            self._reasons[len(self._times)] = reason
        self._times.append(time)
        self._values.append(value)  # type: ignore[arg-type]
        self._kinds.append(kind | quality)
        self._latest = time

    def extend(self, times: array[int], numbers: array[float], kind: int) -> None:
        """Rows of one kind of number without a reason, as `add` would take them one by one."""
        if self._latest < times[0] and all(map(lt, times, times[1:])):  # as nearly always
            self._times.extend(times)
            self._values.extend(numbers)
            self._kinds.extend(array("b", (kind,)) * len(times))
            self._latest = times[-1]
            return
        for time, number in zip(times, numbers, strict=True):
            self.add(time, _typed(kind >> 2, number), kind & 3, "")

    def rows(self, start: int, end: int) -> Sequence[Row]:
        first, last = bisect_left(self._times, start), bisect_left(self._times, end)
        rows = list(self._rows(first, last))
        late = self._stragglers[bisect_left(self._stragglers, start, key=_start) :]
        late = late[: bisect_left(late, end, key=_start)]
        return in_order([*rows, *late]) if late else rows

    def _rows(self, first: int, last: int) -> Iterator[Row]:
        reasons, beside = self._reasons, self._beside
        columns = zip(self._times[first:last], self._values[first:last], self._kinds[first:last], strict=True)
        for place, (time, number, kind) in enumerate(columns, first):
            code = kind >> 2
            value: Scalar | None = number
            if place in beside:
                value = beside[place]
            elif code != NUMBER:  # as nearly always it is
                value = _typed(code, number)
            yield time, value, kind & 3, reasons.get(place, "") if reasons else ""


def _typed(code: int, number: float) -> Scalar | None:
    if code == NUMBER:
        return number
    if code == NOTHING:
        return None
    return bool(number) if code == BOOLEAN else int(number)
