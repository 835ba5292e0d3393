"""One commandable point between arbitration and the writer."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from controller.core.command import Priority, PriorityArray
from controller.core.exclusion import Rival
from controller.core.guard import UNKNOWN, GuardMemory, Register, guard, remember
from controller.core.inhibition import Inhibition
from controller.core.point import Point, PointId
from controller.core.sample import Sample, Scalar
from controller.core.stagger import is_start, staggered
from controller.core.system import Permissive, System
from controller.core.text import NO_TEXT, Text
from controller.runtime.image import FrozenImage
from controller.runtime.places import writable_of


class Beside(NamedTuple):
    """What stands beside the wish for a point, besides its own limits.

    kept: at what the inhibition keeps the point. rival: of a mutual exclusion. register: where the point's register
    wears. wait: seconds until a machine may start; None where it waits for no other.
    """

    inhibition: Inhibition | None = None
    kept: Scalar | None = None
    rival: Rival | None = None
    register: Register | None = None
    wait: float | None = None


NOTHING_BESIDE = Beside()


class Control:
    """One commandable point: its arrays, what the guard remembers, and what came out of the last scan."""

    def __init__(self, point: Point, system: System, points: Mapping[PointId, Point]) -> None:
        self.point = point
        self.system = system
        self.writable = writable_of(point)
        # Until we hold it, the equipment follows its own controls, and only what follows it tells what it does.
        effect = self.writable.effect
        shows_it = effect is not None and points[effect.point].type is point.type
        self.shown_at = effect.point if effect is not None and shows_it else self.writable.readback
        self.permissives = tuple(each for each in system.permissives if each.point == point.id)
        self.array = PriorityArray()
        self.shadow = PriorityArray()
        self.memory: GuardMemory = UNKNOWN
        self.allowed: Scalar | None = None
        self.limit: Text = NO_TEXT
        self.is_spared = False
        self.is_starting = False
        self.waiting: Text = NO_TEXT
        # Monotonic: since when whoever wins does, and since when a limit acts; None where nobody does.
        self.won_at: float | None = None
        self.limited_at: float | None = None
        self._winner: tuple[str, Priority] | None = None
        # Monotonic: until when it is known to have gone on.
        self._gone_on = -math.inf

    def settle(
        self,
        image: FrozenImage,
        is_held: bool,
        rested_at: float,
        beside: Beside = NOTHING_BESIDE,
    ) -> Scalar | None:
        """The value that arbitration, inhibitions and guard let through now; None lets the point go.

        rested_at: until when nothing has changed, monotonic; a rate counts from there.
        """
        inhibition, kept, rival, register, wait = beside
        self.is_spared = self.is_starting = False
        monotonic = image.monotonic
        self.array, self.shadow = self.array.at(monotonic), self.shadow.at(monotonic)
        unchanged_at = max(rested_at, self._gone_on)
        if self.memory.at < unchanged_at:
            self.memory = self.memory._replace(at=unchanged_at)
        if not is_held or self.memory.value is None:
            # Rates and minimum times start from what the equipment does before we take it, or was told by our last run.
            shown = image.fresh.get(self.writable.readback if is_held else self.shown_at)
            if shown is not None:
                self.memory = remember(self.memory, _good_value(shown), monotonic)
        command = self.array.winner
        if command is None:
            self.allowed, self.limit = None, NO_TEXT
            return None
        if inhibition is not None and not (inhibition.spares_life_safety and command.priority.is_life_safety):
            self.memory = remember(self.memory, kept, monotonic)
            self.allowed, self.limit = kept, inhibition.reason
            return kept
        allowed = guard(
            command, self.point, self.memory, self._permissives(image), monotonic, rival=rival, register=register
        )
        if wait is not None:
            allowed = staggered(command, allowed, self.memory, wait)
            self.is_starting = is_start(allowed, self.memory)
        self.is_spared = allowed.is_spared
        if is_held and not allowed.is_spared:
            reached = allowed.value if allowed.between is None else allowed.between
            self.memory = remember(self.memory, reached, monotonic)
        self.allowed, self.limit = allowed.value, allowed.limit
        return allowed.value

    def goes_on(self, image: FrozenImage, register: Register | None) -> bool:
        """Whether `settle` would let through once more what it let through last: the same source wishes what stands at
        equipment that is ours, and no limit acted or acts. Not asked where an inhibition or a rival stands beside it.
        """
        command, monotonic = self.array.winner, image.monotonic
        if (
            command is None
            or command.value != self.allowed
            or self.memory.value != self.allowed
            or self.limit.en
            or self.is_spared
            or self.is_starting
            or monotonic >= self.array.next_end
            or monotonic >= self.shadow.next_end
            or (command.source, command.priority) != self._winner
            or (self.permissives and not self._is_permitted(image))
            or (register is not None and (register.held_back is not None or register.written != command.value))
        ):
            return False
        self._gone_on = monotonic
        return True

    def note_since(self, monotonic: float) -> None:
        """After `settle`, for whoever asks later: another winner, a limit that begins or ends."""
        command = self.array.winner
        winner = None if command is None else (command.source, command.priority)
        if winner != self._winner:
            self._winner, self.won_at = winner, None if winner is None else monotonic
        if bool(self.limit.en) != (self.limited_at is not None):
            self.limited_at = monotonic if self.limit.en else None

    def succeed(self, earlier: Control, ended: Collection[str]) -> None:
        """Go on where the control of an earlier configuration was. ended: sources that command this no more."""
        self.array, self.shadow = earlier.array.without_sources(ended), earlier.shadow.without_sources(ended)
        self.memory, self.is_spared, self.is_starting = earlier.memory, earlier.is_spared, earlier.is_starting
        self.allowed, self.limit, self.waiting = earlier.allowed, earlier.limit, earlier.waiting
        self.won_at, self.limited_at, self._winner = earlier.won_at, earlier.limited_at, earlier._winner
        self._gone_on = earlier._gone_on

    def _is_permitted(self, image: FrozenImage) -> bool:
        return all(permissive.condition.holds(sample) for permissive, sample in self._permissives(image))

    def _permissives(self, image: FrozenImage) -> Sequence[tuple[Permissive, Sample]]:
        return [(each, image.samples[each.condition.point]) for each in self.permissives]


def _good_value(sample: Sample) -> Scalar | None:
    return sample.value if sample.is_good else None
