"""What the small store keeps, as values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from controller.core.alarm import AlarmId
from controller.core.availability import Availability, Cause
from controller.core.forecast_score import Score
from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.text import Text
from controller.core.work_order import WorkOrder


class Held(NamedTuple):
    """A point in our hands: what we meant to write, what stood there before us, and what we had written earlier, which
    the device still has if the new value's bytes never left."""

    point: PointId
    value: Scalar
    before: Scalar | None
    earlier: Scalar | None = None


class OperatorCommand(NamedTuple):
    point: PointId
    value: Scalar
    source: str
    reason: str
    remaining: float


class StoredState(NamedTuple):
    kind: str
    version: int
    state: Any


class StoredAlarm(NamedTuple):
    """An alarm that is not normal. is_rule: raised by a rule of the site. content: plain JSON."""

    subject: str
    name: str
    is_rule: bool
    saved: datetime
    content: dict[str, Any]


class StoredEquipment(NamedTuple):
    """One part of what the log knows of an equipment: how it ran, what was done to it. content: plain JSON."""

    equipment: str
    part: str
    saved: datetime
    content: Any


class ConfigurationInForce(NamedTuple):
    """digest: of the compiled site. modes: of its strategies, by mount."""

    digest: str
    modes: dict[str, str]


class StoredAvailability(NamedTuple):
    """Why equipment was not in auto, and when it has tripped lately, aware UTC."""

    causes: tuple[Cause, ...]
    trips: tuple[datetime, ...]


class StoredStarts(NamedTuple):
    """ran: whether the machine ran when it was last known. starts: those of the last hour."""

    point: PointId
    ran: bool
    starts: tuple[datetime, ...]


class StoredWear(NamedTuple):
    """writes: of that local day. last: when the register was last written."""

    point: PointId
    day: date
    writes: int
    last: datetime


class StoredPlan(NamedTuple):
    made: datetime
    plan: Any


def score_of(stored: list[Any] | None) -> Score | None:
    """None also where another version measured other things."""
    return Score(*stored) if stored is not None and len(stored) == len(Score._fields) else None


def remainder(remaining: float, saved: str, now: datetime) -> float:
    """Seconds that are left of those when it was saved."""
    elapsed = (now - datetime.fromisoformat(saved)).total_seconds()
    # A wall clock that was set back must not lengthen a lease.
    return min(remaining, remaining - elapsed)


def plain_availability(each: StoredAvailability) -> dict[str, Any]:
    return {
        "causes": [[cause.availability.value, *cause.reason] for cause in each.causes],
        "trips": [trip.astimezone(UTC).isoformat() for trip in each.trips],
    }


def availability_of(content: dict[str, Any]) -> StoredAvailability:
    causes = tuple(Cause(Availability(name), Text(en, zh)) for name, en, zh in content["causes"])
    return StoredAvailability(causes, tuple(map(datetime.fromisoformat, content["trips"])))


def work_order_of(number: int, content: list[Any]) -> WorkOrder:
    alarm, opened, opened_by, text, closed, closed_by, done, even_so = content
    ended = None if closed is None else datetime.fromisoformat(closed)
    return WorkOrder(
        number, AlarmId(*alarm), datetime.fromisoformat(opened), opened_by, text, ended, closed_by, done, even_so
    )
