"""BACnet devices behind routers."""

from __future__ import annotations

import gc

import pytest
from bacpypes3.primitivedata import Real

from tests.wire.bacnet_bench import ALL, INPUTS, Bench, bound, inputs, started
from tests.wire.bacnet_device import BacnetDevice, commandable, measured

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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
