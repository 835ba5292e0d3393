"""Where the value of each lighting tag comes from."""

from collections.abc import Callable

from simulator.lamp_network import SETTINGS, SensorLamps
from simulator.lighting import Lighting
from simulator.lights import DimmedLamps, SwitchedLamps
from simulator.readings import Readings, is_not_in_auto, remote_readings


def lighting_readings(lighting: Lighting, now: Callable[[], float], daylight: Callable[[], float]) -> Readings:
    """Tags of garage, office and outdoor lighting.

    Parameters: now [s of the epoch]; daylight, on level ground outdoors [lx].

    """
    switch = lighting.wall_switch
    readings: Readings = {
        "office.wall_switch_1.brightness_wish": lambda: switch.wish,
        "office.wall_switch_1.stay_button": lambda: switch.stay,
    }
    for name, lamps in lighting.dimmed.items():
        readings |= _dimmed(name, lamps, now)
    for name, lamps in lighting.switched.items():
        readings |= _switched(name, lamps, now)
    for name, lamps in lighting.sensing.items():
        readings |= _sensing(name, lamps, now)
    for row in range(lighting.rows):
        name = f"office.row_{row + 1}.illuminance"
        readings[name] = lambda row=row: lighting.at_desks(row, daylight())
    readings["garage.lighting_1.motion"] = lambda: lighting.cycle_room.motion
    return readings


def _dimmed(name: str, lamps: DimmedLamps, now: Callable[[], float]) -> Readings:
    return remote_readings(name, lamps.remote, "brightness_command") | {
        f"{name}.brightness": lambda: lamps.brightness,
        f"{name}.motion": lambda: lamps.motion,
        f"{name}.local": is_not_in_auto(lamps.remote),
        f"{name}.illuminance": lamps.illuminance,
        f"{name}.power": lambda: lamps.power,
        f"{name}.energy": lambda: lamps.energy(now()),
    }


def _switched(name: str, lamps: SwitchedLamps, now: Callable[[], float]) -> Readings:
    return remote_readings(name, lamps.remote, "command") | {
        f"{name}.status": lambda: lamps.status,
        f"{name}.local": is_not_in_auto(lamps.remote),
        f"{name}.power": lambda: lamps.power,
        f"{name}.energy": lambda: lamps.energy(now()),
    }


def _sensing(name: str, lamps: SensorLamps, now: Callable[[], float]) -> Readings:
    settings: Readings = {
        f"{name}.{register}": lambda register=register: lamps.setting(register) for register in SETTINGS
    }
    return settings | {
        f"{name}.motion": lambda: lamps.motion,
        f"{name}.power": lambda: lamps.power(now()),
        f"{name}.energy": lambda: lamps.energy(now()),
    }
