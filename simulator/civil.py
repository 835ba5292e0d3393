"""Local time at the site, fast: the zone is asked once an hour."""

from collections.abc import Collection
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from simulator.plant.record import record
from simulator.weather import hour_of_year

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SUNDAY = 6


class LocalTime(NamedTuple):
    """day: proleptic ordinal; weekday: 0 = Monday, a holiday counts as a Sunday; second of the day by the wall clock;
    year_hour: hours of the typical year by local standard time.
    """

    day: int
    weekday: int
    second: float
    year_hour: float


class SiteTime:
    """Turns seconds of the Unix epoch into local time. Offsets of zones change at full hours at most (since 1972)."""

    def __init__(self, zone: tzinfo, holidays: Collection[date] = ()) -> None:
        self._zone = zone
        self._holidays = frozenset(day.toordinal() for day in holidays)
        self._from = self._until = 0.0
        self._offset = 0.0
        self._standard = 0.0
        self._day = -1
        self._day_hours = 0.0

    def at(self, epoch_s: float) -> LocalTime:
        if not self._from <= epoch_s < self._until:
            self._refresh(epoch_s)
        days, second = divmod(epoch_s + self._offset, 86400.0)
        day = int(days) + _EPOCH_ORDINAL
        standard_days, standard_second = divmod(epoch_s + self._standard, 86400.0)
        standard_day = int(standard_days) + _EPOCH_ORDINAL
        if standard_day != self._day:
            self._day = standard_day
            self._day_hours = float(hour_of_year(date.fromordinal(standard_day)))
        weekday = _SUNDAY if day in self._holidays else (day - 1) % 7
        return record(LocalTime, (day, weekday, second, self._day_hours + standard_second / 3600.0))

    def _refresh(self, epoch_s: float) -> None:
        self._from = epoch_s - epoch_s % 3600.0
        self._until = self._from + 3600.0
        local = datetime.fromtimestamp(epoch_s, UTC).astimezone(self._zone)
        offset, saving = local.utcoffset(), local.dst()
        self._offset = offset.total_seconds() if offset is not None else 0.0
        self._standard = self._offset - (saving.total_seconds() if saving is not None else 0.0)
