"""One call at one time: the earliest of those that were asked for last."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from controller.core.ports import Clock, Phase


class Reminder:
    """Lives in the task group of whoever needs it."""

    def __init__(self, clock: Clock, tasks: asyncio.TaskGroup, name: str, call: Callable[[], None]) -> None:
        self._clock = clock
        self._tasks = tasks
        self._name = name
        self._call = call
        self._due = math.inf
        self._sleeper: asyncio.Task[None] | None = None

    def at(self, due: float) -> None:
        """Call then, and at no other time; never at infinity."""
        if due == self._due:
            return
        if self._sleeper is not None:
            self._sleeper.cancel()
        self._due = due
        self._sleeper = None if due == math.inf else self._tasks.create_task(self._sleep(due), name=self._name)

    async def _sleep(self, due: float) -> None:
        await self._clock.sleep_until(due, Phase.RECORD, self._name)
        self._due, self._sleeper = math.inf, None
        self._call()
