"""Settings of lamps that see motion themselves, as networked microwave tubes do: they work with us dead.

What is set is their idle level, their active level, how long they stay lit after motion, and which groups of the same
network light up together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.core.sample import Scalar
from controller.core.strategy import Role

MEMBER = "sensor_lamps"
MOST = 16
"""Groups of one network: the links of a group are the bits of one register."""


@dataclass(frozen=True, slots=True)
class LampSettings:
    """Brightness as fraction 0..1; hold [s]; links: a bit for each group that lights up with this one."""

    idle: float
    active: float
    hold: float
    links: int

    def requests(self, ordinal: int) -> Mapping[Role, Scalar]:
        return {
            Role(MEMBER, ordinal, "idle_brightness"): self.idle,
            Role(MEMBER, ordinal, "active_brightness"): self.active,
            Role(MEMBER, ordinal, "hold_time"): self.hold,
            Role(MEMBER, ordinal, "linked_groups"): self.links,
        }


def link_bits(groups: Iterable[int]) -> int:
    """The register that links groups, numbered from 0.

    >>> link_bits([0, 2])
    5
    """
    return sum(1 << group for group in set(groups))
