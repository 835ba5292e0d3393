"""Steps that follow each other only on proof: a status, for as long as it takes, else a way out after a time-out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from strategies.blocks.timers import Delayed, delayed


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a sequence stands: its step, for how many seconds, and its proof."""

    step: str
    seconds: float = 0.0
    proof: Delayed = field(default_factory=Delayed)


class Outcome(Enum):
    WAITS = "waits"
    PROVEN = "proven"
    TIMED_OUT = "timed out"


def awaited(
    progress: Progress, is_proven: bool, *, lasting: float, within: float, elapsed: float
) -> tuple[Progress, Outcome]:
    """The same step `elapsed` seconds later, and what came of its proof, which must last for `lasting` seconds.

    Proof in the instant of the time-out is proof.

    >>> awaited(Progress("open"), True, lasting=0.0, within=60.0, elapsed=1.0)[1]
    <Outcome.PROVEN: 'proven'>
    """
    seconds = progress.seconds + elapsed
    proof = delayed(progress.proof, is_proven, on_after=lasting, off_after=0.0, elapsed=elapsed)
    here = Progress(progress.step, seconds, proof)
    if proof.value:
        return here, Outcome.PROVEN
    return here, Outcome.TIMED_OUT if seconds >= within else Outcome.WAITS
