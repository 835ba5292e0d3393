"""What of a day's messages a robot has taken, so that a restart sends none twice and leaves none out."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any, NamedTuple

from controller.sunclock.robot import Content

_DIGITS = 16


class Sent(NamedTuple):
    """taken: digests of messages. is_whole: nothing of that day is left to send."""

    day: date
    taken: tuple[str, ...] = ()
    is_whole: bool = False

    def has(self, content: Content) -> bool:
        return _digest(content) in self.taken

    def with_taken(self, content: Content) -> Sent:
        return self._replace(taken=(*self.taken, _digest(content)))


def as_text(sent: Sent) -> str:
    """As it is stored."""
    return json.dumps([sent.day.isoformat(), sent.taken, sent.is_whole])


def from_text(stored: str) -> Sent:
    read: Any = json.loads(stored)
    return Sent(date.fromisoformat(read[0]), tuple(read[1]), read[2])


def _digest(content: Content) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_DIGITS]
