"""The conditions that letting go waits for, and since when each holds."""

from __future__ import annotations

import math
from collections.abc import Iterable

from controller.core.point import PointId
from controller.core.system import Condition, System
from controller.runtime.image import FrozenImage


class ReleaseConditions:
    def __init__(self, systems: Iterable[System]) -> None:
        self._since = {
            condition: math.inf for system in systems for step in system.release for condition in step.conditions
        }

    @property
    def points(self) -> set[PointId]:
        return {condition.point for condition in self._since}

    def succeed(self, earlier: ReleaseConditions) -> None:
        self._since.update({each: since for each, since in earlier._since.items() if each in self._since})

    def fulfilled(self, image: FrozenImage) -> set[Condition]:
        """Those that hold, for as long as each asks."""
        fulfilled: set[Condition] = set()
        for condition, since in self._since.items():
            if not condition.holds(image.samples[condition.point]):
                self._since[condition] = math.inf
                continue
            since = min(since, image.monotonic)
            self._since[condition] = since
            if image.monotonic - since >= condition.lasting.total_seconds():
                fulfilled.add(condition)
        return fulfilled
