"""How a panel starts and stops machines, whoever decides which: valves, then pumps, then the chiller, and back.

Source: ASHRAE Guideline 36-2021, 5.20.4.16 and 5.20.4.17 (order of starting and stopping a chiller with its isolation
valves and pumps); the same order is wired into older panels. Each machine's pumps follow its valves, so that a pump
never works against a shut header nor a running chiller shares its flow with an open, unpumped neighbour for long.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.signals import Actuators, Seen, Shares
from simulator.plant.chiller_control import NEEDS_FLOW

OVERRUN_S = 180.0
"""Pumps and valves stay this long after a chiller, so that its barrels do not stand cold [s]."""
_PUMP_FROM = 0.25
"""Position of both header valves from which the machine's pumps run."""


class Held(NamedTuple):
    """Which machines keep their valves open; overruns: time left of each [s]."""

    machines: tuple[bool, ...]
    overruns: Shares


def held(wanted: Sequence[bool], seen: Seen, overruns: Shares, dt: float) -> Held:
    """Machines that are wanted, that still ask for flow, or whose overrun is not over after dt [s]."""
    left = tuple(
        [OVERRUN_S if mode in NEEDS_FLOW else max(0.0, overruns[number] - dt) for number, mode in enumerate(seen.modes)]
    )
    return Held(tuple([want or left[number] > 0.0 for number, want in enumerate(wanted)]), left)


def header_valves(plant: CoolingPlant, machines: Sequence[bool], exchanger: float = 0.0) -> Shares:
    """Positions that open the held machines to the headers, and the exchanger if there is one."""
    return (*[float(each) for each in machines], *((exchanger,) if plant.free_cooling is not None else ()))


def pumps(plant: CoolingPlant, at: Actuators, speed: float = 1.0) -> Shares:
    """Speeds of pumps that belong to the chillers one by one, each as soon as its chiller's valves have opened."""
    return _running(at.chilled_valves, at.condenser_valves, len(plant.chillers), speed)


@lru_cache(maxsize=64)
def _running(chilled_valves: Shares, condenser_valves: Shares, count: int, speed: float) -> Shares:
    """Valves move a few times a day, and panels look at them at every step."""
    valves = zip(chilled_valves[:count], condenser_valves[:count], strict=True)
    return tuple([speed if min(chilled, condenser) >= _PUMP_FROM else 0.0 for chilled, condenser in valves])


def enabled(wanted: Sequence[bool], at: Actuators) -> tuple[bool, ...]:
    """Chillers that may start: wanted, with their pumps on."""
    primary, condenser = at.primary, at.condenser
    return tuple([want and primary[number] > 0.0 and condenser[number] > 0.0 for number, want in enumerate(wanted)])
