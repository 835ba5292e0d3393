"""Valves: what flows through them at a position, and how fast they get there.

A conductance g [kg/(s kPa^0.5)] says m = g sqrt(dp) in turbulent flow; conductances in parallel add up.

References
----------
[1] IEC 60534-2-1:2011, flow equations of turbulent liquid flow: Q = Kv sqrt(dp / 1 bar) with water of 1000 kg/m3.
[2] IEC 60534-2-4:2009, inherent flow characteristics: linear, and equal percentage with rangeability R,
    phi = R^(x - 1).
[3] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 47 "Valves": pressure-sustaining (back-pressure)
    valves; chapter 51 "Thermal storage": open tanks below the top of the system.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from math import inf, sqrt

_KV_TO_CONDUCTANCE = 1000.0 / 3600.0 / 10.0
"""m3/h at 1 bar of water of 1000 kg/m3 -> kg/s at 1 kPa."""


class Characteristic(Enum):
    LINEAR = "linear"
    EQUAL_PERCENTAGE = "equal percentage"


@dataclass(frozen=True, slots=True)
class ValveModel:
    """kv: flow [m3/h] of water at 1 bar when open; travel_s: full stroke; leakage: share of kv when shut [0..1];
    rangeability of an equal-percentage valve.
    """

    kv: float
    travel_s: float
    characteristic: Characteristic = Characteristic.LINEAR
    leakage: float = 0.0
    rangeability: float = 50.0


def step(model: ValveModel, position: float, target: float, dt: float) -> float:
    """Position [0..1] after dt [s] on the way to a target [0..1], at the actuator's constant speed."""
    most = dt / model.travel_s
    return max(0.0, min(1.0, position + max(-most, min(most, target - position))))


def relative_flow(model: ValveModel, position: float) -> float:
    """Kv at a position [0..1] over Kv when open.  Source: [2]; in the last twentieth of its stroke an equal-percentage
    valve closes in proportion, since its seat is tighter than its characteristic.
    """
    if model.characteristic is Characteristic.LINEAR:
        opening = position
    else:
        opening = model.rangeability ** (max(position, 0.05) - 1.0) * min(1.0, position / 0.05)
    return max(model.leakage, opening)


def conductance(model: ValveModel, position: float) -> float:
    """g [kg/(s kPa^0.5)] at a position [0..1].  Source: [1]."""
    return model.kv * relative_flow(model, position) * _KV_TO_CONDUCTANCE


def resistance(conductances: Iterable[float]) -> float:
    """k [kPa/(kg/s)^2] of conductances one behind the other, dp = k m^2; infinite behind a tight valve."""
    total = 0.0
    for each in conductances:
        if each <= 0.0:
            return inf
        total += 1.0 / (each * each)
    return total


def conductance_of(flow: float, pressure: float) -> float:
    """g of a part that loses a pressure [kPa] at a flow [kg/s], as a data sheet gives it."""
    return flow / sqrt(pressure)


def sustaining_target(upstream: float, setpoint: float, band: float) -> float:
    """Position [0..1] that a pressure-sustaining valve heads for: shut at its setpoint [kPa], open a band [kPa] above.

    So water leaves for the open tank only as long as the top of the building stays full.  Source: [3].
    """
    return max(0.0, min(1.0, (upstream - setpoint) / band))


def throttling_heat(flow: float, pressure: float) -> float:
    """Heat [kW] in the water of a flow [kg/s] that loses a pressure [kPa]: Q = m dp / rho, rho = 1000 kg/m3."""
    return flow * pressure / 1000.0
