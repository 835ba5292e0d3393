"""The small store's file: opened only if it is whole, else moved aside and begun again from its last good copy.

store.db                    the store
store.db.good               its last good copy, replaced as a whole (`copy`)
store.db.damaged-<time>     what was moved aside
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from controller.core.errors import EnvironmentProblem

# Another process holds the file for a moment (somebody looks, a backup program): that is no reason to stop. Whoever
# waits is a task beside the scan.
BUSY_TIMEOUT_S = 15.0


EMPTY = "the file is empty"
GONE = "the file is not there"


class Damage(NamedTuple):
    """kept_as: the file's new name, empty where there was none. from_copy: whether a good copy took its place."""

    cause: str
    kept_as: str
    from_copy: bool


class _NotWhole(Exception):
    """What a check of the whole file found."""


def open_whole(path: Path, now: datetime, patience: float) -> tuple[sqlite3.Connection, Damage | None]:
    """The file, or what takes its place, and then what was wrong. patience: seconds to wait for whoever locks it.

    Raises sqlite3.Error or OSError where the disk or a lock is the trouble.
    """
    cause = _cause_of_loss(path)
    if not cause:
        try:
            return _checked(path, patience), None
        except (sqlite3.DatabaseError, UnicodeDecodeError, _NotWhole) as error:
            if not _is_damage(error):
                raise
            cause = str(error)
    kept_as = _set_aside(path, now)
    from_copy = _restore(path)
    return _checked(path, patience), Damage(cause, kept_as, from_copy)


def copy(database: sqlite3.Connection, path: Path) -> None:
    """Replace the last good copy, if the store is whole. Raises sqlite3.Error, OSError or EnvironmentProblem."""
    try:
        _check(database)
    except _NotWhole as error:
        raise EnvironmentProblem(f"{path} is damaged, its last good copy is kept: {error}") from error
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
        database.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, to be copied as it is
    _sync(unfinished)
    unfinished.replace(_good(path))
    _sync(path.parent)


def contents_of(path: Path) -> bytes:
    """What the file says, its log included, without changing anything beside it; for a store in memory.

    Raises EnvironmentProblem where it cannot be read.
    """
    memory = Path("/dev/shm")
    try:
        with tempfile.TemporaryDirectory(prefix="tidewatt-", dir=memory if memory.is_dir() else None) as folder:
            there = Path(folder) / path.name
            shutil.copyfile(path, there)
            if _log(path).exists():
                shutil.copyfile(_log(path), _log(there))
            with closing(sqlite3.connect(there, isolation_level=None)) as database:
                database.execute("PRAGMA journal_mode = DELETE")  # one file, with what was in its log
                return database.serialize()
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentProblem(f"{path}: the state store cannot be read: {error}") from error


def _good(path: Path) -> Path:
    return path.with_name(path.name + ".good")


def _cause_of_loss(path: Path) -> str:
    """Why the file needs no look: it is gone or empty, although there was one. Power cuts leave empty files behind."""
    if not _good(path).exists() or (path.exists() and path.stat().st_size):
        return ""
    return EMPTY if path.exists() else GONE


def _checked(path: Path, patience: float) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=patience, check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        _check(database)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection) -> None:
    (answer,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if answer != "ok":
        raise _NotWhole(answer)


def _is_damage(error: Exception) -> bool:
    """As opposed to a full disk, a lock or a missing right."""
    if not isinstance(error, sqlite3.Error):
        return True
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _set_aside(path: Path, now: datetime) -> str:
    if not path.exists():
        _log(path).unlink(missing_ok=True)
        return ""
    kept = path.with_name(f"{path.name}.damaged-{now.strftime('%Y%m%dT%H%M%S%fZ')}")
    path.rename(kept)
    if _log(path).exists():
        _log(path).rename(_log(kept))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return kept.name


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _restore(path: Path) -> bool:
    """Put the copy in place, if there is one and it is whole itself."""
    good = _good(path)
    if not good.exists():
        return False
    unfinished = path.with_name(path.name + ".new")
    shutil.copyfile(good, unfinished)
    try:
        with closing(sqlite3.connect(unfinished)) as database:
            _check(database)
    except (sqlite3.DatabaseError, UnicodeDecodeError, _NotWhole) as error:
        unfinished.unlink()
        if not _is_damage(error):
            raise
        return False
    _sync(unfinished)
    unfinished.replace(path)
    _sync(path.parent)
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
