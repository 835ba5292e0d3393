"""Commands are leases; a priority array decides between them.

After ANSI/ASHRAE 135, clause 19.2: sixteen levels, 1 wins, an empty array relinquishes. The array is internal: its
levels never appear on a wire.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
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


class Command(NamedTuple):
    """A wish with an end: `ends` is monotonic seconds; `source` names who wishes ("strategy:garage")."""

    point: PointId
    value: Scalar
    priority: Priority
    source: str
    ends: float
    reason: Text


class PriorityArray(NamedTuple):
    """The wishes for one point, at most one a level, strongest first. `winner` and `next_end` follow from `commands`,
    settled once, when the array changes: whoever wants another array asks this one for it."""

    commands: tuple[Command, ...] = ()
    winner: Command | None = None
    next_end: float = math.inf

    def held_at(self, priority: Priority) -> Command | None:
        """What is wished at this level."""
        return next((command for command in self.commands if command.priority == priority), None)

    def with_command(self, command: Command) -> PriorityArray:
        """The command takes its level; a later one at the same level replaces an earlier one."""
        held = self.commands
        if not held or (len(held) == 1 and held[0].priority == command.priority):
            return PriorityArray((command,), command, command.ends)
        others = [each for each in held if each.priority != command.priority]
        return _array(sorted((*others, command), key=_level))

    def without(self, priority: Priority, source: str) -> PriorityArray:
        """The level is emptied if `source` holds it."""
        held = self.held_at(priority)
        if held is None or held.source != source:
            return self
        return _array([command for command in self.commands if command is not held])

    def without_sources(self, ended: Collection[str]) -> PriorityArray:
        """The array without anything that these sources wish."""
        return _array([command for command in self.commands if command.source not in ended])

    def at(self, monotonic: float) -> PriorityArray:
        """The array without the leases that have ended."""
        if monotonic < self.next_end:
            return self
        return _array([command for command in self.commands if command.ends > monotonic])

    def losers(self) -> tuple[Command, ...]:
        """Everybody whose wish is held back by the winner, strongest first."""
        return self.commands[1:]

    def wishes_as(self, other: PriorityArray) -> bool:
        """Whether the same is wished, for whatever time."""
        return self is other or (
            len(self.commands) == len(other.commands) and all(map(_wish_alike, self.commands, other.commands))
        )


def _array(present: Sequence[Command]) -> PriorityArray:
    """present: strongest first."""
    if not present:
        return PriorityArray()
    return PriorityArray(tuple(present), present[0], min([command.ends for command in present]))


def _level(command: Command) -> int:
    return command.priority


def _wish_alike(one: Command, other: Command) -> bool:
    """Whether they are the same but for their ends."""
    return one is other or (one[:4] == other[:4] and one.reason == other.reason)
