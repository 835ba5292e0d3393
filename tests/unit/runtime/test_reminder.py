"""One sleep, whoever ends it."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

from controller.core.ports import Phase
from controller.runtime.reminder import Reminder
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run


def test_it_ends_at_its_time_or_when_somebody_stirs_and_no_word_is_lost() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, datetime(2026, 7, 6, tzinfo=UTC))
    reminder = Reminder(clock, "sleeper")
    woken: list[float] = []

    async def sleep() -> None:
        for due in (10.0, 20.0, math.inf, 40.0):
            await reminder.sleep_until(due)
            woken.append(clock.monotonic())
            if due == 20.0:
                reminder.stir()  # awake: heard at the next sleep

    async def stir() -> None:
        await clock.sleep_until(15.0, Phase.SCAN, "somebody")
        reminder.stir()
        reminder.stir()

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sleep())
            tasks.create_task(stir())

    run(main(), loop)
    assert woken == [10.0, 15.0, 15.0, 40.0]


def test_cancelling_ends_the_sleep_of_whoever_waits_for_a_word_only() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, datetime(2026, 7, 6, tzinfo=UTC))

    async def main() -> bool:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(Reminder(clock, "sleeper").sleep_until(math.inf))
            await clock.sleep_until(1.0, Phase.SCAN, "somebody")
            task.cancel()
        return task.cancelled()

    assert run(main(), loop)


def test_it_lasts_no_longer_than_the_wire_time_that_is_said_however_fast_the_plant() -> None:
    loop = VirtualLoop(60.0)
    clock = VirtualClock(loop, datetime(2026, 7, 6, tzinfo=UTC))

    async def main() -> float:
        await Reminder(clock, "sleeper").sleep_until(3600.0, within=5.0)
        return clock.monotonic()

    assert run(main(), loop) == 300.0
