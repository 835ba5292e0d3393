"""What a message says: a title that fits a telephone, and lines that say what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.alarm import AlarmState, Priority
from controller.core.text import Language, Text

# A summary names so many; the rest is counted.
NAMED = 5


class Step(Enum):
    RAISED = Text("", "")
    CLEARED = Text("cleared", "已消除")
    SHELVED = Text("shelved", "已搁置")
    SUPPRESSED = Text("explained by another alarm, or the equipment is off", "由其他报警引起，或设备已停")
    OUT_OF_SERVICE = Text("out of service", "已停用")


STEPS: Mapping[AlarmState, Step] = {
    AlarmState.NORMAL: Step.CLEARED,
    AlarmState.RETURNED: Step.CLEARED,
    AlarmState.SHELVED: Step.SHELVED,
    AlarmState.SUPPRESSED: Step.SUPPRESSED,
    AlarmState.OUT_OF_SERVICE: Step.OUT_OF_SERVICE,
}
"""How an alarm that somebody was told of is no longer in their list."""

_PRIORITIES: Mapping[Priority, Text] = {
    Priority.URGENT: Text("urgent", "紧急"),
    Priority.HIGH: Text("high", "高"),
    Priority.MEDIUM: Text("medium", "中"),
    Priority.LOW: Text("low", "低"),
}
_VALUE = Text("value: {}", "当时值：{}")
_SINCE = Text("since {}", "发生于 {}")
_ACKNOWLEDGE = Text("acknowledge: tidewatt alarms SITE acknowledge {}", "确认：tidewatt alarms SITE acknowledge {}")
_FLOOD = Text("alarm flood: {} new, {} over", "报警洪泛：新增 {}，消除 {}")
_MORE = Text("and {} more: tidewatt alarms SITE", "另有 {} 个：tidewatt alarms SITE")


class Message(NamedTuple):
    title: str
    body: str


class Notice(NamedTuple):
    """What one message is about. value: with its unit, "" where there is none. at: aware UTC. queued: monotonic."""

    alarm: str
    step: Step
    priority: Priority
    wrong: Text
    cause: Text
    advice: Text
    value: str
    at: datetime
    queued: float


def single(notice: Notice, site: str, zone: ZoneInfo, language: Language) -> Message:
    told = notice.step.value.in_language(language) or _PRIORITIES[notice.priority].in_language(language)
    title = f"[{told}] {site}: {_matter(notice, language)}"
    lines = [notice.alarm]
    if notice.step is Step.RAISED:
        lines += [
            notice.cause.in_language(language),
            _VALUE.in_language(language).format(notice.value) if notice.value else "",
            f"→ {notice.advice.in_language(language)}" if notice.advice.en else "",
        ]
    lines.append(_SINCE.in_language(language).format(f"{notice.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"))
    if notice.step is Step.RAISED:
        lines.append(_ACKNOWLEDGE.in_language(language).format(notice.alarm))
    return Message(title, "\n".join(line for line in lines if line))


def summary(notices: Sequence[Notice], site: str, language: Language) -> Message:
    """One message for many; the most urgent are named."""
    raised = sorted((each for each in notices if each.step is Step.RAISED), key=lambda each: each.priority)
    title = f"{site}: {_FLOOD.in_language(language).format(len(raised), len(notices) - len(raised))}"
    lines = [
        f"[{_PRIORITIES[each.priority].in_language(language)}] {each.alarm}: {_matter(each, language)}"
        for each in raised[:NAMED]
    ]
    if len(raised) > NAMED:
        lines.append(_MORE.in_language(language).format(len(raised) - NAMED))
    return Message(title, "\n".join(lines))


def _matter(notice: Notice, language: Language) -> str:
    return notice.wrong.in_language(language) or notice.cause.in_language(language) or notice.alarm
