"""Engineering units of OPC UA (Part 8, 5.6.4: codes of UN/CEFACT Recommendation 20) as templates know them. Pure."""

from __future__ import annotations

from typing import Final

NO_UNIT: Final = "none"

# UNECE code -> a key of DEVICE_UNITS. What would need a factor that is not there is left out. KEL is left out too: ours
# is a difference.
_BY_CODE: Final = {
    "CEL": "degC",
    "FAH": "degF",
    "WTT": "W",
    "KWT": "kW",
    "MAW": "MW",
    "WHR": "Wh",
    "KWH": "kWh",
    "MWH": "MWh",
    "PAL": "Pa",
    "KPA": "kPa",
    "BAR": "bar",
    "G51": "l/s",
    "MQH": "m3/h",
    "KGS": "kg/s",
    "P1": "%",
    "SEC": "s",
    "MIN": "min",
    "HUR": "h",
    "LUX": "lx",
    "59": "ppm",
    "VLT": "V",
    "AMP": "A",
    "HTZ": "Hz",
}
# What servers write for people, where they leave the code out.
_BY_NAME: Final = {
    **{unit.lower(): unit for unit in _BY_CODE.values()},
    "°c": "degC",
    "℃": "degC",
    "°f": "degF",
    "m³/h": "m3/h",
}


def unit_of(unit_id: int, name: str) -> str:
    """A key of DEVICE_UNITS; "none" where the value comes as the server has it."""
    return _BY_CODE.get(_code(unit_id)) or _BY_NAME.get(name.strip().lower(), NO_UNIT)


def _code(unit_id: int) -> str:
    """The number's bytes are the letters of the code: 4408652 is CEL."""
    if not 0 < unit_id < 1 << 24:
        return ""
    return unit_id.to_bytes(3, "big").lstrip(b"\0").decode("ascii", errors="replace")
