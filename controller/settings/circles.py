"""Strategies that wait for each other through virtual points: each would answer to the other's answer to itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from controller.core.point import PointId
from controller.core.site import Mount
from controller.core.strategy import Mode


class Step(NamedTuple):
    """The strategy `source` commands a virtual point that `reader` reads."""

    source: str
    point: PointId
    reader: str


def circles(mounts: Sequence[Mount], virtual: Collection[PointId]) -> list[list[Step]]:
    """A shortest circle through each strategy that is in one, each circle once; it begins with the strategy that stands
    first in the file. A strategy that reads what itself commands knows what it does: that is none."""
    running = [mount for mount in mounts if mount.mode is not Mode.OFF]
    steps = {mount.id: _steps_of(mount, running, virtual) for mount in running}
    found: list[list[Step]] = []
    told: set[frozenset[str]] = set()
    for mount in running:
        circle = _shortest_circle(mount.id, steps)
        members = frozenset(step.source for step in circle)
        if circle and members not in told:
            told.add(members)
            found.append(circle)
    return found


def _steps_of(mount: Mount, others: Sequence[Mount], virtual: Collection[PointId]) -> list[Step]:
    outputs = {mount.roles[role] for role in mount.strategy.outputs if role in mount.roles} & set(virtual)
    return [
        Step(mount.id, point, other.id)
        for other in others
        if other.id != mount.id
        for point in sorted(outputs & {other.roles[role] for role in other.strategy.inputs if role in other.roles})[:1]
    ]


def _shortest_circle(start: str, steps: Mapping[str, Sequence[Step]]) -> list[Step]:
    """Breadth first; empty where nothing leads back to the start."""
    ways: list[list[Step]] = [[step] for step in steps[start]]
    seen: set[str] = set()
    for way in ways:  # grows while it is walked through
        here = way[-1].reader
        if here == start:
            return way
        if here not in seen:
            seen.add(here)
            ways += [[*way, step] for step in steps[here]]
    return []
