"""One row of the list of alarms, and how it is kept over a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller.core.alarm import NORMAL, AlarmId, AlarmState, Behaviour, Standing, Wording
from controller.core.alarm_catalogue import NEEDS_AUTO
from controller.core.alarm_rule import PointRule
from controller.core.point import PointId, equipment_of
from controller.core.sample import Scalar
from controller.core.text import NO_TEXT, Text
from controller.runtime.stored import StoredAlarm


@dataclass(slots=True)
class Alarm:
    """One row. cause: what whoever raised it told. raised: when it became active, aware UTC. value: of its point, then.
    who, why: of the person who keeps it from view or acknowledged it. told: rungs that know, by route.
    is_heard: whoever raised it writes events of its own. suppressed_by: what explains it, where that is so.
    is_silenced: it calls the siren no more."""

    id: AlarmId
    behaviour: Behaviour
    wording: Wording
    parents: tuple[AlarmId, ...]
    rule: PointRule | None = None
    is_heard: bool = True
    standing: Standing = NORMAL
    cause: Text = NO_TEXT
    raised: datetime | None = None
    value: Scalar | None = None
    who: str = ""
    why: str = ""
    told: dict[str, int] | None = None
    suppressed_by: Text = NO_TEXT
    is_silenced: bool = False

    @property
    def state(self) -> AlarmState:
        return self.standing.state

    @property
    def explains(self) -> bool:
        """Whether it is the reason of what it is parent of; from the first sign on, before its own delay."""
        return self.standing.condition or self.standing.is_active

    @property
    def needs_auto(self) -> bool:
        """Whether it means nothing of equipment that is not in auto."""
        return self.id.name in NEEDS_AUTO if self.rule is None else self.rule.only_in_auto

    @property
    def equipment(self) -> str:
        return equipment_of(PointId(self.id.subject))

    @property
    def is_forgotten(self) -> bool:
        return self.rule is None and self.standing == NORMAL

    def go_on(self, before: Alarm) -> None:
        """Where the same alarm was under an earlier configuration."""
        self.standing, self.cause, self.raised = before.standing, before.cause, before.raised
        self.value, self.who, self.why, self.told = before.value, before.who, before.why, before.told
        self.suppressed_by, self.is_silenced = before.suppressed_by, before.is_silenced


def stored_form(alarm: Alarm, now: datetime, monotonic: float) -> StoredAlarm:
    standing = alarm.standing
    content: dict[str, Any] = {
        "condition": standing.condition,
        "active": standing.is_active,
        "acknowledged": standing.is_acknowledged,
        "changing_for_s": None if standing.changing_since is None else monotonic - standing.changing_since,
        "shelved_for_s": None if standing.shelved_until is None else standing.shelved_until - monotonic,
        "out_of_service": standing.is_out_of_service,
        "cause": list(alarm.cause),
        "raised": None if alarm.raised is None else alarm.raised.isoformat(),
        "value": alarm.value,
        "who": alarm.who,
        "why": alarm.why,
        "told": alarm.told,
        "silenced": alarm.is_silenced,
    }
    return StoredAlarm(alarm.id.subject, alarm.id.name, alarm.rule is not None, now, content)


def restore(alarm: Alarm, stored: StoredAlarm, now: datetime, monotonic: float) -> None:
    """Delays and shelving have their remaining time; a wall clock that was set back makes nothing longer."""
    content = stored.content
    elapsed = max(0.0, (now - stored.saved).total_seconds())
    changing, shelf = content["changing_for_s"], content["shelved_for_s"]
    alarm.standing = Standing(
        condition=content["condition"],
        is_active=content["active"],
        is_acknowledged=content["acknowledged"],
        changing_since=None if changing is None else monotonic - changing - elapsed,
        shelved_until=None if shelf is None else monotonic + shelf - elapsed,
        is_out_of_service=content["out_of_service"],
    )
    alarm.cause = Text(*content["cause"])
    alarm.raised = None if content["raised"] is None else datetime.fromisoformat(content["raised"])
    alarm.value, alarm.who, alarm.why = content["value"], content["who"], content["why"]
    alarm.told, alarm.is_silenced = content["told"], content.get("silenced", False)
