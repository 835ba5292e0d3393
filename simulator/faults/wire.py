"""How a device answers while something is wrong on its wire. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from simulator.faults.fault import Fault


class Wire(NamedTuple):
    """delay: wire seconds before each answer. is_silent: nothing is answered; is_refused: no connection either;
    is_down: it has no power or is starting, and has lost its connections. has_other_words: values of several registers
    come in the other word order. offset: of the device's clock [s].
    """

    delay: float = 0.0
    is_silent: bool = False
    is_refused: bool = False
    has_other_words: bool = False
    offset: float = 0.0
    is_down: bool = False


WELL = Wire()


def wires(faults: Iterable[Fault]) -> dict[str, Wire]:
    """By point; a point whose device answers as it should is not there."""
    found: dict[str, Wire] = {}
    for fault in faults:
        for point in fault.points:
            wire = _with(found.get(point, WELL), fault)
            if wire != WELL:
                found[point] = wire
    return found


def _with(wire: Wire, fault: Fault) -> Wire:
    match fault.kind:
        case "slow":
            return wire._replace(delay=fault.number("delay"))
        case "hang":
            return wire._replace(is_silent=True)
        case "reboot" | "mains_dip":
            return wire._replace(is_silent=True, is_down=True)
        case "refuse":
            return wire._replace(is_refused=True)
        case "word_order":
            return wire._replace(has_other_words=True)
        case "clock_offset":
            return wire._replace(offset=fault.number("offset"))
        case _:
            return wire
