"""What each part of the high-rise sees at an instant: weather, use, what is commanded and by the old controls."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.chilled_water import WaterSupply
from simulator.civil import LocalTime
from simulator.high_rise import commands, electric_side, hot_water
from simulator.high_rise.air_controls import FloorCommands
from simulator.high_rise.air_rooms import Around
from simulator.high_rise.air_side import OUTDOOR_CO2, AirSideInput
from simulator.high_rise.commands import Held
from simulator.high_rise.controls import Controls
from simulator.high_rise.electric_side import ElectricInput
from simulator.high_rise.model import HighRiseModel
from simulator.high_rise.names import BATTERY, BOILER, CHARGERS, DECKS, FACADE, HANDLERS, OUTDOOR, UNITS, ZONES
from simulator.high_rise.original import BATTERY_IN_RESERVE
from simulator.high_rise.services import ServicesInput
from simulator.plant.ev_charger import Car, Session
from simulator.plant.moist_air import ratio_of
from simulator.plant.occupancy import Use
from simulator.plant.rc_zone import Stream
from simulator.weather import Outdoor


class Given(NamedTuple):
    """From outside: local time, outdoor temperature [degC], people as a share of their design number, power of the
    photovoltaics [kW], the cars of the day; dark: lamps are needed outdoors.
    """

    local: LocalTime
    outdoor: float
    people: float
    sun: float
    cars: Sequence[Session | None]
    dark: bool


def air_input(
    own: Sequence[FloorCommands],
    outdoor: Outdoor,
    use: Use,
    facades: Sequence[float],
    water: WaterSupply,
    held: Held,
) -> AirSideInput:
    """own: what the building's own controls want; facades: irradiance [kW/m2]."""
    asked = [
        commands.air_handler(each, held, name, zones) for each, name, zones in zip(own, HANDLERS, ZONES, strict=True)
    ]
    ratio = ratio_of(outdoor.enthalpy, outdoor.temperature)
    around = Around(Stream(1.0, outdoor.temperature, ratio, OUTDOOR_CO2), facades, use)
    return AirSideInput(around, water, asked)


def services_input(
    model: HighRiseModel, controls: Controls, given: Given, cars: Sequence[Car | None], held: Held
) -> ServicesInput:
    """controls: the building's own; cars: at the charging points now."""
    local = given.local
    pair = controls.units()
    units = [commands.split_unit(own, held, name) for own, name in zip((*pair, *pair), UNITS, strict=True)]
    limits = None
    if held and any([f"{name}.current_limit" in held for name in CHARGERS]):
        limits = commands.chargers(electric_side.first_come_first_served(model.electric, cars), held, CHARGERS)
    battery = float(held.get(f"{BATTERY}.power_command", BATTERY_IN_RESERVE))
    own_lamps = controls.lamps(model.lighting, local, dark=given.dark)
    return ServicesInput(
        given.outdoor,
        hot_water.mains_temperature(local.year_hour),
        hot_water.people_of(model.area, given.people),
        ElectricInput(given.sun, given.cars, local.second, battery, limits),
        (units[:2], units[2:]),
        commands.boiler(controls.boiler(local), held, BOILER),
        commands.lamps(own_lamps, held, DECKS, OUTDOOR, FACADE),
    )
