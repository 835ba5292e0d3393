"""What the OPC UA driver makes of values, statuses and times, with the faults that servers have."""

from __future__ import annotations

import struct
from datetime import timedelta
from typing import Any

import pytest
from asyncua import ua

from controller.core.point import PointId, ValueType
from controller.core.sample import LOCAL_OVERRIDE, Quality
from tests.wire.opcua_bench import T, bound, running, serving
from tests.wire.opcua_device import Cell

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


# --- status and times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status, quality, value, reason",
    [
        ("Good", Quality.GOOD, 21.5, ""),
        ("GoodLocalOverride", Quality.GOOD, 21.5, LOCAL_OVERRIDE),
        ("UncertainLastUsableValue", Quality.UNCERTAIN, 21.5, "UncertainLastUsableValue"),
        ("BadSensorFailure", Quality.BAD, None, "BadSensorFailure"),
        ("BadNoCommunication", Quality.BAD, None, "BadNoCommunication"),
    ],
)
@pytest.mark.parametrize("told", [True, False])
async def test_the_status_is_kept(
    status: str, quality: Quality, value: float | None, reason: str, *, told: bool
) -> None:
    """A server delivers a plausible value with a bad status, too."""
    async with running(bound("one")) as bench:
        code: Any = status
        bench.device.cells["ns=2;s=one"] = Cell(21.5, T.Double, ua.StatusCode(code).value)
        if told:
            await bench.told("one")
        sample = (await bench.samples())["one"]
        assert (sample.quality, sample.value, sample.reason) == (quality, value, reason)


async def test_a_change_is_true_since_its_source_says_so() -> None:
    async with running(bound("one")) as bench:
        start = bench.clock.now()
        await bench.told("one")
        bench.clock.advance(4.0)
        bench.device.cells["ns=2;s=one"] = Cell(7.0, T.Double, source=start + timedelta(seconds=3.5))
        await bench.told("one")
        sample = (await bench.samples())["one"]
        assert (sample.timestamp, sample.received) == (start + timedelta(seconds=3.5), 4.0)


async def test_a_value_that_has_stood_for_long_is_no_proof_of_a_wrong_clock() -> None:
    async with running(bound("one")) as bench:
        bench.cell("one").source = bench.clock.now() - timedelta(days=30)
        for _ in range(2):
            sample = (await bench.samples())["one"]
            assert (sample.quality, sample.timestamp) == (Quality.GOOD, bench.clock.now())
            bench.clock.advance(1.0)


@pytest.mark.parametrize("off", [-3600.0, -6.0, 6.0, 86400.0])
@pytest.mark.parametrize("told", [True, False])
async def test_a_server_whose_clock_is_off_is_doubted(off: float, *, told: bool) -> None:
    async with running(bound("one")) as bench:
        bench.device.now = lambda: bench.clock.now() + timedelta(seconds=off)
        if told:
            await bench.told("one")
        sample = (await bench.samples())["one"]
        assert (sample.quality, sample.value) == (Quality.UNCERTAIN, 0.5)
        assert sample.reason == f"device clock is off by {off:+.0f} s"
        bench.device.now = bench.clock.now
        if told:
            await bench.told("one")
        assert (await bench.samples())["one"].quality is Quality.GOOD


async def test_the_clock_of_a_server_that_jumps_is_noticed_without_any_change() -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        for off, quality in ((3600, Quality.UNCERTAIN), (0, Quality.GOOD), (-60, Quality.UNCERTAIN)):
            bench.device.now = lambda off=off: bench.clock.now() + timedelta(seconds=off)
            bench.clock.advance(2.0)
            await bench.told()
            assert (await bench.samples())["one"].quality is quality


async def test_what_is_confirmed_is_true_now_whenever_it_changed() -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        bench.device.cells["ns=2;s=one"] = Cell(7.0, T.Double, source=bench.clock.now() - timedelta(minutes=10))
        await bench.told("one")
        assert (await bench.samples())["one"].reason == "device clock is off by -600 s"
        bench.clock.advance(2.0)
        await bench.told()
        sample = (await bench.samples())["one"]
        assert (sample.quality, sample.value, sample.timestamp) == (Quality.GOOD, 7.0, bench.clock.now())


@pytest.mark.parametrize("off, quality", [(-600, 1), (-6, 1), (-4, 0), (4, 0), (6, 1), (600, 1)])
async def test_a_change_from_another_time_is_doubted(off: float, quality: int) -> None:
    async with running(bound("one", subscribe=False)) as bench:
        await bench.samples()
        at = bench.clock.now() + timedelta(seconds=off)
        bench.device.cells["ns=2;s=one"] = Cell(7.0, T.Double, source=at)
        sample = (await bench.samples())["one"]
        assert (sample.quality, sample.value) == (quality, 7.0)
        assert sample.timestamp == (at if quality == 0 else bench.clock.now())


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_no_request_is_longer_than_the_server_takes() -> None:
    async with serving(*(bound(f"p{n}", subscribe=False) for n in range(10))) as bench:
        bench.device.limits["read"] = 4
        async with bench.driver:
            assert [*(await bench.values()).values()] == [0.5 + n for n in range(10)]
            assert await bench.reads() == 4


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize("told", [True, False])
async def test_a_server_that_takes_very_little_at_once_is_read(limit: int, *, told: bool) -> None:
    async with serving(bound("one", subscribe=False), bound("two", subscribe=False)) as bench:
        bench.device.limits["read"] = limit
        if not told:
            bench.device.limit_is_secret = True
        async with bench.driver:
            assert await bench.values() == {"one": 0.5, "two": 1.5}
            assert await bench.reads() == 2


async def test_a_limit_that_the_server_keeps_to_itself_is_learned() -> None:
    async with running(*(bound(f"p{n}", subscribe=False) for n in range(10))) as bench:
        bench.device.limits["read"] = 4
        assert [*(await bench.values()).values()] == [0.5 + n for n in range(10)]
        assert await bench.reads() <= 5


async def test_one_answer_that_cannot_be_read_hides_no_other() -> None:
    def garble(service: str, answer: bytes) -> bytes:
        """A value of a type that there is not, in every answer that brings p3."""
        number = struct.pack("<d", 3.5)
        return answer.replace(b"\x0b" + number, b"\x3f" + number) if service == "Read" else answer

    async with running(*(bound(f"p{n}", subscribe=False) for n in range(6))) as bench:
        bench.device.mangle = garble
        values = await bench.values()
        assert values == {f"p{n}": None if n == 3 else 0.5 + n for n in range(6)}


@pytest.mark.parametrize(
    "cell, reason",
    [
        (Cell(None, T.Null), "no value"),
        (Cell([1.0, 2.0], T.Double), "an array, not one value"),
        (Cell("12", T.String), "'12' is a text, not a number"),
        (Cell(b"12", T.ByteString), "a ByteString is no value of a point"),
        (Cell(float("nan"), T.Double), "not a number"),
        (Cell(float("-inf"), T.Float), "not a number"),
    ],
)
async def test_what_is_no_number_is_bad(cell: Cell, reason: str) -> None:
    async with running(bound("one")) as bench:
        bench.device.cells["ns=2;s=one"] = cell
        sample = (await bench.samples())["one"]
        assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, reason)


async def test_an_enumeration_has_texts() -> None:
    states = ("standby", "", "cooling")
    async with running(bound("mode", ValueType.TEXT, states=states)) as bench:
        for raw, expected in ((0, "standby"), (2, "cooling"), (1, None), (3, None), (-1, None)):
            bench.device.cells["ns=2;s=mode"] = Cell(raw, T.Int32)
            await bench.told("mode")
            assert await bench.values() == {"mode": expected}
        assert (await bench.driver.write({PointId("a.b.mode"): "cooling"}))[PointId("a.b.mode")].accepted
        assert bench.cell("mode").value == 2


async def test_namespaces_are_found_by_their_uri() -> None:
    there, nowhere = bound("one", node="nsu=urn:plant;s=one"), bound("two", node="nsu=urn:elsewhere;s=two")
    async with running(there, nowhere) as bench:
        samples = await bench.samples()
        assert samples["one"].value == 0.5
        assert (samples["two"].quality, samples["two"].reason) == (
            Quality.BAD,
            "the server has no namespace urn:elsewhere",
        )


async def test_a_namespace_that_comes_later_is_found_within_a_minute() -> None:
    async with serving(bound("one", node="nsu=urn:plant;s=one")) as bench:
        namespaces, bench.device.namespaces = bench.device.namespaces, []
        async with bench.driver:
            assert await bench.values() == {"one": None}
            bench.device.namespaces = namespaces
            bench.clock.advance(61.0)
            assert await bench.values() == {"one": 0.5}


async def test_inspection_shows_what_is_on_the_wire() -> None:
    async with running(bound("one", scale=0.1)) as bench:
        bench.device.cells["ns=2;s=one"] = Cell(215, T.Int16)
        sample, raw = await bench.driver.inspect(PointId("a.b.one"))
        assert (sample.value, raw) == (21.5, "Int16 215, Good")
        assert (await bench.driver.inspect(PointId("a.b.nowhere"))).sample.quality is Quality.BAD
