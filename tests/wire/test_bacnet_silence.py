"""BACnet devices that are silent, slow or not there at all."""

from __future__ import annotations

import asyncio
import gc

import pytest
from bacpypes3.basetypes import StatusFlags
from bacpypes3.primitivedata import Real

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout
from controller.core.sample import Quality
from tests.wire.bacnet_bench import Bench, bound, having, inputs, running, started
from tests.wire.bacnet_device import STATUS_FLAGS, BacnetDevice, measured

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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


async def test_a_long_silence_writes_nothing_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with running(1) as (device, bench):
        device.lose = 1_000
        for _ in range(2):
            with pytest.raises(DeviceError):
                await bench.values()
    gc.collect()
    assert caplog.records == []
