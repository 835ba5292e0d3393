"""What passes in a plant while its rates hold: headers, tank, basin, and what is counted.

Every function moves a state by exactly the rates in force. The tank is slow: it is looked at once a minute, with what
has passed in between.
"""

from operator import add

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.cooling_plant.accounts import Accounts, ChillerMeter
from simulator.cooling_plant.design import CoolingPlant, Storage
from simulator.cooling_plant.state import NOTHING_PENDING, Pending, PlantState, rise
from simulator.plant import tank as tanks
from simulator.plant import tower_water
from simulator.plant.chiller import STOPPED
from simulator.plant.record import record
from simulator.plant.tank import TankInput, TankState, heat_gain, outlet
from simulator.plant.tower_water import MAINS, Basin, BasinInput

SLOW_S = 60.0
"""[s] The tank and the tower's water are looked at this often."""
_SECONDS_PER_HOUR = 3600.0


def headers_after(plant: CoolingPlant, state: PlantState, dt: float) -> tuple[float, float]:
    """Supply and return header [degC] after dt: what enters mixes, as much leaves with the header's own temperature.

    A machine without flow gives its pumps' heat to the header behind it, and coils without flow theirs to the return.
    """
    rates, supply, back = state.rates, state.supply, state.returning
    (pumped, _, _, pump_heat), _, (drawn, _, _, mains_heat), storage, _ = rates.flows
    upward, _, lifting, throttling = storage
    bridge = pumped - drawn - upward
    to_supply = pumped * (back - supply)
    to_return = drawn * (supply - back)
    if bridge > 0.0:
        to_return += bridge * (supply - back)
    else:
        to_supply -= bridge * (back - supply)
    own = 0.5 * rates.header_gain
    half = 0.5 * plant.header_conductance * (back - supply)  # of the gain, the colder header has more
    heat_supply = pump_heat - rates.cooling - rates.free_cooling + own + half
    heat_return = mains_heat + rates.coils + own - half
    if upward != 0.0 and state.tank is not None:
        leaving = outlet(state.tank, upward)
        if upward > 0.0:
            to_return += upward * (leaving - back)
            heat_return += lifting
        else:
            to_supply -= upward * (leaving - supply)
            heat_supply += lifting
    else:
        heat_return += lifting + throttling  # goes round
    per_kilogram = dt / plant.header_mass
    return (
        supply + per_kilogram * (to_supply + heat_supply / WATER_SPECIFIC_HEAT),
        back + per_kilogram * (to_return + heat_return / WATER_SPECIFIC_HEAT),
    )


def tank_after(
    storage: Storage | None, state: PlantState, ambient: float, dt: float
) -> tuple[TankState | None, Pending, float, bool]:
    """The tank, what is pending, the gain through its wall [kJ] that is counted now, and whether it was looked at."""
    seconds, mass, heat = state.pending
    exchange_now = state.rates.flows.storage
    upward = exchange_now.upward
    tank = state.tank
    if storage is None or tank is None:
        slow = seconds + dt >= SLOW_S
        return None, NOTHING_PENDING if slow else Pending(seconds + dt), 0.0, slow
    seconds += dt
    if upward != 0.0:
        header = state.supply if upward > 0.0 else state.returning
        inlet = header + rise(exchange_now.throttling, abs(upward))
        mass += upward * dt
        heat += abs(upward) * dt * inlet
    if seconds < SLOW_S:
        return tank, record(Pending, (seconds, mass, heat)), 0.0, False
    tank, gain = pushed(storage, tank, Pending(seconds, mass, heat), ambient)
    return tank, NOTHING_PENDING, gain, True


def pushed(storage: Storage, tank: TankState, pending: Pending, ambient: float) -> tuple[TankState, float]:
    seconds, mass, heat = pending
    gain = heat_gain(storage.tank, tank, ambient) * seconds
    inlet = heat / abs(mass) if mass else ambient
    return tanks.step(storage.tank, tank, TankInput(mass / seconds, inlet, ambient), seconds), gain


def basin_after(plant: CoolingPlant, state: PlantState, dt: float) -> tuple[Basin, float]:
    """The basin, and the heat of what entered and left it but through the pumps [kJ]."""
    rates, basin, lost = state.rates, state.basin, state.losses
    flow, _, _, pump_heat = rates.flows.condenser
    returning, (evaporated, drift, blow_down) = rates.tower_leaving, lost
    seen = record(BasinInput, (flow, returning, lost, MAINS, pump_heat if flow <= 0.0 else 0.0))
    after = tower_water.step(plant.basin, basin, seen, dt)
    made_up = after.made_up - basin.made_up
    left = evaporated * returning + (drift + blow_down) * basin.temperature
    return after, WATER_SPECIFIC_HEAT * (made_up * MAINS - left * dt)


def counted(state: PlantState, tank_gain: float, water: float, dt: float) -> Accounts:
    """The accounts after dt [s]; tank_gain and water: heat that is counted now [kJ]."""
    rates, hours = state.rates, dt / _SECONDS_PER_HOUR
    primary, condenser, mains, storage, _ = rates.flows
    _, _, primary_electric, primary_heat = primary
    _, _, mains_electric, mains_heat = mains
    _, _, condenser_electric, condenser_heat = condenser
    _, transfer_electric, lifting, throttling = storage
    passed = (  # in the order of the accounts
        rates.power * hours,
        primary_electric * hours,
        mains_electric * hours,
        condenser_electric * hours,
        transfer_electric * hours,
        rates.fans.electric * hours,
        rates.cooling * hours,
        rates.free_cooling * hours,
        rates.coils * hours,
        (primary_heat + mains_heat + lifting + throttling) * hours,
        rates.header_gain * hours,
        tank_gain / _SECONDS_PER_HOUR,
        rates.rejection * hours,
        condenser_heat * hours,
        rates.tower * hours,
        water / _SECONDS_PER_HOUR,
    )
    return record(Accounts, map(add, state.accounts, passed))


def metered(state: PlantState, dt: float) -> tuple[ChillerMeter, ...]:
    """The chillers' own meters after dt [s]."""
    if state.rates.power == 0.0:
        return state.meters
    hours, found = dt / _SECONDS_PER_HOUR, list(state.meters)
    for number, chiller in enumerate(state.chillers):
        operation = chiller.operation
        if operation is not STOPPED:
            (energy, cold, heat), (cooling, power, rejection) = found[number], operation
            found[number] = record(
                ChillerMeter, (energy + power * hours, cold + cooling * hours, heat + rejection * hours)
            )
    return tuple(found)
