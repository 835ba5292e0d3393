"""Values that BACnet devices tell by themselves: subscribing, renewing, and what becomes of a lost subscription."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import pytest
from bacpypes3.basetypes import StatusFlags
from bacpypes3.primitivedata import Real

from controller.core.errors import DeviceError
from controller.core.point import PointId
from controller.core.sample import Quality, Sample
from drivers.bacnet.changes import LIFETIME_S, RENEW_S, SLOW_POLL_S
from tests.wire.bacnet_bench import Bench, bound, started
from tests.wire.bacnet_device import STATUS_FLAGS, BacnetDevice, measured

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

IT = PointId("a.device_1.it")
PLACE = ("analog-input", 1)
SUBSCRIBE = 5

Changes = AsyncGenerator[Mapping[PointId, Sample]]


@asynccontextmanager
async def followed() -> AsyncGenerator[tuple[BacnetDevice, Bench, Changes]]:
    """A device with one value whose changes are told; the first notification has come."""
    device = BacnetDevice()
    device.objects[PLACE] = measured(Real(20.0))
    async with started(device):
        bench = Bench([bound("it", "analog-input,1", device.address, cov=True)])
        async with bench.driver, asyncio.timeout(20), aclosing(bench.driver.changes()) as changes:
            assert (await anext(changes))[IT].value == 20.0
            yield device, bench, changes


def subscriptions(device: BacnetDevice) -> int:
    return [request.service for request in device.requests].count(SUBSCRIBE)


async def test_a_change_is_told_and_acknowledged() -> None:
    async with followed() as (device, bench, changes):
        bench.clock.advance(3.0)
        device.put(PLACE, 21.0)
        sample = (await anext(changes))[IT]
        assert (sample.value, sample.quality, sample.received) == (21.0, Quality.GOOD, 3.0)
        assert device.told == ["acknowledged"] * len(device.told)


async def test_what_was_told_needs_no_asking_and_keeps_its_age() -> None:
    async with followed() as (device, bench, _):
        await bench.values()
        device.requests.clear()
        bench.clock.advance(5.0)
        sample = (await bench.samples())["it"]
        assert (sample.value, sample.received) == (20.0, 0.0)
        assert device.requests == []


async def test_a_change_that_is_told_while_we_ask_is_newer_than_the_answer() -> None:
    async with followed() as (device, bench, _):
        changed = False

        def change_before_answering(answer: bytes) -> bytes:
            """The answer holds the old value; the notification of the new one overtakes it."""
            nonlocal changed
            if not changed:
                changed = True
                device.put(PLACE, 25.0)
            return answer

        device.mangle = change_before_answering
        bench.clock.advance(SLOW_POLL_S)
        assert await bench.values() == [25.0]
        assert await bench.values() == [25.0]


async def test_a_lost_subscription_shows_within_the_slow_poll() -> None:
    async with followed() as (device, bench, _):
        await bench.values()
        device.subscribed.clear()
        device.put(PLACE, 25.0)
        assert await bench.values() == [20.0]
        bench.clock.advance(SLOW_POLL_S)
        assert await bench.values() == [25.0]


async def test_a_subscription_is_renewed_at_half_its_lifetime() -> None:
    async with followed() as (device, bench, changes):
        assert subscriptions(device) == 1
        bench.clock.advance(RENEW_S)
        # The renewal brings a notification with it.
        assert (await anext(changes))[IT].value == 20.0
        assert subscriptions(device) == 2
        assert [*device.subscribed.values()] == [LIFETIME_S]


async def test_a_told_fault_is_no_value() -> None:
    async with followed() as (device, _, changes):
        device.objects[PLACE].properties[STATUS_FLAGS] = StatusFlags([0, 1, 0, 0])
        device.tell(PLACE)
        sample = (await anext(changes))[IT]
        assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "unreliable: fault")


async def test_a_device_that_refuses_to_tell_is_asked() -> None:
    device = BacnetDevice()
    device.objects[PLACE] = measured(Real(20.0))
    refused = asyncio.Event()

    def refuse(name: str) -> tuple[str, str] | None:
        if name != "SubscribeCOV":
            return None
        refused.set()
        return ("services", "cov-subscription-failed")

    device.fault = refuse
    async with started(device):
        bench = Bench([bound("it", "analog-input,1", device.address, cov=True)])
        async with bench.driver, aclosing(bench.driver.changes()) as changes, asyncio.TaskGroup() as tasks:
            following = tasks.create_task(anext(changes))
            async with asyncio.timeout(20):
                await refused.wait()
            for value in (21.0, 22.0):
                device.put(PLACE, value)
                assert await bench.values() == [value]
            following.cancel()


async def test_a_notification_that_nobody_asked_for_is_refused() -> None:
    async with followed() as (device, _, changes):
        ((to, process, _place),) = device.subscribed
        device.objects["analog-input", 2] = measured(Real(1.0))
        device.told.clear()
        device.notify(to, process, ("analog-input", 2))
        device.notify(to, process + 1, PLACE)
        device.put(PLACE, 21.0)
        assert (await anext(changes))[IT].value == 21.0
        assert device.told.count("refused") == 2


async def test_who_leaves_unsubscribes() -> None:
    async with followed() as (device, bench, _):
        assert device.subscribed
        await bench.driver.__aexit__(None, None, None)
        await device.unsubscribed.wait()
        assert not device.subscribed


async def test_changes_end_with_the_link() -> None:
    async with followed() as (device, bench, changes):
        await device.stop()
        bench.clock.advance(SLOW_POLL_S)
        with pytest.raises(DeviceError):
            await bench.values()
        with pytest.raises(DeviceError):
            await anext(changes)


async def test_a_silent_device_is_looked_after_beside_the_reading() -> None:
    """While changes are followed, reading never waits for a device that is known to be silent."""
    one, two = BacnetDevice(1), BacnetDevice(2)
    one.objects[PLACE] = measured(Real(1.0))
    two.objects[PLACE] = measured(Real(2.0))
    async with started(one, two):
        bench = Bench(
            [bound("one", "analog-input,1", one.address, cov=True), bound("two", "analog-input,1", two.address)]
        )
        async with bench.driver, asyncio.timeout(20), aclosing(bench.driver.changes()) as changes:
            await anext(changes)
            two.hang()
            assert await bench.values() == [1.0, None]
            two.asked.clear()
            bench.clock.advance(2.0)
            assert await bench.values() == [1.0, None]
            assert not two.asked.is_set()
            two.resume()
            while await bench.values() != [1.0, 2.0]:
                one.tell(PLACE)
                await anext(changes)


async def test_a_silent_device_does_not_hold_up_what_others_tell() -> None:
    one, two = BacnetDevice(1), BacnetDevice(2)
    for device in (one, two):
        device.objects[PLACE] = measured(Real(1.0))
    async with started(one, two):
        points = [bound(name, "analog-input,1", each.address, cov=True) for name, each in (("it", one), ("two", two))]
        bench = Bench(points, timeout=timedelta(seconds=20))
        async with bench.driver, aclosing(bench.driver.changes()) as changes:
            two.hang()
            async with asyncio.timeout(10):
                assert (await anext(changes))[IT].value == 1.0


async def test_a_slow_device_is_read_beside_the_reading() -> None:
    """It takes more than a second and a half for all its values, and 0.8 s is what it has of a reading."""
    slow, quick = BacnetDevice(1), BacnetDevice(2)
    slow.without = {14}
    for n in range(16):
        slow.objects["analog-input", n] = measured(Real(float(n)))
    quick.objects[PLACE] = measured(Real(7.0))
    async with started(slow, quick):
        own = [bound(f"p{n}", f"analog-input,{n}", slow.address) for n in range(16)]
        bench = Bench([*own, bound("it", "analog-input,1", quick.address)])
        async with bench.driver, aclosing(bench.driver.changes()) as changes:
            slow.delay = 0.05
            first = await bench.samples()
            assert (first["it"].value, first["p0"].value, first["p15"].reason) == (7.0, 0.0, "device is slow")
            bench.clock.advance(1.0)
            told: dict[PointId, Sample] = {}
            async with asyncio.timeout(20):
                while len(told) < 16:
                    told |= await anext(changes)
                    for _ in range(40):  # each would take a turn if it waited for the slow one
                        samples = await bench.samples()
                        assert samples["it"].received == 1.0
            assert [told[binding.point.id].value for binding in own] == [float(n) for n in range(16)]
            assert {sample.received for sample in told.values()} == {1.0}
            slow.delay = 0.0
            bench.clock.advance(1.0)
            async with asyncio.timeout(20):
                while (await bench.samples())["p0"].received < 2.0:
                    await anext(changes)
