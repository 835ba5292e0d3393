"""The guard for every sequence of wishes, states and limits."""

from __future__ import annotations

import math
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.core.command import Command, Priority
from controller.core.exclusion import Standing, rivals
from controller.core.guard import HOUR_S, UNKNOWN, GuardMemory, Register, guard, remember
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
from controller.core.sample import Scalar
from controller.core.text import NO_TEXT, Text
from controller.core.units import Unit

ID = PointId("plant.chiller_1.setpoint")
HELD_BACK = Text("held back", "暂缓")
priorities = st.sampled_from(list(Priority))
protective = st.sampled_from([each for each in Priority if each.is_protective])
durations = st.timedeltas(timedelta(0), timedelta(hours=2))
all_limits = st.builds(
    Limits,
    maximum_rate=st.none() | st.floats(0.001, 10),
    minimum_on=durations,
    minimum_off=durations,
    brighter_is_safe=st.booleans(),
    starts_per_hour=st.none() | st.integers(1, 5),
)


def point(limits: Limits, kind: ValueType, tolerance: float = 0.0) -> Point:
    allowed = Range(0, 1) if kind is ValueType.BOOLEAN else Range(5.0, 15.0)
    writable = Writable(allowed, ReleaseNull(), NothingHappens(), ID, tolerance=tolerance, limits=limits)
    return Point(ID, PointKind.SETPOINT, Unit.NONE, kind, writable=writable)


def wish(value: Scalar, priority: Priority = Priority.STRATEGY) -> Command:
    return Command(ID, value, priority, "test", math.inf, NO_TEXT)


switches = st.tuples(st.just(ValueType.BOOLEAN), st.booleans(), st.none() | st.booleans())
numbers = st.tuples(st.just(ValueType.NUMBER), st.floats(allow_nan=False), st.none() | st.floats(5, 15))
whole = st.tuples(st.just(ValueType.INTEGER), st.integers(-100, 100), st.none() | st.integers(5, 15))


@given(
    switches | numbers | whole,
    protective,
    all_limits,
    st.lists(st.floats(0, 1000), max_size=5),
    st.none() | st.just(HELD_BACK),
)
def test_what_protects_passes_in_the_same_scan_whatever_the_state(
    case: tuple[ValueType, Scalar, Scalar | None], priority: Priority, limits: Limits, starts: list[float], why: Text
) -> None:
    """Within the range; nothing that the guard remembers holds it back."""
    kind, value, before = case
    memory = GuardMemory(before, 999.0, 999.0, bool(before), tuple(sorted(starts)))
    allowed = guard(wish(value, priority), point(limits, kind), memory, [], 1000.0, register=Register(before, why))
    expected = value if kind is ValueType.BOOLEAN else min(max(value, 5), 15)
    assert allowed.value == expected


@given(
    st.lists(st.tuples(st.floats(0, 900), st.booleans(), priorities), max_size=60),
    st.integers(1, 4),
    st.none() | st.booleans(),
)
def test_never_more_starts_in_an_hour_than_allowed(
    wished: list[tuple[float, bool, Priority]], most: int, before: bool | None
) -> None:
    """But for what protects, whose starts count, too."""
    machine, now, memory = point(Limits(starts_per_hour=most), ValueType.BOOLEAN), 0.0, remember(UNKNOWN, before, 0.0)
    starts: list[float] = [0.0] if before else []
    for seconds, value, priority in wished:
        now += seconds
        allowed = guard(wish(value, priority), machine, memory, [], now).value
        if allowed and not memory.value:
            in_an_hour = [start for start in starts if now - start < HOUR_S]
            assert priority.is_protective or len(in_an_hour) < most
            starts.append(now)
        memory = remember(memory, allowed, now)


@given(
    st.lists(st.tuples(st.floats(0.1, 900), st.floats(0, 20), priorities), max_size=40),
    st.floats(0, 1800),
    st.none() | st.floats(0.001, 1),
    st.floats(0, 0.5),
)
def test_a_register_that_wears_is_written_no_sooner_and_no_faster(
    wished: list[tuple[float, float, Priority]], interval: float, rate: float | None, tolerance: float
) -> None:
    """A step is at most what the rate allows since the value was last written or seen."""
    setpoint = point(Limits(maximum_rate=rate), ValueType.NUMBER, tolerance)
    now, memory, last, written = 0.0, remember(UNKNOWN, 7.0, 0.0), -math.inf, 7.0
    for seconds, value, priority in wished:
        now += seconds
        why = HELD_BACK if now - last < interval else None
        allowed = guard(wish(value, priority), setpoint, memory, [], now, register=Register(written, why))
        assert isinstance(allowed.value, float)
        if not priority.is_protective and allowed.value != written:
            assert now - last >= interval
            assert rate is None or abs(allowed.value - written) <= rate * (now - memory.at) + 1e-9
        if allowed.value != written:
            last, written = now, allowed.value
        if not allowed.is_spared:
            memory = remember(memory, allowed.value, now)


@given(
    st.floats(-100, 100) | st.integers(-100, 100),
    st.floats(-100, 100) | st.integers(-100, 100),
    all_limits,
    st.sampled_from([ValueType.NUMBER, ValueType.INTEGER]),
    st.none() | st.floats(-100, 100),
    st.none() | st.just(HELD_BACK),
    st.floats(0, 3600),
)
def test_nothing_outside_the_range_passes_wherever_the_equipment_stands(
    before: float, value: float, limits: Limits, kind: ValueType, written: float | None, why: Text | None, now: float
) -> None:
    """Its own controls may have it elsewhere; a rate or a worn register is no reason to command that."""
    register = Register(written, why)
    allowed = guard(wish(value), point(limits, kind), GuardMemory(before, 0.0, 0.0), [], now, register=register).value
    assert allowed is None or 5.0 <= float(allowed) <= 15.0


three = [PointId(f"plant.valve_{number}.command") for number in (1, 2, 3)]
states = st.tuples(st.none() | st.booleans(), st.booleans(), st.none() | st.booleans(), priorities)


@given(st.tuples(states, states, states))
def test_no_exclusion_lets_a_second_one_start(
    each: tuple[tuple[bool | None, bool, bool | None, Priority], ...],
) -> None:
    standings = {name: Standing(*state) for name, state in zip(three, each, strict=True)}
    against = rivals(standings)
    on = [name for name, standing in standings.items() if standing.wish and name not in against]
    assert len(on) <= 1
    for name in on:
        others = [other for key, other in standings.items() if key != name]
        if standings[name].runs:
            assert not any(other.shown is True and other.wish is None for other in others)
        else:
            assert not any(other.may_be_on for other in others)
