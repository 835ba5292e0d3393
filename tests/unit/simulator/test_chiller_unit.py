"""A chiller as a whole: from enable to cold water, under a demand limit, and off its limits."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.chillers import read_chillers
from simulator.plant.chiller_control import Mode, Trip
from simulator.plant.chiller_unit import ChillerUnit, UnitInputs, UnitState, respond, step

UNIT = ChillerUnit(read_chillers()["DOE-2 centrifugal"].model)
GOOD = UnitInputs(
    enable=True,
    setpoint=7.0,
    entering=11.5,
    evaporator_flow=150.0,
    condenser_entering=29.0,
    condenser_flow=188.0,
)
STEP_S = 10.0
COLD_START = UnitState()


def run(inputs: UnitInputs, seconds: float, state: UnitState = COLD_START) -> Iterator[UnitState]:
    for _ in range(int(seconds / STEP_S)):
        state = step(UNIT, state, inputs, STEP_S)
        yield state


def last(states: Iterator[UnitState]) -> UnitState:
    *_, final = states
    return final


def test_starts_runs_up_and_reaches_its_setpoint() -> None:
    states = list(run(GOOD, 600.0))
    assert [state.control.mode for state in states[:5]] == [
        Mode.PROVING,
        Mode.STARTING,
        Mode.STARTING,
        Mode.STARTING,
        Mode.RUNNING,
    ]
    powers = [state.operation.power for state in states[4:24]]
    assert all(before <= after for before, after in pairwise(powers))
    assert powers[0] < 0.4 * powers[-1]
    assert states[-1].leaving == pytest.approx(7.0)


def test_every_step_closes_its_balances() -> None:
    for state in run(GOOD, 600.0):
        heat = GOOD.condenser_flow * WATER_SPECIFIC_HEAT * (state.condenser_leaving - GOOD.condenser_entering)
        cold = GOOD.evaporator_flow * WATER_SPECIFIC_HEAT * (GOOD.entering - state.leaving)
        assert cold == pytest.approx(state.operation.cooling, rel=1e-9, abs=1e-9)
        assert heat == pytest.approx(cold + state.operation.power, rel=1e-9, abs=1e-9)


def test_a_demand_limit_holds_the_power_and_lets_the_water_rise() -> None:
    running = last(run(GOOD, 600.0))
    rated = UNIT.machine.capacity / UNIT.machine.cop
    limited = respond(UNIT, running, GOOD._replace(demand_limit=0.6))
    assert running.operation.power > 0.65 * rated
    assert limited.operation.power == pytest.approx(0.6 * rated, rel=1e-6)
    assert limited.leaving > 7.5
    assert limited.control.mode is Mode.RUNNING


def test_warm_condenser_water_trips_it_on_high_pressure_and_little_of_it_too() -> None:
    running = last(run(GOOD, 600.0))
    assert last(run(GOOD._replace(condenser_entering=38.0), 60.0, running)).control.mode is Mode.RUNNING
    hot = last(run(GOOD._replace(condenser_entering=44.0), 60.0, running)).control
    assert (hot.mode, hot.trip) == (Mode.TRIPPED, Trip.HIGH_CONDENSER)
    little = last(run(GOOD._replace(condenser_flow=68.0, condenser_entering=36.0), 60.0, running)).control
    assert little.trip is Trip.HIGH_CONDENSER
    none = last(run(GOOD._replace(condenser_flow=60.0), 60.0, running))
    assert none.control.trip is Trip.CONDENSER_FLOW
    assert none.operation.power == none.operation.cooling == 0.0


def test_a_machine_short_of_refrigerant_trips_before_it_freezes_and_a_full_one_recycles() -> None:
    cold = GOOD._replace(setpoint=3.5, entering=6.5)
    assert last(run(cold, 600.0)).control.mode is Mode.RUNNING
    short = ChillerUnit(UNIT.machine, evaporator_approach=7.0)
    state = UnitState()
    for _ in range(60):
        state = step(short, state, cold, STEP_S)
    assert (state.control.mode, state.control.trip) == (Mode.TRIPPED, Trip.LOW_EVAPORATOR)
    states = [state.control for state in run(cold._replace(setpoint=1.0), 600.0)]
    assert Mode.RECYCLED in {state.mode for state in states}
    assert states[-1].trips == 0


def test_a_fouled_condenser_costs_power_and_trips_where_a_clean_one_runs() -> None:
    fouled = ChillerUnit(UNIT.machine, condenser_approach=5.5)
    clean = state = last(run(GOOD, 600.0))
    for _ in range(5):
        state = step(fouled, state, GOOD, STEP_S)
    assert state.operation.cooling == pytest.approx(clean.operation.cooling)
    assert 1.05 < state.operation.power / clean.operation.power < 1.15  # some 2.5 % a kelvin
    assert state.condensing - clean.condensing == pytest.approx(3.4, abs=0.3)
    hot = GOOD._replace(condenser_entering=40.0)
    for _ in range(3):
        clean, state = step(UNIT, clean, hot, STEP_S), step(fouled, state, hot, STEP_S)
    assert clean.control.mode is Mode.RUNNING
    assert state.control.trip is Trip.HIGH_CONDENSER


def test_the_same_inputs_give_the_same_states_and_no_step_moves_the_given_one() -> None:
    before = last(run(GOOD, 200.0))
    assert list(run(GOOD, 300.0, before)) == list(run(GOOD, 300.0, before))
    assert before == last(run(GOOD, 200.0))
