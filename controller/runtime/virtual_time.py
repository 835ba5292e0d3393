"""Virtual time: the whole daemon as fast as the processor allows, and the same to the bit every time.

An event loop whose clock jumps to the next timer whenever nothing is ready, except while something outside (a worker
process, a store thread) is at work: then it really waits. Sleepers of one instant wake one by one in the order of
(phase, name), each running to its next wait before the following one wakes.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import selectors
from collections.abc import Coroutine, Generator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from controller.core.ports import Phase

ResultT = TypeVar("ResultT")
SelectorEvents = list[tuple[selectors.SelectorKey, int]]


# The machine's own events (an idle process that ended) are looked for once in so many jumps.
LOOKS_OUTSIDE = 1000


_Sleeper = tuple[float, Phase, str, int, asyncio.Future[None]]
"""Deadline, phase and name, then the order in which they lay down, and who is to be woken. A plain tuple: there are ten
thousand a day."""


class VirtualTime:
    """The clock's state, shared by loop, selector and clock. now: plant seconds; `speed` of them in a wire second."""

    def __init__(self, speed: float) -> None:
        self.now = 0.0
        self.speed = speed
        self.at_work_outside = 0
        self._sleepers: list[_Sleeper] = []
        self._order = 0

    def add(self, deadline: float, phase: Phase, name: str, woken: asyncio.Future[None]) -> None:
        self._order += 1
        heapq.heappush(self._sleepers, (deadline, phase, name, self._order, woken))

    def jump(self, timer: float | None) -> None:
        """Advance to the loop's next timer or to the next sleeper, whichever is earlier, and wake that one."""
        sleepers = self._sleepers
        while sleepers and sleepers[0][-1].done():
            heapq.heappop(sleepers)
        if sleepers and (timer is None or sleepers[0][0] <= timer):
            deadline, _, _, _, woken = heapq.heappop(sleepers)
            self.now = max(self.now, deadline)
            woken.set_result(None)
        elif timer is not None:
            self.now = max(self.now, timer)
        else:
            raise RuntimeError("virtual time stands still: every task waits and no timer is set")


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock there."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time
        self._jumps = 0

    def select(self, timeout: float | None = None) -> SelectorEvents:
        time = self._time
        if timeout is not None and timeout <= 0:
            return super().select(0) if time.at_work_outside else []
        if time.at_work_outside:
            return super().select(None)
        # While nothing outside is at work nothing can become ready, but for what has ended by itself: that may wait.
        self._jumps += 1
        ready = super().select(0) if self._jumps % LOOKS_OUTSIDE == 0 else []
        if not ready:
            time.jump(None if timeout is None else time.now + timeout * time.speed)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its own timers count wire seconds, as real ones do beside a simulation that runs `speed` times as fast."""

    def __init__(self, speed: float = 1.0) -> None:
        self.virtual = VirtualTime(speed)
        super().__init__(_JumpingSelector(self.virtual))

    def time(self) -> float:
        return self.virtual.now / self.virtual.speed


class VirtualClock:
    """The clock of a VirtualLoop: wall time starts at `start`, wire time at `wire_start`; both move with the loop."""

    def __init__(self, loop: VirtualLoop, start: datetime, wire_start: float = 0.0) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time")
        self._loop = loop
        self._time = loop.virtual
        self._start = start.astimezone(UTC) - timedelta(seconds=loop.virtual.now)
        self._wire_start = wire_start
        self._read_at = -1.0
        self._now = start

    def now(self) -> datetime:
        if self._time.now != self._read_at:
            self._read_at = self._time.now
            self._now = self._start + timedelta(seconds=self._read_at)
        return self._now

    def monotonic(self) -> float:
        return self._time.now

    def wire_time(self) -> float:
        return self._wire_start + self._loop.time()

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        woken: asyncio.Future[None] = self._loop.create_future()
        self._time.add(deadline, phase, name, woken)
        await woken

    @contextlib.contextmanager
    def outside(self) -> Generator[None]:
        self._time.at_work_outside += 1
        try:
            yield
        finally:
            self._time.at_work_outside -= 1


def run(main: Coroutine[Any, Any, ResultT], loop: VirtualLoop) -> ResultT:
    """Run to completion on virtual time; the loop is closed afterwards."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
