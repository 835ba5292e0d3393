"""The table of what is not sealed yet: one batch a row, in order of arrival."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice

from controller.historian.batch import PointRow, decode, encode, rows_of
from controller.historian.rows import Row
from controller.historian.value_type import restored

log = logging.getLogger(__name__)

# The batches that rows of an earlier version are put into.
_BATCH_ROWS = 5_000


def insert(connection: sqlite3.Connection, rows: Sequence[PointRow], schema: str = "main") -> None:
    """A batch of at least one row, in order of arrival."""
    times = [row[1] for row in rows]
    connection.execute(
        f"INSERT INTO {schema}.hot(first, last, samples, body) VALUES (?, ?, ?, ?)",
        (min(times), max(times), len(rows), encode(rows)),
    )


def insert_rows(connection: sqlite3.Connection, earlier: str, schema: str) -> None:
    """What is hot in the table `earlier`, which has a row a sample, as files had before version 3."""
    found = connection.execute(f"SELECT point, time, type, value, quality, reason FROM {earlier} ORDER BY id")
    rows = (
        (point, time, restored(code, value), quality, reason) for point, time, code, value, quality, reason in found
    )
    while batch := list(islice(rows, _BATCH_ROWS)):
        insert(connection, batch, schema)


def ids(connection: sqlite3.Connection) -> range:
    """Of all batches, in order of arrival."""
    first, last = connection.execute("SELECT (SELECT min(id) FROM hot), (SELECT max(id) FROM hot)").fetchone()
    return range(0) if first is None else range(first, last + 1)


def samples(connection: sqlite3.Connection) -> int:
    """How many there are in all batches."""
    (number,) = connection.execute("SELECT coalesce(sum(samples), 0) FROM hot").fetchone()
    return int(number)


def rows_between(connection: sqlite3.Connection, point: int, start: int, end: int) -> list[Row]:
    """Of one point, start <= time < end, in order of arrival."""
    found = connection.execute(
        "SELECT first, last, body FROM hot WHERE first < ? AND last >= ? ORDER BY id", (end, start)
    )
    rows: list[Row] = []
    for first, last, body in found:
        of_point = rows_of(body, point, first)
        rows += of_point if start <= first and last < end else [row for row in of_point if start <= row[0] < end]
    return rows


def rows_of_points(connection: sqlite3.Connection, until: int, above: int, up_to: int) -> dict[int, list[Row]]:
    """Of the batches below `until`: the rows of each point above < number <= up_to, in order of arrival."""
    found: dict[int, list[Row]] = {}
    for number, body in connection.execute("SELECT id, body FROM hot WHERE id < ? ORDER BY id", (until,)):
        for row in _rows(number, body, above, up_to):
            found.setdefault(row[0], []).append(row[1:])
    return found


def drop(connection: sqlite3.Connection, until: int) -> None:
    connection.execute("DELETE FROM hot WHERE id < ?", (until,))


def span(connection: sqlite3.Connection, point: int | None) -> tuple[int | None, int | None]:
    """The first and the last time, of one point or of all; None where there is none."""
    first, last = connection.execute("SELECT min(first), max(last) FROM hot").fetchone()
    if point is None or first is None:
        return first, last
    times = [row[0] for row in rows_between(connection, point, first, last + 1)]
    return min(times, default=None), max(times, default=None)


def _rows(number: int, body: bytes, above: int, up_to: int) -> Iterator[PointRow]:
    try:
        yield from decode(body, above, up_to)
    except ValueError as error:
        log.warning("batch %d of history cannot be sealed and is lost: %s", number, error)
