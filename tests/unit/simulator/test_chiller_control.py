"""The chiller's own controller as a table of states."""

import pytest

from simulator.plant.chiller_control import (
    ANTI_RECYCLE_S,
    ControlState,
    Mode,
    Signals,
    aged,
    loading_limit,
    next_state,
    reset,
)

GOOD = Signals(enable=True, evaporator_flow=True, condenser_flow=True, entering=13.0, leaving=7.0, setpoint=7.0)


def test_starts_only_after_both_flows_are_proven() -> None:
    state = next_state(ControlState(), GOOD._replace(condenser_flow=False))
    assert state.mode is Mode.PROVING
    assert next_state(aged(state, 30.0), GOOD._replace(condenser_flow=False)).mode is Mode.PROVING
    state = next_state(aged(state, 10.0), GOOD)
    assert state.mode is Mode.STARTING
    assert next_state(aged(state, 10.0), GOOD).mode is Mode.STARTING
    assert next_state(aged(state, 31.0), GOOD).mode is Mode.RUNNING


def test_trips_when_flow_is_not_proven_in_time() -> None:
    state = aged(next_state(ControlState(), GOOD), 61.0)
    tripped = next_state(state, GOOD._replace(evaporator_flow=False))
    assert (tripped.mode, tripped.trips) == (Mode.TRIPPED, 1)


def test_trips_on_loss_of_either_flow_and_latches_until_reset() -> None:
    running = ControlState(Mode.RUNNING, 1000.0, 0.0, 2)
    for lost in (GOOD._replace(evaporator_flow=False), GOOD._replace(condenser_flow=False)):
        tripped = next_state(running, lost)
        assert (tripped.mode, tripped.trips) == (Mode.TRIPPED, 3)
        assert next_state(aged(tripped, 9999.0), GOOD).mode is Mode.TRIPPED
        assert next_state(tripped, GOOD._replace(enable=False)).mode is Mode.TRIPPED
        assert reset(tripped).mode is Mode.OFF
    assert reset(running) is running


def test_rests_between_stop_and_start() -> None:
    stopped = next_state(ControlState(Mode.RUNNING, 1000.0, 0.0, 0), GOOD._replace(enable=False))
    assert stopped.mode is Mode.OFF
    assert next_state(aged(stopped, ANTI_RECYCLE_S - 1.0), GOOD).mode is Mode.OFF
    assert next_state(aged(stopped, ANTI_RECYCLE_S), GOOD).mode is Mode.PROVING


def test_recycles_on_cold_water_and_comes_back_when_it_is_warm() -> None:
    recycled = next_state(ControlState(Mode.RUNNING, 1000.0, 0.0, 0), GOOD._replace(leaving=4.9))
    assert recycled.mode is Mode.RECYCLED
    rested = aged(recycled, ANTI_RECYCLE_S)
    assert next_state(rested, GOOD._replace(entering=9.0)).mode is Mode.RECYCLED
    assert next_state(rested, GOOD._replace(entering=10.5)).mode is Mode.PROVING
    assert next_state(aged(recycled, 10.0), GOOD._replace(entering=12.0)).mode is Mode.RECYCLED


def test_does_not_freeze_at_a_low_setpoint() -> None:
    running = ControlState(Mode.RUNNING, 1000.0, 0.0, 0)
    assert next_state(running, GOOD._replace(leaving=2.9, setpoint=4.5)).mode is Mode.RECYCLED


def test_loads_softly() -> None:
    assert loading_limit(ControlState(Mode.RUNNING, 0.0, 0.0, 0)) == 0.2
    assert loading_limit(ControlState(Mode.RUNNING, 90.0, 0.0, 0)) == pytest.approx(0.6)
    assert loading_limit(ControlState(Mode.RUNNING, 600.0, 0.0, 0)) == 1.0
