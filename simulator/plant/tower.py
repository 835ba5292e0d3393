"""Counterflow cooling tower by the effectiveness method, with a two-speed fan.

References
----------
[1] J. E. Braun, S. A. Klein, J. W. Mitchell, "Effectiveness models for cooling towers and cooling coils",
    ASHRAE Transactions 95(2), 1989, pp. 164-174: effectiveness with the saturation specific heat.
[2] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40 "Cooling towers": NTU = c (m_w / m_a)^(1 + n)
    with n about -0.6; fan power with the cube of the speed.
[3] EnergyPlus Input Output Reference, CoolingTower:TwoSpeed: without fan a tenth of the design air moves by itself.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT, saturated_air_enthalpy
from simulator.plant.record import record

_LARGEST_EXPONENT = 500.0
"""A trickle of water: the effectiveness has long reached its limit of cooling the water to the wet bulb."""


class Fan(IntEnum):
    OFF = 0
    LOW = 1
    HIGH = 2


@dataclass(frozen=True, slots=True)
class TowerModel:
    """air_flow [kg/s] and fan_power [kW] at high speed; ntu_coefficient c and ntu_exponent n of [2]; shares of the high
    speed's air flow at each fan state.
    """

    air_flow: float
    fan_power: float
    ntu_coefficient: float = 1.5
    ntu_exponent: float = -0.6
    air_shares: tuple[float, float, float] = (0.1, 0.5, 1.0)


class Rejection(NamedTuple):
    """heat: rate to the air [kW]; leaving: water temperature [degC]."""

    heat: float
    leaving: float


def fan_power(model: TowerModel, fan: Fan) -> float:
    """Electric power of the fan [kW]: cube of the speed, [2]."""
    return 0.0 if fan is Fan.OFF else model.fan_power * float(model.air_shares[fan]) ** 3


def reject(model: TowerModel, fan: Fan, water_flow: float, entering: float, air_enthalpy: float) -> Rejection:
    """Heat that a water flow [kg/s] entering at a temperature [degC] gives to air of an enthalpy [kJ/kg dry air].

    Equations [1]: Q = e m_a (h_s(T_in) - h_air); m* = m_a c_s / (m_w cp); c_s the slope of the saturation enthalpy
    between entering and leaving water; e = (1 - exp(-NTU (1 - m*))) / (1 - m* exp(-NTU (1 - m*))). The slope depends on
    the leaving water: two passes from a first guess leave less than 0.02 K. Water below the air's wet bulb is warmed.

    """
    if water_flow <= 0.0:
        return Rejection(0.0, entering)
    air_flow = model.air_flow * model.air_shares[fan]
    capacity_rate = water_flow * WATER_SPECIFIC_HEAT
    ntu = model.ntu_coefficient * (water_flow / air_flow) ** (1.0 + model.ntu_exponent)
    saturated = saturated_air_enthalpy(entering)
    leaving, heat = entering - 5.0, 0.0
    for _ in range(2):
        slope = _saturation_specific_heat(saturated, entering, leaving)
        heat = _effectiveness(ntu, air_flow * slope / capacity_rate) * air_flow * (saturated - air_enthalpy)
        leaving = entering - heat / capacity_rate
    return record(Rejection, (heat, leaving))


def _saturation_specific_heat(saturated: float, entering: float, leaving: float) -> float:
    if abs(entering - leaving) < 0.1:
        leaving = entering - 0.1
    return (saturated - saturated_air_enthalpy(leaving)) / (entering - leaving)


def _effectiveness(ntu: float, ratio: float) -> float:
    if abs(1.0 - ratio) < 1e-6:
        return ntu / (1.0 + ntu)
    decay = math.exp(min(ntu * (ratio - 1.0), _LARGEST_EXPONENT))
    return (1.0 - decay) / (1.0 - ratio * decay)
