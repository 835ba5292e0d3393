"""The chiller gateways of three protocols: the same words to the user, each its own on the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from asyncua.ua import VariantType
from bacpypes3.primitivedata import Enumerated, Real, Unsigned

from controller.core.point import PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from tests.templates.one_device import BACNET_LOOPBACK, opened, site_of, values
from tests.wire.bacnet_device import BacnetDevice, commandable, measured
from tests.wire.modbus_device import COILS, DISCRETE, HOLDING, INPUT, ModbusDevice
from tests.wire.opcua_device import Cell, OpcuaDevice

pytestmark = pytest.mark.wire

HEARTBEAT = PointId("area.gateway.heartbeat")
REMOTE = PointId("area.chiller.remote")
ENABLE = PointId("area.chiller.enable_command")
SETPOINT = PointId("area.chiller.chilled_water_temperature_setpoint")


@dataclass
class Chiller:
    """orders: heartbeat, enable and setpoint as the gateway has them, and whether it is to follow them."""

    driver: Driver
    orders: Callable[[], tuple[float, bool, float, bool]]
    letting_go: dict[PointId, Scalar | None]


@asynccontextmanager
async def on_modbus(folder: Path) -> AsyncGenerator[Chiller]:
    far = ModbusDevice()
    far.put(1, COILS, 0, 0, 0)
    far.put(1, HOLDING, 0, 0, 70)
    far.put(1, DISCRETE, 0, 1, 0)
    far.put(1, INPUT, 0, 68, 121, 349, 300, 0x0001, 0xE240, 0x0012, 0xD687)

    def orders() -> tuple[float, bool, float, bool]:
        remote, enable = far.words(1, COILS, 0, 2)
        heartbeat, setpoint = far.words(1, HOLDING, 0, 2)
        return heartbeat, bool(enable), setpoint / 10, bool(remote)

    await far.start()
    try:
        connection: dict[str, object] = {"host": "127.0.0.1", "port": far.port}
        async with opened(site_of("generic/chiller_gateway_modbus", folder, connection)) as driver:
            yield Chiller(driver, orders, {REMOTE: False})
    finally:
        await far.stop()


@asynccontextmanager
async def on_bacnet(folder: Path) -> AsyncGenerator[Chiller]:
    far = BacnetDevice(1)
    wanted = ("positive-integer-value", 1), ("binary-value", 1), ("analog-value", 1)
    far.objects |= dict(zip(wanted, map(commandable, (Unsigned(0), Enumerated(0), Real(7.0))), strict=True))
    far.objects |= {("binary-input", number): measured(Enumerated(int(number == 1))) for number in (1, 2)}
    temperatures = 6.8, 12.1, 34.9, 30.0
    for number, value in enumerate((*temperatures, 123.456, 1234567.0), start=1):
        far.objects["analog-input", number] = measured(Real(value))

    def orders() -> tuple[float, bool, float, bool]:
        objects = [far.objects[place] for place in wanted]
        heartbeat, enable, setpoint = (each.value() for each in objects)
        followed = any(slot is not None for each in objects[1:] for slot in each.slots or ())
        return heartbeat, bool(enable), setpoint, followed

    await far.start()
    try:
        site = site_of("generic/chiller_gateway_bacnet", folder, BACNET_LOOPBACK, {"device": far.address})
        async with opened(site) as driver:
            yield Chiller(driver, orders, {ENABLE: None, SETPOINT: None})
    finally:
        await far.stop()


@asynccontextmanager
async def on_opcua(folder: Path) -> AsyncGenerator[Chiller]:
    far = OpcuaDevice()
    far.cells = {
        f"ns=2;s=Plant.Chiller1.{name}": cell
        for name, cell in {
            "Heartbeat": Cell(0, VariantType.UInt16),
            "Remote": Cell(False, VariantType.Boolean),
            "Enable": Cell(False, VariantType.Boolean),
            "Setpoint": Cell(7.0, VariantType.Float),
            "Running": Cell(True, VariantType.Boolean),
            "Tripped": Cell(False, VariantType.Boolean),
            "LeavingTemperature": Cell(6.8, VariantType.Float),
            "EnteringTemperature": Cell(12.1, VariantType.Float),
            "Power": Cell(123.456, VariantType.Float),
        }.items()
    }

    def orders() -> tuple[float, bool, float, bool]:
        names = "Heartbeat", "Enable", "Setpoint", "Remote"
        heartbeat, enable, setpoint, remote = (far.cells[f"ns=2;s=Plant.Chiller1.{name}"].value for name in names)
        return heartbeat, enable, setpoint, remote

    await far.start()
    try:
        address: dict[str, object] = {"prefix": "ns=2;s=Plant.Chiller1."}
        async with opened(site_of("generic/chiller_gateway_opcua", folder, {"url": far.url}, address)) as driver:
            yield Chiller(driver, orders, {REMOTE: False})
    finally:
        await far.stop()


@pytest.fixture(params=[on_modbus, on_bacnet, on_opcua])
async def chiller(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Chiller]:
    made: Callable[[Path], AbstractAsyncContextManager[Chiller]] = request.param
    async with made(tmp_path) as chiller:
        yield chiller


async def test_every_gateway_says_the_same_of_the_same_chiller(chiller: Chiller) -> None:
    names = "status", "tripped", "leaving_chilled_water_temperature", "entering_chilled_water_temperature", "power"
    found = await values(chiller.driver, *(f"chiller.{name}" for name in names))
    assert found == pytest.approx([True, False, 6.8, 12.1, 123.456])


async def test_every_gateway_is_told_and_let_go(chiller: Chiller) -> None:
    wishes: dict[PointId, Scalar | None] = {HEARTBEAT: 17, ENABLE: True, SETPOINT: 8.5}
    if REMOTE in chiller.letting_go:
        wishes[REMOTE] = True
    outcomes = await chiller.driver.write(wishes)
    assert outcomes.keys() == wishes.keys()
    assert chiller.orders() == pytest.approx((17, True, 8.5, True))
    assert await values(chiller.driver, "chiller.chilled_water_temperature_setpoint") == pytest.approx([8.5])

    await chiller.driver.write(chiller.letting_go)
    assert chiller.orders()[-1] is False
