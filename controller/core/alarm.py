"""One alarm: its states and what moves it from one to another (ANSI/ISA-18.2-2016, IEC 62682).

Pure: a standing, what was seen or done, and the time give the next standing. Times are the clock's monotonic seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple

from controller.core.text import NO_TEXT, Text


class Priority(IntEnum):
    """How soon somebody must act; the most urgent is the smallest, as everywhere here."""

    URGENT = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4


class AlarmState(StrEnum):
    """In the standard's words and letters: A, B, C, D, G, H, I."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


ANNOUNCED = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED})
"""The states that a person looks at; in the others the alarm is over, or is kept from them on purpose."""

HIDDEN = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})


class AlarmId(NamedTuple):
    """subject: point, device, link, strategy, system or site. name: what is wrong with it, in a few words."""

    subject: str
    name: str

    def __str__(self) -> str:
        """As people type it: plant.pump_1.command:effect_missing."""
        return f"{self.subject}:{self.name.replace(' ', '_')}"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """on_delay: the condition must last as long before the alarm is active; off_delay: be over as long before it
    returns to normal. latching: it stays in the list, once over, until somebody has acknowledged it. orders_work: a
    work order is opened with it."""

    priority: Priority
    on_delay: timedelta = timedelta(0)
    off_delay: timedelta = timedelta(0)
    latching: bool = False
    orders_work: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """wrong: what is the matter. advice: what to do about it."""

    wrong: Text = NO_TEXT
    advice: Text = NO_TEXT


class Standing(NamedTuple):
    """condition: what was seen last. is_active: the condition after its delays. changing_since: since when the two
    differ. shelved_until, is_suppressed, is_out_of_service: what keeps the alarm from people."""

    condition: bool = False
    is_active: bool = False
    is_acknowledged: bool = True
    changing_since: float | None = None
    shelved_until: float | None = None
    is_suppressed: bool = False
    is_out_of_service: bool = False

    @property
    def state(self) -> AlarmState:
        if self.is_out_of_service:
            return AlarmState.OUT_OF_SERVICE
        if self.is_suppressed:
            return AlarmState.SUPPRESSED
        if self.shelved_until is not None:
            return AlarmState.SHELVED
        if self.is_active:
            return AlarmState.ACKNOWLEDGED if self.is_acknowledged else AlarmState.UNACKNOWLEDGED
        return AlarmState.NORMAL if self.is_acknowledged else AlarmState.RETURNED

    @property
    def is_hidden(self) -> bool:
        return self.is_out_of_service or self.is_suppressed or self.shelved_until is not None

    def next_change(self, behaviour: Behaviour) -> float:
        """When time alone changes something; infinity where it does not."""
        shelf = math.inf if self.shelved_until is None else self.shelved_until
        if self.changing_since is None or (self.condition and self.is_suppressed):
            return shelf
        return min(shelf, self.changing_since + _delay(self, behaviour))


NORMAL = Standing()


def seen(standing: Standing, behaviour: Behaviour, *, condition: bool, monotonic: float) -> Standing:
    """The condition as it is now; delays and shelving that are over by then have their effect."""
    if standing.shelved_until is not None and monotonic >= standing.shelved_until:
        standing = unshelved(standing)
    differs = condition != standing.is_active
    since = standing.changing_since if differs and condition == standing.condition else None
    if differs and since is None:
        since = monotonic
    standing = standing._replace(condition=condition, changing_since=since)
    if since is None or (condition and standing.is_suppressed) or monotonic < since + _delay(standing, behaviour):
        return standing
    standing = standing._replace(is_active=condition, changing_since=None)
    if standing.is_hidden:
        return standing
    if condition:
        return standing._replace(is_acknowledged=False)
    return standing if behaviour.latching else standing._replace(is_acknowledged=True)


def acknowledged(standing: Standing) -> Standing:
    """A person has seen it."""
    return standing._replace(is_acknowledged=True)


def shelved(standing: Standing, until: float) -> Standing:
    """Kept from people until then, at their own wish."""
    return standing._replace(shelved_until=until, is_acknowledged=True)


def unshelved(standing: Standing) -> Standing:
    return _shown_again(standing, standing._replace(shelved_until=None))


def suppressed(standing: Standing, monotonic: float, *, by_design: bool) -> Standing:
    """Kept from people while something else explains it, or while the equipment is off. What begins meanwhile counts
    from the end of the suppression."""
    if by_design == standing.is_suppressed:
        return standing
    if by_design:
        return standing._replace(is_suppressed=True, is_acknowledged=True)
    begins = standing.condition and not standing.is_active
    after = standing._replace(is_suppressed=False, changing_since=monotonic if begins else standing.changing_since)
    return _shown_again(standing, after)


def out_of_service(standing: Standing, *, is_out: bool) -> Standing:
    """Taken out for maintenance: without an end, until a person puts it back."""
    if is_out:
        return standing._replace(is_out_of_service=True, is_acknowledged=True)
    return _shown_again(standing, standing._replace(is_out_of_service=False))


def _shown_again(before: Standing, after: Standing) -> Standing:
    """What comes back into sight active is a new alarm to whoever looks."""
    if before.is_hidden and not after.is_hidden and after.is_active:
        return after._replace(is_acknowledged=False)
    return after


def _delay(standing: Standing, behaviour: Behaviour) -> float:
    return (behaviour.on_delay if standing.condition else behaviour.off_delay).total_seconds()
