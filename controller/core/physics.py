"""Facts of nature that both sides of the controller may share: water and moist air.

Units follow the house: temperatures in degC, differences in K, pressures in kPa, enthalpies in kJ/kg.

References
----------
[1] ASHRAE Handbook - Fundamentals (2017), chapter 1 "Psychrometrics", equations 3, 5, 6, 20, 22, 30, 33, 35, 36.
[2] R. W. Hyland and A. Wexler, "Formulations for the thermodynamic properties of the saturated phases of H2O
    from 173.15 K to 473.15 K", ASHRAE Transactions 89(2A), 1983.
[3] G. S. Kell, "Density, thermal expansivity, and compressibility of liquid water from 0 to 150 degC",
    J. Chem. Eng. Data 20(1), 1975, equation 16.
[4] IAPWS-95 (Wagner and Pruss, J. Phys. Chem. Ref. Data 31, 2002), values at 0.1 MPa.
"""

import math

WATER_SPECIFIC_HEAT = 4.19
"""Isobaric specific heat of liquid water [kJ/(kg K)]. Within 0.35 % of [4] from 4 to 40 degC (4.205 to 4.178)."""

STANDARD_PRESSURE = 101.325
"""Sea-level atmospheric pressure [kPa], [1] equation 3 at altitude 0."""

_ZERO_CELSIUS = 273.15
_RATIO_OF_MOLAR_MASSES = 0.621945  # water to dry air, [1] equation 20

# [1] equations 5 (over ice) and 6 (over liquid water), from [2]; pressure in Pa, temperature in K.
_OVER_ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
_OVER_WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 6.5459673)


def water_density(temperature: float) -> float:
    """Density of air-free liquid water at atmospheric pressure [kg/m3].

    Parameters: temperature [degC], valid 0 to 150.  Source: [3], equation 16.

    >>> round(water_density(4.0), 2)
    999.97
    """
    t = temperature
    cubic = -46.170461e-6 + t * (105.56302e-9 - t * 280.54253e-12)
    return (999.83952 + t * (16.945176 + t * (-7.9870401e-3 + t * cubic))) / (1.0 + 16.879850e-3 * t)


def water_heat(mass_flow: float, temperature_rise: float) -> float:
    """Heat rate [kW] that warms a water flow [kg/s] by a temperature rise [K]: Q = m cp dT."""
    return mass_flow * WATER_SPECIFIC_HEAT * temperature_rise


def saturation_pressure(temperature: float) -> float:
    """Saturation pressure of water vapour over ice or liquid water [kPa].

    Parameters: temperature [degC], valid -100 to 200.  Source: [1] equations 5 and 6.

    >>> round(saturation_pressure(25.0), 4)
    3.1692
    """
    kelvin = temperature + _ZERO_CELSIUS
    if temperature < 0.0:
        c1, c2, c3, c4, c5, c6, c7 = _OVER_ICE
        polynomial = c2 + kelvin * (c3 + kelvin * (c4 + kelvin * (c5 + kelvin * c6)))
        return math.exp(c1 / kelvin + polynomial + c7 * math.log(kelvin)) / 1000.0
    d1, d2, d3, d4, d5, d6 = _OVER_WATER
    polynomial = d2 + kelvin * (d3 + kelvin * (d4 + kelvin * d5))
    return math.exp(d1 / kelvin + polynomial + d6 * math.log(kelvin)) / 1000.0


def saturation_humidity_ratio(temperature: float, pressure: float = STANDARD_PRESSURE) -> float:
    """Humidity ratio of saturated air [kg/kg dry air] at a temperature [degC] and pressure [kPa]; [1] equation 20."""
    vapour = saturation_pressure(temperature)
    return _RATIO_OF_MOLAR_MASSES * vapour / (pressure - vapour)


def humidity_ratio(temperature: float, relative_humidity: float, pressure: float = STANDARD_PRESSURE) -> float:
    """Humidity ratio [kg/kg dry air] of air at a dry bulb [degC], relative humidity [0..1] and pressure [kPa].

    Source: [1] equations 20 and 22 (relative humidity as the ratio of vapour pressures).
    """
    vapour = relative_humidity * saturation_pressure(temperature)
    return _RATIO_OF_MOLAR_MASSES * vapour / (pressure - vapour)


def relative_humidity_from_dew_point(temperature: float, dew_point: float) -> float:
    """Relative humidity [0..1] of air at a dry bulb [degC] with a dew point [degC]; [1] equations 22 and 36."""
    return min(1.0, saturation_pressure(dew_point) / saturation_pressure(temperature))


def moist_air_enthalpy(temperature: float, humidity: float) -> float:
    """Specific enthalpy of moist air [kJ/kg dry air] at a dry bulb [degC] and humidity ratio [kg/kg]; [1] equation
    30."""
    return 1.006 * temperature + humidity * (2501.0 + 1.86 * temperature)


def saturated_air_enthalpy(temperature: float, pressure: float = STANDARD_PRESSURE) -> float:
    """Specific enthalpy of saturated moist air [kJ/kg dry air] at a temperature [degC] and pressure [kPa]."""
    return moist_air_enthalpy(temperature, saturation_humidity_ratio(temperature, pressure))


def wet_bulb(temperature: float, relative_humidity: float, pressure: float = STANDARD_PRESSURE) -> float:
    """Thermodynamic wet-bulb temperature [degC] of air at a dry bulb [degC], relative humidity [0..1], pressure [kPa].

    Solves [1] equation 33 (above freezing) or 35 (below) for the wet bulb by bisection: the humidity ratio that
    adiabatic saturation at a trial wet bulb would need grows with it, so the root is unique.

    >>> round(wet_bulb(30.0, 0.5), 1)
    22.0
    """
    wanted = humidity_ratio(temperature, relative_humidity, pressure)
    low, high = temperature - 60.0, temperature
    for _ in range(26):  # 60 K halved 26 times: a micro-kelvin
        trial = 0.5 * (low + high)
        if _humidity_at_wet_bulb(temperature, trial, pressure) > wanted:
            high = trial
        else:
            low = trial
    return 0.5 * (low + high)


def _humidity_at_wet_bulb(dry: float, wet: float, pressure: float) -> float:
    saturated = saturation_humidity_ratio(wet, pressure)
    if wet >= 0.0:
        return ((2501.0 - 2.326 * wet) * saturated - 1.006 * (dry - wet)) / (2501.0 + 1.86 * dry - 4.186 * wet)
    return ((2830.0 - 0.24 * wet) * saturated - 1.006 * (dry - wet)) / (2830.0 + 1.86 * dry - 2.1 * wet)
