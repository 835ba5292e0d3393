"""An input that keeps a system with its original controls: a key switch on the panel, a word over MQTT. Pure.

Level, not edge: while it says so, or nobody knows what it says, the system is its original controls'.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from controller.core.sample import Sample
from controller.core.system import AuthorityInput
from controller.core.text import Text


class InputMemory(NamedTuple):
    """objection: why the system stays with its original controls now, or None. known_at: when the input was last GOOD,
    agreed_since: since when it has said otherwise; monotonic. is_silent: it objects because it is not known."""

    objection: Text | None
    known_at: float = -math.inf
    agreed_since: float = math.inf
    is_silent: bool = False


NEVER_SEEN = InputMemory(Text("not seen yet", "尚未读到"))


def looked_at(memory: InputMemory, given: AuthorityInput, sample: Sample, monotonic: float) -> InputMemory:
    """What the input says after another look; at a start nothing is agreed to before it has been seen."""
    point = given.condition.point
    if not sample.is_good:
        if monotonic - memory.known_at < given.unknown_after.total_seconds():
            return memory._replace(agreed_since=math.inf)
        unknown = Text(f"{point} is not known: {sample.reason}", f"{point} 状态未知")
        # Another cause of the same silence is no news.
        return memory if memory.is_silent else InputMemory(unknown, memory.known_at, is_silent=True)
    if given.condition.holds(sample):
        says = Text(f"{point} is {_plain(sample)}", f"{point} 为 {_plain(sample)}")
        return InputMemory(says, monotonic)
    if memory.objection is None or memory.known_at == -math.inf:
        return InputMemory(None, monotonic, monotonic)
    since = min(memory.agreed_since, monotonic)
    if monotonic - since >= given.back_after.total_seconds():
        return InputMemory(None, monotonic, since)
    return InputMemory(memory.objection, monotonic, since)


def _plain(sample: Sample) -> str:
    return str(sample.value).lower() if isinstance(sample.value, bool) else str(sample.value)
