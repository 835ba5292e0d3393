"""Whose clock a daemon lives by: that of a simulator only where every device proves to be it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import pytest

from controller.cli.follow import follow
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.point import Binding, PointId
from controller.core.ports import Clock, DriverKind, WriteResult
from controller.core.sample import Sample, Scalar, bad, good
from controller.core.site import Link, Site
from tests.virtual_demo import DEMO

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
PROOF: Mapping[str, Scalar] = {"nonce": 77, "time": NOW.timestamp() * 1000, "speed": 60.0}


@dataclass
class Far:
    """Devices that prove what they are; deaf_for: so many questions are not answered."""

    deaf_for: int = 0
    nonce: int = 77
    asked: int = field(default=0)

    async def __aenter__(self) -> Self:
        self.asked += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        if self.asked <= self.deaf_for:
            return {point: bad("device timeout", NOW, 0.0) for point in points}
        said = {**PROOF, "nonce": self.nonce}
        return {point: good(said[point.rpartition(".")[2]], NOW, 0.0) for point in points}

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        return {point: WriteResult(False) for point in values}


def site_with(**far: Far) -> Site:
    """The demo site with these at the ends of its links."""

    def linked(link: Link) -> Link:
        if link.driver.is_virtual:
            return link

        def opened(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Far:
            del connection, bindings, clock
            return far.get(link) or Far()

        kind = link.driver
        return replace(link, driver=DriverKind("far", kind.connection, kind.address, kind.device_fields, opened))

    site = load_site(DEMO)
    return replace(site, links=tuple(map(linked, site.links)))


async def test_a_device_that_was_late_once_is_asked_once_more() -> None:
    late = Far(deaf_for=1)
    followed = await follow(site_with(lighting=late))
    assert late.asked == 2
    assert followed.simulated == {"plant_gateway", "lighting_gateway", "lighting_panel", "sensor_lamps", "main_meter"}
    assert abs(followed.clock.now() - NOW) < timedelta(minutes=10), "it lives in the simulator's time"


async def test_a_stranger_among_them_is_no_part_of_a_fast_simulator() -> None:
    with pytest.raises(EnvironmentProblem, match=r"main_meter is not part of it"):
        await follow(site_with(meters=Far(nonce=78)))


async def test_where_nobody_proves_anything_nobody_is_asked_twice() -> None:
    real = {name: Far(deaf_for=9) for name in ("plant", "lighting", "panel", "meters")}
    followed = await follow(site_with(**real))
    assert (followed.simulated, [each.asked for each in real.values()]) == (frozenset(), [1, 1, 1, 1])
