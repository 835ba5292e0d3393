"""Commands are leases; a priority array decides between them.

After ANSI/ASHRAE 135, clause 19.2: sixteen levels, 1 wins, an empty array relinquishes. The array is internal: its
levels never appear on a wire.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.text import Text


class Priority(IntEnum):
    MANUAL_LIFE_SAFETY = 1
    AUTOMATIC_LIFE_SAFETY = 2
    CRITICAL_EQUIPMENT = 5
    MINIMUM_ON_OFF = 6
    MANUAL_OPERATOR = 8
    DEMAND_RESPONSE = 10
    OPTIMISATION = 12
    STRATEGY = 13
    SCHEDULE = 15

    @property
    def is_life_safety(self) -> bool:
        return self <= Priority.AUTOMATIC_LIFE_SAFETY

    @property
    def is_protective(self) -> bool:
        """Levels that nothing but range and interlocks may hold back (design: guard order)."""
        return self <= Priority.CRITICAL_EQUIPMENT


LEVELS = 16


class Command(NamedTuple):
    """A wish with an end: `ends` is monotonic seconds; `source` names who wishes ("strategy:garage")."""

    point: PointId
    value: Scalar
    priority: Priority
    source: str
    ends: float
    reason: Text


_EMPTY: tuple[Command | None, ...] = (None,) * LEVELS


@dataclass(frozen=True, slots=True)
class PriorityArray:
    """The wishes for one point, at most one a level. `winner` is settled once, when the array changes."""

    slots: tuple[Command | None, ...] = _EMPTY
    winner: Command | None = field(init=False, default=None)
    next_end: float = field(init=False, default=math.inf)

    def __post_init__(self) -> None:
        present = [command for command in self.slots if command is not None]
        if present:
            object.__setattr__(self, "winner", present[0])
            object.__setattr__(self, "next_end", min(command.ends for command in present))

    def with_command(self, command: Command) -> PriorityArray:
        """The command takes its level; a later one at the same level replaces an earlier one."""
        return self._with_slot(command.priority, command)

    def without(self, priority: Priority, source: str) -> PriorityArray:
        """The level is emptied if `source` holds it."""
        held = self.slots[priority - 1]
        if held is None or held.source != source:
            return self
        return self._with_slot(priority, None)

    def without_sources(self, ended: Collection[str]) -> PriorityArray:
        """The array without anything that these sources wish."""
        if all(command is None or command.source not in ended for command in self.slots):
            return self
        return PriorityArray(
            tuple(None if command is None or command.source in ended else command for command in self.slots)
        )

    def at(self, monotonic: float) -> PriorityArray:
        """The array without the leases that have ended."""
        if monotonic < self.next_end:
            return self
        return PriorityArray(
            tuple(None if command is None or command.ends <= monotonic else command for command in self.slots)
        )

    def losers(self) -> tuple[Command, ...]:
        """Everybody whose wish is held back by the winner, strongest first."""
        return tuple(command for command in self.slots if command is not None and command is not self.winner)

    def wishes_as(self, other: PriorityArray) -> bool:
        """Whether the same is wished, for whatever time."""
        return self is other or all(
            one is two or (one is not None and two is not None and one._replace(ends=two.ends) == two)
            for one, two in zip(self.slots, other.slots, strict=True)
        )

    def _with_slot(self, priority: Priority, command: Command | None) -> PriorityArray:
        index = priority - 1
        return PriorityArray((*self.slots[:index], command, *self.slots[index + 1 :]))
