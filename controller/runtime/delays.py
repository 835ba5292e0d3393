"""How long wishes wait to reach their devices: what comes late is told, since the link, the disk or the machine could
not keep up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from controller.core.event import EventKind
from controller.core.ledger import Holding, Job, Verdict
from controller.core.point import PointId, same_value
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.runtime.journal import Journal
from controller.runtime.places import Place

# What comes this many scan periods later than it should is told.
LATE_BY = 5.0


class _Waiting(NamedTuple):
    """A wish that has not reached its device yet, and since when (monotonic)."""

    value: Scalar
    since: float


class Delays:
    def __init__(self, site: Site, places: Mapping[PointId, Place], journal: Journal) -> None:
        self._places = places
        self._journal = journal
        self._late_after = LATE_BY * site.scan_every.total_seconds()
        self._waiting: dict[PointId, _Waiting] = {}

    def succeed(self, earlier: Delays) -> None:
        self._waiting = {point: each for point, each in earlier._waiting.items() if point in self._places}

    def note_wishes(
        self, wanted: Mapping[PointId, Scalar], holdings: Mapping[PointId, Holding], monotonic: float
    ) -> None:
        """Since when each wish waits to reach its device."""
        waiting = self._waiting
        for point, value in wanted.items():
            holding = holdings.get(point)
            if holding is not None and self._has_arrived(value, holding):
                if point in waiting:
                    del waiting[point]
            elif point not in waiting or waiting[point].value != value:
                waiting[point] = _Waiting(value, monotonic)
        if waiting:
            for point in waiting.keys() - wanted.keys():
                del waiting[point]

    def note_written(self, job: Job, monotonic: float) -> None:
        """Its device has taken it."""
        waiting = self._waiting.get(job.point)
        if waiting is None or waiting.value != job.value:
            return  # an older wish was on its way; the present one still waits
        del self._waiting[job.point]
        delay = monotonic - waiting.since
        if delay > self._late_after:
            self._journal.note(EventKind.DAEMON, job.point, {"state": "write late", "after_s": round(delay, 3)})

    def _has_arrived(self, value: Scalar, holding: Holding) -> bool:
        """Whether the wish is what was written; bytes on their way, or refused, have not arrived."""
        if holding.written == math.inf or holding.verdict is Verdict.IGNORED:
            return False
        # Asked of every wish of every scan: nearly always it is the very value.
        return value == holding.value or same_value(
            value, holding.value, self._places[holding.point].writable.tolerance
        )
