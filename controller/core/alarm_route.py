"""Who is told of which alarms, and who next where nobody acknowledges; how many messages a person can take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from controller.core.alarm import Priority
from controller.core.text import Language

# A person can follow ten new alarms in ten minutes; below five the flood is over (ANSI/ISA-18.2-2016, clause 16).
FLOOD_WINDOW_S = 600.0
FLOOD_BEGINS = 10
FLOOD_ENDS = 5


@dataclass(frozen=True, slots=True)
class Rung:
    """address: a messenger's, in the form that Apprise reads. after: unacknowledged for so long."""

    address: str = field(repr=False)
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Route:
    """Alarms of at least `priority` go to the first rung, and on to the others while nobody acknowledges them."""

    id: str
    priority: Priority
    ladder: tuple[Rung, ...]
    language: Language = "en"

    def takes(self, priority: Priority) -> bool:
        return priority <= self.priority

    def climbed(self, since: float) -> list[float]:
        """When each rung is told of an alarm that nobody has acknowledged since then."""
        return [since + rung.after.total_seconds() for rung in self.ladder]


class Flood(NamedTuple):
    """raised: when the latest alarms were, oldest first. on: whether more come than a person can follow."""

    raised: tuple[float, ...] = ()
    on: bool = False

    def another(self, monotonic: float) -> Flood:
        raised = (*self.raised, monotonic)[-(FLOOD_BEGINS + 1) :]
        return Flood(raised, self.on).at(monotonic)

    def at(self, monotonic: float) -> Flood:
        raised = tuple(each for each in self.raised if monotonic - each < FLOOD_WINDOW_S)
        return Flood(raised, len(raised) > FLOOD_BEGINS or (self.on and len(raised) >= FLOOD_ENDS))
