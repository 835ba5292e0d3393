"""The Modbus driver over real sockets: against a device with faults, and against a server that is not ours."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from controller.core.errors import ConnectFailed, DeviceTimeout
from controller.core.point import (
    Binding,
    PointId,
    ValueType,
)
from controller.core.sample import Quality, Scalar
from drivers.modbus.address import MOST_REGISTERS, ModbusAddress, Table, WireType
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.exchange import FRUITLESS_LIMIT, MOST_PROBING, NOT_ASKED, WRITE_AGAIN
from drivers.modbus.holes import REFUSED_AGAIN
from drivers.modbus.reading import NOT_HERE
from tests.hand_clock import HandClock
from tests.wire.modbus_bench import ALL, FLOATS, Bench, bound, fill, floats
from tests.wire.modbus_device import COILS, HOLDING, INPUT, ModbusDevice, Place, Request

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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


# --- blocks and holes -------------------------------------------------------------------------------------------------


async def test_many_values_are_one_request() -> None:
    async with running(*floats()) as bench:
        assert await bench.values() == ALL
        assert await bench.requests() == [Request(1, 4, 0, 2 * FLOATS)]


@pytest.mark.parametrize("code", [2, 3, 4])
async def test_holes_hide_nothing_and_are_remembered(code: int) -> None:
    async with running(*floats()) as bench:
        for register in (7, 16):
            bench.device.refused[Place(1, INPUT, register)] = code
        assert await bench.values() == without(3, 8)
        assert all(
            f"(exception {code})" in sample.reason
            for sample in (await bench.samples()).values()
            if sample.quality is Quality.BAD
        )
        # What is left are the three runs between the holes, in no more requests than that leaves necessary.
        requests = await bench.requests()
        assert sum(request.size for request in requests) == 2 * (FLOATS - 2)
        assert len(requests) <= 4


async def test_a_hole_that_heals_is_found_within_a_minute() -> None:
    async with running(*floats()) as bench:
        bench.device.refused[Place(1, INPUT, 7)] = 2
        await bench.values()
        bench.device.refused.clear()
        assert await bench.values() == without(3)
        bench.clock.advance(REFUSED_AGAIN)
        assert await bench.values() == ALL
        assert await bench.requests() == [Request(1, 4, 0, 2 * FLOATS)]


async def test_a_hole_that_stays_is_asked_about_once_a_minute() -> None:
    async with running(*floats()) as bench:
        bench.device.refused[Place(1, INPUT, 7)] = 2
        await bench.values()
        asked = 0
        for _ in range(180):
            bench.clock.advance(1.0)
            asked += any(request.start == 6 and request.size == 2 for request in await bench.requests())
        assert asked == 3


async def test_a_new_hole_beside_a_known_one_hides_nothing_either() -> None:
    async with running(*floats()) as bench:
        bench.device.refused[Place(1, INPUT, 7)] = 2
        assert await bench.values() == without(3)
        bench.device.refused[Place(1, INPUT, 20)] = 2
        assert await bench.values() == without(3, 10)


async def test_a_missing_register_between_values_costs_no_value() -> None:
    far_apart = [
        bound("p0", ModbusAddress(1, "input", 0, "float32")),
        bound("p9", ModbusAddress(1, "input", 6, "float32")),
    ]
    async with running(*far_apart) as bench:
        del bench.device.cells[Place(1, INPUT, 4)]
        assert await bench.values() == [0.5, 3.5]
        assert await bench.requests() == [Request(1, 4, 0, 2), Request(1, 4, 6, 2)]


async def test_a_device_that_takes_only_short_reads_is_learned() -> None:
    async with running(*floats()) as bench:
        bench.device.longest = 7
        assert await bench.values() == ALL
        requests = await bench.requests()
        assert all(request.size <= 7 for request in requests)
        assert len(requests) <= 4
        assert await bench.values() == ALL


async def test_success_without_registers_is_no_success() -> None:
    """Some servers answer a read that touches what they do not have with success and no data."""

    def empty_beyond_the_map(answer: bytes) -> bytes:
        return answer[:4] + b"\x00\x03" + answer[6:7] + b"\x04\x00" if answer[7] == 0x84 else answer

    async with running(*floats()) as bench:
        bench.device.mangle = empty_beyond_the_map
        del bench.device.cells[Place(1, INPUT, 7)]
        assert await bench.values() == without(3)
        assert (await bench.samples())[bench.points[3]].reason == "short answer: 0 of 4 bytes"


async def test_a_busy_device_is_asked_again_and_nothing_is_learned() -> None:
    async with running(*floats()) as bench:
        bench.device.refused[Place(1, INPUT, 7)] = 6
        assert len(await bench.requests()) == 1
        assert (await bench.samples())[bench.points[0]].reason == "refused: device busy (exception 6)"
        bench.device.refused.clear()
        assert await bench.values() == ALL


async def test_a_busy_device_beside_a_hole_is_asked_again_and_only_the_hole_is_learned() -> None:
    async with running(*floats()) as bench:
        bench.device.refused = {Place(1, INPUT, 7): 2, Place(1, INPUT, 20): 6}
        await bench.values()
        bench.device.refused = {Place(1, INPUT, 7): 2}
        assert await bench.values() == without(3)


async def test_what_was_learned_is_forgotten_when_the_link_is_opened_again() -> None:
    async with running(*floats()) as bench:
        bench.device.refused[Place(1, INPUT, 7)] = 2
        assert await bench.values() == without(3)
        bench.device.refused.clear()
        async with bench.driver:
            assert await bench.values() == ALL


async def test_a_missing_function_is_not_searched_for_holes() -> None:
    async with running(*floats()) as bench:
        bench.device.missing.add(4)
        assert len(await bench.requests()) == 1
        assert set(await bench.values()) == {None}


async def test_more_than_a_request_can_carry_is_several() -> None:
    async with running(*floats(count=100)) as bench:
        fill(bench.device, count=100)
        requests = await bench.requests()
        assert [request.size for request in requests] == [124, 76]
        assert all(request.size <= MOST_REGISTERS for request in requests)
        assert await bench.values() == [n + 0.5 for n in range(100)]


async def test_a_few_points_ask_for_their_blocks_only() -> None:
    async with running(*floats(1), *floats(2), units=(1, 2)) as bench:
        bench.device.requests.clear()
        samples = await bench.driver.read([bench.points[FLOATS + 1]])
        assert {point: sample.value for point, sample in samples.items()} == {bench.points[FLOATS + 1]: 1.5}
        assert [request.unit for request in bench.device.requests] == [2]


# --- places that a device is silent about -----------------------------------------------------------------------------


async def learned_after(bench: Bench, most_reads: int) -> int:
    """Reads until nothing more is learned; each costs at most one time-out more than the questions it answers."""
    for reads in range(1, most_reads + 1):
        samples = await bench.samples()
        bench.clock.advance(1.0)
        if {sample.reason for sample in samples.values()} <= {"", NOT_HERE}:
            return reads
    raise AssertionError([sample.reason for sample in (await bench.samples()).values()])


@pytest.mark.parametrize("missing", [(3,), (11,), (3, 8)])
async def test_a_place_that_the_device_is_silent_about_hides_nothing(missing: Sequence[int]) -> None:
    async with running(*floats()) as bench:
        bench.device.mute = {Place(1, INPUT, 2 * n + 1) for n in missing}
        await learned_after(bench, 8 * len(missing))
        assert await bench.values() == without(*missing)
        assert {sample.reason for sample in (await bench.samples()).values()} == {"", NOT_HERE}
        asked = await bench.requests()
        assert sum(request.size for request in asked) == 2 * (FLOATS - len(missing))
        assert len(asked) <= 2 * len(missing) + 2


async def test_a_device_that_is_silent_about_its_first_value_is_heard_the_second_time() -> None:
    async with running(*floats()) as bench:
        bench.device.mute = {Place(1, INPUT, 0)}
        with pytest.raises(DeviceTimeout):
            await bench.values()
        async with bench.driver:
            await learned_after(bench, 8)
            assert await bench.values() == without(0)


async def test_a_place_between_values_that_the_device_is_silent_about_costs_no_value() -> None:
    apart = [bound(f"p{n}", ModbusAddress(1, "input", 6 * n, "float32")) for n in (0, 1, 2)]
    async with running(*apart) as bench:
        bench.device.mute = {Place(1, INPUT, 8)}
        await learned_after(bench, 8)
        assert await bench.values() == [0.5, 3.5, 6.5]


async def test_a_silent_place_takes_no_other_unit_and_no_other_block_with_it() -> None:
    far = bound("far", ModbusAddress(1, "holding", 500, "uint16"))
    async with running(*floats(1), far, *floats(2), units=(1, 2)) as bench:
        bench.device.put(1, HOLDING, 500, 77)
        bench.device.mute = {Place(1, INPUT, 7)}
        await bench.values()
        bench.clock.advance(1.0)
        for _ in range(8):
            assert (await bench.values())[FLOATS:] == [77, *ALL]
            bench.clock.advance(1.0)
        assert await bench.values() == [*without(3), 77, *ALL]


async def test_many_silent_places_cost_a_read_one_question_in_vain() -> None:
    """Six blocks, one value of each is silent; the last block has none, and waits for no search."""
    apart = [
        bound(f"p{n}", ModbusAddress(1, "holding", n, "uint16")) for k in range(7) for n in range(99 * k, 99 * k + 4)
    ]
    async with running(*apart) as bench:
        for binding in apart:
            bench.device.put(1, HOLDING, binding.address.register, 7)
        bench.device.mute = {Place(1, HOLDING, 99 * k + 2) for k in range(6)}
        silences: list[int] = []
        found: list[int] = []
        for _ in range(120):
            asked = await bench.requests()
            silences.append(
                sum(any(r.start <= place.register < r.start + r.size for place in bench.device.mute) for r in asked)
            )
            found.append(28 - (await bench.values()).count(None))
            bench.clock.advance(1.0)
        assert max(silences) <= 1
        assert found[8] >= 4
        assert found[40] == 28 - 6


async def test_a_silent_place_that_heals_is_found_within_a_minute() -> None:
    async with running(*floats()) as bench:
        bench.device.mute = {Place(1, INPUT, 7)}
        await learned_after(bench, 8)
        asked = 0
        for _ in range(120):
            bench.clock.advance(1.0)
            asked += any(request == Request(1, 4, 6, 2) for request in await bench.requests())
        assert asked == 2
        bench.device.mute.clear()
        bench.clock.advance(REFUSED_AGAIN)
        assert await bench.values() == ALL
        assert await bench.requests() == [Request(1, 4, 0, 2 * FLOATS)]


class Lossy(ModbusDevice):
    """lost: how many of the next answers get lost."""

    lost = 0

    def answer_to(self, unit: int, question: bytes) -> bytes | None:
        answer = super().answer_to(unit, question)
        if self.lost:
            self.lost -= 1
            return None
        return answer


async def test_an_answer_that_is_lost_is_asked_for_once_more() -> None:
    device = Lossy()
    fill(device)
    await device.start()
    try:
        bench = Bench(device, floats())
        async with bench.driver:
            await bench.values()
            device.lost = 1
            assert await bench.values() == ALL
            device.lost = 2
            assert set(await bench.values()) == {None}
            assert await bench.values() == ALL
            # No search was started.
            assert await bench.requests() == [Request(1, 4, 0, 2 * FLOATS)]
    finally:
        await device.stop()


# --- units that want their time ---------------------------------------------------------------------------------------


def paced(unit: int, starts: Sequence[int], **said: Any) -> list[Binding[ModbusAddress]]:
    return [bound(f"p{start}", ModbusAddress(unit, "input", start, "float32", **said)) for start in starts]


async def seconds_of(reading: Awaitable[object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await reading
    return loop.time() - began


async def test_a_unit_rests_between_questions() -> None:
    async with running(*paced(1, (0, 1000, 2000, 3000), gap=timedelta(milliseconds=60))) as bench:
        assert await seconds_of(bench.values()) >= 0.18
        assert len(bench.device.requests) == 4


async def test_a_unit_is_asked_no_faster_than_it_likes() -> None:
    async with running(*paced(1, (0, 1000, 2000, 3000), rate=20.0)) as bench:
        assert await seconds_of(bench.values()) >= 0.15


async def test_others_are_asked_while_a_unit_rests() -> None:
    slow, others = paced(1, (0, 1000, 2000), gap=timedelta(milliseconds=60)), floats(2)
    async with running(*slow, *others, units=(1, 2)) as bench:
        assert [request.unit for request in await bench.requests()] == [1, 2, 1, 1]


async def test_a_unit_that_gives_few_registers_at_once_is_asked_for_few() -> None:
    few = [bound(f"p{n}", ModbusAddress(1, "input", 2 * n, "float32", maximum_registers=7)) for n in range(FLOATS)]
    async with running(*few) as bench:
        assert [request.size for request in await bench.requests()] == [6, 6, 6, 6]
        assert await bench.values() == ALL


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


# --- units that fall silent -------------------------------------------------------------------------------------------


async def test_a_silent_unit_takes_no_other_with_it() -> None:
    async with running(*floats(1), *floats(2), units=(1, 2)) as bench:
        await bench.values()
        bench.device.silent.add(1)
        for _ in range(2 * FRUITLESS_LIMIT):
            samples = list((await bench.samples()).values())
            assert {sample.reason for sample in samples[:FLOATS]} == {"device timeout"}
            assert [sample.value for sample in samples[FLOATS:]] == ALL
            bench.clock.advance(60.0)
        bench.device.silent.clear()
        assert await bench.values() == ALL + ALL


async def test_a_unit_silent_from_the_start_takes_no_other_with_it() -> None:
    async with running(*floats(1), *floats(2), units=(2,)) as bench:
        bench.device.silent.add(1)
        assert (await bench.values())[FLOATS:] == ALL


async def test_a_silent_unit_costs_a_read_one_timeout() -> None:
    apart = [bound(f"p{start}", ModbusAddress(1, "input", start, "float32")) for start in (0, 1000, 2000)]
    async with running(*apart) as bench:
        await bench.values()
        bench.device.silent.add(1)
        assert len(await bench.requests()) == 2  # once more, since it has answered
        assert {sample.reason for sample in (await bench.samples()).values()} == {"device timeout"}


RESTS = (1, 2, 4, 8, 16, 32, 60, 60)


async def test_a_silent_unit_is_asked_ever_more_seldom() -> None:
    async with running(*floats(1, 1), *floats(2), units=(1, 2)) as bench:
        bench.device.silent.add(1)
        asked: list[int] = []
        for second in range(300):
            if any(request.unit == 1 for request in await bench.requests()):
                asked.append(second)
            bench.clock.advance(1.0)
        assert asked[:3] == [0, 1, 3]
        pauses = [later - sooner for sooner, later in pairwise(asked)]
        assert all(0.8 * rest <= pause <= rest for rest, pause in zip(RESTS, pauses, strict=False))
        assert len(pauses) >= len(RESTS)


async def test_units_that_fell_silent_together_are_not_asked_together_for_ever() -> None:
    units = range(1, 9)
    async with running(*(each for unit in units for each in floats(unit, 1)), units=units) as bench:
        await bench.values()
        bench.device.silent.update(range(1, 8))
        for _ in range(300):
            await bench.values()
            bench.clock.advance(1.0)
        together: list[int] = []
        for _ in range(60):
            together.append(sum(request.unit < 8 for request in await bench.requests()))
            bench.clock.advance(1.0)
        assert sum(together) >= 7
        assert max(together) <= 4


@pytest.mark.slow
async def test_many_silent_units_cost_a_read_only_some_seconds() -> None:
    """Units 1 and 7 are well, and those between are silent."""
    units = range(1, 8)
    async with running(*(each for unit in units for each in floats(unit, 1)), units=units) as bench:
        bench.device.silent.update(range(2, 7))
        slow = Bench(bench.device, [each for unit in units for each in floats(unit, 1)], timeout=1.3)
        async with slow.driver:
            first = [sample.reason for sample in (await slow.samples()).values()]
            assert first == ["", *["device timeout"] * 4, NOT_ASKED, NOT_ASKED]
            assert [request.unit for request in await slow.requests()] == [1, 6, 7]


@pytest.mark.slow
async def test_where_nobody_answers_the_next_connection_begins_with_those_not_asked() -> None:
    async with running(*floats(1, 1), *floats(2, 1), units=(2,)) as bench:
        bench.device.silent.add(1)
        slow = Bench(bench.device, [*floats(1, 1), *floats(2, 1)], timeout=MOST_PROBING + 0.1)
        async with slow.driver:
            with pytest.raises(DeviceTimeout):
                await slow.values()
        async with slow.driver:
            assert await slow.values() == [None, 0.5]
        assert [request.unit for request in bench.device.requests] == [1, 2, 1]


async def test_units_that_answer_are_asked_first_also_on_the_next_connection() -> None:
    async with running(*floats(1, 1), *floats(2, 1), units=(2,)) as bench:
        bench.device.silent.add(1)
        assert [request.unit for request in await bench.requests()] == [1, 2]
        async with bench.driver:
            assert [request.unit for request in await bench.requests()] == [2, 1]


async def test_a_unit_that_came_back_counts_as_new() -> None:
    async with running(*floats(1, 1), *floats(2), units=(1, 2)) as bench:
        for _ in range(2):
            bench.device.silent.add(1)
            for _ in range(5):
                await bench.values()
                bench.clock.advance(60.0)
            bench.device.silent.clear()
            assert await bench.values() == [0.5, *ALL]
        bench.device.silent.add(1)
        await bench.values()
        bench.clock.advance(1.0)
        assert 1 in {request.unit for request in await bench.requests()}


async def test_a_link_is_not_given_up_while_another_unit_answers() -> None:
    async with running(*floats(1), *floats(2), units=(1, 2)) as bench:
        await bench.values()
        bench.device.silent.add(1)
        for _ in range(2 * FRUITLESS_LIMIT):
            samples = await bench.driver.read(bench.points[:FLOATS])
            assert {sample.reason for sample in samples.values()} == {"device timeout"}
            bench.clock.advance(60.0)
        assert (await bench.values())[FLOATS:] == ALL


async def test_a_gateway_speaks_for_its_silent_unit() -> None:
    async with running(*floats(1), *floats(2), units=(1, 2)) as bench:
        bench.device.refused[Place(1, INPUT, 7)] = 11
        samples = list((await bench.samples()).values())
        assert {sample.reason for sample in samples[:FLOATS]} == {"device timeout: gateway target did not respond"}
        assert [sample.value for sample in samples[FLOATS:]] == ALL


async def test_a_device_that_fell_silent_is_given_up_after_three_requests() -> None:
    async with running(*floats()) as bench:
        await bench.values()
        bench.device.hang()
        for _ in range(FRUITLESS_LIMIT - 1):
            assert {sample.reason for sample in (await bench.samples()).values()} == {"device timeout"}
        with pytest.raises(DeviceTimeout, match="unit 1 does not answer"):
            await bench.values()
        with pytest.raises(ConnectFailed):
            await bench.values()


async def test_an_answer_in_between_starts_the_count_anew() -> None:
    async with running(*floats()) as bench:
        for _ in range(3):
            assert await bench.values() == ALL
            bench.device.silent.add(1)
            for _ in range(FRUITLESS_LIMIT - 1):
                assert set(await bench.values()) == {None}
            bench.device.silent.clear()


async def test_a_device_that_never_spoke_is_given_up_at_once() -> None:
    async with running(*floats()) as bench:
        bench.device.hang()
        with pytest.raises(DeviceTimeout):
            await bench.values()


async def test_a_late_answer_is_nobodys_answer() -> None:
    async with running(*floats(1), *floats(2), units=(1, 2)) as bench:
        await bench.values()
        bench.device.hang()
        await bench.values()
        bench.device.resume()
        bench.clock.advance(60.0)
        assert await bench.values() == ALL + ALL


async def test_questions_asked_at_once_wait_for_one_another() -> None:
    bits = [bound(f"b{bit}", ModbusAddress(1, "holding", 4, bit=bit), flag=True) for bit in range(16)]
    async with running(*bits, *floats(2), units=(2,)) as bench:
        bench.device.put(1, HOLDING, 4, 0)
        bench.device.missing.add(22)
        async with asyncio.TaskGroup() as tasks:
            writes = [tasks.create_task(bench.driver.write({point: True})) for point in bench.points[:16]]
            for _ in writes:
                tasks.create_task(bench.values())
        # On a machine that stalls a question may time out; the device then does not have it, and says so.
        taken = [write.result()[point].accepted for point, write in zip(bench.points, writes, strict=False)]
        (word,) = bench.device.words(1, HOLDING, 4)
        assert all(word >> bit & 1 for bit, is_in in enumerate(taken) if is_in)
        assert sum(taken) >= 15
        for point, is_in in zip(bench.points, taken, strict=False):
            assert is_in or (await bench.driver.write({point: True}))[point].accepted
        assert bench.device.words(1, HOLDING, 4) == (0xFFFF,)
        assert await bench.values() == [True] * 16 + ALL


# --- connections ------------------------------------------------------------------------------------------------------


async def test_a_refused_connection_says_so() -> None:
    device = ModbusDevice()
    await device.start()
    await device.stop()
    with pytest.raises(ConnectFailed, match=r"link: connect: .*"):
        await Bench(device, floats()).driver.__aenter__()


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
