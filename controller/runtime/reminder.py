"""Sleep until a time, or until somebody stirs: one task, whatever wakes it."""

from __future__ import annotations

import asyncio
import math

from controller.core.ports import Clock, Phase


class Reminder:
    """Of one task. Who stirs while it is awake is heard as soon as it would sleep again."""

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock = clock
        self._name = name
        self._is_stirred = False
        self._sleep: asyncio.Timeout | None = None

    def stir(self) -> None:
        """Something has happened: do not sleep on."""
        if self._sleep is not None and not self._is_stirred:
            self._sleep.reschedule(-math.inf)  # over at once
        self._is_stirred = True

    async def sleep_until(self, due: float, within: float | None = None) -> None:
        """Return once monotonic() >= due, which infinity never is, or somebody has stirred since the last return.

        within: after so many seconds of wire time at the latest.
        """
        if not self._is_stirred:
            try:
                async with asyncio.timeout(within) as self._sleep:
                    await self._asleep(due)
            except TimeoutError:
                pass  # stirred, or slept long enough
            finally:
                self._sleep = None
        self._is_stirred = False

    async def _asleep(self, due: float) -> None:
        if due < math.inf:
            await self._clock.sleep_until(due, Phase.RECORD, self._name)
        else:
            await asyncio.get_running_loop().create_future()
