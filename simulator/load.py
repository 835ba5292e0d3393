"""A measured load put in place of the modelled one: cooling load of the coils, electricity of the building."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple, TypeAlias

from simulator.records import Instants, RecordFile

_Day: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]  # (start of interval [s], load [kW])
_LARGEST_KW = 1e6
_FEWEST_READINGS = 24
# How far a day of the year may move so that its weekday fits.
_SHIFT_DAYS = 3


class LoadRecord:
    """A dated record of a load [kW], asked for any day.

    A day takes the record of the same date; else the same season of another recorded year, moved by at most three days
    so that the weekday fits; else the mean of its kind of day (working day, Saturday, Sunday) at that hour.
    """

    def __init__(self, days: Mapping[date, _Day], source: str, factor: float = 1.0) -> None:
        """source: file and column; factor: by what its readings are multiplied in `days`."""
        self._days = days
        self.source = source
        self.factor = factor
        self._years = sorted({day.year for day in days})
        self._mean = _mean_profiles(days)
        self._known: tuple[int, _Day] | None = None

    def at(self, day: int, second: float) -> float:
        """Load [kW] on a day (proleptic ordinal) at a second of local standard time."""
        if self._known is None or self._known[0] != day:
            self._known = (day, self._find(date.fromordinal(day)))
        starts, loads = self._known[1]
        return loads[max(0, bisect_right(starts, second) - 1)]

    def peak(self) -> float:
        """Largest load [kW]."""
        return max(max(loads) for _, loads in self._days.values())

    def __contains__(self, day: date) -> bool:
        return day in self._days

    @property
    def days(self) -> int:
        """How many are in it."""
        return len(self._days)

    @property
    def note(self) -> str:
        """For the person who gave it."""
        scaled = (
            "" if self.factor == 1.0 else f"; peak {self.peak() / self.factor:,.0f} kW scaled by {self.factor:#.3g}"
        )
        return f"{self.source}, {len(self._days)} days{scaled}"

    def scaled(self, factor: float) -> "LoadRecord":
        days = {day: (starts, tuple(load * factor for load in loads)) for day, (starts, loads) in self._days.items()}
        return LoadRecord(days, self.source, self.factor * factor)

    def _find(self, day: date) -> _Day:
        if day in self._days:
            return self._days[day]
        for year in self._years:
            twin = day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
            shift = (day.weekday() - twin.weekday() + _SHIFT_DAYS) % 7 - _SHIFT_DAYS
            found = self._days.get(twin + timedelta(days=shift))
            if found is not None:
                return found
        return self._mean[_kind(day)]


class Loads(NamedTuple):
    """What a load file gives: cooling load and electricity of the building, None where it has no such column."""

    cooling: LoadRecord | None
    electricity: LoadRecord | None


def read_loads(path: Path) -> Loads:
    """Read `timestamp` with `load_kw_th` (cooling load, kW thermal) and/or `load_kwh` (electricity in the interval).

    Time stamps are local standard time at the beginning of the interval. Raises ValueError with line and what would be
    right.
    """
    file = RecordFile(path)
    columns = file.columns()
    loads = [name for name in ("load_kw_th", "load_kwh") if name in columns]
    if "timestamp" not in columns or not loads:
        found = ", ".join(columns)
        raise file.problem(
            1, f"columns are {found}", "timestamp with load_kw_th (kW of cooling) or load_kwh (electricity)"
        )
    readings: dict[str, dict[datetime, float]] = {name: {} for name in loads}
    instants = Instants(file)
    for line, row in file.rows():
        at = instants.of(line, row)
        for name in loads:
            value = file.number(line, row, name, 0.0, _LARGEST_KW)
            if value is not None:
                readings[name][at] = value
    records = {name: _record(file, name, values) for name, values in readings.items()}
    return Loads(records.get("load_kw_th"), records.get("load_kwh"))


def fitted(record: LoadRecord, capacity: float) -> LoadRecord:
    """The record, scaled to a plant's capacity [kW] only where its peak exceeds it; the note says so."""
    peak = record.peak()
    return record if peak <= capacity else record.scaled(capacity / peak)


def _record(file: RecordFile, name: str, readings: Mapping[datetime, float]) -> LoadRecord:
    if len(readings) < _FEWEST_READINGS:
        raise file.problem(1, f"{len(readings)} readings of {name}", f"at least {_FEWEST_READINGS}")
    times = sorted(readings)
    interval = median((later - sooner).total_seconds() for sooner, later in pairwise(times))
    if not 0.0 < interval <= 3600.0:
        raise file.problem(1, f"one reading every {interval:.0f} s", "readings at most an hour apart")
    factor = 3600.0 / interval if name == "load_kwh" else 1.0
    days: dict[date, list[tuple[float, float]]] = {}
    for at in times:
        second = (at - at.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        days.setdefault(at.date(), []).append((second, readings[at] * factor))
    full = 0.9 * 86400.0 / interval  # a day with gaps in more than a tenth is no day to repeat
    complete = {day: _day(values) for day, values in days.items() if len(values) >= full}
    if not complete:
        raise file.problem(1, f"no complete day of {name}", "at least one day with nine tenths of its readings")
    return LoadRecord(complete, f"{file.path.name}: {name}")


def _day(values: Sequence[tuple[float, float]]) -> _Day:
    return tuple(second for second, _ in values), tuple(load for _, load in values)


def _kind(day: date) -> int:
    return max(0, day.weekday() - 4)


def _mean_profiles(days: Mapping[date, _Day]) -> tuple[_Day, ...]:
    """Hourly means of working days, Saturdays and Sundays; a kind that was never recorded takes the mean of all
    days.
    """
    sums: list[list[list[float]]] = [[[] for _ in range(24)] for _ in range(4)]
    for day, (starts, loads) in days.items():
        for second, load in zip(starts, loads, strict=True):
            hour = int(second // 3600)
            sums[_kind(day)][hour].append(load)
            sums[3][hour].append(load)
    overall = fmean(load for hours in sums[3] for load in hours)
    hours = tuple(hour * 3600.0 for hour in range(24))
    means = [fmean(loads) if loads else overall for loads in sums[3]]
    return tuple(
        (hours, tuple(fmean(loads) if loads else means[hour] for hour, loads in enumerate(sums[kind])))
        for kind in range(3)
    )
