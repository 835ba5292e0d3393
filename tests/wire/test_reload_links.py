"""A reload over real connections: servers that count who connects and subscribes, and note when they are asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.sample import Quality
from controller.core.site import Device, Link, Site
from controller.core.units import Unit
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.reload import Configuration, Outcome, Result
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from drivers.modbus import KIND
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.mqtt import KIND as MQTT
from drivers.mqtt.address import MqttAddress, MqttConnection
from tests.bench import START, Bench
from tests.loopback import Connection
from tests.wire.modbus_device import INPUT, ModbusDevice
from tests.wire.mqtt_broker import LittleBroker, Reply

pytestmark = [pytest.mark.wire, pytest.mark.slow]

METER, SENSORS, BROKER = "meter", "sensors", "broker"
LEVEL = Point(PointId("a.tank_1.level"), PointKind.SENSOR, Unit.NONE)
EVERY = timedelta(milliseconds=100)
# Twenty polls that do not come would be a reconnect; a busy machine misses two or three.
LONGEST_GAP_S = 2.0
LONG = timedelta(days=36500)


class Counting(ModbusDevice):
    """A register that counts how often it was asked for. accepted: connections. asked_at: monotonic."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = 0
        self.asked_at: list[float] = []
        self.put(1, INPUT, 0, 0)

    def connect(self) -> Connection:
        self.accepted += 1
        return super().connect()

    def answer_to(self, unit: int, question: bytes) -> bytes | None:
        self.asked_at.append(RealClock().monotonic())
        self.put(1, INPUT, 0, len(self.asked_at) % 60000)
        return super().answer_to(unit, question)


class Broker(LittleBroker):
    """accepted: connections. subscriptions: requests for one."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = 0
        self.subscriptions = 0

    def connect(self) -> Connection:
        self.accepted += 1
        return super().connect()

    def _subscribe(self, body: bytes, reply: Reply) -> None:
        self.subscriptions += 1
        super()._subscribe(body, reply)


def mqtt_link(broker: Broker) -> Link:
    return Link(
        BROKER,
        MQTT,
        MqttConnection("127.0.0.1", broker.port),
        (Device(BROKER, (LEVEL.id,), EVERY),),
        (Binding(LEVEL, BROKER, MqttAddress("{topic}/state", "tank", "level")),),
    )


def modbus_link(id_: str, device: Counting) -> Link:
    point = Point(PointId(f"a.{id_}_1.count"), PointKind.SENSOR, Unit.NONE)
    return Link(
        id_,
        KIND,
        ModbusConnection("127.0.0.1", device.port, timedelta(seconds=5)),
        (Device(id_, (point.id,), EVERY),),
        (Binding(point, id_, ModbusAddress(1, "input", 0, "uint16")),),
    )


class Here:
    def __init__(self, site: Site, devices: dict[str, Counting], broker: Broker) -> None:
        self.devices = devices
        self.broker = broker
        self.historian = MemoryHistorian()
        self._next = site
        clock = RealClock()
        around = Surroundings(load=lambda: Configuration(self._next))
        self.daemon = Daemon(site, clock, self.historian, Store(None, clock), around)

    async def reload(self, **changes: Any) -> Outcome:
        before = self.daemon.site
        self._next = replace(before, digest=f"{before.digest}+", **changes)
        return await self.daemon.reloads.request("Li Na")

    async def is_told(self, level: float) -> None:
        """Return once what a device has told by itself is seen."""
        self.broker.tell("tank/state", json.dumps({"level": level}).encode())
        await until(lambda: self.daemon.image.present[LEVEL.id].value == level)

    async def asked_more(self, link: str) -> None:
        """Return once the device was asked ten times more."""
        device = self.devices[link]
        enough = len(device.asked_at) + 10
        await until(lambda: len(device.asked_at) >= enough)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not condition():  # noqa: ASYNC110 - a server has no event for this
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncGenerator[Here]:
    devices, broker = {METER: Counting(), SENSORS: Counting()}, Broker()
    for server in (*devices.values(), broker):
        await server.start()
    bench = Bench(tmp_path).site()
    links = (*(modbus_link(id_, device) for id_, device in devices.items()), mqtt_link(broker))
    points = {binding.point.id: binding.point for link in links for binding in link.bindings}
    site = replace(bench, links=(*bench.links, *links), points={**bench.points, **points}, scan_every=EVERY)
    here = Here(site, devices, broker)
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(here.daemon.run(stop))
            await until(lambda: all(link.is_up for link in here.daemon.links))
            yield here
            stop.set()
    finally:
        for server in (*devices.values(), broker):
            await server.stop()


async def test_a_changed_strategy_opens_no_connection_and_no_poll_is_missed(tmp_path: Path) -> None:
    async with running(tmp_path) as here:
        await here.asked_more(METER)
        await here.is_told(1.0)
        for seconds in (90, 120, 150):
            mounts = tuple(replace(each, lease=timedelta(seconds=seconds)) for each in here.daemon.site.mounts)
            assert (await here.reload(mounts=mounts)).result is Result.RELOADED
            await here.asked_more(METER)
            await here.asked_more(SENSORS)
            await here.is_told(float(seconds))
        assert (here.broker.accepted, here.broker.subscriptions) == (1, 1)
        for device in here.devices.values():
            assert device.accepted == 1
            assert max(later - sooner for sooner, later in pairwise(device.asked_at)) < LONGEST_GAP_S
        (point,) = next(link for link in here.daemon.links if link.link.id == METER).points
        recorded = await here.historian.read_samples(point, START - LONG, START + LONG)
    counts = [sample.value for sample in recorded if sample.quality is Quality.GOOD]
    assert len(counts) > 20
    assert counts == sorted(counts, key=lambda count: float(count or 0))
    assert not any(sample.quality is Quality.BAD for sample in recorded[1:])


async def test_only_the_link_that_was_changed_connects_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as here:
        links = tuple(
            replace(link, connection=replace(link.connection, timeout=timedelta(seconds=3)))
            if link.id == SENSORS
            else link
            for link in here.daemon.site.links
        )
        assert (await here.reload(links=links)).result is Result.RELOADED
        await here.asked_more(SENSORS)
        assert (here.devices[METER].accepted, here.devices[SENSORS].accepted) == (1, 2)
        assert max(later - sooner for sooner, later in pairwise(here.devices[METER].asked_at)) < LONGEST_GAP_S
