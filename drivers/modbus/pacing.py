"""How often a unit may be asked: the rest that it wants between questions, and the questions a second that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from drivers.modbus.address import ModbusAddress


class Pace(NamedTuple):
    """Seconds. gap: from an answer to the next question. interval: from a question to the next."""

    gap: float
    interval: float


def paces(addresses: Iterable[ModbusAddress]) -> dict[int, Pace]:
    """Of the units that want one; where two devices of one unit differ, the slower holds."""
    found: dict[int, Pace] = {}
    for address in addresses:
        if address.rate is None and not address.gap:
            continue
        before = found.get(address.unit, Pace(0.0, 0.0))
        interval = 0.0 if address.rate is None else 1.0 / address.rate
        gap = address.gap.total_seconds()
        found[address.unit] = Pace(max(before.gap, gap), max(before.interval, interval))
    return found


class Pacer:
    """When each unit may be asked next, by a time in seconds that never jumps."""

    def __init__(self, paces: dict[int, Pace], time: Callable[[], float]) -> None:
        self._paces = paces
        self._ready: dict[int, float] = {}
        self.time = time

    async def ready(self, unit: int) -> None:
        """Return once the unit may be asked."""
        while True:
            wait = self._ready.get(unit, 0.0) - self.time()
            if wait <= 0.0:
                return
            await asyncio.sleep(wait)

    def note(self, unit: int, asked: float) -> None:
        """The question asked at that time is over, answered or not."""
        pace = self._paces.get(unit)
        if pace is not None:
            self._ready[unit] = max(self.time() + pace.gap, asked + pace.interval)
