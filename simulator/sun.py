"""Where the sun stands and how much light it gives on level ground.

References
----------
[1] J. J. Michalsky, "The Astronomical Almanac's algorithm for approximate solar position (1950-2050)",
    Solar Energy 40(3), 1988, pp. 227-235. Accuracy 0.01 degrees.
[2] P. K. Seidelmann (ed.), "Explanatory Supplement to the Astronomical Almanac", University Science Books 1992,
    chapter 9 (B. D. Yallop, C. Y. Hohenkerk, "Astronomical phenomena"): illumination on a horizontal surface against
    the altitude of the sun. The branches of the table meet within 2 %, which a test checks.
[3] B. Haurwitz, "Insolation in relation to cloudiness and cloud density", J. Meteorology 2, 1945, pp. 154-166.
"""

import math

_J2000_EPOCH = 946728000.0  # 2000-01-01 12:00 UTC in seconds of the Unix epoch

# [2]: upper limit of altitude [deg], then the coefficients of log10(lux) as a cubic in altitude / 90 deg.
_ILLUMINANCE = (
    (-12.0, 13.84, 262.72, 1447.42, 2797.93),
    (-5.0, 2.70, 12.17, -431.69, -1899.83),
    (-0.8, 2.88, 21.81, -258.11, -858.36),
    (5.0, 2.88, 22.26, -207.64, 1034.30),
    (20.0, 3.05, 13.28, -45.98, 64.33),
    (90.0, 3.74, 3.97, -4.07, 1.47),
)
_NIGHT_ALTITUDE = -18.0
NIGHT_ILLUMINANCE = 0.0006
"""Light of the night sky without moon [lx]: end of astronomical twilight in [2]."""


def solar_elevation(epoch_s: float, latitude: float, longitude: float) -> float:
    """Geometric elevation of the sun's centre above the horizon [deg], without refraction.

    Parameters: epoch_s seconds since 1970-01-01 UTC; latitude [deg north]; longitude [deg east].
    Source: [1], equations 1 to 9 (mean longitude and anomaly, ecliptic longitude, obliquity, sidereal time).

    """
    days = (epoch_s - _J2000_EPOCH) / 86400.0
    mean_longitude = (280.460 + 0.9856474 * days) % 360.0
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360.0)
    ecliptic = math.radians(mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    obliquity = math.radians(23.439 - 4.0e-7 * days)
    right_ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    universal_hour = (epoch_s % 86400.0) / 3600.0
    sidereal_hour = 6.697375 + 0.0657098242 * days + universal_hour
    hour_angle = math.radians((sidereal_hour % 24.0) * 15.0 + longitude) - right_ascension
    phi = math.radians(latitude)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def clear_sky_illuminance(elevation: float) -> float:
    """Illuminance on level ground under a clear moonless sky [lx], through all of twilight.

    Parameters: elevation of the sun [deg].  Equation: log10 E = a + b x + c x^2 + d x^3, x = elevation / 90.
    Source: [2].  Valid -18 to 90; below, the light of the night sky.

    """
    if elevation < _NIGHT_ALTITUDE:
        return NIGHT_ILLUMINANCE
    x = elevation / 90.0
    for limit, a, b, c, d in _ILLUMINANCE:
        if elevation <= limit:
            return float(10.0 ** (a + x * (b + x * (c + x * d))))
    raise ValueError(f"solar elevation {elevation} is above 90 degrees")


def clear_sky_irradiance(elevation: float) -> float:
    """Global horizontal irradiance under a clear sky [W/m2].

    Parameters: elevation of the sun [deg].  Equation: G = 1098 cos z exp(-0.057 / cos z), z the zenith angle.
    Source: [3], as reviews of clear-sky models quote it; others read 0.059, which is 0.2 % less under a high sun.
    """
    cosine = math.sin(math.radians(elevation))
    return 1098.0 * cosine * math.exp(-0.057 / cosine) if cosine > 0.0 else 0.0
