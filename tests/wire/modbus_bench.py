"""A Modbus driver beside the device that it reads: what the wire tests share."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.sample import Sample, Scalar
from controller.core.units import Unit
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from tests.hand_clock import HandClock
from tests.wire.modbus_device import INPUT, ModbusDevice, Request

TIMEOUT = 0.1
FLOATS = 12


def bound(name: str, address: ModbusAddress, *, flag: bool = False) -> Binding[ModbusAddress]:
    id = PointId(f"a.unit_{address.unit}.{name}")
    writable = Writable(Range(0, 1 if flag else 1e6), SafeValue(0), NothingHappens(), readback=id)
    type = ValueType.BOOLEAN if flag else ValueType.NUMBER
    return Binding(Point(id, PointKind.COMMAND, Unit.NONE, type, writable=writable), f"unit_{address.unit}", address)


def floats(unit: int = 1, count: int = FLOATS) -> list[Binding[ModbusAddress]]:
    """`count` floats one after the other; the device holds 0.5, 1.5, 2.5 ..."""
    return [bound(f"p{n}", ModbusAddress(unit, "input", 2 * n, "float32")) for n in range(count)]


def fill(device: ModbusDevice, unit: int = 1, count: int = FLOATS) -> None:
    for n in range(count):
        device.put(unit, INPUT, 2 * n, *struct.unpack(">2H", struct.pack(">f", n + 0.5)))


class Bench:
    """A driver on a device, and a clock that moves by hand."""

    def __init__(
        self,
        device: ModbusDevice,
        bindings: Sequence[Binding[ModbusAddress]],
        connection: ModbusConnection | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.device = device
        self.clock = HandClock()
        self.points = [binding.point.id for binding in bindings]
        self.connection = connection or ModbusConnection("127.0.0.1", device.port, timedelta(seconds=timeout))
        self.driver = ModbusDriver("link", self.connection, bindings, self.clock)

    async def values(self) -> list[Scalar | None]:
        return [sample.value for sample in (await self.samples()).values()]

    async def samples(self) -> dict[PointId, Sample]:
        samples = await self.driver.read(self.points)
        return {point: samples[point] for point in self.points}

    async def requests(self) -> list[Request]:
        """What one more read asks for."""
        self.device.requests.clear()
        await self.driver.read(self.points)
        return list(self.device.requests)


ALL = [n + 0.5 for n in range(FLOATS)]


@asynccontextmanager
async def running(*bindings: Binding[ModbusAddress], units: Sequence[int] = (1,)) -> AsyncGenerator[Bench]:
    device = ModbusDevice()
    for unit in units:
        fill(device, unit)
    await device.start()
    try:
        bench = Bench(device, bindings)
        async with bench.driver:
            yield bench
    finally:
        await device.stop()


def without(*missing: int) -> list[float | None]:
    return [None if n in missing else value for n, value in enumerate(ALL)]
