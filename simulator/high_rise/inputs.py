"""What each part of the high-rise sees at an instant: weather, use, what is commanded and by the old controls."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.chilled_water import WaterSupply
from simulator.civil import LocalTime
from simulator.high_rise import air_controls, commands, computer_rooms, electric_side, hot_water, lighting
from simulator.high_rise.air_rooms import Around
from simulator.high_rise.air_side import OUTDOOR_CO2, AirSideInput
from simulator.high_rise.commands import Held
from simulator.high_rise.electric_side import ElectricInput
from simulator.high_rise.lighting import FixedClock
from simulator.high_rise.model import HighRiseModel
from simulator.high_rise.names import BATTERY, BOILER, CHARGERS, DECKS, FACADE, HANDLERS, OUTDOOR, UNITS, ZONES
from simulator.high_rise.services import ServicesInput
from simulator.plant.ev_charger import Car, Session
from simulator.plant.moist_air import ratio_of
from simulator.plant.occupancy import Use
from simulator.plant.rc_zone import Stream
from simulator.weather import Outdoor


class Given(NamedTuple):
    """From outside: local time, outdoor temperature [degC], people as a share of their design number, power of the
    photovoltaics [kW], the cars of the day.
    """

    local: LocalTime
    outdoor: float
    people: float
    sun: float
    cars: Sequence[Session | None]


def air_input(
    local: LocalTime, outdoor: Outdoor, use: Use, facades: Sequence[float], water: WaterSupply, held: Held
) -> AirSideInput:
    """facades: irradiance [kW/m2]."""
    asked = [
        commands.air_handler(air_controls.old_controls(local.weekday, local.second, len(zones)), held, name, zones)
        for name, zones in zip(HANDLERS, ZONES, strict=True)
    ]
    ratio = ratio_of(outdoor.enthalpy, outdoor.temperature)
    around = Around(Stream(1.0, outdoor.temperature, ratio, OUTDOOR_CO2), facades, use)
    return AirSideInput(around, water, asked)


def services_input(
    model: HighRiseModel, clock: FixedClock, given: Given, cars: Sequence[Car | None], held: Held
) -> ServicesInput:
    """cars: at the charging points now."""
    local = given.local
    units = [commands.split_unit(computer_rooms.OLD_CONTROLS, held, name) for name in UNITS]
    limits = None
    if held and any([f"{name}.current_limit" in held for name in CHARGERS]):
        limits = commands.chargers(electric_side.first_come_first_served(model.electric, cars), held, CHARGERS)
    battery = float(held.get(f"{BATTERY}.power_command", electric_side.BATTERY_IN_RESERVE))
    return ServicesInput(
        given.outdoor,
        hot_water.mains_temperature(local.year_hour),
        hot_water.people_of(model.area, given.people),
        ElectricInput(given.sun, given.cars, local.second, battery, limits),
        (units[:2], units[2:]),
        commands.boiler(hot_water.OLD_CONTROLS, held, BOILER),
        commands.lamps(lighting.old_controls(model.lighting, clock, local.second), held, DECKS, OUTDOOR, FACADE),
    )
