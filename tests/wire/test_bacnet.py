"""The BACnet driver over real sockets, against devices with the faults that real ones have."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from bacpypes3.basetypes import EventState, Reliability, StatusFlags
from bacpypes3.primitivedata import Boolean, CharacterString, Enumerated, Real, Unsigned

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout
from controller.core.point import Binding, PointId, ValueType
from controller.core.sample import Quality
from drivers.bacnet.address import BacnetAddress
from drivers.bacnet.device import LEARNED_FOR_S
from tests.wire.bacnet_bench import Bench, bound, started
from tests.wire.bacnet_device import (
    EVENT_STATE,
    OUT_OF_SERVICE,
    PRESENT_VALUE,
    RELIABILITY,
    STATUS_FLAGS,
    BacnetDevice,
    BacnetObject,
    commandable,
    measured,
)

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

INPUTS = 12
ALL = [n + 0.5 for n in range(INPUTS)]


def inputs(device: BacnetDevice, count: int = INPUTS) -> list[Binding[BacnetAddress]]:
    """`count` analog inputs that hold 0.5, 1.5, 2.5 ..."""
    for n in range(count):
        device.objects["analog-input", n] = measured(Real(n + 0.5))
    return [bound(f"p{n}", f"analog-input,{n}", device.address) for n in range(count)]


@asynccontextmanager
async def running(count: int = INPUTS) -> AsyncGenerator[tuple[BacnetDevice, Bench]]:
    device = BacnetDevice()
    async with started(device):
        bench = Bench(inputs(device, count))
        async with bench.driver:
            device.requests.clear()
            yield device, bench


@asynccontextmanager
async def having(
    object: str, made: BacnetObject, type: ValueType = ValueType.NUMBER, priority: int = 10, **address: Any
) -> AsyncGenerator[tuple[BacnetObject, Bench, BacnetDevice]]:
    """One device with one object, bound as point `it`."""
    device = BacnetDevice()
    kind, _, instance = object.partition(",")
    device.objects[kind, int(instance)] = made
    async with started(device):
        bench = Bench([bound("it", object, device.address, type, **address)], priority=priority)
        async with bench.driver:
            yield made, bench, device


# --- few requests, and what becomes of those that are refused ---------------------------------------------------------


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


# --- silence ----------------------------------------------------------------------------------------------------------


async def test_a_silent_device_rests_and_its_neighbours_are_read_at_once() -> None:
    one, two = BacnetDevice(1), BacnetDevice(2)
    async with started(one, two):
        two.objects["analog-input", 0] = measured(Real(7.0))
        bench = Bench([*inputs(one, 1), bound("two", "analog-input,0", two.address)])
        async with bench.driver:
            assert await bench.values() == [0.5, 7.0]
            two.hang()
            samples = await bench.samples()
            assert samples["p0"].value == 0.5
            assert (samples["two"].quality, samples["two"].reason) == (Quality.BAD, "device timeout")
            two.asked.clear()
            assert await bench.values() == [0.5, None]
            assert not two.asked.is_set()
            two.resume()
            bench.clock.advance(60.0)
            assert await bench.values() == [0.5, 7.0]


async def test_a_value_whose_worth_was_not_told_any_more_is_no_value() -> None:
    one, two = BacnetDevice(1), BacnetDevice(2)
    async with started(one, two):
        one.without = {14}
        two.objects["analog-input", 0] = measured(Real(7.0))
        bench = Bench([*inputs(one, 2), bound("two", "analog-input,0", two.address)])
        async with bench.driver:
            assert await bench.values() == [0.5, 1.5, 7.0]
            one.hangs_after = 3  # value, flags, value
            assert await bench.values() == [0.5, None, 7.0]


async def test_a_value_is_no_value_while_the_device_is_too_busy_for_its_flags() -> None:
    async with having("analog-input,1", measured(Real(7.0))) as (object, bench, device):
        device.without = {14}
        assert await bench.values() == [7.0]
        object.properties[STATUS_FLAGS] = StatusFlags([0, 1, 0, 0])
        device.requests.clear()
        device.fault = lambda name: ("device", "device-busy") if device.requests else None
        sample = (await bench.samples())["it"]
        assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "refused: device-busy")


async def test_devices_are_asked_side_by_side() -> None:
    """Of four devices that answer after 0.2 s each, all answer within less than two of these."""
    devices = [BacnetDevice(n) for n in range(1, 5)]
    async with started(*devices):
        for n, device in enumerate(devices):
            device.objects["analog-input", 0] = measured(Real(float(n)))
        bench = Bench([bound(f"d{n}", "analog-input,0", each.address) for n, each in enumerate(devices)])
        async with bench.driver:
            for device in devices:
                device.hang()
            async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(bench.values())
                for device in devices:  # none has answered when the last is asked
                    await device.asked.wait()
                for device in devices:
                    device.resume()
            assert reading.result() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.fault("slow server")
async def test_a_slow_device_keeps_nobody_waiting_for_all_its_values() -> None:
    """It takes more than a second and a half, and 0.8 s is what it has of a reading: it goes on with the next."""
    slow, quick = BacnetDevice(1), BacnetDevice(2)
    slow.without = {14}
    quick.objects["analog-input", 0] = measured(Real(7.0))
    async with started(slow, quick):
        bench = Bench([*inputs(slow, 16), bound("two", "analog-input,0", quick.address)])
        async with bench.driver:
            slow.delay = 0.05
            samples = await bench.samples()
            assert (samples["two"].value, samples["p0"].value) == (7.0, 0.5)
            assert (samples["p15"].value, samples["p15"].reason) == (None, "device is slow")
            bench.clock.advance(20.0)
            samples = await bench.samples()
            # The late ones have their turn first; what was known before is as old as it was.
            assert (samples["two"].received, samples["p0"].value, samples["p0"].received) == (20.0, 0.5, 0.0)
            async with asyncio.timeout(20):
                while (await bench.samples())["p15"].value != 15.5:
                    pass
            bench.clock.advance(1000.0)
            values = [sample for sample in (await bench.samples()).values() if sample.value is not None]
            assert len(values) > 1
            assert {sample.received for sample in values} == {1020.0}


async def test_one_silent_device_does_not_keep_the_link_from_opening() -> None:
    device = BacnetDevice()
    async with started(device):
        bench = Bench([*inputs(device, 1), bound("gone", "analog-input,0", "127.0.0.1:1")])
        async with bench.driver:
            assert await bench.values() == [0.5, None]


async def test_nobody_there_says_so() -> None:
    bench = Bench([bound("gone", "analog-input,0", "127.0.0.1:1")])
    with pytest.raises(DeviceTimeout, match="no device answers"):
        await bench.driver.__aenter__()


async def test_a_port_that_another_program_has_is_an_error() -> None:
    device = BacnetDevice()
    async with started(device):
        bench = Bench(inputs(device, 1), port=device.port)
        with pytest.raises(ConnectFailed, match=r"(?i)address already in use"):
            await bench.driver.__aenter__()


# --- what a value is worth --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "property,value,quality,reason",
    [
        (OUT_OF_SERVICE, Boolean(True), Quality.UNCERTAIN, "out of service"),
        (STATUS_FLAGS, StatusFlags([0, 0, 0, 1]), Quality.UNCERTAIN, "out of service"),
        (STATUS_FLAGS, StatusFlags([0, 0, 1, 0]), Quality.UNCERTAIN, "overridden at the device"),
        (STATUS_FLAGS, StatusFlags([0, 1, 0, 0]), Quality.BAD, "unreliable: fault"),
        (STATUS_FLAGS, StatusFlags([1, 0, 0, 0]), Quality.GOOD, ""),
        (RELIABILITY, Reliability(1), Quality.BAD, "unreliable: no sensor"),
        (RELIABILITY, Reliability(64), Quality.BAD, "unreliable: reason 64"),
        (EVENT_STATE, EventState(1), Quality.BAD, "unreliable: fault"),
        (EVENT_STATE, EventState(3), Quality.GOOD, ""),
    ],
)
async def test_a_value_is_worth_what_its_object_says(property: int, value: Any, quality: Quality, reason: str) -> None:
    async with having("analog-input,1", measured(Real(20.0))) as (object, bench, _):
        object.properties[property] = value
        sample = (await bench.samples())["it"]
        assert (sample.quality, sample.reason) == (quality, reason)
        assert sample.value == (None if quality is Quality.BAD else 20.0)


async def test_a_multi_state_value_has_its_text() -> None:
    async with having("multi-state-value,1", measured(Unsigned(2)), ValueType.TEXT, states=("off", "auto", "on")) as (
        object,
        bench,
        _,
    ):
        assert await bench.values() == ["auto"]
        assert await bench.write("it", "on") == (True, "")
        assert object.properties[PRESENT_VALUE] == 3
        object.properties[PRESENT_VALUE] = Unsigned(4)
        assert (await bench.samples())["it"].reason == "state 4 has no text"


async def test_a_text_is_a_text() -> None:
    async with having("characterstring-value,1", measured(CharacterString("冷机 1")), ValueType.TEXT) as (_, bench, _):
        assert await bench.values() == ["冷机 1"]


async def test_other_properties_and_elements_of_arrays_are_values_too() -> None:
    device = BacnetDevice()
    device.objects["analog-output", 1] = object = commandable(Real(7.0))
    object.properties[45] = Real(30.0)
    object.slots = [None] * 7 + [Real(4.0)] + [None] * 8
    async with started(device):
        bench = Bench(
            [
                bound("limit", "analog-output,1", device.address, property="high-limit"),
                bound("slot", "analog-output,1", device.address, property="priority-array", index=8),
                bound("empty", "analog-output,1", device.address, property="priority-array", index=9),
            ]
        )
        async with bench.driver:
            samples = await bench.samples()
            assert [sample.value for sample in samples.values()] == [30.0, 4.0, None]
            assert samples["empty"].reason == "null"
            assert await bench.write("limit", 28.0) == (True, "")
            assert object.properties[45] == 28.0


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", [9, 10, 16])
async def test_a_write_takes_our_slot_and_letting_go_empties_it(priority: int) -> None:
    async with having("analog-output,1", commandable(Real(7.0)), priority=priority) as (object, bench, _):
        assert object.slots is not None
        assert await bench.write("it", 9.5) == (True, "")
        assert [n for n, held in enumerate(object.slots, start=1) if held is not None] == [priority]
        assert await bench.write("it", None) == (True, "")
        assert object.slots == [None] * 16


async def test_a_higher_slot_is_named() -> None:
    async with having("binary-output,1", commandable(Enumerated(0)), ValueType.BOOLEAN) as (object, bench, _):
        assert object.slots is not None
        object.slots[7] = Enumerated(0)
        assert await bench.write("it", True) == (True, "held by slot 8")
        assert await bench.values() == [False]
        assert object.slots[9] == 1
        object.slots[7] = None
        assert await bench.values() == [True]


@pytest.mark.fault("ignored write")
async def test_an_acknowledged_write_that_did_nothing_is_not_accepted() -> None:
    async with having("analog-output,1", commandable(Real(7.0))) as (object, bench, device):
        held = object.slots
        device.forgets_writes = True
        assert await bench.write("it", 9.5) == (False, "slot 10 holds nothing")
        assert held == [None] * 16


async def test_an_acknowledged_write_that_left_another_value_is_not_accepted() -> None:
    async with having("analog-output,1", commandable(Real(7.0))) as (object, bench, device):
        assert object.slots is not None
        assert await bench.write("it", 6.1) == (True, "")  # no real holds 6.1 exactly
        assert await bench.write("it", 6.5) == (True, "")
        device.forgets_writes = True
        assert await bench.write("it", 9.5) == (False, "slot 10 holds 6.5")
        assert await bench.write("it", None) == (False, "slot 10 holds 6.5")
        object.slots[9] = Unsigned(6)
        assert await bench.write("it", 6.0) == (False, "slot 10 holds unsigned 6")


async def test_what_is_not_commandable_is_written_and_cannot_be_let_go() -> None:
    async with having("analog-value,1", measured(Real(7.0))) as (object, bench, device):
        assert await bench.write("it", 9.5) == (True, "")
        assert object.properties[PRESENT_VALUE] == 9.5
        device.requests.clear()
        accepted, reason = await bench.write("it", None)
        assert not accepted
        assert reason.startswith("not commandable")
        assert device.requests == []


async def test_what_the_device_refuses_is_told_in_its_words() -> None:
    async with having("analog-output,1", commandable(Real(7.0))) as (_, bench, device):
        device.fault = lambda name: ("property", "write-access-denied") if name == "WriteProperty" else None
        assert await bench.write("it", 9.5) == (False, "refused: write-access-denied")


async def test_inspecting_shows_how_the_wire_spells_it() -> None:
    async with having("analog-input,1", measured(Real(20.0)), scale=0.5) as (_, bench, _):
        sample, raw = await bench.driver.inspect(PointId("a.device_1.it"))
        assert sample.value == 10.0
        assert raw.startswith("real 20.0; status-flags bits 0000; reliability enumerated 0")


# --- other ways to a device -------------------------------------------------------------------------------------------


async def test_a_device_behind_a_router() -> None:
    device = BacnetDevice()
    device.network, device.mac = 5, bytes([12])
    device.objects["analog-input", 1] = measured(Real(3.0))
    async with started(device):
        bench = Bench([bound("it", "analog-input,1", f"5:12@{device.address}")])
        async with bench.driver:
            assert await bench.values() == [3.0]


async def test_a_named_router_is_not_replaced_by_whoever_says_so() -> None:
    device, other, near = BacnetDevice(1), BacnetDevice(9), BacnetDevice(2)
    for each, value in ((device, 3.0), (other, 99.0)):
        each.network = 5
        each.objects["analog-output", 1] = commandable(Real(value))
    async with started(device, other, near):
        bench = Bench([*inputs(near, 1), bound("it", "analog-output,1", f"5:12@{device.address}")])
        async with bench.driver:
            assert await bench.values() == [0.5, 3.0]
            assert device.asker is not None
            for claim in (other.claim_network, other.announce):
                claim(device.asker)
                await bench.driver.read(bench.points[:1])  # the claim was heard before this answer
                assert await bench.write("it", 42.0) == (True, "")
                assert await bench.values() == [0.5, 42.0]
            assert other.requests == []


async def test_answers_from_behind_a_router_fit_its_line() -> None:
    device = BacnetDevice()
    device.network = 5
    for n in range(INPUTS):
        device.objects["analog-input", n] = measured(Real(n + 0.5))
    async with started(device):
        bench = Bench([bound(f"p{n}", f"analog-input,{n}", f"5:12@{device.address}") for n in range(INPUTS)])
        async with bench.driver:
            device.requests.clear()
            assert await bench.values() == ALL
            assert len(device.requests) == 2


async def test_a_network_that_nobody_knows_is_a_silent_device(caplog: pytest.LogCaptureFixture) -> None:
    device = BacnetDevice()
    async with started(device):
        bench = Bench([*inputs(device, 1), bound("far", "analog-input,1", "7:1")])
        async with bench.driver:
            assert await bench.values() == [0.5, None]
    gc.collect()
    assert caplog.records == []  # neither the library nor its tasks have anything to add


async def test_a_long_silence_writes_nothing_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with running(1) as (device, bench):
        device.lose = 1_000
        for _ in range(2):
            with pytest.raises(DeviceError):
                await bench.values()
    gc.collect()
    assert caplog.records == []
