"""Looks at the inputs that keep systems with their original controls: in every scan, so that a key acts at once."""

from __future__ import annotations

from collections.abc import Iterable

from controller.core.authority_input import NEVER_SEEN, InputMemory, looked_at
from controller.core.point import PointId
from controller.core.system import AuthorityInput, System
from controller.runtime.authorities import Authorities
from controller.runtime.image import FrozenImage


class AuthorityInputs:
    def __init__(self, systems: Iterable[System], authorities: Authorities) -> None:
        self._authorities = authorities
        self._inputs: dict[str, AuthorityInput] = {
            system.id: system.original_while for system in systems if system.original_while is not None
        }
        self._memories: dict[str, InputMemory] = dict.fromkeys(self._inputs, NEVER_SEEN)

    def look(self, image: FrozenImage) -> None:
        for system, given in self._inputs.items():
            before = self._memories[system]
            memory = looked_at(before, given, image.samples[given.condition.point], image.monotonic)
            self._memories[system] = memory
            if memory.objection == before.objection:
                continue
            if memory.objection is not None:
                self._authorities.veto(system, _source(given.condition.point), memory.objection)
            else:
                self._authorities.lift_veto(system, _source(given.condition.point))

    def succeed(self, earlier: AuthorityInputs) -> None:
        """Go on with what the same inputs said; an input that is no more objects to nothing."""
        for system, given in earlier._inputs.items():
            if self._inputs.get(system) == given:
                self._memories[system] = earlier._memories[system]
            elif system in self._authorities.vetoes:
                self._authorities.lift_veto(system, _source(given.condition.point))


def _source(point: PointId) -> str:
    return f"input {point}"
