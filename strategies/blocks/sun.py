"""When the sun is below an elevation, anywhere and on any day, for one place or thousands.

Found by following the sun over the whole window and refining each change of side, not day by day: a sunrise at 00:00
UTC, the date line, polar day and polar night are then nothing special.

Right ascension, declination and sidereal time do not depend on the place: `Sky` works them out once an hour of the
window and interpolates. A place costs one scalar product for each step of the grid, and a few more for each event.

References
----------
[1] I. Reda, A. Andreas, "Solar position algorithm for solar radiation applications", NREL/TP-560-34302, 2003
    (revised 2008), as implemented by pvlib.
[2] M. Dowell, P. Jarratt, "A modified regula falsi method for computing the root of an equation", BIT 11, 1971
    (the Illinois method).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from controller.core.strategy import Position
from controller.core.terrain import LimitByAzimuth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

HORIZON = -0.8333
"""Elevation [°] of the sun's centre at sunrise and sunset: 34' of refraction and 16' of radius."""

CIVIL = -6.0
"""Elevation [°] of the sun's centre at civil dawn and dusk."""

# A day or night shorter than this may be missed where the sun only just touches the limit; its light then is that of
# the limit itself.
_STEP = 300.0
# Over terrain the sun may look through a gap for a shorter time.
_STEP_OVER_TERRAIN = 60.0
# Declination bends by 0.007° a day and day: a straight line over an hour is off by 2e-6° at most.
_HOUR = 3600.0
# Of the sun at its mean distance [°]; the distance changes it by 0.00004°.
_PARALLAX = 8.794 / 3600.0
# Each round of [2] gives some digits more; a sun that grazes its limit needs the most.
_ROUNDS = 12
_CLOSE = 0.002  # s
_YEAR = 31_556_952.0  # s, mean of the calendar


class Span(NamedTuple):
    """From start to end, aware UTC in whole seconds; None where it reaches beyond the window."""

    start: datetime | None
    end: datetime | None


class Passage(NamedTuple):
    """moments: when the sun passes the limit [s of the Unix epoch], in order. starts_below: before the first."""

    moments: Floats
    starts_below: bool


class Sky:
    """The sun over the whole Earth between two instants [s of the Unix epoch]. Source: [1]. Loads numpy."""

    def __init__(self, start: float, end: float) -> None:
        import numpy as np

        self.grid: Floats = np.append(np.arange(start, end, _STEP), end)
        self._first = math.floor(start / _HOUR) * _HOUR
        sidereal, ascension, declination = _apparent(np.arange(self._first, end + 2.0 * _HOUR, _HOUR))
        self._declination: Floats = np.radians(declination)
        self._hour_angle: Floats = np.unwrap(np.radians(sidereal - ascension))
        self._declination_steps: Floats = np.diff(self._declination)
        self._hour_angle_steps: Floats = np.diff(self._hour_angle)
        height, angle = self._at(self.grid)
        self._towards: Floats = np.array(
            [np.sin(height), np.cos(height) * np.cos(angle), -np.cos(height) * np.sin(angle)]
        )

    def passages(self, places: Sequence[Position], limits: Sequence[Sequence[float]]) -> list[list[Passage]]:
        """For each list of limits, one elevation [°] a place, the passages of each place.

        Seen over a level horizon at sea level; geometric, without refraction. While it works, it takes 1 MB a place
        and year.
        """
        import numpy as np

        latitude: Floats = np.radians([place.latitude for place in places])
        longitude: Floats = np.radians([place.longitude for place in places])
        sines: Floats = np.sin(latitude)
        flat: Floats = np.cos(latitude)
        zeniths: Floats = np.array([sines, flat * np.cos(longitude), flat * np.sin(longitude)]).T
        heights: Floats = zeniths @ self._towards
        found: list[list[Passage]] = []
        for limit in limits:
            least: Floats = np.sin(_geocentric(np.array(limit)))
            is_below = heights < least[:, None]
            changes = np.flatnonzero(is_below[:, 1:] != is_below[:, :-1])
            which, steps = np.divmod(changes, self.grid.size - 1)

            def height(moments: Floats, rows: Any, which: Any = which, least: Floats = least) -> Floats:
                at = which[rows]
                declination, angle = self._at(moments)
                level = flat[at] * np.cos(declination)
                return sines[at] * np.sin(declination) + level * np.cos(angle + longitude[at]) - least[at]

            ends = (heights[which, steps] - least[which], heights[which, steps + 1] - least[which])
            moments = _refined(height, self.grid[steps], self.grid[steps + 1], *ends)
            parts = np.split(moments, np.searchsorted(which, np.arange(1, len(places))))
            found.append([Passage(*each) for each in zip(parts, is_below[:, 0].tolist(), strict=True)])
        return found

    def passage(self, place: Position, limit: float | LimitByAzimuth) -> Passage:
        """Of one place; the limit may differ by the sun's azimuth."""
        import numpy as np

        if not isinstance(limit, tuple):
            return self.passages([place], [[limit]])[0][0]
        around: Floats = np.array([*limit, limit[0]])
        azimuths: Floats = np.arange(361.0)

        def height(moments: Floats, rows: Any = None) -> Floats:
            del rows  # all of one place
            elevation, azimuth = self.position(moments, place)
            return elevation - np.interp(azimuth, azimuths, around)

        start, end = float(self.grid[0]), float(self.grid[-1])
        grid: Floats = np.append(np.arange(start, end, _STEP_OVER_TERRAIN), end)
        heights = height(grid)
        is_below = heights < 0.0
        steps = np.flatnonzero(is_below[1:] != is_below[:-1])
        moments = _refined(height, grid[steps], grid[steps + 1], heights[steps], heights[steps + 1])
        return Passage(moments, bool(is_below[0]))

    def position(self, moments: Floats, place: Position) -> tuple[Floats, Floats]:
        """Elevation and azimuth [°] of the sun's centre as seen from there, without refraction; north 0, east 90."""
        import numpy as np

        latitude = math.radians(place.latitude)
        declination, angle = self._at(moments)
        angle = angle + math.radians(place.longitude)
        up = math.sin(latitude) * np.sin(declination) + math.cos(latitude) * np.cos(declination) * np.cos(angle)
        east = -np.cos(declination) * np.sin(angle)
        north = math.cos(latitude) * np.sin(declination) - math.sin(latitude) * np.cos(declination) * np.cos(angle)
        elevation: Floats = np.arcsin(np.clip(up, -1.0, 1.0))
        return (
            np.degrees(elevation) - _PARALLAX * np.cos(elevation),
            np.degrees(np.arctan2(east, north)) % 360.0,
        )

    def _at(self, moments: Floats) -> tuple[Floats, Floats]:
        """Declination and Greenwich hour angle of the sun [rad]."""
        import numpy as np

        hours: Floats = (moments - self._first) / _HOUR
        index = hours.astype(np.intp)
        share = hours - index
        return (
            self._declination[index] + share * self._declination_steps[index],
            self._hour_angle[index] + share * self._hour_angle_steps[index],
        )


def spans_below(
    position: Position, start: datetime, end: datetime, *limits: float | LimitByAzimuth
) -> tuple[tuple[Span, ...], ...]:
    """For each limit [°] the spans of the window in which the sun's centre is below it.

    A limit is an elevation, or one for each whole degree of azimuth (controller/core/terrain.py). Source: [1]. Loads
    numpy: for plans only.
    """
    sky = Sky(start.timestamp(), end.timestamp())
    return tuple(spans(sky.passage(position, limit)) for limit in limits)


def spans(passage: Passage) -> tuple[Span, ...]:
    """The spans below the limit."""
    edges: list[datetime | None] = [datetime.fromtimestamp(round(float(moment)), UTC) for moment in passage.moments]
    if passage.starts_below:
        edges.insert(0, None)
    if len(edges) % 2:
        edges.append(None)
    return tuple(Span(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))


def _geocentric(elevation: Floats) -> Floats:
    """[rad] of what stands at that elevation [°] for somebody on the ground."""
    import numpy as np

    topocentric: Floats = np.radians(elevation)
    return topocentric + np.radians(_PARALLAX) * np.cos(topocentric)


def _refined(
    height: Callable[[Floats, Any], Floats], low: Floats, high: Floats, at_low: Floats, at_high: Floats
) -> Floats:
    """The instants between low and high at which height changes its sign, by [2].

    height: of moments and the rows that they belong to. at_low, at_high: its values there, of different signs.
    """
    import numpy as np

    found = high.copy()
    rows: Any = np.arange(high.size)
    for _ in range(_ROUNDS):
        if rows.size == 0:
            break
        guess = high - at_high * (high - low) / (at_high - at_low)
        found[rows] = guess
        at_guess = height(guess, rows)
        is_crossed = (at_guess < 0.0) != (at_high < 0.0)
        is_open = np.abs(guess - high) >= _CLOSE
        low, at_low = np.where(is_crossed, high, low)[is_open], np.where(is_crossed, at_high, at_low / 2.0)[is_open]
        high, at_high, rows = guess[is_open], at_guess[is_open], rows[is_open]
    return found


def _apparent(seconds: Floats) -> tuple[Floats, Floats, Floats]:
    """Greenwich sidereal time, right ascension and declination of the sun [°], as seen from the Earth's centre."""
    import numpy as np

    algorithm = _algorithm()
    years = 1970.0 + seconds / _YEAR
    sidereal, ascension, declination = algorithm.solar_position_numpy(
        seconds,
        lat=0.0,
        lon=0.0,
        elev=0.0,
        pressure=1013.25,
        temp=12.0,
        atmos_refract=0.5667,
        delta_t=algorithm.calculate_deltat(np.floor(years), np.floor(years % 1.0 * 12.0) + 1.0),
        numthreads=1,
        sst=True,
    )
    return sidereal, ascension, declination


@cache
def _algorithm() -> Any:
    """pvlib's module of [1] by itself: it needs numpy only, the package around it pandas and scipy (a second)."""
    package = find_spec("pvlib")
    assert package is not None
    assert package.origin is not None
    loader = SourceFileLoader("pvlib_spa", str(Path(package.origin).with_name("spa.py")))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
