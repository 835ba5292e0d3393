"""devices.yaml as it may be written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import Discriminator, Field, Tag, model_validator

from controller.settings.schema.endurance import MachineLimitsEntry
from controller.settings.schema.words import Entry, EquipmentId, Id, Interval, Label, TemplateName

NOT_THERE = "none"
"""What stands for an equipment of a template that this site lacks."""

POINT_LIST = "points.csv"
"""What a point list is usually called."""


class DeviceHead(Entry):
    id: Id
    address: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    poll_every: Interval = timedelta(seconds=1)
    urgent_every: Interval | None = None
    limits: Mapping[str, MachineLimitsEntry] = Field(default_factory=dict[str, MachineLimitsEntry])


class DeviceEntry(DeviceHead):
    """Its points are those of its template."""

    template: TemplateName
    equipment: Mapping[str, EquipmentId | Literal["none"]]


class ListedDeviceEntry(DeviceHead):
    """Its points are rows of a list."""

    points: Annotated[
        str,
        Field(pattern=r"^[^/].*\.csv$", max_length=200, description="a file in the site folder like points.csv"),
    ]

    @model_validator(mode="before")
    @classmethod
    def _without_template(cls, value: Any) -> object:
        keys = set(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else set[str]()
        for name in ("template", "equipment"):
            if name in keys:
                raise ValueError(f"{name} stands beside points; a device has either a template or a list of points")
        return cast("object", value)


class LinkHead(Entry):
    id: Id
    driver: Label
    connection: Mapping[str, Any]


def _device_form(value: Any) -> str:
    if isinstance(value, DeviceHead):  # on the way out
        return "#points" if isinstance(value, ListedDeviceEntry) else "#template"
    listed = isinstance(value, Mapping) and "points" in cast("Mapping[str, object]", value)
    return "#points" if listed else "#template"


AnyDeviceEntry: TypeAlias = Annotated[
    Annotated[DeviceEntry, Tag("#template")] | Annotated[ListedDeviceEntry, Tag("#points")],
    Discriminator(_device_form),
]


class LinkEntry(LinkHead):
    devices: Annotated[tuple[AnyDeviceEntry, ...], Field(min_length=1)]


class DevicesFile(Entry):
    links: tuple[LinkEntry, ...]
