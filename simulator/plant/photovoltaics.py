"""Photovoltaic generator on a roof, for the hours of a typical year.

References
----------
[1] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic modules", Prog. Photovolt. 16, 2008.
[2] A. P. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641, 2014: direct current, losses, inverter.
"""

from dataclasses import dataclass
from typing import Any, cast

from simulator.plant.inclined import typical_year as inclined_year
from simulator.weather import Weather


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

    The sun warms the modules [1]; then PVWatts [2].

    """
    import pandas
    import pvlib

    library, frames = cast("Any", pvlib), cast("Any", pandas)  # neither carries types
    plane = (model.tilt, model.azimuth)
    (sun,) = inclined_year([plane], weather, latitude=latitude, longitude=longitude, utc_offset_h=utc_offset_h)
    inclined = frames.Series(sun)
    cells = library.temperature.faiman(inclined, frames.Series(weather.temperatures()))
    direct = library.pvsystem.pvwatts_dc(inclined, cells, model.peak, model.temperature_coefficient)
    limit = model.inverter / 0.96
    power = library.inverter.pvwatts(direct * (1.0 - model.losses), limit)
    return tuple(float(each) for each in power)
