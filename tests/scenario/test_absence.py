"""Devices that are away for long: read again within a minute of their return, and told of once, not all night."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest

from controller.core.errors import ConnectFailed
from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.ports import Clock, DriverKind, Phase
from controller.core.sample import Quality
from controller.core.site import Device, Link, Site
from controller.core.units import Unit
from controller.runtime.backoff import LONGEST_S
from controller.runtime.image import Image
from controller.runtime.journal import Journal
from controller.runtime.link import LinkTask, Session
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from controller.runtime.write_rights import WriteRights
from drivers.memory import KIND, MemoryAddress, MemoryConnection, MemoryDriver, MemoryFarSide
from tests.bench import Bench

START = datetime(2026, 7, 6, 20, 0, tzinfo=UTC)
ABSENCE_S = 600.0
TIMEOUT_S = 5.0


def point_of(number: int) -> Point:
    return Point(PointId(f"away.meter_{number}.power"), PointKind.SENSOR, Unit.KILOWATT)


class _LateToNotice(MemoryDriver):
    """An attempt that began while the device was away fails after a while, back or not."""

    async def __aenter__(self) -> Self:
        if not self.far_side.up:
            await asyncio.sleep(TIMEOUT_S)
            raise ConnectFailed("link", "connect", "no answer")
        return await super().__aenter__()


def late_to_notice(far: MemoryFarSide) -> DriverKind:
    def open_on(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
        return _LateToNotice(link, connection, bindings, clock, far)

    return replace(KIND, open=open_on)


def link_to(number: int, far: MemoryFarSide) -> Link:
    """A link of its own, with a device that answers at once or not at all."""
    point = point_of(number)
    device = Device(f"meter_{number}", (point.id,), timedelta(seconds=1))
    binding = Binding(point, device.id, MemoryAddress(1.0))
    return Link(f"link_{number}", late_to_notice(far), MemoryConnection(TIMEOUT_S), (device,), (binding,))


class Absent:
    """A thousand devices on links of their own. While away, every other one hangs and the rest cannot be connected to,
    which each attempt notices late.
    """

    def __init__(self, bench: Bench, count: int) -> None:
        self.far = [MemoryFarSide() for _ in range(count)]
        self.links = [link_to(number, far) for number, far in enumerate(self.far)]
        self.points = {point.id: point for point in map(point_of, range(count))}
        self._site = bench.site()

    def leave(self) -> None:
        for number, far in enumerate(self.far):
            far.hang() if number % 2 else far.drop()

    def come_back(self, number: int) -> None:
        self.far[number].resume()
        self.far[number].restore()

    async def seconds_away(self, clock: VirtualClock) -> Sequence[float]:
        """From each one's return to its first good sample."""
        image = Image(self.points, ZoneInfo("UTC"), clock, lambda: None)
        journal, rights = Journal(clock, "absence"), WriteRights(self._site, {}, {})
        tasks = [LinkTask(link, clock, image, journal, _no_writes, rights) for link in self.links]
        running = asyncio.gather(*(task.run() for task in tasks))
        random = Random(1)
        try:
            await clock.sleep_until(10.0, Phase.RECORD, "test")
            self.leave()
            returns = {number: 10.0 + ABSENCE_S + 60.0 * random.random() for number in range(len(self.far))}
            for number, at in sorted(returns.items(), key=lambda each: each[1]):
                await clock.sleep_until(at, Phase.RECORD, "test")
                assert image.present[point_of(number).id].quality is Quality.BAD
                self.come_back(number)
            await clock.sleep_until(10.0 + ABSENCE_S + 200.0, Phase.RECORD, "test")
            return [away - returns[number] for number, away in enumerate(self._back_at(journal))]
        finally:
            running.cancel()
            await asyncio.wait([running])

    def _back_at(self, journal: Journal) -> Sequence[float]:
        back = {
            event.subject: (event.at - START).total_seconds()
            for event in journal.pending
            if event.body["state"] == "back" and event.subject.startswith("link_")
        }
        return [back[f"link_{number}"] for number in range(len(self.far))]


async def _no_writes(session: Session) -> None:
    del session
    await asyncio.Event().wait()


@pytest.mark.fault("total loss of a device for 10 minutes")
@pytest.mark.slow
def test_a_thousand_devices_are_read_again_within_a_minute_of_their_return(tmp_path: Path) -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)
    away = run(Absent(Bench(tmp_path), 1000).seconds_away(clock), loop)
    assert len(away) == 1000
    assert max(away) <= LONGEST_S


class Night(Bench):
    """The bench, and beside it ten devices that are dead."""

    def site(self) -> Site:
        site = super().site()
        far = [MemoryFarSide() for _ in range(10)]
        for number, each in enumerate(far):
            each.hang() if number % 2 else each.drop()
        points = {point.id: point for point in map(point_of, range(10))}
        dead = tuple(link_to(number, each) for number, each in enumerate(far))
        return replace(site, links=(*site.links, *dead), points={**site.points, **points})


@pytest.mark.fault("ten dead devices for a night")
@pytest.mark.slow
def test_a_night_with_ten_dead_devices_is_no_flood(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def life(bench: Bench) -> None:
        await bench.wait(10 * 3600)
        assert bench.daemon.image.present[point_of(3).id].quality is Quality.BAD

    Night(tmp_path).run(life)
    lost = [record for record in caplog.records if "is lost" in record.getMessage()]
    assert len(lost) == 10
    assert len(caplog.records) < 50
