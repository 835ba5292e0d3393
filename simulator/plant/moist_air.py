"""Moist air where it is saturated; what the psychrometrics of `controller.core.physics` do not invert.

Source: ASHRAE Handbook - Fundamentals (2017), chapter 1 "Psychrometrics", equations 20 and 30.
"""

from controller.core.physics import saturated_air_enthalpy

_SLOPE_STEP = 0.01  # [K]


def saturated_at(enthalpy: float, guess: float) -> float:
    """Temperature [degC] of saturated air of an enthalpy [kJ/kg dry air], near a guess [degC]; Newton, to 1e-6 K."""
    temperature = guess
    for _ in range(20):
        here = saturated_air_enthalpy(temperature)
        slope = (saturated_air_enthalpy(temperature + _SLOPE_STEP) - here) / _SLOPE_STEP
        change = (enthalpy - here) / slope
        temperature += change
        if abs(change) < 1e-6:
            break
    return temperature
