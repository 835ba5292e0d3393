"""Machines with motors, started one after another."""

from __future__ import annotations

import math
from collections.abc import Container

from controller.core.point import PointId
from controller.core.site import Site
from controller.core.stagger import motors


class StartGaps:
    """motors: the commands that start one."""

    def __init__(self, site: Site) -> None:
        self.motors = motors(site.points, site.equipment)
        self._gap = site.start_gap.total_seconds()
        self._starting: set[PointId] = set()
        self._next_start = -math.inf

    def succeed(self, earlier: StartGaps, points: Container[PointId]) -> None:
        self._starting = {point for point in earlier._starting if point in points}
        self._next_start = earlier._next_start

    def wait_of(self, motor: PointId, monotonic: float) -> float:
        """Seconds until it may start."""
        return 0.0 if motor in self._starting else max(0.0, self._next_start - monotonic)

    def note(self, motor: PointId, *, is_starting: bool, monotonic: float) -> None:
        """Until it is seen to be on, it goes on starting."""
        if not is_starting:
            self._starting.discard(motor)
        elif motor not in self._starting:
            self._starting.add(motor)
            self._next_start = monotonic + self._gap
