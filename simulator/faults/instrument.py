"""What an instrument shows of a true value. Pure: the same fault, value, instant and seed show the same.

Noise and dropouts are drawn anew for each second and each spell of SPELL_S of plant time, from the seed, the tag and
the instant; nobody's reading changes what the next one sees.
"""

from math import floor
from random import Random
from typing import NamedTuple

from simulator.faults.fault import Fault
from simulator.gateway import Value

SPELL_S = 10.0
_SECONDS_PER_HOUR = 3600.0


class Seized(NamedTuple):
    """A fault at an instrument, with what that showed when it began."""

    fault: Fault
    before: Value


def shown(seized: Seized, tag: str, value: Value | None, at: float, seed: int) -> Value | None:
    """The reading [unit of the tag] at plant time `at` [s of the epoch]; None where the instrument gives none."""
    if value is None:
        return None
    fault = seized.fault
    match fault.kind:
        case "drift":
            return value + fault.number("rate") * (at - fault.begins) / _SECONDS_PER_HOUR
        case "stuck":
            stands = fault.parameters.get("value", seized.before)
            return seized.before if isinstance(stands, str) else stands
        case "noise":
            return value + Random(f"{seed} {tag} noise {floor(at)}").gauss(0.0, fault.number("deviation"))
        case "dropout":
            chance = Random(f"{seed} {tag} dropout {floor(at / SPELL_S)}").random()
            return None if chance < fault.number("share") else value
        case "meter_rollover":
            return value % fault.number("range")
        case "meter_replacement":
            return value - float(seized.before) + fault.number("reading")
        case _:
            return value
