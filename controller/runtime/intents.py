"""Intents: nothing is held that the store does not know of, so that whoever comes next knows what to look for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from controller.core.errors import EnvironmentProblem
from controller.core.ledger import Holding, Job, Step
from controller.core.point import PointId, same_value
from controller.runtime.disk_watch import DiskWatch
from controller.runtime.places import Place
from controller.runtime.store import Store
from controller.runtime.stored import Held

log = logging.getLogger(__name__)


def intents_of(
    jobs: Sequence[Job],
    new: Mapping[PointId, Holding],
    holdings: Mapping[PointId, Holding],
    places: Mapping[PointId, Place],
) -> list[Held]:
    """What the store must know before the bytes of `jobs` leave. new: of points that are not held yet."""
    intents = [Held(point, holding.value, holding.before) for point, holding in new.items()]
    for job in jobs:
        holding = holdings.get(job.point)
        if holding is None or job.value is None or job.step is not Step.WRITE or places[job.point].is_heartbeat:
            continue
        if not same_value(holding.value, job.value, 0.0):
            intents.append(Held(job.point, job.value, holding.before, holding.value))
    return intents


class Intents:
    def __init__(self, store: Store, disk: DiskWatch) -> None:
        self._store = store
        self._disk = disk
        # Over, and still in the store: the disk did not take it, or their link went before their bytes did.
        self._still_stored: set[PointId] = set()

    def succeed(self, earlier: Intents) -> None:
        self._still_stored = earlier._still_stored

    async def keep(self, intents: Sequence[Held]) -> None:
        """Raises EnvironmentProblem where the disk does not take them: their bytes must not leave."""
        if intents:
            self._still_stored.difference_update(each.point for each in intents)
            await self._store.save_held(intents)

    async def forget(self, points: Sequence[PointId]) -> None:
        """What was let go. Letting go does not wait for a disk: what is still listed is looked at by the next start."""
        if self._disk.is_failing:
            self._still_stored.update(points)
            return
        try:
            await self._store.forget_held(points)
        except EnvironmentProblem as error:
            log.warning("what was let go stays in the store: %s", error)
            self._still_stored.update(points)

    def note_never_left(self, points: Collection[PointId]) -> None:
        """Their link went while their intents were being stored, or waited for their turn on the wire."""
        self._still_stored.update(points)

    async def forget_what_never_left(self) -> None:
        """Else a later start would take for ours what somebody else has set to the same value."""
        if self._disk.is_failing:
            return
        try:
            await self.forget_what_is_over()
        except EnvironmentProblem as error:
            log.warning("what was never written stays in the store: %s", error)

    async def forget_what_is_over(self) -> None:
        """What the store still knows and nobody holds. Raises EnvironmentProblem."""
        over = [*self._still_stored]
        if over:
            await self._store.forget_held(over)
            self._still_stored.difference_update(over)
