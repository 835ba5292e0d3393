"""Electricity meter: a register that rolls over, and the demand of quarters of an hour.

References
----------
[1] IEC 62052-11 (general requirements of meters) and DL/T 614-2007 (multi-function meters): energy registers of a
    number of digits; maximum demand as the mean power of a period of 15 min, fixed by the meter's clock (block) or
    moved on in parts of it (sliding).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

PERIOD_S = 900.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class MeterModel:
    """digits of the register before the point; resolution: of its last digit [kWh]; ratio of the transformers, by which
    the register has to be multiplied; parts of the demand period: 1 for blocks, 15 for one that slides by the minute.
    """

    digits: int = 6
    resolution: float = 0.01
    ratio: float = 1.0
    parts: int = 1


class MeterState(NamedTuple):
    """energy: since the meter was made, behind its transformers [kWh]; in_part: in the part of the period that runs
    [kWh]; parts: those that are complete [kWh], the latest last; demand: of the last period, largest: since the last
    reset [kW].
    """

    energy: float = 0.0
    in_part: float = 0.0
    parts: tuple[float, ...] = ()
    demand: float = 0.0
    largest: float = 0.0


def step(model: MeterModel, state: MeterState, power: float, at: float, dt: float) -> MeterState:
    """The meter after dt [s] from a second `at` of its own clock with a power [kW] that is held; periods begin at whole
    multiples of 15 min of that clock. Energy that is fed back (power < 0) is not counted.
    """
    taken = max(0.0, power) / model.ratio
    length = PERIOD_S / model.parts
    for share, ends in _parts(at, dt, length):
        amount = taken * share / _HOUR
        state = state._replace(energy=state.energy + amount, in_part=state.in_part + amount)
        if ends:
            state = _ended(model, state)
    return state


def register(model: MeterModel, state: MeterState) -> float:
    """What the meter shows [kWh]: whole steps of its resolution, and from the beginning again when the digits are used
    up.
    """
    steps = int(state.energy / model.resolution + 1e-6)
    return steps % round(10**model.digits / model.resolution) * model.resolution


def reset(state: MeterState) -> MeterState:
    """The billing period ends: the largest demand begins anew."""
    return state._replace(largest=0.0)


def _parts(at: float, dt: float, length: float) -> Iterator[tuple[float, bool]]:
    """Seconds of a step in each part of a period that it touches, and whether that part ends with it."""
    left = dt
    while left > 0.0:
        room = length - at % length
        share = min(left, room)
        yield share, share == room
        at, left = at + share, left - share


def _ended(model: MeterModel, state: MeterState) -> MeterState:
    parts = (*state.parts, state.in_part)[-model.parts :]
    demand = sum(parts) * model.ratio * _HOUR / PERIOD_S
    largest = max(state.largest, demand) if len(parts) == model.parts else state.largest
    return state._replace(in_part=0.0, parts=parts, demand=demand, largest=largest)
