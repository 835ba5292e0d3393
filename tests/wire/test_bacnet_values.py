"""What a BACnet value is worth, and how it is written."""

from __future__ import annotations

from typing import Any

import pytest
from bacpypes3.basetypes import EventState, Reliability, StatusFlags
from bacpypes3.primitivedata import Boolean, CharacterString, Enumerated, Real, Unsigned

from controller.core.point import PointId, ValueType
from controller.core.sample import Quality
from tests.wire.bacnet_bench import Bench, bound, having, started
from tests.wire.bacnet_device import (
    EVENT_STATE,
    OUT_OF_SERVICE,
    PRESENT_VALUE,
    RELIABILITY,
    STATUS_FLAGS,
    BacnetDevice,
    commandable,
    measured,
)

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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
