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
from datetime import date, timedelta
from typing import overload

from controller.core.physics import humidity_ratio, moist_air_enthalpy, saturation_pressure, wet_bulb
from simulator.sun import clear_sky_irradiance, solar_elevation
from simulator.weather import HOURS_PER_YEAR, Outdoor, Weather

# [1], for the hours that end at 01:00 to 24:00 local standard time.
_BELOW_HIGHEST = (
    *(0.88, 0.92, 0.95, 0.98, 1.00, 0.98, 0.91, 0.74, 0.55, 0.38, 0.23, 0.13),
    *(0.05, 0.00, 0.00, 0.06, 0.14, 0.24, 0.39, 0.50, 0.59, 0.68, 0.75, 0.82),
)
_CALENDAR_YEAR = 2019


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
    hours = _Hours(day, latitude, longitude, utc_offset_h)
    return Weather(hours, f"design day, {day.highest:g} °C and {day.relative_humidity:.0%}, {day.daily_range:g} K")


class _Hours(Sequence[Outdoor]):
    """Hours as they are asked for: few runs last a year."""

    def __init__(self, day: DesignDay, latitude: float, longitude: float, utc_offset_h: float) -> None:
        self._place = latitude, longitude
        self._year_start = (date(_CALENDAR_YEAR, 1, 1) - date(1970, 1, 1)) / timedelta(seconds=1)
        self._year_start -= utc_offset_h * 3600.0
        vapour = day.relative_humidity * saturation_pressure(day.highest)
        self._air = [_air(day, hour, vapour) for hour in range(24)]
        self._known: dict[int, Outdoor] = {}

    def __len__(self) -> int:
        return HOURS_PER_YEAR

    @overload
    def __getitem__(self, index: int) -> Outdoor: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Outdoor]: ...

    def __getitem__(self, index: int | slice) -> Outdoor | Sequence[Outdoor]:
        if isinstance(index, slice):
            return [self[hour] for hour in range(*index.indices(HOURS_PER_YEAR))]
        if index not in self._known:
            air = self._air[index % 24]
            # irradiance is the mean of the hour that ends here
            elevation = solar_elevation(self._year_start + (index - 0.5) * 3600.0, *self._place)
            self._known[index] = air._replace(irradiance=clear_sky_irradiance(elevation) * air.sky)
        return self._known[index]


def _air(day: DesignDay, hour: int, vapour: float) -> Outdoor:
    """Without the sun."""
    temperature = day.highest - _BELOW_HIGHEST[(hour - 1) % 24] * day.daily_range
    relative = min(1.0, vapour / saturation_pressure(temperature))
    enthalpy = moist_air_enthalpy(temperature, humidity_ratio(temperature, relative))
    return Outdoor(temperature, relative, wet_bulb(temperature, relative), enthalpy, 0.0, day.sky)
