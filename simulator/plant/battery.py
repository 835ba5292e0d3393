"""Battery with its inverter: energy, limits of power and content, losses at work and at rest.

References
----------
[1] EnergyPlus Engineering Reference, "Electrical Storage", simple energy-balance model: efficiencies of charging and
    discharging, limits of power and content.
[2] IEC 62933-2-1:2017: round-trip efficiency, auxiliary consumption and self-discharge of storage systems.
"""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple

_HOUR = 3600.0
_MONTH = 30.0 * 24.0 * _HOUR


@dataclass(frozen=True, slots=True)
class BatteryModel:
    """capacity [kWh]; most charging and discharging power at the terminals [kW]; efficiencies of both [0..1]; rest:
    of controls and cooling, always [kW]; self_discharge: share of the content lost in 30 days; least, most: content
    that the battery's own controls allow, and taper_from: content above which they charge less and less [0..1].
    """

    capacity: float
    charging: float
    discharging: float
    charging_efficiency: float = 0.95
    discharging_efficiency: float = 0.95
    rest: float = 0.0
    self_discharge: float = 0.02
    least: float = 0.10
    most: float = 0.95
    taper_from: float = 0.85


class BatteryOutput(NamedTuple):
    """power: at the meter, positive when consumed, rest included [kW]; loss: heat of conversion, self-discharge and
    rest [kW]; means of a step.
    """

    power: float
    loss: float


def step(model: BatteryModel, content: float, wanted: float, dt: float) -> tuple[float, BatteryOutput]:
    """Content [kWh] after dt [s] with a wanted power [kW], positive to charge; and what the meter saw.

    Equations [1]: dE = eta_c P dt while charging, dE = P / eta_d dt while discharging, within the limits of power and
    of content, whichever is narrower. Energy closes: power = d(content)/dt + loss.

    """
    lost = content * (1.0 - exp(-dt / _MONTH * model.self_discharge))
    left, hours = content - lost, dt / _HOUR
    if wanted >= 0.0:
        room = max(0.0, model.most * model.capacity - left)
        power = min(wanted, _charging_limit(model, left), room / (model.charging_efficiency * hours))
        after = left + power * model.charging_efficiency * hours
    else:
        available = max(0.0, left - model.least * model.capacity)
        power = -min(-wanted, model.discharging, available * model.discharging_efficiency / hours)
        after = left + power / model.discharging_efficiency * hours
    drawn = power + model.rest
    return after, BatteryOutput(drawn, drawn - (after - content) / hours)


def _charging_limit(model: BatteryModel, content: float) -> float:
    """Most charging power [kW]: full up to taper_from, then falling in proportion to a twentieth at the upper limit, as
    cells are charged at constant voltage.
    """
    share = (model.most - content / model.capacity) / (model.most - model.taper_from)
    return model.charging * max(0.05, min(1.0, share))
