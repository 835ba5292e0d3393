"""The copy of history: nothing waits for it, a transition is told once, everything else is counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from controller.core.errors import RecordsRefused, RemoteUnreachable
from controller.core.event import Event, EventKind, JsonValue
from controller.core.point import PointId
from controller.core.ports import Phase, RecordedSample
from controller.core.sample import Scalar, good
from controller.runtime.backoff import LONGEST_S
from controller.runtime.forwarder import BATCH, LAST_DELIVERY_S, LONGEST_PAUSE_S, MOST_PENDING, Forwarder
from controller.runtime.journal import Journal
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run

POINT = PointId("plant.tank_1.temperature")
START = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)


class RemoteInMemory:
    """Takes everything, or fails, or waits until a test lets it go on."""

    name = "influxdb"

    def __init__(self) -> None:
        self.batches: list[Sequence[RecordedSample | Event]] = []
        self.failure: Exception | None = None
        self.slow: asyncio.Event | None = None
        self.asked = 0
        self.closed = False

    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        self.asked += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.failure is not None:
            raise self.failure
        self.batches.append(list(records))
        return len(records)

    async def close(self) -> None:
        self.closed = True

    @property
    def values(self) -> list[Scalar | None]:
        return [each[1].value for batch in self.batches for each in batch if not isinstance(each, Event)]

    @property
    def events(self) -> list[Event]:
        return [each for batch in self.batches for each in batch if isinstance(each, Event)]


class Bench:
    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.remote = RemoteInMemory()
        self.journal = Journal(clock, "digest")
        self.forwarder = Forwarder(self.remote, self.journal)

    def offer(self, *values: float) -> None:
        self.forwarder.offer((POINT, good(value, self.clock.now(), 0.0)) for value in values)

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.monotonic() + seconds, Phase.RECORD, "test")

    def states(self) -> list[JsonValue]:
        return [event.body["state"] for event in self.journal.recent if event.subject == "influxdb"]


def live(life: Callable[[Bench], Awaitable[None]]) -> Bench:
    """The forwarder runs for as long as `life` takes, and is closed."""
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)

    async def main() -> Bench:
        bench = Bench(clock)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(bench.forwarder.run())
            await life(bench)
            task.cancel()
        await bench.forwarder.close()
        return bench

    return run(main(), loop)


def test_samples_and_events_arrive_in_order() -> None:
    async def life(bench: Bench) -> None:
        bench.offer(1.0, 2.0)
        bench.journal.note(EventKind.MODE, "garage", {"mode": "auto"})
        bench.offer(3.0)
        await bench.wait(5)
        assert bench.forwarder.pending == 0

    bench = live(life)
    assert bench.remote.values == [1.0, 2.0, 3.0]
    assert [event.subject for event in bench.remote.events] == ["garage"]
    assert bench.forwarder.sent == 4
    assert bench.remote.closed


def test_trouble_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    async def life(bench: Bench) -> None:
        bench.remote.failure = RemoteUnreachable("refused")
        bench.offer(1.0)
        await bench.wait(3600)
        bench.remote.failure = RemoteUnreachable("it answers 401: the token is refused")
        bench.offer(2.0)
        await bench.wait(3600)
        assert bench.forwarder.trouble == "it answers 401: the token is refused"
        bench.remote.failure = None
        await bench.wait(LONGEST_S)
        assert bench.forwarder.trouble == ""

    with caplog.at_level(logging.INFO):
        bench = live(life)
    assert bench.states() == ["lost", "back"]
    assert len(caplog.messages) == 2
    assert bench.remote.values == [1.0, 2.0]


def test_pauses_grow_to_a_minute() -> None:
    async def life(bench: Bench) -> None:
        bench.remote.failure = RemoteUnreachable("refused")
        bench.offer(1.0)
        await bench.wait(3600)

    assert 60 <= live(life).remote.asked <= 90


def test_they_begin_anew_after_each_delivery() -> None:
    async def life(bench: Bench) -> None:
        bench.remote.failure = RemoteUnreachable("refused")
        bench.offer(1.0)
        await bench.wait(600)
        bench.remote.failure = None
        await bench.wait(LONGEST_S)
        bench.remote.failure = RemoteUnreachable("refused")
        bench.offer(2.0)
        before = bench.remote.asked
        await bench.wait(8)
        assert bench.remote.asked - before >= 3

    live(life)


@pytest.mark.parametrize("asked_for, waits", [(200.0, 200.0), (86400.0, LONGEST_PAUSE_S)])
def test_a_database_may_ask_for_a_longer_pause(asked_for: float, waits: float) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(0.5)
        bench.remote.failure = RemoteUnreachable("busy", asked_for)
        bench.offer(1.0)
        await bench.wait(waits)
        assert bench.remote.asked == 1
        await bench.wait(2)
        assert bench.remote.asked == 2

    live(life)


def test_when_no_more_room_is_left_the_oldest_goes() -> None:
    async def life(bench: Bench) -> None:
        bench.remote.failure = RemoteUnreachable("refused")
        bench.offer(*(float(n) for n in range(MOST_PENDING + 5)))
        await bench.wait(10)
        assert bench.forwarder.pending == MOST_PENDING
        bench.remote.failure = None
        await bench.wait(LONGEST_S)

    bench = live(life)
    # The event that tells of the trouble takes a place, too.
    assert bench.forwarder.dropped == 6
    assert bench.remote.values == [float(n) for n in range(6, MOST_PENDING + 5)]
    assert max(map(len, bench.remote.batches)) == BATCH


def test_what_is_refused_is_counted_told_once_and_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    async def life(bench: Bench) -> None:
        bench.remote.failure = RecordsRefused("it answers 400: bad lines")
        for value in range(10):
            bench.offer(float(value))
            await bench.wait(2)
        bench.remote.failure = None
        bench.offer(10.0)
        await bench.wait(2)

    with caplog.at_level(logging.INFO):
        bench = live(life)
    assert bench.remote.values == [10.0]
    assert bench.states() == ["refuses records"]
    assert len(caplog.messages) == 1
    assert bench.forwarder.refused == 11, "ten samples, and the event that tells of the first"


def test_a_slow_database_holds_nobody_up() -> None:
    async def life(bench: Bench) -> None:
        bench.remote.slow = asyncio.Event()
        bench.offer(1.0)
        await bench.wait(5)
        bench.offer(2.0)
        assert bench.forwarder.pending == 2
        bench.remote.slow.set()
        await bench.wait(5)

    assert live(life).remote.values == [1.0, 2.0]


def test_a_dead_database_delays_the_end_by_two_seconds(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[float] = []

    async def life(bench: Bench) -> None:
        bench.remote.slow = asyncio.Event()
        bench.offer(1.0, 2.0)
        await bench.wait(5)
        ended.append(bench.clock.monotonic())

    bench = live(life)
    assert bench.clock.monotonic() - ended[0] == pytest.approx(LAST_DELIVERY_S)
    assert bench.remote.closed
    assert caplog.messages == ["influxdb: 2 records of history were not sent"]


def test_the_last_records_are_sent_at_the_end() -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(1.5)
        bench.offer(1.0)

    assert live(life).remote.values == [1.0]
