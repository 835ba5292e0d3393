"""What is told of verdicts: events of what becomes of our writes, and alarms of what somebody should look into."""

from __future__ import annotations

import logging
from collections.abc import Container

from controller.core.event import EventKind
from controller.core.ledger import Holding, Verdict
from controller.core.point import PointId
from controller.runtime.journal import Journal

log = logging.getLogger(__name__)

_ALARMING = (Verdict.IGNORED, Verdict.OVERRIDDEN, Verdict.IMPLAUSIBLE)


class VerdictAlarms:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._active: dict[PointId, Verdict] = {}

    def succeed(self, earlier: VerdictAlarms, points: Container[PointId]) -> None:
        self._active = {point: each for point, each in earlier._active.items() if point in points}

    def tell(self, holding: Holding, *, is_heartbeat: bool) -> None:
        """Another verdict; of a heartbeat, which is written all the time, only what is alarming."""
        if not is_heartbeat or holding.verdict in _ALARMING:
            body = {"verdict": holding.verdict.value, "written": holding.value, "read": holding.seen}
            self._journal.note(EventKind.VERDICT, holding.point, body)
        self.look_at(holding)

    def look_at(self, holding: Holding) -> None:
        """An alarm is raised once, however often the write is tried again, and cleared once it is over."""
        point, verdict = holding.point, holding.verdict
        present = self._active.get(point)
        if verdict is Verdict.PENDING or verdict is present:
            return
        if present is not None:
            del self._active[point]
            self._note(point, present.value, is_active=False)
        if verdict in _ALARMING:
            self._active[point] = verdict
            self._note(point, verdict.value, is_active=True)
            log.warning(
                "%s: %s: written %s, read %s %s", point, verdict.value, holding.value, holding.seen, holding.refusal
            )

    def note_effect(self, point: PointId, *, is_missing: bool) -> None:
        self._note(point, "effect missing", is_active=is_missing)

    def clear(self, holding: Holding) -> None:
        """It is not ours any more."""
        verdict = self._active.pop(holding.point, None)
        if verdict is not None:
            self._note(holding.point, verdict.value, is_active=False)
        if holding.effect_missing:
            self.note_effect(holding.point, is_missing=False)

    def _note(self, point: PointId, alarm: str, *, is_active: bool) -> None:
        state = "active" if is_active else "cleared"
        self._journal.note(EventKind.ALARM, point, {"alarm": alarm, "state": state})
