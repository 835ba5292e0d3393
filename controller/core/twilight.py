"""How light a clear sky makes the ground while the sun is low, and how low it must be for a given light.

References
----------
[1] P. M. Janiczek, J. A. DeYoung, "Computer programs for sun and moon illuminance with contingent tables and diagrams",
    U.S. Naval Observatory Circular 171, 1987: log10 of the illuminance [lx] of a horizontal surface under a clear sky,
    as a cubic in the sun's altitude / 90°. Also in P. K. Seidelmann (ed.), "Explanatory Supplement to the Astronomical
    Almanac", 1992.
[2] ICAO Doc 7488, "Manual of the ICAO standard atmosphere", 3rd edition, 1993: pressure in the troposphere.
"""

from __future__ import annotations

# Altitude [°] from which on each cubic of [1] holds, and its coefficients.
_CUBICS = (
    (20.0, (3.74, 3.97, -4.07, 1.47)),
    (5.0, (3.05, 13.28, -45.98, 64.33)),
    (-0.8, (2.88, 22.26, -207.64, 1034.30)),
    (-5.0, (2.88, 21.81, -258.11, -858.36)),
    (-12.0, (2.70, 12.17, -431.69, -1899.83)),
    (-18.0, (13.84, 262.72, 1447.42, 2797.93)),
)
_LOWEST, _HIGHEST = -18.0, 90.0
_HALVINGS = 40  # of 108°: far below what any clock shows
# The air stands still for a mountain higher than any with a street.
_HIGHEST_GROUND = 9000.0


def clear_sky_illuminance(elevation: float) -> float:
    """Illuminance [lx] of level ground by sun and sky, clear and without moon. Source: [1].

    Parameters: elevation of the sun's centre [°]; below -18° as at -18°.

    >>> round(clear_sky_illuminance(-4.0), 1), round(clear_sky_illuminance(-6.0), 1)
    (29.9, 3.4)
    """
    height = min(max(elevation, _LOWEST), _HIGHEST)
    a, b, c, d = next(cubic for first, cubic in _CUBICS if height >= first)
    x = height / 90.0
    return 10.0 ** (a + x * (b + x * (c + x * d)))


def elevation_of(illuminance: float) -> float:
    """Elevation [°] of the sun below which a clear sky gives less than that [lx]; within -18 and 90.

    >>> round(elevation_of(30.0), 2)
    -4.0
    """
    low, high = _LOWEST, _HIGHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if clear_sky_illuminance(middle) < illuminance:
            low = middle
        else:
            high = middle
    return high


def air_above(altitude: float) -> float:
    """Share of the air that is above a place [m above sea level]: 1 at the sea and below. Source: [2].

    Twilight is light that air scatters; a place has at least this share of what it would have at the sea, because much
    of it is scattered higher up than any town.

    >>> round(air_above(3650.0), 2)
    0.64
    """
    height = min(max(altitude, 0.0), _HIGHEST_GROUND)
    return (1.0 - 2.25577e-5 * height) ** 5.25588
