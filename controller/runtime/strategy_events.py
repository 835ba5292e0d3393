"""What is told of strategies: what they decide, and which inputs they go without."""

from __future__ import annotations

from controller.core.event import EventKind, JsonValue
from controller.runtime.journal import Journal
from controller.runtime.mounted import MountedStrategy


def note_rungs(journal: Journal, strategy: MountedStrategy) -> None:
    """Inputs that stand on another rung of their ladder."""
    for rung in strategy.take_changed_rungs():
        states: dict[str, JsonValue] = {
            "input": str(rung.input),
            "before": rung.before.value,
            "now": rung.now.value,
        }
        body: dict[str, JsonValue] = {"step": "input", **states, "point": rung.point, "cause": rung.cause}
        journal.note(EventKind.STRATEGY, strategy.mount.id, body)


def note_decision(journal: Journal, strategy: MountedStrategy) -> None:
    fault = None if strategy.awaits_plan else strategy.fault
    body: dict[str, JsonValue] = {
        "mode": strategy.mode.value,
        "reason": strategy.reason.en,
        "reason_zh": strategy.reason.zh,
        "wishes": {str(point): value for point, value in strategy.wishes.items()},
        "fault": None if fault is None else fault.description,
    }
    journal.note(EventKind.STRATEGY, strategy.mount.id, body)
