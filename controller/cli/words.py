"""How values and times look to people."""

from __future__ import annotations

from typing import Any

from controller.core.text import Language, Text

ON, OFF = Text("on", "开"), Text("off", "关")

_DECIMALS = {"degC": 1, "K": 1, "kW": 1, "kWh": 1, "kPa": 1, "kg/s": 1, "lx": 0, "ppm": 0, "s": 0}
_SHOWN_UNIT = {"degC": "°C", "fraction": "%", "none": ""}


def value(shown: Any, unit: str, language: Language) -> str:
    """A value with its unit as people write it: 25 %, 7.0 °C, on."""
    if shown is None:
        return "—"
    if isinstance(shown, bool):
        return (ON if shown else OFF).in_language(language)
    if isinstance(shown, str):
        return shown
    if unit == "fraction":
        return f"{shown * 100:.0f} %"
    decimals = _DECIMALS.get(unit, 0 if isinstance(shown, int) else 2)
    return f"{shown:.{decimals}f} {_SHOWN_UNIT.get(unit, unit)}".rstrip()


def lasting(seconds: float) -> str:
    """43 s, 12 min, 3 h 5 min, 2 d 4 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
