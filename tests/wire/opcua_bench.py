"""The OPC UA driver on a clock in our hands, against a server of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from asyncua import ua

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
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from drivers.opcua.driver import OpcuaDriver
from tests.hand_clock import HandClock
from tests.wire.opcua_device import Cell, OpcuaDevice

# For a machine that is busy with other tests; and where a test waits for it to run out.
TIMEOUT: Final = timedelta(seconds=5)
QUICK: Final = timedelta(seconds=0.4)
T: Final = ua.VariantType


def bound(
    name: str, type: ValueType = ValueType.NUMBER, *, urgent: bool = False, **address: Any
) -> Binding[OpcuaAddress]:
    """A point `a.b.NAME` at the node ns=2;s=NAME, writable without limits."""
    id = PointId(f"a.b.{name}")
    writable = Writable(Range(-1e300, 1e300), SafeValue(0), NothingHappens(), readback=id)
    point = Point(id, PointKind.SENSOR, Unit.NONE, type, writable=writable, urgent=urgent)
    said: dict[str, Any] = {"node": f"ns=2;s={name}", **address}
    return Binding(point, "b", OpcuaAddress(**said))


class Bench:
    def __init__(self, bindings: Mapping[str, Binding[OpcuaAddress]], timeout: timedelta) -> None:
        self.timeout = timeout
        self.clock = HandClock()
        self.device = OpcuaDevice(self.clock.now)
        self.bindings = bindings
        self.device.cells = {f"ns=2;s={name}": Cell(0.5 + n, T.Double) for n, name in enumerate(bindings)}
        self._driver: OpcuaDriver | None = None

    @property
    def driver(self) -> OpcuaDriver:
        """Made when it is first wanted, so that a test may break the server before."""
        if self._driver is None:
            connection = OpcuaConnection(self.device.url, timeout=self.timeout)
            self._driver = OpcuaDriver("link", connection, [*self.bindings.values()], self.clock)
        return self._driver

    def cell(self, name: str) -> Cell:
        return self.device.cells[f"ns=2;s={name}"]

    async def samples(self) -> dict[str, Sample]:
        samples = await self.driver.read([binding.point.id for binding in self.bindings.values()])
        return {name: samples[binding.point.id] for name, binding in self.bindings.items()}

    async def values(self) -> dict[str, Scalar | None]:
        return {name: sample.value for name, sample in (await self.samples()).items()}

    async def told(self, *names: str) -> None:
        """Have the server tell these values, or that it is alive, and wait until that has arrived."""
        self.device.listened.clear()
        self.device.publish(*(f"ns=2;s={name}" for name in names))
        async with asyncio.timeout(5):
            await self.device.listened.wait()

    async def reads(self) -> int:
        """How many requests one more read costs."""
        before = self.device.count("Read")
        await self.samples()
        return self.device.count("Read") - before


@asynccontextmanager
async def serving(*bindings: Binding[OpcuaAddress], patience: timedelta = TIMEOUT) -> AsyncGenerator[Bench]:
    bench = Bench({binding.point.quantity: binding for binding in bindings}, patience)
    await bench.device.start()
    try:
        yield bench
    finally:
        await bench.device.stop()


@asynccontextmanager
async def running(*bindings: Binding[OpcuaAddress], patience: timedelta = TIMEOUT) -> AsyncGenerator[Bench]:
    async with serving(*bindings, patience=patience) as bench, bench.driver:
        yield bench
