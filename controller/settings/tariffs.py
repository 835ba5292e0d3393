"""A tariff file as calendars and rates that lack only what each site has of its own.

Everything that is wrong with the file is found here, whoever uses it; docs/tariffs.md tells the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path

from controller.core.tariff import DemandCharge, Form, SeasonPrices, Source, Version, missing_prices
from controller.core.tariff_calendar import (
    MINUTES,
    YEAR,
    Band,
    Calendar,
    CalendarFault,
    DayBands,
    DayType,
    MonthDay,
    Window,
    calendar_faults,
    days_of_month,
    is_whole,
    season,
)
from controller.core.tariff_words import clock, season_words, type_words
from controller.core.text import Text
from controller.settings.document import Where
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading, read
from controller.settings.schema.tariffs import (
    GIVEN_BY_SITE,
    WINDOW,
    BandWindowsEntry,
    ChargesEntry,
    DayBandsEntry,
    DemandChargeEntry,
    PricesEntry,
    RateHead,
    SeasonEntry,
    TariffFile,
    TariffHead,
    TariffPricesEntry,
    TariffSourceEntry,
    VersionEntry,
)

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SeasonDraft:
    """known: published prices, or ratios to the flat price. asked: the bands whose price each site gives."""

    days: frozenset[MonthDay]
    known: Mapping[Band, float]
    asked: frozenset[Band]


@dataclass(frozen=True, slots=True)
class VersionDraft:
    """A version without what the site gives. charges: None where there are none."""

    entry: VersionEntry
    calendar: Calendar
    seasons: tuple[SeasonDraft, ...]
    demand_charges: tuple[DemandCharge, ...] = ()
    capacity_charge: float | None = None

    @property
    def is_ratios(self) -> bool:
        return self.entry.ratios is not None

    @property
    def charges_asked(self) -> bool:
        return self.entry.charges == GIVEN_BY_SITE

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(source_of(each) for each in self.entry.sources)

    def version(
        self,
        prices: tuple[SeasonPrices, ...],
        demand_charges: tuple[DemandCharge, ...],
        capacity_charge: float | None,
    ) -> Version:
        return Version(
            self.entry.first,
            self.entry.until,
            self.calendar,
            prices,
            demand_charges,
            capacity_charge,
            self.sources,
        )


@dataclass(frozen=True, slots=True)
class RateDraft:
    id: str
    title: Text
    form: Form
    versions: tuple[VersionDraft, ...]


@dataclass(frozen=True, slots=True)
class TariffDraft:
    """rates: the sound ones. declared: the ids of all, the defective too."""

    reading: Reading[TariffFile]
    head: TariffHead | None
    rates: Mapping[str, RateDraft]
    declared: frozenset[str]

    @property
    def band_names(self) -> dict[Band, Text]:
        if self.head is None:
            return {}
        entries = {band: getattr(self.head.band_names, band.value) for band in Band}
        return {band: entry.text() for band, entry in entries.items() if entry is not None}


def source_of(entry: TariffSourceEntry) -> Source:
    return Source(entry.document, entry.status, entry.note)


def read_tariff(file: Path, problems: Problems) -> TariffDraft | None:
    """The file with everything noted that is wrong with it; None where it is no YAML file."""
    reading = read(file, TariffFile, problems)
    return None if reading is None else _Compiler(reading, problems).draft()


def days_of(entry: SeasonEntry) -> frozenset[MonthDay]:
    """The days that an entry speaks of. Raises ValueError "what is wrong; what would be right"."""
    if entry.months is not None and entry.dates is not None:
        raise ValueError("'months' and 'dates' are both said; keep one of them")
    if entry.months is not None:
        return frozenset(day for month in entry.months for day in days_of_month(month))
    if entry.dates is not None:
        return frozenset(day for span in entry.dates for day in _days_of_span(span))
    return frozenset(YEAR)


def _days_of_span(span: str) -> frozenset[MonthDay]:
    first, last = (MonthDay(*map(int, each.split("-"))) for each in span.split(" to "))
    for day in (first, last):
        if day not in YEAR:
            raise ValueError(f"there is no day {day.month:02d}-{day.day:02d}; write month and day like 05-16 to 10-15")
    return season(first, last)


def prices_of(entry: PricesEntry | TariffPricesEntry) -> dict[Band, float | str]:
    """The bands that an entry gives a price or a ratio, or says that the site does."""
    found: dict[Band, float | str] = {}
    for band in Band:
        price = getattr(entry, band.value)
        if price is not None:
            found[band] = price
    return found


def twice(seasons: Iterable[tuple[frozenset[MonthDay], Iterable[Band]]]) -> list[tuple[int, Band, frozenset[MonthDay]]]:
    """Bands that get a price from two entries on the same days: the later entry's index, the band, the days."""
    seen: dict[Band, set[MonthDay]] = {}
    found: list[tuple[int, Band, frozenset[MonthDay]]] = []
    for index, (days, bands) in enumerate(seasons):
        for band in bands:
            before = seen.setdefault(band, set())
            if both := days & before:
                found.append((index, band, frozenset(both)))
            before |= days
    return found


# --- the file ---------------------------------------------------------------------------------------------------------


@dataclass
class _Compiler:
    reading: Reading[TariffFile]
    problems: Problems
    calendars: dict[str, Calendar | None] = field(default_factory=dict[str, "Calendar | None"])
    rates: dict[str, RateDraft] = field(default_factory=dict[str, RateDraft])
    declared: dict[str, Where] = field(default_factory=dict[str, Where])

    def draft(self) -> TariffDraft:
        head = self.reading.piece((), TariffHead)
        name = self.reading.document.file.stem
        if head is not None and head.tariff != name:
            self._tell(("tariff",), f"the tariff calls itself '{head.tariff}'", f"its file says '{shown(name)}'")
        for where in self.reading.items(("calendars",)):
            self.calendars[str(where[-1])] = self._calendar(where, has_holidays=head is None or bool(head.holidays))
        for where in self.reading.items(("rates",)):
            self._rate(where)
        return TariffDraft(self.reading, head, self.rates, frozenset(self.declared))

    def _tell(self, where: Where, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line(where), wrong, right)

    def _days(self, where: Where, entry: SeasonEntry) -> frozenset[MonthDay] | None:
        try:
            return days_of(entry)
        except ValueError as error:
            wrong, _, right = str(error).partition("; ")
            self._tell((*where, "dates"), wrong, right)
            return None

    # --- calendars ---

    def _calendar(self, where: Where, *, has_holidays: bool) -> Calendar | None:
        entries = [self._day_bands(each, has_holidays=has_holidays) for each in self.reading.items(where)]
        sound = tuple(each for each in entries if each is not None)
        if not sound or len(sound) < len(entries):
            return None  # told already; every hole that this leaves would be an echo
        if self._tell_days_said_twice(where, sound):
            return None
        faults = calendar_faults(sound)
        for fault in faults:
            self._tell_fault(where, fault)
        return None if faults else Calendar(sound)

    def _day_bands(self, where: Where, *, has_holidays: bool) -> DayBands | None:
        entry = self.reading.piece(where, DayBandsEntry)
        if entry is None or self.reading.has_unknown(where):
            return None
        days = self._days(where, entry)
        types = frozenset(DayType) if entry.days == "all" else frozenset(DayType(each) for each in entry.days)
        if DayType.HOLIDAY in types and types != frozenset(DayType) and not has_holidays:
            self._tell((*where, "days"), "the days speak of holidays and the tariff lists none", "add 'holidays'")
        windows = self._windows((*where, "bands"), entry.bands)
        return None if days is None or windows is None else DayBands(days, types, windows)

    def _windows(self, where: Where, entry: BandWindowsEntry) -> tuple[Window, ...] | None:
        found: list[Window] = []
        sound = True
        for band in Band:
            for index, text in enumerate(getattr(entry, band.value) or ()):
                start, end = _minutes(text)
                if start == end:
                    wrong = f"the window {text} is empty"
                    self._tell((*where, band.value, index), wrong, "write 00:00-24:00 for the whole day")
                    sound = False
                else:
                    found.append(Window(start, end, band))
        return tuple(found) if sound else None

    def _tell_days_said_twice(self, where: Where, entries: tuple[DayBands, ...]) -> bool:
        """Days that two entries share out whole: one problem, not one for each of their hours."""
        whole = [(index, each) for index, each in enumerate(entries) if is_whole(each)]
        found = False
        for (first, above), (second, entry) in combinations(whole, 2):
            days, types = above.days & entry.days, above.types & entry.types
            if days and types:
                line = self.reading.document.line((*where, first))
                wrong = f"{type_words(types).en}, {season_words(days).en}, have an entry already, on line {line}"
                self._tell((*where, second), wrong, "leave these days to one of them")
                found = True
        return found

    def _tell_fault(self, where: Where, fault: CalendarFault) -> None:
        when = f"{clock(fault.start)} to {clock(fault.end)}"
        on = f"{type_words(fault.types).en}, {season_words(fault.days).en}"
        if fault.entry is None:
            self._tell(where, f"nothing is said about {on}", "add an entry for these days")
        elif not fault.bands:
            self._tell((*where, fault.entry, "bands"), f"no band from {when} ({on})", "give these hours to a band")
        else:
            first, second = (band.value for band in fault.bands)
            wrong = f"two bands, {first} and {second}, from {when} ({on})"
            if first == second:
                wrong = f"{first} is said twice from {when} ({on})"
            self._tell((*where, fault.entry, "bands", second), wrong, "leave these hours to one of them")

    # --- rates ---

    def _rate(self, where: Where) -> None:
        head = self.reading.piece(where, RateHead)
        if head is None:
            said = self.reading.document.get((*where, "id"))
            if isinstance(said, str):
                self.declared.setdefault(said, where)
            return
        if head.id in self.declared:
            line = self.reading.document.line(self.declared[head.id])
            self._tell((*where, "id"), f"the rate '{head.id}' is there already, on line {line}", "give one another id")
            return
        self.declared[head.id] = where
        places = self.reading.items((*where, "versions"))
        entries = [self.reading.piece(each, VersionEntry) for each in places]
        read_ = [(place, entry) for place, entry in zip(places, entries, strict=True) if entry is not None]
        if read_ and len(read_) == len(places):
            read_ = self._one_after_another(read_)
        versions = [self._version(place, entry, head.form) for place, entry in read_]
        sound = tuple(each for each in versions if each is not None)
        if sound and len(sound) == len(places):
            self.rates[head.id] = RateDraft(head.id, head.title.text(), head.form, sound)

    def _one_after_another(self, versions: list[tuple[Where, VersionEntry]]) -> list[tuple[Where, VersionEntry]]:
        """The versions with the ends that their successors give them; days between or in two of them are told."""
        for where, entry in versions:
            if entry.until is not None and entry.until < entry.first:
                self._tell((*where, "until"), f"it ends on {entry.until}, before it begins", "write its last day")
                return []
        for (_, earlier), (where, later) in pairwise(versions):
            if later.first <= earlier.first:
                wrong = f"this version begins on {later.first}, not after the one before it ({earlier.first})"
                self._tell((*where, "from"), wrong, "put the versions in the order of their dates")
                return []
            if earlier.until is not None and earlier.until != later.first - _ONE_DAY:
                self._tell_break(where, earlier, later)
                return []
        lasts = [*(later.first - _ONE_DAY for _, later in versions[1:]), versions[-1][1].until]
        return [
            (where, entry.model_copy(update={"until": last}))
            for (where, entry), last in zip(versions, lasts, strict=True)
        ]

    def _tell_break(self, where: Where, earlier: VersionEntry, later: VersionEntry) -> None:
        assert earlier.until is not None
        if earlier.until < later.first:
            gap = f"{earlier.until + _ONE_DAY} to {later.first - _ONE_DAY}"
            wrong = f"no version is in force from {gap}"
        else:
            wrong = f"two versions are in force from {later.first} to {earlier.until}"
        self._tell((*where, "from"), wrong, f"leave out 'until: {earlier.until}' above, or mend one of the two dates")

    def _version(self, where: Where, entry: VersionEntry, form: Form) -> VersionDraft | None:
        if self.reading.has_unknown(where):
            return None
        is_charged = self._fits(where, entry, form)
        calendar = self.calendars.get(entry.calendar)
        if entry.calendar not in self.calendars:
            known = nearest(entry.calendar, self.calendars, "calendars")
            self._tell((*where, "calendar"), f"there is no calendar '{shown(entry.calendar)}'", known)
        if (entry.prices is None) == (entry.ratios is None):
            said = "neither 'prices' nor 'ratios' is said" if entry.prices is None else "'prices' and 'ratios' are said"
            self._tell((*where, "ratios"), said, "give prices per kWh, or ratios to the flat price of the site")
            return None
        key = "ratios" if entry.prices is None else "prices"
        seasons = self._seasons((*where, key), entry)
        if seasons is None or calendar is None or not is_charged:
            return None
        if not self._covers((*where, key), entry, calendar, seasons):
            return None
        charges = entry.charges if isinstance(entry.charges, ChargesEntry) else ChargesEntry()
        demand = tuple(_demand_charge(each) for each in charges.demand or ())
        return VersionDraft(entry, calendar, seasons, demand, charges.capacity)

    def _fits(self, where: Where, entry: VersionEntry, form: Form) -> bool:
        """Whether it has the charges that belong to its form, and no others."""
        tell = partial(self._tell, (*where, "charges"))
        if form is Form.SINGLE_PART and entry.charges is not None:
            tell("single-part prices stand beside a charge for demand or capacity", "remove 'charges', or say two_part")
        elif form is Form.TWO_PART and entry.charges is None:
            tell(
                "two-part prices stand without a charge for demand or capacity",
                f"add 'charges' (or 'charges: {GIVEN_BY_SITE}'), or say single_part",
            )
        elif isinstance(entry.charges, ChargesEntry) and entry.charges == ChargesEntry():
            tell("'charges' names none", "give 'demand' or 'capacity'")
        else:
            return True
        return False

    def _seasons(self, where: Where, entry: VersionEntry) -> tuple[SeasonDraft, ...] | None:
        found: list[SeasonDraft] = []
        entries = entry.prices if entry.ratios is None else entry.ratios
        assert entries is not None
        for index, each in enumerate(entries):
            days, prices = self._days((*where, index), each), prices_of(each)
            if days is None:
                return None
            known = {band: price for band, price in prices.items() if not isinstance(price, str)}
            found.append(SeasonDraft(days, known, frozenset(prices) - frozenset(known)))
        doubles = twice((each.days, (*each.known, *each.asked)) for each in found)
        for index, band, days in doubles:
            wrong = f"{band.value} has a second price here ({season_words(days).en})"
            self._tell((*where, index, band.value), wrong, "keep one of them")
        return None if doubles else tuple(found)

    def _covers(self, where: Where, entry: VersionEntry, calendar: Calendar, seasons: tuple[SeasonDraft, ...]) -> bool:
        told = [SeasonPrices(each.days, {**each.known, **dict.fromkeys(each.asked, 0.0)}) for each in seasons]
        missing = missing_prices(calendar, told, entry.first, entry.until)
        for band, days in missing.items():
            what = "ratio" if entry.prices is None else "price"
            self._tell(where, f"{band.value} has no {what} ({season_words(days).en})", f"add its {what}")
        return not missing


def _minutes(window: str) -> tuple[int, int]:
    match = WINDOW.fullmatch(window)
    assert match is not None  # the schema has seen to it
    hour, minute = int(match[1]), int(match[2])
    end = MINUTES if match[3] is None else int(match[3]) * 60 + int(window[-2:])
    return hour * 60 + minute, end


def _demand_charge(entry: DemandChargeEntry) -> DemandCharge:
    return DemandCharge(
        entry.price,
        entry.interval,
        frozenset(entry.months or range(1, 13)),
        frozenset(entry.bands or Band),
    )
