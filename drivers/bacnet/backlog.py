"""Devices that take longer than the others may be kept waiting, and what is still to be asked of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Final

from controller.core.point import PointId
from drivers.bacnet.plan import BacnetBinding

if TYPE_CHECKING:
    from drivers.bacnet.device import RemoteDevice

# What is asked of a slow device before anything else has its turn: one request of it, where it reads many at once.
_MOST_AT_ONCE: Final = 20


class Backlog:
    """turn: seconds that a device has in one reading."""

    def __init__(self, turn: float) -> None:
        self._turn = turn
        self._owed: dict[RemoteDevice, dict[PointId, BacnetBinding]] = {}

    def is_slow(self, device: RemoteDevice) -> bool:
        return device in self._owed

    def is_owed(self, device: RemoteDevice) -> bool:
        """Whether anything is to be asked of it beside the reading."""
        return bool(self._owed.get(device))

    def add(self, device: RemoteDevice, bindings: Iterable[BacnetBinding]) -> None:
        """What is owed already keeps its place, so that everything has its turn."""
        owed = self._owed.setdefault(device, {})
        for binding in bindings:
            owed.setdefault(binding.point.id, binding)

    def settle(self, device: RemoteDevice, points: Collection[PointId]) -> None:
        """These were given within a turn; a device that owes nothing more is slow no more."""
        if owed := self._owed.get(device):
            for point in points:
                owed.pop(point, None)
            if not owed:
                del self._owed[device]

    def owed_first(self, device: RemoteDevice, bindings: tuple[BacnetBinding, ...]) -> list[tuple[BacnetBinding, ...]]:
        """The bindings in the order in which a device that did not get through them should be asked."""
        owed = self._owed.get(device)
        if not owed:
            return [bindings]
        wished = {binding.point.id for binding in bindings}
        first = tuple(binding for point, binding in owed.items() if point in wished)
        rest = tuple(binding for binding in bindings if binding.point.id not in owed)
        return [part for part in (first, rest) if part]

    def take(self, device: RemoteDevice) -> tuple[BacnetBinding, ...]:
        """What to ask of it next."""
        owed = self._owed.get(device, {})
        taken = tuple(islice(owed.values(), _MOST_AT_ONCE))
        for binding in taken:
            del owed[binding.point.id]
        return taken

    def note_pace(self, device: RemoteDevice, seconds_each: float, values: int) -> None:
        """A device that would give all its values well within a turn is slow no more."""
        if not self.is_owed(device) and seconds_each * values < self._turn / 2:
            self._owed.pop(device, None)
