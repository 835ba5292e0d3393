"""The guard as tables of what is wished, what stands at the equipment, and what may reach it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.command import Command, Priority
from controller.core.exclusion import Rival
from controller.core.guard import UNKNOWN, Allowed, GuardMemory, Register, guard, remember
from controller.core.point import (
    Limits,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    ReleaseNull,
    ValueType,
    Writable,
)
from controller.core.sample import Quality, Sample, Scalar
from controller.core.system import Condition, Permissive
from controller.core.text import NO_TEXT, Text
from controller.core.units import Unit

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
SETPOINT = PointId("plant.chiller_1.setpoint")
CHILLER = PointId("plant.chiller_1.enable_command")
FLOW = Permissive(CHILLER, Condition(PointId("plant.pump_1.status"), True))
NO_LIMITS = Limits()
VALVE = Permissive(CHILLER, Condition(PointId("plant.valve_1.status"), True))


def number(limits: Limits = NO_LIMITS) -> Point:
    writable = Writable(Range(5.0, 15.0), ReleaseNull(), NothingHappens(), SETPOINT, limits=limits)
    return Point(SETPOINT, PointKind.SETPOINT, Unit.CELSIUS, writable=writable)


def switch(limits: Limits = NO_LIMITS) -> Point:
    writable = Writable(Range(0, 1), ReleaseNull(), NothingHappens(), CHILLER, limits=limits)
    return Point(CHILLER, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=writable)


def wish(value: Scalar, priority: Priority = Priority.STRATEGY) -> Command:
    return Command(SETPOINT, value, priority, "test", math.inf, Text("wished", "请求"))


def at(value: Scalar | None, *, since: float = 0.0, seen: float = 0.0) -> GuardMemory:
    return GuardMemory(value, seen, since)


def shown(value: Scalar | None, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(value, quality, "", NOW, 0.0)


UNSEEN = shown(None, Quality.BAD)


# --- range ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", [Priority.MANUAL_LIFE_SAFETY, Priority.SCHEDULE])
def test_a_state_that_the_point_does_not_have_hands_it_back(priority: Priority) -> None:
    point = replace(number(), type=ValueType.TEXT, states=("cooling", "off"))
    assert guard(wish("cooling", priority), point, UNKNOWN, [], 100.0) == Allowed("cooling")
    refused = guard(wish("heating", priority), point, UNKNOWN, [], 100.0)
    assert refused.value is None
    assert "heating" in refused.limit.en


@pytest.mark.parametrize(
    "wished, allowed",
    [(9.0, 9.0), (5.0, 5.0), (15.0, 15.0), (4.9, 5.0), (math.inf, 15.0), (-math.inf, 5.0), (True, 5.0), (0, 5.0)],
)
@pytest.mark.parametrize("priority", [Priority.MANUAL_LIFE_SAFETY, Priority.MANUAL_OPERATOR, Priority.SCHEDULE])
def test_the_range_holds_at_every_level(wished: Scalar, allowed: float, priority: Priority) -> None:
    result = guard(wish(wished, priority), number(), UNKNOWN, [], 100.0)
    assert result.value == allowed
    assert (result.limit == NO_TEXT) is (wished == allowed)


def test_a_wish_that_is_no_number_hands_the_point_back() -> None:
    result = guard(wish(math.nan), number(Limits(maximum_rate=0.1)), at(9.0), [], 100.0)
    assert result.value is None
    assert "not a number" in result.limit.en


# --- rate -------------------------------------------------------------------------------------------------------------

RATED = number(Limits(maximum_rate=0.1))


@pytest.mark.parametrize(
    "wished, before, seconds, allowed",
    [
        (10.0, 9.0, 5.0, 9.5),
        (8.0, 9.0, 5.0, 8.5),
        (9.3, 9.0, 5.0, 9.3),
        (10.0, 9.0, 0.0, 9.0),
        (10.0, None, 1.0, 10.0),
        (99.0, 14.9, 5.0, 15.0),
    ],
)
def test_a_number_moves_at_its_rate(wished: float, before: float | None, seconds: float, allowed: float) -> None:
    result = guard(wish(wished), RATED, at(before, seen=100.0), [], 100.0 + seconds)
    assert result.value == pytest.approx(allowed)


@pytest.mark.parametrize("wished", [12, 6])
def test_a_whole_number_moves_at_its_rate_and_stays_whole(wished: int) -> None:
    writable = Writable(Range(5, 15), ReleaseNull(), NothingHappens(), SETPOINT, limits=Limits(maximum_rate=0.3))
    stage = Point(SETPOINT, PointKind.SETPOINT, Unit.NONE, ValueType.INTEGER, writable=writable)
    memory, written = at(9), list[Scalar | None]()
    for second in range(1, 12):
        allowed = guard(wish(wished), stage, memory, [], second)
        written.append(allowed.value)
        memory = remember(memory, allowed.value if allowed.between is None else allowed.between, second)
    assert all(isinstance(value, int) for value in written)
    towards = [9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12]
    assert written == (towards if wished > 9 else [18 - value for value in towards])


@pytest.mark.parametrize("priority", [Priority.MANUAL_LIFE_SAFETY, Priority.CRITICAL_EQUIPMENT])
def test_protective_levels_do_not_wait_for_the_rate(priority: Priority) -> None:
    assert guard(wish(12.0, priority), RATED, at(9.0, seen=100.0), [], 101.0) == Allowed(12.0)


def test_lights_go_up_at_once_and_down_at_their_rate() -> None:
    lamp = number(Limits(maximum_rate=0.1, brighter_is_safe=True))
    assert guard(wish(15.0), lamp, at(9.0, seen=100.0), [], 101.0) == Allowed(15.0)
    assert guard(wish(5.0), lamp, at(9.0, seen=100.0), [], 101.0).value == pytest.approx(8.9)


# --- minimum times ----------------------------------------------------------------------------------------------------

TIMED = switch(Limits(minimum_on=timedelta(seconds=600), minimum_off=timedelta(seconds=300)))


@pytest.mark.parametrize(
    "wished, before, for_seconds, allowed",
    [
        (False, True, 599.0, True),
        (False, True, 600.0, False),
        (True, False, 299.0, False),
        (True, False, 300.0, True),
        (True, True, 1.0, True),
        (False, False, 1.0, False),
        (True, None, 1.0, True),
    ],
)
def test_a_machine_stays_on_and_off_for_its_minimum_times(
    wished: bool, before: bool | None, for_seconds: float, allowed: bool
) -> None:
    result = guard(wish(wished), TIMED, at(before, since=1000.0), [], 1000.0 + for_seconds)
    assert result.value is allowed
    assert (result.limit == NO_TEXT) is (wished is allowed)


@pytest.mark.parametrize("priority", list(Priority))
def test_minimum_times_bind_from_level_six_on(priority: Priority) -> None:
    result = guard(wish(False, priority), TIMED, at(True, since=1000.0), [], 1001.0)
    assert result.value is (priority >= Priority.MINIMUM_ON_OFF)


def test_a_restart_counts_as_a_switch() -> None:
    memory = remember(UNKNOWN, True, 1000.0)
    assert guard(wish(False), TIMED, memory, [], 1001.0).value is True


def test_seeing_the_same_again_is_no_switch() -> None:
    memory = remember(remember(UNKNOWN, True, 1000.0), True, 1590.0)
    assert guard(wish(False), TIMED, memory, [], 1600.0).value is False
    assert remember(memory, None, 1600.0) == memory


# --- permissives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "running, flow, allowed",
    [
        (False, shown(True), True),
        (False, shown(False), False),
        (False, UNSEEN, False),
        (False, shown(True, Quality.UNCERTAIN), False),
        (None, UNSEEN, None),
        (True, shown(True), True),
        (True, shown(False), False),
        (True, UNSEEN, None),
    ],
)
@pytest.mark.parametrize("priority", [Priority.MANUAL_LIFE_SAFETY, Priority.STRATEGY])
def test_permissives_bind_every_level(
    running: bool | None, flow: Sample, allowed: bool | None, priority: Priority
) -> None:
    """Unknown blocks a start and hands a running machine back, or one that may run; only a proven "no" stops it."""
    result = guard(wish(True, priority), switch(), at(running), [(FLOW, flow)], 1e6)
    assert result.value is allowed
    assert (result.limit == NO_TEXT) is (allowed is True)


def test_a_proven_no_stops_a_machine_within_its_minimum_on_time() -> None:
    result = guard(wish(True), TIMED, at(True, since=1000.0), [(FLOW, shown(False))], 1001.0)
    assert result.value is False
    assert "pump_1.status" in result.limit.en


@pytest.mark.parametrize("permissives", [[(FLOW, UNSEEN), (VALVE, shown(False))], [(VALVE, shown(False))]])
def test_a_proven_no_outweighs_an_unknown(permissives: list[tuple[Permissive, Sample]]) -> None:
    assert guard(wish(True), switch(), at(True), permissives, 1e6).value is False


def test_permissives_never_hold_back_a_stop() -> None:
    assert guard(wish(False), switch(), at(True), [(FLOW, UNSEEN)], 1e6) == Allowed(False)


# --- starts per hour --------------------------------------------------------------------------------------------------

SHEET = "York YK, 160.75, p. 12"
RARE = switch(Limits(starts_per_hour=2, source=SHEET))


def started(*times: float, runs: bool = False) -> GuardMemory:
    memory = remember(UNKNOWN, False, -1e6)
    for time in times:
        memory = remember(remember(memory, True, time), False, time + 1.0)
    return remember(memory, True, times[-1] + 2.0) if runs else memory


@pytest.mark.parametrize("seconds, allowed", [(3599.0, False), (3600.0, True)])
def test_a_machine_starts_only_so_often_in_an_hour(seconds: float, allowed: bool) -> None:
    result = guard(wish(True), RARE, started(0.0, 1800.0), [], seconds)
    assert result.value is allowed
    assert result.limit.en == (
        "" if allowed else f"kept off for another 1 s: 2 starts in the last hour, 2 are allowed (sheet: {SHEET})"
    )
    assert (f"(厂家资料: {SHEET})" in result.limit.zh) is not allowed


def test_what_runs_may_stay_on_and_may_stop() -> None:
    running = started(0.0, 10.0, 20.0, runs=True)
    assert guard(wish(True), RARE, running, [], 30.0) == Allowed(True)
    assert guard(wish(False), RARE, running, [], 30.0) == Allowed(False)


def test_what_is_not_seen_is_neither_started_nor_stopped() -> None:
    """After a restart, before the machine has shown what it does."""
    unseen = UNKNOWN._replace(starts=started(0.0, 10.0).starts)
    assert guard(wish(True), RARE, unseen, [], 30.0).value is None


def test_a_machine_seen_running_that_was_not_known_to_has_started() -> None:
    """Somebody started it while we were away."""
    assert remember(UNKNOWN, True, 5.0).starts == (5.0,)
    assert remember(UNKNOWN._replace(ran=True, starts=(1.0,)), True, 5.0).starts == (1.0,)


@pytest.mark.parametrize("priority", list(Priority))
def test_starts_per_hour_bind_from_level_six_on(priority: Priority) -> None:
    result = guard(wish(True, priority), RARE, started(0.0, 10.0), [], 30.0)
    assert result.value is (priority < Priority.MINIMUM_ON_OFF)


# --- mutual exclusion -------------------------------------------------------------------------------------------------

WHY = Text("the other is on", "另一台已开启")


@pytest.mark.parametrize("priority", list(Priority))
def test_a_rival_keeps_a_machine_off_at_every_level(priority: Priority) -> None:
    result = guard(wish(True, priority), switch(), at(False), [], 100.0, rival=Rival(WHY, at_once=True))
    assert result == Allowed(False, WHY)


@pytest.mark.parametrize("at_once", [False, True])
def test_giving_way_waits_for_the_minimum_time_unless_both_are_on(*, at_once: bool) -> None:
    result = guard(wish(True), TIMED, at(True, since=1000.0), [], 1001.0, rival=Rival(WHY, at_once))
    assert result.value is not at_once


def test_a_rival_does_not_hinder_a_stop() -> None:
    assert guard(wish(False), switch(), at(True), [], 1e6, rival=Rival(WHY, at_once=True)) == Allowed(False)


# --- registers that wear ----------------------------------------------------------------------------------------------

SPENT = Text("spent", "已用完")
WORN = number()


@pytest.mark.parametrize("priority", list(Priority))
def test_a_spent_register_stays_as_it_is_from_level_six_on(priority: Priority) -> None:
    result = guard(wish(9.0, priority), WORN, at(7.0), [], 100.0, register=Register(7.0, SPENT))
    free = priority < Priority.MINIMUM_ON_OFF
    assert result == (Allowed(9.0) if free else Allowed(7.0, SPENT, is_spared=True))


def test_a_spent_register_is_not_taken() -> None:
    result = guard(wish(9.0), WORN, at(7.0), [], 100.0, register=Register(None, SPENT))
    assert (result.value, result.limit) == (None, SPENT)


def test_the_range_holds_on_a_spent_register() -> None:
    result = guard(wish(99.0, Priority.MANUAL_LIFE_SAFETY), WORN, at(7.0), [], 100.0, register=Register(7.0, SPENT))
    assert result.value == 15.0


def test_lights_go_up_on_a_spent_register_and_not_down() -> None:
    lamp = number(Limits(brighter_is_safe=True))
    assert guard(wish(15.0), lamp, at(9.0), [], 101.0, register=Register(9.0, SPENT)) == Allowed(15.0)
    assert guard(wish(5.0), lamp, at(9.0), [], 101.0, register=Register(9.0, SPENT)).value == 9.0


def test_a_difference_that_counts_as_none_is_no_write() -> None:
    writable = Writable(Range(5, 15), ReleaseNull(), NothingHappens(), SETPOINT, tolerance=0.1)
    point = Point(SETPOINT, PointKind.SETPOINT, Unit.CELSIUS, writable=writable)
    assert guard(wish(7.05), point, at(7.0), [], 1.0, register=Register(7.0, None)).value == 7.0
    assert guard(wish(7.2), point, at(7.0), [], 1.0, register=Register(7.0, None)).value == 7.2


# --- for every wish ---------------------------------------------------------------------------------------------------

wishes = st.lists(st.tuples(st.floats(0, 30), st.floats(), st.sampled_from(list(Priority))), max_size=30)


@given(wishes, st.floats(0.001, 10), st.booleans(), st.none() | st.floats(5, 15))
def test_never_outside_the_range_and_never_faster_than_the_rate(
    wished: list[tuple[float, float, Priority]], rate: float, brighter_is_safe: bool, before: float | None
) -> None:
    point = number(Limits(maximum_rate=rate, brighter_is_safe=brighter_is_safe))
    now = 0.0
    memory = remember(UNKNOWN, before, now)
    for seconds, value, priority in wished:
        now += seconds
        allowed = guard(wish(value, priority), point, memory, [], now).value
        if allowed is not None:
            assert isinstance(allowed, float)
            assert 5.0 <= allowed <= 15.0
            assert memory.value is None or isinstance(memory.value, float)
            free = priority.is_protective or memory.value is None or (brighter_is_safe and allowed >= memory.value)
            if not free and memory.value is not None:
                assert abs(allowed - memory.value) <= rate * (now - memory.at) + 1e-9
        memory = remember(memory, allowed, now)


@given(st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=40))
def test_a_machine_never_switches_within_its_minimum_times(wished: list[tuple[float, bool]]) -> None:
    now, memory = 0.0, remember(UNKNOWN, False, 0.0)
    for seconds, value in wished:
        now += seconds
        allowed = guard(wish(value), TIMED, memory, [], now).value
        if allowed is not memory.value:
            assert now - memory.switched >= (600 if memory.value else 300) - 1e-6  # sums of floats
        memory = remember(memory, allowed, now)
