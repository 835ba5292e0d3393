"""Commissioning: what is not refreshed on purpose, so that its device shows what it does when we fall silent."""

from __future__ import annotations

import math
from collections.abc import Collection

from controller.core.ledger import Holding
from controller.core.point import PointId, same_value
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.runtime.places import Place


class DeliberateSilence:
    """Ends by itself, too. Times are the wire's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.points: frozenset[PointId] = frozenset()
        self._until = -math.inf

    def begin(self, points: Collection[PointId], until: float) -> None:
        self.points, self._until = frozenset(points), until

    def end(self) -> None:
        self.points, self._until = frozenset(), -math.inf

    def covers(self, point: PointId) -> bool:
        return point in self.points and self._clock.wire_time() < self._until

    def holds_back(self, place: Place, point: PointId, value: Scalar, holding: Holding | None) -> bool:
        """What would only tell the device once more; another value is none of it, nor is letting go."""
        if not self.covers(point):
            return False
        return holding is None or place.is_heartbeat or same_value(holding.value, value, 0.0)
