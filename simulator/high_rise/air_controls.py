"""What the high-rise's boxes, valves and fans do by themselves, whoever sets their setpoints.

References
----------
[1] ASHRAE Guideline 36-2021, 5.6 (cooling-only box: flow over the room's demand) and 5.16 (VAV air handler: valve by
    supply air temperature, fan by duct static pressure).
"""

from typing import NamedTuple

ROOM_BAND = 1.5
"""Proportional band of a room controller [K], its setpoint in the middle."""
_VALVE_S, _VALVE_BAND = 240.0, 15.0
"""Integral time of the supply air controller [s], and the change of the air over the valve's whole stroke [K]."""
_MOST_S = 150.0
LEAST_SPEED = 0.25
"""Of a fan's converter [0..1]."""


class FloorCommands(NamedTuple):
    """To the air handlers of storeys alike: fan; supply_air [degC]; duct_pressure [kPa]; outdoor_damper [0..1]; room:
    setpoint of each zone [degC]. fan_speed [0..1] in place of the pressure loop's, None to leave it to the loop.
    valve_stuck: that of the coil does not move, whatever its controller wants.
    """

    fan: bool
    supply_air: float
    duct_pressure: float
    outdoor_damper: float
    room: tuple[float, ...]
    fan_speed: float | None = None
    valve_stuck: bool = False


class Reset(NamedTuple):
    """Setpoints that controls move by themselves: supply_air [degC], duct_pressure [kPa]."""

    supply_air: float = 14.0
    duct_pressure: float = 0.375


def box_flow(temperature: float, setpoint: float, least: float, design: float) -> float:
    """Supply air that a room's controller asks for [kg/s]: between the limits of its box, over its band [1]."""
    share = (temperature - setpoint) / ROOM_BAND + 0.5
    return least + (design - least) * min(1.0, max(0.0, share))


def valve_target(position: float, supply_air: float, setpoint: float, dt: float) -> float:
    """Where the coil's valve heads for after dt [s] [0..1]: an integral controller on the supply air [1]. What a longer
    step would add beyond _MOST_S is left to the next one.
    """
    moved = position + (supply_air - setpoint) / _VALVE_BAND * min(dt, _MOST_S) / _VALVE_S
    return min(1.0, max(0.0, moved))
