"""From the hot table into blocks. Each function is one short slice of work inside the caller's transaction.

Slices follow the order of arrival, whatever the rows' own times are; so a clock that stepped back, a straggler or a
timestamp of next year is sealed like any other row, into the block of its own hour. An hour may have several blocks
until it is over; then they are put together.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from controller.historian.rows import Row, in_order
from controller.historian.sample_block import decode_or_gap, encode
from controller.historian.stored_aggregates import touched_days
from controller.historian.timeline import HOUR, floor
from controller.historian.value_type import restored

# About a tenth of a second of work on a small machine.
SLICE_ROWS = 50_000
SLICE_HOURS = 16


def hot_count(connection: sqlite3.Connection) -> int:
    """How many rows are hot. Their ids have no holes: rows leave in order of arrival."""
    first, last = connection.execute("SELECT (SELECT min(id) FROM hot), (SELECT max(id) FROM hot)").fetchone()
    return 0 if first is None else int(last - first) + 1


def seal_slice(connection: sqlite3.Connection, hold: int, limit: int) -> int:
    """Seal the oldest rows, at most `limit`; answers how many."""
    (first,) = connection.execute("SELECT min(id) FROM hot").fetchone()
    if first is None:
        return 0
    found = connection.execute(
        "SELECT point, time, type, value, quality, reason FROM hot WHERE id < ? ORDER BY point, time, id",
        (first + limit,),
    )
    for point, group in groupby(found, itemgetter(0)):
        rows = [(time, restored(code, value), quality, reason) for _, time, code, value, quality, reason in group]
        for hour, part in _by_hour(in_order(rows)):
            write_block(connection, point, hour, part, hold)
    return connection.execute("DELETE FROM hot WHERE id < ?", (first + limit,)).rowcount


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
