"""Hot days for the high-rise, one like the other, so that a test sees the building and not the season."""

from datetime import datetime
from math import cos, pi, sin
from zoneinfo import ZoneInfo

from controller.core.physics import humidity_ratio, moist_air_enthalpy
from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.civil import LocalTime
from simulator.high_rise import air_side
from simulator.high_rise.air_controls import FloorCommands, Reset
from simulator.high_rise.air_floors import storeys
from simulator.high_rise.lighting import FixedClock
from simulator.high_rise.model import Sunshine
from simulator.high_rise.original import Original
from simulator.weather import HOURS_PER_YEAR, Outdoor, Weather

MONDAY = datetime(2026, 7, 20, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
DAY = 86400.0
_FLOOR = storeys()[0]
_STATE = air_side.resting([_FLOOR])[0]


def outdoor(hour: float) -> Outdoor:
    """26.5 to 33.5 degC, moist all day, sun from six to six."""
    temperature = 30.0 - 3.5 * cos(2.0 * pi * (hour - 3.0) / 24.0)
    sun = 900.0 * max(0.0, sin(pi * (hour - 6.0) / 12.0))
    enthalpy = moist_air_enthalpy(temperature, humidity_ratio(28.0, 0.8))
    return Outdoor(temperature, 0.7, 26.0, enthalpy, sun, 0.8)


def facade(noon: float) -> tuple[float, ...]:
    """Irradiance of a façade [W/m2] that has the sun around an hour of the day."""
    beam = [450.0 * max(0.0, cos(pi * (hour - noon) / 8.0)) if abs(hour - noon) < 4.0 else 0.0 for hour in range(24)]
    day = [beam[hour] + 120.0 if 6 < hour < 19 else 0.0 for hour in range(24)]
    return tuple(day[hour % 24] for hour in range(HOURS_PER_YEAR))


WEATHER = Weather(tuple(outdoor(hour % 24) for hour in range(HOURS_PER_YEAR)), "hot days")
SUN = Sunshine(
    (facade(48.0), facade(9.0), facade(12.5), facade(16.0)),  # the north has light and no sun
    tuple(0.15 * hour.irradiance for hour in WEATHER.hours),
)


def old_commands(hour: float) -> FloorCommands:
    """Of the old controls on a working day."""
    second = hour * 3600.0
    old = Original(FixedClock(0.0, 0.0))
    return old.air(Reset(), _FLOOR, _STATE, LocalTime(0, 0, second, 0.0), 0.0)[1]


def served(demand: CoilDemand, temperature: float = 7.0, pressure: float = 120.0) -> WaterSupply:
    """By a plant that holds temperature and pressure whatever is asked."""
    return WaterSupply(demand.conductance * pressure**0.5, temperature, pressure)
