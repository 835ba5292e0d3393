"""The database of the small store: opened whole, touched on a thread of its own, every change one transaction."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock
from controller.runtime import store_file
from controller.runtime.store_file import Damage

ResultT = TypeVar("ResultT")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS authority (system TEXT PRIMARY KEY, authority TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent (
    point TEXT PRIMARY KEY, value TEXT NOT NULL, earlier TEXT NOT NULL, before TEXT NOT NULL, at TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operator_command (
    point TEXT PRIMARY KEY, value TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL, remaining_s REAL NOT NULL,
    saved TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS strategy (
    mount TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plan (mount TEXT PRIMARY KEY, made TEXT NOT NULL, plan TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calendar (job TEXT PRIMARY KEY, ran_on TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trained (
    point TEXT PRIMARY KEY, at TEXT NOT NULL, model BLOB, made_by TEXT NOT NULL, score TEXT NOT NULL,
    reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm (subject TEXT, alarm TEXT, PRIMARY KEY (subject, alarm)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alarm_standing (
    subject TEXT, name TEXT, is_rule INTEGER NOT NULL, saved TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (subject, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS work_order (number INTEGER PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS equipment (
    equipment TEXT, part TEXT, saved TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (equipment, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fire (input TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lockout (
    equipment TEXT, who TEXT, reason TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (equipment, who)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS availability (equipment TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guard_starts (point TEXT PRIMARY KEY, ran INTEGER NOT NULL, starts TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guard_wear (
    point TEXT PRIMARY KEY, day TEXT NOT NULL, writes INTEGER NOT NULL, last TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

_DAMAGE = "damage"


class Database:
    """`path` None keeps everything in memory, for tests and backtests. Files are touched on a thread of their own.

    contents: what a store in memory held when it was closed; another one goes on from there. patience: seconds that a
    change waits for whoever else locks the file.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Clock,
        contents: bytes = b"",
        patience: float = store_file.BUSY_TIMEOUT_S,
    ) -> None:
        self.contents = contents
        self._clock = clock
        self.is_in_memory = path is None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._path = path
        try:
            damage = None
            if path is None:
                self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
                if contents:
                    self._database.deserialize(contents)
            else:
                self._database, damage = store_file.open_whole(path, clock.now(), patience)
            self._database.executescript(_SCHEMA)
            if damage is not None:  # told by the next daemon, whoever has opened the store before it
                self._commit("REPLACE INTO run VALUES (?, ?)", [(_DAMAGE, json.dumps(damage))])
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentProblem(f"{path}: the state store cannot be opened: {error}") from error

    async def close(self) -> None:
        try:
            if self.is_in_memory:
                self.contents = self._database.serialize()
            await self._run(self._database.close)
        finally:
            self._thread.shutdown(wait=True)

    async def load_run(self, key: str) -> str | None:
        rows = await self._query("SELECT value FROM run WHERE key = ?", key)
        return rows[0][0] if rows else None

    async def save_run(self, key: str, value: str) -> None:
        await self._change("REPLACE INTO run VALUES (?, ?)", [(key, value)])

    async def load_damage(self) -> Damage | None:
        """What was wrong with the file that this one replaces, until somebody was told."""
        stored = await self.load_run(_DAMAGE)
        return None if stored is None else Damage(*json.loads(stored))

    async def forget_damage(self) -> None:
        await self._change("DELETE FROM run WHERE key = ?", [(_DAMAGE,)])

    async def copy(self) -> None:
        """Replace the last good copy of the file."""
        path = self._path
        if path is not None:
            await self._run(lambda: store_file.copy(self._database, path))

    async def _query(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        return await self._run(lambda: self._database.execute(sql, parameters).fetchall())

    async def _change(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        await self._run(lambda: self._commit(sql, rows))

    def _commit(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        database = self._database
        if len(rows) == 1:
            database.execute(sql, rows[0])  # a statement is a transaction of its own
            return
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(sql, rows)
        except BaseException:
            # Also what is wrong with the rows themselves must not leave a transaction open.
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            if self.is_in_memory:
                return work()
            with self._clock.outside():
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentProblem(f"the state store failed: {error}") from error
