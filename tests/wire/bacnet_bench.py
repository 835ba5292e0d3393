"""The BACnet driver on a clock in our hands, against devices on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from bacpypes3.primitivedata import Real

from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    ReleaseNull,
    ValueType,
    Writable,
)
from controller.core.sample import Sample, Scalar
from controller.core.units import Unit
from drivers.bacnet.address import BacnetAddress, BacnetConnection
from drivers.bacnet.driver import BacnetDriver
from tests.hand_clock import HandClock
from tests.wire.bacnet_device import BacnetDevice, BacnetObject, measured

TIMEOUT = timedelta(seconds=0.4)


def bound(
    name: str, object: str, device: str, type: ValueType = ValueType.NUMBER, **more: Any
) -> Binding[BacnetAddress]:
    """A point that may be written from -1e6 to 1e6."""
    id = PointId(f"a.device_1.{name}")
    writable = Writable(Range(-1e6, 1e6), ReleaseNull(), NothingHappens(), readback=id)
    states = tuple(more.get("states", ()))
    point = Point(id, PointKind.COMMAND, Unit.NONE, type, writable=writable, states=states)
    return Binding(point, device, BacnetAddress(object, device, **more))


class Bench:
    def __init__(self, bindings: Sequence[Binding[BacnetAddress]], **connection: Any) -> None:
        self.clock = HandClock()
        self.points = [binding.point.id for binding in bindings]
        settings: dict[str, Any] = {"interface": "127.0.0.1/32", "port": 0, "timeout": TIMEOUT, **connection}
        # Real devices have 5 s; the tests have none to spare.
        self.driver = BacnetDriver("link", BacnetConnection(**settings), bindings, self.clock, least_turn=0.5)

    async def samples(self) -> dict[str, Sample]:
        """By the last part of the point's name."""
        samples = await self.driver.read(self.points)
        return {point.rpartition(".")[2]: samples[point] for point in self.points}

    async def values(self) -> list[Scalar | None]:
        return [sample.value for sample in (await self.samples()).values()]

    async def write(self, name: str, value: Scalar | None) -> tuple[bool, str]:
        point = PointId(f"a.device_1.{name}")
        accepted, reason = (await self.driver.write({point: value}))[point]
        return accepted, reason


@asynccontextmanager
async def started(*devices: BacnetDevice) -> AsyncGenerator[None]:
    try:
        for device in devices:
            await device.start()
        yield
    finally:
        for device in devices:
            await device.stop()


INPUTS = 12
ALL = [n + 0.5 for n in range(INPUTS)]


def inputs(device: BacnetDevice, count: int = INPUTS) -> list[Binding[BacnetAddress]]:
    """`count` analog inputs that hold 0.5, 1.5, 2.5 ..."""
    for n in range(count):
        device.objects["analog-input", n] = measured(Real(n + 0.5))
    return [bound(f"p{n}", f"analog-input,{n}", device.address) for n in range(count)]


@asynccontextmanager
async def running(count: int = INPUTS) -> AsyncGenerator[tuple[BacnetDevice, Bench]]:
    device = BacnetDevice()
    async with started(device):
        bench = Bench(inputs(device, count))
        async with bench.driver:
            device.requests.clear()
            yield device, bench


@asynccontextmanager
async def having(
    object: str, made: BacnetObject, type: ValueType = ValueType.NUMBER, priority: int = 10, **address: Any
) -> AsyncGenerator[tuple[BacnetObject, Bench, BacnetDevice]]:
    """One device with one object, bound as point `it`."""
    device = BacnetDevice()
    kind, _, instance = object.partition(",")
    device.objects[kind, int(instance)] = made
    async with started(device):
        bench = Bench([bound("it", object, device.address, type, **address)], priority=priority)
        async with bench.driver:
            yield made, bench, device
