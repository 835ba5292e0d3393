"""What a plant is at an instant: where everything stands and the rates that hold until the next one."""

from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.chilled_water import NOBODY, CoilDemand, WaterSupply
from simulator.cooling_plant.accounts import Accounts, ChillerMeter, Stored
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.flows import Flows, Mains, still
from simulator.cooling_plant.signals import Actuators, Commands, Seen, at_rest
from simulator.plant.chiller_unit import UnitState
from simulator.plant.drive import AT_REST, DrivePower
from simulator.plant.tank import TankState, cold_content, filled
from simulator.plant.tower_water import Basin, Losses
from simulator.weather import Outdoor

NO_LOSSES = Losses(0.0, 0.0, 0.0)
_SECONDS_PER_HOUR = 3600.0


class Trouble(NamedTuple):
    """What is wrong with the machines: motors tripped and actuators stuck, as (field of `Actuators`, number); chillers,
    by number, whose safety chain is open.
    """

    tripped: frozenset[tuple[str, int]] = frozenset()
    stuck: frozenset[tuple[str, int]] = frozenset()
    open_chains: frozenset[int] = frozenset()


ALL_WELL = Trouble()


class PlantInputs(NamedTuple):
    """What acts on the plant from now on."""

    commands: Commands
    coils: CoilDemand
    air: Outdoor
    trouble: Trouble = ALL_WELL


class Rates(NamedTuple):
    """In force until the next step. Heat [kW]: of all evaporators and condensers, through the plate heat exchanger,
    from the coils, from the surroundings into the headers, from the towers to the air; power of chillers [kW] and of
    fans; waters [degC]: behind the primary pumps, behind the condenser pumps, back to the towers, from the towers to
    the basin; air that moves through the towers [kg/s].
    """

    flows: Flows
    cooling: float
    power: float
    rejection: float
    free_cooling: float
    coils: float
    header_gain: float
    tower: float
    fans: DrivePower
    entering: float
    condenser_entering: float
    condenser_leaving: float
    tower_leaving: float
    air_flow: float


class Pending(NamedTuple):
    """What has passed since the tank was looked at last: time [s], water pushed upward [kg], and heat of what entered
    [kg K], against 0 degC.
    """

    seconds: float = 0.0
    mass: float = 0.0
    heat: float = 0.0


NOTHING_PENDING = Pending()


class Sensors(NamedTuple):
    """What temperature sensors in their wells show [degC]."""

    supply: float
    returning: float
    condenser_supply: float
    condenser_return: float


class PlantState(NamedTuple):
    """actuators and where they head for; chillers; waters of the headers [degC]; tank, None without one; position of
    the pressure-sustaining valve [0..1]; basin, and what it loses; sensors; the rates in force; what has been
    counted, and by each chiller's own meter.
    """

    actuators: Actuators
    target: Actuators
    chillers: tuple[UnitState, ...]
    supply: float
    returning: float
    tank: TankState | None
    pending: Pending
    sustaining: float
    basin: Basin
    losses: Losses
    sensors: Sensors
    rates: Rates
    accounts: Accounts
    meters: tuple[ChillerMeter, ...]
    coils: CoilDemand


def initial(plant: CoolingPlant) -> PlantState:
    """Everything off, the water as warm as the surroundings, the tank as it was left."""
    water = plant.initial_water
    rest = at_rest(plant)
    storage = plant.storage
    return PlantState(
        rest,
        rest,
        (UnitState(entering=water, leaving=water, condenser_leaving=water, evaporating=water, condensing=water),)
        * len(plant.chillers),
        water,
        water,
        filled(storage.tank, storage.initial) if storage else None,
        NOTHING_PENDING,
        0.0,
        Basin(plant.basin.basin, water),
        NO_LOSSES,
        Sensors(water, water, water, water),
        Rates(still(plant), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, AT_REST, water, water, water, water, 0.0),
        Accounts(),
        (ChillerMeter(),) * len(plant.chillers),
        NOBODY,
    )


def rise(heat: float, flow: float) -> float:
    """Temperature rise [K] of a flow [kg/s] that takes up heat [kW]; none without flow."""
    return heat / (flow * WATER_SPECIFIC_HEAT) if flow > 0.0 else 0.0


def served(state: PlantState) -> WaterSupply:
    """What the building's coils get now."""
    mains = state.rates.flows.mains
    return WaterSupply(mains.flow, state.supply + rise(mains.to_water, mains.flow), mains.pressure)


def building_return(mains: Mains, supply: float, heat: float, otherwise: float) -> float:
    """Water that comes back from the building [degC], before the bridge; `otherwise` where none does."""
    return supply + rise(mains.to_water + heat, mains.flow) if mains.flow > 0.0 else otherwise


def seen(state: PlantState, *, timer: bool, wet_bulb: float) -> Seen:
    """What a control panel sees now; timer: the clock says that the building is in use; wet bulb outdoors [degC]."""
    flow, pressure, _, _ = state.rates.flows.mains
    _, _, requests, calls = state.coils
    return Seen(
        *state.sensors,
        flow,
        pressure,
        tuple([chiller.control.mode for chiller in state.chillers]),
        tuple([chiller.operation.power for chiller in state.chillers]),
        state.actuators,
        requests,
        calls,
        timer,
        wet_bulb,
    )


def electric_power(state: PlantState) -> float:
    """Of chillers, all pumps and fans [kW]."""
    rates = state.rates
    flows = rates.flows
    pumps = flows.primary.electric + flows.mains.electric + flows.condenser.electric + flows.storage.electric
    return rates.power + rates.fans.electric + pumps


def stored(plant: CoolingPlant, state: PlantState) -> Stored:
    """Heat in the plant's waters, against 0 degC [kWh]."""
    per_kelvin = WATER_SPECIFIC_HEAT / _SECONDS_PER_HOUR
    headers = (state.supply + state.returning) * plant.header_mass * per_kelvin
    tank = 0.0
    if plant.storage is not None and state.tank is not None:
        leaving = state.tank.layers[-1] if state.pending.mass > 0.0 else state.tank.layers[0]
        passing = state.pending.heat - abs(state.pending.mass) * leaving
        tank = passing * per_kelvin - cold_content(plant.storage.tank, state.tank, 0.0)
    return Stored(headers, tank, state.basin.mass * state.basin.temperature * per_kelvin)


def stored_cold(plant: CoolingPlant, state: PlantState) -> float:
    """Cold in the tank [kWh] against water of the design return; none without a tank."""
    if plant.storage is None or state.tank is None:
        return 0.0
    return cold_content(plant.storage.tank, state.tank, plant.design_return)
