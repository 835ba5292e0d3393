"""What keeps a point from being commanded by anybody, whatever was arbitrated: a machine in hand, a fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.core.handover import Machine
from controller.core.ledger import Holding, Verdict
from controller.core.point import PointId, RemoteBit, Writable
from controller.core.sample import Scalar
from controller.core.text import Text


class Inhibition(NamedTuple):
    """Why the point is let go and not written. at_once: without waiting for the release order of its system.

    keeps: what is held stays held as it is, instead of being let go; nothing else is written and nothing new is taken.
    spares_life_safety: what levels 1 and 2 command is written all the same.
    """

    reason: Text
    at_once: bool = False
    keeps: bool = False
    spares_life_safety: bool = False


def combined(first: Inhibition, other: Inhibition) -> Inhibition:
    """Two inhibitions of one point: letting go outweighs keeping, at once outweighs in order, life safety is spared by
    both or not at all, the first is told."""
    spares = first.spares_life_safety and other.spares_life_safety
    if first.keeps != other.keeps:
        return (other if first.keeps else first)._replace(spares_life_safety=spares)
    return first._replace(at_once=first.at_once or other.at_once, spares_life_safety=spares)


def kept_value(point: PointId, writable: Writable, holdings: Mapping[PointId, Holding]) -> Scalar | None:
    """The value at which a point that is ours stays; None where it is not, is being let go, or somebody overrode it.

    A point that a remote bit hands over is ours only with the bit.
    """
    needed = [point]
    if isinstance(writable.release, RemoteBit):
        needed.append(writable.release.point)
    held = [holdings.get(each) for each in needed]
    if any(each is None or each.releasing or each.verdict is Verdict.OVERRIDDEN for each in held):
        return None
    return holdings[point].value


def released_at_once(inhibited: Mapping[PointId, Inhibition], machines: Iterable[Machine]) -> frozenset[PointId]:
    """The points that wait for no release order; a machine goes as a whole, its remote bit with it."""
    at_once = {point for point, inhibition in inhibited.items() if inhibition.at_once}
    for machine in machines:
        if not at_once.isdisjoint(machine.points):
            at_once.update(machine.points, (machine.remote,))
    return frozenset(at_once)
