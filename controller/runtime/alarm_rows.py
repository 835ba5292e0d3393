"""The list of alarms as plain JSON, the same for the command line, the live view and messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from controller.core.alarm import ANNOUNCED, AlarmState, Priority
from controller.core.event import JsonValue
from controller.core.point import Point, PointId
from controller.core.sample import Sample
from controller.runtime.listed_alarm import Alarm
from controller.runtime.shown import Json, text


def rows(
    alarms: Collection[Alarm],
    points: Mapping[PointId, Point],
    samples: Mapping[PointId, Sample],
    monotonic: float,
    *,
    everything: bool,
) -> list[JsonValue]:
    """Most urgent first, then the newest; what is normal or kept from view only where everything is asked for."""
    shown = [alarm for alarm in alarms if everything or _is_shown(alarm)]
    shown.sort(key=lambda alarm: "" if alarm.raised is None else alarm.raised.isoformat(), reverse=True)
    shown.sort(key=lambda alarm: (alarm.state not in ANNOUNCED, alarm.behaviour.priority))
    return [row(alarm, points, samples, monotonic) for alarm in shown]


def row(alarm: Alarm, points: Mapping[PointId, Point], samples: Mapping[PointId, Sample], monotonic: float) -> Json:
    """value: of the alarm's point now; value_then: when it was raised. cause: what whoever raised it told."""
    subject = PointId(alarm.id.subject)
    point, sample = points.get(subject), samples.get(subject)
    shelf = alarm.standing.shelved_until
    return {
        "id": str(alarm.id),
        "subject": alarm.id.subject,
        "alarm": alarm.id.name,
        "state": alarm.state.value,
        "is_active": alarm.standing.is_active,
        "priority": alarm.behaviour.priority.name.lower(),
        "raised": None if alarm.raised is None else alarm.raised.isoformat(),
        "wrong": text(alarm.wording.wrong),
        "advice": text(alarm.wording.advice),
        "cause": text(alarm.cause),
        "value": None if sample is None else sample.value,
        "value_then": alarm.value,
        "unit": None if point is None else point.unit.value,
        "who": alarm.who,
        "why": alarm.why,
        "suppressed_by": text(alarm.suppressed_by) if alarm.state is AlarmState.SUPPRESSED else None,
        "shelved_for_s": None if shelf is None else round(max(0.0, shelf - monotonic), 1),
    }


def counts(alarms: Collection[Alarm]) -> Json:
    """active: announced and not over. unacknowledged: nobody has seen them. By priority: of what people look at."""
    states = Counter(alarm.state for alarm in alarms)
    announced = Counter(alarm.behaviour.priority for alarm in alarms if alarm.state in ANNOUNCED)
    return {
        "active": states[AlarmState.UNACKNOWLEDGED] + states[AlarmState.ACKNOWLEDGED],
        "unacknowledged": states[AlarmState.UNACKNOWLEDGED] + states[AlarmState.RETURNED],
        "shelved": states[AlarmState.SHELVED],
        "out_of_service": states[AlarmState.OUT_OF_SERVICE],
        **{priority.name.lower(): announced[priority] for priority in Priority},
    }


def _is_shown(alarm: Alarm) -> bool:
    """Suppressed alarms are explained by another; what people put aside stays in their sight."""
    return alarm.state in ANNOUNCED or alarm.state in (AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)
