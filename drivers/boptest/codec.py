"""Values of a test case to those of a point and back; the case says its unit, the point has ours."""

from __future__ import annotations

import math
from typing import Any, Final

from controller.core.point import Point, ValueType
from controller.core.sample import Scalar, as_number
from controller.core.units import DEVICE_UNITS, WATER_DENSITY, Linear, Unit
from drivers.boptest.running import Signal

_IDENTITY: Final = Linear(1.0, 0.0)
_ON: Final = 0.5
# Modelica's spellings (MLS 3.6, 19) that templates do not have, or mean otherwise: there K is a difference.
_MODELICA: Final[dict[str, tuple[tuple[Unit, Linear], ...]]] = {
    "K": ((Unit.CELSIUS, Linear(1.0, -273.15)), (Unit.KELVIN, _IDENTITY)),
    "1": ((Unit.FRACTION, _IDENTITY),),
    "J": ((Unit.KILOWATT_HOUR, Linear(1.0 / 3.6e6, 0.0)),),
    "m3/s": ((Unit.KILOGRAM_PER_SECOND, Linear(WATER_DENSITY * 1000.0, 0.0)),),
}


def conversion_of(point: Point, signal: Signal) -> Linear | None:
    """The case's value to the point's; None where the two units do not fit. A point without a unit has the case's."""
    if point.unit is Unit.NONE or not signal.unit:
        return _IDENTITY
    known = DEVICE_UNITS.get(signal.unit)
    fitting = _MODELICA.get(signal.unit, () if known is None else (known,))
    return next((conversion for unit, conversion in fitting if unit is point.unit), None)


def decoded(point: Point, raw: Any, conversion: Linear) -> Scalar | None:
    """None where the case gives no number."""
    if not isinstance(raw, (int, float)):
        return None
    if point.type is ValueType.BOOLEAN:
        return raw >= _ON
    value = float(raw) * conversion.factor + conversion.offset
    return round(value) if point.type is ValueType.INTEGER and math.isfinite(value) else value


def encoded(value: Scalar, conversion: Linear) -> float:
    """value: a finite number or a switch."""
    number = as_number(value)
    assert number is not None
    return (number - conversion.offset) / conversion.factor


def why_clipped(raw: float, signal: Signal) -> str:
    """What the case makes of a value beyond its range; empty where it takes it as it is."""
    if (signal.low is None or raw >= signal.low) and (signal.high is None or raw <= signal.high):
        return ""
    ends = " to ".join("" if end is None else f"{end:g}" for end in (signal.low, signal.high))
    return f"{raw:g} {signal.unit} lies outside {ends} and is clipped by the test case"
