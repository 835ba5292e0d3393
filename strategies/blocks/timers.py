"""Timers after IEC 61131-3 (TOF, TON), counted with the seconds since the last decision."""

from __future__ import annotations

from dataclasses import dataclass


def off_delay(left: float, signal: bool, delay: float, elapsed: float) -> float:
    """Seconds for which a signal still holds: the full delay while it is there, then counted down to 0 (TOF)."""
    if signal:
        return delay
    return left - elapsed if left > elapsed else 0.0


@dataclass(frozen=True, slots=True)
class Delayed:
    """A two-state value that changes only after its signal has contradicted it long enough (TON and TOF in one).

    contradicted: seconds for which it has, None while the signal agrees.
    """

    value: bool = False
    contradicted: float | None = None


def delayed(state: Delayed, signal: bool, *, on_after: float, off_after: float, elapsed: float) -> Delayed:
    """The next state; the time before the first contradicting signal does not count."""
    if signal == state.value:
        return state if state.contradicted is None else Delayed(state.value)
    contradicted = 0.0 if state.contradicted is None else state.contradicted + elapsed
    if contradicted >= (on_after if signal else off_after):
        return Delayed(signal)
    return Delayed(state.value, contradicted)
