"""The tide of traffic: which clock hours of which day of the week are peaks, learned from what was counted.

Each hour's typical traffic is the median over the same hours of the weeks looked back upon, so that one event makes no
peak and one quiet day takes none away. An hour is a peak where it reaches a share of the busiest hours. Holidays are
days of their own; days that were seen too seldom take what all working days, or all weekends, have shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median
from typing import TypeAlias

from controller.core.ports import Aggregate
from controller.core.strategy import Observation, PlanInput, Role

LOOK_BACK = timedelta(days=28)
"""Four weeks: each hour of the week is seen four times, and a change of habits is learned within two."""

HOLIDAY = 7
"""The kind of day after Monday to Sunday, which are 0 to 6."""

_WORKING_DAYS, _WEEKEND = range(5), range(5, 7)
# An hour of a kind of day is known once it was seen so often.
_LEAST_SEEN = 2
# Less of an hour than this says nothing about it.
_LEAST_GOOD_SHARE = 0.5
# The busiest hours, of which a peak has to reach a share: their mean, so that no single hour decides.
_BUSIEST = 3
_HOURS = 24

Peaks: TypeAlias = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Tide:
    """days: for Monday to Sunday and holidays, whether each clock hour is a peak; None where too little is known.

    holidays: those that may come while this is in force.
    """

    days: tuple[Peaks | None, ...]
    holidays: tuple[date, ...] = ()

    def peaks(self, day: date) -> Peaks | None:
        kind = HOLIDAY if day in self.holidays else day.weekday()
        return self.days[kind]


@dataclass(frozen=True, slots=True)
class Counted:
    """One hour's traffic; start: local clock time."""

    start: datetime
    traffic: float


def learned_tide(hours: Iterable[Counted], holidays: Collection[date], peak_share: float) -> Tide:
    """peak_share: of the busiest hours' traffic that makes an hour a peak (0..1)."""
    seen: dict[tuple[int, int], list[float]] = {}
    for hour in hours:
        day = hour.start.date()
        kind = HOLIDAY if day in holidays else day.weekday()
        seen.setdefault((kind, hour.start.hour), []).append(hour.traffic)
    typical = [_typical(seen, kind) for kind in range(HOLIDAY + 1)]
    busiest = sorted((traffic for day in typical[:HOLIDAY] if day for traffic in day), reverse=True)[:_BUSIEST]
    limit = peak_share * fmean(busiest) if busiest else 0.0
    return Tide(
        tuple(None if day is None else tuple(limit > 0.0 and traffic >= limit for traffic in day) for day in typical)
    )


def _typical(seen: dict[tuple[int, int], list[float]], kind: int) -> tuple[float, ...] | None:
    """The traffic of each clock hour on days of a kind; None where one of the hours is not known."""
    alike = _WORKING_DAYS if kind in _WORKING_DAYS else _WEEKEND
    found: list[float] = []
    for hour in range(_HOURS):
        counted = seen.get((kind, hour), [])
        if len(counted) < _LEAST_SEEN:
            counted = [traffic for each in alike for traffic in seen.get((each, hour), [])]
        if len(counted) < _LEAST_SEEN:
            return None
        found.append(median(counted))
    return tuple(found)


def counted_motion(windows: Collection[Sequence[Aggregate]], local: Callable[[datetime], datetime]) -> list[Counted]:
    """Traffic as the share of the hour in which a sensor showed motion, mean of all sensors that were heard."""
    hours: dict[datetime, list[float]] = {}
    for window in windows:
        for hour in window:
            if hour.mean is not None and hour.good_share >= _LEAST_GOOD_SHARE:
                hours.setdefault(hour.start, []).append(hour.mean)
    return [Counted(local(start), fmean(shares)) for start, shares in sorted(hours.items())]


def counted_entries(windows: Collection[Sequence[Aggregate]], local: Callable[[datetime], datetime]) -> list[Counted]:
    """Traffic as what all counters have counted on within the hour; one that was reset counts nothing then."""
    hours: dict[datetime, float] = {}
    for window in windows:
        for hour in window:
            if hour.minimum is None or hour.last is None or hour.good_share < _LEAST_GOOD_SHARE:
                continue
            hours[hour.start] = hours.get(hour.start, 0.0) + max(0.0, hour.last - hour.minimum)
    return [Counted(local(start), entries) for start, entries in sorted(hours.items())]


def planned_tide(given: PlanInput, motions: Collection[Role], counters: Collection[Role], peak_share: float) -> Tide:
    """What the history windows of a plan teach: the entry counters where there are any, else the motion sensors."""

    def local(start: datetime) -> datetime:
        return start.astimezone(given.zone)

    holidays = frozenset[date]() if given.tariff is None else given.tariff.holidays
    if counters:
        hours = counted_entries([given.history.get(role, ()) for role in counters], local)
    else:
        hours = counted_motion([given.history.get(role, ()) for role in motions], local)
    tide = learned_tide(hours, holidays, peak_share)
    today = local(given.now).date()
    near = {today + timedelta(days=days) for days in range(-1, 9)}
    return Tide(tide.days, tuple(sorted(holidays & near)))


def learned_peak(seen: Observation) -> bool | None:
    """Whether it is a peak by the tide that was learned; None where nothing is known of this kind of day."""
    tide = seen.plan.value if seen.plan else None
    peaks = tide.peaks(seen.local.date()) if isinstance(tide, Tide) else None
    return None if peaks is None else peaks[seen.local.hour]
