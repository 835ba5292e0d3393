"""Chilled-water cooling coil that may dry the air, by effectiveness and number of transfer units.

References
----------
[1] J. E. Braun, S. A. Klein, J. W. Mitchell, "Effectiveness models for cooling towers and cooling coils", ASHRAE
    Transactions 95(2), 1989, pp. 164-174: counterflow coil, dry by temperatures, wet by enthalpies with the saturation
    specific heat; the larger heat of both; leaving air by the effective surface temperature.
[2] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 23 "Air-cooling and dehumidifying coils".
"""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from controller.core.physics import (
    WATER_SPECIFIC_HEAT,
    humidity_ratio,
    moist_air_enthalpy,
    saturated_air_enthalpy,
)
from simulator.plant.heat_exchanger import counterflow
from simulator.plant.moist_air import saturated_at

_PASSES = 3
_TRICKLE = 1e-3
"""Share of a design flow below which a side counts as shut."""


@dataclass(frozen=True, slots=True)
class CoilUnit:
    """air, water: conductances of both sides [kW/K] at their design flows [kg/s]; films grow with the 0.8th power."""

    air: float
    water: float
    air_flow: float
    water_flow: float


class CoilOutput(NamedTuple):
    """heat: taken up by the water [kW]; sensible part of what the air gives off [kW]; condensate [kg/s], at
    drip [degC]; air leaving: temperature [degC], humidity_ratio; water leaving [degC].
    """

    heat: float
    sensible: float
    condensate: float
    drip: float
    temperature: float
    humidity_ratio: float
    water_leaving: float


def cool(
    model: CoilUnit, air_flow: float, temperature: float, ratio: float, water_flow: float, entering: float
) -> CoilOutput:
    """Air (flow [kg/s dry], temperature [degC], humidity ratio) over a coil with water (flow [kg/s], entering [degC]).

    Dry: Q = e C_min (T_a - T_w). Wet: Q = e m_a (h_a - h_s(T_w)), with m* = m_a c_s / (m_w cp) and 1/UA* = cp_a / UA_a
    + c_s / UA_w; c_s is the slope of the saturation enthalpy between both ends of the water [1]. Water warmer than the
    air heats it.

    """
    if air_flow < _TRICKLE * model.air_flow or water_flow < _TRICKLE * model.water_flow:
        return CoilOutput(0.0, 0.0, 0.0, entering, temperature, ratio, entering)
    heat_of_air = 1.006 + 1.86 * ratio
    outer = model.air * (air_flow / model.air_flow) ** 0.8
    inner = model.water * (water_flow / model.water_flow) ** 0.8
    capacity = water_flow * WATER_SPECIFIC_HEAT
    dry = _dry(outer, inner, air_flow * heat_of_air, capacity) * (temperature - entering)
    if dry > 0.0:
        enthalpy = moist_air_enthalpy(temperature, ratio)
        wet = _wet(outer / heat_of_air, inner, air_flow, capacity, enthalpy, entering)
        fall, bypass = max(dry, wet) / air_flow, exp(-outer / (air_flow * heat_of_air))
        surface = saturated_at(enthalpy - fall / (1.0 - bypass), entering)
        leaving = surface + (temperature - surface) * bypass
        after = (enthalpy - fall - 1.006 * leaving) / (2501.0 + 1.86 * leaving)
        if after < ratio:  # else the surface is above the dew point
            condensate = air_flow * (ratio - after)
            heat = fall * air_flow - condensate * WATER_SPECIFIC_HEAT * surface
            sensible = air_flow * heat_of_air * (temperature - leaving)
            return CoilOutput(heat, sensible, condensate, surface, leaving, after, entering + heat / capacity)
    leaving = temperature - dry / (air_flow * heat_of_air)
    return CoilOutput(dry, dry, 0.0, entering, leaving, ratio, entering + dry / capacity)


def coil_for(
    heat: float, air_flow: float, temperature: float, humid: float, water_flow: float, entering: float
) -> CoilUnit:
    """A coil that takes a heat [kW] at its design: air (flow [kg/s], temperature [degC], relative humidity [0..1]) and
    water (flow [kg/s], entering [degC]); equal conductance on both sides, found by halving.
    """
    ratio = humidity_ratio(temperature, humid)
    low, high = 0.01, 1000.0 * heat
    for _ in range(60):
        each = 0.5 * (low + high)
        if (
            cool(CoilUnit(each, each, air_flow, water_flow), air_flow, temperature, ratio, water_flow, entering).heat
            < heat
        ):
            low = each
        else:
            high = each
    return CoilUnit(0.5 * (low + high), 0.5 * (low + high), air_flow, water_flow)


def _dry(outer: float, inner: float, air: float, water: float) -> float:
    """Heat per kelvin between the entering streams [kW/K]."""
    transfer, least = 1.0 / (1.0 / outer + 1.0 / inner), min(air, water)
    return counterflow(transfer / least, least / max(air, water)) * least


def _wet(outer: float, inner: float, air_flow: float, water: float, enthalpy: float, entering: float) -> float:
    """Heat of a wholly wet coil [kW]; outer: conductance of the air side over its specific heat [kg/s]. The slope of
    the saturation enthalpy depends on the leaving water, which three passes settle.
    """
    saturated = saturated_air_enthalpy(entering)
    driving = enthalpy - saturated
    if driving <= 0.0:
        return 0.0
    leaving, heat = entering + 5.0, 0.0
    for _ in range(_PASSES):
        rise = max(0.1, leaving - entering)
        slope = (saturated_air_enthalpy(entering + rise) - saturated) / rise
        transfer = 1.0 / (1.0 / outer + slope / inner)
        ratio = air_flow * slope / water
        least = min(1.0, 1.0 / ratio)
        effectiveness = counterflow(transfer / (air_flow * least), min(ratio, 1.0 / ratio)) * least
        heat = effectiveness * air_flow * driving
        leaving = entering + heat / water
    return heat
