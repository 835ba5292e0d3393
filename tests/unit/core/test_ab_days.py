"""Which side a day belongs to, and when a switch is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.ab_days import (
    NOT_BEGUN,
    ABDays,
    Block,
    EqualTank,
    Standing,
    block_at,
    due_switch,
    waits_until,
)
from controller.core.point import PointId
from controller.core.system import Authority

BERLIN = ZoneInfo("Europe/Berlin")
# Its clocks change at midnight: a day without one, and one that has two.
HAVANA = ZoneInfo("America/Havana")
TANK = EqualTank(PointId("plant.tank_1.stored_energy"), 150.0, timedelta(hours=3))
DAYS = ABDays(("plant",), 2, date(2026, 3, 20), time(5, 0), TANK)


def instant(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def block(text: str) -> Block:
    found = block_at(DAYS, BERLIN, instant(text))
    assert found is not None
    return found


def test_before_the_first_day_there_is_nothing() -> None:
    assert block_at(DAYS, BERLIN, instant("2026-03-20T04:59:59")) is None
    first = block("2026-03-20T05:00:00")
    assert (first.number, first.day, first.side) == (1, 1, Authority.ORIGINAL)


def test_sides_alternate_at_their_local_hour_over_a_day_of_23_hours() -> None:
    """The clocks go forward on the 29th."""
    assert block("2026-03-28T04:59").side is Authority.TIDEWATT
    over = block("2026-03-28T05:00")
    assert (over.number, over.side) == (5, Authority.ORIGINAL)
    assert block("2026-03-30T04:59").number == 5
    assert over.ends - over.starts == timedelta(hours=47)
    assert block("2026-03-30T05:00") == Block(6, 11, over.ends, over.ends + timedelta(hours=48))


SCHEDULES = st.builds(
    ABDays,
    st.just(("plant",)),
    st.integers(1, 7),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.sampled_from([time(0, 0), time(0, 30), time(2, 30), time(5, 0), time(23, 59)]),
)
ZONES = st.sampled_from([BERLIN, HAVANA, ZoneInfo("Asia/Shanghai"), ZoneInfo("Australia/Lord_Howe")])


@given(SCHEDULES, ZONES, st.integers(0, 500 * 24 * 60))
def test_each_instant_belongs_to_one_block_and_blocks_follow_each_other(
    schedule: ABDays, zone: ZoneInfo, minutes: int
) -> None:
    begins = datetime.combine(schedule.begins, schedule.at, zone).astimezone(UTC)
    now = begins + timedelta(minutes=minutes)
    found = block_at(schedule, zone, now)
    assert found is not None
    assert found.starts <= now < found.ends
    assert block_at(schedule, zone, begins - timedelta(seconds=1)) is None
    # Whatever daylight saving did meanwhile, the next one begins where this ends, is the other side's, and lasts days.
    following = block_at(schedule, zone, found.ends)
    assert following is not None
    assert (following.starts, following.number) == (found.ends, found.number + 1)
    assert following.side is not found.side
    assert abs((found.ends - found.starts) - schedule.block * timedelta(days=1)) <= timedelta(hours=1)
    last = block_at(schedule, zone, found.ends - timedelta(microseconds=1))
    assert last is not None
    assert last.number == found.number
    days = (found.starts.astimezone(zone).date() - schedule.begins).days
    assert days == (found.number - 1) * schedule.block


FOUR, HALF = instant("2026-03-22T05:00"), instant("2026-03-22T06:30")
OVER = instant("2026-03-22T08:00")


@pytest.mark.parametrize(
    "standing, at, level, expected",
    [
        (Standing(1, 1000.0), FOUR, 1150.0, True),
        (Standing(1, 1000.0), FOUR, 1151.0, None),
        (Standing(1, 1000.0), HALF, 849.0, None),
        (Standing(1, 1000.0), HALF, 850.0, True),
        (Standing(1, 1000.0), OVER, 849.0, False),
        (Standing(1, 1000.0), HALF, None, None),
        (Standing(1, 1000.0), OVER, None, False),
        # Nobody knew what the tank held at the first switch.
        (Standing(1, None), FOUR, 1000.0, False),
        (Standing(1, None), FOUR, None, None),
        (Standing(1, None), OVER, None, False),
        # We were not there for the first: this is it.
        (NOT_BEGUN, FOUR, 700.0, True),
        (NOT_BEGUN, FOUR, None, None),
        (NOT_BEGUN, OVER, None, False),
    ],
)
def test_a_switch_waits_for_the_tank_but_not_for_ever(
    standing: Standing, at: datetime, level: float | None, expected: bool | None
) -> None:
    switch = due_switch(DAYS, standing, block(at.replace(tzinfo=None).isoformat()), at, level)
    assert (None if switch is None else switch.is_equal) is expected
    if switch is not None:
        known = standing.level if standing.level is not None else level
        assert switch.after == Standing(2, known), "the level at the first switch is what all are measured by"


def test_without_a_tank_nothing_is_waited_for() -> None:
    schedule = replace(DAYS, tank=None)
    due = block("2026-03-22T05:00")
    assert waits_until(schedule, due) == due.starts
    switch = due_switch(schedule, Standing(1), due, due.starts, None)
    assert switch is not None
    assert switch.is_equal is None
    assert due_switch(schedule, switch.after, due, due.starts, None) is None
