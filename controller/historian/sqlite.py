"""The embedded historian: one SQLite file, written by one thread of its own and read by another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.event_chain import ChainHead
from controller.core.point import PointId
from controller.core.ports import Aggregate, Clock, HistoryInterval, RecordedSample
from controller.core.sample import Sample
from controller.historian.reading import SqliteHistoryReader
from controller.historian.retention import Retention
from controller.historian.timeline import HOLD, MICROSECOND
from controller.historian.writer import HOT_ROWS, HistoryWriter

P = ParamSpec("P")
T = TypeVar("T")

USUAL = Retention()

# Half of the ten seconds that a power cut may cost.
SYNC_AFTER_S = 5.0


class SqliteHistorian:
    """Every method raises HistorianError where the disk refuses; nothing of that batch is stored then, so try again.

    The file is opened by the first method that needs it, and again after trouble: a disk that was full or missing at
    start heals without a restart. There is no queue beyond the batches that callers wait for.
    """

    def __init__(self, path: Path, clock: Clock, keep: Retention = USUAL, hot_rows: int = HOT_ROWS) -> None:
        self._clock = clock
        self._writer = HistoryWriter(path, clock, keep, HOLD // MICROSECOND, hot_rows)
        self._reader = SqliteHistoryReader(path)
        self._writing = ThreadPoolExecutor(1, "history-writer")
        self._reading = ThreadPoolExecutor(1, "history-reader")
        self._sync_timer: asyncio.TimerHandle | None = None
        self._begun = False
        self._closed = False

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        await self._write(self._writer.append_samples, rows)

    async def append_events(self, events: Sequence[Event]) -> None:
        await self._write(self._writer.append_events, events)

    async def chain_head(self) -> ChainHead | None:
        return await self._write(self._writer.chain_head)

    async def chain_at(self, number: int) -> ChainHead | None:
        return await self._write(self._writer.chain_at, number)

    async def read_samples(self, point: PointId, start: datetime, end: datetime) -> Sequence[Sample]:
        return await self._read(self._reader.read_samples, point, start, end)

    async def read_aggregates(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> Sequence[Aggregate]:
        return await self._read(self._reader.read_aggregates, point, start, end, interval)

    async def read_events(
        self, start: datetime, end: datetime, kinds: Collection[EventKind] = (), subject: str | None = None
    ) -> Sequence[Event]:
        return await self._read(self._reader.read_events, start, end, kinds, subject)

    async def maintain(self, now: datetime) -> None:
        """Seal, aggregate, thin. Many short transactions, between which appended batches go first.

        Called hourly and nightly. Ended at any point, the next call goes on from there.
        """
        newest = await self._write(self._writer.newest_hot)
        while await self._write(self._writer.seal, newest):
            pass
        for work in await self._write(self._writer.join_slices, now):
            await self._write(work)
        for work in await self._write(self._writer.aggregate_slices, now):
            await self._write(work)
        if await self._write(self._writer.may_thin, now):
            while await self._write(self._writer.thin, now):
                pass

    async def close(self) -> None:
        """Bring everything to the disk and end both threads. Closing twice is fine."""
        if self._closed:
            return
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        await self._outside(self._writing, self._writer.close)
        self._closed = True
        self._writing.shutdown()
        self._reading.shutdown()

    async def _write(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await self._outside(self._writing, job, *args, **kwargs)
        if self._sync_timer is None and not self._closed:
            self._sync_timer = asyncio.get_running_loop().call_later(SYNC_AFTER_S, self._sync)
        return result

    def _sync(self) -> None:
        self._sync_timer = None
        self._writing.submit(self._writer.sync)

    async def _read(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if not self._begun:
            await self._write(self._writer.open)
            self._begun = True
        return await self._outside(self._reading, job, *args, **kwargs)

    async def _outside(self, thread: Executor, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise HistorianError("the history is closed")
        with self._clock.outside():
            return await asyncio.get_running_loop().run_in_executor(thread, partial(job, *args, **kwargs))
