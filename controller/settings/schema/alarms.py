"""alarms.yaml as it may be written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from controller.settings.schema.words import (
    ConditionEntry,
    Duration,
    Entry,
    EquipmentOrPoint,
    FullPointId,
    Id,
    Plain,
    SecretReference,
    Span,
    TextEntry,
)

PriorityWord: TypeAlias = Literal["urgent", "high", "medium", "low"]


class AlarmEntry(Entry):
    """Which keys belong together is demanded in alarms.py."""

    id: Id
    priority: PriorityWord
    point: FullPointId | None = None
    above: float | None = None
    below: float | None = None
    value: Annotated[Plain | None, Field(alias="is")] = None
    bad_for: Duration | None = None
    deadband: Annotated[float, Field(ge=0)] | None = None
    only_while: ConditionEntry | None = None
    only_in_auto: bool | None = None
    verdict: Literal["ignored", "overridden", "implausible", "effect_missing"] | None = None
    points: Annotated[tuple[EquipmentOrPoint, ...], Field(min_length=1)] | None = None
    link: Id | None = None
    device: Id | None = None
    strategy: Id | None = None
    on_delay: Duration | None = None
    off_delay: Duration | None = None
    latching: bool | None = None
    work_order: bool | None = None
    text: TextEntry | None = None
    advice: TextEntry | None = None


class EscalationEntry(Entry):
    after: Span
    to: SecretReference


class RouteEntry(Entry):
    id: Id
    priority: PriorityWord
    language: Literal["en", "zh"]
    to: SecretReference
    escalation: tuple[EscalationEntry, ...] = ()


class SirenEntry(Entry):
    point: FullPointId
    priority: PriorityWord = "urgent"
    longest: Span = timedelta(minutes=10)
    silence: ConditionEntry | None = None


class AlarmsFile(Entry):
    alarms: tuple[AlarmEntry, ...] = ()
    routes: tuple[RouteEntry, ...] = ()
    siren: SirenEntry | None = None
