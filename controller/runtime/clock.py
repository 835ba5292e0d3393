"""Clocks: the machine's own, a simulator's faster one, and virtual time (see virtual_time)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from controller.core.ports import Phase


class RealClock:
    """The machine's clocks. Phases need no order here: real instants do not coincide."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wire_time(self) -> float:
        return time.monotonic()

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        del phase, name
        # A loop may wake early (uvloop does): a grid must look at its clock again.
        while (remaining := deadline - self.monotonic()) > 0:
            await asyncio.sleep(remaining)

    def outside(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()


class ScaledClock:
    """A simulator's time: `speed` times as fast as the machine's, from a common anchor on.

    Both processes read the same CLOCK_MONOTONIC, so following needs the anchor once and never drifts.
    """

    def __init__(self, now: datetime, speed: float) -> None:
        self._anchor_now = now
        self._anchor = time.monotonic()
        self.speed = speed

    def now(self) -> datetime:
        return self._anchor_now + timedelta(seconds=self.monotonic() - self._anchor)

    def monotonic(self) -> float:
        return self._anchor + (time.monotonic() - self._anchor) * self.speed

    def wire_time(self) -> float:
        return time.monotonic()

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        del phase, name
        while (remaining := deadline - self.monotonic()) > 0:
            await asyncio.sleep(remaining / self.speed)

    def outside(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()
