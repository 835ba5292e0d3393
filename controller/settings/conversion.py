"""Numbers in the unit of a device turned into ours, without the dust of binary fractions: 7 % is 0.07."""

from __future__ import annotations

from controller.core.point import Range
from controller.core.units import Linear

IDENTITY = Linear(1.0, 0.0)


def value_inside(number: float, conversion: Linear) -> float:
    return _tidy(number * conversion.factor + conversion.offset)


def difference_inside(number: float, conversion: Linear) -> float:
    """A difference, a rate or a tolerance: no offset, no sign."""
    return _tidy(abs(number * conversion.factor))


def range_inside(pair: tuple[float, float], conversion: Linear) -> Range:
    low, high = sorted(value_inside(number, conversion) for number in pair)
    return Range(low, high)


def _tidy(number: float) -> float:
    return float(f"{number:.12g}")
