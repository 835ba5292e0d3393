"""A competent baseline: the high-rise's plant under the chilled-water plant sequences of ASHRAE Guideline 36.

What a good contractor would deliver today without a model of the plant. Primary-secondary with headered constant-speed
primary and condenser pumps, one set of secondary pumps under differential pressure control; storage shut.

References
----------
[1] ASHRAE Guideline 36-2021, 5.20.4 (chiller staging by operative part-load ratio, failsafe conditions), 5.20.5
    (chilled water plant reset by trim and respond), 5.20.6 and 5.20.7 (primary and secondary chilled water pumps by
    differential pressure and flow ratio), 5.20.12 (tower fans by condenser water return temperature).
[2] S. T. Taylor, J. Stein et al., ASHRAE RP-1711 "Advanced sequences of operation for HVAC systems, phase II: central
    plants and hydronic systems", 2020: the same with its reasons.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from controller.core.physics import water_heat
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.sequence import enabled, header_valves, held, pumps
from simulator.cooling_plant.signals import Actuators, Commands, Seen, Shares, at_rest
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
    """The sequences for a plant; stages: by rising capacity, with what each can carry [kW] following from it."""

    plant: CoolingPlant
    stages: tuple[Stage, ...]
    capacities: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "capacities", tuple([_capacity(self.plant, stage) for stage in self.stages]))

    def initial(self) -> BaselineState:
        """Off."""
        return BaselineState()

    def decide(self, state: BaselineState, seen: Seen, dt: float) -> tuple[BaselineState, Commands]:
        """What the sequences command after dt [s]."""
        plant, count = self.plant, len(self.plant.chillers)
        overruns = state.overruns or (0.0,) * count
        if not (seen.timer and seen.calls):
            wanted = (False,) * count
            machines, left = held(wanted, seen, overruns, dt)
            off = BaselineState(overruns=left)
            return off, _commanded(plant, off, seen, wanted, machines, _COLDEST)
        reset, reset_in_s = _reset(state, seen.requests, dt)
        setpoint = _COLDEST + (_WARMEST - _COLDEST) * min(1.0, 2.0 * (1.0 - reset))
        pressure = _LEAST_KPA + (plant.design_pressure - _LEAST_KPA) * min(1.0, 2.0 * reset)
        stage, up_s, down_s, since_s, required = self._staged(state, seen, setpoint, pressure, dt)
        pump_count, pump_s, pump_speed = _pumped(plant, state, seen, pressure, dt)
        fan_integral, fan_speed = _fanned(plant, state, seen.condenser_return, required, setpoint, dt)
        wanted = _wanted(self.stages[stage - 1], seen)
        machines, left = held(wanted, seen, overruns, dt)
        decided = BaselineState(
            stage,
            up_s,
            down_s,
            since_s,
            required,
            state.running_s + dt,
            reset,
            reset_in_s,
            pump_count,
            pump_s,
            pump_speed,
            fan_integral,
            fan_speed,
            left,
        )
        return decided, _commanded(plant, decided, seen, wanted, machines, setpoint)

    def _staged(
        self, state: BaselineState, seen: Seen, setpoint: float, pressure: float, dt: float
    ) -> tuple[int, float, float, float, float]:
        """stage, up_s, down_s, since_s and required; setpoint [degC] and pressure [kPa] that are to be held."""
        stage, since_s = state.stage, state.since_s + dt
        if stage == 0:
            return 1, 0.0, 0.0, 0.0, 0.0
        load = max(0.0, water_heat(seen.flow, seen.returning - setpoint))
        required = state.required + (load - state.required) * min(1.0, dt / _AVERAGED_S)
        here = self.capacities[stage - 1]
        below = self.capacities[stage - 2] if stage > 1 else 0.0
        failing = seen.supply > setpoint + _FAILSAFE_K or (
            seen.pressure < pressure - _FAILSAFE_KPA and state.pump_speed >= 0.99
        )
        asked = failing or required > _STAGE_RATIO * here
        up_s = state.up_s + dt if asked and not _is_changing(self.stages[stage - 1], seen) else 0.0
        down_s = state.down_s + dt if stage > 1 and not failing and required < _STAGE_RATIO * below else 0.0
        if since_s >= _STAGE_HOLD_S and up_s >= _STAGE_AFTER_S and stage < len(self.stages):
            return stage + 1, 0.0, 0.0, 0.0, required
        if since_s >= _STAGE_HOLD_S and down_s >= _STAGE_AFTER_S:
            return stage - 1, 0.0, 0.0, 0.0, required
        return stage, up_s, down_s, since_s, required


def guideline_36(plant: CoolingPlant) -> Guideline36:
    """The sequences, with a stage for every capacity that some of the plant's chillers make together."""
    return Guideline36(plant, stages(plant))


def stages(plant: CoolingPlant) -> tuple[Stage, ...]:
    """Sets of chillers by rising capacity, alike ones but once: what each stage wants."""
    count = len(plant.chillers)
    sets: dict[float, Stage] = {}
    for code in range(1, 2**count):
        wanted = tuple([bool(code >> number & 1) for number in range(count)])
        sets.setdefault(round(_capacity(plant, wanted), 6), wanted)
    return tuple([sets[total] for total in sorted(sets)])


def _reset(state: BaselineState, requests: int, dt: float) -> tuple[float, float]:
    """The reset by trim and respond, held while a stage is changing; and the time until it is looked at next [s]."""
    left, reset = state.reset_in_s - dt, state.reset
    if left > 0.0:
        return reset, left
    if state.since_s >= _STAGE_HOLD_S:
        excess = requests - _IGNORED
        change = min(_MOST_RESPONSE, _RESPOND * excess) if excess > 0 else -_TRIM
        reset = max(0.0, min(1.0, reset + change))
    return reset, _RESET_EVERY_S


def _is_changing(wanted: Stage, seen: Seen) -> bool:
    """Whether a machine that is wanted is still on its way."""
    modes = seen.modes
    return any([want and modes[number] not in _SETTLED for number, want in enumerate(wanted)])


def _pumped(
    plant: CoolingPlant, state: BaselineState, seen: Seen, pressure: float, dt: float
) -> tuple[int, float, float]:
    """pump_count, pump_s and pump_speed: speed by the pressure across the coils (integral in the ratio of speeds),
    number by the flow ratio.
    """
    most, count = len(plant.secondary.pumps), state.pump_count
    error = (pressure - seen.pressure) / plant.design_pressure
    speed = max(_LEAST_SPEED, min(1.0, state.pump_speed + 0.005 * max(-1.0, min(1.0, error)) * dt))
    ratio = seen.flow / plant.design_flow
    right = count
    if ratio > count / most - _PUMP_MARGIN and count < most:
        right = count + 1
    elif count > 1 and ratio < (count - 1) / most - _PUMP_MARGIN:
        right = count - 1
    pump_s = state.pump_s + dt if right != count else 0.0
    return (right, 0.0, speed) if pump_s >= _PUMP_AFTER_S else (count, pump_s, speed)


def _fanned(
    plant: CoolingPlant, state: BaselineState, condenser_return: float, required: float, setpoint: float, dt: float
) -> tuple[float, float]:
    """fan_integral and fan_speed. Fans hold the condenser water return at the setpoint of the chilled water and a lift
    that grows with the load: lift = max(least, min(most, A PLR + B)), A = 1.1 (most - least), B = most - A.  Source:
    [1] 5.20.12.2. After a start the return is held 10 degF below its design for ten minutes, and led to that setpoint
    in ten more.
    """
    most = _DESIGN_RETURN - _COLDEST
    slope = 1.1 * (most - _LEAST_LIFT)
    lift = max(_LEAST_LIFT, min(most, slope * (required / plant.capacity) + most - slope))
    target = setpoint + lift
    share = max(0.0, min(1.0, (state.running_s - _START_HOLD_S) / _START_RAMP_S))
    target = share * target + (1.0 - share) * min(target, _DESIGN_RETURN - _START_BELOW_K)
    error = max(-5.0, min(5.0, condenser_return - target))
    integral = max(0.0, min(1.0, state.fan_integral + _FAN_GAIN / _FAN_INTEGRAL_S * error * dt))
    return integral, max(0.0, min(1.0, integral + _FAN_GAIN * error))


def _wanted(stage: Stage, seen: Seen) -> Stage:
    """Who leaves stays until the others run [1] 5.20.4.16."""
    if not _is_changing(stage, seen):
        return stage
    return tuple([want or mode is Mode.RUNNING for want, mode in zip(stage, seen.modes, strict=True)])


def _commanded(
    plant: CoolingPlant, state: BaselineState, seen: Seen, wanted: Stage, machines: Stage, setpoint: float
) -> Commands:
    """machines: that keep their valves open."""
    valves = header_valves(plant, machines)
    at, rest = seen.actuators, at_rest(plant)
    running = pumps(plant, at)
    cells = min(plant.cells, sum(machines) + 1) if any(machines) else 0
    fan = state.fan_speed if state.fan_speed >= _FAN_LEAST_SPEED and any(at.condenser) else 0.0
    actuators = Actuators(
        chilled_valves=valves,
        condenser_valves=valves,
        cell_valves=_first(1.0, cells, plant.cells),
        storage=rest.storage,
        primary=running,
        secondary=_first(state.pump_speed if state.stage > 0 else 0.0, state.pump_count, len(plant.secondary.pumps)),
        condenser=running,
        transfer=rest.transfer,
        fans=_first(fan, cells, plant.cells),
    )
    return Commands(enabled(wanted, at), (setpoint,) * len(wanted), actuators)


def _capacity(plant: CoolingPlant, wanted: Stage) -> float:
    return sum([each.unit.machine.capacity for each, want in zip(plant.chillers, wanted, strict=True) if want])


def _first(value: float, number: int, of: int) -> Shares:
    return (value,) * number + (0.0,) * (of - number)
