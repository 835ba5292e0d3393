"""Modbus units that want their time between questions, and units that fall silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from controller.core.errors import ConnectFailed, DeviceTimeout
from controller.core.point import (
    Binding,
)
from drivers.modbus.address import ModbusAddress
from drivers.modbus.exchange import FRUITLESS_LIMIT, MOST_PROBING, NOT_ASKED
from tests.wire.modbus_bench import ALL, FLOATS, Bench, bound, floats, running
from tests.wire.modbus_device import HOLDING, INPUT, Place

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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


@pytest.mark.fault("slow server: an answer that comes too late")
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
