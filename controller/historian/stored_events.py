"""Events in the file: chained as they are appended (`core/event_chain.py`), and read back as lines of the chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from json import JSONEncoder
from typing import NamedTuple

from controller.core.event import Event, EventKind
from controller.core.event_chain import BEGINNING, ChainHead, Line, link
from controller.historian.timeline import to_microseconds
from controller.historian.value_type import text

SUBJECT = "history"

_as_json = JSONEncoder(ensure_ascii=False).encode

# Lines read at a time: some hundredths of a second and 10 MB, after which the log is free to be checkpointed.
SLICE_LINES = 20_000
# Less than all numbers that SQLite has: also a line that somebody put in front is read.
BEFORE_ALL = -1e19

# As bytes: what is there, whether it still is UTF-8 or not.
_LINES = (
    "SELECT id, at, CAST(kind AS BLOB), CAST(subject AS BLOB), CAST(body AS BLOB), chain FROM event"
    " WHERE id > ? ORDER BY id LIMIT ?"
)


class EventRow(NamedTuple):
    """An event as it is stored; at in microseconds, body as JSON."""

    at: int
    kind: str
    subject: str
    body: str

    def link(self, before: bytes, number: int) -> bytes:
        return link(before, number, self.at, self.kind.encode(), self.subject.encode(), self.body.encode())


def event_row(event: Event) -> EventRow:
    body = _as_json(dict(event.body))
    return EventRow(to_microseconds(event.at), str(event.kind), text(event.subject), text(body))


def append(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    """An event that is there already, to the microsecond and the letter, is not doubled when a batch is sent again."""
    number, chain = _last(connection)
    for event in events:
        row = event_row(event)
        is_there = connection.execute(
            "SELECT 1 FROM event WHERE at = ? AND kind = ? AND subject = ? AND body = ?", row
        ).fetchone()
        if is_there:
            continue
        number += 1
        chain = row.link(chain, number)
        connection.execute(
            "INSERT INTO event(id, at, kind, subject, body, chain) VALUES (?, ?, ?, ?, ?, ?)", (number, *row, chain)
        )


def head(connection: sqlite3.Connection) -> ChainHead | None:
    """The newest line."""
    row = connection.execute("SELECT id, at, chain FROM event ORDER BY id DESC LIMIT 1").fetchone()
    return _chain_head(row)


def line_at(connection: sqlite3.Connection, number: int) -> ChainHead | None:
    return _chain_head(connection.execute("SELECT id, at, chain FROM event WHERE id = ?", (number,)).fetchone())


def line_before(connection: sqlite3.Connection, number: int) -> ChainHead | None:
    return _chain_head(
        connection.execute(
            "SELECT id, at, chain FROM event WHERE id < ? ORDER BY id DESC LIMIT 1", (number,)
        ).fetchone()
    )


def lines_after(connection: sqlite3.Connection, number: float, count: int = SLICE_LINES) -> list[Line]:
    """At most `count` lines with greater numbers, none after the newest.

    Raises sqlite3.DatabaseError for a damaged file whose lines are out of order: who asks for slice after slice would
    never come to an end.
    """
    lines = connection.execute(_LINES, (number, count)).fetchall()
    if lines and lines[-1][0] <= number:
        error = sqlite3.DatabaseError("the file is damaged: events are out of order")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
    return lines


def chain_what_is_there(connection: sqlite3.Connection, now: datetime) -> None:
    """A file from before there was a chain: its events are chained as they stand, and an event says so."""
    connection.execute("ALTER TABLE event ADD COLUMN chain BLOB NOT NULL DEFAULT x''")
    lines = lines_after(connection, BEFORE_ALL)
    total, chain = 0, BEGINNING
    while lines:
        chained: list[tuple[bytes, int]] = []
        for line in lines:
            chain = link(chain, *line[:5])
            chained.append((chain, line[0]))
        connection.executemany("UPDATE event SET chain = ? WHERE id = ?", chained)
        total += len(lines)
        lines = lines_after(connection, lines[-1][0])
    append(connection, [Event(now, EventKind.DAEMON, SUBJECT, {"state": "chain begun", "earlier_lines": total})])


def _last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    newest = head(connection)
    return (0, BEGINNING) if newest is None else (newest.number, newest.chain)


def _chain_head(row: tuple[int, int, bytes] | None) -> ChainHead | None:
    return None if row is None else ChainHead(*row)
