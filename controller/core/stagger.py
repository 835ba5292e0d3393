"""Machines with motors start one after another: after a power cut the feeder carries one inrush at a time. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from controller.core.command import Command
from controller.core.guard import Allowed, GuardMemory
from controller.core.point import Point, PointId, PointKind, ValueType
from controller.core.text import Text

MOTORS = frozenset({"chiller", "pump", "cooling_tower", "air_handler", "fan"})


def motors(points: Mapping[PointId, Point], equipment: Mapping[str, str]) -> frozenset[PointId]:
    """The on/off commands that start one. equipment: class by equipment."""
    return frozenset(
        point.id
        for point in points.values()
        if point.kind is PointKind.COMMAND
        and point.type is ValueType.BOOLEAN
        and equipment.get(point.equipment) in MOTORS
    )


def is_start(allowed: Allowed, memory: GuardMemory) -> bool:
    """What runs already, by itself or by our last run, is not started."""
    return allowed.value is True and not memory.value


def staggered(command: Command, allowed: Allowed, memory: GuardMemory, wait: float) -> Allowed:
    """wait: seconds until the next machine may start. Levels 1 to 5 start at once."""
    if wait <= 0 or command.priority.is_protective or not is_start(allowed, memory):
        return allowed
    seconds = f"{wait:.0f}"
    return Allowed(
        False,
        Text(
            f"starts in {seconds} s: another machine has just started",
            f"{seconds} 秒后启动: 另一台设备刚刚启动",
        ),
    )
