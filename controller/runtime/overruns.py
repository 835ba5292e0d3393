"""Scans that came too late: counted, and told in the event stream, at most once a minute however often it happens."""

from __future__ import annotations

import math
from typing import NamedTuple

TELL_EVERY_S = 60.0


class Growth(NamedTuple):
    """What has come to it since it was told last. overruns, missed: of the whole run."""

    overruns: int
    missed: int
    late_by: float


class Overruns:
    """An overrun is a scan that ended after its next one was due; the scans that were left out for it are missed.

    late_by: of the latest overrun, longest: of all, seconds from when a scan was due to its end. at: monotonic.
    """

    def __init__(self) -> None:
        self.count = 0
        self.missed = 0
        self.late_by = 0.0
        self.longest = 0.0
        self.at = -math.inf
        self._untold = 0.0
        self._told_at = -math.inf

    def note(self, late_by: float, missed: int, monotonic: float) -> None:
        self.count += 1
        self.missed += missed
        self.late_by, self.at = late_by, monotonic
        self.longest = max(self.longest, late_by)
        self._untold = max(self._untold, late_by)

    def growth(self, monotonic: float) -> Growth | None:
        """What is to be told now. Asked in every scan; what came within the minute is told when it is over."""
        if not self._untold or monotonic - self._told_at < TELL_EVERY_S:
            return None
        growth = Growth(self.count, self.missed, self._untold)
        self._untold, self._told_at = 0.0, monotonic
        return growth
