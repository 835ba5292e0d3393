"""Mutual exclusion as tables of who is wished, who is on, and who may not be."""

from __future__ import annotations

import pytest

from controller.core.command import Priority
from controller.core.exclusion import Standing, rivals
from controller.core.point import PointId

A, B = PointId("plant.tank_1.charge_valve_command"), PointId("plant.tank_1.discharge_valve_command")
ON = Standing(None, commanded=False, shown=True)
OFF = Standing(None, commanded=False, shown=False)
UNSEEN = Standing(None, commanded=False, shown=None)
TOLD = Standing(None, commanded=True, shown=False)


def wished(each: Standing, value: bool = True, priority: Priority = Priority.STRATEGY) -> Standing:
    return each._replace(wish=value, priority=priority)


@pytest.mark.parametrize("other, may_start", [(OFF, True), (ON, False), (UNSEEN, False), (TOLD, False)])
@pytest.mark.parametrize("is_wished_off", [False, True])
def test_a_start_waits_until_the_other_is_proven_off(other: Standing, *, may_start: bool, is_wished_off: bool) -> None:
    other = wished(other, value=False) if is_wished_off else other
    assert (A not in rivals({A: wished(OFF), B: other})) is may_start


@pytest.mark.parametrize("other", [OFF, UNSEEN, TOLD])
def test_what_runs_is_not_stopped_by_what_is_not_proven(other: Standing) -> None:
    assert rivals({A: wished(ON), B: other}) == {}


def test_what_runs_stops_when_somebody_else_turned_the_other_on() -> None:
    found = rivals({A: wished(ON), B: ON})
    assert found[A].at_once
    assert str(B) in found[A].reason.en
    assert str(B) in found[A].reason.zh


def test_while_the_other_closes_at_our_command_what_runs_goes_on() -> None:
    assert rivals({A: wished(ON), B: wished(ON, value=False)}) == {}


def test_of_two_wishes_the_stronger_wins_and_waits_for_the_other_to_end() -> None:
    found = rivals({A: wished(ON), B: wished(OFF, priority=Priority.MANUAL_OPERATOR)})
    assert set(found) == {A, B}
    assert not found[A].at_once
    found = rivals({A: wished(OFF), B: wished(OFF, priority=Priority.MANUAL_OPERATOR)})
    assert set(found) == {A}


def test_what_protects_does_not_wait_for_a_minimum_time() -> None:
    found = rivals({A: wished(ON), B: wished(OFF, priority=Priority.AUTOMATIC_LIFE_SAFETY)})
    assert found[A].at_once


def test_at_one_level_what_runs_goes_on_and_else_the_first_begins() -> None:
    assert set(rivals({A: wished(OFF), B: wished(ON)})) == {A}
    assert set(rivals({A: wished(OFF), B: wished(OFF)})) == {B}


def test_of_two_found_on_the_weaker_stops_at_once() -> None:
    found = rivals({A: wished(ON), B: wished(ON)})
    assert set(found) == {B}
    assert found[B].at_once


def test_nobody_is_hindered_who_does_not_wish_to_be_on() -> None:
    assert rivals({A: ON, B: wished(ON, value=False)}) == {}
