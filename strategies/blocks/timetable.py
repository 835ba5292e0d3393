"""Spans of the week by what the local clock shows.

Deliberately a function of the clock on the wall and of nothing else. On the day that clocks go forward, a period that
would begin in the missing hour begins when that hour would end; on the day they go back, the repeated hour follows
the table twice. Nothing is skipped, and nothing sticks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY
# Seconds of the week at which a day's noon, and an hour of it, begin.
NOONS = tuple(range(DAY // 2, WEEK, DAY))
HOURS = tuple(range(0, WEEK, HOUR))


@dataclass(frozen=True, slots=True)
class Period:
    """A span of local clock time; one whose end is not later than its start ends on the following day."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("a period is local clock time without an offset from UTC; write it like 18:30")


def week_edges(days: Sequence[Iterable[Period]]) -> tuple[int, ...]:
    """Seconds of the week at which the periods, joined where they overlap, begin and end in turn.

    days: the periods that begin on Monday, Tuesday ... Sunday. A period reaches past midnight, and from Sunday into
    Monday.
    """
    spans: list[tuple[int, int]] = []
    for weekday, periods in enumerate(days):
        for period in periods:
            start = weekday * DAY + _seconds(period.start)
            end = start + ((_seconds(period.end) - _seconds(period.start)) % DAY or DAY)
            spans.append((start, min(end, WEEK)))
            if end > WEEK:
                spans.append((0, end - WEEK))
    edges: list[int] = []
    for start, end in sorted(spans):
        if edges and start <= edges[-1]:
            edges[-1] = max(edges[-1], end)
        else:
            edges += (start, end)
    return tuple(edges)


def inside(edges: Sequence[int], local: datetime) -> bool:
    """Whether the local time lies in one of the periods; a period's end no longer does."""
    return bisect_right(edges, _second_of_week(local)) % 2 == 1


def unchanged_until(edges: Sequence[int], now: datetime, local: datetime) -> datetime:
    """Until when `inside` does not change: the next edge, or an hour, if that is earlier.

    If clocks are put forward or back before, the end of this minute: that happens at whole minutes, and until then the
    wall clock runs on evenly. local: what the clock shows now, or would some fixed time ahead.
    """
    second = _second_of_week(local)
    place = bisect_right(edges, second)
    left = min(HOUR, (edges[place] if place < len(edges) else WEEK) - second)
    begun = now.replace(microsecond=0)
    until = begun + timedelta(seconds=left)
    if until.astimezone(local.tzinfo).utcoffset() == now.astimezone(local.tzinfo).utcoffset():
        return until
    return begun + timedelta(seconds=min(left, 60 - local.second))


def _second_of_week(local: datetime) -> int:
    return local.weekday() * DAY + local.hour * 3600 + local.minute * 60 + local.second


def _seconds(clock: time) -> int:
    return clock.hour * HOUR + clock.minute * 60 + clock.second
