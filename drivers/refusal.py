"""What every driver refuses to write, whatever its protocol: the last fence before the wire."""

from __future__ import annotations

import math

from controller.core.point import Point, ValueType
from controller.core.sample import Scalar, as_number


def why_refused(point: Point, value: Scalar | None) -> str:
    """Why this value may not be written to this point, or why it may not be relinquished; empty where it may."""
    if point.writable is None:
        return "not writable"
    if value is None:
        return ""
    if point.type is ValueType.TEXT:
        return "" if isinstance(value, str) else f"{value!r} is no text"
    number = as_number(value)
    if number is None or not math.isfinite(number):
        return f"{value!r} is not a number"
    low, high = point.writable.range
    if not low <= number <= high:
        return f"{number:g} lies outside {low:g} to {high:g}"
    return ""
