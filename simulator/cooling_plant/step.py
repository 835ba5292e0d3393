"""A plant in time: one pure step.

Rates (flows, heat, power) are found at an instant and held until the next one; states and accounts then move by exactly
those rates, so that every balance closes to rounding. The tank and the water that evaporates are slow: they are looked
at once a minute, with what has passed in between.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 13 "Hydronic heating and cooling": well-mixed headers,
    bridge between them.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf

from simulator.cooling_plant.actuators import approach
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.flows import Circuit, Flows, solved, sustaining_target
from simulator.cooling_plant.passing import basin_after, counted, headers_after, metered, pushed, tank_after
from simulator.cooling_plant.signals import Actuators, Commands, Shares
from simulator.cooling_plant.state import (
    NO_LOSSES,
    NOTHING_PENDING,
    PlantInputs,
    PlantState,
    Rates,
    Sensors,
    Trouble,
    building_return,
    rise,
)
from simulator.plant.chiller_control import Mode, Trip, aged, tripped
from simulator.plant.chiller_unit import UnitInputs, UnitState
from simulator.plant.chiller_unit import step as chiller_step
from simulator.plant.drive import DrivePower
from simulator.plant.heat_exchanger import exchange
from simulator.plant.record import record
from simulator.plant.sensor import remaining
from simulator.plant.tower_water import Losses, evaporation, losses
from simulator.plant.valve import step as valve_step
from simulator.plant.variable_speed_tower import Air, TowerOutput, tower
from simulator.weather import Outdoor

_OPEN = 0.5
"""Position from which a cell's valve counts as open."""


def step(plant: CoolingPlant, state: PlantState, inputs: PlantInputs, dt: float) -> PlantState:
    """The plant after dt [s], in which the rates of the given state held, under new inputs thereafter.

    A step must move less water than a header or the basin holds: of usual plants, 10 s are well below.
    """
    commands, coils, air, trouble = inputs
    supply, returning = headers_after(plant, state, dt)
    tank, pending, tank_gain, looked = tank_after(plant.storage, state, air.temperature, dt)
    basin, water = basin_after(plant, state, dt)
    actuators = approach(plant, state.actuators, state.target, trouble.stuck, dt)
    sustaining = _sustaining(plant, state.sustaining, actuators, dt)
    flows = solved(
        plant, state.rates.flows, state.actuators, actuators, coils.conductance, (state.sustaining, sustaining)
    )
    if plant.storage is not None and tank is not None and pending.mass * flows.storage.upward < 0.0:
        tank, gained = pushed(plant.storage, tank, pending, air.temperature)  # before the direction turns
        tank_gain, pending = tank_gain + gained, NOTHING_PENDING
    chillers, rates = _found(plant, state, inputs, (supply, returning, basin.temperature), (actuators, flows), dt)
    return record(
        PlantState,
        (
            actuators,
            _targets(commands, trouble),
            chillers,
            supply,
            returning,
            tank,
            pending,
            sustaining,
            basin,
            _lost(plant, state.losses, rates, air, looked=looked),
            _sensed(plant, state.sensors, (supply, returning, basin.temperature), rates, dt),
            rates,
            counted(state, tank_gain, water, dt),
            metered(state, dt),
            coils,
        ),
    )


def _found(
    plant: CoolingPlant,
    state: PlantState,
    inputs: PlantInputs,
    waters: tuple[float, float, float],
    moved: tuple[Actuators, Flows],
    dt: float,
) -> tuple[tuple[UnitState, ...], Rates]:
    """The machines and the rates from now on; waters: supply and return header, and basin [degC]; moved: to where the
    actuators have come, and what flows then.
    """
    (supply, returning, basin), (actuators, flows), before = waters, moved, state.rates
    primary, condenser = flows.primary, flows.condenser
    condenser_flow = condenser.flow
    entering = returning + rise(primary.to_water, primary.flow)
    condenser_entering = basin + rise(condenser.to_water, condenser_flow)
    chillers = _chillers(plant, state.chillers, inputs, (primary, condenser), (entering, condenser_entering), dt)
    cooling = power = rejection = 0.0
    for chiller in chillers:
        cooled, used, rejected = chiller.operation
        cooling += cooled
        power += used
        rejection += rejected
    free = _free_cooling(plant, (primary, condenser), (entering, condenser_entering))
    condenser_leaving = condenser_entering + rise(rejection + free, condenser_flow)
    was = state.actuators
    fans = before.fans if actuators.fans is was.fans and actuators.cell_valves is was.cell_valves else None
    heat, leaving, air_flow, _, fans = _tower(plant, actuators, condenser_flow, condenser_leaving, inputs.air, fans)
    return chillers, record(
        Rates,
        (
            flows,
            cooling,
            power,
            rejection,
            free,
            inputs.coils.heat,
            plant.header_conductance * (2.0 * inputs.air.temperature - supply - returning),
            heat,
            fans,
            entering,
            condenser_entering,
            condenser_leaving,
            leaving,
            air_flow,
        ),
    )


def _sensed(
    plant: CoolingPlant, before: Sensors, waters: tuple[float, float, float], rates: Rates, dt: float
) -> Sensors:
    """What the sensors show after dt [s] in these waters: supply and return header, and basin [degC]."""
    was_supply, was_returning, was_condenser_supply, was_condenser_return = before
    supply, header, basin = waters
    returning = building_return(rates.flows.mains, supply, rates.coils, header)
    condenser_return = rates.condenser_leaving
    left = remaining(plant.sensor_s, dt)
    return record(
        Sensors,
        (
            supply + (was_supply - supply) * left,
            returning + (was_returning - returning) * left,
            basin + (was_condenser_supply - basin) * left,
            condenser_return + (was_condenser_return - condenser_return) * left,
        ),
    )


def _sustaining(plant: CoolingPlant, position: float, at: Actuators, dt: float) -> float:
    """The pressure-sustaining valve [0..1] on its way to what the transfer pumps need of it."""
    storage = plant.storage
    if storage is None or not (position or any(at.transfer)):
        return position
    return valve_step(storage.sustaining, position, sustaining_target(storage, at), dt)


def _targets(commands: Commands, trouble: Trouble) -> Actuators:
    """Where the actuators head for: a motor whose protection has tripped stands."""
    target = commands.actuators
    for field, number in trouble.tripped:
        given: Shares = getattr(target, field)
        target = target._replace(**{field: (*given[:number], 0.0, *given[number + 1 :])})
    return target


def _chillers(
    plant: CoolingPlant,
    states: Sequence[UnitState],
    inputs: PlantInputs,
    circuits: tuple[Circuit, Circuit],
    entering: tuple[float, float],
    dt: float,
) -> tuple[UnitState, ...]:
    """Every machine under the waters that it gets; one that is off and stays so only rests."""
    water, condenser_water = entering
    evaporators, condensers = circuits[0].branches, circuits[1].branches
    enable, setpoints, _ = inputs.commands
    for number in inputs.trouble.open_chains:
        opened = states[number]._replace(control=tripped(states[number].control, Trip.SAFETY_CHAIN))
        states = (*states[:number], opened, *states[number + 1 :])
    off, beside = Mode.OFF, None
    found: list[UnitState] = []
    for number, before in enumerate(states):
        if enable[number] or before.control.mode is not off:
            asked = record(
                UnitInputs,
                (
                    enable[number],
                    setpoints[number],
                    water,
                    evaporators[number],
                    condenser_water,
                    condensers[number],
                    inf,  # no demand limit
                ),
            )
            unit = plant.chillers[number].unit
            after = chiller_step(unit, before, asked, dt, beside)
            beside = (unit, before, asked, after)
            found.append(after)
        else:
            found.append(record(UnitState, (aged(before.control, dt), *before[1:])))
    return tuple(found)


def _free_cooling(plant: CoolingPlant, circuits: tuple[Circuit, Circuit], entering: tuple[float, float]) -> float:
    """Heat from the chilled to the condenser water [kW] where both flow through the plates; negative if the latter is
    the warmer.
    """
    if plant.free_cooling is None:
        return 0.0
    warm, cold = circuits[0].branches[-1], circuits[1].branches[-1]
    if warm <= 0.0 or cold <= 0.0:
        return 0.0
    return exchange(plant.free_cooling.plate, warm, entering[0], cold, entering[1]).heat


def _tower(
    plant: CoolingPlant, at: Actuators, flow: float, entering: float, air: Outdoor, fans: DrivePower | None
) -> TowerOutput:
    valves = at.cell_valves
    speeds = [fan if valves[number] >= _OPEN else None for number, fan in enumerate(at.fans)]
    return tower(plant.cell, speeds, flow, entering, _moist(air), fans)


def _lost(plant: CoolingPlant, before: Losses, rates: Rates, air: Outdoor, *, looked: bool) -> Losses:
    """By the basin [kg/s]; looked: whether a minute has passed."""
    flow = rates.flows.condenser.flow
    if flow <= 0.0:
        return NO_LOSSES
    if not looked and before != NO_LOSSES:
        return before
    return losses(plant.basin, evaporation(rates.tower, rates.air_flow, _moist(air)), flow)


@lru_cache(maxsize=8)
def _moist(air: Outdoor) -> Air:
    """As the towers see it; the air changes more seldom than the water."""
    humidity = (air.enthalpy - 1.006 * air.temperature) / (2501.0 + 1.86 * air.temperature)
    return Air(air.wet_bulb, air.enthalpy, humidity)
