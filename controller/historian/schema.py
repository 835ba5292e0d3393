"""The file: its tables, how it is opened, and what happens when it cannot be read any more.

point            names, numbered
hot              newest samples, a batch a row, appended in order of arrival and never touched until sealed
                 (`batch.py`). A table ordered by (point, time) writes a page of 4 KiB per sample once it is large
sample_block     sealed samples: one point, one hour, compressed (`sample_block.py`)
aggregate_block  minutes, hours, days: 1440 of them a block (`aggregate_block.py`)
stale_day        the days whose aggregates do not yet say what their samples say: the work list of `maintain`
event            never thinned, each line chained to the one before (`stored_events.py`)
meta             when maintenance ran
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from controller.core.errors import HistorianError
from controller.historian import hot, stored_events

APPLICATION_ID = 0x54574854  # "TWHT"
VERSION = 3
# Earlier ones are still read as they are: whoever asks for history need not wait for a daemon's next start.
UNBATCHED = 2  # `hot` has a row a sample
UNCHAINED = 1  # nor are its events chained

# Another process holds the file only for a moment (a reader recovering the log after a crash).
BUSY_TIMEOUT_S = 5.0

_HOT = """
CREATE TABLE {table}(
    id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, samples INTEGER NOT NULL,
    body BLOB NOT NULL) STRICT"""

TABLES = f"""
CREATE TABLE point(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
{_HOT.format(table="hot")};

CREATE TABLE sample_block(
    id INTEGER PRIMARY KEY, point INTEGER NOT NULL, hour INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, samples INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX sample_block_place ON sample_block(point, hour);

CREATE TABLE aggregate_block(
    id INTEGER PRIMARY KEY, step INTEGER NOT NULL, point INTEGER NOT NULL, first INTEGER NOT NULL,
    body BLOB NOT NULL, UNIQUE(step, point, first)) STRICT;

CREATE TABLE stale_day(day INTEGER NOT NULL, point INTEGER NOT NULL, PRIMARY KEY(day, point)) STRICT, WITHOUT ROWID;

CREATE TABLE event(
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    chain BLOB NOT NULL) STRICT;
CREATE INDEX event_at ON event(at);
CREATE INDEX event_kind ON event(kind, at);
CREATE INDEX event_subject ON event(subject, at);

CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


def open_for_writing(path: Path, now: datetime) -> sqlite3.Connection:
    """The file, begun where it is absent or empty, brought up to date where it is old.

    now: when that happens. Raises sqlite3.Error, OSError or HistorianError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _prepare(connection, path, now)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, now: datetime) -> None:
    # Commits reach the kernel at once, which is all a killed process needs; `writer` adds the fsync for power loss.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_size_limit = 16777216")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        with transaction(connection):
            for statement in TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        return
    version = version_of(connection, path)
    if version == VERSION:
        return
    with transaction(connection):
        if version == UNCHAINED:
            stored_events.chain_what_is_there(connection, now)
        connection.execute("DROP VIEW recent")
        connection.execute("ALTER TABLE hot RENAME TO hot_rows")
        connection.execute(_HOT.format(table="hot"))
        hot.insert_rows(connection, "hot_rows", "main")
        connection.execute("DROP TABLE hot_rows")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """VERSION or an earlier one. Raises HistorianError where it is neither, or no history."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise HistorianError(f"{path} is a database, but not a history")
    if version not in (VERSION, UNBATCHED, UNCHAINED):
        raise HistorianError(f"{path} is a history of version {version}; this Tidewatt reads version {VERSION}")
    return version


@contextmanager
def moment(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """One moment of the file, to be read. Raises HistorianError where it is missing or cannot be read."""
    if not path.exists():
        raise HistorianError(f"no history at {path}")
    try:
        connection = open_for_reading(path)
        try:
            version = version_of(connection, path)
            connection.execute("BEGIN")
            if version < VERSION:
                _batch_for_this_moment(connection)
            yield connection
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise HistorianError(f"{path}: {error}") from error


def _batch_for_this_moment(connection: sqlite3.Connection) -> None:
    """A table of this connection alone, which stands before the one in the file."""
    connection.execute(_HOT.format(table="temp.hot"))
    hot.insert_rows(connection, "main.hot", "temp")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The same file seen from anywhere, while the daemon writes or after it ended. Raises sqlite3.Error."""
    address = path.absolute().as_uri()
    try:
        return _reading(f"{address}?mode=ro")
    except sqlite3.OperationalError:
        # Who may read the file but not write its folder cannot take part in the log; where there is none, no need.
        log = path.with_name(path.name + "-wal")
        if not path.exists() or (log.exists() and log.stat().st_size > 0):
            raise
        return _reading(f"{address}?mode=ro&immutable=1")


def _reading(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """All of the block or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Whether the file itself is beyond reading, as opposed to a full disk or a missing right."""
    if isinstance(error, UnicodeDecodeError):  # what SQLite quotes from the file in its complaint is no text any more
        return True
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path, stamp: str) -> Path:
    """Move a damaged file and its log away, so that a fresh one can begin. Its name says when."""
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(kept)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        log.rename(kept.with_name(kept.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return kept
