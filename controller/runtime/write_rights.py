"""Which points the drivers may write at all.

A driver is opened with the right to write only what belongs to a system of ours or must still be let go. For everything
else it is given points that are not writable, so that no mistake above it can reach the device.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from controller.core.point import Binding, PointId
from controller.core.site import Link, Site
from controller.core.system import Authority


class WriteRights:
    """`points` is replaced, never changed, so that a link sees by identity that it has to open its driver anew."""

    def __init__(self, site: Site, authority: Mapping[str, Authority], held: Collection[PointId]) -> None:
        self._site = site
        self._authority = authority
        self._held = held
        self.points: frozenset[PointId] = frozenset()

    def succeed(self, earlier: WriteRights) -> None:
        """Links that stay connected see by identity that theirs are as they were."""
        self.points = earlier.points
        self.refresh()

    def refresh(self) -> None:
        """Look at authority and holdings again."""
        points = frozenset(
            point
            for system in self._site.systems
            if self._authority[system.id] is not Authority.ORIGINAL
            or any(point in self._held for point in system.points)
            for point in system.points
        )
        if points != self.points:
            self.points = points


def bindings_with_rights(link: Link, may_write: Collection[PointId]) -> tuple[Binding[Any], ...]:
    """The link's bindings; points outside `may_write` are not writable in them."""
    return tuple(
        binding
        if binding.point.writable is None or binding.point.id in may_write
        else replace(binding, point=replace(binding.point, writable=None))
        for binding in link.bindings
    )
