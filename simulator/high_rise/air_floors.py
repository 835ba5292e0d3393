"""Sizes of the high-rise's floors and of the air handler that each has.

Thirty storeys of 2,000 m2 in three kinds, ten of each: storeys alike are modelled once and counted ten times, as the
zone multipliers of EnergyPlus do. A storey is a core and four perimeter zones, 4.57 m deep, behind façades to the
north, east, south and west.

References
----------
[1] U.S. Department of Energy, Commercial Prototype Building Models, Large Office: core and four perimeter zones of
    4.57 m a storey, one VAV air handler a storey, boxes that do not close below 30 % of their design flow,
    infiltration at a quarter while the air handlers keep the building under pressure.
[2] GB 50189-2015, limits of the zone of hot summers and warm winters: windows of 0.4 to 0.5 of the façade U <= 2.7
    W/(m2 K) and solar heat gain <= 0.35, walls U <= 1.5 W/(m2 K), roofs U <= 0.8 W/(m2 K).
[3] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 4 "Air handling and distribution": pressure losses of
    filters, coils and ducts; boxes of 0.12 to 0.25 kPa.
[4] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 13: chilled water that warms by 5 K; branches of coils
    with their control valve of half their pressure loss.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Self

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant.air_handler import AirHandlerModel, FilterModel, fan_for
from simulator.plant.cooling_coil import coil_for
from simulator.plant.rc_zone import AIR_DENSITY, RcZone, medium_zone
from simulator.plant.valve import Characteristic, ValveModel, conductance_of

STOREY_AREA = 2000.0  # [m2]
STOREYS_OF_A_KIND = 10
FACADES = (("north", 0.0), ("east", 90.0), ("south", 180.0), ("west", 270.0))
"""Name and azimuth [deg from north]."""

_SIDE = sqrt(STOREY_AREA)
_DEPTH = 4.57  # [m] [1]
_STOREY_HEIGHT, _ROOM_HEIGHT = 4.0, 2.8
_GLAZED = 0.4
_WINDOW_U, _WALL_U, _ROOF_U = 2.7e-3, 1.5e-3, 0.8e-3  # [kW/(m2 K)] [2]
_SOLAR_GAIN = 0.35  # [2]
_LEAKAGE = 0.3  # air changes an hour of the perimeter, the air handlers at rest
# Supply air at the design [kg/(s m2)]: 19 W/m2 of people, lights and plugs in the core; the sun besides at the façades.
_CORE_AIR = 2.4e-3
_PERIMETER_AIR = (8.5e-3, 11.5e-3, 10.5e-3, 11.5e-3)
_LEAST = 0.3  # [1]
# 20 kJ a kg of supply air: 110 W/m2, a quarter more than the cooling plant has installed.
_COIL_HEAT, _WATER_RANGE = 20.0, 5.0  # [kJ/kg], [K]
_VALVE_LOSS = _COIL_LOSS = 60.0  # [kPa] [4]
_EQUAL = Characteristic.EQUAL_PERCENTAGE


@dataclass(frozen=True, slots=True)
class FloorZone:
    """A zone behind its box. facade: index of the one it lies at, None in the core; aperture: windows times their solar
    gain [m2]; design_flow and least_flow of supply air [kg/s]; leakage: outdoor air that gets in while the air handler
    is at rest [kg/s].
    """

    zone: RcZone
    facade: int | None
    aperture: float
    design_flow: float
    least_flow: float
    leakage: float


@dataclass(frozen=True, slots=True)
class Floor:
    """Storeys alike: count (of a larger building of the same kind a fraction, too); storey: floor of one [m2]; zones;
    air handler of each. box_pressure: loss of an open box at its design flow [kPa]; valve of the coil, branch:
    conductance of the coil itself [kg/(s kPa^0.5)].
    """

    name: str
    count: float
    storey: float
    zones: tuple[FloorZone, ...]
    handler: AirHandlerModel
    box_pressure: float
    valve: ValveModel
    branch: float

    @property
    def area(self) -> float:
        """Of all storeys [m2]."""
        return self.count * self.storey

    def is_like(self, other: Self) -> bool:
        """Whether one of its storeys is one of the other's in all but its place."""
        return replace(other, name=self.name, count=self.count) == self


def storeys() -> tuple[Floor, ...]:
    """Low, middle and high; the high ones carry the roof."""
    low = _floor("low", roof=0.0)
    return low, replace(low, name="middle"), _floor("high", roof=STOREY_AREA / STOREYS_OF_A_KIND)


def _floor(name: str, *, roof: float) -> Floor:
    """roof: area that falls to one of these storeys [m2]."""
    core_area = (_SIDE - 2.0 * _DEPTH) ** 2
    side_area = (STOREY_AREA - core_area) / 4.0
    facade = _SIDE * _STOREY_HEIGHT
    window = _GLAZED * facade
    over = roof * _ROOF_U / STOREY_AREA
    core_flow = _CORE_AIR * core_area
    # The core's walls are inside: only what lies below the roof loses to the outdoors, and it is never quite nothing.
    core = medium_zone(core_area, height=_ROOM_HEIGHT, opaque=over * core_area + 1e-3, glazing=0.0)
    wall = (facade - window) * _WALL_U + over * side_area
    perimeter = medium_zone(side_area, height=_ROOM_HEIGHT, opaque=wall, glazing=window * _WINDOW_U)
    leakage = _LEAKAGE * side_area * _ROOM_HEIGHT * AIR_DENSITY / 3600.0
    sides = tuple(
        FloorZone(perimeter, index, window * _SOLAR_GAIN, air * side_area, _LEAST * air * side_area, leakage)
        for index, air in enumerate(_PERIMETER_AIR)
    )
    zones = (FloorZone(core, None, 0.0, core_flow, _LEAST * core_flow, 0.0), *sides)
    flow = sum(each.design_flow for each in zones)
    water = _COIL_HEAT * flow / (_WATER_RANGE * WATER_SPECIFIC_HEAT)
    return Floor(
        name,
        STOREYS_OF_A_KIND,
        STOREY_AREA,
        zones,
        AirHandlerModel(
            fan=fan_for(flow, 1.15, 0.65),
            coil=coil_for(_COIL_HEAT * flow, flow, 27.0, 0.55, water, 7.0),
            # 0.08 to 0.25 kPa, half a year of running [3]
            filter=FilterModel(flow, 0.08, 0.25, flow * 3600.0 * 2000.0),
            coil_resistance=0.55 / (flow * flow),  # coil, casing, supply and return ducts [3]
            least_outdoor=0.05,
        ),
        box_pressure=0.15,
        valve=ValveModel(kv=3.6 * water / sqrt(_VALVE_LOSS / 100.0), travel_s=90.0, characteristic=_EQUAL),
        branch=conductance_of(water, _COIL_LOSS),
    )
