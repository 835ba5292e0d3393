"""Alarms as events: what other parts tell of them, and what the list tells of its own transitions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from controller.core.alarm import ANNOUNCED, AlarmId, AlarmState, Standing
from controller.core.alarm_catalogue import DEVICE_LOST, LINK_LOST, STRATEGY_FAULT
from controller.core.event import Event, EventKind, JsonValue
from controller.core.text import NO_TEXT, Text
from controller.runtime.listed_alarm import Alarm

_STEPS = {
    AlarmState.UNACKNOWLEDGED: "active",
    AlarmState.ACKNOWLEDGED: "acknowledged",
    AlarmState.RETURNED: "returned",
    AlarmState.NORMAL: "cleared",
    AlarmState.SUPPRESSED: "suppressed",
    AlarmState.SHELVED: "shelved",
    AlarmState.OUT_OF_SERVICE: "out of service",
}


class Report(NamedTuple):
    """What an event tells of an alarm."""

    alarm: AlarmId
    is_active: bool
    cause: Text


def reported(event: Event, links: Collection[str]) -> Report | None:
    """None where the event tells of no alarm, or is the list's own. links: the ids of the site's links."""
    body, subject = event.body, event.subject
    if event.kind is EventKind.ALARM:
        if "priority" not in body:  # that would be our own
            return Report(AlarmId(subject, str(body["alarm"])), body["state"] == "active", _cause(body))
    elif event.kind is EventKind.LINK and body.get("state") in ("lost", "back", "connected"):
        name = LINK_LOST if subject in links else DEVICE_LOST
        return Report(AlarmId(subject, name), body["state"] == "lost", _cause(body))
    elif event.kind is EventKind.STRATEGY and ("fault" in body or body.get("step") == "restarted"):
        fault = body.get("fault")
        return Report(AlarmId(subject, STRATEGY_FAULT), fault is not None, _both(fault))
    return None


def transition(alarm: Alarm, before: AlarmState, who: str, why: str) -> dict[str, JsonValue] | None:
    """What an alarm's new state says in the record; None where nobody wants to know, or its own event has said it."""
    after = alarm.state
    told_already = alarm.is_heard and {before, after} == {AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED}
    is_of_interest = before in ANNOUNCED or after in ANNOUNCED or bool(who)
    if told_already or not is_of_interest:
        return None
    body = body_of(alarm, "acknowledged" if who and before is AlarmState.RETURNED else _STEPS[after])
    if who:
        body |= {"who": who, "why": why}
    if after is AlarmState.UNACKNOWLEDGED:
        said = alarm.cause if alarm.cause.en else alarm.wording.wrong
        body |= {"reason": said.en, "reason_zh": said.zh}
    return body


def deed(alarm: Alarm, before: Standing, who: str, why: str) -> dict[str, JsonValue]:
    """What somebody did shows nowhere in the list (it is shelved or out of service), but it was done."""
    after = alarm.standing
    done = "shelved"
    if after.is_out_of_service != before.is_out_of_service:
        done = "out of service" if after.is_out_of_service else "into service"
    elif after.shelved_until is None and before.shelved_until is not None:
        done = "unshelved"
    elif after.is_acknowledged != before.is_acknowledged:
        done = "acknowledged"
    return {**body_of(alarm, done), "who": who, "why": why}


def body_of(alarm: Alarm, state: str) -> dict[str, JsonValue]:
    """The list's own event; by its priority it is told from what others tell."""
    return {"alarm": alarm.id.name, "state": state, "priority": alarm.behaviour.priority.name.lower()}


def _both(said: JsonValue) -> Text:
    return NO_TEXT if said is None else Text(str(said), str(said))


def _cause(body: Mapping[str, JsonValue]) -> Text:
    if "reason" in body:
        return Text(str(body["reason"]), str(body.get("reason_zh", body["reason"])))
    cause = _both(body.get("cause"))
    return Text(cause.en, str(body.get("cause_zh", cause.zh)))
