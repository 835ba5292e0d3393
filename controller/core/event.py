"""What happened, for ever: commands, verdicts, alarms, plans, modes, authority, configuration. Never thinned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class EventKind(StrEnum):
    COMMAND = "command"
    VERDICT = "verdict"
    ALARM = "alarm"
    PLAN = "plan"
    FORECAST = "forecast"
    MODE = "mode"
    AUTHORITY = "authority"
    RELEASE = "release"
    LINK = "link"
    STRATEGY = "strategy"
    CONFIGURATION = "configuration"
    DAEMON = "daemon"
    COMMISSIONING = "commissioning"
    EQUIPMENT = "equipment"
    FIRE = "fire"
    AVAILABILITY = "availability"
    AB_DAYS = "ab_days"


class Event(NamedTuple):
    """`at` is aware UTC; `subject` is the point, strategy, system or link; `body` is plain JSON."""

    at: datetime
    kind: EventKind
    subject: str
    body: Mapping[str, JsonValue]
