"""What a server needs of the site behind it, whatever it speaks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from controller.core.point import Binding
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.tags import Tag

LOOKED_AT_S = 10.0
"""Who has asked within these real seconds is still there, where the protocol knows no connection."""

A = TypeVar("A")


class NotServable(ValueError):
    """A link names what the simulated site or its devices cannot be; the text says what would be right."""


class ServedSite(Protocol):
    """The simulated site as its gateways see it."""

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        ...

    @property
    def speed(self) -> float:
        """Simulated seconds per second."""
        ...

    def tag(self, name: str) -> Tag:
        """Raises KeyError for a name that is no tag."""
        ...

    def refresh(self) -> None:
        """Let the site catch up with its clock; called once before each request."""
        ...

    def read(self, name: str) -> Value | None:
        """None where the instrument gives no reading."""
        ...

    def write(self, name: str, value: Value) -> None: ...

    def release(self, name: str) -> None:
        """Nobody commands this any more."""
        ...

    def wire(self, name: str) -> Wire:
        """How the device behind a point answers now."""
        ...

    @property
    def has_reading_faults(self) -> bool:
        """Whether anything is read otherwise than it is."""
        ...


class Place(NamedTuple, Generic[A]):
    """A tag of the site, and where a device shows it. cov_increment: a change that is worth telling."""

    name: str
    tag: Tag
    device: str
    address: A
    cov_increment: float


def places(site: ServedSite, bindings: Iterable[Binding[A]]) -> list[Place[A]]:
    """Raises NotServable where a binding names what the site does not have."""
    found: list[Place[A]] = []
    unknown: list[str] = []
    for binding in bindings:
        point = binding.point
        try:
            increment = point.cov_increment or 0.0
            found.append(Place(point.id, site.tag(point.id), binding.device, binding.address, increment))
        except KeyError:
            unknown.append(point.id)
    if unknown:
        raise NotServable(f"the simulated site has no {', '.join(sorted(unknown))}; bind only points that it has")
    return found


def wire_of(site: ServedSite, served: Iterable[Place[A]]) -> Wire:
    """How the device answers that shows all of these."""
    for place in served:
        if place.name == place.tag.name:  # a device's clock shares its wire, and no fault names it
            return site.wire(place.name)
    return WELL
