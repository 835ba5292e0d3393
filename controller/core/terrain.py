"""The terrain around a place: how high it stands before the sky, by azimuth, and how low the sun may stand behind it.

A limit by azimuth is an elevation [°] of the sun's centre for each whole degree of azimuth, north 0 and east 90, linear
between them; strategies/blocks/sun.py finds when the sun passes it.

References
----------
[1] G. G. Bennett, "The calculation of astronomical refraction in marine navigation", J. Navigation 35(2), 1982.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

from controller.core.twilight import air_above, elevation_of

LimitByAzimuth: TypeAlias = tuple[float, ...]
"""Elevations [°] at azimuths 0, 1 ... 359."""

DARK = 30.0
"""Illuminance [lx] of the ground under a clear sky below which outdoor lamps are on, unless the site says otherwise."""

WIDEST_GAP = 15.0
"""Degrees of azimuth between two neighbouring angles at most: a ridge could hide in more."""

_HIGHEST = 80.0
_AROUND = 360
_RADIUS = 16.0 / 60.0  # of the sun [°]
_AT_HORIZON = 34.0 / 60.0  # refraction at the horizon [°], by the almanacs' convention
_HALF = 90  # degrees to either side of the sun
_NUMBERS = re.compile(r"[,;\s]+")


class TerrainProblem(ValueError):
    """line: of the file, from 1."""

    def __init__(self, line: int, wrong: str, right: str) -> None:
        super().__init__(f"line {line}: {wrong}; {right}")
        self.line = line
        self.wrong = wrong
        self.right = right


@dataclass(frozen=True, slots=True)
class Terrain:
    """angles: how high the skyline stands [°] at azimuths 0, 1 ... 359; never below the level horizon."""

    angles: LimitByAzimuth

    def __post_init__(self) -> None:
        if len(self.angles) != _AROUND or not all(0.0 <= angle <= _HIGHEST for angle in self.angles):
            raise ValueError(f"a terrain has {_AROUND} angles of 0 to {_HIGHEST:g}°")

    def sun_limit(self) -> LimitByAzimuth:
        """Below this the sun's upper edge is hidden: at the level horizon -0.833°. Refraction after [1]."""
        return tuple(angle - _refraction(angle) - _RADIUS for angle in self.angles)

    def hidden(self) -> LimitByAzimuth:
        """Share of the sky's light that the terrain keeps from the ground with the sun at each azimuth, 0 to 1.

        Twilight comes from the sun's side: only that half of the sky is counted, as though all light came from it,
        evenly. Level ground loses sin² of the skyline's angle. So it is rather too much than too little.
        """
        lost = [math.sin(math.radians(angle)) ** 2 for angle in self.angles]
        around = [*lost[-_HALF:], *lost, *lost[: _HALF + 1]]
        sums = [0.0, *accumulate(around)]
        width = 2 * _HALF + 1
        return tuple((sums[first + width] - sums[first]) / width for first in range(_AROUND))


def dark_limit(illuminance: float, altitude: float = 0.0, terrain: Terrain | None = None) -> float | LimitByAzimuth:
    """Elevation of the sun below which the ground has less than that [lx] under a clear sky.

    altitude [m]: thinner air scatters less. Altitude and terrain may only raise the limit: lamps are on for longer.
    """
    wanted = illuminance / air_above(altitude)
    if terrain is None:
        return elevation_of(wanted)
    return tuple(elevation_of(wanted / (1.0 - hidden)) for hidden in terrain.hidden())


class _Angle(NamedTuple):
    line: int
    azimuth: float
    angle: float


def read_terrain(text: str) -> Terrain:
    """Lines of azimuth and angle in degrees, all around; a header and lines after # are left out.

    Angles below the level horizon count as level. Raises TerrainProblem for anything that is not numbers in range, and
    for gaps wider than WIDEST_GAP.
    """
    rows = [row for number, line in enumerate(text.splitlines(), 1) if (row := _row(number, line)) is not None]
    if len(rows) < 2:
        raise TerrainProblem(1, "no angles are given", "write lines like '90, 12.5': azimuth and angle in degrees")
    rows.sort(key=lambda row: (row.azimuth, row.line))
    for one, other in pairwise(rows):
        if one.azimuth == other.azimuth:
            raise TerrainProblem(other.line, f"azimuth {one.azimuth:g}° stands twice", f"see line {one.line}")
    if rows[0].azimuth == 0.0 and rows[-1].azimuth == 360.0:
        rows.pop()
    first, last = rows[0], rows[-1]
    around = [last._replace(azimuth=last.azimuth - 360.0), *rows, first._replace(azimuth=first.azimuth + 360.0)]
    for one, other in pairwise(around):
        _no_gap(one, other)
    return Terrain(_whole_degrees(around))


def _row(line: int, text: str) -> _Angle | None:
    cells = [cell for cell in _NUMBERS.split(text.partition("#")[0].strip("\ufeff \t")) if cell]
    if not cells:
        return None
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        if line == 1:
            return None  # the header
        numbers = []
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        raise TerrainProblem(line, "is not two numbers", "write azimuth and angle in degrees, like '90, 12.5'")
    azimuth, angle = numbers
    if not 0.0 <= azimuth <= 360.0:
        raise TerrainProblem(line, f"azimuth {azimuth:g}° is out of range", "0 to 360, from north over east")
    if not -_HIGHEST <= angle <= _HIGHEST:
        raise TerrainProblem(line, f"angle {angle:g}° is out of range", f"at most {_HIGHEST:g} above the level horizon")
    return _Angle(line, azimuth, max(angle, 0.0))


def _no_gap(one: _Angle, other: _Angle) -> None:
    if other.azimuth - one.azimuth > WIDEST_GAP:
        raise TerrainProblem(
            other.line,
            f"there is a gap between azimuth {one.azimuth % 360:g}° and {other.azimuth % 360:g}°",
            f"give an angle every {WIDEST_GAP:g}° at least, all around",
        )


def _whole_degrees(around: Sequence[_Angle]) -> LimitByAzimuth:
    angles: list[float] = []
    index = 0
    for azimuth in range(_AROUND):
        while around[index + 1].azimuth < azimuth:
            index += 1
        one, other = around[index], around[index + 1]
        share = (azimuth - one.azimuth) / (other.azimuth - one.azimuth)
        angles.append(one.angle + share * (other.angle - one.angle))
    return tuple(angles)


def _refraction(angle: float) -> float:
    """[°] at an apparent altitude [°]; [1], scaled to the almanacs' 34' at the horizon."""
    return _AT_HORIZON * _bennett(angle) / _bennett(0.0)


def _bennett(angle: float) -> float:
    return 1.0 / math.tan(math.radians(angle + 7.31 / (angle + 4.4)))
