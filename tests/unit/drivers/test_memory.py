"""What the memory driver has beyond the contract: virtual points, and a hand for tests."""

from __future__ import annotations

import pytest

from controller.core.errors import ConnectFailed
from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    ReleaseNull,
    ValueType,
    Writable,
)
from controller.core.sample import Quality, Scalar
from controller.core.units import Linear, Unit
from drivers.memory import MemoryAddress, MemoryConnection, MemoryDriver, MemoryFarSide, memory_kind
from tests.hand_clock import HandClock

TARGET = PointId("plant.plant_1.cooling_target")
MODE = PointId("plant.plant_1.mode")


def binding(id: PointId, default: Scalar | None = None, type: ValueType = ValueType.NUMBER) -> Binding[MemoryAddress]:
    writable = Writable(Range(0, 1000), ReleaseNull(), NothingHappens(), readback=id)
    return Binding(
        Point(id, PointKind.SETPOINT, Unit.KILOWATT, type, writable=writable), "virtual", MemoryAddress(default)
    )


def driver(far: MemoryFarSide | None = None) -> MemoryDriver:
    bindings = [binding(TARGET), binding(MODE, "cooling", ValueType.TEXT)]
    return MemoryDriver("virtual", MemoryConnection(), bindings, HandClock(), far)


async def test_a_virtual_point_holds_what_is_written_until_it_is_relinquished() -> None:
    async with driver() as link:
        first = await link.read([TARGET, MODE])
        assert (first[TARGET].value, first[TARGET].quality, first[TARGET].reason) == (None, Quality.BAD, "no value")
        assert first[MODE].value == "cooling"
        await link.write({TARGET: 350.0, MODE: "storage"})
        held = await link.read([TARGET, MODE])
        assert (held[TARGET].value, held[MODE].value) == (350.0, "storage")
        await link.write({TARGET: None, MODE: None})
        assert await link.read([TARGET, MODE]) == first


async def test_the_hand_sees_writes_in_order_and_may_answer_them() -> None:
    far = MemoryFarSide()
    far.on_write = lambda point, value: far.set(MODE, "follows") if point == TARGET else None
    async with driver(far) as link:
        await link.write({MODE: "storage", TARGET: 10.0})
        await link.write({TARGET: 5000.0})
        assert list(far.writes) == [(MODE, "storage"), (TARGET, 10.0)]
        assert far.value(MODE) == "follows"


async def test_an_ignored_write_is_accepted_and_changes_nothing() -> None:
    far = MemoryFarSide()
    async with driver(far) as link:
        far.set(TARGET, 1.0, Quality.UNCERTAIN, "clock is wrong")
        far.ignore(TARGET)
        assert (await link.write({TARGET: 10.0}))[TARGET].accepted
        sample = (await link.read([TARGET]))[TARGET]
        assert (sample.value, sample.quality, sample.reason) == (1.0, Quality.UNCERTAIN, "clock is wrong")


async def test_the_hand_holds_on_when_the_link_is_opened_anew() -> None:
    far = MemoryFarSide()
    kind = memory_kind(far)
    for value in (1.0, 2.0):
        async with kind.open("virtual", MemoryConnection(), [binding(TARGET)], HandClock()) as link:
            await link.write({TARGET: value})
    assert list(far.writes) == [(TARGET, 1.0), (TARGET, 2.0)]
    assert far.value(TARGET) == 2.0


async def test_a_link_that_came_back_has_to_be_opened() -> None:
    link = driver()
    async with link:
        link.far_side.drop()
        with pytest.raises(ConnectFailed):
            await link.read([TARGET])
        link.far_side.restore()
        with pytest.raises(ConnectFailed):
            await link.read([TARGET])


def test_only_a_numeric_default_is_converted() -> None:
    percent = Linear(0.01, 0.0)
    assert MemoryAddress(50).converted(percent) == MemoryAddress(0.5)
    for default in (None, True, "auto"):
        assert MemoryAddress(default).converted(percent) == MemoryAddress(default)


def test_points_never_share_a_place() -> None:
    one, other = MemoryAddress(), MemoryAddress()
    assert one.key == one.key
    assert one.key != other.key


async def test_what_is_inspected_is_the_value_as_it_stands() -> None:
    memory = driver()
    async with memory:
        memory.far_side.set(TARGET, 321.5)
        seen = await memory.inspect(TARGET)
        assert (seen.sample.value, seen.sample.quality, seen.raw) == (321.5, Quality.GOOD, "321.5")
        assert (await memory.inspect(MODE)).raw == "'cooling'"
        assert (await memory.inspect(PointId("plant.plant_1.nowhere"))).raw == "nothing"
        memory.far_side.drop()
        with pytest.raises(ConnectFailed):
            await memory.inspect(TARGET)
