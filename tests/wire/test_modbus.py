"""The Modbus driver over real sockets: against a device with faults, and against a server that is not ours."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from controller.core.errors import ConnectFailed
from controller.core.point import (
    PointId,
    ValueType,
)
from controller.core.sample import Quality, Scalar
from drivers.modbus.address import ModbusAddress, Table, WireType
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.exchange import WRITE_AGAIN
from tests.hand_clock import HandClock
from tests.wire.modbus_bench import ALL, Bench, bound, floats, running
from tests.wire.modbus_device import COILS, HOLDING, INPUT, ModbusDevice, Place

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


# --- a close look -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address, words, raw, value",
    [
        (ModbusAddress(1, "holding", 9, "float32"), (0x41AC, 0), "function 3, holding 9: 0x41AC 0x0000", 21.5),
        (ModbusAddress(1, "holding", 9, "int16", scale=0.1), (0xFFF6,), "function 3, holding 9: 0xFFF6", -1.0),
        (ModbusAddress(1, "holding", 9, bit=3), (0x0008,), "function 3, holding 9: 0x0008", True),
        (ModbusAddress(1, "coil", 9), (1,), "function 1, coil 9: 1", True),
    ],
)
async def test_a_value_is_shown_as_the_wire_has_it(
    address: ModbusAddress, words: Sequence[int], raw: str, value: Scalar
) -> None:
    async with running(bound("x", address)) as bench:
        bench.device.put(1, COILS if address.table == "coil" else HOLDING, 9, *words)
        found = await bench.driver.inspect(bench.points[0])
        assert (found.raw, found.sample.value, found.sample.quality) == (raw, value, Quality.GOOD)


async def test_what_cannot_be_looked_at_says_why() -> None:
    async with running(*floats()) as bench:
        assert (await bench.driver.inspect(PointId("a.b.c"))).sample.reason == "no such point on this link"
        bench.device.refused[Place(1, INPUT, 0)] = 2
        refused = await bench.driver.inspect(bench.points[0])
        assert (refused.sample.reason, refused.raw) == ("refused: illegal data address (exception 2)", "")
        bench.device.silent.add(1)
        assert (await bench.driver.inspect(bench.points[0])).sample.reason == "device timeout"


# --- connections ------------------------------------------------------------------------------------------------------


async def test_a_refused_connection_says_so() -> None:
    device = ModbusDevice()
    await device.start()
    await device.stop()
    with pytest.raises(ConnectFailed, match=r"link: connect: .*"):
        await Bench(device, floats()).driver.__aenter__()


@pytest.mark.fault("total loss of a link")
async def test_a_connection_lost_while_waiting_is_told_at_once() -> None:
    async with running(*floats()) as bench:
        patient = Bench(bench.device, floats(), timeout=30.0)
        async with asyncio.timeout(10.0), patient.driver:
            await patient.values()
            bench.device.hang()
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(caught(patient.values()))
                await bench.device.asked.wait()
                await bench.device.stop()
            assert str(reading.result()) == "link: read: connection lost"


async def caught(reading: Awaitable[object]) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as error:
        await reading
    return error.value


async def test_a_connection_lost_before_the_first_question_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    async with running(*floats()) as bench:
        await bench.device.stop()
        with pytest.raises(ConnectFailed):
            await bench.values()
    del bench
    gc.collect()  # a future with an error that nobody fetched speaks up when it goes
    assert caplog.records == []


async def test_nothing_connects_behind_our_back() -> None:
    async with running(*floats()) as bench:
        await bench.values()
        await bench.device.stop()
        await bench.device.start()
        other = Bench(bench.device, floats())
        for _ in range(10):
            async with other.driver:
                assert await other.values() == ALL
                assert len(bench.device.connections) == 1


async def test_a_server_that_closes_idle_connections_is_read_and_written_as_any_other() -> None:
    coil = bound("coil", ModbusAddress(1, "coil", 0), flag=True)
    async with running(*floats(), coil) as bench:
        bench.device.put(1, COILS, 0, 0)
        for _ in range(5):
            assert await bench.values() == [*ALL, False]
            await closed_by(bench.device)
        assert (await bench.driver.write({coil.point.id: True}))[coil.point.id].accepted


async def closed_by(device: ModbusDevice) -> None:
    for connection in [*device.connections]:
        await connection.cut()
    for _ in range(10):  # until both ends know
        await asyncio.sleep(0)


@pytest.mark.fault("total loss of a link")
async def test_a_server_that_is_gone_is_an_error_and_then_there_again() -> None:
    async with running(*floats()) as bench:
        await bench.values()
        await bench.device.stop()
        with pytest.raises(ConnectFailed):
            await bench.values()
        await bench.device.start()
        async with bench.driver:
            assert await bench.values() == ALL


# --- answers that are none --------------------------------------------------------------------------------------------


def another_unit(answer: bytes) -> bytes:
    return answer[:6] + b"\x09" + answer[7:]


def another_transaction(answer: bytes) -> bytes:
    return bytes([answer[0] ^ 0x55]) + answer[1:]


def another_protocol(answer: bytes) -> bytes:
    return answer[:2] + b"\x12\x34" + answer[4:]


def truncated(answer: bytes) -> bytes:
    return answer[:-5]


def nothing_but_a_header(answer: bytes) -> bytes:
    return answer[:4] + b"\x00\x01" + answer[6:7]


def garbage(answer: bytes) -> bytes:
    return b"\xa5" * len(answer)


def too_few_bytes(answer: bytes) -> bytes:
    return answer[:4] + b"\x00\x05" + answer[6:8] + b"\x30\x01\x02"


def another_function(answer: bytes) -> bytes:
    return answer[:7] + b"\x03" + answer[8:]


def no_function(answer: bytes) -> bytes:
    return answer[:7] + b"\x63" + answer[8:]


def too_many_registers(answer: bytes) -> bytes:
    size = int.from_bytes(answer[4:6], "big") + 2
    return answer[:4] + size.to_bytes(2, "big") + answer[6:8] + bytes([answer[8] + 2]) + answer[9:] + b"\x00\x00"


WRONG_ANSWERS: dict[Callable[[bytes], bytes], str] = {
    another_unit: "device timeout",
    another_transaction: "device timeout",
    another_protocol: "device timeout",
    truncated: "device timeout",
    nothing_but_a_header: "device timeout",
    garbage: "device timeout",
    too_few_bytes: "garbled answer",
    another_function: "garbled answer",
    no_function: "garbled answer",
    too_many_registers: "long answer",
}


@pytest.mark.parametrize("mangle", WRONG_ANSWERS, ids=lambda mangle: getattr(mangle, "__name__", ""))
async def test_a_wrong_answer_gives_no_value_and_no_noise(
    mangle: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running(*floats(count=1)) as bench:
        assert await bench.values() == [0.5]
        bench.device.mangle = mangle
        (sample,) = (await bench.samples()).values()
        assert sample.quality is Quality.BAD
        assert sample.reason.startswith(WRONG_ANSWERS[mangle])
        bench.device.mangle = None
        bench.clock.advance(60.0)
        assert await bench.values() == [0.5]
    assert caplog.records == []


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address, value, function, words",
    [
        (ModbusAddress(1, "coil", 4), True, 5, (1,)),
        (ModbusAddress(1, "coil", 4, write_multiple=True), True, 15, (1,)),
        (ModbusAddress(1, "holding", 4, "int16", scale=0.1), 7.0, 6, (70,)),
        (ModbusAddress(1, "holding", 4, "int16", scale=0.1, write_multiple=True), 7.0, 16, (70,)),
        (ModbusAddress(1, "holding", 4, "float32", word_order="little"), 21.5, 16, (0x0000, 0x41AC)),
        (ModbusAddress(1, "holding", 4, bit=3), True, 22, (0b1000,)),
        (ModbusAddress(1, "holding", 4, bit=3, byte_order="little"), True, 22, (0b1000_0000_0000,)),
    ],
)
async def test_each_value_is_written_by_its_function(
    address: ModbusAddress, value: Scalar, function: int, words: tuple[int, ...]
) -> None:
    table = COILS if address.table == "coil" else HOLDING
    async with running(bound("x", address, flag=address.type == "bool")) as bench:
        bench.device.put(1, table, 4, 0, 0)
        (result,) = (await bench.driver.write({bench.points[0]: value})).values()
        assert result.accepted, result.reason
        assert [request.function for request in bench.device.requests] == [function]
        assert bench.device.words(1, table, 4, len(words)) == words


@pytest.mark.parametrize("mask_write", [True, False])
async def test_a_bit_leaves_its_neighbours_alone(mask_write: bool) -> None:
    bits = [bound(f"b{bit}", ModbusAddress(1, "holding", 4, bit=bit), flag=True) for bit in (0, 7, 15)]
    async with running(*bits) as bench:
        bench.device.put(1, HOLDING, 4, 0b0101_0101_1010_1010)
        bench.device.missing = set() if mask_write else {22}
        wishes = dict(zip(bench.points, (True, False, True), strict=True))
        assert all(result.accepted for result in (await bench.driver.write(wishes)).values())
        assert bench.device.words(1, HOLDING, 4) == (0b1101_0101_0010_1011,)
        functions = [request.function for request in bench.device.requests]
        assert functions == ([22, 22, 22] if mask_write else [22, 3, 6, 3, 6, 3, 6])


@pytest.mark.parametrize(
    "address, value",
    [
        (ModbusAddress(1, "coil", 4), True),
        (ModbusAddress(1, "coil", 4, write_multiple=True), True),
        (ModbusAddress(1, "holding", 4, "int16"), 100.0),
        (ModbusAddress(1, "holding", 4, "int16", write_multiple=True), 100.0),
        (ModbusAddress(1, "holding", 4, "float32"), 21.5),
        (ModbusAddress(1, "holding", 4, bit=3), True),
    ],
)
@pytest.mark.parametrize("octet", [9, 10])
async def test_a_device_that_took_something_else_is_not_believed(
    address: ModbusAddress, value: Scalar, octet: int
) -> None:
    """The answer to a write repeats its place, and its value or how many values there were."""

    def repeated_wrong(answer: bytes) -> bytes:
        return answer[:octet] + bytes([answer[octet] ^ 0xFF]) + answer[octet + 1 :]

    async with running(bound("x", address, flag=address.type == "bool")) as bench:
        bench.device.put(1, COILS if address.table == "coil" else HOLDING, 4, 0, 0)
        bench.device.mangle = repeated_wrong
        (result,) = (await bench.driver.write({bench.points[0]: value})).values()
        assert not result.accepted
        assert "the device took something else" in result.reason
        bench.device.mangle = None
        (result,) = (await bench.driver.write({bench.points[0]: value})).values()
        assert result.accepted, result.reason


async def test_writes_keep_the_order_given() -> None:
    coils = [bound(f"c{coil}", ModbusAddress(1, "coil", coil), flag=True) for coil in range(5)]
    async with running(*coils) as bench:
        bench.device.put(1, COILS, 0, *[0] * 5)
        order = [bench.points[coil] for coil in (3, 0, 4, 1, 2)]
        await bench.driver.write(dict.fromkeys(order, True))
        assert [request.start for request in bench.device.requests] == [3, 0, 4, 1, 2]


async def test_an_exception_refuses_one_write_and_says_why() -> None:
    coils = [bound(f"c{coil}", ModbusAddress(1, "coil", coil), flag=True) for coil in range(2)]
    async with running(*coils) as bench:
        bench.device.put(1, COILS, 1, 0)
        results = await bench.driver.write(dict.fromkeys(bench.points, True))
        assert [tuple(result) for result in results.values()] == [
            (False, "refused: illegal data address (exception 2)"),
            (True, ""),
        ]


async def test_what_the_registers_cannot_hold_is_not_sent() -> None:
    async with running(bound("x", ModbusAddress(1, "holding", 4, "int16"))) as bench:
        (result,) = (await bench.driver.write({bench.points[0]: 40000})).values()
        assert tuple(result) == (False, "40000 is 40000 in the device, which int16 cannot hold")
        assert bench.device.requests == []


@pytest.mark.parametrize("table", ["input", "discrete"])
async def test_a_table_that_cannot_be_written_is_not(table: Table) -> None:
    address = ModbusAddress(1, table, 4, "bool" if table == "discrete" else "int16")
    async with running(bound("x", address)) as bench:
        (result,) = (await bench.driver.write({bench.points[0]: 0})).values()
        assert tuple(result) == (False, f"the {table} table cannot be written")
        assert bench.device.requests == []


async def test_a_silent_unit_costs_its_writes_one_timeout() -> None:
    coils = [bound(f"c{coil}", ModbusAddress(unit, "coil", coil), flag=True) for unit in (1, 2) for coil in range(3)]
    async with running(*coils) as bench:
        bench.device.put(2, COILS, 0, 0, 0, 0)
        bench.device.silent.add(1)
        results = await bench.driver.write(dict.fromkeys(bench.points, True))
        assert [result.accepted for result in results.values()] == [False] * 3 + [True] * 3
        assert [request.unit for request in bench.device.requests] == [1, 2, 2, 2]


async def test_a_unit_that_rests_is_not_written_to_until_some_seconds_have_passed() -> None:
    coils = [bound("c", ModbusAddress(unit, "coil", 0), flag=True) for unit in (1, 2)]
    async with running(*coils) as bench:
        for unit in (1, 2):
            bench.device.put(unit, COILS, 0, 0)
        bench.device.silent.add(1)
        for _ in range(6):
            await bench.values()
            bench.clock.advance(60.0)
        await bench.values()

        async def written() -> tuple[list[bool], list[int]]:
            bench.device.requests.clear()
            results = await bench.driver.write(dict.fromkeys(bench.points, True))
            return [result.accepted for result in results.values()], [each.unit for each in bench.device.requests]

        assert await written() == ([False, True], [2])
        bench.clock.advance(WRITE_AGAIN)
        assert await written() == ([False, True], [1, 2])
        bench.device.silent.clear()
        bench.clock.advance(WRITE_AGAIN)
        assert await written() == ([True, True], [1, 2])


# --- a server that is not ours ----------------------------------------------------------------------------------------

TYPES: tuple[WireType, ...] = ("int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")


@asynccontextmanager
async def pymodbus_server() -> AsyncGenerator[int]:
    bits = [SimData(0, values=[False] * 32, datatype=DataType.BITS)]
    registers = [SimData(0, values=[0] * 100, datatype=DataType.REGISTERS)]
    device = SimDevice(1, (bits, [*bits], registers, [*registers]))
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    transport: Any = server.transport
    try:
        yield transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


async def test_every_spelling_survives_a_server_of_another_make() -> None:
    bindings = [bound("coil", ModbusAddress(1, "coil", 9), flag=True)]
    register = 0
    for type in TYPES:
        for word_order in ("big", "little"):
            address = ModbusAddress(
                1, "holding", register, type, word_order="little" if word_order == "little" else "big"
            )
            bindings.append(bound(f"{type}_{word_order}", address))
            register += address.words
    bindings.append(bound("bit", ModbusAddress(1, "holding", register, bit=5), flag=True))
    wishes: dict[PointId, Scalar | None] = {
        binding.point.id: True if binding.point.type is ValueType.BOOLEAN else 1234.0 + index
        for index, binding in enumerate(bindings)
    }
    async with pymodbus_server() as port:
        driver = ModbusDriver("link", ModbusConnection("127.0.0.1", port), bindings, HandClock())
        async with driver:
            written = await driver.write(wishes)
            assert [result for result in written.values() if not result.accepted] == []
            samples = await driver.read(list(wishes))
            assert {point: sample.value for point, sample in samples.items()} == wishes
