"""`tidewatt scan` as people type it: devices of each protocol on loopback become a site that the daemon would run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiomqtt
import pytest
from asyncua import ua
from bacpypes3.primitivedata import CharacterString, Enumerated, Real

from controller.app import main
from controller.cli.site_folder import load_site
from controller.core.point import Point, PointId, ValueType
from controller.core.sample import Quality, Sample
from controller.core.units import Unit
from controller.runtime.clock import RealClock
from tests.wire.bacnet_device import OBJECT_NAME, PRESENT_VALUE, UNITS, BacnetDevice, BacnetObject
from tests.wire.modbus_device import COILS, HOLDING, ModbusDevice
from tests.wire.mqtt_mosquitto import Mosquitto
from tests.wire.opcua_device import Cell, Child, OpcuaDevice

pytestmark = pytest.mark.wire


async def scanned(folder: Path, *arguments: str) -> Mapping[PointId, Point]:
    """The points of the site that the scan wrote; nothing of it can be written."""
    async with asyncio.timeout(60):
        assert await asyncio.to_thread(main, ["scan", *arguments, "--output", str(folder)]) == 0
        assert await asyncio.to_thread(main, ["check", str(folder)]) == 0
    points = load_site(folder).points
    assert points
    assert all(point.writable is None for point in points.values())
    return points


async def read(folder: Path) -> Mapping[PointId, Sample]:
    """What the daemon would read with these files."""
    (link,) = load_site(folder).links
    async with (
        asyncio.timeout(30),
        link.driver.open(link.id, link.connection, link.bindings, RealClock()) as driver,
    ):
        return await driver.read([binding.point.id for binding in link.bindings])


async def test_modbus(tmp_path: Path) -> None:
    device = ModbusDevice()
    device.put(1, HOLDING, 0, 215, 7)
    device.put(1, COILS, 0, 1)
    device.silent = set(range(2, 248))
    narrow = ("--units", "1-2", "--registers", "0-20", "--timeout", "300ms")
    await device.start()
    try:
        points = await scanned(tmp_path, "modbus", f"127.0.0.1:{device.port}", *narrow)
        samples = await read(tmp_path)
    finally:
        await device.stop()
    assert {samples[point].value for point in points} == {215, 7, True}


async def test_bacnet(tmp_path: Path) -> None:
    device = BacnetDevice(2001)
    supply = {OBJECT_NAME: CharacterString("送水温度 1"), PRESENT_VALUE: Real(6.5), UNITS: Enumerated(62)}
    device.objects["analog-input", 3] = BacnetObject(supply)
    await device.start()
    try:
        points = await scanned(tmp_path, "bacnet", f"127.0.0.1:{device.port}", "--port", "0", "--wait", "1")
        samples = await read(tmp_path)
    finally:
        await device.stop()
    (point,) = points.values()
    assert (point.unit, point.tags["title"]) == (Unit.CELSIUS, "送水温度 1")
    assert samples[point.id].value == 6.5


async def test_opcua(tmp_path: Path) -> None:
    device = OpcuaDevice()
    device.cells = {
        "ns=2;s=1.Supply": Cell(7.5, ua.VariantType.Double),
        "ns=2;s=1.Run": Cell(True, ua.VariantType.Boolean),
    }
    device.children = {
        "i=85": [Child("ns=2;s=1", "Chiller 1")],
        "ns=2;s=1": [
            Child("ns=2;s=1.Supply", "=Supply", is_variable=True),
            Child("ns=2;s=1.Run", "Run", is_variable=True),
        ],
    }
    await device.start()
    try:
        points = await scanned(tmp_path, "opcua", device.url)
        samples = await read(tmp_path)
    finally:
        await device.stop()
    assert {point.type for point in points.values()} == {ValueType.NUMBER, ValueType.BOOLEAN}
    assert {sample.value for sample in samples.values() if sample.quality is Quality.GOOD} == {7.5, True}


@pytest.mark.system
async def test_mqtt(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker, aiomqtt.Client("127.0.0.1", broker.port) as device:
        await device.publish("plant/meter/state", b'{"power": 12.5, "on": true}', retain=True, qos=1)
        target = f"127.0.0.1:{broker.port}"
        points = await scanned(tmp_path / "site", "mqtt", target, "--for", "1s", "--topics", "plant/#")
    assert len(points) == 2
