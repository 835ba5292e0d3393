"""Quarter-hour means of points, read from history once and from then on continued."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

from controller.core.forecast import LEARNED_FROM, Readings, quarter_hour_means
from controller.core.point import PointId
from controller.core.ports import Historian, HistoryInterval

# What reaches history later than this (a disk that was full) is not learned from before the next start.
LATE = timedelta(hours=6)
# One question a day of history: none keeps the loop or the history's thread for long.
_AT_ONCE = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class QuarterHours:
    def __init__(self, historian: Historian) -> None:
        self._historian = historian
        self._known: dict[PointId, Readings] = {}
        self._until: dict[PointId, datetime] = {}

    async def read(self, point: PointId, start: datetime, end: datetime) -> Readings:
        """From start to end, whole quarters of an hour, at most LEARNED_FROM. Raises HistorianError."""
        oldest = end - LEARNED_FROM
        if point not in self._until or self._until[point] < end:
            await self._continue(point, oldest, end)
        known = self._known[point]
        _forget(known, slice(0, bisect_left(known.starts, _microseconds(oldest))))
        first, last = (bisect_left(known.starts, _microseconds(moment)) for moment in (start, end))
        return Readings(known.starts[first:last], known.values[first:last])

    async def _continue(self, point: PointId, oldest: datetime, end: datetime) -> None:
        known = self._known.setdefault(point, Readings(array("q"), array("d")))
        begin = max(oldest, self._until.get(point, oldest) - LATE)
        while begin < end:
            until = min(begin + _AT_ONCE, end)
            minutes = await self._historian.read_aggregates(point, begin, until, HistoryInterval.MINUTE)
            read = quarter_hour_means(
                (_microseconds(each.start) for each in minutes),
                (math.nan if each.mean is None else each.mean for each in minutes),
            )
            _forget(known, slice(bisect_left(known.starts, _microseconds(begin)), None))
            known.starts.extend(read.starts)
            known.values.extend(read.values)
            begin = self._until[point] = until


def _forget(readings: Readings, part: slice) -> None:
    del readings.starts[part]
    del readings.values[part]


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
