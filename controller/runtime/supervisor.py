"""The one place with a broad catch: a strategy's fault must not stop the building's other strategies.

Everywhere else an unexpected exception is a bug of the shell: it propagates, we let go and exit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

from controller.core.errors import BadInput

P = ParamSpec("P")
ResultT = TypeVar("ResultT")

RETRY_FIRST_S = 60.0
MOST_FAULTS = 5


class Fault(NamedTuple):
    """What a strategy raised. `lets_go`: BadInput, for which it must let go at once."""

    description: str
    lets_go: bool


def isolate(step: Callable[P, ResultT], *arguments: P.args, **named: P.kwargs) -> ResultT | Fault:
    """The step's result, or its fault as data."""
    try:
        return step(*arguments, **named)
    except BadInput as error:
        return Fault(f"input missing: {error}", lets_go=True)
    except Exception as error:
        return Fault(f"{type(error).__name__}: {error}", lets_go=False)


def outcome(function: Callable[[Any], Any], argument: Any) -> tuple[bool, Any]:
    """(True, result) or (False, description) of a job in the worker process."""
    result = isolate(function, argument)
    if isinstance(result, Fault):
        return False, result.description
    return True, result


class FaultCount(NamedTuple):
    """After each fault a strategy rests, twice as long each time; after MOST_FAULTS it is off until somebody acts."""

    faults: int = 0
    retry_at: float = 0.0

    @property
    def is_off(self) -> bool:
        return self.faults >= MOST_FAULTS

    def may_step(self, monotonic: float) -> bool:
        return not self.is_off and monotonic >= self.retry_at

    def after_fault(self, monotonic: float) -> FaultCount:
        return FaultCount(self.faults + 1, monotonic + RETRY_FIRST_S * 2.0**self.faults)
