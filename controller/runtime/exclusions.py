"""Mutual exclusion in the cycle: what of each member is known, from what it shows and from what we have told it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from controller.core.command import Command
from controller.core.exclusion import Rival, Standing, rivals
from controller.core.point import PointId
from controller.core.system import Member, System
from controller.runtime.image import FrozenImage
from controller.runtime.writer import Writer


class Exclusions:
    """shown_at: by command, the point that shows what its equipment does."""

    def __init__(self, systems: Iterable[System], shown_at: Mapping[PointId, PointId], writer: Writer) -> None:
        self._exclusions = tuple(each.members for system in systems for each in system.exclusions)
        self._shown_at = shown_at
        self._writer = writer
        members = [each for exclusion in self._exclusions for each in exclusion]
        self.commands = frozenset(each.point for each in members)
        self.looks_at = frozenset(
            self._shown_at[each.point] if each.off is None else each.off.point for each in members
        )

    def against(
        self, wishes: Mapping[PointId, Command], image: FrozenImage, yielding: Collection[PointId]
    ) -> dict[PointId, Rival]:
        """wishes: what we are about to command. yielding: what somebody else changed and we leave alone."""
        found: dict[PointId, Rival] = {}
        for members in self._exclusions:
            standings = {each.point: self._standing(each, wishes.get(each.point), image, yielding) for each in members}
            found = {**rivals(standings), **found}
        return found

    def _standing(
        self, member: Member, wish: Command | None, image: FrozenImage, yielding: Collection[PointId]
    ) -> Standing:
        commanded, shown = self._is_commanded(member.point, yielding), self._shown(member, image)
        if wish is None:
            return Standing(None, commanded, shown)
        return Standing(bool(wish.value), commanded, shown, wish.priority)

    def _is_commanded(self, point: PointId, yielding: Collection[PointId]) -> bool:
        """Whether it may have been told to be on: by what is written, or by bytes on their way."""
        holding = self._writer.holdings.get(point)
        is_written = holding is not None and point not in yielding and bool(holding.value)
        return is_written or self._writer.is_in_flight(point)

    def _shown(self, member: Member, image: FrozenImage) -> bool | None:
        if member.off is not None:
            sample = image.samples[member.off.point]
            return not member.off.holds(sample) if sample.is_good else None
        sample = image.samples[self._shown_at[member.point]]
        return bool(sample.value) if sample.is_good else None
