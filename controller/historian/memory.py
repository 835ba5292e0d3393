"""History in memory, for tests and virtual time: the same answers as the SQLite one, nothing ever thinned.

A day of a decision a minute is two hundred thousand samples of a hundred points, and a backtest reads few of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence
from datetime import datetime
from operator import attrgetter

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.event_chain import BEGINNING, ChainHead
from controller.core.point import PointId
from controller.core.ports import Aggregate, HistoryInterval, RecordedSample
from controller.core.sample import Sample
from controller.historian.aggregates import merged, minutes, to_aggregates
from controller.historian.column import Column
from controller.historian.rows import Row, to_samples
from controller.historian.sheet import Shape, Sheet
from controller.historian.stored_events import EventRow, event_row
from controller.historian.timeline import EPOCH, HOLD, MICROSECOND, MINUTE, ceiling, floor, step_of, to_microseconds
from controller.historian.value_type import TYPE_CODES, plain

# Batches that wait at most to be put into columns.
MOST_WAITING = 240

_at = attrgetter("at")


class MemoryHistorian:
    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}
        self._shape = Shape((), (), (), ())
        self._sheet: Sheet | None = None
        # In order of time.
        self._events: list[Event] = []
        # By moment, kind and subject: the first of them, and where there are several all of them as rows.
        self._first: dict[tuple[object, ...], Event] = {}
        self._alike: dict[tuple[object, ...], set[EventRow]] = {}
        # In the order given, up to where somebody has asked for the chain, and from there.
        self._chain: list[ChainHead] = []
        self._unchained: list[Event] = []
        self._hold = HOLD // MICROSECOND
        self._closed = False

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        self._check_open()
        if not rows:
            return
        names, samples = zip(*rows, strict=True)
        values, qualities, reasons, timestamps, _ = zip(*samples, strict=True)
        shape = Shape(names, tuple(map(type, values)), qualities, reasons)
        if shape != self._shape:
            self._empty_sheet()
            # Perhaps no other batch is like it: no sheet yet.
            self._shape, self._sheet = shape, None
        elif self._sheet is None and len(set(names)) == len(names):
            self._sheet = Sheet(shape)
        if self._sheet is None or not self._sheet.takes(values):
            self._empty_sheet()
            self._add(rows)
            return
        self._sheet.append(values, timestamps)
        self._add([rows[place] for place in self._sheet.others])
        if len(self._sheet) >= MOST_WAITING:
            self._empty_sheet()

    def _empty_sheet(self) -> None:
        if self._sheet:
            self._sheet.empty_into(self._column)

    def _add(self, rows: Sequence[RecordedSample]) -> None:
        stamp, time = EPOCH, 0
        for name, (value, quality, reason, timestamp, _) in rows:
            if timestamp is not stamp:  # samples of one request share their timestamp
                stamp, time = timestamp, to_microseconds(timestamp)
            self._column(name).add(time, value if type(value) in TYPE_CODES else plain(value), quality, reason)

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = Column()
        return column

    async def append_events(self, events: Sequence[Event]) -> None:
        self._check_open()
        for event in events:
            if self._is_new(event):
                insort(self._events, event, key=_at)
                self._unchained.append(event)

    def _is_new(self, event: Event) -> bool:
        """To the microsecond and the letter."""
        key = event[:3]
        first = self._first.get(key)
        if first is None:
            self._first[key] = event
            return True
        alike = self._alike.get(key)
        if alike is None:
            alike = self._alike[key] = {event_row(first)}
        before = len(alike)
        alike.add(event_row(event))
        return len(alike) > before

    def _link(self) -> None:
        """Chain what nobody has asked for yet: written out as JSON and hashed, an event costs more than all else."""
        for event in self._unchained:
            row, number = event_row(event), len(self._chain) + 1
            before = self._chain[-1].chain if self._chain else BEGINNING
            self._chain.append(ChainHead(number, row.at, row.link(before, number)))
        self._unchained.clear()

    async def chain_head(self) -> ChainHead | None:
        self._check_open()
        self._link()
        return self._chain[-1] if self._chain else None

    async def chain_at(self, number: int) -> ChainHead | None:
        self._check_open()
        self._link()
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
        self._empty_sheet()
        self._closed = True

    def reopen(self) -> None:
        """Go on with what was recorded, for the next run of a site in memory."""
        self._closed = False

    def points(self) -> list[PointId]:
        self._empty_sheet()
        return sorted(map(PointId, self._columns))

    def _rows(self, point: PointId, start: int, end: int) -> Sequence[Row]:
        self._empty_sheet()
        column = self._columns.get(point)
        return [] if column is None else column.rows(start, end)

    def _check_open(self) -> None:
        if self._closed:
            raise HistorianError("the history is closed")
