"""How often registers that wear have been written: counted before bytes leave, so that no crash gives a day's writes
twice.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from controller.core.errors import EnvironmentProblem
from controller.core.guard import Register
from controller.core.ledger import Holding
from controller.core.point import PointId, Wear
from controller.core.ports import Clock
from controller.core.site import Site
from controller.core.wear import UNSPENT, Spent, held_back
from controller.runtime.image import FrozenImage
from controller.runtime.store import Store
from controller.runtime.stored import StoredWear


class WearLog:
    """The days are the site's."""

    def __init__(self, site: Site, clock: Clock, store: Store) -> None:
        self._clock = clock
        self._store = store
        self._zone = site.zone
        self._wear: dict[PointId, Wear] = {
            point.id: point.writable.wear
            for point in site.points.values()
            if point.writable is not None and point.writable.wear is not None
        }
        self._spent = dict.fromkeys(self._wear, UNSPENT)
        self._unsaved: set[PointId] = set()

    def register(self, point: PointId, holding: Holding | None, image: FrozenImage) -> Register | None:
        """What the guard must know of the point's register; None of one that does not wear."""
        wear = self._wear.get(point)
        if wear is None:
            return None
        written = None if holding is None or holding.releasing else holding.value
        return Register(written, held_back(wear, self._spent[point], image.local.date(), image.monotonic))

    async def restore(self) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for each in await self._store.load_wear():
            if each.point in self._spent:
                # A wall clock that was set back must not move the last write into the future.
                ago = max(0.0, (now - each.last).total_seconds())
                self._spent[each.point] = Spent(each.day, each.writes, monotonic - ago)

    def succeed(self, earlier: WearLog) -> None:
        """Go on counting where the log of an earlier configuration was."""
        self._spent.update({point: each for point, each in earlier._spent.items() if point in self._wear})
        self._unsaved = {point for point in earlier._unsaved if point in self._wear}

    def count(self, points: Collection[PointId]) -> None:
        """These are about to be written, each once."""
        day, monotonic = self._clock.now().astimezone(self._zone).date(), self._clock.monotonic()
        for point in points:
            if point in self._spent:
                self._spent[point] = self._spent[point].written(day, monotonic)
                self._unsaved.add(point)

    async def save(self) -> None:
        """Raises EnvironmentProblem where the disk does not take it."""
        if not self._unsaved:
            return
        saving, self._unsaved = self._unsaved, set()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        rows = [(point, self._spent[point]) for point in saving]
        try:
            await self._store.save_wear(
                [
                    StoredWear(point, each.day, each.writes, now - timedelta(seconds=monotonic - each.last))
                    for point, each in rows
                ]
            )
        except EnvironmentProblem:
            self._unsaved |= saving
            raise
