"""What the file says, read from any thread or process while the daemon writes it.

Each question opens the file, sees one moment of it, and closes it again: a few tenths of a millisecond, and in return
no reader ever holds back the log, or keeps looking at a file that was replaced.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from controller.core.event import Event, EventKind
from controller.core.point import PointId
from controller.core.ports import Aggregate, HistoryInterval
from controller.core.sample import Sample
from controller.historian import hot, schema, stored_aggregates
from controller.historian.aggregate_block import decode_means
from controller.historian.aggregates import Bucket, to_aggregates
from controller.historian.rows import to_samples
from controller.historian.stored_samples import point_number, read_rows
from controller.historian.timeline import (
    DAY,
    HOLD,
    HOUR,
    MICROSECOND,
    MINUTE,
    floor,
    step_of,
    to_datetime,
    to_microseconds,
)


class Finest(NamedTuple):
    """One stretch of time, each hour of it in the finest form that is still there."""

    hours: Sequence[Aggregate]
    minutes: Sequence[Aggregate]
    samples: Sequence[Sample]


class SqliteHistoryReader:
    """Every method raises HistorianError where the file is missing or cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hold = HOLD // MICROSECOND

    def points(self) -> list[PointId]:
        with schema.moment(self._path) as connection:
            return [PointId(name) for (name,) in connection.execute("SELECT name FROM point ORDER BY name")]

    def span(self, point: PointId | None = None) -> tuple[datetime, datetime] | None:
        """First and last moment of which samples, thinned or not, are kept: of one point or of all."""
        with schema.moment(self._path) as connection:
            number = None if point is None else point_number(connection, point) or 0
            first, last = _span(connection, number)
            return None if first is None or last is None else (to_datetime(first), to_datetime(last))

    def event_span(self) -> tuple[datetime, datetime] | None:
        """Moments of the first and the last event."""
        with schema.moment(self._path) as connection:
            first, last = connection.execute("SELECT min(at), max(at) FROM event").fetchone()
            return None if first is None else (to_datetime(first), to_datetime(last))

    def read_samples(self, point: PointId, start: datetime, end: datetime) -> list[Sample]:
        """start <= timestamp < end; raw samples live for two days."""
        with schema.moment(self._path) as connection:
            number = point_number(connection, point)
            if number is None:
                return []
            return to_samples(read_rows(connection, number, to_microseconds(start), to_microseconds(end)))

    def read_aggregates(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> list[Aggregate]:
        """Whole intervals that touch start <= time < end, also where they have to be worked out from raw samples."""
        with schema.moment(self._path) as connection:
            buckets = self._buckets(connection, point, to_microseconds(start), to_microseconds(end), interval)
        return to_aggregates(buckets, step_of(interval))

    def read_means(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> tuple[array[int], array[float]]:
        """Starts (microseconds, UTC) and means alone, NaN where nothing was known: columns for models and charts."""
        first, last = to_microseconds(start), to_microseconds(end)
        step = step_of(interval)
        with schema.moment(self._path) as connection:
            number = point_number(connection, point)
            if number is not None and not stored_aggregates.stale_days(connection, number, first, last, self._hold):
                return _stored_means(connection, step, number, floor(first, step), last)
            buckets = self._buckets(connection, point, first, last, interval)
        means = [float("nan") if bucket.mean is None else bucket.mean for bucket in buckets]
        return array("q", [bucket.start for bucket in buckets]), array("d", means)

    def read_finest(self, point: PointId, start: datetime, end: datetime) -> Finest:
        """Samples where they are still kept, minutes before that, hours from the beginning."""
        first, last = to_microseconds(start), to_microseconds(end)
        with schema.moment(self._path) as connection:
            number = point_number(connection, point)
            if number is None:
                return Finest((), (), ())
            rows = read_rows(connection, number, first, last)
            told = {floor(row[0], HOUR) for row in rows}
            minutes = _untold(stored_aggregates.stored_buckets(connection, MINUTE, number, first, last), told)
            told |= {floor(bucket.start, HOUR) for bucket in minutes}
            hours = stored_aggregates.stored_buckets(connection, HOUR, number, floor(first, HOUR), last)
        return Finest(to_aggregates(_untold(hours, told), HOUR), to_aggregates(minutes, MINUTE), to_samples(rows))

    def read_events(
        self, start: datetime, end: datetime, kinds: Collection[EventKind] = (), subject: str | None = None
    ) -> list[Event]:
        """start <= at < end, in order of time; all kinds and subjects unless told."""
        wanted = ["at >= ?", "at < ?"]
        arguments: list[int | str] = [to_microseconds(start), to_microseconds(end)]
        if kinds:
            wanted.append(f"kind IN ({', '.join('?' * len(kinds))})")
            arguments += [str(kind) for kind in kinds]
        if subject is not None:
            wanted.append("subject = ?")
            arguments.append(subject)
        question = f"SELECT at, kind, subject, body FROM event WHERE {' AND '.join(wanted)} ORDER BY at, id"
        known = set(EventKind)
        with schema.moment(self._path) as connection:
            return [
                Event(to_datetime(at), EventKind(kind), about, json.loads(body))
                for at, kind, about, body in connection.execute(question, arguments)
                if kind in known
            ]

    def _buckets(
        self, connection: sqlite3.Connection, point: PointId, start: int, end: int, interval: HistoryInterval
    ) -> list[Bucket]:
        number = point_number(connection, point)
        if number is None:
            return []
        return stored_aggregates.read_buckets(connection, number, start, end, step_of(interval), self._hold)


def _untold(buckets: Sequence[Bucket], told: Collection[int]) -> list[Bucket]:
    return [bucket for bucket in buckets if floor(bucket.start, HOUR) not in told]


def _stored_means(
    connection: sqlite3.Connection, step: int, point: int, start: int, end: int
) -> tuple[array[int], array[float]]:
    starts: array[int] = array("q")
    means: array[float] = array("d")
    for (body,) in stored_aggregates.stored_bodies(connection, step, point, start, end):
        times, values = decode_means(body)
        first, last = bisect_left(times, start), bisect_left(times, end)
        starts += times[first:last]
        means += values[first:last]
    return starts, means


def _span(connection: sqlite3.Connection, point: int | None) -> tuple[int | None, int | None]:
    """Over the hot rows, the sealed blocks, and the days that outlive both."""
    of_point, arguments = ("", ()) if point is None else (" WHERE point = ?", (point,))
    found = [
        hot.span(connection, point),
        connection.execute(f"SELECT min(first), max(last) FROM sample_block{of_point}", arguments).fetchone(),
        *_span_of_hours(connection, point),
    ]
    firsts = [first for first, _ in found if first is not None]
    lasts = [last for _, last in found if last is not None]
    return min(firsts, default=None), max(lasts, default=None)


def _span_of_hours(connection: sqlite3.Connection, point: int | None) -> list[tuple[int, int]]:
    points = [point] if point is not None else [int(id) for (id,) in connection.execute("SELECT id FROM point")]
    spans: list[tuple[int, int]] = []
    for number in points:
        ends = connection.execute(
            "SELECT min(first), max(first) FROM aggregate_block WHERE step = ? AND point = ?", (HOUR, number)
        ).fetchone()
        if ends[0] is not None:
            far = DAY * 60
            first = stored_aggregates.stored_buckets(connection, HOUR, number, ends[0], ends[0] + far)
            last = stored_aggregates.stored_buckets(connection, HOUR, number, ends[1], ends[1] + far)
            spans += [(bucket.start, bucket.start + HOUR) for bucket in (*first[:1], *last[-1:])]
    return spans
