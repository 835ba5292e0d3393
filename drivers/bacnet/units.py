"""BACnetEngineeringUnits (ANSI/ASHRAE 135-2020, clause 21) as the units that device templates know. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from controller.core.units import DEVICE_UNITS

NO_UNIT: Final = "none"


class EngineeringUnit(NamedTuple):
    """name: as the standard spells it. unit: a key of DEVICE_UNITS."""

    name: str
    unit: str


# Units that are one of ours as they stand. What would need a factor that DEVICE_UNITS lacks is left out: "none" then
# says that the value comes as the device has it.
ENGINEERING_UNITS: Final = {
    3: EngineeringUnit("amperes", "A"),
    5: EngineeringUnit("volts", "V"),
    18: EngineeringUnit("watt-hours", "Wh"),
    19: EngineeringUnit("kilowatt-hours", "kWh"),
    27: EngineeringUnit("hertz", "Hz"),
    29: EngineeringUnit("percent-relative-humidity", "%"),
    35: EngineeringUnit("watts-per-square-meter", "W/m2"),
    37: EngineeringUnit("luxes", "lx"),
    42: EngineeringUnit("kilograms-per-second", "kg/s"),
    47: EngineeringUnit("watts", "W"),
    48: EngineeringUnit("kilowatts", "kW"),
    49: EngineeringUnit("megawatts", "MW"),
    53: EngineeringUnit("pascals", "Pa"),
    54: EngineeringUnit("kilopascals", "kPa"),
    55: EngineeringUnit("bars", "bar"),
    62: EngineeringUnit("degrees-celsius", "degC"),
    63: EngineeringUnit("degrees-kelvin", NO_UNIT),
    64: EngineeringUnit("degrees-fahrenheit", "degF"),
    71: EngineeringUnit("hours", "h"),
    72: EngineeringUnit("minutes", "min"),
    73: EngineeringUnit("seconds", "s"),
    74: EngineeringUnit("meters-per-second", "m/s"),
    87: EngineeringUnit("liters-per-second", "l/s"),
    95: EngineeringUnit("no-units", NO_UNIT),
    96: EngineeringUnit("parts-per-million", "ppm"),
    98: EngineeringUnit("percent", "%"),
    121: EngineeringUnit("delta-degrees-kelvin", "K"),
    135: EngineeringUnit("cubic-meters-per-hour", "m3/h"),
    146: EngineeringUnit("megawatt-hours", "MWh"),
}
_BY_NAME: Final = {each.name.replace("-", ""): each.unit for each in ENGINEERING_UNITS.values()}


def unit_of(units: int | str) -> str:
    """The key of DEVICE_UNITS for an engineering unit by number or name, "none" where there is no such unit.

    Names are taken as the standard and tools spell them: "degrees-celsius", "DEGREES_CELSIUS", "degreesCelsius".
    """
    if isinstance(units, int):
        found = ENGINEERING_UNITS.get(units)
        return NO_UNIT if found is None else found.unit
    text = units.strip()
    if text.isascii() and text.isdecimal():
        return unit_of(int(text))
    if text in DEVICE_UNITS:
        return text
    return _BY_NAME.get("".join(letter for letter in text.lower() if letter.isalnum()), NO_UNIT)
