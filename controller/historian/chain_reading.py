"""The chain of events as the file has it, read while the daemon writes it or after it ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from controller.core.errors import HistorianError
from controller.core.event_chain import BEGINNING, ChainHead, Line, Verification
from controller.historian import schema, stored_events
from controller.historian.stored_events import BEFORE_ALL
from controller.historian.timeline import to_datetime, to_microseconds


class ChainReader:
    """Every method raises HistorianError where the file is missing, cannot be read, or has no chain yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def head(self) -> ChainHead | None:
        with self._moment() as connection:
            return stored_events.head(connection)

    def verify(self, verification: Verification) -> None:
        """Every line from the first, in slices: nothing holds back the log while millions are read."""
        for lines in self._slices(BEFORE_ALL):
            verification.take(lines)

    def index_trouble(self) -> str:
        """Why a question about events might not find what is there; empty where it will.

        The chain covers the lines; by which index they are found is not in it.
        """
        with self._moment() as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(event)").fetchone()
        return "" if answer == "ok" else answer

    def export(self, since: datetime | None) -> Iterator[str]:
        """JSON lines with all that is needed to work out each chain value again."""
        before_number, before = self._before(since)
        for lines in self._slices(before_number):
            for line in lines:
                yield _exported(line, before) + "\n"
                before = line[5]

    def _before(self, since: datetime | None) -> tuple[float, bytes]:
        """The line before the first one that happened since then; the order is that of the chain, not of clocks."""
        if since is None:
            return BEFORE_ALL, BEGINNING
        with self._moment() as connection:
            (first,) = connection.execute(
                "SELECT min(id) FROM event WHERE at >= ?", (to_microseconds(since),)
            ).fetchone()
            newest = stored_events.head(connection) if first is None else stored_events.line_before(connection, first)
        return (BEFORE_ALL, BEGINNING) if newest is None else (newest.number, newest.chain)

    def _slices(self, after: float) -> Iterator[list[Line]]:
        while True:
            with self._moment() as connection:
                lines = stored_events.lines_after(connection, after)
            if not lines:
                return
            yield lines
            after = lines[-1][0]

    @contextmanager
    def _moment(self) -> Generator[sqlite3.Connection, None, None]:
        with schema.moment(self._path) as connection:
            if schema.version_of(connection, self._path) == schema.UNCHAINED:
                raise HistorianError(
                    f"{self._path} is from before events were chained; the daemon's next start does it"
                )
            yield connection


def _exported(line: Line, before: bytes) -> str:
    number, at, kind, subject, body, chain = line
    return json.dumps(
        {
            "line": number,
            "at": at,
            "time": written(at),
            "kind": _text(kind),
            "subject": _text(subject),
            "body": _text(body),
            "before": before.hex(),
            "chain": chain.hex(),
        },
        ensure_ascii=False,
    )


def written(at: int) -> str:
    """UTC in ISO 8601; what is no time any more as the number that stands there."""
    try:
        return to_datetime(at).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (OverflowError, TypeError):
        return str(at)


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "backslashreplace")
