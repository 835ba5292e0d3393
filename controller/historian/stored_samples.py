"""Rows of one point out of the file: sealed blocks, then what is still hot."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from controller.historian import hot
from controller.historian.rows import Row, in_order
from controller.historian.sample_block import decode_or_gap
from controller.historian.timeline import HOUR, floor


def point_number(connection: sqlite3.Connection, name: str) -> int | None:
    found = connection.execute("SELECT id FROM point WHERE name = ?", (name,)).fetchone()
    return None if found is None else int(found[0])


def read_rows(connection: sqlite3.Connection, point: int, start: int, end: int) -> Sequence[Row]:
    """In order of time, start <= time < end, each time once: what was stored first stays."""
    rows = sealed_rows(connection, point, start, end)
    rows += hot.rows_between(connection, point, start, end)
    return in_order(rows)


def sealed_rows(connection: sqlite3.Connection, point: int, start: int, end: int) -> list[Row]:
    blocks = connection.execute(
        "SELECT first, last, body FROM sample_block WHERE point = ? AND hour >= ? AND hour < ? ORDER BY id",
        (point, floor(start, HOUR), end),
    )
    rows: list[Row] = []
    for first, last, body in blocks:
        if first < end and last >= start:
            decoded = decode_or_gap(body, first)
            rows += decoded if start <= first and last < end else [row for row in decoded if start <= row[0] < end]
    return rows
