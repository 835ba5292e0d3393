"""Whose commands hold: what a supervisor has written, and the old controls for everything else, point by point."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from simulator.gateway import Value
from simulator.high_rise.air_controls import FloorCommands
from simulator.high_rise.computer_rooms import UnitCommands
from simulator.high_rise.hot_water import HotWaterCommands
from simulator.high_rise.lighting import LightingCommands

Held: TypeAlias = Mapping[str, Value]
"""What was written and not let go, by tag."""


def air_handler(old: FloorCommands, held: Held, name: str, zones: Sequence[str]) -> FloorCommands:
    """name of the air handler, zones that it serves."""
    if not held:
        return old
    speed = held.get(f"{name}.supply_fan_speed_command")
    return old._replace(
        fan=bool(held.get(f"{name}.supply_fan_command", old.fan)),
        supply_air=float(held.get(f"{name}.supply_air_temperature_setpoint", old.supply_air)),
        duct_pressure=float(held.get(f"{name}.duct_static_pressure_setpoint", old.duct_pressure)),
        outdoor_damper=float(held.get(f"{name}.outdoor_air_damper_command", old.outdoor_damper)),
        room=tuple(
            [
                float(held.get(f"{zone}.air_temperature_setpoint", setpoint))
                for zone, setpoint in zip(zones, old.room, strict=True)
            ]
        ),
        fan_speed=None if speed is None else float(speed),
    )


def split_unit(old: UnitCommands, held: Held, name: str) -> UnitCommands:
    return old._replace(enable=bool(held.get(f"{name}.enable_command", old.enable))) if held else old


def boiler(old: HotWaterCommands, held: Held, name: str) -> HotWaterCommands:
    if not held:
        return old
    return HotWaterCommands(
        bool(held.get(f"{name}.enable_command", old.enable)),
        float(held.get(f"{name}.leaving_hot_water_temperature_setpoint", old.setpoint)),
    )


def chargers(old: Sequence[float], held: Held, names: Sequence[str]) -> tuple[float, ...]:
    """Current limits [A]: a point that is commanded gets what was commanded, the others what the feeder's own controls
    give them.
    """
    return tuple([float(held.get(f"{name}.current_limit", limit)) for name, limit in zip(names, old, strict=True)])


def lamps(old: LightingCommands, held: Held, decks: Sequence[str], outdoor: str, facade: str) -> LightingCommands:
    if not held:
        return old
    brightness = [
        float(held.get(f"{deck}.brightness_command", share)) for deck, share in zip(decks, old.brightness, strict=True)
    ]
    return LightingCommands(
        tuple(brightness),
        bool(held.get(f"{outdoor}.command", old.outdoor)),
        bool(held.get(f"{facade}.command", old.facade)),
    )
