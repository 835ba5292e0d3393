"""The building as one zone: heat balance of its air and fabric, and what its coils are asked for.

References
----------
[1] ISO 13790:2008, annex C (simple hourly method) reduced to one node; table 12: heat capacity of a medium building
    165 kJ/(K m2) of floor.
[2] ASHRAE Handbook - Fundamentals (2017), chapter 18, table 1: a person at moderately active office work gives off 75 W
    sensible and 55 W latent heat.
[3] ASHRAE Standard 62.1-2019, table 6-1, office space: 2.5 L/s a person and 0.3 L/s a m2.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from controller.core.physics import humidity_ratio, moist_air_enthalpy
from simulator.plant.occupancy import AREA_PER_PERSON, LIGHTING_DENSITY, PLUG_DENSITY, Use
from simulator.plant.record import record
from simulator.weather import Outdoor

SENSIBLE_HEAT_PER_PERSON = 0.075  # [kW] [2]
LATENT_HEAT_PER_PERSON = 0.055  # [kW] [2]
AIR_PER_PERSON = 2.5e-3 * 1.16  # [kg/s] [3], air of 1.16 kg/m3 at 30 degC
AIR_PER_AREA = 0.3e-3 * 1.16  # [kg/(s m2)] [3]
VENTILATION_BAND = 0.25
"""Share of the proportional band in which the coils' valves open far enough to dry the outdoor air."""


@dataclass(frozen=True, slots=True)
class ZoneModel:
    """floor_area [m2]; conductance of envelope and infiltration [kW/K]; solar_aperture: windows times solar gain factor
    times share of the horizontal irradiance that falls on them [m2]; heat_capacity [kJ/K]; cooling setpoint [degC] with
    a proportional band [K]; sensible_capacity of the air handlers [kW]. people: design number, from the floor area.
    """

    floor_area: float
    conductance: float
    solar_aperture: float
    heat_capacity: float
    setpoint: float
    proportional_band: float
    sensible_capacity: float
    people: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "people", self.floor_area / AREA_PER_PERSON)


class Demand(NamedTuple):
    """What the air handlers ask of the chilled water [kW]: heat of the zone's air; heat of outdoor air and moisture."""

    sensible: float
    other: float


NO_DEMAND = Demand(0.0, 0.0)
ROOM_ENTHALPY = moist_air_enthalpy(24.5, humidity_ratio(24.5, 0.55))
"""Enthalpy of room air at 24.5 degC and 55 % [kJ/kg dry air]; the zone has no moisture balance of its own."""


def electric_load(model: ZoneModel, use: Use) -> float:
    """Lights and plug loads [kW]."""
    return model.floor_area * (LIGHTING_DENSITY * use.lights + PLUG_DENSITY * use.plugs)


def heat_gain(model: ZoneModel, use: Use, outdoor: Outdoor, temperature: float) -> float:
    """Sensible heat that the zone gains at an air temperature [degC], without cooling [kW]:

    Q = UA (T_out - T) + A_sol G + people + lights + plug loads  [1].

    """
    return (
        model.conductance * (outdoor.temperature - temperature)
        + model.solar_aperture * outdoor.irradiance * 1e-3
        + SENSIBLE_HEAT_PER_PERSON * model.people * use.people
        + electric_load(model, use)
    )


def cooling_demand(model: ZoneModel, use: Use, outdoor: Outdoor, temperature: float) -> Demand:
    """What the air handlers ask for at an air temperature [degC]: a proportional room controller, and the enthalpy of
    the outdoor air [3] and people's moisture, which they remove before the air reaches the room.
    """
    if not use.air_handlers:
        return NO_DEMAND
    share = (temperature - model.setpoint) / model.proportional_band
    if share <= 0.0:
        return NO_DEMAND
    sensible = model.sensible_capacity * min(1.0, share)
    opening = min(1.0, share / VENTILATION_BAND)
    people = model.people * use.people
    outdoor_air = AIR_PER_AREA * model.floor_area + AIR_PER_PERSON * people
    ventilation = outdoor_air * max(0.0, outdoor.enthalpy - ROOM_ENTHALPY)
    return record(Demand, (sensible, opening * (ventilation + LATENT_HEAT_PER_PERSON * people)))


def zone_temperature(model: ZoneModel, temperature: float, gain: float, cooling: float, dt: float) -> float:
    """Temperature [degC] after dt [s] with a gain and sensible cooling [kW]: C dT/dt = Q_gain - Q_cool."""
    return temperature + (gain - cooling) * dt / model.heat_capacity
