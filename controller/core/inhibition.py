"""What keeps a point from being commanded by anybody, whatever was arbitrated: a machine in hand, a fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.core.handover import Machine
from controller.core.point import PointId
from controller.core.text import Text


class Inhibition(NamedTuple):
    """Why the point is let go and not written. at_once: without waiting for the release order of its system."""

    reason: Text
    at_once: bool = False


def released_at_once(inhibited: Mapping[PointId, Inhibition], machines: Iterable[Machine]) -> frozenset[PointId]:
    """The points that wait for no release order; a machine goes as a whole, its remote bit with it."""
    at_once = {point for point, inhibition in inhibited.items() if inhibition.at_once}
    for machine in machines:
        if not at_once.isdisjoint(machine.points):
            at_once.update(machine.points, (machine.remote,))
    return frozenset(at_once)
