"""Whose commands hold at the plant: what a supervisor has written, and the old controls for everything else."""

from collections.abc import Mapping
from typing import TypeAlias

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.signals import Commands, Shares
from simulator.gateway import Value

Held: TypeAlias = Mapping[str, Value]
"""What was written and not let go, by tag."""

TANK = "plant.tank_1"
LEAST_SPEED = 0.2
"""Of the converters of pumps that are on [0..1]."""


def numbered(kind: str, count: int) -> tuple[str, ...]:
    """Names of the plant's machines of a kind."""
    return tuple([f"plant.{kind}_{number}" for number in range(1, count + 1)])


def commanded(plant: CoolingPlant, old: Commands, held: Held) -> Commands:
    """The old controls' commands with what is held in their places."""
    if not held:
        return old
    chillers = numbered("chiller", len(plant.chillers))
    was = old.actuators
    actuators = was._replace(
        chilled_valves=_positions(numbered("chilled_water_valve", plant.branches), was.chilled_valves, held),
        condenser_valves=_positions(numbered("condenser_water_valve", plant.branches), was.condenser_valves, held),
        cell_valves=_positions(numbered("cooling_tower_valve", plant.cells), was.cell_valves, held),
        primary=_speeds(numbered("chilled_water_pump", len(was.primary)), was.primary, held),
        secondary=_speeds(numbered("secondary_pump", len(was.secondary)), was.secondary, held),
        condenser=_speeds(numbered("condenser_water_pump", len(was.condenser)), was.condenser, held),
        transfer=_speeds(numbered("transfer_pump", len(was.transfer)), was.transfer, held),
        fans=tuple(
            [
                float(held.get(f"{name}.fan_speed_command", speed))
                for name, speed in zip(numbered("cooling_tower", plant.cells), was.fans, strict=True)
            ]
        ),
        storage=tuple(
            [
                float(held.get(f"{TANK}.{way}_valve_command", position))
                for way, position in zip(("charge", "discharge"), was.storage, strict=False)
            ]
        ),
    )
    enable = tuple(
        [bool(held.get(f"{name}.enable_command", each)) for name, each in zip(chillers, old.enable, strict=True)]
    )
    setpoints = tuple(
        [
            float(held.get(f"{name}.chilled_water_temperature_setpoint", each))
            for name, each in zip(chillers, old.setpoints, strict=True)
        ]
    )
    return Commands(enable, setpoints, actuators)


def _positions(names: tuple[str, ...], old: Shares, held: Held) -> Shares:
    return tuple(
        [float(held.get(f"{name}.position_command", position)) for name, position in zip(names, old, strict=True)]
    )


def _speeds(names: tuple[str, ...], old: Shares, held: Held) -> Shares:
    """A pump that is told to run without a speed runs at full speed; those without a converter know no other."""
    return tuple([_speed(name, speed, held) for name, speed in zip(names, old, strict=True)])


def _speed(name: str, old: float, held: Held) -> float:
    if not held.get(f"{name}.command", old > 0.0):
        return 0.0
    return max(LEAST_SPEED, float(held.get(f"{name}.speed_command", old or 1.0)))
