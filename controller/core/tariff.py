"""What electricity costs at which time: versions in force one after another, with prices by band and charges.

A tariff is read off the wall clock. Where the clock is put forward, what would lie in the lost hour does not happen;
where it is put back, the repeated hour has its bands twice. Instants are aware; those that are returned are UTC: Python
compares and subtracts times of one zone as wall clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.tariff_calendar import BAND_NAMES, YEAR, Band, Calendar, DayType, MonthDay, day_type, month_day
from controller.core.text import Text

_ONE_DAY = timedelta(days=1)
_LONGEST_SEARCH = 367  # days; a calendar repeats itself after a year


class Form(StrEnum):
    """Single part: energy only. Two part: energy, and a charge for demand or capacity."""

    SINGLE_PART = "single_part"
    TWO_PART = "two_part"


# --- prices -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeasonPrices:
    """Money per kWh by band on these days."""

    days: frozenset[MonthDay]
    prices: Mapping[Band, float]


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """Money per month for each kW of the greatest mean power over `interval`, in these months and bands."""

    price: float
    interval: timedelta = timedelta(minutes=15)
    months: frozenset[int] = frozenset(range(1, 13))
    bands: frozenset[Band] = frozenset(Band)


class SourceStatus(StrEnum):
    """official: the published document was seen; secondary: quoted by others; provisional: may not be what is or will
    be in force."""

    OFFICIAL = "official"
    SECONDARY = "secondary"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Source:
    document: str
    status: SourceStatus
    note: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """What holds from `first` to `last`, both included; `last` is None where no end is known.

    capacity_charge: money per month for each kVA of connected transformers.
    """

    first: date
    last: date | None
    calendar: Calendar
    prices: tuple[SeasonPrices, ...]
    demand_charges: tuple[DemandCharge, ...] = ()
    capacity_charge: float | None = None
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise ValueError("a version ends before it begins")
        if missing_prices(self.calendar, self.prices, self.first, self.last):
            raise ValueError("a band that is in use has no price")

    def price(self, day: MonthDay, band: Band) -> float:
        """Money per kWh."""
        return next(each.prices[band] for each in self.prices if day in each.days and band in each.prices)

    def in_force(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


def days_in_force(first: date, last: date | None) -> frozenset[MonthDay]:
    """The days of a year that occur between two dates."""
    if last is None or (last - first).days >= len(YEAR):
        return frozenset(YEAR)
    return frozenset(month_day(first + index * _ONE_DAY) for index in range((last - first).days + 1))


def missing_prices(
    calendar: Calendar, prices: Iterable[SeasonPrices], first: date, last: date | None
) -> dict[Band, frozenset[MonthDay]]:
    """Bands in use -> the days on which they have no price."""
    used: dict[Band, set[MonthDay]] = {}
    in_force = days_in_force(first, last)
    for entry in calendar.entries:
        for band in {window.band for window in entry.windows}:
            used.setdefault(band, set()).update(entry.days & in_force)
    for each in prices:
        for band in each.prices:
            used.get(band, set()).difference_update(each.days)
    return {band: frozenset(days) for band, days in used.items() if days}


# --- the tariff -------------------------------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """A time in one band at one price; UTC. price: money per kWh."""

    start: datetime
    end: datetime
    band: Band
    price: float


class Change(NamedTuple):
    """band: None where the tariff has ended by then."""

    at: datetime
    band: Band | None


class Energy(NamedTuple):
    """What was consumed in [start, end); spread evenly over it."""

    start: datetime
    end: datetime
    kwh: float


class BandCost(NamedTuple):
    kwh: float
    money: float


@dataclass(frozen=True, slots=True)
class Cost:
    """by_band: only bands in which time was spent. unpriced: kWh consumed while no version was in force."""

    by_band: Mapping[Band, BandCost]
    unpriced: float = 0.0

    @property
    def money(self) -> float:
        return sum(each.money for each in self.by_band.values())

    @property
    def kwh(self) -> float:
        """All of it, the unpriced too."""
        return sum(each.kwh for each in self.by_band.values()) + self.unpriced


@dataclass(frozen=True, slots=True)
class Tariff:
    """A contract for electricity in one time zone.

    Where no version is in force there is no band and no price: look-ups answer None, and `cost_of` says what it could
    not price. names: what the contract calls its bands where that differs. carbon_factor: kg CO2 per kWh.
    """

    name: str
    title: Text
    rate: str
    form: Form
    currency: str
    zone: ZoneInfo
    versions: tuple[Version, ...]
    holidays: frozenset[date] = frozenset()
    names: Mapping[Band, Text] = field(default_factory=dict[Band, Text])
    carbon_factor: float | None = None
    carbon_source: Source | None = None

    def __post_init__(self) -> None:
        if not self.versions:
            raise ValueError("a tariff has at least one version")
        for earlier, later in pairwise(self.versions):
            if earlier.last is None or earlier.last != later.first - _ONE_DAY:
                raise ValueError("versions follow each other day by day")
        for version in self.versions:
            charged = bool(version.demand_charges) or version.capacity_charge is not None
            if charged != (self.form is Form.TWO_PART):
                raise ValueError("a charge for demand or capacity belongs to two-part prices, and only there")

    def band_name(self, band: Band) -> Text:
        return self.names.get(band, BAND_NAMES[band])

    def day_type(self, day: date) -> DayType:
        return day_type(day, self.holidays)

    def version_on(self, day: date) -> Version | None:
        """What is in force on a local date."""
        return next((version for version in self.versions if version.in_force(day)), None)

    def band_at(self, at: datetime) -> Band | None:
        found = self._at(at)
        return None if found is None else found[0]

    def price_at(self, at: datetime) -> float | None:
        """Money per kWh."""
        found = self._at(at)
        return None if found is None else found[1]

    def bands_of_day(self, day: date) -> tuple[Stretch, ...]:
        """A local date from midnight to midnight: 23 or 25 hours where the clock is changed. Empty where nothing is
        in force."""
        return tuple(_joined(self._stretches_of_day(day)))

    def stretches(self, start: datetime, end: datetime) -> Iterator[Stretch]:
        """[start, end) in order; what no version covers is left out."""
        return _joined(self._within(_utc(start), _utc(end), self.bands_of_day))

    def next_change(self, after: datetime) -> Change | None:
        """When the band becomes another one, looking a year ahead; None where it stays."""
        now = self.band_at(after)
        after = _utc(after)
        day = after.astimezone(self.zone).date()
        for index in range(_LONGEST_SEARCH):
            date_ = day + index * _ONE_DAY
            stretches = self._stretches_of_day(date_)
            if not stretches and now is not None:
                return Change(_utc(_midnight(date_, self.zone)), None)
            for stretch in stretches:
                if stretch.start > after and stretch.band is not now:
                    return Change(stretch.start, stretch.band)
        return None

    def cost_of(self, series: Iterable[Energy]) -> Cost:
        """What the energy of a series costs, each interval shared out exactly at the edges of its bands."""
        kwh: dict[Band, float] = {}
        money: dict[Band, float] = {}
        unpriced = 0.0
        of_day = lru_cache(maxsize=8)(self.bands_of_day)  # a series asks for the same day again and again
        for start, end, energy in series:
            start, end = _utc(start), _utc(end)
            if end <= start:
                raise ValueError(f"an interval ends at {end}, not after its start")
            left = end - start
            for stretch in self._within(start, end, of_day):
                share = energy * ((stretch.end - stretch.start) / (end - start))
                kwh[stretch.band] = kwh.get(stretch.band, 0.0) + share
                money[stretch.band] = money.get(stretch.band, 0.0) + share * stretch.price
                left -= stretch.end - stretch.start
            unpriced += energy * (left / (end - start))
        return Cost({band: BandCost(kwh[band], money[band]) for band in Band if band in kwh}, unpriced)

    def ends_on(self) -> date | None:
        """The last day for which anything is known; None where no end is."""
        return self.versions[-1].last

    def ends_within(self, today: date, span: timedelta) -> bool:
        """Whether the tariff ends (or has ended) so soon that somebody must see to the next one."""
        last = self.ends_on()
        return last is not None and last - today < span

    # --- the wall clock ---

    def _at(self, at: datetime) -> tuple[Band, float] | None:
        local = _aware(at).astimezone(self.zone)
        day = local.date()
        version = self.version_on(day)
        if version is None:
            return None
        minute = local.hour * 60 + local.minute
        windows = version.calendar.windows(month_day(day), self.day_type(day))
        band = next(window.band for window in windows if minute < window.end)
        return band, version.price(month_day(day), band)

    def _stretches_of_day(self, day: date) -> list[Stretch]:
        """One local date; not joined: the same band may come twice in a row."""
        version = self.version_on(day)
        if version is None:
            return []
        windows = version.calendar.windows(month_day(day), self.day_type(day))
        begin, end = _utc(_midnight(day, self.zone)), _utc(_midnight(day + _ONE_DAY, self.zone))
        instants = {begin, end, *_clock_changes(begin, end, self.zone)}
        for window in windows[1:]:
            wall = datetime.combine(day, time(*divmod(window.start, 60)), self.zone)
            # An edge in the hour that comes twice is there twice. In the hour that is left out both are instants at
            # which nothing changes: the look-up below decides.
            instants |= {_utc(wall.replace(fold=fold)) for fold in (0, 1)}
        edges = sorted(instant for instant in instants if begin <= instant <= end)
        found: list[Stretch] = []
        for here, there in pairwise(edges):
            told = self._at(here)
            if told is not None:
                found.append(Stretch(here, there, *told))
        return found

    def _within(
        self, start: datetime, end: datetime, of_day: Callable[[date], tuple[Stretch, ...]]
    ) -> Iterator[Stretch]:
        day = start.astimezone(self.zone).date()
        while _utc(_midnight(day, self.zone)) < end:
            yield from _cut(of_day(day), start, end)
            day += _ONE_DAY


def _cut(stretches: Iterable[Stretch], start: datetime, end: datetime) -> Iterator[Stretch]:
    for each in stretches:
        if each.start < end and each.end > start:
            yield each._replace(start=max(each.start, start), end=min(each.end, end))


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours of one band and price as one."""
    held: Stretch | None = None
    for each in stretches:
        if held is not None and (held.end, held.band, held.price) == (each.start, each.band, each.price):
            held = held._replace(end=each.end)
            continue
        if held is not None:
            yield held
        held = each
    if held is not None:
        yield held


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at


def _utc(at: datetime) -> datetime:
    return _aware(at).astimezone(UTC)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local date, also where 00:00 is left out or comes twice."""
    return datetime.combine(day, time(), zone)


def _clock_changes(begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instant at which the zone's offset changes between two others, to the second; at most one is looked for."""
    if begin.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        return []
    before, after = 0, round((end - begin).total_seconds())
    first = begin.astimezone(zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if (begin + timedelta(seconds=middle)).astimezone(zone).utcoffset() == first:
            before = middle
        else:
            after = middle
    return [begin + timedelta(seconds=after)]
