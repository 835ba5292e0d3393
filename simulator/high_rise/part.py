"""A part of the building between two looks: its state at the last one, and what it does until the next."""

from collections.abc import Callable
from typing import Generic, TypeVar

State = TypeVar("State")
Seen = TypeVar("Seen")
Done = TypeVar("Done")


class Part(Generic[State, Seen, Done]):
    """step: state after a time [s] and what was done in it; state: at `at`; seen and done: in force from then on; due:
    when to look again [s of the epoch].
    """

    def __init__(self, step: Callable[[State, Seen, float], tuple[State, Done]], state: State) -> None:
        self._step = step
        self.state = state
        self.at = self.due = 0.0

    def look(self, now: float, seen: Seen, period: float) -> None:
        """Find what is done from now to the next whole multiple of a period [s]."""
        self.at, self.due, self.seen = now, now - now % period + period, seen
        self._after, self.done = self._step(self.state, seen, self.due - now)

    def finish(self, now: float) -> None:
        """Bring the state to now; where that is sooner than was expected, by a step of its own."""
        if now == self.due:
            self.state = self._after
        elif now > self.at:
            self.state, _ = self._step(self.state, self.seen, now - self.at)
