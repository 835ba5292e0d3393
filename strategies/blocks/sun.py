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
_STEP = 300.0
# Each change of side is looked for in 64 parts, twice over: 300 s / 64^2 is 0.07 s. Few large calls are cheap.
_PARTS = 64
_ROUNDS = 2


class Span(NamedTuple):
    """From start to end, aware UTC in whole seconds; None where it reaches beyond the window."""

    start: datetime | None
    end: datetime | None


def spans_below(position: Position, start: datetime, end: datetime, *elevations: float) -> tuple[tuple[Span, ...], ...]:
    """For each elevation [°] the spans of the window in which the sun's centre is below it.

    Seen over a level horizon at sea level; geometric, without refraction. Source: [1]. Loads pvlib: for plans only.
    """
    import numpy as np

    grid: NDArray[Any] = np.append(np.arange(start.timestamp(), end.timestamp(), _STEP), end.timestamp())
    limits: NDArray[Any] = np.array(elevations)
    is_below: NDArray[Any] = _elevation(grid, position) < limits[:, None]
    which, changes = np.nonzero(is_below[:, :-1] != is_below[:, 1:])
    moments = _refined(grid[changes], grid[changes + 1], is_below[which, changes], limits[which], position)
    return tuple(
        _spans([float(moment) for moment in moments[which == row]], bool(is_below[row, 0]))
        for row in range(len(elevations))
    )


def _spans(moments: list[float], starts_below: bool) -> tuple[Span, ...]:
    edges: list[datetime | None] = [datetime.fromtimestamp(round(moment), UTC) for moment in moments]
    if starts_below:
        edges.insert(0, None)
    if len(edges) % 2:
        edges.append(None)
    return tuple(Span(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))


def _refined(
    low: NDArray[Any], high: NDArray[Any], starts_below: NDArray[Any], limits: NDArray[Any], position: Position
) -> NDArray[Any]:
    """The instants between low and high at which the sun passes its limit."""
    import numpy as np

    if low.size == 0:
        return low
    every = np.arange(low.size)
    for _ in range(_ROUNDS):
        parts: NDArray[Any] = np.linspace(low, high, _PARTS + 1, axis=1)
        is_below: NDArray[Any] = _elevation(parts.ravel(), position).reshape(parts.shape) < limits[:, None]
        is_below[:, -1] = ~starts_below
        first: NDArray[Any] = np.argmax(is_below != starts_below[:, None], axis=1)
        low, high = parts[every, first - 1], parts[every, first]
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
