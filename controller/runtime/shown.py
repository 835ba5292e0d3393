"""What is shown, as plain JSON: the forms that all of it shares."""

from __future__ import annotations

from controller.core.event import Event, JsonValue
from controller.core.text import Text

Json = dict[str, JsonValue]


def text(both: Text) -> Json:
    return {"en": both.en, "zh": both.zh}


def event(each: Event) -> Json:
    return {"at": each.at.isoformat(), "kind": each.kind.value, "subject": each.subject, "body": dict(each.body)}
