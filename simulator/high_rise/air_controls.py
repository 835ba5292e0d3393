"""What the high-rise's air handlers and boxes do: loops of their own, and the old controls that set their setpoints.

The loops stay whoever sets their setpoints; the old controls are a timer and fixed values, as found in office towers
before a supervisory controller.

References
----------
[1] ASHRAE Guideline 36-2021, 5.6 (cooling-only box: flow over the room's demand) and 5.16 (VAV air handler: valve by
    supply air temperature, fan by duct static pressure); the resets that it adds to them are what is missing here.
[2] U.S. Department of Energy, Commercial Prototype Building Models, Large Office: 12.8 to 14 degC of supply air, kept;
    hours of the air handlers as in plant/occupancy.py; 24 degC in the rooms.
[3] ASHRAE Standard 90.1-2019, 6.5.3.2.2: a fixed setpoint of up to 1.2 in. of water (0.30 kPa) where boxes do not tell
    their dampers; older systems 1.5 in. (0.375 kPa).
[4] GB 50736-2012, table 3.0.6-1: 30 m3 of outdoor air an hour for each person in offices. A damper that is set once
    gives it at the design flow, and less when the boxes throttle.
"""

from typing import NamedTuple

from simulator.plant.occupancy import building_use

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
    """

    fan: bool
    supply_air: float
    duct_pressure: float
    outdoor_damper: float
    room: tuple[float, ...]
    fan_speed: float | None = None


def old_controls(weekday: int, second: float, zones: int) -> FloorCommands:
    """A timer, 14 degC [2], 0.375 kPa [3], a damper set once [4] and 24 degC in all rooms [2], day and night."""
    fan = building_use(weekday, int(second // 3600.0)).air_handlers
    return FloorCommands(fan, 14.0, 0.375, 0.10, (24.0,) * zones)


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
