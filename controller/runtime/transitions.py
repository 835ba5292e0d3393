"""What is told in the log of something that is lost and returns: each transition, but not for ever of what flaps."""

from __future__ import annotations

import logging
from collections import deque

# What changes so often within so many seconds comes and goes; it is told again once it was steady for as long.
MOST = 6
WITHIN_S = 600.0


class Transitions:
    """Of the links and devices of one link; times are monotonic."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._at: dict[str, deque[float]] = {}
        self._flapping: set[str] = set()

    def tell(self, subject: str, level: int, words: str, now: float) -> None:
        """subject: what people call it, such as "link plant"; words go on from there."""
        at = self._at.setdefault(subject, deque(maxlen=MOST))
        if subject in self._flapping and now - at[-1] >= WITHIN_S:
            self._flapping.discard(subject)
            at.clear()
        is_often = len(at) == MOST and now - at[0] < WITHIN_S
        at.append(now)
        if subject in self._flapping:
            return
        self._log.log(level, "%s %s", subject, words)
        if is_often:
            self._flapping.add(subject)
            self._log.warning("%s comes and goes; told again once it was steady for %.0f min", subject, WITHIN_S / 60)
