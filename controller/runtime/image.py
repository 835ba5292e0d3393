"""The process image: pollers fill the next one, the scan freezes it and decides on the frozen picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.doubt import Past, doubted
from controller.core.point import Point, PointId
from controller.core.ports import Clock
from controller.core.sample import Quality, Sample, bad

# A sample is a tuple: of every point this is asked at once, and its name would cost more than its place.
_received_of = itemgetter(Sample._fields.index("received"))

NEVER_SEEN = "never seen"
STALE = "stale"


class FrozenImage(NamedTuple):
    """What one scan sees; nothing in it changes any more.

    local: now, in the site's zone. fresh: the samples that came in since the scan before. changed: those of them whose
    value or quality is not what it was.
    """

    now: datetime
    local: datetime
    monotonic: float
    samples: Mapping[PointId, Sample]
    fresh: Mapping[PointId, Sample]
    changed: Mapping[PointId, Sample]


class Image:
    """The next image. `on_urgent` is told when a point marked urgent changed its value or quality."""

    def __init__(
        self, points: Mapping[PointId, Point], zone: ZoneInfo, clock: Clock, on_urgent: Callable[[], None]
    ) -> None:
        self._zone = zone
        self._clock = clock
        self._on_urgent = on_urgent
        self._urgent = frozenset(point.id for point in points.values() if point.urgent)
        self._stale_after: dict[float, list[PointId]] = {}
        for point in points.values():
            self._stale_after.setdefault(point.stale_after.total_seconds(), []).append(point.id)
        now, monotonic = clock.now(), clock.monotonic()
        self._next: dict[PointId, Sample] = {id_: bad(NEVER_SEEN, now, monotonic) for id_ in points}
        self._fresh: dict[PointId, Sample] = dict(self._next)
        self._changed: dict[PointId, Sample] = dict(self._next)
        self._doubts = {point.id: point.doubt for point in points.values() if point.doubt is not None}
        self._pasts: dict[PointId, Past | None] = dict.fromkeys(self._doubts)
        self._none_stale_before = -math.inf
        self._watchers: list[tuple[frozenset[PointId], Callable[[Collection[PointId]], None]]] = []
        self._awaited: set[PointId] = set()
        self._on_awaited = on_urgent

    def watch(self, points: Collection[PointId], on_change: Callable[[Collection[PointId]], None]) -> None:
        """Tell which of these points changed value or quality, as soon as it is known."""
        self._watchers.append((frozenset(points), on_change))

    def await_changes(self, points: Collection[PointId], on_change: Callable[[], None]) -> None:
        """Tell once of each of these points, in place of those awaited before, that value or quality changed."""
        self._awaited, self._on_awaited = set(points), on_change

    def _tell_watchers(self, changed: Collection[PointId]) -> None:
        for watched, on_change in self._watchers:
            if not watched.isdisjoint(changed):
                on_change([point for point in changed if point in watched])

    @property
    def present(self) -> Mapping[PointId, Sample]:
        """What has come in so far, for a look between two scans; nothing is switched."""
        return self._next

    def succeed(self, earlier: Image, unmoved: Collection[PointId]) -> None:
        """What was seen before the configuration changed still counts, as old as it is."""
        seen = {point: earlier._next[point] for point in unmoved}
        for samples in (self._next, self._fresh, self._changed):
            samples.update(seen)
        self._pasts.update({point: earlier._pasts.get(point) for point in self._doubts if point in unmoved})

    def put(self, samples: Mapping[PointId, Sample]) -> None:
        upcoming = self._next
        if self._doubts and not self._doubts.keys().isdisjoint(samples):
            samples = self._believed(samples)
        changed = {
            point: sample
            for point, sample in samples.items()
            if sample[0] != (before := upcoming[point])[0] or sample[1] is not before[1]
        }
        if changed:
            self._changed.update(changed)
            if not self._urgent.isdisjoint(changed):
                self._on_urgent()
            if self._awaited and not self._awaited.isdisjoint(changed):
                self._awaited.difference_update(changed)
                self._on_awaited()
        upcoming.update(samples)
        self._fresh.update(samples)
        if changed:
            self._tell_watchers(changed)

    def _believed(self, samples: Mapping[PointId, Sample]) -> dict[PointId, Sample]:
        believed = dict(samples)
        for point in self._doubts.keys() & samples.keys():
            believed[point], self._pasts[point] = doubted(samples[point], self._doubts[point], self._pasts[point])
        return believed

    def put_unless_older(self, samples: Mapping[PointId, Sample]) -> None:
        """As `put`, but what came in after a sample was received stays: what is told may overtake what is asked."""
        upcoming = self._next
        self.put({point: each for point, each in samples.items() if each.received >= upcoming[point].received})

    def freeze(self) -> FrozenImage:
        """Switch: samples older than their point allows become BAD, here and in the next image."""
        monotonic = self._clock.monotonic()
        if monotonic >= self._none_stale_before:
            self._age(monotonic)
        fresh, self._fresh = self._fresh, {}
        changed, self._changed = self._changed, {}
        now = self._clock.now()
        return FrozenImage(now, now.astimezone(self._zone), monotonic, dict(self._next), fresh, changed)

    def _age(self, monotonic: float) -> None:
        """Mark what has become stale, and note when the next point can be: samples only ever get newer."""
        upcoming, earliest = self._next, math.inf
        become_stale: list[PointId] = []
        for stale_after, points in self._stale_after.items():
            oldest = min(map(_received_of, map(upcoming.__getitem__, points)))
            if monotonic - oldest <= stale_after:
                earliest = min(earliest, oldest + stale_after)
                continue
            for point in points:
                sample = upcoming[point]
                if sample.quality is Quality.BAD:
                    # A sample that comes later has its whole time before it.
                    earliest = min(earliest, monotonic + stale_after)
                elif monotonic - sample.received > stale_after:
                    stale = sample.worsened(Quality.BAD, STALE)
                    upcoming[point] = self._fresh[point] = self._changed[point] = stale
                    become_stale.append(point)
                else:
                    earliest = min(earliest, sample.received + stale_after)
        self._none_stale_before = earliest
        if become_stale:
            self._tell_watchers(become_stale)
