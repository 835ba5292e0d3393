"""The chiller's own controller: start sequence, proof of flow, run-up, recycling at low load, minimum times, trips.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 43 "Liquid-chilling systems", sections "Control" and
    "Safety controls": flow interlocks of both water circuits, high condenser pressure, low evaporator temperature,
    low-temperature cut-out, anti-recycle timer, soft loading.
Times and temperatures are typical settings of centrifugal chillers, chosen here; no maker's data.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from simulator.plant.record import record


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


class Trip(IntEnum):
    """Why a machine has tripped last. SAFETY_CHAIN: whatever else is wired to stop it, such as an emergency stop."""

    NONE = 0
    EVAPORATOR_FLOW = 1
    CONDENSER_FLOW = 2
    HIGH_CONDENSER = 3
    LOW_EVAPORATOR = 4
    FREEZE = 5
    SAFETY_CHAIN = 6


RUNNING, _TRIPPED = Mode.RUNNING, Mode.TRIPPED
"""Asked for at every step of every machine, where to find a member in its enumeration takes longer than to compare."""
NEEDS_FLOW = (Mode.RUNNING, Mode.PROVING, Mode.STARTING, Mode.RECYCLED)
"""Modes in which the machine asks for both pumps."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Times [s], temperatures [degC] and differences [K] that a maker or a commissioner sets.

    flow_proof_s: how long a start waits for both flows. stop_to_start_s, start_to_start_s: anti-recycle times for
    windings and oil. minimum_on_s: how long a running compressor goes on after its enable has gone; a trip does not
    wait. run_up_s: soft loading from first_loading [0..1] to the full capacity. recycle_below_setpoint: stops on
    leaving water this far below its setpoint or below low_temperature_cut_out, restart_above_setpoint: starts again on
    entering water this far above. Trips: leaving water below freeze_trip; refrigerant below low_evaporating or above
    high_condensing (saturated; 48 degC is 1.25 MPa of R-134a).
    """

    flow_proof_s: float = 60.0
    prelubrication_s: float = 30.0
    stop_to_start_s: float = 300.0
    start_to_start_s: float = 0.0
    minimum_on_s: float = 0.0
    run_up_s: float = 180.0
    first_loading: float = 0.2
    recycle_below_setpoint: float = 2.0
    restart_above_setpoint: float = 3.0
    low_temperature_cut_out: float = 3.0
    freeze_trip: float = 2.0
    low_evaporating: float = 0.0
    high_condensing: float = 48.0


USUAL = ControlSettings()
"""Of a machine that nobody has set otherwise: stops when told to, and starts again five minutes later."""

SPARED = ControlSettings(start_to_start_s=1800.0, minimum_on_s=900.0)
"""Of a large machine whose starts are spared: at most two an hour, and no run of less than a quarter of an hour."""

_LONG_AGO = 1e9  # [s]


class ControlState(NamedTuple):
    """mode; in_mode_s: time in the mode; off_s: time since the compressor stopped; trips: count since the beginning;
    since_start_s: time since the compressor started last; trip: the last cause.
    """

    mode: Mode = Mode.OFF
    in_mode_s: float = 0.0
    off_s: float = _LONG_AGO
    trips: int = 0
    since_start_s: float = _LONG_AGO
    trip: Trip = Trip.NONE


class Signals(NamedTuple):
    """What the controller sees: enable, proof of both flows, entering and leaving chilled water and setpoint [degC],
    saturated condensing and evaporating temperature [degC].
    """

    enable: bool
    evaporator_flow: bool
    condenser_flow: bool
    entering: float
    leaving: float
    setpoint: float
    condensing: float
    evaporating: float


def aged(state: ControlState, dt: float) -> ControlState:
    """The state after dt [s] without a transition."""
    mode, in_mode_s, off_s, trips, since_start_s, trip = state
    off_s = 0.0 if mode is RUNNING else off_s + dt
    return record(ControlState, (mode, in_mode_s + dt, off_s, trips, since_start_s + dt, trip))


def next_state(state: ControlState, seen: Signals, settings: ControlSettings = USUAL) -> ControlState:
    """The state after at most one transition. A trip latches whatever is enabled."""
    if (state.mode is RUNNING and _goes_on(seen, settings)) or state.mode is _TRIPPED:
        return state
    if not seen.enable and not _is_held(state, settings):
        return state if state.mode is Mode.OFF else _enter(state, Mode.OFF)
    cause = _unsafe(state, seen, settings)
    if cause is not Trip.NONE:
        return tripped(state, cause)
    match state.mode:
        case Mode.RUNNING:
            lowest = max(seen.setpoint - settings.recycle_below_setpoint, settings.low_temperature_cut_out)
            return _enter(state, Mode.RECYCLED) if seen.leaving < lowest else state
        case Mode.OFF:
            return _enter(state, Mode.PROVING) if _rested(state, settings) else state
        case Mode.PROVING:
            return _enter(state, Mode.STARTING) if seen.evaporator_flow and seen.condenser_flow else state
        case Mode.STARTING:
            if state.in_mode_s < settings.prelubrication_s:
                return state
            return _enter(state, Mode.RUNNING)._replace(since_start_s=0.0)
        case _:
            warm = seen.entering > seen.setpoint + settings.restart_above_setpoint
            return _enter(state, Mode.PROVING) if warm and _rested(state, settings) else state


def loading_limit(state: ControlState, settings: ControlSettings = USUAL) -> float:
    """Share of the capacity that the run-up allows [0..1]: linear from first_loading to 1 over run_up_s."""
    first, passed, run_up = settings.first_loading, state.in_mode_s, settings.run_up_s
    return first + (1.0 - first) * passed / run_up if passed < run_up else 1.0


def tripped(state: ControlState, cause: Trip) -> ControlState:
    """The state after a trip, counted; a machine that has tripped already stays as it is."""
    if state.mode is Mode.TRIPPED:
        return state
    return _enter(state, Mode.TRIPPED)._replace(trips=state.trips + 1, trip=cause)


def unpowered(state: ControlState) -> ControlState:
    """The state once its supply has failed: it stands at once, and rests as after every stop; a trip stays."""
    return state if state.mode in (Mode.OFF, Mode.TRIPPED) else _enter(state, Mode.OFF)


def reset(state: ControlState) -> ControlState:
    """A person resets a trip at the machine."""
    return _enter(state, Mode.OFF) if state.mode is Mode.TRIPPED else state


def _goes_on(seen: Signals, settings: ControlSettings) -> bool:
    """Whether nothing at all would stop a running machine: so it is for hours, and all the rest need not be asked."""
    enable, evaporator_flow, condenser_flow, _, leaving, setpoint, condensing, evaporating = seen
    return (
        enable
        and evaporator_flow
        and condenser_flow
        and leaving >= setpoint - settings.recycle_below_setpoint
        and leaving >= settings.low_temperature_cut_out
        and leaving >= settings.freeze_trip
        and condensing <= settings.high_condensing
        and evaporating >= settings.low_evaporating
    )


def _is_held(state: ControlState, settings: ControlSettings) -> bool:
    return state.mode is Mode.RUNNING and state.in_mode_s < settings.minimum_on_s


def _unsafe(state: ControlState, seen: Signals, settings: ControlSettings) -> Trip:
    mode = state.mode
    if mode is Mode.RUNNING:
        return _lost_flow(seen) or _out_of_limits(seen, settings)
    if mode is Mode.STARTING or (mode is Mode.PROVING and state.in_mode_s >= settings.flow_proof_s):
        return _lost_flow(seen)
    return Trip.NONE


def _out_of_limits(seen: Signals, settings: ControlSettings) -> Trip:
    if seen.condensing > settings.high_condensing:
        return Trip.HIGH_CONDENSER
    if seen.leaving < settings.freeze_trip:
        return Trip.FREEZE
    return Trip.LOW_EVAPORATOR if seen.evaporating < settings.low_evaporating else Trip.NONE


def _lost_flow(seen: Signals) -> Trip:
    if not seen.evaporator_flow:
        return Trip.EVAPORATOR_FLOW
    return Trip.NONE if seen.condenser_flow else Trip.CONDENSER_FLOW


def _rested(state: ControlState, settings: ControlSettings) -> bool:
    return state.off_s >= settings.stop_to_start_s and state.since_start_s >= settings.start_to_start_s


def _enter(state: ControlState, mode: Mode) -> ControlState:
    return ControlState(mode, 0.0, state.off_s, state.trips, state.since_start_s, state.trip)
