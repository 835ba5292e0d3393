"""Bands, prices and costs at the edges: of bands, seasons, years, versions and clocks."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from controller.core.tariff import (
    BandCost,
    Change,
    Cost,
    DemandCharge,
    Energy,
    Form,
    SeasonPrices,
    Stretch,
    Tariff,
    Version,
)
from controller.core.tariff_calendar import (
    YEAR,
    Band,
    Calendar,
    DayBands,
    DayType,
    MonthDay,
    Window,
    calendar_faults,
    days_of_month,
    season,
)
from controller.core.tariff_words import season_words, type_words
from controller.core.text import Text

SHENZHEN, LOS_ANGELES = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Los_Angeles")
HOUR = timedelta(hours=1)
VALLEY, FLAT, PEAK, SUPER_PEAK = Band.VALLEY, Band.FLAT, Band.PEAK, Band.SUPER_PEAK
ALL = frozenset(DayType)
SUMMER = frozenset(day for month in (7, 8, 9) for day in days_of_month(month))
REST = frozenset(YEAR) - SUMMER
PRICES = {VALLEY: 0.25, FLAT: 0.5, PEAK: 1.0, SUPER_PEAK: 2.0}


def windows(*told: tuple[int, int, Band]) -> tuple[Window, ...]:
    """In hours."""
    return tuple(Window(start * 60, end * 60, band) for start, end, band in told)


NIGHT = windows((22, 6, VALLEY), (6, 22, FLAT))
SUMMER_DAY = windows((22, 6, VALLEY), (6, 12, FLAT), (12, 14, PEAK), (14, 22, FLAT))
CALENDAR = Calendar((DayBands(REST, ALL, NIGHT), DayBands(SUMMER, ALL, SUMMER_DAY)))


def version(
    calendar: Calendar = CALENDAR, first: date = date(2020, 1, 1), last: date | None = None, factor: float = 1.0
) -> Version:
    prices = {band: price * factor for band, price in PRICES.items()}
    return Version(first, last, calendar, (SeasonPrices(frozenset(YEAR), prices),))


def tariff(
    *versions: Version, zone: ZoneInfo = SHENZHEN, holidays: Iterable[date] = (), form: Form = Form.SINGLE_PART
) -> Tariff:
    return Tariff(
        "test", Text("Test", "测试"), "only", form, "CNY", zone, versions or (version(),), frozenset(holidays)
    )


def at(told: str, zone: ZoneInfo = SHENZHEN) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=zone)


# --- bands ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when, band",
    [
        ("2026-07-06T00:00:00", VALLEY),
        ("2026-07-06T05:59:59.999999", VALLEY),
        ("2026-07-06T06:00:00", FLAT),
        ("2026-07-06T11:59:59", FLAT),
        ("2026-07-06T12:00:00", PEAK),
        ("2026-07-06T13:59:59", PEAK),
        ("2026-07-06T14:00:00", FLAT),
        ("2026-07-06T21:59:59", FLAT),
        ("2026-07-06T22:00:00", VALLEY),
        ("2026-07-06T23:59:59.999999", VALLEY),
        ("2026-06-30T12:00:00", FLAT),
        ("2026-07-01T12:00:00", PEAK),
        ("2026-09-30T13:59:59", PEAK),
        ("2026-10-01T12:00:00", FLAT),
        ("2028-02-29T12:00:00", FLAT),
        ("2028-02-29T23:00:00", VALLEY),
    ],
)
def test_the_band_at_an_edge(when: str, band: Band) -> None:
    assert tariff().band_at(at(when)) is band
    assert tariff().price_at(at(when)) == PRICES[band]


def test_the_time_of_any_zone_is_taken_to_the_tariffs_own() -> None:
    assert tariff().band_at(datetime(2026, 7, 6, 4, 0, tzinfo=UTC)) is PEAK
    with pytest.raises(ValueError, match="has no time zone"):
        tariff().band_at(datetime(2026, 7, 6, 12, 0))  # noqa: DTZ001 - what is refused


def test_a_window_over_midnight_is_both_ends_of_one_day() -> None:
    """Where Saturday differs, Friday's night ends at midnight."""
    weekend = frozenset({DayType.WEEKEND})
    rest = ALL - weekend
    calendar = Calendar(
        (DayBands(frozenset(YEAR), rest, NIGHT), DayBands(frozenset(YEAR), weekend, windows((0, 24, PEAK))))
    )
    found = tariff(version(calendar))
    friday, saturday = date(2026, 7, 10), date(2026, 7, 11)
    assert [(each.band, each.end - each.start) for each in found.bands_of_day(friday)] == [
        (VALLEY, 6 * HOUR),
        (FLAT, 16 * HOUR),
        (VALLEY, 2 * HOUR),
    ]
    assert [each.band for each in found.bands_of_day(saturday)] == [PEAK]


@pytest.mark.parametrize(
    "day, type_, band",
    [
        (date(2026, 10, 2), DayType.HOLIDAY, VALLEY),  # a Friday
        (date(2026, 10, 3), DayType.HOLIDAY, VALLEY),  # a Saturday
        (date(2026, 10, 9), DayType.WEEKDAY, PEAK),
        (date(2026, 10, 10), DayType.WEEKEND, FLAT),
        (date(2026, 10, 11), DayType.WEEKEND, FLAT),
        (date(2026, 10, 12), DayType.WEEKDAY, PEAK),
    ],
)
def test_the_type_of_a_day(day: date, type_: DayType, band: Band) -> None:
    year = frozenset(YEAR)
    calendar = Calendar(
        (
            DayBands(year, frozenset({DayType.WEEKDAY}), windows((0, 24, PEAK))),
            DayBands(year, frozenset({DayType.WEEKEND}), windows((0, 24, FLAT))),
            DayBands(year, frozenset({DayType.HOLIDAY}), windows((0, 24, VALLEY))),
        )
    )
    found = tariff(version(calendar), holidays=[date(2026, 10, 2), date(2026, 10, 3)])
    assert found.day_type(day) is type_
    assert [each.band for each in found.bands_of_day(day)] == [band]


def test_a_season_by_dates_goes_over_the_turn_of_the_year() -> None:
    winter = season(MonthDay(11, 16), MonthDay(3, 14))
    assert {MonthDay(11, 16), MonthDay(12, 31), MonthDay(1, 1), MonthDay(2, 29), MonthDay(3, 14)} <= winter
    assert not {MonthDay(11, 15), MonthDay(3, 15)} & winter


# --- gaps and overlaps ------------------------------------------------------------------------------------------------


def test_a_whole_calendar_has_no_fault() -> None:
    assert calendar_faults(CALENDAR.entries) == []


def test_the_leap_day_is_a_day_like_any_other() -> None:
    without = season(MonthDay(3, 1), MonthDay(2, 28))
    faults = calendar_faults((DayBands(without, ALL, NIGHT),))
    assert [(each.days, each.types, each.start, each.end, each.entry) for each in faults] == [
        (frozenset({MonthDay(2, 29)}), ALL, 0, 1440, None)
    ]
    assert season_words(faults[0].days).en == "29 February"


@pytest.mark.parametrize(
    "told, expected",
    [
        (((0, 10, VALLEY), (11, 24, FLAT)), [(600, 660, ())]),
        (((1, 24, FLAT),), [(0, 60, ())]),
        (((0, 23, FLAT),), [(1380, 1440, ())]),
        (((0, 12, VALLEY), (11, 24, FLAT)), [(660, 720, (VALLEY, FLAT))]),
        (((0, 24, FLAT), (11, 12, PEAK)), [(660, 720, (FLAT, PEAK))]),
        (((0, 24, FLAT), (1, 3, PEAK), (2, 4, VALLEY)), [(60, 180, (FLAT, PEAK)), (120, 240, (FLAT, VALLEY))]),
        (((22, 6, VALLEY), (5, 22, FLAT)), [(300, 360, (VALLEY, FLAT))]),
        (((0, 24, FLAT), (22, 2, FLAT)), [(0, 120, (FLAT, FLAT)), (1320, 1440, (FLAT, FLAT))]),
        (((0, 8, FLAT), (9, 12, PEAK), (10, 20, FLAT)), [(480, 540, ()), (600, 720, (PEAK, FLAT)), (1200, 1440, ())]),
    ],
)
def test_faults_of_a_day(
    told: tuple[tuple[int, int, Band], ...], expected: list[tuple[int, int, tuple[Band, ...]]]
) -> None:
    entries = (DayBands(frozenset(YEAR), ALL, windows(*told)),)
    assert sorted((each.start, each.end, each.bands) for each in calendar_faults(entries)) == expected
    with pytest.raises(ValueError, match="gaps or overlap"):
        Calendar(entries)


def test_two_entries_may_share_out_a_day() -> None:
    year = frozenset(YEAR)
    calendar = Calendar(
        (
            DayBands(year, ALL, windows((0, 8, VALLEY), (12, 24, FLAT))),
            DayBands(SUMMER, ALL, windows((8, 12, PEAK))),
            DayBands(REST, ALL, windows((8, 12, FLAT))),
        )
    )
    assert [each.band for each in calendar.windows(MonthDay(7, 1), DayType.WEEKDAY)] == [VALLEY, PEAK, FLAT]


@pytest.mark.parametrize(
    "days, english, chinese",
    [
        (YEAR, "all year", "全年"),
        (SUMMER, "July to September", "7月至9月"),
        (REST, "October to June", "10月至6月"),
        (days_of_month(2), "February", "2月"),
        ([MonthDay(2, 29)], "29 February", "2月29日"),
        (season(MonthDay(5, 16), MonthDay(10, 15)), "16 May to 15 October", "5月16日至10月15日"),
        ([*days_of_month(1), *days_of_month(3)], "January and March", "1月、3月"),
    ],
)
def test_days_in_words(days: Iterable[MonthDay], english: str, chinese: str) -> None:
    assert season_words(list(days)) == Text(english, chinese)


def test_types_in_words() -> None:
    assert type_words(ALL) == Text("every day", "每天")
    assert type_words([DayType.HOLIDAY, DayType.WEEKEND]) == Text("weekends and holidays", "周末、节假日")


# --- clocks that are changed ------------------------------------------------------------------------------------------

EARLY = Calendar(
    (
        DayBands(
            frozenset(YEAR),
            ALL,
            (Window(0, 90, VALLEY), Window(90, 150, PEAK), Window(150, 1440, FLAT)),  # 01:30 and 02:30
        ),
    )
)


def hours(stretches: Iterable[Stretch]) -> list[tuple[Band, float]]:
    return [(each.band, (each.end - each.start) / HOUR) for each in stretches]


def test_the_day_without_its_hour() -> None:
    """01:59:59 is followed by 03:00: peak has lost its second half, and ends with the clock."""
    found = tariff(version(EARLY), zone=LOS_ANGELES)
    day = found.bands_of_day(date(2026, 3, 8))
    assert hours(day) == [(VALLEY, 1.5), (PEAK, 0.5), (FLAT, 21.0)]
    assert day[1].end == datetime(2026, 3, 8, 10, 0, tzinfo=UTC)
    assert found.next_change(at("2026-03-08T01:45", LOS_ANGELES)) == Change(day[1].end, FLAT)


def test_the_day_with_an_hour_twice() -> None:
    """From 01:00 to 02:00 twice: 01:30 comes twice, and in between the clock goes back into the valley."""
    found = tariff(version(EARLY), zone=LOS_ANGELES)
    assert hours(found.bands_of_day(date(2026, 11, 1))) == [
        (VALLEY, 1.5),
        (PEAK, 0.5),
        (VALLEY, 0.5),
        (PEAK, 1.0),
        (FLAT, 21.5),
    ]


@pytest.mark.parametrize("day, length", [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 6), 24)])
def test_a_constant_load_on_the_days_when_the_clock_is_changed(day: date, length: int) -> None:
    found = tariff(zone=LOS_ANGELES)
    begin = datetime(day.year, day.month, day.day, tzinfo=LOS_ANGELES).astimezone(UTC)
    cost = found.cost_of([Energy(begin, begin + length * HOUR, 10.0 * length)])
    night = 8 - (24 - length)
    assert cost.by_band[VALLEY].kwh == pytest.approx(10 * night)
    assert cost.kwh == pytest.approx(10 * length)
    assert cost.unpriced == 0.0


@pytest.mark.parametrize("zone", ["America/Havana", "Asia/Beirut", "America/Sao_Paulo", "Australia/Lord_Howe"])
def test_clocks_changed_at_midnight_or_by_half_an_hour(zone: str) -> None:
    """Each local day begins where the one before it ends, and together they are the year."""
    found = tariff(zone=ZoneInfo(zone))
    stretches = [each for index in range(366) for each in found.bands_of_day(date(2017, 1, 1) + timedelta(index))]
    assert all(earlier.end == later.start for earlier, later in pairwise(stretches))


# --- from one band to the next ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "after, change",
    [
        ("2026-07-06T00:00", ("2026-07-06T06:00", FLAT)),
        ("2026-07-06T05:59:59", ("2026-07-06T06:00", FLAT)),
        ("2026-07-06T06:00", ("2026-07-06T12:00", PEAK)),
        ("2026-07-06T22:00", ("2026-07-07T06:00", FLAT)),
        ("2026-06-30T15:00", ("2026-06-30T22:00", VALLEY)),
    ],
)
def test_the_next_change(after: str, change: tuple[str, Band]) -> None:
    assert tariff().next_change(at(after)) == Change(at(change[0]), change[1])


def test_a_tariff_that_never_changes() -> None:
    always = Calendar((DayBands(frozenset(YEAR), ALL, windows((0, 24, FLAT))),))
    assert tariff(version(always)).next_change(at("2026-07-06T12:00")) is None


# --- versions ---------------------------------------------------------------------------------------------------------

CHEAP = version(first=date(2026, 1, 1), last=date(2026, 6, 30))
DEAR = version(first=date(2026, 7, 1), last=date(2026, 12, 31), factor=2)


def test_versions_one_after_another() -> None:
    found = tariff(CHEAP, DEAR)
    assert found.price_at(at("2026-06-30T23:59:59")) == 0.25
    assert found.price_at(at("2026-07-01T00:00")) == 0.5
    night = Energy(at("2026-06-30T22:00"), at("2026-07-01T06:00"), 8.0)
    assert found.cost_of([night]).money == pytest.approx(2 * 0.25 + 6 * 0.5)
    assert [each.price for each in found.stretches(night.start, night.end)] == [0.25, 0.5]


def test_before_the_first_and_after_the_last_nothing_is_known() -> None:
    found = tariff(CHEAP, DEAR)
    for when in ("2025-12-31T23:59", "2027-01-01T00:00"):
        assert (found.band_at(at(when)), found.price_at(at(when))) == (None, None)
    assert found.bands_of_day(date(2027, 1, 1)) == ()
    assert found.next_change(at("2026-12-31T23:00")) == Change(at("2027-01-01T00:00"), None)
    assert found.next_change(at("2025-12-31T23:00")) == Change(at("2026-01-01T00:00"), VALLEY)
    assert found.next_change(at("2027-01-01T23:00")) is None
    over = found.cost_of([Energy(at("2026-12-31T22:00"), at("2027-01-01T02:00"), 4.0)])
    assert over == Cost({VALLEY: BandCost(2.0, 1.0)}, unpriced=2.0)


@pytest.mark.parametrize(
    "today, within",
    [
        (date(2026, 11, 30), False),
        (date(2026, 12, 1), False),
        (date(2026, 12, 2), True),
        (date(2026, 12, 31), True),
        (date(2027, 2, 1), True),
    ],
)
def test_a_tariff_that_ends_is_seen_a_month_before(today: date, within: bool) -> None:
    assert tariff(CHEAP, DEAR).ends_within(today, timedelta(days=30)) is within
    assert tariff(CHEAP, DEAR).ends_on() == date(2026, 12, 31)


def test_a_tariff_without_an_end() -> None:
    assert tariff().ends_on() is None
    assert not tariff().ends_within(date(9999, 12, 31), timedelta(days=30))


def test_what_is_not_in_force_needs_no_price() -> None:
    """A table for July only."""
    july = SeasonPrices(frozenset(days_of_month(7)), PRICES)
    Version(date(2026, 7, 1), date(2026, 7, 31), CALENDAR, (july,))
    with pytest.raises(ValueError, match="no price"):
        Version(date(2026, 7, 1), date(2026, 8, 1), CALENDAR, (july,))


@pytest.mark.parametrize(
    "versions, form, words",
    [
        ((), Form.SINGLE_PART, "at least one version"),
        ((DEAR, CHEAP), Form.SINGLE_PART, "day by day"),
        ((version(), DEAR), Form.SINGLE_PART, "day by day"),
        ((CHEAP,), Form.TWO_PART, "belongs to two-part"),
    ],
)
def test_what_cannot_be_a_tariff(versions: tuple[Version, ...], form: Form, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Tariff("test", Text("", ""), "only", form, "CNY", SHENZHEN, versions)


def test_a_charge_belongs_to_two_parts() -> None:
    charged = Version(date(2020, 1, 1), None, CALENDAR, version().prices, (DemandCharge(36.1),))
    assert tariff(charged, form=Form.TWO_PART).versions[0].demand_charges[0].price == 36.1
    with pytest.raises(ValueError, match="belongs to two-part"):
        tariff(charged)


# --- cost -------------------------------------------------------------------------------------------------------------


def test_an_interval_is_shared_out_at_the_edge_of_its_bands() -> None:
    """From 05:45 to 06:15 by the second: half valley, half flat."""
    cost = tariff().cost_of([Energy(at("2026-07-06T05:45"), at("2026-07-06T06:15"), 3.0)])
    assert cost == Cost({FLAT: BandCost(1.5, 0.75), VALLEY: BandCost(1.5, 0.375)})
    assert cost.money == pytest.approx(1.125)


def test_a_series_need_not_be_in_order() -> None:
    noon, night = (
        Energy(at("2026-07-06T12:00"), at("2026-07-06T13:00"), 1.0),
        Energy(at("2026-07-06T00:00"), at("2026-07-06T01:00"), 1.0),
    )
    assert tariff().cost_of([noon, night]) == tariff().cost_of([night, noon])
    assert tariff().cost_of([]) == Cost({})


def test_an_interval_that_ends_before_it_begins() -> None:
    with pytest.raises(ValueError, match="not after its start"):
        tariff().cost_of([Energy(at("2026-07-06T12:00"), at("2026-07-06T12:00"), 1.0)])


def test_it_can_be_sent_to_a_worker() -> None:
    found = pickle.loads(pickle.dumps(tariff(CHEAP, DEAR)))
    assert found == tariff(CHEAP, DEAR)
    assert found.band_at(at("2026-07-06T12:00")) is PEAK
