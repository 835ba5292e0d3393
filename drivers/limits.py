"""What no driver passes on, whatever its protocol: the last fence before the wire, the first behind it."""

from __future__ import annotations

import math

from controller.core.point import Point, Range, ValueType
from controller.core.sample import Scalar, as_number


def why_refused(point: Point, value: Scalar | None) -> str:
    """Why this value may not be written to this point, or why it may not be relinquished; empty where it may."""
    if point.writable is None:
        return "not writable"
    if value is None:
        return ""
    if point.type is ValueType.TEXT:
        if not isinstance(value, str):
            return f"{value!r} is no text"
        return f"{value!r} is none of {', '.join(point.states)}" if point.states and value not in point.states else ""
    number = as_number(value)
    if number is None or not math.isfinite(number):
        return f"{value!r} is not a number"
    low, high = point.writable.range
    if not low <= number <= high:
        return f"{number:g} lies outside {low:g} to {high:g}"
    return ""


def why_doubted(value: Scalar, plausible: Range | None) -> str:
    """Why a value that was read is no value; empty where it may be believed."""
    number = as_number(value)
    if number is None:
        return ""
    if not math.isfinite(number):
        return "not a number"
    if plausible is not None and not plausible.holds(number):
        return f"implausible: {number:g} lies outside {plausible.low:g} to {plausible.high:g}"
    return ""
