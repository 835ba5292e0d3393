"""Who insists that a system stays with its original controls, whatever people decide: one `original` outweighs all."""

from __future__ import annotations

from collections.abc import Iterable

from controller.core.text import Text


class Vetoes:
    """By system and source; a source has one reason at a time."""

    def __init__(self, systems: Iterable[str]) -> None:
        self._reasons: dict[str, dict[str, Text]] = {system: {} for system in systems}

    def __contains__(self, system: str) -> bool:
        return system in self._reasons

    def of(self, system: str) -> dict[str, Text]:
        """Reasons by source, the oldest first."""
        return dict(self._reasons[system])

    def reason(self, system: str, but: str = "") -> Text | None:
        """The oldest; None where nobody objects. but: a source that does not count."""
        return next((reason for source, reason in self._reasons[system].items() if source != but), None)

    def succeed(self, earlier: Vetoes) -> None:
        """Whoever objected under an earlier configuration still does."""
        for system in self._reasons.keys() & earlier._reasons.keys():
            self._reasons[system] = earlier._reasons[system] | self._reasons[system]

    def place(self, system: str, source: str, reason: Text) -> None:
        self._reasons[system][source] = reason

    def lift(self, system: str, source: str) -> bool:
        """Answers whether it was the last."""
        there_was = self._reasons[system].pop(source, None) is not None
        return there_was and not self._reasons[system]
