"""The process image: pollers fill the next one, the scan freezes it and decides on the frozen picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.point import Point, PointId
from controller.core.ports import Clock
from controller.core.sample import Quality, Sample, bad

NEVER_SEEN = "never seen"
STALE = "stale"


class FrozenImage(NamedTuple):
    """What one scan sees; nothing in it changes any more.

    local: now, in the site's zone. fresh: the points that came in since the scan before.
    """

    now: datetime
    local: datetime
    monotonic: float
    samples: Mapping[PointId, Sample]
    fresh: Collection[PointId]


class Image:
    """The next image. `on_urgent` is told when a point marked urgent changed its value or quality."""

    def __init__(
        self, points: Mapping[PointId, Point], zone: ZoneInfo, clock: Clock, on_urgent: Callable[[], None]
    ) -> None:
        self._zone = zone
        self._clock = clock
        self._on_urgent = on_urgent
        self._urgent = frozenset(point.id for point in points.values() if point.urgent)
        self._stale_after = [(point.id, point.stale_after.total_seconds()) for point in points.values()]
        now, monotonic = clock.now(), clock.monotonic()
        self._next: dict[PointId, Sample] = {id_: bad(NEVER_SEEN, now, monotonic) for id_ in points}
        self._fresh: set[PointId] = set(points)
        self._none_stale_before = -math.inf

    @property
    def present(self) -> Mapping[PointId, Sample]:
        """What has come in so far, for a look between two scans; nothing is switched."""
        return self._next

    def put(self, samples: Mapping[PointId, Sample]) -> None:
        for point in self._urgent & samples.keys():
            before, after = self._next[point], samples[point]
            if before.value != after.value or before.quality is not after.quality:
                self._on_urgent()
                break
        self._next.update(samples)
        self._fresh.update(samples)

    def freeze(self) -> FrozenImage:
        """Switch: samples older than their point allows become BAD, here and in the next image."""
        monotonic = self._clock.monotonic()
        if monotonic >= self._none_stale_before:
            self._age(monotonic)
        fresh, self._fresh = self._fresh, set()
        now = self._clock.now()
        return FrozenImage(now, now.astimezone(self._zone), monotonic, dict(self._next), fresh)

    def _age(self, monotonic: float) -> None:
        """Mark what has become stale, and note when the next point can be: samples only ever get newer."""
        upcoming, earliest = self._next, math.inf
        for point, stale_after in self._stale_after:
            sample = upcoming[point]
            if sample.quality is Quality.BAD:
                # A sample that comes later has its whole time before it.
                earliest = min(earliest, monotonic + stale_after)
            elif monotonic - sample.received > stale_after:
                upcoming[point] = sample.worsened(Quality.BAD, STALE)
                self._fresh.add(point)
            else:
                earliest = min(earliest, sample.received + stale_after)
        self._none_stale_before = earliest
