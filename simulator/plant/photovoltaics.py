"""Photovoltaic generator on a roof, for the hours of a typical year.

The sun and the weather of a typical year are known before a run, so pvlib reckons all hours at once; a step then only
looks up and interpolates.

References
----------
[1] W. F. Holmgren, C. W. Hansen, M. A. Mikofski, "pvlib python", J. Open Source Software 3(29), 2018.
[2] D. G. Erbs, S. A. Klein, J. A. Duffie, "Estimation of the diffuse radiation fraction", Solar Energy 28, 1982.
[3] J. E. Hay, J. A. Davies, "Calculations of the solar radiation incident on an inclined surface", 1980.
[4] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic modules", Prog. Photovolt. 16, 2008.
[5] A. P. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641, 2014: direct current, losses, inverter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from simulator.weather import HOURS_PER_YEAR, Weather

_YEAR = "2019"
"""Carries the typical year: no 29 February."""


@dataclass(frozen=True, slots=True)
class PvModel:
    """peak: of the modules at 1000 W/m2 and 25 degC [kW]; inverter: most power to the mains [kW]; tilt from level
    [deg]; azimuth [deg from north]; losses: soiling, wiring, mismatch [0..1]; temperature_coefficient of the power
    [1/K].
    """

    peak: float
    inverter: float
    tilt: float
    azimuth: float
    losses: float = 0.14
    temperature_coefficient: float = -0.0035


def typical_year(
    model: PvModel, weather: Weather, *, latitude: float, longitude: float, utc_offset_h: float
) -> tuple[float, ...]:
    """Mean power to the mains [kW] of each hour of a year, the one that ends at the hour of its index. Loads pvlib.

    Global irradiance is parted into direct and diffuse [2], brought onto the modules [3], which it warms [4]; then
    PVWatts [5].

    """
    import pandas
    import pvlib

    library, frames = cast("Any", pvlib), cast("Any", pandas)  # neither carries types
    middle = frames.date_range(f"{_YEAR}-01-01 00:00", periods=HOURS_PER_YEAR, freq="h") - frames.Timedelta("30min")
    times = middle.tz_localize("UTC") - frames.Timedelta(hours=utc_offset_h)
    sun = library.solarposition.get_solarposition(times, latitude, longitude)
    zenith = sun["apparent_zenith"]
    level = frames.Series([hour.irradiance for hour in weather.hours], index=times)
    warmth = frames.Series([hour.temperature for hour in weather.hours], index=times)
    day = times.day_of_year.to_numpy()
    split = library.irradiance.erbs(level, zenith, day)
    outside = library.irradiance.get_extra_radiation(day)
    inclined = library.irradiance.get_total_irradiance(
        model.tilt,
        model.azimuth,
        zenith,
        sun["azimuth"],
        split["dni"],
        level,
        split["dhi"],
        dni_extra=outside,
        model="haydavies",
    )["poa_global"].fillna(0.0)
    cells = library.temperature.faiman(inclined, warmth)
    direct = library.pvsystem.pvwatts_dc(inclined, cells, model.peak, model.temperature_coefficient)
    limit = model.inverter / 0.96
    power = library.inverter.pvwatts(direct * (1.0 - model.losses), limit)
    return tuple(float(each) for each in power)


def power_at(year: Sequence[float], hour_of_year: float) -> float:
    """Power [kW] at an hour of the year [h since 1 January 00:00]: an hour's mean belongs to its middle."""
    middle = hour_of_year + 0.5
    index = int(middle)
    here, there = year[index % HOURS_PER_YEAR], year[(index + 1) % HOURS_PER_YEAR]
    return here + (middle - index) * (there - here)
