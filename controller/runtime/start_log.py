"""Starts of the last hour, kept beyond a restart, for machines that may be started only so often."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from controller.core.guard import UNKNOWN
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.runtime.control import Control
from controller.runtime.store import Store
from controller.runtime.stored import StoredStarts


class StartLog:
    """Reads and writes what the guard remembers; a machine that runs and was not known to counts as started."""

    def __init__(self, controls: Iterable[Control], clock: Clock, store: Store) -> None:
        self._clock = clock
        self._store = store
        self._controls = {each.point.id: each for each in controls if each.writable.limits.starts_per_hour is not None}
        self._saved: dict[PointId, tuple[bool, tuple[float, ...]]] = {}

    async def restore(self) -> None:
        """Before the first scan."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for each in await self._store.load_starts():
            control = self._controls.get(each.point)
            if control is not None:
                # A wall clock that was set back must not move a start into the future.
                starts = tuple(monotonic - max(0.0, (now - start).total_seconds()) for start in each.starts)
                control.memory = UNKNOWN._replace(ran=each.ran, starts=starts)

    async def save(self) -> None:
        """Raises EnvironmentProblem where the disk does not take it."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        changed = {
            point: (control.memory.ran, control.memory.starts)
            for point, control in self._controls.items()
            if control.memory.value is not None
            and self._saved.get(point) != (control.memory.ran, control.memory.starts)
        }
        if not changed:
            return
        await self._store.save_starts(
            [
                StoredStarts(point, ran, tuple(now - timedelta(seconds=monotonic - start) for start in starts))
                for point, (ran, starts) in changed.items()
            ]
        )
        self._saved.update(changed)
