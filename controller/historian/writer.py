"""Everything that changes the file. Lives on one thread; each method is one transaction.

How much can be lost. Each batch is one commit in SQLite's write-ahead log: once `append` has answered, the kernel has
it, and a killed process loses only what had not been appended. The log reaches the disk itself by an fsync at most five
seconds later (`between_jobs`), which is what synchronous=FULL would do on every commit; so a power cut loses at most
the last five seconds, and a disk is not made to flush its cache every second for a row of 25 bytes. Checkpoints sync
log and file in SQLite's own order (synchronous=NORMAL), so the file stays whole either way.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind, JsonValue
from controller.core.event_chain import ChainHead
from controller.core.ports import Clock, RecordedSample
from controller.historian import hot, retention, schema, sealing, stored_events
from controller.historian.batch import PointRow
from controller.historian.retention import Retention
from controller.historian.timeline import EPOCH, MICROSECOND, to_microseconds
from controller.historian.value_type import plain, text

log = logging.getLogger(__name__)

T = TypeVar("T")

# A reader looks into all hot batches. A minute of 2,500 samples/s; fewer rows a point and block would cost more for
# each row.
HOT_ROWS = 150_000


class HistoryWriter:
    def __init__(self, path: Path, clock: Clock, keep: Retention, hold: int, hot_rows: int) -> None:
        self._path = path
        self._clock = clock
        self._keep = keep
        self._hold = hold
        self._hot_rows = hot_rows
        self._turn_rows = min(sealing.TURN_ROWS, hot_rows)
        self._round: sealing.Round | None = None
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._numbers: dict[str, int] = {}
        self._latest: dict[int, int] = {}
        self._sync_failed = False
        self._seal_failed = False

    # --- what the historian calls --------------------------------------------------------------------------------

    def open(self) -> None:
        self._change(lambda connection: None)

    def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        if self._change(partial(self._insert_samples, rows)) > self._hot_rows:
            self._seal_or_later()  # a turn with each batch, until the round is over

    def append_events(self, events: Sequence[Event]) -> None:
        self._change(partial(stored_events.append, events=events))

    def chain_head(self) -> ChainHead | None:
        """The newest event's place in the chain, once everything up to it is on the disk."""
        newest = self._change(stored_events.head)
        try:
            self._bring_to_disk()
        except OSError as error:
            raise HistorianError(f"{self._path}: {error}") from error
        return newest

    def chain_at(self, number: int) -> ChainHead | None:
        return self._change(partial(stored_events.line_at, number=number))

    def newest_hot(self) -> int:
        """What a caller who wants all that is hot now to be sealed gives to `seal`; more rows may come meanwhile."""
        return self._change(hot.ids).stop

    def seal(self, until: int = 0) -> bool:
        """Seal some of what is hot; answers whether some of what was hot `until` then still is."""
        self._round = self._change(self._seal_turn)
        left = self._change(hot.ids)
        return self._round is not None or (len(left) > 0 and left.start < until)

    def _seal_or_later(self) -> None:
        """The batch is stored: its caller, who would give it again, is not told that older rows stay hot."""
        try:
            self.seal()
            self._seal_failed = False
        except HistorianError as error:
            if not self._seal_failed:
                log.warning("samples are stored and cannot be sealed yet: %s", error)
            self._seal_failed = True

    def join_slices(self, now: datetime) -> list[Callable[[], None]]:
        """The work of putting blocks together, in slices to be run one by one."""
        hours = self._change(partial(sealing.loose_hours, before=to_microseconds(now)))
        step = sealing.SLICE_HOURS
        return [partial(self._join, hours[start : start + step]) for start in range(0, len(hours), step)]

    def aggregate_slices(self, now: datetime) -> list[Callable[[], None]]:
        days = self._change(partial(retention.waiting_days, now=to_microseconds(now)))
        return [partial(self._aggregate, day, point) for day, point in days]

    def may_thin(self, now: datetime) -> bool:
        return self._change(partial(retention.may_thin, now=to_microseconds(now)))

    def thin(self, now: datetime) -> int:
        """Drop one slice of what is past its time; answers how many blocks."""
        moment = to_microseconds(now)
        dropped = self._change(partial(retention.thin_samples, now=moment, keep=self._keep))
        return dropped + self._change(partial(retention.thin_minutes, now=moment, keep=self._keep))

    def sync(self) -> None:
        """Bring the log to the disk. After trouble the next turn tries again; a checkpoint syncs on its own."""
        try:
            self._bring_to_disk()
            self._sync_failed = False
        except OSError as error:
            if not self._sync_failed:
                log.warning("%s: cannot sync: %s", self._path, error)
            self._sync_failed = True

    def _bring_to_disk(self) -> None:
        with suppress(FileNotFoundError):  # nothing was written since the file was opened
            _fsync(self._path.with_name(self._path.name + "-wal"))

    def close(self) -> None:
        if self._connection is not None:
            self.sync()
            self._forget()

    # --- transactions --------------------------------------------------------------------------------------------

    def _change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in a transaction. A file damaged beyond reading is set aside, the work done in a fresh one."""
        try:
            try:
                return self._attempt(work)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not schema.is_damage(error):
                    raise
                self._begin_afresh(error)
            return self._attempt(work)
        except (sqlite3.Error, OSError) as error:
            raise HistorianError(f"{self._path}: {error}") from error

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._opened()
            with schema.transaction(connection):
                result = work(connection)
        except BaseException:
            # What the caches know may have been rolled back, and a connection that met trouble is not reused.
            self._forget()
            raise
        return result

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and _inode(self._path) != self._inode:
            log.warning("%s was removed or replaced; beginning a new one", self._path)
            self._forget()
        if self._connection is None:
            self._connection = schema.open_for_writing(self._path, self._clock.now())
            self._inode = _inode(self._path)
        return self._connection

    def _forget(self) -> None:
        self._numbers.clear()
        self._latest.clear()
        self._round = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except sqlite3.Error as error:
                log.debug("closing %s: %s", self._path, error)

    def _begin_afresh(self, error: Exception) -> None:
        now = self._clock.now()
        body: dict[str, JsonValue] = {"trouble": "history damaged", "cause": str(error)}
        newest = _head_of_damaged(self._path)
        kept = schema.set_aside(self._path, now.strftime("%Y%m%dT%H%M%SZ"))
        log.error("%s is damaged (%s): kept as %s, a fresh one begins", self._path, error, kept.name)
        body["kept_as"] = kept.name
        if newest is not None:  # a new chain begins, and names the end of the old one
            body |= {"last_line": newest.number, "last_chain": newest.chain.hex()}
        event = Event(now, EventKind.DAEMON, stored_events.SUBJECT, body)
        self._attempt(partial(stored_events.append, events=[event]))

    # --- rows ----------------------------------------------------------------------------------------------------

    def _insert_samples(self, rows: Sequence[RecordedSample], connection: sqlite3.Connection) -> int:
        """Answers how many rows are hot afterwards."""
        if batch := list(self._numbered(rows, connection)):
            hot.insert(connection, batch)
        return hot.samples(connection)

    def _numbered(self, rows: Sequence[RecordedSample], connection: sqlite3.Connection) -> Iterator[PointRow]:
        """The rows as stored, without those that repeat their point's newest time.

        That is the repetition that happens (a device that has nothing new, a batch sent again). Any other one is
        dropped when rows are read or sealed: of equal times the first stored stays.
        """
        numbers, latest = self._numbers, self._latest
        moment, time = EPOCH, 0
        for name, (value, quality, reason, timestamp, _) in rows:
            point = numbers.get(name) or self._number(name, connection)
            if timestamp is not moment:  # what was read together has one time
                moment, time = timestamp, (timestamp - EPOCH) // MICROSECOND
            if latest.get(point) == time:
                continue
            latest[point] = time
            if type(value) is not float:
                value = plain(value)
            yield point, time, value, quality, reason and text(reason)

    def _number(self, name: str, connection: sqlite3.Connection) -> int:
        connection.execute("INSERT OR IGNORE INTO point(name) VALUES (?)", (name,))
        (number,) = connection.execute("SELECT id FROM point WHERE name = ?", (name,)).fetchone()
        self._numbers[name] = number
        return number

    def _seal_turn(self, connection: sqlite3.Connection) -> sealing.Round | None:
        begun = self._round or sealing.begin_round(connection, self._turn_rows)
        return sealing.seal_turn(connection, self._hold, begun)

    def _join(self, hours: Sequence[tuple[int, int]]) -> None:
        self._change(lambda connection: sealing.join_blocks(connection, hours))

    def _aggregate(self, day: int, point: int) -> None:
        self._change(lambda connection: retention.aggregate_day(connection, day, point, self._hold))


def _head_of_damaged(path: Path) -> ChainHead | None:
    """The end of the chain, if that much can still be read."""
    try:
        with closing(schema.open_for_reading(path)) as connection:
            return stored_events.head(connection)
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
