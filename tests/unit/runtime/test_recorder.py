"""History gets changes, a sign of life a minute, and nothing twice; a failing historian costs memory to a bound."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.point import Point, PointId, PointKind
from controller.core.ports import RecordedSample
from controller.core.sample import Scalar, bad, good
from controller.core.units import Unit
from controller.historian.memory import MemoryHistorian
from controller.runtime.image import Image
from controller.runtime.journal import MOST_PENDING as MOST_EVENTS
from controller.runtime.journal import Journal
from controller.runtime.recorder import MOST_PENDING, Recorder
from tests.hand_clock import HandClock

POINT = PointId("plant.tank_1.temperature")


class FlakyHistorian(MemoryHistorian):
    """A memory historian whose disk may be full, or slow."""

    full = False
    slow: asyncio.Event | None = None
    events_slow: asyncio.Event | None = None

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        if self.full:
            raise HistorianError("the disk is full")
        if self.slow is not None:
            await self.slow.wait()
        await super().append_samples(rows)

    async def append_events(self, events: Sequence[Event]) -> None:
        if self.full:
            raise HistorianError("the disk is full")
        if self.events_slow is not None:
            await self.events_slow.wait()
        await super().append_events(events)


class Bench:
    def __init__(self, cov_increment: float = 0.0) -> None:
        self.clock = HandClock()
        point = Point(POINT, PointKind.SENSOR, Unit.CELSIUS, stale_after=timedelta(days=1), cov_increment=cov_increment)
        self.image = Image({POINT: point}, ZoneInfo("Asia/Shanghai"), self.clock, lambda: None)
        self.historian = FlakyHistorian()
        self.journal = Journal(self.clock, "digest")
        self.recorder = Recorder({POINT: point}, self.historian, self.journal)
        self.start = self.clock.now()

    def see(self, value: Scalar | None, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        now, monotonic = self.clock.now(), self.clock.monotonic()
        self.image.put({POINT: bad("lost", now, monotonic) if value is None else good(value, now, monotonic)})
        self.recorder.record(self.image.freeze())

    async def recorded(self) -> list[Scalar | None]:
        await self.recorder.flush()
        end = self.clock.now() + timedelta(seconds=1)
        return [sample.value for sample in await self.historian.read_samples(POINT, self.start, end)]


async def test_changes_are_recorded_and_sameness_is_not() -> None:
    bench = Bench()
    for value in (7.0, 7.0, 7.1, 7.1, None, None, 7.1):
        bench.see(value)
    assert await bench.recorded() == [7.0, 7.1, None, 7.1]


async def test_small_changes_wait_until_they_add_up() -> None:
    bench = Bench(cov_increment=0.5)
    for value in (7.0, 7.2, 7.4, 7.5, 7.6, 7.01):
        bench.see(value)
    assert await bench.recorded() == [7.0, 7.5]


async def test_an_unchanged_value_is_recorded_once_a_minute() -> None:
    bench = Bench()
    for _ in range(601):
        bench.see(7.0)
    assert len(await bench.recorded()) == 11


async def test_what_did_not_come_in_is_not_recorded_again() -> None:
    bench = Bench()
    bench.see(7.0)
    for _ in range(300):
        bench.clock.advance(1)
        bench.recorder.record(bench.image.freeze())
    assert await bench.recorded() == [7.0]


async def test_a_failing_historian_loses_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.historian.full = True
    with caplog.at_level(logging.INFO):
        for value in (1.0, 2.0, 3.0):
            bench.see(value)
            bench.journal.note(EventKind.ALARM, POINT, {"value": value})
            await bench.recorder.flush()
        assert bench.recorder.pending == 3
        bench.historian.full = False
        assert await bench.recorded() == [1.0, 2.0, 3.0]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    events = await bench.historian.read_events(bench.start, bench.clock.now() + timedelta(seconds=1))
    assert [event.body["value"] for event in events] == [1.0, 2.0, 3.0]


@pytest.mark.slow
async def test_what_waits_is_bounded_and_the_oldest_goes_first() -> None:
    bench = Bench()
    for value in range(MOST_PENDING + 5):
        bench.see(value, seconds=0.001)
    assert bench.recorder.pending == MOST_PENDING
    assert bench.recorder.dropped == 5
    bench.historian.full = True
    await bench.recorder.flush()
    assert bench.recorder.pending == MOST_PENDING


async def test_a_flush_that_is_cancelled_is_made_up_for() -> None:
    bench = Bench()
    bench.see(1.0)
    bench.historian.slow = asyncio.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await bench.recorder.flush()
    bench.see(2.0)
    bench.historian.slow = None
    assert await bench.recorded() == [1.0, 2.0]


@pytest.mark.slow
async def test_events_that_had_to_be_dropped_are_told_in_the_stream() -> None:
    bench = Bench()
    bench.historian.full = True
    for number in range(MOST_EVENTS + 7):
        bench.journal.note(EventKind.ALARM, "plant", {"number": number})
    await bench.recorder.flush()
    bench.historian.full = False
    await bench.recorder.flush()
    events = await bench.historian.read_events(bench.start, bench.clock.now() + timedelta(days=1))
    assert events[0].body["number"] == 7
    assert (events[-1].body["trouble"], events[-1].body["events"]) == ("events lost", 7)
    assert not bench.journal.pending


@pytest.mark.slow
async def test_what_comes_while_events_are_stored_is_neither_lost_nor_stored_twice() -> None:
    bench = Bench()
    bench.historian.events_slow = asyncio.Event()
    for number in range(MOST_EVENTS):
        bench.journal.note(EventKind.ALARM, "plant", {"number": number})
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.recorder.flush())
        await asyncio.sleep(0)
        for number in range(MOST_EVENTS, MOST_EVENTS + 5):
            bench.journal.note(EventKind.ALARM, "plant", {"number": number})
        bench.historian.events_slow.set()
    await bench.recorder.flush()
    events = await bench.historian.read_events(bench.start, bench.clock.now() + timedelta(days=1))
    assert [event.body.get("number") for event in events] == list(range(MOST_EVENTS + 5))
