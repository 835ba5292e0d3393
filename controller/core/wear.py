"""Registers that wear with every write: how often they may still be written. Pure.

What counts is every write that leaves for the register, letting go and life safety included; what is held back is only
a change at the levels below them.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import NamedTuple

from controller.core.point import Wear
from controller.core.text import Text, by_sheet

_DAY = timedelta(days=1)


class Spent(NamedTuple):
    """Writes of a local day, and when the last one was (monotonic)."""

    day: date
    writes: int
    last: float

    def written(self, day: date, monotonic: float) -> Spent:
        return Spent(self._day_of(day), self.on(day) + 1, monotonic)

    def on(self, day: date) -> int:
        """The writes of that day. A wall clock that is set back over midnight does not give a day's writes twice."""
        return self.writes if self._day_of(day) == self.day else 0

    def _day_of(self, day: date) -> date:
        return self.day if day + _DAY == self.day else day


UNSPENT = Spent(date.min, 0, -math.inf)


def held_back(wear: Wear, spent: Spent, day: date, monotonic: float) -> Text | None:
    """Why the register is not to be written now; None where it may be."""
    if wear.writes_per_day is not None and spent.on(day) >= wear.writes_per_day:
        return by_sheet(
            Text(
                f"not written: the day's {wear.writes_per_day} writes of this register are spent",
                f"不写入: 该寄存器当日 {wear.writes_per_day} 次写入已用完",
            ),
            wear.source,
        )
    remaining = spent.last + wear.minimum_interval.total_seconds() - monotonic
    if remaining <= 0:
        return None
    return by_sheet(
        Text(
            f"not written for another {remaining:.0f} s by the minimum interval of this register",
            f"受该寄存器最短写入间隔限制, {remaining:.0f} 秒后再写",
        ),
        wear.source,
    )
