"""How the BACnet driver asks: few requests, and what becomes of those that are refused."""

from __future__ import annotations

import socket
from random import Random

import pytest
from bacpypes3.basetypes import Reliability, StatusFlags
from bacpypes3.primitivedata import Real

from controller.core.sample import Quality
from drivers.bacnet.device import LEARNED_FOR_S
from tests.wire.bacnet_bench import ALL, INPUTS, Bench, inputs, running, started
from tests.wire.bacnet_device import PRESENT_VALUE, RELIABILITY, STATUS_FLAGS, BacnetDevice, BacnetObject

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


async def test_many_values_are_one_request() -> None:
    async with running() as (device, bench):
        assert await bench.values() == ALL
        assert [request.service for request in device.requests] == [14]


async def test_answers_are_no_longer_than_the_device_says() -> None:
    device = BacnetDevice()
    device.longest = 206
    async with started(device):
        bench = Bench(inputs(device))
        async with bench.driver:
            device.requests.clear()
            assert await bench.values() == ALL
            assert len(device.requests) < INPUTS
            before = len(device.requests)
            assert await bench.values() == ALL
            assert len(device.requests) == 2 * before  # nothing had to be tried


async def test_a_device_that_does_not_say_how_long_its_answers_may_be_is_asked_for_little() -> None:
    """Old ones do not know the device object without its number."""
    device = BacnetDevice()
    device.fault = lambda name: ("object", "unknown-object") if name == "ReadProperty" else None
    async with started(device):
        bench = Bench(inputs(device))
        async with bench.driver:
            assert await bench.values() == ALL
            assert [request.service for request in device.requests] == [14, 14]


@pytest.mark.parametrize("reason", ["segmentation-not-supported", "buffer-overflow"])
async def test_a_device_that_can_answer_less_than_it_says_is_learned(reason: str) -> None:
    async with running() as (device, bench):
        device.longest, device.too_long = 150, reason
        assert await bench.values() == ALL
        device.requests.clear()
        assert await bench.values() == ALL
        assert len(device.requests) <= INPUTS


@pytest.mark.parametrize("error", [None, ("services", "optional-functionality-not-supported")])
async def test_a_device_without_multiple_reads_is_read_singly(error: tuple[str, str] | None) -> None:
    async with running(3) as (device, bench):
        if error is None:
            device.without = {14}
        else:
            device.fault = lambda name: error if name == "ReadPropertyMultiple" else None
        assert await bench.values() == ALL[:3]
        device.requests.clear()
        assert await bench.values() == ALL[:3]
        assert {request.service for request in device.requests} == {12}
        assert len(device.requests) == 2 * 3  # present values and flags
        device.objects["analog-input", 1].properties |= {
            STATUS_FLAGS: StatusFlags([0, 1, 0, 0]),
            RELIABILITY: Reliability(1),
        }
        assert (await bench.samples())["p1"].reason == "unreliable: no sensor"


async def test_properties_that_an_object_lacks_are_not_asked_for_again() -> None:
    async with running(2) as (device, bench):
        device.objects["analog-input", 1] = BacnetObject({PRESENT_VALUE: Real(1.5)})
        assert await bench.values() == ALL[:2]
        device.requests.clear()
        assert await bench.values() == ALL[:2]
        assert [place for place, _ in device.requests[0].wanted].count(("analog-input", 1)) == 1
        device.requests.clear()
        async with bench.driver:  # the device behind the next opening may be another
            await bench.values()
        assert [place for place, _ in device.requests[-1].wanted].count(("analog-input", 1)) == 5


async def test_a_value_is_as_old_as_its_own_answer() -> None:
    async with running(3) as (device, bench):
        device.without = {14}
        await bench.values()

        def takes_a_second(answer: bytes) -> bytes:
            bench.clock.advance(1.0)
            return answer

        device.mangle = takes_a_second
        # Value and flags of one object after the other.
        assert [sample.received for sample in (await bench.samples()).values()] == [1.0, 3.0, 5.0]


async def test_an_object_that_is_missing_hides_no_other() -> None:
    async with running() as (device, bench):
        del device.objects["analog-input", 3]
        samples = await bench.samples()
        assert [sample.value for sample in samples.values()] == [*ALL[:3], None, *ALL[4:]]
        assert samples["p3"].reason == "refused: unknown-object"
        assert len(device.requests) == 1


async def test_a_device_that_refuses_the_block_for_one_object_gives_the_others() -> None:
    """Some devices answer a whole request with the error of one value."""
    async with running() as (device, bench):
        device.refuse_blocks_with = ("analog-input", 7)
        device.objects["analog-input", 7].refused = ("object", "unknown-object")
        samples = await bench.samples()
        assert [sample.value for sample in samples.values()] == [*ALL[:7], None, *ALL[8:]]


async def test_a_busy_device_is_asked_again_and_nothing_is_learned() -> None:
    async with running() as (device, bench):
        device.fault = lambda name: ("device", "device-busy")
        samples = await bench.samples()
        assert {sample.reason for sample in samples.values()} == {"refused: device-busy"}
        device.fault = lambda name: None
        device.requests.clear()
        assert await bench.values() == ALL
        assert len(device.requests) == 1


async def test_a_device_that_denies_the_service_in_other_words_is_read_singly() -> None:
    async with running(3) as (device, bench):
        device.fault = lambda name: ("services", "service-request-denied") if name == "ReadPropertyMultiple" else None
        assert await bench.values() == ALL[:3]
        device.requests.clear()
        assert await bench.values() == ALL[:3]
        assert {request.service for request in device.requests} == {12}


async def test_what_was_learned_is_tried_again_after_an_hour() -> None:
    async with running(3) as (device, bench):
        device.without = {14}
        assert await bench.values() == ALL[:3]
        device.without = set()
        bench.clock.advance(LEARNED_FOR_S)
        assert await bench.values() == ALL[:3]
        device.requests.clear()
        assert await bench.values() == ALL[:3]
        assert [request.service for request in device.requests] == [14]


async def test_a_lost_datagram_is_asked_for_again_within_the_time_out() -> None:
    async with running() as (device, bench):
        device.lose = 1
        assert await bench.values() == ALL


async def test_garbled_answers_are_no_values() -> None:
    async with running(2) as (device, bench):
        device.mangle = lambda answer: answer[:-9]
        samples = await bench.samples()
        assert {sample.quality for sample in samples.values()} == {Quality.BAD}
        assert all(sample.reason.startswith("garbled answer") for sample in samples.values())
        device.mangle = lambda answer: answer
        assert await bench.values() == ALL[:2]


@pytest.mark.parametrize("count", [10_000, pytest.param(60_000, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
async def test_garbage_at_the_port_changes_nothing(count: int) -> None:
    async with running(3) as (device, bench):
        assert await bench.values() == ALL[:3]
        assert device.asker is not None
        random = Random(3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(count):
                data = random.randbytes(random.randrange(1, 60))
                if number % 2:
                    data = b"\x81\x0a" + (len(data) + 4).to_bytes(2, "big") + data
                if number % 4 == 3:
                    data = data[:4] + b"\x01\x00" + data[4:]
                stranger.sendto(data, device.asker)
                if number % 100 == 0:  # no more than the kernel keeps for us
                    assert await bench.values() == ALL[:3]
        assert await bench.values() == ALL[:3]
