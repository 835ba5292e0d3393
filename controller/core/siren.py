"""The site's own siren: what it sounds for, and for how long at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from controller.core.alarm import AlarmState, Priority
from controller.core.point import PointId
from controller.core.system import Condition

_WAITING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED})


@dataclass(frozen=True, slots=True)
class Siren:
    """Sounds while an alarm of at least `priority` waits to be acknowledged, until somebody silences it; `longest`
    after the latest of them it silences itself. Silencing acknowledges nothing (ANSI/ISA-18.2-2016).

    silence: a button at the site; pressing it, not holding it, silences.
    """

    point: PointId
    priority: Priority
    longest: timedelta
    silence: Condition | None = None

    def is_for(self, priority: Priority, state: AlarmState) -> bool:
        return priority <= self.priority and state in _WAITING
