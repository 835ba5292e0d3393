"""What a Modbus device lacks, refuses or passes over in silence hides no other value."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from controller.core.errors import DeviceTimeout
from controller.core.sample import Quality
from drivers.modbus.address import MOST_REGISTERS, ModbusAddress
from drivers.modbus.holes import REFUSED_AGAIN
from drivers.modbus.reading import NOT_HERE
from tests.wire.modbus_bench import ALL, FLOATS, Bench, bound, fill, floats, running, without
from tests.wire.modbus_device import HOLDING, INPUT, ModbusDevice, Place, Request

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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
