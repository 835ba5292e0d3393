"""A clock that moves only when a test moves it."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from controller.core.ports import Phase


class HandClock:
    def __init__(self, start: datetime = datetime(2024, 7, 1, 12, tzinfo=UTC)) -> None:
        self._start = start
        self._seconds = 0.0

    def advance(self, seconds: float) -> None:
        self._seconds += seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def wire_time(self) -> float:
        return self._seconds

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        del phase, name
        self._seconds = max(self._seconds, deadline)

    def outside(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()
