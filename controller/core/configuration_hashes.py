"""What of the configuration a test on site has covered, as a short hash: a point that was changed is open again.

Covered is what the test saw: where the point lives and how it is spelt there, what it means, how it is written and let
go, and where the points are by which that shows. How often it is polled, or how patiently it is asked, is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, cast

from controller.core.fire import FireInput
from controller.core.point import Binding, Heartbeat, Point, PointId, RemoteBit
from controller.core.site import Link, Site
from controller.core.system import Member, Permissive, System

DIGITS = 12
_SECRETS = ("password", "secret", "token")


class ConfigurationHashes:
    """Of one site's points, permissives, fire inputs and systems."""

    def __init__(self, site: Site) -> None:
        self._places: Mapping[PointId, tuple[Link, Binding[Any]]] = {
            binding.point.id: (link, binding) for link in site.links for binding in link.bindings
        }
        self._points = site.points
        self._of_point: dict[PointId, str] = {}

    def of_point(self, point: PointId) -> str:
        if point not in self._of_point:
            self._of_point[point] = _digest(self._said_of(self._points[point]))
        return self._of_point[point]

    def of_place(self, point: PointId) -> str:
        """Of where it lives and how it is spelt there. Raises KeyError where nothing of that name lives."""
        return _digest(self._place(point))

    def of_silence(self, point: PointId, within: float, hanging: Iterable[PointId]) -> str:
        """within: seconds after which the device drops it. hanging: the points that it drops together with it."""
        return _digest([self.of_point(point), within, {str(each): self._place(each) for each in hanging}])

    def of_permissive(self, permissive: Permissive) -> str:
        condition = permissive.condition
        return _digest(
            [
                self.of_point(permissive.point),
                self.of_point(condition.point),
                _said(condition.value),
                _said(condition.lasting),
            ]
        )

    def of_exclusion(self, one: Member, other: Member) -> str:
        said = [(each, None if each.off is None else self.of_point(each.off.point)) for each in (one, other)]
        return _digest([[self.of_point(each.point), _said(each), proof] for each, proof in said])

    def of_fire(self, fire: FireInput) -> str:
        """Of what an input says and does; where the points are that it does it to is part of their own tests."""
        return _digest([self.of_point(fire.point), _said(fire)])

    def of_system(self, system: System) -> str:
        """Of handing it back as a whole."""
        members = {str(point): self.of_point(point) for point in system.points}
        return _digest([members, _said(system.release), _said(system.release_within)])

    def _said_of(self, point: Point) -> Any:
        writable = point.writable
        related = () if writable is None else _related(point)
        return {
            "id": str(point.id),
            "kind": point.kind.value,
            "unit": point.unit.value,
            "type": point.type.value,
            "states": list(point.states),
            "writable": _said(writable),
            "place": self._place(point.id),
            "related": {str(each): self._place(each) for each in related},
        }

    def _place(self, point: PointId) -> Any:
        link, binding = self._places[point]
        return {"driver": link.driver.name, "link": _whereabouts(link.connection), "address": _said(binding.address)}


def _related(point: Point) -> list[PointId]:
    """The points by which writing this one shows, or by which it is let go."""
    writable = point.writable
    if writable is None:
        return []
    related = {writable.readback}
    if writable.effect is not None:
        related.add(writable.effect.point)
    if isinstance(writable.release, RemoteBit):
        related.add(writable.release.point)
    if isinstance(writable.on_silence, Heartbeat):
        related.add(writable.on_silence.point)
    return sorted(related - {point.id})


def _whereabouts(connection: Any) -> dict[str, Any]:
    """Host, port, bus: the short texts and whole numbers of a connection. Durations only tune it, certificates are
    renewed, and secrets stay out."""
    if not is_dataclass(connection):
        return {}
    found: dict[str, Any] = {}
    for each in fields(connection):
        value = getattr(connection, each.name)
        is_secret = not each.repr or any(word in each.name for word in _SECRETS)
        is_certificate = isinstance(value, str) and "\n" in value
        if is_secret or is_certificate or isinstance(value, bool) or _is_default(connection, each):
            continue
        if isinstance(value, (str, int)):
            found[each.name] = value
    return found


def _said(value: Any) -> Any:
    """Plain data; fields that are at their default are left out, so that a new one changes no hash."""
    if isinstance(value, Enum):
        return _said(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value):
        told = {
            each.name: _said(getattr(value, each.name))
            for each in fields(value)
            if each.compare and not _is_default(value, each)
        }
        return {"is": type(value).__name__, **told}
    if isinstance(value, Mapping):
        return {str(key): _said(each) for key, each in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (tuple, list)):
        return [_said(each) for each in cast("tuple[Any, ...]", value)]
    return str(value)


def _is_default(value: Any, field: Field[Any]) -> bool:
    default = field.default
    if default is MISSING and field.default_factory is not MISSING:
        default = field.default_factory()
    return bool(default is not MISSING and getattr(value, field.name) == default)


def _digest(said: Any) -> str:
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:DIGITS]
