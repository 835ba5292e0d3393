"""The high-rise: where it stands, and what it consists of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.high_rise.air_floors import FACADES, Floor, storeys
from simulator.high_rise.computer_rooms import ComputerRoom, two_rooms
from simulator.high_rise.electric_side import ROOF_AND_GARAGE, ElectricModel
from simulator.high_rise.hot_water import BOILER_ROOM, HotWaterModel
from simulator.high_rise.lighting import LIGHTING, FixedClock, LightingModel, never_late
from simulator.plant import inclined, photovoltaics
from simulator.plant.demand_meter import MeterModel
from simulator.plant.photovoltaics import PvModel
from simulator.weather import Weather

_YEAR_START = 1767225600.0  # 2026-01-01 00:00 UTC; the sun's times shift by less than a minute from year to year


def _shenzhen() -> tzinfo:
    return ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class HighRiseModel:
    """latitude [deg north], longitude [deg east], utc_offset_h of standard time; floors, rooms for computers, electric
    side, hot water, lighting with the clock of its old controls; main: the meter that demand is billed by.
    """

    latitude: float = 22.54
    longitude: float = 114.06
    utc_offset_h: float = 8.0
    zone: tzinfo = field(default_factory=_shenzhen)
    floors: tuple[Floor, ...] = field(default_factory=storeys)
    rooms: tuple[ComputerRoom, ...] = field(default_factory=two_rooms)
    electric: ElectricModel = ROOF_AND_GARAGE
    hot_water: HotWaterModel = BOILER_ROOM
    lighting: LightingModel = LIGHTING
    main: MeterModel = field(default_factory=lambda: MeterModel(ratio=200.0))
    clock: FixedClock | None = None

    @property
    def area(self) -> float:
        """Conditioned floor [m2]."""
        return sum(floor.area for floor in self.floors)

    def lighting_clock(self) -> FixedClock:
        """The fixed clock of the outdoor lamps: the one that was set, else the shortest that is never late here."""
        return self.clock or never_late(self.latitude, self.longitude, self.utc_offset_h, _YEAR_START)


class Sunshine(NamedTuple):
    """Of each hour of a typical year, the one that ends there: irradiance on the façades [W/m2] in their order, power
    of the photovoltaics [kW].
    """

    facades: tuple[Sequence[float], ...]
    photovoltaics: Sequence[float]


def sunshine(model: HighRiseModel, weather: Weather) -> Sunshine:
    """Of the building in a typical year. Loads pvlib and takes seconds, for each weather but once."""
    return _sunshine(weather, model.latitude, model.longitude, model.utc_offset_h, model.electric.photovoltaics)


@lru_cache(maxsize=4)
def _sunshine(weather: Weather, latitude: float, longitude: float, utc_offset_h: float, roof: PvModel) -> Sunshine:
    planes = [(90.0, azimuth) for _, azimuth in FACADES]
    place = {"latitude": latitude, "longitude": longitude, "utc_offset_h": utc_offset_h}
    return Sunshine(inclined.typical_year(planes, weather, **place), photovoltaics.typical_year(roof, weather, **place))
