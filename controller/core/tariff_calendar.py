"""Which band a time of day belongs to, by season and type of day: exactly one, for every minute of every day.

A calendar day has one season and one day type, and its windows share out its hours. A window that crosses midnight
means both ends of that same day.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from controller.core.text import Text

MINUTES = 24 * 60


class Band(StrEnum):
    """From dear to cheap. What a contract calls otherwise (part-peak, off-peak) gets one of these and a name."""

    SUPER_PEAK = "super_peak"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"
    DEEP_VALLEY = "deep_valley"

    @property
    def is_peak(self) -> bool:
        return self in (Band.SUPER_PEAK, Band.PEAK)

    @property
    def is_valley(self) -> bool:
        return self in (Band.VALLEY, Band.DEEP_VALLEY)


BAND_NAMES: Mapping[Band, Text] = {
    Band.SUPER_PEAK: Text("super peak", "尖峰"),
    Band.PEAK: Text("peak", "高峰"),
    Band.FLAT: Text("flat", "平段"),
    Band.VALLEY: Text("valley", "低谷"),
    Band.DEEP_VALLEY: Text("deep valley", "深谷"),
}


class DayType(StrEnum):
    """A day is a holiday if it is listed as one, else weekend on Saturday and Sunday, else weekday."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


def day_type(day: date, holidays: Collection[date]) -> DayType:
    if day in holidays:
        return DayType.HOLIDAY
    return DayType.WEEKEND if day.isoweekday() >= 6 else DayType.WEEKDAY


# --- days -------------------------------------------------------------------------------------------------------------


class MonthDay(NamedTuple):
    month: int
    day: int


def month_day(day: date) -> MonthDay:
    return MonthDay(day.month, day.day)


def days_of_month(month: int) -> list[MonthDay]:
    """29 February included."""
    return [MonthDay(month, day) for day in range(1, calendar.monthrange(2000, month)[1] + 1)]


YEAR = tuple(day for month in range(1, 13) for day in days_of_month(month))
"""Every day of a leap year."""


def season(first: MonthDay, last: MonthDay) -> frozenset[MonthDay]:
    """All days from first to last; over the turn of the year where last comes before first."""
    if first <= last:
        return frozenset(day for day in YEAR if first <= day <= last)
    return frozenset(day for day in YEAR if day >= first or day <= last)


# --- windows ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in minutes of the day; an end before the start lies beyond midnight."""

    start: int
    end: int
    band: Band

    def __post_init__(self) -> None:
        if not (0 <= self.start < MINUTES and 0 <= self.end <= MINUTES and self.start != self.end):
            raise ValueError(f"no window goes from minute {self.start} to minute {self.end}")

    def pieces(self) -> list[Window]:
        """The same within one day, none of them crossing midnight."""
        if self.start < self.end:
            return [self]
        late = Window(self.start, MINUTES, self.band)
        return [Window(0, self.end, self.band), late] if self.end else [late]


@dataclass(frozen=True, slots=True)
class DayBands:
    """One entry of a calendar: which days, and which band when."""

    days: frozenset[MonthDay]
    types: frozenset[DayType]
    windows: tuple[Window, ...]


class CalendarFault(NamedTuple):
    """Minutes without a band (no bands), or with two. entry: the index of the entry at fault; None where no entry
    speaks of these days at all."""

    days: frozenset[MonthDay]
    types: frozenset[DayType]
    start: int
    end: int
    bands: tuple[Band, ...]
    entry: int | None


class _Span(NamedTuple):
    """A fault within one day."""

    start: int
    end: int
    bands: tuple[Band, ...]
    entry: int | None


_Owned: TypeAlias = "tuple[Window, int]"


def calendar_faults(entries: tuple[DayBands, ...]) -> list[CalendarFault]:
    """Every gap and overlap, told once for all days on which it is the same."""
    seen: dict[tuple[int, ...], list[_Span]] = {}
    found: dict[_Span, dict[DayType, set[MonthDay]]] = {}
    for day in YEAR:
        for type_ in DayType:
            speaking = tuple(i for i, each in enumerate(entries) if day in each.days and type_ in each.types)
            if speaking not in seen:
                seen[speaking] = list(_faults_of_day(_owned(entries, speaking)))
            for span in seen[speaking]:
                found.setdefault(span, {}).setdefault(type_, set()).add(day)
    faults: list[CalendarFault] = []
    for span, days_of in found.items():
        types_of: dict[frozenset[MonthDay], set[DayType]] = {}
        for type_, days in days_of.items():
            types_of.setdefault(frozenset(days), set()).add(type_)
        faults += [CalendarFault(days, frozenset(types), *span) for days, types in types_of.items()]
    return faults


def is_whole(entry: DayBands) -> bool:
    """Whether the entry alone shares out its days."""
    return not list(_faults_of_day(_owned((entry,), (0,))))


def _owned(entries: tuple[DayBands, ...], speaking: tuple[int, ...]) -> list[_Owned]:
    pieces = [(piece, index) for index in speaking for window in entries[index].windows for piece in window.pieces()]
    return sorted(pieces, key=lambda each: (each[0].start, each[0].end, each[1]))


def _faults_of_day(pieces: list[_Owned]) -> Iterator[_Span]:
    """Pieces are sorted. Each is held against the one that reaches furthest so far."""
    blamed = min((index for _, index in pieces), default=None)
    reach, holder = 0, None
    for piece, index in pieces:
        if piece.start > reach:
            yield _Span(reach, piece.start, (), blamed)
        elif holder is not None and piece.start < reach:
            yield _Span(piece.start, min(reach, piece.end), (holder, piece.band), index)
        if piece.end > reach:
            reach, holder = piece.end, piece.band
    if reach < MINUTES:
        yield _Span(reach, MINUTES, (), blamed)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Each minute of each day of each type has exactly one band. Raises ValueError where that is not so."""

    entries: tuple[DayBands, ...]
    _days: Mapping[MonthDay, Mapping[DayType, tuple[Window, ...]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if calendar_faults(self.entries):
            raise ValueError("the windows of a calendar leave gaps or overlap")
        sorted_pieces = [tuple(piece for piece, _ in _owned(self.entries, (i,))) for i in range(len(self.entries))]
        days: dict[MonthDay, dict[DayType, tuple[Window, ...]]] = {day: {} for day in YEAR}
        for entry, pieces in zip(self.entries, sorted_pieces, strict=True):
            for day in entry.days:
                for type_ in entry.types:
                    # Two entries may share out one day.
                    days[day][type_] = tuple(sorted((*days[day].get(type_, ()), *pieces), key=lambda each: each.start))
        object.__setattr__(self, "_days", days)

    def windows(self, day: MonthDay, type_: DayType) -> tuple[Window, ...]:
        """The day from 00:00 to 24:00, in order, without a gap."""
        return self._days[day][type_]
