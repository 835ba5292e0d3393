"""Moist air: what the psychrometrics of `controller.core.physics` do not invert.

Source: ASHRAE Handbook - Fundamentals (2017), chapter 1 "Psychrometrics", equations 20 and 30.
"""

from controller.core.physics import saturated_air_enthalpy

_FIRST_STEP = 3.0  # [K]
_HOTTEST = 90.0  # [degC]; a secant of cold air's flat curve would leap over the boiling point


def specific_heat(ratio: float) -> float:
    """Of moist air of a humidity ratio [kJ/(K kg dry air)]; equation 30."""
    return 1.006 + 1.86 * ratio


def temperature_of(enthalpy: float, ratio: float) -> float:
    """Temperature [degC] of moist air of an enthalpy [kJ/kg dry air] and humidity ratio; equation 30."""
    return (enthalpy - 2501.0 * ratio) / specific_heat(ratio)


def saturated_at(enthalpy: float, guess: float) -> float:
    """Temperature [degC] of saturated air of an enthalpy [kJ/kg dry air], near a guess [degC]; secants, to 1e-6 K.

    The formulas over ice and over water are 0.0009 kJ/kg apart at 0 degC: in between it is that temperature.
    """
    before, missing = guess + _FIRST_STEP, enthalpy - saturated_air_enthalpy(guess + _FIRST_STEP)
    temperature = guess
    for _ in range(30):
        still = enthalpy - saturated_air_enthalpy(temperature)
        if still == missing:
            break
        change = still * (temperature - before) / (missing - still)
        before, missing = temperature, still
        temperature = min(temperature + change, _HOTTEST)
        if abs(change) < 1e-6:
            break
    return temperature


def ratio_of(enthalpy: float, temperature: float) -> float:
    """Humidity ratio of moist air of an enthalpy [kJ/kg dry air] and temperature [degC]; equation 30."""
    return (enthalpy - 1.006 * temperature) / (2501.0 + 1.86 * temperature)
