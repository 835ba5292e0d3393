"""config/templates/<folder>/<name>.yaml as it may be written, and the rows of a point list."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import Discriminator, Field, Tag

from controller.core.point import PointKind, ValueType
from controller.settings.schema.endurance import LimitsEntry, WearEntry
from controller.settings.schema.words import (
    Entry,
    Interval,
    Label,
    LocalPoint,
    Pair,
    Plain,
    Span,
    TemplateName,
    TextEntry,
)


class SourceEntry(Entry):
    title: Label
    revision: Label
    page: int | Label


class RemoteBitEntry(Entry):
    remote_bit: LocalPoint


class SafeValueEntry(Entry):
    safe_value: Plain


class RestoreEntry(Entry):
    restore: Pair


# The names of a union's branches begin with a sign that no key has: pydantic mixes them into the places of errors.


def _release_form(value: Any) -> str:
    if isinstance(value, (RemoteBitEntry, SafeValueEntry, RestoreEntry)):  # on the way out
        return f"#{next(iter(type(value).model_fields))}"
    if isinstance(value, Mapping):
        return f"#{_nearest_form(cast('Mapping[str, object]', value), ('remote_bit', 'safe_value', 'restore'))}"
    return "#word"


def _nearest_form(keys: Iterable[str], forms: tuple[str, ...]) -> str:
    """The form that a mapping seems to mean, its key perhaps misspelt."""
    names = list(keys)
    exact = next((name for name in names if name in forms), None)
    return exact or next(
        (close[0] for each in names if (close := difflib.get_close_matches(each, forms, n=1))), forms[0]
    )


ReleaseEntry: TypeAlias = Annotated[
    Annotated[Literal["write_null"], Tag("#word")]
    | Annotated[RemoteBitEntry, Tag("#remote_bit")]
    | Annotated[SafeValueEntry, Tag("#safe_value")]
    | Annotated[RestoreEntry, Tag("#restore")],
    Discriminator(_release_form),
]


class DeviceTimeoutEntry(Entry):
    device_timeout: Span


class HeartbeatEntry(Entry):
    heartbeat: LocalPoint
    after: Span


def _silence_form(value: Any) -> str:
    if isinstance(value, (DeviceTimeoutEntry, HeartbeatEntry)):  # on the way out
        return f"#{next(iter(type(value).model_fields))}"
    if isinstance(value, Mapping):
        return f"#{_nearest_form(cast('Mapping[str, object]', value), ('heartbeat', 'device_timeout'))}"
    return "#word"


OnSilenceEntry: TypeAlias = Annotated[
    Annotated[Literal["none"], Tag("#word")]
    | Annotated[DeviceTimeoutEntry, Tag("#device_timeout")]
    | Annotated[HeartbeatEntry, Tag("#heartbeat")],
    Discriminator(_silence_form),
]


class EffectEntry(Entry):
    point: LocalPoint
    within: Span
    tolerance: Annotated[float, Field(ge=0)] = 0.0


class WritableEntry(Entry):
    """range, release and on_silence are demanded in templates.py, with all that is wrong with the point at once."""

    range: Pair | None = None
    release: ReleaseEntry | None = None
    on_silence: OnSilenceEntry | None = None
    readback: LocalPoint | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    settle: Interval = timedelta(seconds=5)
    effect: EffectEntry | None = None
    limits: LimitsEntry = Field(default_factory=LimitsEntry)
    wear: WearEntry | None = None


class PointEntry(Entry):
    """kind, type and states are said by the class, except by points of unclassified equipment."""

    address: Mapping[str, Any]
    kind: PointKind | None = None
    type: ValueType | None = None
    states: Annotated[tuple[Label, ...], Field(min_length=1)] | None = None
    unit: Label = "none"
    plausible: Pair | None = None
    plausible_rate: Annotated[float, Field(gt=0)] | None = None
    frozen_after: Interval | None = None
    stale_after: Interval | None = None
    cov_increment: Annotated[float, Field(ge=0)] = 0.0
    urgent: bool = False
    tags: Mapping[str, str] = Field(default_factory=dict[str, str])
    writable: WritableEntry | None = None


class EquipmentHead(Entry):
    equipment_class: Annotated[Label, Field(alias="class")]


class EquipmentEntry(EquipmentHead):
    points: Annotated[Mapping[str, PointEntry], Field(min_length=1)]


class ListedEquipmentEntry(EquipmentHead):
    points: Mapping[str, PointEntry]


class PointListFile(Entry):
    """The rows of one device in a point list."""

    equipment: Mapping[str, ListedEquipmentEntry]


class SimulationEntry(Entry):
    address: Mapping[str, Any]


class SimulationClockEntry(Entry):
    nonce: SimulationEntry
    time: SimulationEntry
    speed: SimulationEntry


class TemplateHead(Entry):
    template: TemplateName
    title: TextEntry
    source: SourceEntry | Literal["generic"]
    driver: Label
    stale_after: Interval = timedelta(seconds=30)
    simulation_clock: SimulationClockEntry | None = None


class TemplateFile(TemplateHead):
    equipment: Annotated[Mapping[str, EquipmentEntry], Field(min_length=1)]
