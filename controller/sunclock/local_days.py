"""The days of a place as its people count them: from midnight to midnight, whatever the clocks do between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class LocalDays:
    """midnights: one more than dates [s of the Unix epoch]. offsets: of the clock from UTC after each midnight [s].

    changing: the days in which the offset changes. A date that a zone has left out is no day.
    """

    zone: ZoneInfo
    dates: tuple[date, ...]
    midnights: Integers
    offsets: Integers
    changing: frozenset[int]

    def local(self, moments: Floats) -> tuple[list[int], list[int]]:
        """The index of the day of each moment within these days, and what its clocks show, in seconds since 00:00."""
        import numpy as np

        within = moments[(moments >= self.midnights[0]) & (moments < self.midnights[-1])].astype(np.int64)
        index = np.searchsorted(self.midnights, within, side="right") - 1
        clocks = ((within + self.offsets[index]) % _DAY).tolist()
        days = index.tolist()
        if self.changing:
            for nth, day in enumerate(days):
                if day in self.changing:
                    clocks[nth] = (int(within[nth]) + _offset(int(within[nth]), self.zone)) % _DAY
        return days, clocks


@lru_cache(maxsize=1024)
def local_days(zone: ZoneInfo, first: date, count: int) -> LocalDays:
    """The days from the first on that the zone knows, at most so many."""
    import numpy as np

    dates: list[date] = []
    midnights: list[int] = []
    for nth in range(count):
        day = first + timedelta(days=nth)
        start, end = _midnight(zone, day), _midnight(zone, day + timedelta(days=1))
        if end > start:
            dates.append(day)
            midnights.append(start)
    midnights.append(_midnight(zone, first + timedelta(days=count)))
    offsets = [_offset(midnight, zone) for midnight in midnights]
    changing = frozenset(nth for nth in range(len(dates)) if offsets[nth] != offsets[nth + 1])
    return LocalDays(zone, tuple(dates), np.array(midnights), np.array(offsets[:-1]), changing)


def today(zone: ZoneInfo, now: datetime) -> date:
    return now.astimezone(zone).date()


def _midnight(zone: ZoneInfo, day: date) -> int:
    """Where clocks skip midnight, the instant at which they do."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _offset(moment: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
