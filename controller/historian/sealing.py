"""From the hot table into blocks. Each function is one short slice of work inside the caller's transaction.

Batches leave the hot table in order of arrival, whatever the times in them are; so a clock that stepped back, a
straggler or a timestamp of next year is sealed like any other row, into the block of its own hour. An hour may have
several blocks until it is over; then they are put together.

A round seals what was hot when it began, some points a turn, and drops those batches with its last turn. Until then a
row may stand in a block and in the hot table: readers keep one row of each time. A round that is given up half-way is
begun anew, and what it wrote twice is one again when the hour's blocks are put together.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from controller.historian import hot
from controller.historian.rows import Row, in_order
from controller.historian.sample_block import decode_or_gap, encode
from controller.historian.stored_aggregates import touched_days
from controller.historian.timeline import HOUR, floor

# Some hundredths of a second of work on a small machine: polls that are due meanwhile wait for the interpreter.
TURN_ROWS = 12_000
SLICE_HOURS = 16


class Round(NamedTuple):
    """Batches with ids below `until` are being sealed; rows of points up to `sealed` are, `points` more each turn."""

    until: int
    points: int
    sealed: int = 0


def begin_round(connection: sqlite3.Connection, turn_rows: int) -> Round:
    """Of all that is hot, as many points a turn as have some `turn_rows` rows on the average."""
    points = -(-_last_point(connection) * turn_rows // max(1, hot.samples(connection)))
    return Round(hot.ids(connection).stop, points)


def seal_turn(connection: sqlite3.Connection, hold: int, begun: Round) -> Round | None:
    """One turn; None once the round is over."""
    sealed = begun.sealed + begun.points
    found = hot.rows_of_points(connection, begun.until, begun.sealed, sealed)
    for point, rows in found.items():
        for hour, part in _by_hour(in_order(rows)):
            write_block(connection, point, hour, part, hold)
    if sealed < _last_point(connection):
        return begun._replace(sealed=sealed)
    hot.drop(connection, begun.until)
    return None


def _last_point(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT max(id) FROM point").fetchone()
    return int(last or 0)


def loose_hours(connection: sqlite3.Connection, before: int) -> list[tuple[int, int]]:
    """Which (point, hour) that ended by then has more than one block."""
    return connection.execute(
        "SELECT point, hour FROM sample_block WHERE hour <= ? GROUP BY point, hour HAVING count(*) > 1",
        (before - HOUR,),
    ).fetchall()


def join_blocks(connection: sqlite3.Connection, hours: Iterable[tuple[int, int]]) -> None:
    for point, hour in hours:
        blocks = connection.execute(
            "SELECT first, body FROM sample_block WHERE point = ? AND hour = ? ORDER BY id", (point, hour)
        ).fetchall()
        rows = in_order([row for first, body in blocks for row in decode_or_gap(body, first)])
        connection.execute("DELETE FROM sample_block WHERE point = ? AND hour = ?", (point, hour))
        _insert(connection, point, hour, rows)


def write_block(connection: sqlite3.Connection, point: int, hour: int, rows: Sequence[Row], hold: int) -> None:
    """A new block, and the days it touches noted for aggregation."""
    _insert(connection, point, hour, rows)
    connection.executemany(
        "INSERT OR IGNORE INTO stale_day(day, point) VALUES (?, ?)",
        [(day, point) for day in touched_days(rows[0][0], rows[-1][0], hold)],
    )


def _insert(connection: sqlite3.Connection, point: int, hour: int, rows: Sequence[Row]) -> None:
    connection.execute(
        "INSERT INTO sample_block(point, hour, first, last, samples, body) VALUES (?, ?, ?, ?, ?, ?)",
        (point, hour, rows[0][0], rows[-1][0], len(rows), encode(rows)),
    )


def _by_hour(rows: Sequence[Row]) -> Iterator[tuple[int, Sequence[Row]]]:
    """Rows in order of time, parted where an hour ends."""
    start = 0
    while start < len(rows):
        hour = floor(rows[start][0], HOUR)
        end = bisect_left(rows, hour + HOUR, lo=start, key=itemgetter(0))
        yield hour, rows[start:end]
        start = end
