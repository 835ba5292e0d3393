"""When the sun is below an elevation, anywhere and on any day.

Found by following the sun over the whole window and refining each change of side, not day by day: a sunrise at 00:00
UTC, the date line, polar day and polar night are then nothing special.

References
----------
[1] I. Reda, A. Andreas, "Solar position algorithm for solar radiation applications", NREL/TP-560-34302, 2003
    (revised 2008), as implemented by pvlib.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from controller.core.strategy import Position

if TYPE_CHECKING:
    from numpy.typing import NDArray

HORIZON = -0.8333
"""Elevation [°] of the sun's centre at sunrise and sunset: 34' of refraction and 16' of radius."""

CIVIL = -6.0
"""Elevation [°] of the sun's centre at civil dawn and dusk."""

# A day or night shorter than this may be missed where the sun only just touches the limit; its light then is that of
# the limit itself.
_STEP = 240.0
_HALVINGS = 18  # 240 s / 2^18: a millisecond


class Span(NamedTuple):
    """From start to end, aware UTC in whole seconds; None where it reaches beyond the window."""

    start: datetime | None
    end: datetime | None


def spans_below(position: Position, start: datetime, end: datetime, elevation: float) -> tuple[Span, ...]:
    """The spans of the window in which the sun's centre is below `elevation` [°] of a level horizon at sea level.

    Source: [1]; geometric elevation as seen from the place, without refraction. Loads pvlib: for plans only.
    """
    import numpy as np

    window = np.arange(start.timestamp(), end.timestamp(), _STEP)
    grid: NDArray[Any] = np.append(window, end.timestamp())
    is_below: NDArray[Any] = _elevation(grid, position) < elevation
    changes: NDArray[Any] = np.flatnonzero(is_below[:-1] != is_below[1:])
    edges: list[datetime | None] = [
        datetime.fromtimestamp(round(float(edge)), UTC)
        for edge in _refined(grid[changes], grid[changes + 1], is_below[changes], position, elevation)
    ]
    if is_below[0]:
        edges.insert(0, None)
    if is_below[-1]:
        edges.append(None)
    return tuple(Span(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))


def _refined(
    low: NDArray[Any], high: NDArray[Any], starts_below: NDArray[Any], position: Position, elevation: float
) -> NDArray[Any]:
    """The instants between low and high at which the sun changes sides, by halving."""
    import numpy as np

    if low.size == 0:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        still = (_elevation(middle, position) < elevation) == starts_below
        low, high = np.where(still, middle, low), np.where(still, high, middle)
    return (low + high) / 2.0


def _elevation(seconds: NDArray[Any], position: Position) -> NDArray[Any]:
    """Geometric elevation [°] of the sun's centre at seconds of the Unix epoch."""
    from pvlib import spa

    algorithm = cast("Any", spa)  # pvlib carries no types
    first = datetime.fromtimestamp(float(seconds[0]), UTC)
    angles = algorithm.solar_position_numpy(
        seconds,
        position.latitude,
        position.longitude,
        elev=0.0,
        # These three move only the refraction, which is not asked for.
        pressure=1013.25,
        temp=12.0,
        atmos_refract=0.5667,
        delta_t=algorithm.calculate_deltat(first.year, first.month),
        numthreads=1,
    )
    return angles[3]
