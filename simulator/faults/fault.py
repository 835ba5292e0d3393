"""One fault: what goes wrong with what, from when to when. Plain data, from a file, a test or a person at run time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from simulator.faults.kinds import KINDS, Choice, Kind, Number
from simulator.gateway import Value

Parameters = Mapping[str, Value | str]


@dataclass(frozen=True, slots=True)
class Fault:
    """begins, ends: plant time, seconds of the epoch. target: "" is the whole site. points: those behind the devices
    that it is aimed at, of all devices for the whole site.
    """

    kind: str
    target: str
    begins: float
    ends: float = inf
    parameters: Parameters = field(default_factory=dict[str, Value | str])
    points: tuple[str, ...] = ()

    @property
    def known(self) -> Kind:
        return KINDS[self.kind]

    def parameter(self, name: str) -> Value | str | None:
        """As it was said, else as it is unless it is said; None for neither."""
        if name in self.parameters:
            return self.parameters[name]
        declared = self.known.parameters[name]
        return declared.default if isinstance(declared, Number | Choice) else None

    def number(self, name: str) -> float:
        return float(self.parameter(name) or 0.0)

    def value(self) -> Value:
        """That it was given. Raises ValueError for none, and for what is none."""
        value = self.parameter("value")
        if value is None or isinstance(value, str):
            raise ValueError(f"{value!r} is no value of {self.target}")
        return value

    def acts_on(self) -> Collection[str]:
        """What another fault could be aimed at, too."""
        return self.points or (self.target,)


class Contradiction(NamedTuple):
    """Two faults that cannot both be; `later` begins while `earlier` lasts, or with it."""

    later: Fault
    earlier: Fault


def contradictions(faults: Collection[Fault]) -> list[Contradiction]:
    """Those that are of one group, act on the same, and overlap in time."""
    found: list[Contradiction] = []
    ordered = sorted(faults, key=lambda each: each.begins)
    for index, later in enumerate(ordered):
        found += [Contradiction(later, earlier) for earlier in ordered[:index] if _contradict(earlier, later)]
    return found


def _contradict(earlier: Fault, later: Fault) -> bool:
    group = earlier.known.group
    if not group or group != later.known.group or later.begins >= earlier.ends:
        return False
    return not set(earlier.acts_on()).isdisjoint(later.acts_on())
