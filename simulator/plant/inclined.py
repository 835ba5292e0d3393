"""Irradiance on inclined and vertical surfaces, for the hours of a typical year.

The sun and the weather of a typical year are known before a run, so pvlib reckons all hours at once; a step then only
looks up and interpolates.

References
----------
[1] W. F. Holmgren, C. W. Hansen, M. A. Mikofski, "pvlib python", J. Open Source Software 3(29), 2018.
[2] D. G. Erbs, S. A. Klein, J. A. Duffie, "Estimation of the diffuse radiation fraction", Solar Energy 28, 1982.
[3] J. E. Hay, J. A. Davies, "Calculations of the solar radiation incident on an inclined surface", 1980.
"""

from collections.abc import Sequence
from typing import Any, cast

from simulator.weather import HOURS_PER_YEAR, Weather

_YEAR = "2019"
"""Carries the typical year: no 29 February."""


def typical_year(
    planes: Sequence[tuple[float, float]], weather: Weather, *, latitude: float, longitude: float, utc_offset_h: float
) -> tuple[tuple[float, ...], ...]:
    """Mean irradiance [W/m2] on each plane (tilt from level, azimuth from north [deg]) in each hour of a year, the one
    that ends at the hour of its index. Loads pvlib [1].

    Global irradiance is parted into direct and diffuse [2] and brought onto the planes [3].

    """
    import pandas
    import pvlib

    library, frames = cast("Any", pvlib), cast("Any", pandas)  # neither carries types
    middle = frames.date_range(f"{_YEAR}-01-01 00:00", periods=HOURS_PER_YEAR, freq="h") - frames.Timedelta("30min")
    times = middle.tz_localize("UTC") - frames.Timedelta(hours=utc_offset_h)
    sun = library.solarposition.get_solarposition(times, latitude, longitude)
    zenith = sun["apparent_zenith"]
    level = frames.Series(weather.irradiances(), index=times)
    split = library.irradiance.erbs(level, zenith, times.day_of_year.to_numpy())
    outside = library.irradiance.get_extra_radiation(times.day_of_year.to_numpy())
    found = [
        library.irradiance.get_total_irradiance(
            tilt,
            azimuth,
            zenith,
            sun["azimuth"],
            split["dni"],
            level,
            split["dhi"],
            dni_extra=outside,
            model="haydavies",
        )["poa_global"].fillna(0.0)
        for tilt, azimuth in planes
    ]
    return tuple(tuple(float(each) for each in plane) for plane in found)


def at_hour(year: Sequence[float], hour_of_year: float) -> float:
    """A mean of hours at an hour of the year [h since 1 January 00:00]: an hour's mean belongs to its middle."""
    middle = hour_of_year + 0.5
    index = int(middle)
    here, there = year[index % HOURS_PER_YEAR], year[(index + 1) % HOURS_PER_YEAR]
    return here + (middle - index) * (there - here)
