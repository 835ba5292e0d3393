"""RTU frames, over TCP and over a serial line that is a pseudo terminal: several units share one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.errors import ConnectFailed, DeviceTimeout
from controller.core.sample import Quality
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from tests.wire.modbus_bench import ALL, FLOATS, Bench, bound, fill, floats
from tests.wire.modbus_device import HOLDING, ModbusDevice, Request
from tests.wire.modbus_line import LineDevice, RtuDevice, crc, framed

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

TIMEOUT = 0.3


def over_tcp(device: ModbusDevice) -> ModbusConnection:
    return ModbusConnection("127.0.0.1", device.port, timedelta(seconds=TIMEOUT), framing="rtu_over_tcp")


def over_line(device: LineDevice) -> ModbusConnection:
    return ModbusConnection(
        serial=str(device.path), baud_rate=115200, parity="none", timeout=timedelta(seconds=TIMEOUT)
    )


@pytest.fixture(params=["rtu_over_tcp", "serial"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Bench]:
    """Units 1 and 2, each with its floats."""
    device = RtuDevice() if request.param == "rtu_over_tcp" else LineDevice(tmp_path / "ttyUSB0")
    for unit in (1, 2):
        fill(device, unit)
    await device.start()
    try:
        connection = over_line(device) if isinstance(device, LineDevice) else over_tcp(device)
        made = Bench(device, [*floats(1), *floats(2)], connection)
        async with made.driver:
            yield made
    finally:
        await device.stop()


def test_the_check_sum_is_that_of_the_standard() -> None:
    assert crc(b"\x02\x07") == b"\x41\x12"  # the example of MODBUS over Serial Line V1.02, 6.2.2


async def test_two_units_on_one_line(bench: Bench) -> None:
    assert await bench.values() == ALL + ALL
    assert await bench.requests() == [Request(1, 4, 0, 2 * FLOATS), Request(2, 4, 0, 2 * FLOATS)]


@pytest.mark.slow
async def test_a_hung_unit_costs_its_neighbour_one_timeout_a_probe(bench: Bench) -> None:
    await bench.values()
    bench.device.silent.add(1)
    asked: list[int] = []
    for second in range(70):
        requests = await bench.requests()
        asked.extend(second for request in requests if request.unit == 1)
        assert [request.unit for request in requests].count(2) == 1
        bench.clock.advance(1.0)
    assert asked[:4] == [0, 1, 3, 7]
    assert len(asked) <= 8
    samples = list((await bench.samples()).values())
    assert [sample.value for sample in samples[FLOATS:]] == ALL
    assert {sample.reason for sample in samples[:FLOATS]} == {"device timeout"}


def noise_before(answer: bytes) -> bytes:
    return b"\x01\x04\xff\x00\x01\x83" + answer


def noise_after(answer: bytes) -> bytes:
    return answer + b"\x01\x04\x30"


def another_unit_before(answer: bytes) -> bytes:
    return framed(2, answer[1:-2]) + answer


@pytest.mark.parametrize("mangle", [noise_before, noise_after, another_unit_before])
async def test_an_answer_is_found_among_noise(bench: Bench, mangle: Callable[[bytes], bytes]) -> None:
    bench.device.mangle = lambda answer: mangle(answer) if answer[0] == 1 else answer
    assert await bench.values() == ALL + ALL


def another_unit(answer: bytes) -> bytes:
    return framed(9, answer[1:-2])


def truncated(answer: bytes) -> bytes:
    return answer[:-5]


def wrong_check_sum(answer: bytes) -> bytes:
    return answer[:-1] + bytes([answer[-1] ^ 1])


def a_bit_turned_over(answer: bytes) -> bytes:
    return answer[:4] + bytes([answer[4] ^ 8]) + answer[5:]


def another_function(answer: bytes) -> bytes:
    return framed(answer[0], b"\x03" + answer[2:-2])


def fewer_registers(answer: bytes) -> bytes:
    return framed(answer[0], bytes([answer[1], answer[2] - 2]) + answer[3:-4])


def garbage(answer: bytes) -> bytes:
    return b"\xa5" * len(answer)


def nothing(answer: bytes) -> bytes:
    return answer[:0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "mangle",
    [another_unit, truncated, wrong_check_sum, a_bit_turned_over, another_function, fewer_registers, garbage, nothing],
)
async def test_a_wrong_answer_gives_no_value_and_the_next_is_taken(
    bench: Bench, mangle: Callable[[bytes], bytes]
) -> None:
    assert await bench.values() == ALL + ALL
    bench.device.mangle = lambda answer: mangle(answer) if answer[0] == 1 else answer
    samples = list((await bench.samples()).values())
    assert {sample.quality for sample in samples[:FLOATS]} == {Quality.BAD}
    assert [sample.value for sample in samples[FLOATS:]] == ALL
    bench.device.mangle = None
    bench.clock.advance(60.0)
    assert await bench.values() == ALL + ALL


async def test_an_answer_that_comes_late_is_not_the_answer_to_a_like_question(bench: Bench) -> None:
    """Two blocks of one unit that look alike, and an answer that comes once the second has been asked for."""
    first = bound("a", ModbusAddress(3, "holding", 0, "uint16"))
    second = bound("b", ModbusAddress(3, "holding", 100, "uint16"))
    bench.device.put(3, HOLDING, 0, 111)
    bench.device.put(3, HOLDING, 100, 222)
    other = Bench(bench.device, [first, second], bench.connection)
    if bench.connection.line is not None:
        await bench.driver.__aexit__(None, None, None)
    async with other.driver:
        assert await other.values() == [111, 222]
        bench.device.hang()
        (sample,) = (await other.driver.read([first.point.id])).values()
        assert sample.quality is Quality.BAD
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(other.driver.read([second.point.id]))
            await asyncio.sleep(TIMEOUT / 3)  # the late answer; the second question waits until nothing more can come
            bench.device.resume()
        assert reading.result()[second.point.id].value == 222


async def test_nobody_waits_while_a_late_answer_may_still_come(bench: Bench) -> None:
    healthy, silent = bench.points[0], bench.points[FLOATS]
    await bench.values()
    bench.device.silent.add(2)
    await bench.driver.read([silent])
    bench.device.requests.clear()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.driver.inspect(silent))
        tasks.create_task(bench.driver.read([healthy]))
    assert [request.unit for request in bench.device.requests] == [1, 2]


async def test_a_question_that_was_given_up_takes_the_connection_with_it(bench: Bench) -> None:
    bench.device.hang()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(bench.values())
        await bench.device.asked.wait()
        reading.cancel()
    bench.device.resume()
    with pytest.raises(ConnectFailed):
        await bench.values()


async def test_nobody_answers_for_every_unit(bench: Bench) -> None:
    other = Bench(bench.device, [bound("x", ModbusAddress(0, "holding", 0, "uint16"))], bench.connection)
    if bench.connection.line is not None:
        await bench.driver.__aexit__(None, None, None)
    async with other.driver:
        (sample,) = (await other.samples()).values()
    assert sample.reason.startswith("unit 0 is every device of a line")


# --- the line itself --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def on_a_line(path: Path) -> AsyncGenerator[Bench]:
    device = LineDevice(path)
    fill(device)
    await device.start()
    try:
        yield Bench(device, floats(), over_line(device))
    finally:
        await device.stop()


async def test_a_line_that_is_unplugged_is_an_error_and_then_there_again(tmp_path: Path) -> None:
    async with on_a_line(tmp_path / "tty") as bench:
        async with bench.driver:
            assert await bench.values() == ALL
            await bench.device.stop()
            with pytest.raises(ConnectFailed):
                await bench.values()
        with pytest.raises(ConnectFailed, match="link: connect: No such file or directory"):
            await bench.driver.__aenter__()
        await bench.device.start()
        async with bench.driver:
            assert await bench.values() == ALL


async def test_a_line_has_one_master(tmp_path: Path) -> None:
    async with on_a_line(tmp_path / "tty") as bench, bench.driver:
        with pytest.raises(ConnectFailed, match="link: connect: another program has the line"):
            await Bench(bench.device, floats(), bench.connection).driver.__aenter__()


def descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def test_what_is_no_line_is_said_to_be_none() -> None:
    connection = ModbusConnection(serial="/dev/null")
    before = descriptors()
    with pytest.raises(ConnectFailed, match="Inappropriate ioctl"):
        await Bench(ModbusDevice(), floats(), connection).driver.__aenter__()
    assert descriptors() == before


@pytest.mark.slow
async def test_a_unit_that_babbles_is_as_bad_as_a_silent_one(tmp_path: Path) -> None:
    """Noise without a pause of 3.5 characters: nothing can be asked, and nothing waits for ever.

    On a machine that stalls there is a pause now and then: then an answer may be found among the noise.
    """
    device = LineDevice(tmp_path / "tty")
    fill(device)
    await device.start()
    loop = asyncio.get_running_loop()

    def babble() -> None:
        nonlocal noise
        device.say(b"\x55\xaa")
        noise = loop.call_later(0.002, babble)

    noise = loop.call_soon(babble)
    try:
        slow = ModbusConnection(
            serial=str(device.path), baud_rate=1200, parity="none", timeout=timedelta(seconds=TIMEOUT)
        )
        bench = Bench(device, floats(), slow)
        async with asyncio.timeout(30.0), bench.driver:
            try:
                assert await bench.values() == ALL
            except DeviceTimeout:
                assert len(device.requests) <= 1
    finally:
        noise.cancel()
        await device.stop()


async def test_questions_are_a_silence_apart(tmp_path: Path) -> None:
    device = LineDevice(tmp_path / "tty")
    for register in range(0, 500, 50):
        device.put(1, HOLDING, register, register)
    await device.start()
    try:
        connection = ModbusConnection(serial=str(device.path), baud_rate=1200, parity="none")
        apart = [bound(f"p{n}", ModbusAddress(1, "holding", n, "uint16")) for n in range(0, 500, 50)]
        bench = Bench(device, apart, connection)
        async with bench.driver:
            assert await bench.values() == [*range(0, 500, 50)]
        line = connection.line
        assert line is not None
        pauses = [later - sooner for sooner, later in zip(device.asked_at, device.asked_at[1:], strict=False)]
        assert min(pauses) >= line.frame_gap
    finally:
        await device.stop()


async def test_a_silent_line_is_given_up(tmp_path: Path) -> None:
    async with on_a_line(tmp_path / "tty") as bench, bench.driver:
        bench.device.silent.add(1)
        with pytest.raises(DeviceTimeout, match="unit 1 does not answer"):
            await bench.values()
