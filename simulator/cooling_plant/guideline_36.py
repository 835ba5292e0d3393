"""A competent baseline: the high-rise's plant under the chilled-water plant sequences of ASHRAE Guideline 36.

What a good contractor would deliver today without a model of the plant. Primary-secondary with headered constant-speed
primary and condenser pumps, one set of secondary pumps under differential pressure control; storage shut.

References
----------
[1] ASHRAE Guideline 36-2021, 5.20.4 (chiller staging by operative part-load ratio, failsafe conditions), 5.20.5
    (chilled water plant reset by trim and respond), 5.20.7 and 5.20.8 (chilled water pumps by differential pressure and
    flow ratio), 5.20.12 (tower fans by condenser water return temperature).
[2] S. T. Taylor, J. Stein et al., ASHRAE RP-1711 "Advanced sequences of operation for HVAC systems, phase II: central
    plants and hydronic systems", 2020: the same with its reasons.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from controller.core.physics import water_heat
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.sequence import enabled, header_valves, held, pumps
from simulator.cooling_plant.signals import Commands, Seen, Shares, at_rest
from simulator.plant.chiller_control import Mode

# Staging [1] 5.20.4.
_STAGE_RATIO = 0.9  # of stages with a constant-speed centrifugal chiller, up and down
_STAGE_AFTER_S, _STAGE_HOLD_S = 900.0, 900.0
_SETTLED = (Mode.RUNNING, Mode.TRIPPED)
_FAILSAFE_K, _FAILSAFE_KPA = 1.0, 14.0
_AVERAGED_S = 300.0  # of the capacity required
# Plant reset [1] 5.20.5: trim and respond from 0 to 1.
_RESET_FROM, _RESET_DELAY_S, _RESET_EVERY_S = 1.0, 900.0, 300.0
_IGNORED, _TRIM, _RESPOND, _MOST_RESPONSE = 2, 0.02, 0.03, 0.07
_WARMEST, _COLDEST = (
    9.0,
    7.0,
)  # [degC] of the chilled water setpoint; warmer, coils in moist air would double their flow
_LEAST_KPA = 35.0
# Pumps [1] 5.20.7.
_LEAST_SPEED = 0.3
_PUMP_AFTER_S, _PUMP_MARGIN = 600.0, 0.03
# Towers [1] 5.20.12.
_LEAST_LIFT, _DESIGN_RETURN = 12.0, 37.0  # [K], [degC] of the condenser water at the design
_START_HOLD_S, _START_RAMP_S, _START_BELOW_K = 600.0, 600.0, 5.6
_FAN_LEAST_SPEED = 0.2
_FAN_GAIN, _FAN_INTEGRAL_S = 0.1, 200.0  # [1/K], [s]


class BaselineState(NamedTuple):
    """stage; for how long its change has been asked for, up and down [s], and since it changed; required: averaged
    capacity [kW]; running_s: time since the plant started; reset of the plant [0..1], time until it is looked at next
    [s]; pump_count, for how long another number has been right [s]; speed of the secondary pumps; integral part
    and speed of the fans [0..1]; overruns of the machines [s].
    """

    stage: int = 0
    up_s: float = 0.0
    down_s: float = 0.0
    since_s: float = 0.0
    required: float = 0.0
    running_s: float = 0.0
    reset: float = _RESET_FROM
    reset_in_s: float = _RESET_DELAY_S
    pump_count: int = 1
    pump_s: float = 0.0
    pump_speed: float = _LEAST_SPEED
    fan_integral: float = 0.0
    fan_speed: float = 0.0
    overruns: Shares = ()


Stage: TypeAlias = tuple[bool, ...]
"""Which chillers a stage wants."""


@dataclass(frozen=True, slots=True)
class Guideline36:
    """The sequences for a plant; stages: by rising capacity."""

    plant: CoolingPlant
    stages: tuple[Stage, ...]

    def initial(self) -> BaselineState:
        """Off."""
        return BaselineState()

    def decide(self, state: BaselineState, seen: Seen, dt: float) -> tuple[BaselineState, Commands]:
        """What the sequences command after dt [s]."""
        plant, table = self.plant, self.stages
        if not (seen.timer and seen.calls):
            off = BaselineState(overruns=state.overruns)
            return _commanded(plant, off, seen, (False,) * len(plant.chillers), _COLDEST, dt)
        state = _reset(state, seen.requests, dt)
        setpoint = _COLDEST + (_WARMEST - _COLDEST) * min(1.0, 2.0 * (1.0 - state.reset))
        pressure = _LEAST_KPA + (plant.design_pressure - _LEAST_KPA) * min(1.0, 2.0 * state.reset)
        state = _staged(plant, table, state, seen, (setpoint, pressure), dt)
        state = _pumped(plant, state, seen, pressure, dt)
        state = _fanned(plant, state, seen, setpoint, dt)
        return _commanded(plant, state, seen, table[state.stage - 1], setpoint, dt)


def guideline_36(plant: CoolingPlant) -> Guideline36:
    """The sequences, with a stage for every capacity that some of the plant's chillers make together."""
    return Guideline36(plant, stages(plant))


def stages(plant: CoolingPlant) -> tuple[Stage, ...]:
    """Sets of chillers by rising capacity, alike ones but once: what each stage wants."""
    capacities = [chiller.unit.machine.capacity for chiller in plant.chillers]
    count = len(capacities)
    sets: dict[float, Stage] = {}
    for code in range(1, 2**count):
        wanted = tuple([bool(code >> number & 1) for number in range(count)])
        sets.setdefault(round(_capacity(capacities, wanted), 6), wanted)
    return tuple([sets[total] for total in sorted(sets)])


def _reset(state: BaselineState, requests: int, dt: float) -> BaselineState:
    """Trim and respond; held while a stage is changing."""
    left = state.reset_in_s - dt
    if left > 0.0:
        return state._replace(reset_in_s=left)
    reset = state.reset
    if state.since_s >= _STAGE_HOLD_S:
        excess = requests - _IGNORED
        change = min(_MOST_RESPONSE, _RESPOND * excess) if excess > 0 else -_TRIM
        reset = max(0.0, min(1.0, reset + change))
    return state._replace(reset=reset, reset_in_s=_RESET_EVERY_S)


def _staged(
    plant: CoolingPlant,
    table: tuple[Stage, ...],
    state: BaselineState,
    seen: Seen,
    wanted: tuple[float, float],
    dt: float,
) -> BaselineState:
    setpoint, pressure = wanted
    load = max(0.0, water_heat(seen.flow, seen.returning - setpoint))
    required = state.required + (load - state.required) * min(1.0, dt / _AVERAGED_S)
    stage, since_s = state.stage, state.since_s + dt
    if stage == 0:
        return state._replace(stage=1, since_s=0.0, up_s=0.0, down_s=0.0, required=0.0)
    capacities = [chiller.unit.machine.capacity for chiller in plant.chillers]
    here = _capacity(capacities, table[stage - 1])
    below = _capacity(capacities, table[stage - 2]) if stage > 1 else 0.0
    settled = all(mode in _SETTLED or not want for want, mode in zip(table[stage - 1], seen.modes, strict=True))
    failing = seen.supply > setpoint + _FAILSAFE_K or (
        seen.pressure < pressure - _FAILSAFE_KPA and state.pump_speed >= 0.99
    )
    up_s = state.up_s + dt if settled and (failing or required > _STAGE_RATIO * here) else 0.0
    down_s = state.down_s + dt if stage > 1 and not failing and required < _STAGE_RATIO * below else 0.0
    if since_s >= _STAGE_HOLD_S and up_s >= _STAGE_AFTER_S and stage < len(table):
        stage, since_s, up_s, down_s = stage + 1, 0.0, 0.0, 0.0
    elif since_s >= _STAGE_HOLD_S and down_s >= _STAGE_AFTER_S:
        stage, since_s, up_s, down_s = stage - 1, 0.0, 0.0, 0.0
    return state._replace(stage=stage, since_s=since_s, up_s=up_s, down_s=down_s, required=required)


def _pumped(plant: CoolingPlant, state: BaselineState, seen: Seen, pressure: float, dt: float) -> BaselineState:
    """Speed by the pressure across the coils (integral in the ratio of speeds), number by the flow ratio."""
    most = len(plant.secondary.pumps)
    speed = state.pump_speed
    error = (pressure - seen.pressure) / plant.design_pressure
    speed = max(_LEAST_SPEED, min(1.0, speed + 0.005 * max(-1.0, min(1.0, error)) * dt))
    ratio = seen.flow / plant.design_flow
    count = state.pump_count
    right = count
    if ratio > count / most - _PUMP_MARGIN and count < most:
        right = count + 1
    elif count > 1 and ratio < (count - 1) / most - _PUMP_MARGIN:
        right = count - 1
    pump_s = state.pump_s + dt if right != count else 0.0
    if pump_s >= _PUMP_AFTER_S:
        count, pump_s = right, 0.0
    return state._replace(pump_speed=speed, pump_count=count, pump_s=pump_s)


def _fanned(plant: CoolingPlant, state: BaselineState, seen: Seen, setpoint: float, dt: float) -> BaselineState:
    """Fans hold the condenser water return at the setpoint of the chilled water and a lift that grows with the load:
    lift = max(least, min(most, A PLR + B)), A = 1.1 (most - least), B = most - A.  Source: [1] 5.20.12.2. After a
    start the return is held 10 degF below its design for ten minutes, and led to that setpoint in ten more.
    """
    most = _DESIGN_RETURN - _COLDEST
    slope = 1.1 * (most - _LEAST_LIFT)
    ratio = state.required / plant.capacity
    lift = max(_LEAST_LIFT, min(most, slope * ratio + most - slope))
    target = setpoint + lift
    share = max(0.0, min(1.0, (state.running_s - _START_HOLD_S) / _START_RAMP_S))
    target = share * target + (1.0 - share) * min(target, _DESIGN_RETURN - _START_BELOW_K)
    error = max(-5.0, min(5.0, seen.condenser_return - target))
    integral = max(0.0, min(1.0, state.fan_integral + _FAN_GAIN / _FAN_INTEGRAL_S * error * dt))
    speed = max(0.0, min(1.0, integral + _FAN_GAIN * error))
    return state._replace(fan_integral=integral, fan_speed=speed, running_s=state.running_s + dt)


def _commanded(
    plant: CoolingPlant, state: BaselineState, seen: Seen, wanted: tuple[bool, ...], setpoint: float, dt: float
) -> tuple[BaselineState, Commands]:
    overruns = state.overruns or (0.0,) * len(plant.chillers)
    changing = any(want and mode not in _SETTLED for want, mode in zip(wanted, seen.modes, strict=True))
    if changing:  # who leaves stays until the others run [1] 5.20.4.16
        wanted = tuple([want or mode is Mode.RUNNING for want, mode in zip(wanted, seen.modes, strict=True)])
    machines, left = held(wanted, seen, overruns, dt)
    valves = header_valves(plant, machines)
    at, rest = seen.actuators, at_rest(plant)
    running = pumps(plant, at)
    cells = min(plant.cells, sum(machines) + 1) if any(machines) else 0
    runs = state.stage > 0
    fan = state.fan_speed if state.fan_speed >= _FAN_LEAST_SPEED and any(at.condenser) else 0.0
    actuators = rest._replace(
        chilled_valves=valves,
        condenser_valves=valves,
        cell_valves=_first(1.0, cells, plant.cells),
        primary=running,
        condenser=running,
        secondary=_first(state.pump_speed if runs else 0.0, state.pump_count, len(plant.secondary.pumps)),
        fans=_first(fan, cells, plant.cells),
    )
    return state._replace(overruns=left), Commands(enabled(wanted, at), (setpoint,) * len(wanted), actuators)


def _capacity(capacities: list[float], wanted: tuple[bool, ...]) -> float:
    return sum([capacity for capacity, want in zip(capacities, wanted, strict=True) if want])


def _first(value: float, number: int, of: int) -> Shares:
    return (value,) * number + (0.0,) * (of - number)
