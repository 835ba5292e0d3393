"""What a device does not give: found by halving a block, remembered, and asked about again now and then. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from drivers.modbus.plan import Block, rejoin, split

# How often a value that the device refused is tried again, in seconds.
REFUSED_AGAIN: Final = 60.0


class Hole(NamedTuple):
    """A value that the device does not give, and the wire time at which to try again."""

    again: float
    block: Block
    reason: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of a block that cannot be had as a whole: the pieces that work and the values that do not."""

    pieces: tuple[Block, ...]
    holes: deque[Hole]


@dataclass(slots=True)
class Search:
    """Halves a block until every piece is accepted or is one value that cannot be had."""

    pending: list[Block]
    accepted: list[Block] = field(default_factory=list[Block])
    holes: deque[Hole] = field(default_factory=deque[Hole])

    def accept(self, piece: Block) -> None:
        self.accepted.append(piece)

    def refuse(self, piece: Block, reason: str, wire_time: float) -> None:
        if len(piece.bindings) > 1:
            self.pending.extend(split(piece))
        else:
            self.holes.append(Hole(wire_time + REFUSED_AGAIN, piece, reason))

    def found(self) -> Learned:
        return Learned(rejoin(self.accepted), self.holes)


def search(block: Block) -> Search:
    """A search in a block that was not had as a whole."""
    return Search([*split(block)] if len(block.bindings) > 1 else [block])
