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

from simulator.cooling_plant.actuators import approach
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.flows import Circuit, solved, sustaining_target
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
from simulator.plant.sensor import lagged
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
    rates, air = state.rates, inputs.air
    supply, returning = headers_after(plant, state, dt)
    tank, pending, tank_gain, looked = tank_after(plant.storage, state, air.temperature, dt)
    basin, water = basin_after(plant, state, dt)
    target = _targets(inputs.commands, inputs.trouble)
    actuators = approach(plant, state.actuators, state.target, inputs.trouble.stuck, dt)
    sustaining = _sustaining(plant, state.sustaining, actuators, dt)
    flows = solved(
        plant, rates.flows, state.actuators, actuators, inputs.coils.conductance, (state.sustaining, sustaining)
    )
    if plant.storage is not None and tank is not None and pending.mass * flows.storage.upward < 0.0:
        tank, gained = pushed(plant.storage, tank, pending, air.temperature)  # before the direction turns
        tank_gain, pending = tank_gain + gained, NOTHING_PENDING
    accounts = counted(state, tank_gain, water, dt)
    primary, condenser = flows.primary, flows.condenser
    entering = returning + rise(primary.to_water, primary.flow)
    condenser_entering = basin.temperature + rise(condenser.to_water, condenser.flow)
    chillers = _chillers(plant, state.chillers, inputs, (primary, condenser), (entering, condenser_entering), dt)
    cooling = power = rejection = 0.0
    for _, operation, *_ in chillers:
        cooling += operation.cooling
        power += operation.power
        rejection += operation.heat_rejection
    free = _free_cooling(plant, (primary, condenser), (entering, condenser_entering))
    condenser_leaving = condenser_entering + rise(rejection + free, condenser.flow)
    moved = actuators.fans is not state.actuators.fans or actuators.cell_valves is not state.actuators.cell_valves
    cooled = _tower(plant, actuators, condenser.flow, condenser_leaving, air, None if moved else rates.fans)
    lost = state.losses
    if condenser.flow <= 0.0:
        lost = NO_LOSSES
    elif looked or lost is NO_LOSSES:
        lost = _losses(plant, cooled, condenser.flow, air)
    at = state.sensors
    time_constant = plant.sensor_s
    sensors = Sensors(
        lagged(at.supply, supply, time_constant, dt),
        lagged(at.returning, building_return(flows.mains, supply, inputs.coils.heat, returning), time_constant, dt),
        lagged(at.condenser_supply, basin.temperature, time_constant, dt),
        lagged(at.condenser_return, condenser_leaving, time_constant, dt),
    )
    found = Rates(
        flows,
        cooling,
        power,
        rejection,
        free,
        inputs.coils.heat,
        plant.header_conductance * (2.0 * air.temperature - supply - returning),
        cooled.heat,
        cooled.fans,
        entering,
        condenser_entering,
        condenser_leaving,
        cooled.leaving,
        cooled.air_flow,
    )
    return PlantState(
        actuators,
        target,
        chillers,
        supply,
        returning,
        tank,
        pending,
        sustaining,
        basin,
        lost,
        sensors,
        found,
        accounts,
        metered(state, dt),
        inputs.coils,
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
    enable, setpoints, _ = inputs.commands
    for number in inputs.trouble.open_chains:
        opened = states[number]._replace(control=tripped(states[number].control, Trip.SAFETY_CHAIN))
        states = (*states[:number], opened, *states[number + 1 :])
    off = Mode.OFF
    found: list[UnitState] = []
    for number, before in enumerate(states):
        if enable[number] or before.control.mode is not off:
            asked = UnitInputs(
                enable[number],
                setpoints[number],
                water,
                circuits[0].branches[number],
                condenser_water,
                circuits[1].branches[number],
            )
            found.append(chiller_step(plant.chillers[number].unit, before, asked, dt))
        else:
            found.append(UnitState(aged(before.control, dt), *before[1:]))
    return tuple(found)


def _free_cooling(plant: CoolingPlant, circuits: tuple[Circuit, Circuit], entering: tuple[float, float]) -> float:
    """Heat from the chilled to the condenser water [kW] where both flow through the plates; negative if the latter is
    the warmer.
    """
    if plant.free_cooling is None:
        return 0.0
    primary, condenser = circuits
    if primary.branches[-1] <= 0.0 or condenser.branches[-1] <= 0.0:
        return 0.0
    return exchange(
        plant.free_cooling.plate, primary.branches[-1], entering[0], condenser.branches[-1], entering[1]
    ).heat


def _tower(
    plant: CoolingPlant, at: Actuators, flow: float, entering: float, air: Outdoor, fans: DrivePower | None
) -> TowerOutput:
    speeds = [fan if valve >= _OPEN else None for fan, valve in zip(at.fans, at.cell_valves, strict=True)]
    return tower(plant.cell, speeds, flow, entering, _moist(air), fans)


def _losses(plant: CoolingPlant, cooled: TowerOutput, flow: float, air: Outdoor) -> Losses:
    return losses(plant.basin, evaporation(cooled.heat, cooled.air_flow, _moist(air)), flow)


@lru_cache(maxsize=8)
def _moist(air: Outdoor) -> Air:
    """As the towers see it; the air changes more seldom than the water."""
    humidity = (air.enthalpy - 1.006 * air.temperature) / (2501.0 + 1.86 * air.temperature)
    return Air(air.wet_bulb, air.enthalpy, humidity)
