"""Growing pauses between attempts, capped, with jitter, for ever."""

from __future__ import annotations

import random

FIRST_S = 1.0
LONGEST_S = 60.0
# Devices that were lost together must not all be asked again at the same instant.
JITTER = 0.2


class Backoff:
    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._pause = FIRST_S

    def reset(self) -> None:
        self._pause = FIRST_S

    def next_pause(self) -> float:
        """Seconds to wait before the next attempt; never more than LONGEST_S."""
        pause = self._pause
        self._pause = min(2 * pause, LONGEST_S)
        return pause * (1 - JITTER * self._random.random())
