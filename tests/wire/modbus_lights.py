"""The bench's lamps behind a Modbus unit on a loopback port, and a daemon beside it on the machine's own clock."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controller.core.event import EventKind, JsonValue
from controller.core.ledger import Verdict
from controller.core.point import Binding, PointId, Range
from controller.core.site import Device, Link, Site
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from drivers.modbus import KIND as MODBUS
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, LIGHTS, MOTION, Bench
from tests.wire.modbus_device import COILS, DISCRETE, HOLDING, INPUT, ModbusDevice

UNIT = 1
PERIOD = timedelta(seconds=0.2)
PATIENCE_S = 30.0
ADDRESSES = {
    DEMAND: ModbusAddress(UNIT, "input", 0, "float32"),
    MOTION: ModbusAddress(UNIT, "discrete", 0),
    BRIGHTNESS: ModbusAddress(UNIT, "holding", 0, "float32"),
    LAMP_REMOTE: ModbusAddress(UNIT, "coil", 0),
}


class ModbusLights:
    """device: may be tampered with. Tests ask for what comes in the end, not for when: the machine may be busy."""

    def __init__(self, device: ModbusDevice, daemon: Daemon) -> None:
        self.device = device
        self.daemon = daemon

    def demand(self, value: float, *, swapped: bool = False) -> None:
        self.device.put(UNIT, INPUT, 0, *_words(value, swapped=swapped))

    @property
    def brightness(self) -> float:
        """What the lamps were told last."""
        level: float = struct.unpack(">f", struct.pack(">2H", *self.device.words(UNIT, HOLDING, 0, 2)))[0]
        return round(level, 6)

    @property
    def is_remote(self) -> bool:
        return self.device.words(UNIT, COILS, 0) == (1,)

    @property
    def gives_back(self) -> bool:
        """The bit that hands the lamps back has been written."""
        holding = self.daemon.writer.holdings.get(LAMP_REMOTE)
        return holding is not None and holding.releasing and holding.written < math.inf

    def commands(self) -> int:
        """How often the brightness was written."""
        return sum(request.function == 16 for request in self.device.requests)

    def verdict(self, point: PointId) -> Verdict | None:
        holding = self.daemon.writer.holdings.get(point)
        return None if holding is None else holding.verdict

    def owns(self, level: float) -> bool:
        """The lamps are ours and have been seen at this level."""
        verdicts = {self.verdict(BRIGHTNESS), self.verdict(LAMP_REMOTE)}
        return verdicts == {Verdict.OWNED} and self.is_remote and self.brightness == level

    def told(self, kind: EventKind, point: PointId, word: str) -> list[JsonValue]:
        return [
            event.body[word] for event in self.daemon.journal.recent if (event.kind, event.subject) == (kind, point)
        ]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():  # noqa: ASYNC110 - a device has no event for this
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE_S:g} s: {what}") from None


@asynccontextmanager
async def modbus_lights(
    folder: Path, *, settle: timedelta = timedelta(seconds=5), lease: timedelta = timedelta(seconds=60)
) -> AsyncGenerator[ModbusLights]:
    """settle: of the brightness. lease: of what the strategy wishes. Ends with everything let go."""
    device = ModbusDevice()
    device.put(UNIT, INPUT, 0, *_words(0.5))
    device.put(UNIT, DISCRETE, 0, 0)
    device.put(UNIT, HOLDING, 0, *_words(1.0))
    device.put(UNIT, COILS, 0, 0)
    await device.start()
    clock = RealClock()
    site = _on_modbus(Bench(folder, lease=lease).site(), device.port, settle)
    daemon = Daemon(site, clock, MemoryHistorian(), Store(None, clock))
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(daemon.run(stop))
            here = ModbusLights(device, daemon)
            await here.until(lambda: here.owns(0.5), "the lamps are ours")
            yield here
            stop.set()
            assert await running
    finally:
        await device.stop()


def _words(value: float, *, swapped: bool = False) -> tuple[int, ...]:
    first, second = struct.unpack(">2H", struct.pack(">f", value))
    return (second, first) if swapped else (first, second)


def _on_modbus(site: Site, port: int, settle: timedelta) -> Site:
    lamp, demand = site.points[BRIGHTNESS], site.points[DEMAND]
    assert lamp.writable is not None
    points = {
        **site.points,
        BRIGHTNESS: replace(
            lamp, plausible=Range(0.0, 1.0), writable=replace(lamp.writable, tolerance=0.001, settle=settle)
        ),
        DEMAND: replace(demand, plausible=Range(0.0, 1.0)),
    }
    _, plant = site.links
    lights = Link(
        LIGHTS,
        replace(MODBUS, is_virtual=True),  # excused from commissioning
        ModbusConnection("127.0.0.1", port, timedelta(seconds=10)),  # for a machine that stalls
        (Device("unit_1", tuple(ADDRESSES), PERIOD),),
        tuple(Binding(points[point], "unit_1", address) for point, address in ADDRESSES.items()),
    )
    return replace(site, scan_every=PERIOD, points=points, links=(lights, plant))
