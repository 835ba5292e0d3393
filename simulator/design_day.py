"""Weather as a sizing calculation knows it: one day, told by a few numbers, again and again.

References
----------
[1] ASHRAE Handbook - Fundamentals (2009), chapter 14 "Climatic Design Information", table 6: share of the daily range
    by which each hour lies below the day's highest temperature.
[2] B. Haurwitz, "Insolation in relation to cloudiness and cloud density", J. Meteorology 2, 1945, pp. 154-166: the
    clear sky (sun.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from controller.core.physics import humidity_ratio, moist_air_enthalpy, saturation_pressure, wet_bulb
from simulator.sun import clear_sky_irradiance, solar_elevation
from simulator.weather import HOURS_PER_YEAR, HoursAsAsked, Outdoor, Weather, year_start

# [1], for the hours that end at 01:00 to 24:00 local standard time.
_BELOW_HIGHEST = (
    *(0.88, 0.92, 0.95, 0.98, 1.00, 0.98, 0.91, 0.74, 0.55, 0.38, 0.23, 0.13),
    *(0.05, 0.00, 0.00, 0.06, 0.14, 0.24, 0.39, 0.50, 0.59, 0.68, 0.75, 0.82),
)


@dataclass(frozen=True, slots=True)
class DesignDay:
    """highest temperature [degC] and daily_range to the lowest [K]; relative_humidity at the highest [0..1], whose
    moisture the air keeps all day as far as it can hold it; sky: share of the clear sky's light that passes [0..1].
    """

    highest: float
    daily_range: float
    relative_humidity: float
    sky: float = 1.0


def repeated(day: DesignDay, *, latitude: float, longitude: float, utc_offset_h: float) -> Weather:
    """A year of such days; only the sun goes with the season."""
    vapour = day.relative_humidity * saturation_pressure(day.highest)
    air = [_air(day, hour, vapour) for hour in range(24)]
    hours = HoursAsAsked(HOURS_PER_YEAR, partial(_lit, air, year_start(utc_offset_h), latitude, longitude))
    return Weather(hours, f"design day, {day.highest:g} °C and {day.relative_humidity:.0%}, {day.daily_range:g} K")


def _lit(air: Sequence[Outdoor], begins: float, latitude: float, longitude: float, hour: int) -> Outdoor:
    still = air[hour % 24]
    # irradiance is the mean of the hour that ends here
    elevation = solar_elevation(begins + (hour - 0.5) * 3600.0, latitude, longitude)
    return still._replace(irradiance=clear_sky_irradiance(elevation) * still.sky)


def _air(day: DesignDay, hour: int, vapour: float) -> Outdoor:
    """Without the sun."""
    temperature = day.highest - _BELOW_HIGHEST[(hour - 1) % 24] * day.daily_range
    relative = min(1.0, vapour / saturation_pressure(temperature))
    enthalpy = moist_air_enthalpy(temperature, humidity_ratio(temperature, relative))
    return Outdoor(temperature, relative, wet_bulb(temperature, relative), enthalpy, 0.0, day.sky)
