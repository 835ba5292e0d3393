"""What staff were asked to do, and what they have answered: a small file that push, list, server and escalation share.

A task is one place on one date: its clock or switch is to be set to that day's times. Whoever holds the task's word,
which stands in the link, may answer for it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from controller.core.errors import EnvironmentProblem

Result = TypeVar("Result")

ANSWER_PATH = "/done/"
"""Of a link, before the task's word."""

KEPT_DAYS = 400
"""Tasks that are so much older than the latest are forgotten when others are asked."""

_VERSION = 1
_TABLE = """
CREATE TABLE task (
    word TEXT PRIMARY KEY, place TEXT NOT NULL, day TEXT NOT NULL, request TEXT NOT NULL, due TEXT NOT NULL,
    sent TEXT, done TEXT, who TEXT, escalated TEXT, UNIQUE (place, day)
) STRICT
"""
_COLUMNS = "word, place, day, request, due, sent, done, who, escalated"
_WORD_BYTES = 16  # 128 bits: nobody guesses one
_BUSY_S = 10.0


class Task(NamedTuple):
    """request: what to do. due: answered by then, or escalated. who: as they wrote it, "" if they did not."""

    word: str
    place: str
    day: date
    request: str
    due: datetime
    sent: datetime | None
    done: datetime | None
    who: str
    escalated: datetime | None


class Asked(NamedTuple):
    place: str
    day: date
    request: str


class Tasks:
    """Several processes may use the file at once. Every method raises EnvironmentProblem where it cannot be used."""

    def __init__(self, file: Path, *, make: bool) -> None:
        """make: begin a file where there is none."""
        self._file = file
        if not make and not file.is_file():
            raise EnvironmentProblem(
                f"there is no file {file}; `tidewatt sunclock ... --push --tasks {file}` begins it"
            )
        self._run(self._prepare)

    def ask(self, asked: Iterable[Asked], due: datetime) -> list[Task]:
        """A task for each; one that was asked already keeps word and answer and, once sent, when it is due."""

        def insert(database: sqlite3.Connection) -> list[Task]:
            made: list[Task] = []
            for each in asked:
                day = each.day.isoformat()
                values = (secrets.token_urlsafe(_WORD_BYTES), each.place, day, each.request, due.isoformat())
                database.execute(
                    "INSERT INTO task (word, place, day, request, due) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (place, day) DO UPDATE SET request = excluded.request, "
                    "due = CASE WHEN sent IS NULL AND done IS NULL THEN excluded.due ELSE due END",
                    values,
                )
                made += _tasks(database, "place = ? AND day = ?", (each.place, day))
            database.execute(f"DELETE FROM task WHERE day < (SELECT date(max(day), '-{KEPT_DAYS} days') FROM task)")
            return made

        return self._run(insert)

    def find(self, word: str) -> Task | None:
        found = self._run(lambda database: _tasks(database, "word = ?", (word,)))
        return found[0] if found else None

    def answer(self, word: str, now: datetime, who: str) -> Task | None:
        """Done; the first answer stands. None where nobody was asked with that word."""
        self._mark("done = ?, who = ?", (now.isoformat(), who), "done IS NULL AND word = ?", [word])
        return self.find(word)

    def sent(self, words: Sequence[str], now: datetime) -> None:
        self._mark("sent = ?", (now.isoformat(),), "sent IS NULL AND word = ?", words)

    def escalated(self, words: Sequence[str], now: datetime) -> None:
        self._mark("escalated = ?", (now.isoformat(),), "word = ?", words)

    def undone(self) -> list[Task]:
        return self._run(lambda database: _tasks(database, "done IS NULL", ()))

    def everything(self) -> list[Task]:
        return self._run(lambda database: _tasks(database, "1", ()))

    def overdue(self, now: datetime) -> list[Task]:
        """Not done, due, and not escalated yet."""
        return [task for task in self.undone() if task.escalated is None and task.due <= now]

    def unanswered(self, now: datetime) -> list[Task]:
        """By place, the first that was sent, is due and not done, but for what a later one of the place makes up for.

        Places that were not asked on the latest day are on the list no more.
        """
        where = (
            "word IN (SELECT word FROM (SELECT word, min(day) FROM task AS asked "
            "WHERE sent IS NOT NULL AND done IS NULL AND due <= ? "
            "AND place IN (SELECT place FROM task WHERE day = (SELECT max(day) FROM task)) "
            "AND NOT EXISTS (SELECT 1 FROM task AS later WHERE later.place = asked.place "
            "AND later.day > asked.day AND later.done IS NOT NULL) GROUP BY place))"
        )
        return self._run(lambda database: _tasks(database, where, (now.isoformat(),)))

    def _mark(self, change: str, values: tuple[str, ...], where: str, words: Sequence[str]) -> None:
        statement = f"UPDATE task SET {change} WHERE {where}"
        self._run(lambda database: database.executemany(statement, [(*values, word) for word in words]))

    def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            with closing(sqlite3.connect(self._file, timeout=_BUSY_S)) as database, database:
                return work(database)
        except sqlite3.Error as error:
            raise EnvironmentProblem(f"{self._file} cannot be used: {error}") from error

    @staticmethod
    def _prepare(database: sqlite3.Connection) -> None:
        database.execute("BEGIN IMMEDIATE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.execute(_TABLE)
            database.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise EnvironmentProblem(f"the file of tasks has version {version}; this Tidewatt knows {_VERSION}")


def _tasks(database: sqlite3.Connection, where: str, values: tuple[str, ...]) -> list[Task]:
    rows = database.execute(f"SELECT {_COLUMNS} FROM task WHERE {where} ORDER BY day, place", values)
    return [
        Task(
            word,
            place,
            date.fromisoformat(day),
            request,
            datetime.fromisoformat(due),
            _instant(sent),
            _instant(done),
            who or "",
            _instant(escalated),
        )
        for word, place, day, request, due, sent, done, who, escalated in rows
    ]


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
