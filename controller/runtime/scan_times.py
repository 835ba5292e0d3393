"""How the scans of a run come out: how many, how far apart, and how many were left out."""

from __future__ import annotations

from controller.core.event import EventKind, JsonValue
from controller.runtime.delays import LATE_BY
from controller.runtime.journal import Journal
from controller.runtime.overruns import Overruns


class ScanTimes:
    """Seconds. actual_period: a moving average over about twenty scans, which the view shows."""

    def __init__(self, period: float, journal: Journal) -> None:
        self._period = period
        self._journal = journal
        self.count = 0
        self.overruns = Overruns()
        self.actual_period = period
        self.longest_period = 0.0
        self._first: float | None = None
        self._latest: float | None = None

    def succeed(self, earlier: ScanTimes) -> None:
        self.count, self.overruns = earlier.count, earlier.overruns
        self.actual_period, self.longest_period = earlier.actual_period, earlier.longest_period
        self._first = earlier._first

    def note_begin(self, monotonic: float) -> None:
        if self._latest is not None:
            period = monotonic - self._latest
            self.actual_period += 0.05 * (period - self.actual_period)
            self.longest_period = max(self.longest_period, period)
            if period > LATE_BY * max(self.actual_period, self._period):
                self._journal.note(EventKind.DAEMON, "scan", {"state": "scan late", "after_s": round(period, 3)})
        elif self._first is None:
            self._first = monotonic
        self._latest = monotonic

    def note_end(self, due: float, ended: float) -> int:
        """Of a scan on the grid; answers how many are left out because it came too late."""
        if missed := int((ended - due) // self._period):
            self.overruns.note(ended - due, missed, ended)
        growth = self.overruns.growth(ended)
        if growth is not None:
            figures = {"overruns": growth.overruns, "missed": growth.missed, "late_by_s": round(growth.late_by, 3)}
            self._journal.note(EventKind.DAEMON, "scan", {"state": "scan overrun", **figures})
        return missed

    def figures(self) -> dict[str, JsonValue]:
        """Number, left out, mean and longest time from one to the next."""
        if self._latest is None or self._first is None:
            return {"scans": self.count}
        mean = (self._latest - self._first) / max(1, self.count - 1)
        return {
            "scans": self.count,
            "scans_left_out": self.overruns.missed,
            "scan_overruns": self.overruns.count,
            "scan_period_mean_s": round(mean, 3),
            "scan_period_longest_s": round(self.longest_period, 3),
        }
