"""Lamp groups of a garage and the outdoor circuit: power and light.

Source: LED drivers dim their power nearly in proportion to their light and draw a standby power with the lamp at zero
(IEC 63103, definition of standby power of lighting equipment; NEMA LSD 73-2015 on linear dimming).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LampGroupModel:
    """lamps: number; lamp_power [kW] at full brightness; standby_power [kW] of a lamp; illuminance at full brightness,
    mean on the floor [lx]; ramp: change of brightness per second [1/s].
    """

    lamps: int
    lamp_power: float
    standby_power: float
    illuminance: float
    ramp: float


def group_power(model: LampGroupModel, brightness: float) -> float:
    """Electric power [kW] at a brightness [0..1]: P = n (P_standby + b (P_full - P_standby))."""
    return model.lamps * (model.standby_power + brightness * (model.lamp_power - model.standby_power))


def group_illuminance(model: LampGroupModel, brightness: float) -> float:
    """Mean illuminance of the floor [lx], in proportion to the light; no daylight underground."""
    return model.illuminance * brightness
