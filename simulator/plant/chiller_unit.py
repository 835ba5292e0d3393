"""A chiller as a whole: the machine, its own controller and what the refrigerant does, in one pure step.

Rates (cooling, power, heat) are found at an instant and hold until the next one, so that whoever integrates them counts
exactly what was read.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 43 "Liquid-chilling systems": leaving temperature
    differences of clean evaporators and condensers, here taken as growing with the heat.
"""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple, TypeAlias

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant.chiller import STOPPED, ChillerModel, Operation, operate
from simulator.plant.chiller_control import (
    RUNNING,
    USUAL,
    ControlSettings,
    ControlState,
    Signals,
    aged,
    loading_limit,
    next_state,
)
from simulator.plant.record import record

CLEAN_APPROACH = 1.5
"""[K] With which the curves of a catalogue were measured; what a heat exchanger has beyond shifts them."""
_INITIAL_WATER = 20.0


@dataclass(frozen=True, slots=True)
class ChillerUnit:
    """evaporator_approach, condenser_approach: between refrigerant and leaving water at the reference capacity [K]; a
    fouled heat exchanger, or one short of refrigerant, has more, which costs power and brings the trips nearer.
    proof_flow: share of the design flow at which a flow switch closes [0..1].
    """

    machine: ChillerModel
    settings: ControlSettings = USUAL
    evaporator_approach: float = CLEAN_APPROACH
    condenser_approach: float = CLEAN_APPROACH
    proof_flow: float = 0.35


class UnitInputs(NamedTuple):
    """enable; setpoint of the leaving chilled water [degC]; entering waters [degC]; flows [kg/s]; demand_limit: share
    of the power at the reference point beyond which the machine unloads [0..1], none given: no limit.
    """

    enable: bool
    setpoint: float
    entering: float
    evaporator_flow: float
    condenser_entering: float
    condenser_flow: float
    demand_limit: float = inf


class UnitState(NamedTuple):
    """control: of the machine's own controller; operation: rates in force; waters that they give and saturated
    temperatures of the refrigerant [degC].
    """

    control: ControlState = ControlState()
    operation: Operation = STOPPED
    entering: float = _INITIAL_WATER
    leaving: float = _INITIAL_WATER
    condenser_leaving: float = _INITIAL_WATER
    evaporating: float = _INITIAL_WATER
    condensing: float = _INITIAL_WATER


Beside: TypeAlias = tuple[ChillerUnit, UnitState, UnitInputs, UnitState]
"""A machine that has been stepped: itself, its state before, its inputs, its state after."""


def step(unit: ChillerUnit, state: UnitState, inputs: UnitInputs, dt: float, beside: Beside | None = None) -> UnitState:
    """The state after dt [s], in which the rates of the given state held, and new inputs thereafter. beside: some other
    one, stepped before; where it is alike and asked the same, what both do has been found.
    """
    control = _controlled(unit, aged(state.control, dt), state, inputs)
    if beside is not None and _do_the_same(unit, control, state, inputs, beside):
        return record(UnitState, (control, *beside[3][1:]))
    return _responding(unit, control, state, inputs)


def respond(unit: ChillerUnit, state: UnitState, inputs: UnitInputs) -> UnitState:
    """Controls and rates under new inputs, no time passing. The controller sees the waters of the given state."""
    return _responding(unit, _controlled(unit, state.control, state, inputs), state, inputs)


def _do_the_same(
    unit: ChillerUnit, control: ControlState, state: UnitState, inputs: UnitInputs, beside: Beside
) -> bool:
    """Whether the rates follow from the same as those of the other machine."""
    other, before, asked, after = beside
    return (
        other is unit
        and asked == inputs
        and before.operation.cooling == state.operation.cooling
        and after.control.mode is control.mode
        and loading_limit(after.control, unit.settings) == loading_limit(control, unit.settings)
    )


def _controlled(unit: ChillerUnit, control: ControlState, state: UnitState, inputs: UnitInputs) -> ControlState:
    machine = unit.machine
    enable, setpoint, _, flow, _, condenser_flow, _ = inputs
    _, _, was_entering, was_leaving, _, evaporating, condensing = state
    seen = record(
        Signals,
        (
            enable,
            flow >= unit.proof_flow * machine.evaporator_flow,
            condenser_flow >= unit.proof_flow * machine.condenser_flow,
            was_entering,
            was_leaving,
            setpoint,
            condensing,
            evaporating,
        ),
    )
    return next_state(control, seen, unit.settings)


def _responding(unit: ChillerUnit, control: ControlState, state: UnitState, inputs: UnitInputs) -> UnitState:
    machine = unit.machine
    _, setpoint, entering, flow, condenser_entering, condenser_flow, demand_limit = inputs
    operation = STOPPED
    if control.mode is RUNNING:
        # The refrigerant of fouled heat exchangers is as far from the waters as a clean machine's with other waters, at
        # the load [0..1] of the step before.
        load = state.operation.cooling / machine.capacity
        operation = operate(
            machine,
            flow * WATER_SPECIFIC_HEAT * (entering - setpoint),
            loading_limit(control, unit.settings),
            setpoint - (unit.evaporator_approach - CLEAN_APPROACH) * load,
            condenser_entering + (unit.condenser_approach - CLEAN_APPROACH) * load,
            condenser_flow=condenser_flow,
            power_limit=demand_limit * machine.capacity / machine.cop,
        )
    cooling, _, heat_rejection = operation
    leaving = entering - _rise(cooling, flow)
    condenser_leaving = condenser_entering + _rise(heat_rejection, condenser_flow)
    load = cooling / machine.capacity
    return record(
        UnitState,
        (
            control,
            operation,
            entering,
            leaving,
            condenser_leaving,
            leaving - unit.evaporator_approach * load,
            condenser_leaving + unit.condenser_approach * load,
        ),
    )


def _rise(heat: float, flow: float) -> float:
    """Temperature rise [K] of a flow [kg/s] that takes up heat [kW]; none without flow."""
    return heat / (flow * WATER_SPECIFIC_HEAT) if flow > 0.0 else 0.0
