"""History in memory, for tests and virtual time: the same answers as the SQLite one, nothing ever thinned.

A day of 60 points at one sample a second is five million samples; so a sample is 17 bytes in three arrays, and what is
rare (texts, large integers, reasons, stragglers) lives beside them.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.event_chain import BEGINNING, ChainHead
from controller.core.point import PointId
from controller.core.ports import Aggregate, HistoryInterval, RecordedSample
from controller.core.sample import Sample, Scalar
from controller.historian.aggregates import merged, minutes, to_aggregates
from controller.historian.rows import Row, in_order, to_samples
from controller.historian.stored_events import EventRow, event_row
from controller.historian.timeline import EPOCH, HOLD, MICROSECOND, MINUTE, ceiling, floor, step_of, to_microseconds
from controller.historian.value_type import BOOLEAN, INTEGER, NOTHING, NUMBER, TEXT, TYPE_CODES, plain

_EXACT = 1 << 53  # integers up to here are exact in a float
_PLAIN: dict[type, int] = {float: NUMBER << 2, bool: BOOLEAN << 2}

_start = itemgetter(0)
_at = attrgetter("at")


class _Column:
    """The samples of one point. `kinds` holds type and quality together; `beside` what does not fit into a float."""

    __slots__ = ("beside", "kinds", "latest", "reasons", "stragglers", "times", "values")

    def __init__(self) -> None:
        self.times: array[int] = array("q")
        self.values: array[float] = array("d")
        self.kinds: array[int] = array("b")
        self.beside: dict[int, Scalar] = {}
        self.reasons: dict[int, str] = {}
        self.stragglers: list[Row] = []
        self.latest: int | None = None

    def append(self, time: int, value: Scalar | None, quality: int, reason: str) -> None:
        """A row later than all before it."""
        code = TYPE_CODES[type(value)]
        if value is None:
            number = math.nan
        elif code == TEXT or (code == INTEGER and not -_EXACT <= value <= _EXACT):  # type: ignore[operator]
            self.beside[len(self.times)] = value
            number = math.nan
        else:
            number = float(value)
        self.times.append(time)
        self.values.append(number)
        self.kinds.append(code << 2 | quality)
        if reason:
            self.reasons[len(self.times) - 1] = reason
        self.latest = time

    def rows(self, start: int, end: int) -> Sequence[Row]:
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        rows = list(self._rows(first, last))
        late = self.stragglers[bisect_left(self.stragglers, start, key=_start) :]
        late = late[: bisect_left(late, end, key=_start)]
        return in_order([*rows, *late]) if late else rows

    def _rows(self, first: int, last: int) -> Iterator[Row]:
        reasons, beside = self.reasons, self.beside
        columns = zip(self.times[first:last], self.values[first:last], self.kinds[first:last], strict=True)
        for place, (time, number, kind) in enumerate(columns, first):
            code = kind >> 2
            value: Scalar | None = number
            if place in beside:
                value = beside[place]
            elif code != NUMBER:
                value = _typed(code, number)
            yield time, value, kind & 3, reasons.get(place, "") if reasons else ""


class MemoryHistorian:
    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        # In order of time.
        self._events: list[Event] = []
        self._known_events: set[EventRow] = set()
        self._chain: list[ChainHead] = []
        self._hold = HOLD // MICROSECOND
        self._closed = False

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        self._check_open()
        columns = self._columns
        stamp, time = EPOCH, 0
        for name, (value, quality, reason, timestamp, _) in rows:
            column = columns.get(name)
            if column is None:
                column = columns[name] = _Column()
            if timestamp is not stamp:  # samples of one request share their timestamp
                stamp, time = timestamp, (timestamp - EPOCH) // MICROSECOND
            latest = column.latest
            kind = _PLAIN.get(type(value))
            if kind is not None and not reason and (latest is None or time > latest):  # as nearly always
                column.times.append(time)
                column.values.append(value)  # type: ignore[arg-type]
                column.kinds.append(kind | quality)
                column.latest = time
                continue
            if type(value) not in TYPE_CODES:
                value = plain(value)
            if latest is None or time > latest:
                column.append(time, value, quality, reason)
            elif time != latest:
                insort(column.stragglers, (time, value, quality, reason), key=_start)

    async def append_events(self, events: Sequence[Event]) -> None:
        self._check_open()
        for event in events:
            row = event_row(event)
            if row not in self._known_events:
                before = self._chain[-1].chain if self._chain else BEGINNING
                number = len(self._chain) + 1
                self._known_events.add(row)
                insort(self._events, event, key=_at)
                self._chain.append(ChainHead(number, row.at, row.link(before, number)))

    async def chain_head(self) -> ChainHead | None:
        self._check_open()
        return self._chain[-1] if self._chain else None

    async def chain_at(self, number: int) -> ChainHead | None:
        self._check_open()
        return self._chain[number - 1] if 0 < number <= len(self._chain) else None

    async def read_samples(self, point: PointId, start: datetime, end: datetime) -> Sequence[Sample]:
        self._check_open()
        return to_samples(self._rows(point, to_microseconds(start), to_microseconds(end)))

    async def read_aggregates(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> Sequence[Aggregate]:
        self._check_open()
        step = step_of(interval)
        first, last = floor(to_microseconds(start), step), ceiling(to_microseconds(end), step)
        rows = self._rows(point, first - self._hold, last + self._hold)
        buckets = [bucket for bucket in minutes(rows, self._hold) if first <= bucket.start < last]
        return to_aggregates(buckets if step == MINUTE else merged(buckets, step), step)

    async def read_events(
        self, start: datetime, end: datetime, kinds: Collection[EventKind] = (), subject: str | None = None
    ) -> Sequence[Event]:
        self._check_open()
        first, last = (bisect_left(self._events, moment, key=_at) for moment in (start, end))
        return [
            event
            for event in self._events[first:last]
            if (not kinds or event.kind in kinds) and (subject is None or event.subject == subject)
        ]

    async def maintain(self, now: datetime) -> None:
        """Nothing to seal and nothing to thin."""

    async def close(self) -> None:
        self._closed = True

    def reopen(self) -> None:
        """Go on with what was recorded, for the next run of a site in memory."""
        self._closed = False

    def points(self) -> list[PointId]:
        return sorted(map(PointId, self._columns))

    def _rows(self, point: PointId, start: int, end: int) -> Sequence[Row]:
        column = self._columns.get(point)
        return [] if column is None else column.rows(start, end)

    def _check_open(self) -> None:
        if self._closed:
            raise HistorianError("the history is closed")


def _typed(code: int, number: float) -> Scalar | None:
    if code == NOTHING:
        return None
    return bool(number) if code == BOOLEAN else int(number)
