"""What passes in a plant while its rates hold: headers, tank, basin, and what is counted.

Every function moves a state by exactly the rates in force. The tank is slow: it is looked at once a minute, with what
has passed in between.
"""

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.cooling_plant.accounts import Accounts, ChillerMeter
from simulator.cooling_plant.design import CoolingPlant, Storage
from simulator.cooling_plant.state import NOTHING_PENDING, Pending, PlantState, rise
from simulator.plant import tank as tanks
from simulator.plant import tower_water
from simulator.plant.tank import TankInput, TankState, heat_gain, outlet
from simulator.plant.tower_water import Basin, BasinInput

SLOW_S = 60.0
"""[s] The tank and the tower's water are looked at this often."""
_SECONDS_PER_HOUR = 3600.0


def headers_after(plant: CoolingPlant, state: PlantState, dt: float) -> tuple[float, float]:
    """Supply and return header [degC] after dt: what enters mixes, as much leaves with the header's own temperature.

    A machine without flow gives its pumps' heat to the header behind it, and coils without flow theirs to the return.
    """
    rates = state.rates
    primary, _, mains, storage, _ = rates.flows
    supply, back = state.supply, state.returning
    bridge = primary.flow - mains.flow - storage.upward
    to_supply = primary.flow * (back - supply)
    to_return = mains.flow * (supply - back)
    if bridge > 0.0:
        to_return += bridge * (supply - back)
    else:
        to_supply -= bridge * (back - supply)
    own = 0.5 * rates.header_gain
    half = 0.5 * plant.header_conductance * (back - supply)  # of the gain, the colder header has more
    heat_supply = primary.to_water - rates.cooling - rates.free_cooling + own + half
    heat_return = mains.to_water + rates.coils + own - half
    if storage.upward != 0.0 and state.tank is not None:
        leaving = outlet(state.tank, storage.upward)
        if storage.upward > 0.0:
            to_return += storage.upward * (leaving - back)
            heat_return += storage.lifting
        else:
            to_supply -= storage.upward * (leaving - supply)
            heat_supply += storage.lifting
    else:
        heat_return += storage.lifting + storage.throttling  # goes round
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
        return tank, Pending(seconds, mass, heat), 0.0, False
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
    circuit = rates.flows.condenser
    heater = circuit.to_water if circuit.flow <= 0.0 else 0.0
    seen = BasinInput(circuit.flow, rates.tower_leaving, lost, heater=heater)
    after = tower_water.step(plant.basin, basin, seen, dt)
    made_up = after.made_up - basin.made_up
    left = lost.evaporation * rates.tower_leaving + (lost.drift + lost.blow_down) * basin.temperature
    return after, WATER_SPECIFIC_HEAT * (made_up * seen.mains - left * dt)


def counted(state: PlantState, tank_gain: float, water: float, dt: float) -> Accounts:
    count, rates = state.accounts, state.rates
    primary, condenser, mains, storage, _ = rates.flows
    hours = dt / _SECONDS_PER_HOUR
    pump_heat = primary.to_water + mains.to_water + storage.lifting + storage.throttling
    return Accounts(
        count.chillers + rates.power * hours,
        count.primary + primary.electric * hours,
        count.secondary + mains.electric * hours,
        count.condenser + condenser.electric * hours,
        count.transfer + storage.electric * hours,
        count.fans + rates.fans.electric * hours,
        count.evaporators + rates.cooling * hours,
        count.free_cooling + rates.free_cooling * hours,
        count.coils + rates.coils * hours,
        count.pump_heat + pump_heat * hours,
        count.header_gain + rates.header_gain * hours,
        count.tank_gain + tank_gain / _SECONDS_PER_HOUR,
        count.rejection + rates.rejection * hours,
        count.condenser_pump_heat + condenser.to_water * hours,
        count.tower + rates.tower * hours,
        count.water + water / _SECONDS_PER_HOUR,
    )


def metered(state: PlantState, dt: float) -> tuple[ChillerMeter, ...]:
    if state.rates.power == 0.0:
        return state.meters
    hours = dt / _SECONDS_PER_HOUR
    return tuple(
        [
            ChillerMeter(
                meter.energy + chiller.operation.power * hours,
                meter.cooling + chiller.operation.cooling * hours,
                meter.rejection + chiller.operation.heat_rejection * hours,
            )
            for meter, chiller in zip(state.meters, state.chillers, strict=True)
        ]
    )
