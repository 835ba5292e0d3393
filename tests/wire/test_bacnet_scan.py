"""Scanning BACnet devices that answer little, late or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from bacpypes3.primitivedata import CharacterString, Enumerated, Real, Unsigned

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import ConnectFailed
from controller.core.point import PointKind, ValueType
from drivers.bacnet import SCAN
from tests.wire.bacnet_bench import Bench, bound, started
from tests.wire.bacnet_device import (
    ACTIVE_TEXT,
    INACTIVE_TEXT,
    OBJECT_NAME,
    PRESENT_VALUE,
    STATE_TEXT,
    UNITS,
    BacnetDevice,
    BacnetObject,
    commandable,
    free_port,
)

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


def options(**chosen: str) -> dict[str, str]:
    return {option.name: option.default for option in SCAN.options} | {"port": "0", "wait": "1"} | chosen


async def scanned(target: str, **chosen: str) -> list[Found]:
    async with asyncio.timeout(30):
        return [each async for each in SCAN.discover(target, options(**chosen))]


def sensor(name: str, value: float, units: int = 62) -> BacnetObject:
    return BacnetObject({OBJECT_NAME: CharacterString(name), PRESENT_VALUE: Real(value), UNITS: Enumerated(units)})


@asynccontextmanager
async def building(count: int = 3) -> AsyncGenerator[BacnetDevice]:
    device = BacnetDevice(2001)
    for n in range(count):
        device.objects["analog-input", n] = sensor(f"Zone {n} Temp", 20.0 + n)
    async with started(device):
        yield device


def points(found: list[Found]) -> list[FoundPoint]:
    return [each for each in found if isinstance(each, FoundPoint)]


async def test_each_object_becomes_a_point() -> None:
    async with building(0) as device:
        pump = commandable(Enumerated(1))
        pump.properties |= {
            OBJECT_NAME: CharacterString("CHWP-1 Start/Stop"),
            INACTIVE_TEXT: CharacterString("停"),
            ACTIVE_TEXT: CharacterString("开"),
        }
        mode = BacnetObject(
            {
                OBJECT_NAME: CharacterString("Mode"),
                PRESENT_VALUE: Unsigned(2),
                STATE_TEXT: [CharacterString(each) for each in ("Off", "Auto", "On")],
            }
        )
        device.objects |= {
            ("analog-input", 7): sensor("送水温度", 6.5),
            ("analog-value", 1): sensor("Pressure", 2.5, units=56),
            ("binary-output", 2): pump,
            ("multi-state-value", 3): mode,
            ("calendar", 1): BacnetObject({PRESENT_VALUE: Enumerated(1)}),
        }
        found = await scanned(device.address)
    assert isinstance(found[0], FoundDevice)
    assert (found[0].id, found[0].address) == ("device_2001", {"device": device.address})
    assert found[0].connection == {"interface": "127.0.0.1/32", "port": 0}
    assert [(each.name, each.kind, each.type, each.unit, each.value) for each in points(found)] == [
        ("analog_input_7", PointKind.SENSOR, ValueType.NUMBER, "degC", "6.5"),
        ("pressure", PointKind.SENSOR, ValueType.NUMBER, "none", "2.5"),
        ("chwp_1_start_stop", PointKind.COMMAND, ValueType.BOOLEAN, "none", "开"),
        ("mode", PointKind.STATUS, ValueType.TEXT, "none", "Auto"),
    ]
    assert points(found)[0].title == "送水温度"
    assert points(found)[3].address == {"object": "multi-state-value,3", "states": ["Off", "Auto", "On"]}


async def test_a_long_object_list_is_read_element_by_element() -> None:
    async with building(60) as device:
        device.longest = 128
        found = points(await scanned(device.address))
    assert [each.name for each in found] == [f"zone_{n}_temp" for n in range(60)]


async def test_points_of_one_name_are_told_apart() -> None:
    async with building(0) as device:
        for n in range(3):
            device.objects["analog-input", n] = sensor("Temp", 20.0)
        found = points(await scanned(device.address))
    assert [each.name for each in found] == ["temp", "temp_2", "temp_3"]


async def test_a_device_that_falls_silent_ends_its_list_with_a_word() -> None:
    async with building(30) as device:
        found: list[Found] = []
        async with asyncio.timeout(30):
            async for each in SCAN.discover(device.address, options(wait="0.5")):
                found.append(each)
                if len(points(found)) == 5:
                    device.hang()
    assert len(points(found)) == 10
    assert isinstance(found[-1], NoAnswer)
    assert found[-1].what.startswith("device_2001: analog-input,10")


async def test_a_device_that_says_so_where_we_do_not_hear_it_is_found_all_the_same() -> None:
    """Many devices answer Who-Is with a broadcast."""
    async with building(1) as device:
        device.keeps_quiet = True
        found = await scanned(device.address, wait="0.5")
    assert [each.name for each in points(found)] == ["zone_0_temp"]


async def test_only_the_numbers_asked_for() -> None:
    async with building(1) as device:
        assert points(await scanned(device.address, range="2001-2001"))
        found = await scanned(device.address, range="1-2000", wait="0.5")
    assert found == [NoAnswer(device.address, "no device answers within 0.5 s")]


async def test_a_subnet_is_asked_all_at_once() -> None:
    """Two devices that hear and say what is for everybody, and a driver that finds one of them by its number."""
    port = free_port()
    devices = [BacnetDevice(2000 + n, f"127.0.0.{10 + n}") for n in range(2)]
    for n, device in enumerate(devices):
        device.port, device.broadcast = port, "127.255.255.255"
        device.objects["analog-input", 0] = sensor("Temp", 20.0 + n)
    async with started(*devices):
        found = await scanned("127.0.0.0/8", port=str(port))
        by_number = bound("it", "analog-input,0", "", instance=2001)
        bench = Bench([by_number], interface="127.0.0.9/8", port=port)
        async with bench.driver:
            assert await bench.values() == [21.0]
    told = sorted((each.id, each.address["device"]) for each in found if isinstance(each, FoundDevice))
    assert told == [("device_2000", f"127.0.0.10:{port}"), ("device_2001", f"127.0.0.11:{port}")]
    assert sorted(each.value for each in points(found)) == ["20", "21"]


async def test_a_device_behind_a_router() -> None:
    async with building(1) as device:
        device.network = 5
        place = f"5:12@{device.address}"
        found = await scanned(place)
    assert isinstance(found[0], FoundDevice)
    assert found[0].address == {"device": place}
    assert len(points(found)) == 1


@pytest.mark.parametrize(
    "target, chosen",
    [
        ("building", {}),
        ("10.0.0.0/33", {}),
        ("5:12", {}),
        ("127.0.0.1", {"range": "5"}),
        ("127.0.0.1", {"range": "9-5"}),
        ("127.0.0.1", {"wait": "soon"}),
        ("127.0.0.1", {"wait": "61"}),
        ("127.0.0.1", {"port": "many"}),
    ],
)
async def test_what_cannot_be_scanned_says_what_would_be_right(target: str, chosen: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="give"):
        await scanned(target, **chosen)


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with building(1) as device:
        with pytest.raises(ConnectFailed):
            await scanned("127.0.0.1", port=str(device.port))
