"""One unit per quantity inside; devices may speak others. Conversion happens at the edges only."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Unit(StrEnum):
    """The units that values have inside Tidewatt (design: °C, differences K, kW, kWh, kPa, kg/s, 0..1, s, lx, ppm)."""

    CELSIUS = "degC"
    KELVIN = "K"
    KILOWATT = "kW"
    KILOWATT_HOUR = "kWh"
    KILOPASCAL = "kPa"
    KILOGRAM_PER_SECOND = "kg/s"
    FRACTION = "fraction"
    SECOND = "s"
    LUX = "lx"
    PARTS_PER_MILLION = "ppm"
    VOLT = "V"
    AMPERE = "A"
    HERTZ = "Hz"
    METRE_PER_SECOND = "m/s"
    WATT_PER_SQUARE_METRE = "W/m2"
    CUBIC_METRE = "m3"
    NONE = "none"


class Linear(NamedTuple):
    """inside = outside * factor + offset."""

    factor: float
    offset: float


WATER_DENSITY = 0.998  # kg/l at 20 °C, CRC Handbook; within 0.3 % from 4 to 25 °C

_IDENTITY = Linear(1.0, 0.0)

# What devices and point lists call their units, and how each becomes ours.
DEVICE_UNITS: dict[str, tuple[Unit, Linear]] = {
    **{unit.value: (unit, _IDENTITY) for unit in Unit},
    "degF": (Unit.CELSIUS, Linear(5 / 9, -160 / 9)),
    "W": (Unit.KILOWATT, Linear(0.001, 0.0)),
    "MW": (Unit.KILOWATT, Linear(1000.0, 0.0)),
    "Wh": (Unit.KILOWATT_HOUR, Linear(0.001, 0.0)),
    "MWh": (Unit.KILOWATT_HOUR, Linear(1000.0, 0.0)),
    "Pa": (Unit.KILOPASCAL, Linear(0.001, 0.0)),
    "bar": (Unit.KILOPASCAL, Linear(100.0, 0.0)),
    "l/s": (Unit.KILOGRAM_PER_SECOND, Linear(WATER_DENSITY, 0.0)),
    "l": (Unit.CUBIC_METRE, Linear(0.001, 0.0)),
    "m3/h": (Unit.KILOGRAM_PER_SECOND, Linear(WATER_DENSITY / 3.6, 0.0)),
    "%": (Unit.FRACTION, Linear(0.01, 0.0)),
    "min": (Unit.SECOND, Linear(60.0, 0.0)),
    "h": (Unit.SECOND, Linear(3600.0, 0.0)),
}
