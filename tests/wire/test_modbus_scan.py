"""`scan modbus`: what is found on a line with dead units, on a server for any unit, and in maps with holes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import DeviceError
from drivers.modbus import KIND
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.target import SCAN
from tests.wire.modbus_device import COILS, HOLDING, INPUT, ModbusDevice, Place
from tests.wire.modbus_line import LineDevice, RtuDevice

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

DEFAULTS = {option.name: option.default for option in SCAN.options}


async def found_on(target: str, **options: str) -> list[Found]:
    given = {**DEFAULTS, "timeout": "300ms", **{name.replace("_", "-"): value for name, value in options.items()}}
    async with asyncio.timeout(60):
        return [each async for each in SCAN.discover(target, given)]


def points_of(found: list[Found]) -> dict[str, FoundPoint]:
    return {f"{each.device}.{each.name}": each for each in found if isinstance(each, FoundPoint)}


def devices_of(found: list[Found]) -> dict[str, FoundDevice]:
    return {each.id: each for each in found if isinstance(each, FoundDevice)}


def put_floats(device: ModbusDevice, unit: int, table: int, start: int, *values: float) -> None:
    for n, value in enumerate(values):
        device.put(unit, table, start + 2 * n, *struct.unpack(">2H", struct.pack(">f", value)))


class OneAndThree(ModbusDevice):
    """Only units 1 and 3 are there."""

    def answer_to(self, unit: int, question: bytes) -> bytes | None:
        return super().answer_to(unit, question) if unit in {1, 3} else None


@asynccontextmanager
async def running(device: ModbusDevice) -> AsyncGenerator[str]:
    await device.start()
    try:
        yield f"127.0.0.1:{device.port}"
    finally:
        await device.stop()


def meter(device: ModbusDevice) -> None:
    device.identification[1] = (b"Acme", b"PM-3 \xc2\xb0C\x07", b"2.1")
    put_floats(device, 1, INPUT, 0, 230.1, 231.5, 229.9, 50.0)
    device.put(1, HOLDING, 0, 1, 65526, 7)
    device.put(1, HOLDING, 100, 42)
    device.put(1, COILS, 0, 1, 0)


async def test_it_finds_units_names_tables_and_values() -> None:
    device = OneAndThree()
    meter(device)
    device.put(3, HOLDING, 40, 5)
    async with running(device) as target:
        found = await found_on(target, units="1-5")
    assert {id_: (each.title, each.address) for id_, each in devices_of(found).items()} == {
        "unit_1": ("Acme PM-3 °C 2.1", {"unit": 1}),
        "unit_3": ("unit 3", {"unit": 3}),
    }
    points = points_of(found)
    assert {name: point.value.partition(" ")[0] for name, point in points.items()} == {
        "unit_1.input_0": "230.1",
        "unit_1.input_2": "231.5",
        "unit_1.input_4": "229.9",
        "unit_1.input_6": "50",
        "unit_1.holding_0": "1",
        "unit_1.holding_1": "65526",
        "unit_1.holding_2": "7",
        "unit_1.holding_100": "42",
        "unit_1.coil_0": "true",
        "unit_1.coil_1": "false",
        "unit_3.holding_40": "5",
    }
    assert points["unit_1.input_0"].address == {"table": "input", "register": 0, "type": "float32"}
    assert points["unit_1.holding_1"].value == "65526 (0xFFF6, int16 -10)"
    assert {point.title for point in points.values()} == {""}  # it would become the name that people read
    silent = [each.what for each in found if isinstance(each, NoAnswer) and each.what.startswith("unit ")]
    assert silent == ["unit 2"]
    assert [each.what for each in found if isinstance(each, NoAnswer)][-1] == "units 4 to 5"


async def test_what_it_tells_is_what_devices_yaml_takes() -> None:
    device = OneAndThree()
    meter(device)
    device.put(1, HOLDING, 40000, 8, 9)
    async with running(device) as target:
        found = await found_on(target, units="1", registers="39990-40010") + await found_on(target, units="1")
    connections, addresses = TypeAdapter(ModbusConnection), TypeAdapter(ModbusAddress)
    for each in devices_of(found).values():
        assert connections.validate_python(each.connection).port == device.port
    for point in points_of(found).values():
        assert addresses.validate_python({"unit": 1, **point.address}).unit == 1
    assert points_of(found)["unit_1.holding_40001"].address["zero_based"] is True


async def test_floats_with_the_lower_word_first_are_seen() -> None:
    device = OneAndThree()
    for n, value in enumerate((21.5, 0.0, 1013.25)):
        high, low = struct.unpack(">2H", struct.pack(">f", value))
        device.put(1, HOLDING, 10 + 2 * n, low, high)
    async with running(device) as target:
        points = points_of(await found_on(target, units="1"))
    assert {name: (each.value.partition(" ")[0], each.address.get("word_order")) for name, each in points.items()} == {
        "unit_1.holding_10": ("21.5", "little"),
        "unit_1.holding_12": ("0", "little"),
        "unit_1.holding_14": ("1013.25", "little"),
    }


@pytest.mark.parametrize("longest", [10, 2000])
async def test_ranges_are_found_between_holes_in_few_questions(longest: int) -> None:
    device = OneAndThree()
    there = [*range(17), *range(60, 75), *range(330, 332), *range(990, 1000)]
    for register in there:
        device.put(1, HOLDING, register, register)
    device.longest = longest
    async with running(device) as target:
        points = points_of(await found_on(target, units="1"))
    assert [int(name.rpartition("_")[2]) for name in points] == there
    assert len(device.requests) < 1700


async def test_a_device_that_does_not_give_half_a_float_is_seen() -> None:
    class Halfless(OneAndThree):
        def answer_to(self, unit: int, question: bytes) -> bytes | None:
            function, start, count = struct.unpack(">BHH", question[:5])
            halves = function in {HOLDING, INPUT} and (start % 2 or count % 2)
            return bytes([function | 0x80, 2]) if halves else super().answer_to(unit, question)

    device = Halfless()
    put_floats(device, 1, INPUT, 20, 1.5, 2.5)
    async with running(device) as target:
        assert [each.value.partition(" ")[0] for each in points_of(await found_on(target, units="1")).values()] == [
            "1.5",
            "2.5",
        ]


async def test_a_server_that_answers_for_any_unit_is_one_device() -> None:
    class Anybody(ModbusDevice):
        def answer_to(self, unit: int, question: bytes) -> bytes | None:
            del unit
            return super().answer_to(1, question)

    device = Anybody()
    meter(device)
    async with running(device) as target:
        found = await found_on(target)
    assert [*devices_of(found)] == ["unit_1"]
    assert any(isinstance(each, NoAnswer) and "answered alike" in each.cause for each in found)


@pytest.mark.slow
async def test_a_device_that_falls_silent_where_it_has_nothing_ends_soon() -> None:
    device = OneAndThree()
    for register in range(5):
        device.put(1, HOLDING, register, register)
    device.mute = {Place(1, table, register) for table in range(1, 5) for register in range(5, 1000)}
    async with running(device) as target:
        found = await found_on(target, units="1", timeout="100ms")
    assert "unit_1.holding_0" in points_of(found)
    assert any(isinstance(each, NoAnswer) and "falls silent" in each.cause for each in found)
    assert len(device.requests) < 80


class BreaksOff(ModbusDevice):
    """It breaks off the connection where it is asked for a unit other than `there`, or for anything else it lacks."""

    there = 40
    patience = 1000

    def answer_to(self, unit: int, question: bytes) -> bytes | None:
        answer = super().answer_to(unit, question)
        self.patience -= 1
        if unit == self.there and self.patience >= 0 and answer is not None:
            return answer
        for connection in self.connections:
            connection.close()
        return None


async def test_a_server_that_breaks_off_for_units_it_lacks_is_scanned_to_the_end() -> None:
    device = BreaksOff()
    device.put(40, HOLDING, 0, 7)
    async with running(device) as target:
        found = await found_on(target, units="1-60", registers="0-9")
    assert [*points_of(found)] == ["unit_40.holding_0"]
    silent = [each.what for each in found if isinstance(each, NoAnswer)]
    assert silent == ["units 1 to 39", "units 41 to 60"]


async def test_a_server_that_breaks_off_whatever_is_asked_ends_the_scan_with_what_was_found() -> None:
    device = BreaksOff()
    device.put(40, HOLDING, 0, 7)
    device.patience = 1 + 40  # the unit that is tried first, and then all up to the one that is there
    async with running(device) as target:
        found = await found_on(target, units="1-60", registers="0-9")
    assert [*devices_of(found)] == ["unit_40"]
    assert any(isinstance(each, NoAnswer) and "broken off again and again" in each.cause for each in found)


async def test_only_so_many_points_are_listed_and_the_rest_is_told() -> None:
    device = OneAndThree()
    for register in range(250):
        device.put(1, HOLDING, register, register)
    async with running(device) as target:
        found = await found_on(target, units="1")
    assert len(points_of(found)) == 100
    assert any(isinstance(each, NoAnswer) and "150 more values of table holding" in each.what for each in found)


async def test_it_streams_what_it_finds() -> None:
    device = OneAndThree()
    meter(device)
    async with running(device) as target, asyncio.timeout(20):
        scan = SCAN.discover(target, {**DEFAULTS, "units": "1-5", "timeout": "60s"})
        assert isinstance(await anext(scan), FoundDevice)
        await scan.aclose()


def only_unit_two(device: RtuDevice) -> None:
    device.silent.update({1, 3})
    device.identification[2] = (b"Acme", b"Line")
    device.put(2, HOLDING, 0, 1, 2)


async def test_serial_frames_over_tcp_are_scanned_too() -> None:
    device = RtuDevice()
    only_unit_two(device)
    async with running(device) as target:
        they_are_on_a_line(await found_on(target, units="1-3", registers="0-50", framing="rtu_over_tcp"))


@pytest.mark.slow
async def test_a_serial_line_is_scanned_too(tmp_path: Path) -> None:
    device = LineDevice(tmp_path / "tty")
    only_unit_two(device)
    async with running(device):
        options = {"baud_rate": "115200", "parity": "none"}
        they_are_on_a_line(await found_on(str(device.path), units="1-3", registers="0-50", **options))


def they_are_on_a_line(found: list[Found]) -> None:
    (unit,) = devices_of(found).values()
    assert unit.title == "Acme Line"
    assert TypeAdapter(ModbusConnection).validate_python(unit.connection).is_rtu
    assert {each.value for each in points_of(found).values()} == {"1 (0x0001)", "2 (0x0002)"}


async def test_where_nobody_listens_it_says_so() -> None:
    device = ModbusDevice()
    async with running(device) as target:
        pass
    with pytest.raises(DeviceError):
        await found_on(target)


@pytest.mark.parametrize(
    "target, options",
    [
        ("127.0.0.1:502", {"units": "0-3"}),
        ("127.0.0.1:502", {"units": "240-255"}),
        ("127.0.0.1:502", {"units": "many"}),
        ("127.0.0.1:502", {"registers": "5-2"}),
        ("127.0.0.1:502", {"registers": "0-65536"}),
        ("127.0.0.1:502", {"timeout": "soon"}),
        ("127.0.0.1:502", {"framing": "ascii"}),
        ("127.0.0.1:502", {"parity": "none"}),
        ("127.0.0.1:99999", {}),
        ("", {}),
        ("/dev/ttyUSB0", {"framing": "tcp"}),
        ("/dev/ttyUSB0", {"baud_rate": "fast"}),
        ("/dev/ttyUSB0", {"stop_bits": "3"}),
    ],
)
async def test_what_cannot_be_is_refused_with_what_would_be_right(target: str, options: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+; .*give|.+; .*leave"):
        await found_on(target, **options)


def test_the_kind_is_scanned() -> None:
    assert KIND.scan is SCAN
