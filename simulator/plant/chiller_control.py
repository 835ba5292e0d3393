"""The chiller's own controller: start sequence, proof of flow, run-up, recycling at low load, trips.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 43 "Liquid-chilling systems", sections "Control" and
    "Safety controls": flow interlocks of both water circuits, low-temperature cut-out, anti-recycle timer, soft
    loading.
Times and temperatures are typical settings of centrifugal chillers, chosen here; no maker's data.
"""

from enum import IntEnum
from typing import NamedTuple


class Mode(IntEnum):
    """OFF; PROVING: enabled, waits for both flows; STARTING: pre-lubrication; RUNNING; RECYCLED: enabled, compressor
    off because the load is too small; TRIPPED: latched until a person resets it at the machine.
    """

    OFF = 0
    PROVING = 1
    STARTING = 2
    RUNNING = 3
    RECYCLED = 4
    TRIPPED = 5


NEEDS_FLOW = frozenset({Mode.PROVING, Mode.STARTING, Mode.RUNNING, Mode.RECYCLED})
"""Modes in which the machine asks for both pumps."""

FLOW_PROOF_S = 60.0
PRELUBRICATION_S = 30.0
ANTI_RECYCLE_S = 300.0  # from stop to start: motor windings and oil need it
RUN_UP_S = 180.0  # soft loading from the first to the full capacity
FIRST_LOADING = 0.2
RECYCLE_BELOW_SETPOINT = 2.0  # [K] stops on leaving water this far below its setpoint
RESTART_ABOVE_SETPOINT = 3.0  # [K] starts again on entering water this far above
LOW_TEMPERATURE_CUT_OUT = 3.0  # [degC] leaving water, protects against freezing


class ControlState(NamedTuple):
    """mode; in_mode_s: time in the mode; off_s: time since the compressor stopped; trips: count since the beginning."""

    mode: Mode = Mode.OFF
    in_mode_s: float = 0.0
    off_s: float = ANTI_RECYCLE_S
    trips: int = 0


class Signals(NamedTuple):
    """What the controller sees: enable, proof of both flows, entering and leaving chilled water and setpoint [degC]."""

    enable: bool
    evaporator_flow: bool
    condenser_flow: bool
    entering: float
    leaving: float
    setpoint: float


def aged(state: ControlState, dt: float) -> ControlState:
    """The state after dt [s] without a transition."""
    off_s = 0.0 if state.mode is Mode.RUNNING else state.off_s + dt
    return ControlState(state.mode, state.in_mode_s + dt, off_s, state.trips)


def next_state(state: ControlState, seen: Signals) -> ControlState:
    """The state after at most one transition. A trip latches whatever is enabled."""
    if state.mode is Mode.TRIPPED:
        return state
    if not seen.enable:
        return state if state.mode is Mode.OFF else _enter(state, Mode.OFF)
    flows = seen.evaporator_flow and seen.condenser_flow
    match state.mode:
        case Mode.OFF:
            return _enter(state, Mode.PROVING) if state.off_s >= ANTI_RECYCLE_S else state
        case Mode.PROVING:
            return _proven(state, flows)
        case Mode.STARTING | Mode.RUNNING if not flows:
            return _trip(state)
        case Mode.STARTING:
            return _enter(state, Mode.RUNNING) if state.in_mode_s >= PRELUBRICATION_S else state
        case Mode.RUNNING:
            too_cold = seen.leaving < max(seen.setpoint - RECYCLE_BELOW_SETPOINT, LOW_TEMPERATURE_CUT_OUT)
            return _enter(state, Mode.RECYCLED) if too_cold else state
        case _:
            rested = state.off_s >= ANTI_RECYCLE_S
            warm = seen.entering > seen.setpoint + RESTART_ABOVE_SETPOINT
            return _enter(state, Mode.PROVING) if rested and warm else state


def loading_limit(state: ControlState) -> float:
    """Share of the capacity that the run-up allows [0..1]: linear from FIRST_LOADING to 1 over RUN_UP_S."""
    return min(1.0, FIRST_LOADING + (1.0 - FIRST_LOADING) * state.in_mode_s / RUN_UP_S)


def reset(state: ControlState) -> ControlState:
    """A person resets a trip at the machine."""
    return _enter(state, Mode.OFF) if state.mode is Mode.TRIPPED else state


def _proven(state: ControlState, flows: bool) -> ControlState:
    if flows:
        return _enter(state, Mode.STARTING)
    return _trip(state) if state.in_mode_s >= FLOW_PROOF_S else state


def _enter(state: ControlState, mode: Mode) -> ControlState:
    return ControlState(mode, 0.0, state.off_s, state.trips)


def _trip(state: ControlState) -> ControlState:
    return ControlState(Mode.TRIPPED, 0.0, state.off_s, state.trips + 1)
