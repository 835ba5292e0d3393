"""The chiller's own controller as a table of states."""

import pytest

from simulator.plant.chiller_control import (
    SPARED,
    USUAL,
    ControlSettings,
    ControlState,
    Mode,
    Signals,
    Trip,
    aged,
    loading_limit,
    next_state,
    reset,
    tripped,
)

GOOD = Signals(
    enable=True,
    evaporator_flow=True,
    condenser_flow=True,
    entering=13.0,
    leaving=7.0,
    setpoint=7.0,
    condensing=37.0,
    evaporating=5.5,
)
RUNNING = ControlState(Mode.RUNNING, 1000.0, 0.0, 2, 1000.0)


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
    after = next_state(state, GOOD._replace(evaporator_flow=False))
    assert (after.mode, after.trips, after.trip) == (Mode.TRIPPED, 1, Trip.EVAPORATOR_FLOW)


@pytest.mark.parametrize(
    "seen,cause",
    [
        (GOOD._replace(evaporator_flow=False), Trip.EVAPORATOR_FLOW),
        (GOOD._replace(condenser_flow=False), Trip.CONDENSER_FLOW),
        (GOOD._replace(condensing=48.1), Trip.HIGH_CONDENSER),
        (GOOD._replace(evaporating=-0.1), Trip.LOW_EVAPORATOR),
        (GOOD._replace(leaving=1.9, setpoint=3.0), Trip.FREEZE),
    ],
)
def test_trips_and_latches_until_a_person_resets(seen: Signals, cause: Trip) -> None:
    after = next_state(RUNNING, seen)
    assert (after.mode, after.trips, after.trip) == (Mode.TRIPPED, 3, cause)
    assert next_state(aged(after, 9999.0), GOOD).mode is Mode.TRIPPED
    assert next_state(after, GOOD._replace(enable=False)).mode is Mode.TRIPPED
    assert reset(after).mode is Mode.OFF
    assert reset(RUNNING) is RUNNING


def test_what_has_tripped_is_not_counted_twice() -> None:
    stopped = tripped(RUNNING, Trip.SAFETY_CHAIN)
    assert (stopped.mode, stopped.trips, stopped.trip) == (Mode.TRIPPED, 3, Trip.SAFETY_CHAIN)
    assert tripped(stopped, Trip.FREEZE) is stopped


def test_limits_of_a_running_machine_say_nothing_while_it_stands() -> None:
    warm = GOOD._replace(condensing=60.0, evaporating=-5.0, leaving=1.0)
    assert next_state(ControlState(), warm).mode is Mode.PROVING
    assert next_state(ControlState(Mode.PROVING), warm).mode is Mode.STARTING


def test_rests_between_stop_and_start() -> None:
    stopped = next_state(RUNNING, GOOD._replace(enable=False))
    assert stopped.mode is Mode.OFF
    assert next_state(aged(stopped, USUAL.stop_to_start_s - 1.0), GOOD).mode is Mode.OFF
    assert next_state(aged(stopped, USUAL.stop_to_start_s), GOOD).mode is Mode.PROVING


def test_recycles_on_cold_water_and_comes_back_when_it_is_warm() -> None:
    recycled = next_state(RUNNING, GOOD._replace(leaving=4.9))
    assert recycled.mode is Mode.RECYCLED
    rested = aged(recycled, USUAL.stop_to_start_s)
    assert next_state(rested, GOOD._replace(entering=9.0)).mode is Mode.RECYCLED
    assert next_state(rested, GOOD._replace(entering=10.5)).mode is Mode.PROVING
    assert next_state(aged(recycled, 10.0), GOOD._replace(entering=12.0)).mode is Mode.RECYCLED


def test_does_not_freeze_at_a_low_setpoint() -> None:
    assert next_state(RUNNING, GOOD._replace(leaving=2.9, setpoint=4.5)).mode is Mode.RECYCLED


def test_loads_softly() -> None:
    assert loading_limit(ControlState(Mode.RUNNING, 0.0, 0.0, 0)) == 0.2
    assert loading_limit(ControlState(Mode.RUNNING, 90.0, 0.0, 0)) == pytest.approx(0.6)
    assert loading_limit(ControlState(Mode.RUNNING, 600.0, 0.0, 0)) == 1.0


def test_spares_the_starts_of_a_machine_that_is_to_be_spared() -> None:
    started = next_state(ControlState(Mode.STARTING, 31.0), GOOD, SPARED)
    assert (started.mode, started.since_start_s) == (Mode.RUNNING, 0.0)
    stop = GOOD._replace(enable=False)
    assert next_state(aged(started, 899.0), stop, SPARED).mode is Mode.RUNNING
    stopped = next_state(aged(started, 900.0), stop, SPARED)
    assert stopped.mode is Mode.OFF
    assert next_state(aged(stopped, 899.0), GOOD, SPARED).mode is Mode.OFF
    assert next_state(aged(stopped, 900.0), GOOD, SPARED).mode is Mode.PROVING


def test_no_minimum_time_keeps_an_unsafe_machine_running() -> None:
    started = ControlState(Mode.RUNNING, 10.0, 0.0, 0, 10.0)
    seen = GOOD._replace(enable=False, condenser_flow=False)
    assert next_state(started, seen, ControlSettings(minimum_on_s=900.0)).trip is Trip.CONDENSER_FLOW
    assert next_state(started, seen).mode is Mode.OFF
