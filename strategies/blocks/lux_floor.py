"""The brightness that keeps a lux floor, measured while the lamps are steady.

Light of the lamps is proportional to their brightness, so brightness x floor / illuminance just meets the floor.
Daylight makes that too high while the illuminance is above the floor, which is safe, and too low while it is below,
which the next measurements mend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Aimed at this share above what just keeps the floor, lowered once it is twice that share above. Wider than the noise
# of a garage lux sensor (about 3 % of reading).
MARGIN = 0.05
# Change of the lamps' own brightness above which they are no longer steady.
_STEADY_WITHIN = 0.02


@dataclass(frozen=True, slots=True)
class Floor:
    """What is known of a group's lux floor.

    brightness: keeps the floor. measured: brightness of the lamps from which they have not moved since, None while
    the illuminance is unknown. settling: seconds until the light that is measured is that of this brightness.
    """

    brightness: float = 0.0
    measured: float | None = None
    settling: float = 0.0


@dataclass(frozen=True, slots=True)
class FloorKeeping:
    """illuminance: the floor [lx]. safe_brightness: keeps it while nothing is known. settle_time: from a change of the
    lamps until the reading belongs to it [s].
    """

    illuminance: float
    safe_brightness: float
    settle_time: float


def learned(
    was: Floor, keeping: FloorKeeping, illuminance: float | None, measured: float | None, *, elapsed: float, fall: float
) -> Floor:
    """What is known once an illuminance [lx] was read at a measured brightness of the lamps.

    Lowered by `fall` at most, which is 0 while somebody is there: headlights and the light from an open gate pass by.
    """
    # Written so that a reading that is no number counts as none.
    if illuminance is None or measured is None or not (illuminance >= 0.0 and measured > 0.0):
        safe = max(was.brightness, keeping.safe_brightness)
        return was if was.measured is None and was.brightness == safe else Floor(safe)
    steady = measured if was.measured is None else was.measured
    if abs(measured - steady) > _STEADY_WITHIN:
        return Floor(was.brightness, measured, keeping.settle_time)
    if was.settling > elapsed:
        return Floor(was.brightness, steady, was.settling - elapsed)
    brightness = _keeps_floor(was.brightness, measured * keeping.illuminance, illuminance, fall)
    if brightness == was.brightness and steady == was.measured and not was.settling:
        return was
    return Floor(brightness, steady)


def _keeps_floor(known: float, wanted: float, illuminance: float, fall: float) -> float:
    """A better estimate; wanted: brightness x floor [lx]."""
    just_met = wanted / illuminance if illuminance else math.inf
    if just_met > known:
        return whole_percent(just_met * (1 + MARGIN))
    if fall and just_met * (1 + 2 * MARGIN) < known:
        return max(whole_percent(just_met * (1 + MARGIN)), known - fall)
    return known


def whole_percent(brightness: float) -> float:
    """The next whole percent above, at most 1: so that the noise of a sensor does not write to the lamps.

    >>> whole_percent(0.431)
    0.44
    """
    return 1.0 if brightness >= 1.0 else math.ceil(brightness * 100.0) / 100.0
