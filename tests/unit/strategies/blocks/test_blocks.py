"""Control blocks, each by its own table."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.blocks.hysteresis import below
from strategies.blocks.timers import Delayed, delayed, off_delay
from strategies.blocks.timetable import WEEK, Period, inside, unchanged_until, week_edges

# --- hysteresis -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, was, expected",
    [(19.9, False, True), (20.0, False, False), (30.0, True, True), (40.0, True, True), (40.1, True, False)],
)
def test_between_its_limits_a_switch_stays(value: float, was: bool, expected: bool) -> None:
    assert below(value, limit=20.0, release=40.0, was=was) is expected


# --- timers -----------------------------------------------------------------------------------------------------------


def test_an_off_delay_counts_down_from_the_last_signal() -> None:
    left = 0.0
    seen: list[float] = []
    for signal in (False, True, True, False, False, False, True, False):
        left = off_delay(left, signal, 2.5, 1.0)
        seen.append(left)
    assert seen == [0.0, 2.5, 2.5, 1.5, 0.5, 0.0, 2.5, 1.5]


@given(st.floats(0, 1e6), st.booleans(), st.floats(0, 1e6), st.floats(0, 1e9))
def test_an_off_delay_stays_within_its_delay(left: float, signal: bool, delay: float, elapsed: float) -> None:
    assert 0.0 <= off_delay(left, signal, delay, elapsed) <= max(left, delay)


def test_a_delayed_value_changes_after_lasting_contradiction() -> None:
    state = Delayed()
    seen: list[bool] = []
    for signal in (True, True, False, True, True, True, False, False, False, False):
        state = delayed(state, signal, on_after=2.0, off_after=3.0, elapsed=1.0)
        seen.append(state.value)
    assert seen == [False, False, False, False, False, True, True, True, True, False]


def test_a_long_silence_before_the_signal_does_not_count() -> None:
    assert not delayed(Delayed(), True, on_after=60.0, off_after=60.0, elapsed=3600.0).value


def test_without_delay_a_delayed_value_follows_at_once() -> None:
    assert delayed(Delayed(), True, on_after=0.0, off_after=0.0, elapsed=1.0) == Delayed(True)


# --- timetable --------------------------------------------------------------------------------------------------------

DAYTIME = Period(time(7), time(9, 30))
NIGHT = Period(time(22), time(2))
WHOLE_DAY = Period(time(0), time(0))
BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "local, expected",
    [
        ("2026-03-20 06:59:59", False),  # a Friday
        ("2026-03-20 07:00:00", True),
        ("2026-03-20 09:29:59", True),
        ("2026-03-20 09:30:00", False),
        ("2026-03-21 08:00:00", False),  # Saturday has periods of its own
        ("2026-03-21 22:00:00", True),
        ("2026-03-22 01:59:59", True),  # Saturday's reaches into Sunday
        ("2026-03-22 02:00:00", False),
        ("2026-03-22 23:00:00", True),
        ("2026-03-23 01:00:00", True),  # Sunday's reaches into Monday
        ("2026-03-23 02:00:00", False),
        ("2024-02-29 08:00:00", True),  # a Thursday that few years have
    ],
)
def test_a_timetable_follows_the_week(local: str, expected: bool) -> None:
    edges = week_edges([[DAYTIME]] * 5 + [[NIGHT]] * 2)
    assert inside(edges, at(local)) is expected


def test_periods_that_touch_are_one() -> None:
    edges = week_edges([[WHOLE_DAY]] * 7)
    assert edges == (0, WEEK)
    none: list[list[Period]] = [[]] * 7
    assert week_edges(none) == ()
    assert not inside((), at("2026-03-20 12:00"))


def test_the_hour_that_clocks_skip_skips_no_period() -> None:
    """2026-03-29 in Berlin: 02:00 becomes 03:00."""
    edges = week_edges([[Period(time(2, 30), time(4))]] * 7)
    midnight = datetime(2026, 3, 28, 23, tzinfo=UTC)
    lit = [minute for minute in range(300) if inside(edges, (midnight + timedelta(minutes=minute)).astimezone(BERLIN))]
    assert lit == list(range(120, 180))


def test_the_hour_that_clocks_repeat_follows_the_table_twice() -> None:
    """2026-10-25 in Berlin: 03:00 becomes 02:00 again."""
    edges = week_edges([[Period(time(2, 30), time(4))]] * 7)
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    lit = [minute for minute in range(400) if inside(edges, (midnight + timedelta(minutes=minute)).astimezone(BERLIN))]
    assert lit == [*range(150, 180), *range(210, 300)]


@pytest.mark.parametrize(
    "zone, day",
    [(BERLIN, "2026-03-28"), (BERLIN, "2026-10-24"), (LORD_HOWE, "2026-04-04"), (LORD_HOWE, "2026-10-03")],
)
def test_nothing_begins_or_ends_before_it_is_said_to(zone: ZoneInfo, day: str) -> None:
    """Two days on whose second one clocks are put forward or back."""
    edges = week_edges([[Period(time(1, 45), time(2, 20)), Period(time(12, 0, 30), time(13))]] * 7)
    midnight = at(day).replace(tzinfo=zone).astimezone(UTC)
    for minute in range(0, 2880, 7):
        now = midnight + timedelta(minutes=minute, seconds=13, microseconds=5)
        local = now.astimezone(zone)
        until = unchanged_until(edges, now, local)
        assert timedelta(0) < until - now <= timedelta(hours=1)
        between = [now + share * (until - now) for share in (0.25, 0.5, 0.75, 0.9999)]
        assert {inside(edges, each.astimezone(zone)) for each in between} == {inside(edges, local)}


@pytest.mark.parametrize(
    "now, until",
    [
        ("2026-03-20T12:20:10+00:00", "2026-03-20T13:00:30+00:00"),  # the next edge, 14:00:30 in Berlin
        ("2026-03-20T13:20:10+00:00", "2026-03-20T14:20:10+00:00"),  # an hour
        ("2026-03-29T00:20:10+00:00", "2026-03-29T00:21:00+00:00"),  # clocks go forward at 01:00
    ],
)
def test_a_timetable_stands_for_an_hour_at_most(now: str, until: str) -> None:
    edges = week_edges([[Period(time(14, 0, 30), time(14, 10))]] * 7)
    assert unchanged_until(edges, at(now), at(now).astimezone(BERLIN)) == at(until)


def test_a_period_knows_no_offset() -> None:
    with pytest.raises(ValueError, match="write it like 18:30"):
        Period(time(18, 30, tzinfo=UTC), time(19))


CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
PERIODS = st.lists(st.builds(Period, CLOCKS, CLOCKS), max_size=3)


def naively_inside(days: list[list[Period]], local: datetime) -> bool:
    """Period by period, today's and yesterday's."""
    clock, today = local.time(), local.weekday()
    for period in days[today]:
        wraps = period.end <= period.start
        if period.start <= clock and (wraps or clock < period.end):
            return True
    return any(period.end <= period.start and clock < period.end for period in days[today - 1])


@given(st.lists(PERIODS, min_size=7, max_size=7), st.datetimes(at("2020-01-01"), at("2030-01-01")))
def test_a_timetable_agrees_with_a_naive_reading(days: list[list[Period]], moment: datetime) -> None:
    local = moment.replace(tzinfo=LORD_HOWE)
    assert inside(week_edges(days), local) is naively_inside(days, local)
