"""Numbers of a device to those of a point and back, where an address states a scale and an offset."""

from __future__ import annotations

import math
from typing import NamedTuple


class Scaling(NamedTuple):
    """value = raw * factor / divisor + offset.

    A scale of 0.1 is a division by 10, which is exact where a multiplication is not: 3 becomes 0.3, not
    0.30000000000000004.
    """

    factor: float
    divisor: float
    offset: float

    @property
    def is_identity(self) -> bool:
        return self == (1.0, 1.0, 0.0)

    def applied(self, raw: float) -> float:
        return raw * self.factor / self.divisor + self.offset

    def undone(self, value: float) -> float:
        return (value - self.offset) * self.divisor / self.factor


def scaling_of(scale: float, offset: float) -> Scaling:
    """scale: not 0."""
    inverse = 1.0 / scale
    whole = float(round(inverse)) if abs(inverse) < 1e15 else 0.0
    if abs(whole) > 1.0 and math.isclose(whole * scale, 1.0, rel_tol=1e-14):
        return Scaling(1.0, whole, offset)
    return Scaling(scale, 1.0, offset)
