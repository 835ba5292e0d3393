"""Time that jumps: in order, only while nothing outside is at work, and never for ever."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from controller.core.ports import Phase
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run

START = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)


def test_a_year_passes_in_no_time_and_both_clocks_agree() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)

    async def main() -> None:
        for day in range(1, 366):
            await clock.sleep_until(day * 86400.0, Phase.SCAN, "day")
            assert clock.monotonic() == clock.wire_time() == loop.time() == day * 86400.0
            assert clock.now() == START + timedelta(days=day)

    run(main(), loop)


def test_sleepers_of_one_instant_wake_by_phase_then_name() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)
    woken: list[tuple[float, Phase, str]] = []
    sleepers = [(at, phase, name) for at in (1.0, 2.0) for phase in Phase for name in "abc"]

    async def sleep(at: float, phase: Phase, name: str) -> None:
        await clock.sleep_until(at, phase, name)
        woken.append((clock.monotonic(), phase, name))

    async def main() -> None:
        shuffled = [*sleepers]
        random.Random(7).shuffle(shuffled)
        async with asyncio.TaskGroup() as tasks:
            for each in shuffled:
                tasks.create_task(sleep(*each))

    run(main(), loop)
    assert woken == sleepers


def test_each_sleeper_runs_to_its_next_wait_before_the_following_wakes() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)
    done: list[str] = []

    async def work(phase: Phase, name: str) -> None:
        await clock.sleep_until(1.0, phase, name)
        for step in range(3):
            done.append(f"{name}{step}")
            await asyncio.sleep(0)

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work(Phase.WRITE, "write"))
            tasks.create_task(work(Phase.POLL, "poll"))

    run(main(), loop)
    assert done == ["poll0", "poll1", "poll2", "write0", "write1", "write2"]


def test_a_deadline_that_has_passed_does_not_turn_time_back() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)

    async def main() -> None:
        await clock.sleep_until(10.0, Phase.SCAN, "one")
        await clock.sleep_until(3.0, Phase.SCAN, "two")
        assert clock.monotonic() == 10.0

    run(main(), loop)


def test_time_outs_of_the_loop_run_on_the_same_clock() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await clock.sleep_until(60.0, Phase.SCAN, "too long")
        assert clock.monotonic() == 30.0

    run(main(), loop)


def test_time_stands_still_while_something_outside_is_at_work() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)
    may_end = threading.Event()

    async def work() -> float:
        with clock.outside():
            await asyncio.get_running_loop().run_in_executor(threads, may_end.wait)
            return clock.monotonic()

    async def tick() -> None:
        await clock.sleep_until(1.0, Phase.SCAN, "tick")
        assert may_end.is_set()

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            ended = tasks.create_task(work())
            ticked = tasks.create_task(tick())
            await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(threads, int)  # other outside work passes
            assert not ticked.done()
            may_end.set()
        assert ended.result() == 0.0

    with ThreadPoolExecutor(2) as threads:
        run(main(), loop)


def test_when_everybody_waits_for_ever_it_is_said() -> None:
    loop = VirtualLoop()
    waiting = loop.create_task(asyncio.Event().wait())
    with pytest.raises(RuntimeError, match="stands still"):
        loop.run_until_complete(waiting)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)
    loop.close()


def test_a_clock_starts_at_an_aware_time() -> None:
    loop = VirtualLoop()
    with pytest.raises(ValueError, match="aware"):
        VirtualClock(loop, datetime(2026, 7, 6))  # noqa: DTZ001
    loop.close()
