"""Every state of an alarm, and everything that moves it (ANSI/ISA-18.2-2016, figure of states)."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from controller.core.alarm import (
    NORMAL,
    AlarmId,
    AlarmState,
    Behaviour,
    Priority,
    Standing,
    acknowledged,
    out_of_service,
    seen,
    shelved,
    suppressed,
    unshelved,
)
from controller.core.alarm_route import Flood, Route, Rung
from controller.core.alarm_rule import Above, Below, Equals, IsBad, PointRule, Wording
from controller.core.point import PointId
from controller.core.sample import Sample, Scalar, bad, good
from controller.core.system import Condition

AT = datetime(2026, 7, 6, tzinfo=UTC)
PLAIN = Behaviour(Priority.HIGH)
LATCHING = Behaviour(Priority.HIGH, latching=True)
SLOW = Behaviour(Priority.HIGH, on_delay=timedelta(seconds=10), off_delay=timedelta(seconds=20))

Move = Callable[[Standing, Behaviour], Standing]


def begins(standing: Standing, behaviour: Behaviour) -> Standing:
    return seen(standing, behaviour, condition=True, monotonic=1.0)


def ends(standing: Standing, behaviour: Behaviour) -> Standing:
    return seen(standing, behaviour, condition=False, monotonic=2.0)


def is_acknowledged(standing: Standing, _: Behaviour) -> Standing:
    return acknowledged(standing)


def is_shelved(standing: Standing, _: Behaviour) -> Standing:
    return shelved(standing, 100.0)


def is_unshelved(standing: Standing, _: Behaviour) -> Standing:
    return unshelved(standing)


def shelf_ends(standing: Standing, behaviour: Behaviour) -> Standing:
    return seen(standing, behaviour, condition=standing.condition, monotonic=100.0)


def is_suppressed(standing: Standing, _: Behaviour) -> Standing:
    return suppressed(standing, 3.0, by_design=True)


def suppression_ends(standing: Standing, behaviour: Behaviour) -> Standing:
    after = suppressed(standing, 4.0, by_design=False)
    return seen(after, behaviour, condition=after.condition, monotonic=4.0)


def is_taken_out(standing: Standing, _: Behaviour) -> Standing:
    return out_of_service(standing, is_out=True)


def is_put_back(standing: Standing, _: Behaviour) -> Standing:
    return out_of_service(standing, is_out=False)


N, U, A, R = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED
SH, SU, OUT = AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE

TRANSITIONS: list[tuple[Behaviour, list[tuple[Move, AlarmState]]]] = [
    (PLAIN, [(begins, U), (ends, N)]),
    (PLAIN, [(begins, U), (is_acknowledged, A), (begins, A), (ends, N), (begins, U)]),
    (LATCHING, [(begins, U), (ends, R), (is_acknowledged, N)]),
    (LATCHING, [(begins, U), (ends, R), (begins, U), (is_acknowledged, A), (ends, N)]),
    (PLAIN, [(is_shelved, SH), (begins, SH), (ends, SH), (is_unshelved, N)]),
    (PLAIN, [(begins, U), (is_shelved, SH), (is_unshelved, U), (is_shelved, SH), (ends, SH), (shelf_ends, N)]),
    (PLAIN, [(begins, U), (is_acknowledged, A), (is_shelved, SH), (shelf_ends, U)]),
    (LATCHING, [(begins, U), (ends, R), (is_shelved, SH), (is_unshelved, N)]),
    (PLAIN, [(begins, U), (is_suppressed, SU), (suppression_ends, U), (is_suppressed, SU), (ends, SU)]),
    (PLAIN, [(is_suppressed, SU), (begins, SU), (suppression_ends, U)]),
    (PLAIN, [(is_suppressed, SU), (begins, SU), (ends, SU), (suppression_ends, N)]),
    (LATCHING, [(begins, U), (is_suppressed, SU), (ends, SU), (suppression_ends, N)]),
    (PLAIN, [(begins, U), (is_taken_out, OUT), (ends, OUT), (begins, OUT), (is_put_back, U)]),
    (PLAIN, [(is_taken_out, OUT), (is_shelved, OUT), (is_suppressed, OUT), (is_put_back, SU)]),
    (PLAIN, [(is_shelved, SH), (is_suppressed, SU), (begins, SU), (suppression_ends, SH), (is_unshelved, U)]),
]


@pytest.mark.parametrize("behaviour, path", TRANSITIONS)
def test_transitions(behaviour: Behaviour, path: list[tuple[Move, AlarmState]]) -> None:
    standing = NORMAL
    for move, state in path:
        standing = move(standing, behaviour)
        assert standing.state is state, f"after {move.__name__}"


def timeline(*seen_at: tuple[float, bool]) -> list[AlarmState]:
    standing, states = NORMAL, list[AlarmState]()
    for at, condition in seen_at:
        standing = seen(standing, SLOW, condition=condition, monotonic=at)
        states.append(standing.state)
    return states


def test_a_condition_must_last_before_it_is_an_alarm_and_before_it_is_over() -> None:
    assert timeline((0, True), (9.9, True), (10, True)) == [N, N, U]
    assert timeline((0, True), (9, True), (9.5, False), (12, True), (21, True), (22, True)) == [N, N, N, N, N, U]
    assert timeline((0, True), (10, True), (11, False), (30, False), (31, False)) == [N, U, U, U, N]
    assert timeline((0, True), (10, True), (11, False), (30, True), (40, False), (59, False)) == [N, U, U, U, U, U]


def test_what_begins_while_suppressed_counts_from_the_end_of_the_suppression() -> None:
    standing = suppressed(NORMAL, 0.0, by_design=True)
    standing = seen(standing, SLOW, condition=True, monotonic=1.0)
    assert standing.next_change(SLOW) == math.inf
    standing = suppressed(standing, 50.0, by_design=False)
    assert seen(standing, SLOW, condition=True, monotonic=59.0).state is N
    assert seen(standing, SLOW, condition=True, monotonic=60.0).state is U


def test_it_says_when_time_alone_changes_something() -> None:
    assert NORMAL.next_change(SLOW) == math.inf
    standing = seen(NORMAL, SLOW, condition=True, monotonic=5.0)
    assert standing.next_change(SLOW) == 15.0
    standing = seen(standing, SLOW, condition=True, monotonic=15.0)
    assert standing.next_change(SLOW) == math.inf
    assert shelved(standing, 70.0).next_change(SLOW) == 70.0
    assert seen(standing, SLOW, condition=False, monotonic=20.0).next_change(SLOW) == 40.0


# --- what makes an alarm ----------------------------------------------------------------------------------------------


def sample(value: Scalar) -> Sample:
    return good(value, AT, 0.0)


UNKNOWN = bad("no answer", AT, 0.0)


@pytest.mark.parametrize(
    "test, values, held",
    [
        (Above(12.0, 0.5), [12.0, 12.1, 11.6, 11.5, 11.9], [False, True, True, False, False]),
        (Below(4.0, 1.0), [4.0, 3.9, 4.9, 5.0, 4.5], [False, True, True, False, False]),
        (Equals(True), [False, True, False], [False, True, False]),
        (Equals("charge"), ["direct", "charge"], [False, True]),
        (Above(1.0), ["a text"], [False]),
    ],
)
def test_limits_have_a_deadband(test: Above | Below | Equals, values: list[Scalar], held: list[bool]) -> None:
    found: list[bool] = []
    for value in values:
        found.append(test.holds(sample(value), held=found[-1] if found else False))
    assert found == held


@pytest.mark.parametrize("test", [Above(12.0), Below(4.0), Equals(True)])
@pytest.mark.parametrize("held", [False, True])
def test_an_unknown_value_neither_begins_nor_ends_an_alarm(test: Above | Below | Equals, held: bool) -> None:
    assert test.holds(UNKNOWN, held=held) is held


def test_a_bad_sample_is_an_alarm_of_its_own() -> None:
    assert IsBad().holds(UNKNOWN, held=False)
    assert not IsBad().holds(sample(1.0), held=True)


def test_a_rule_means_nothing_while_its_equipment_is_known_to_be_off() -> None:
    status = PointId("plant.chiller_1.status")
    rule = PointRule("warm", PointId("a.b.c"), Above(1.0), PLAIN, Wording(), Condition(status, True))
    assert rule.is_meant(sample(True))
    assert not rule.is_meant(sample(False))
    assert rule.is_meant(UNKNOWN), "unknown is not off"


def test_an_alarm_is_called_as_people_type_it() -> None:
    assert str(AlarmId("plant.pump_1.command", "effect missing")) == "plant.pump_1.command:effect_missing"


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_route_climbs_its_ladder() -> None:
    ladder = (Rung("a"), Rung("b", timedelta(minutes=15)), Rung("c", timedelta(hours=1)))
    route = Route("shift", Priority.HIGH, ladder)
    assert [route.takes(each) for each in Priority] == [True, True, False, False]
    assert route.climbed(50.0) == [50.0, 950.0, 3650.0]
    assert "'a'" not in repr(route)


def test_eleven_alarms_in_ten_minutes_are_a_flood_until_fewer_than_five_are() -> None:
    flood = Flood()
    for second in range(10):
        flood = flood.another(float(second))
    assert not flood.on
    flood = flood.another(599.0)
    assert flood.on
    assert flood.at(604.0).on
    assert not flood.at(606.5).on
    assert not flood.at(2000.0).on
    assert len(flood.another(600.0).raised) <= 11
