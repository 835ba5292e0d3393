"""Daylight at the desks of a room with windows along one side.

References
----------
[1] R. G. Hopkinson, P. Petherbridge, J. Longmore, "Daylighting", Heinemann 1966: the daylight factor is the sky
    component plus what the room reflects; the latter by the BRE split-flux formula,
    T W / (A (1 - R)) (C R_fw + 5 R_cw) [%], with C = 39 without obstructions.
[2] J. R. Howell, "A Catalog of Radiation Heat Transfer Configuration Factors", plane element and strip of infinite
    length: (sin b2 - sin b1) / 2. For desks before a long window that begins at their height this is (1 - cos t) / 2, t
    the elevation of the window's head; it is the sky component of an evenly bright sky.
[3] A. Nabil, J. Mardaljevic, "Useful daylight illuminance: a new paradigm for assessing daylight in buildings",
    Lighting Research and Technology 37(1), 2005: above 2000 lx people are dazzled, and lower the blinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

GLARE = 2000.0
"""Daylight at the desks next to the window above which the blinds come down [lx] [3]."""
_UNOBSTRUCTED = 39.0
_UPWARDS = 5.0


@dataclass(frozen=True, slots=True)
class SideLitRoom:
    """depth, height: of the room, and head: of the window above the desks [m]. transmittance: of glass, frame and dirt
    together. walls, floor_side, ceiling_side: mean reflectance of all surfaces, of what the sky sees, of the rest
    [0..1].
    """

    depth: float = 8.0
    height: float = 2.8
    head: float = 1.9
    transmittance: float = 0.45
    walls: float = 0.5
    floor_side: float = 0.3
    ceiling_side: float = 0.65


def daylight_factor(room: SideLitRoom, distance: float) -> float:
    """Share of the sky's light on level ground that reaches a desk [0..1].

    Parameters: distance from the window [m].  Source: [1], [2].

    """
    sky = 0.5 * (1.0 - distance / hypot(distance, room.head))
    surfaces = 2.0 * (room.depth + room.height)  # [m2] a metre of the window's length
    percent = _UNOBSTRUCTED * room.floor_side + _UPWARDS * room.ceiling_side
    reflected = room.head / (surfaces * (1.0 - room.walls)) * percent / 100.0
    return room.transmittance * (sky + reflected)


def desk_daylight(factors: Sequence[float], outdoors: float) -> tuple[float, ...]:
    """Daylight at the desks [lx], row by row from the window, behind blinds that people lower against glare [3].

    Parameters: factors of the rows, the first next to the window; outdoors, light of the sky on level ground [lx].

    """
    at_window = factors[0] * outdoors
    passes = min(1.0, GLARE / at_window) if at_window > 0.0 else 1.0
    return tuple([factor * outdoors * passes for factor in factors])
