"""Whose commands hold at the plant: what a supervisor has written, and the old controls for everything else."""

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.signals import Actuators, Commands, Shares
from simulator.gateway import Value

Held: TypeAlias = Mapping[str, Value]
"""What was written and not let go, by tag."""

TANK = "plant.tank_1"
_TANK_VALVES = (f"{TANK}.charge_valve_command", f"{TANK}.discharge_valve_command")
LEAST_SPEED = 0.2
"""Of the converters of pumps that are on [0..1]."""


@cache
def numbered(kind: str, count: int, quantity: str = "") -> tuple[str, ...]:
    """Names of the plant's machines of a kind, or the tags of a quantity that each of them has."""
    return tuple([f"plant.{kind}_{number}{quantity and '.'}{quantity}" for number in range(1, count + 1)])


def commanded(plant: CoolingPlant, old: Commands, held: Held) -> Commands:
    """The old controls' commands with what is held in their places."""
    if not held:
        return old
    chillers = len(plant.chillers)
    was = old.actuators
    actuators = Actuators(
        chilled_valves=_positions("chilled_water_valve", was.chilled_valves, held),
        condenser_valves=_positions("condenser_water_valve", was.condenser_valves, held),
        cell_valves=_positions("cooling_tower_valve", was.cell_valves, held),
        storage=_shares(_TANK_VALVES, was.storage, held) if was.storage else (),
        primary=_speeds("chilled_water_pump", was.primary, held),
        secondary=_speeds("secondary_pump", was.secondary, held),
        condenser=_speeds("condenser_water_pump", was.condenser, held),
        transfer=_speeds("transfer_pump", was.transfer, held),
        fans=_shares(numbered("cooling_tower", plant.cells, "fan_speed_command"), was.fans, held),
    )
    enable = tuple(
        [
            bool(held.get(tag, each))
            for tag, each in zip(numbered("chiller", chillers, "enable_command"), old.enable, strict=True)
        ]
    )
    setpoints = _shares(numbered("chiller", chillers, "chilled_water_temperature_setpoint"), old.setpoints, held)
    return Commands(enable, setpoints, actuators)


def _shares(tags: tuple[str, ...], old: Shares, held: Held) -> Shares:
    return tuple([float(held.get(tag, share)) for tag, share in zip(tags, old, strict=True)])


def _positions(kind: str, old: Shares, held: Held) -> Shares:
    return _shares(numbered(kind, len(old), "position_command"), old, held)


def _speeds(kind: str, old: Shares, held: Held) -> Shares:
    """A pump that is told to run without a speed runs at full speed; those without a converter know no other."""
    commands, speeds = numbered(kind, len(old), "command"), numbered(kind, len(old), "speed_command")
    return tuple(
        [
            max(LEAST_SPEED, float(held.get(speed, share or 1.0))) if held.get(command, share > 0.0) else 0.0
            for command, speed, share in zip(commands, speeds, old, strict=True)
        ]
    )
