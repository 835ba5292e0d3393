"""Tariffs of every shape: one band a minute, costs that add up, however a series is cut."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.tariff import Energy, Form, SeasonPrices, Tariff, Version
from controller.core.tariff_calendar import (
    MINUTES,
    YEAR,
    Band,
    Calendar,
    DayBands,
    DayType,
    MonthDay,
    Window,
    calendar_faults,
    season,
)
from controller.core.text import Text
from tests.sweep import examples

ZONES = ("Asia/Shanghai", "America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Etc/UTC")
MINUTE = timedelta(minutes=1)
FIRST = date(2026, 1, 1)


@st.composite
def days(draw: st.DrawFn) -> tuple[Window, ...]:
    """A day cut anywhere; its last window may go over midnight into its first."""
    cuts = sorted(draw(st.sets(st.integers(0, MINUTES - 1), min_size=1, max_size=6)))
    bands = draw(st.lists(st.sampled_from(Band), min_size=len(cuts), max_size=len(cuts)))
    if len(cuts) == 1:
        return (Window(0, MINUTES, bands[0]),)
    ends = [*cuts[1:], cuts[0] or MINUTES]
    return tuple(Window(start, end, band) for start, end, band in zip(cuts, ends, bands, strict=True))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Two seasons, and weekdays apart from the rest in one of them."""
    first, last = draw(st.sampled_from(YEAR)), draw(st.sampled_from(YEAR))
    summer = season(first, last)
    rest = frozenset(YEAR) - summer
    weekday = frozenset({DayType.WEEKDAY})
    entries = [
        DayBands(summer, weekday, draw(days())),
        DayBands(summer, frozenset(DayType) - weekday, draw(days())),
        DayBands(rest, frozenset(DayType), draw(days())),
    ]
    return Calendar(tuple(entry for entry in entries if entry.days))


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    calendar = draw(calendars())
    everything = [{band: draw(st.floats(0, 3)) for band in Band} for _ in range(2)]
    change = FIRST + timedelta(days=draw(st.integers(1, 364)))
    spans = ((FIRST, change - timedelta(days=1)), (change, None))
    versions = tuple(
        Version(first, last, calendar, (SeasonPrices(frozenset(YEAR), prices),))
        for (first, last), prices in zip(spans, everything, strict=True)
    )
    return Tariff(
        "drawn",
        Text("", ""),
        "only",
        Form.SINGLE_PART,
        "CNY",
        ZoneInfo(draw(st.sampled_from(ZONES))),
        versions,
        frozenset(FIRST + timedelta(days=index) for index in draw(st.sets(st.integers(0, 364), max_size=5))),
    )


# The days before the clocks of these zones are changed.
CHANGES = [
    datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31))
]


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """Any time of the year, often close to a change of the clock."""
    some_day = st.integers(3, 360).map(lambda days: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days))
    return draw(some_day | st.sampled_from(CHANGES)) + draw(st.timedeltas(timedelta(0), timedelta(days=2)))


def cost(tariff: Tariff, *series: Energy) -> float:
    return tariff.cost_of(series).money


@given(calendar=calendars())
@examples(30)
def test_every_minute_of_a_year_has_exactly_one_band(calendar: Calendar) -> None:
    for day in YEAR:
        for type_ in DayType:
            minutes = [minute for each in calendar.windows(day, type_) for minute in (each.start, each.end)]
            assert (minutes[0], minutes[-1]) == (0, MINUTES)
            assert minutes[1:-1:2] == minutes[2::2]


@given(told=st.lists(st.tuples(st.integers(0, 47), st.integers(0, 48), st.sampled_from(Band)), max_size=5))
def test_faults_are_those_of_counting_the_minutes(told: list[tuple[int, int, Band]]) -> None:
    windows = tuple(Window(start * 30, end * 30, band) for start, end, band in told if start != end)
    counted = Counter(
        minute for each in windows for piece in each.pieces() for minute in range(piece.start, piece.end, 30)
    )
    faults = calendar_faults((DayBands(frozenset(YEAR), frozenset(DayType), windows),))
    gaps = {minute for each in faults if not each.bands for minute in range(each.start, each.end, 30)}
    overlaps = {minute for each in faults if each.bands for minute in range(each.start, each.end, 30)}
    assert gaps == {minute for minute in range(0, MINUTES, 30) if counted[minute] == 0}
    assert overlaps == {minute for minute in range(0, MINUTES, 30) if counted[minute] > 1}


@given(tariff=tariffs(), begin=instants(), length=st.timedeltas(MINUTE, timedelta(days=4)))
@examples(60)
def test_stretches_are_the_band_at_every_instant(tariff: Tariff, begin: datetime, length: timedelta) -> None:
    stretches = list(tariff.stretches(begin, begin + length))
    assert (stretches[0].start, stretches[-1].end) == (begin, begin + length)
    for earlier, later in pairwise(stretches):
        assert earlier.end == later.start
        assert (earlier.band, earlier.price) != (later.band, later.price)
    last = timedelta(microseconds=1)
    for each in stretches:
        for instant in (each.start, each.start + (each.end - each.start) / 2, each.end - last):
            assert (tariff.band_at(instant), tariff.price_at(instant)) == (each.band, each.price)


@given(tariff=tariffs(), begin=instants())
@examples(60)
def test_nothing_changes_before_the_next_change(tariff: Tariff, begin: datetime) -> None:
    change = tariff.next_change(begin)
    if change is None:
        return
    assert change.at > begin
    assert {each.band for each in tariff.stretches(begin, change.at)} == {tariff.band_at(begin)}
    assert tariff.band_at(change.at) is change.band is not tariff.band_at(begin)


@given(tariff=tariffs(), begin=instants(), length=st.timedeltas(MINUTE, timedelta(days=3)), load=st.floats(0.1, 1e4))
@examples(60)
def test_a_constant_load_costs_the_sum_over_its_bands(
    tariff: Tariff, begin: datetime, length: timedelta, load: float
) -> None:
    hours = length / timedelta(hours=1)
    expected = sum(
        load * ((each.end - each.start) / timedelta(hours=1)) * each.price
        for each in tariff.stretches(begin, begin + length)
    )
    found = tariff.cost_of([Energy(begin, begin + length, load * hours)])
    assert found.money == pytest.approx(expected)
    assert found.kwh == pytest.approx(load * hours)
    assert found.unpriced == 0.0


@given(
    tariff=tariffs(),
    begin=instants(),
    parts=st.lists(st.timedeltas(timedelta(seconds=1), timedelta(hours=30)), min_size=2, max_size=8),
    load=st.floats(-1e3, 1e4),
)
@examples(60)
def test_cutting_an_interval_does_not_change_its_cost(
    tariff: Tariff, begin: datetime, parts: list[timedelta], load: float
) -> None:
    edges = [begin]
    for part in parts:
        edges.append(edges[-1] + part)
    hour = timedelta(hours=1)
    cut = [Energy(start, end, load * ((end - start) / hour)) for start, end in pairwise(edges)]
    whole = Energy(begin, edges[-1], load * ((edges[-1] - begin) / hour))
    assert cost(tariff, *cut) == pytest.approx(cost(tariff, whole), abs=1e-9)


@given(first=st.sampled_from(YEAR), last=st.sampled_from(YEAR))
def test_a_season_and_the_rest_are_the_year(first: MonthDay, last: MonthDay) -> None:
    after, before = YEAR[(YEAR.index(last) + 1) % len(YEAR)], YEAR[YEAR.index(first) - 1]
    chosen = season(first, last)
    assert {first, last} <= chosen
    if after != first:
        assert chosen | season(after, before) == set(YEAR)
        assert not chosen & season(after, before)
