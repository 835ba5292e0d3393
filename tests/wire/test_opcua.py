"""The OPC UA driver against a server of our own, with the faults that servers have."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from asyncua import ua

from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout
from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.sample import LOCAL_OVERRIDE, Quality, Sample, Scalar
from controller.core.units import Unit
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from drivers.opcua.driver import OpcuaDriver
from tests.hand_clock import HandClock
from tests.wire.opcua_device import Cell, OpcuaDevice

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

# For a machine that is busy with other tests; and where a test waits for it to run out.
TIMEOUT: Final = timedelta(seconds=5)
QUICK: Final = timedelta(seconds=0.4)
T: Final = ua.VariantType


def bound(
    name: str, type: ValueType = ValueType.NUMBER, *, urgent: bool = False, **address: Any
) -> Binding[OpcuaAddress]:
    """A point `a.b.NAME` at the node ns=2;s=NAME, writable without limits."""
    id = PointId(f"a.b.{name}")
    writable = Writable(Range(-1e300, 1e300), SafeValue(0), NothingHappens(), readback=id)
    point = Point(id, PointKind.SENSOR, Unit.NONE, type, writable=writable, urgent=urgent)
    said: dict[str, Any] = {"node": f"ns=2;s={name}", **address}
    return Binding(point, "b", OpcuaAddress(**said))


class Bench:
    def __init__(self, bindings: Mapping[str, Binding[OpcuaAddress]], timeout: timedelta) -> None:
        self.timeout = timeout
        self.clock = HandClock()
        self.device = OpcuaDevice(self.clock.now)
        self.bindings = bindings
        self.device.cells = {f"ns=2;s={name}": Cell(0.5 + n, T.Double) for n, name in enumerate(bindings)}
        self._driver: OpcuaDriver | None = None

    @property
    def driver(self) -> OpcuaDriver:
        """Made when it is first wanted, so that a test may break the server before."""
        if self._driver is None:
            connection = OpcuaConnection(self.device.url, timeout=self.timeout)
            self._driver = OpcuaDriver("link", connection, [*self.bindings.values()], self.clock)
        return self._driver

    def cell(self, name: str) -> Cell:
        return self.device.cells[f"ns=2;s={name}"]

    async def samples(self) -> dict[str, Sample]:
        samples = await self.driver.read([binding.point.id for binding in self.bindings.values()])
        return {name: samples[binding.point.id] for name, binding in self.bindings.items()}

    async def values(self) -> dict[str, Scalar | None]:
        return {name: sample.value for name, sample in (await self.samples()).items()}

    async def told(self, *names: str) -> None:
        """Have the server tell these values, or that it is alive, and wait until that has arrived."""
        self.device.listened.clear()
        self.device.publish(*(f"ns=2;s={name}" for name in names))
        async with asyncio.timeout(5):
            await self.device.listened.wait()

    async def reads(self) -> int:
        """How many requests one more read costs."""
        before = self.device.count("Read")
        await self.samples()
        return self.device.count("Read") - before


@asynccontextmanager
async def serving(*bindings: Binding[OpcuaAddress], patience: timedelta = TIMEOUT) -> AsyncGenerator[Bench]:
    bench = Bench({binding.point.quantity: binding for binding in bindings}, patience)
    await bench.device.start()
    try:
        yield bench
    finally:
        await bench.device.stop()


@asynccontextmanager
async def running(*bindings: Binding[OpcuaAddress], patience: timedelta = TIMEOUT) -> AsyncGenerator[Bench]:
    async with serving(*bindings, patience=patience) as bench, bench.driver:
        yield bench


# --- what the server tells --------------------------------------------------------------------------------------------


async def test_what_the_server_tells_is_not_asked_for() -> None:
    async with running(bound("one"), bound("two")) as bench:
        assert await bench.values() == {"one": 0.5, "two": 1.5}
        await bench.told("one", "two")
        assert await bench.reads() == 0
        bench.cell("one").value = 7.0
        await bench.told("one")
        assert await bench.values() == {"one": 7.0, "two": 1.5}
        assert await bench.reads() == 0


async def test_a_change_is_told_at_once() -> None:
    async with running(bound("one"), bound("two")) as bench, aclosing(bench.driver.changes()) as changes:
        bench.cell("two").value = 3.0
        bench.device.publish("ns=2;s=two")
        async with asyncio.timeout(5):
            told = await anext(changes)
        assert {point: sample.value for point, sample in told.items()} == {"a.b.two": 3.0}


async def test_an_unchanged_value_is_as_old_as_the_last_sign_of_life() -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        bench.clock.advance(3.0)
        sample = (await bench.samples())["one"]
        assert (sample.age(bench.clock.monotonic()), bench.clock.now() - sample.timestamp) == (
            3.0,
            timedelta(seconds=3),
        )
        await bench.told()
        sample = (await bench.samples())["one"]
        assert (sample.age(bench.clock.monotonic()), bench.clock.now() - sample.timestamp) == (0.0, timedelta(0))


async def test_a_server_that_falls_silent_is_asked() -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        bench.cell("one").value = 9.0
        bench.clock.advance(11.0)
        assert await bench.values() == {"one": 9.0}
        assert (await bench.samples())["one"].age(bench.clock.monotonic()) == 0.0
        await bench.told()
        assert await bench.reads() == 0


@pytest.mark.parametrize("ended", ["by the server", "by a lost message", "in silence"])
async def test_a_subscription_that_ended_is_made_anew_within_a_minute(ended: str) -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        match ended:
            case "by the server":
                bench.device.end_subscriptions("BadTimeout")
                await bench.told()
            case "by a lost message":
                (session,) = bench.device.sessions
                session.subscriptions[1].sequence += 1
                await bench.told()
            case _:
                bench.clock.advance(20.0)
        assert await bench.reads() == 1
        assert bench.device.count("CreateSubscription") == 1
        bench.clock.advance(61.0)
        await bench.samples()
        assert (bench.device.count("DeleteSubscriptions"), bench.device.count("CreateSubscription")) == (1, 2)
        await bench.told("one")
        assert await bench.reads() == 0


async def test_where_the_server_refuses_to_tell_it_is_asked() -> None:
    async with serving(bound("one"), bound("two")) as bench:
        bench.device.refused_services["CreateSubscription"] = "BadTooManySubscriptions"
        async with bench.driver:
            for value in (1.0, 2.0):
                bench.cell("one").value = value
                assert await bench.values() == {"one": value, "two": 1.5}
            assert bench.device.count("CreateSubscription") == 1
            del bench.device.refused_services["CreateSubscription"]
            bench.clock.advance(61.0)
            await bench.samples()
            assert bench.device.watched == {"ns=2;s=one", "ns=2;s=two"}


async def test_what_the_server_refuses_to_tell_of_one_node_is_asked() -> None:
    async with serving(bound("one"), bound("two")) as bench:
        bench.device.refused_items.add("ns=2;s=one")
        async with bench.driver:
            await bench.told("two")
            bench.cell("one").value = 8.0
            assert await bench.values() == {"one": 8.0, "two": 1.5}
            assert bench.device.requests[-1] == ("Read", ("ns=2;s=one", "i=2258"))


async def test_many_nodes_are_subscribed_in_portions() -> None:
    async with serving(*(bound(f"p{n}") for n in range(7))) as bench:
        bench.device.limits["items"] = 3
        async with bench.driver:
            assert len(bench.device.watched) == 7
            assert bench.device.count("CreateMonitoredItems") == 3


async def test_urgent_points_have_a_faster_subscription() -> None:
    async with running(bound("slow"), bound("fire", urgent=True)) as bench:
        (session,) = bench.device.sessions
        subscribed = {each.interval: [*each.items.values()] for each in session.subscriptions.values()}
        assert subscribed == {100.0: ["ns=2;s=fire"], 1000.0: ["ns=2;s=slow"]}


async def test_a_subscription_that_lives_is_left_alone_where_another_is_refused() -> None:
    async with serving(bound("slow"), bound("fire", urgent=True)) as bench:
        bench.device.most_subscriptions = 1
        async with bench.driver:
            for _ in range(3):
                await bench.told("slow")
                assert await bench.values() == {"slow": 0.5, "fire": 1.5}
                bench.clock.advance(59.0)
                await bench.told("slow")
                bench.clock.advance(2.0)
            assert bench.device.count("CreateSubscription") > 2
            assert bench.device.count("DeleteSubscriptions") == 0


async def test_a_session_of_which_nobody_reads_is_kept_alive() -> None:
    async with running(bound("one")) as bench, aclosing(bench.driver.changes()) as changes:
        for _ in range(3):
            before = bench.device.count("Read")
            await bench.told("one")
            async with asyncio.timeout(5):
                await anext(changes)
            assert bench.device.count("Read") - before <= 1
            bench.clock.advance(31.0)
        assert ("Read", ("i=2259",)) in bench.device.requests


async def test_after_a_write_the_value_is_asked_for() -> None:
    """What is on its way from before the write would look as if it had not been taken."""
    async with running(bound("one")) as bench:
        await bench.told("one")
        assert (await bench.driver.write({PointId("a.b.one"): 4.0}))[PointId("a.b.one")].accepted
        assert await bench.values() == {"one": 4.0}
        await bench.told("one")
        bench.clock.advance(4.0)
        await bench.told()
        assert await bench.reads() == 0
        assert await bench.values() == {"one": 4.0}


async def test_what_is_told_from_before_a_write_is_not_passed_on() -> None:
    async with running(bound("one"), bound("two")) as bench, aclosing(bench.driver.changes()) as changes:
        await bench.driver.write({PointId("a.b.one"): 4.0})
        bench.cell("one").value = 0.5
        await bench.told("one")
        bench.cell("one").value = 4.0
        await bench.told("two")
        async with asyncio.timeout(5):
            assert (await anext(changes)).keys() == {"a.b.two"}


@pytest.mark.parametrize("status", ["BadTooManySubscriptions", "BadResourceUnavailable", "BadServiceUnsupported"])
@pytest.mark.parametrize("service", ["CreateSubscription", "CreateMonitoredItems"])
async def test_however_a_server_refuses_to_tell_the_link_stands(service: str, status: str) -> None:
    async with serving(bound("one")) as bench:
        bench.device.refused_services[service] = status
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}
            assert await bench.reads() == 1


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


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type, value, taken",
    [
        (T.Boolean, 1, True),
        (T.Byte, 200.0, 200),
        (T.SByte, -3, -3),
        (T.UInt16, 65535, 65535),
        (T.Int32, -70000.0, -70000),
        (T.UInt64, 2**53 + 1, 2**53 + 1),
        (T.Float, 0.5, 0.5),
        (T.Double, 7, 7.0),
    ],
)
async def test_a_value_is_written_in_the_nodes_own_type(type: ua.VariantType, value: float, taken: object) -> None:
    async with running(bound("one")) as bench:
        bench.device.cells["ns=2;s=one"] = Cell(0, type)
        result = (await bench.driver.write({PointId("a.b.one"): value}))[PointId("a.b.one")]
        assert result == (True, "")
        assert (bench.cell("one").value, bench.cell("one").type) == (taken, type)


async def test_a_node_that_holds_nothing_yet_is_written_in_its_declared_type() -> None:
    async with running(bound("one")) as bench:
        identifier: Any = 6
        bench.device.cells["ns=2;s=one"] = Cell(None, T.Null, data_type=ua.NodeId(identifier))
        assert (await bench.driver.write({PointId("a.b.one"): 3.0}))[PointId("a.b.one")].accepted
        assert (bench.cell("one").value, bench.cell("one").type) == (3, T.Int32)


async def test_a_node_that_changed_its_type_is_written_the_second_time() -> None:
    async with running(bound("one")) as bench:
        one = PointId("a.b.one")
        await bench.driver.write({one: 3.0})
        bench.device.cells["ns=2;s=one"] = Cell(0, T.Int32)
        assert (await bench.driver.write({one: 4.0}))[one] == (False, "refused: BadTypeMismatch")
        assert (await bench.driver.write({one: 4.0}))[one].accepted


@pytest.mark.parametrize(
    "cell, value, reason",
    [
        (Cell(0, T.Byte), 256, "256 is 256 in the server, and a Byte holds 0 to 255"),
        (Cell(0, T.UInt16), -1.0, "-1.0 is -1 in the server, and a UInt16 holds 0 to 65535"),
        (Cell(0.0, T.Float), 1e39, "1e+39 is 1e+39 in the server, which a Float cannot hold"),
        (Cell(True, T.Boolean), 2, "2 is neither on nor off"),
        (Cell([1.0], T.Double), 2, "the node holds an array, not one value"),
        (Cell("", T.String), 2, "2 is no text, as String is"),
        (Cell(0, T.Int16, refused="BadNotReadable"), 2, "refused: BadUserAccessDenied"),
        (Cell(0, T.Int16), None, "OPC UA has nothing to relinquish to: declare a remote bit or a safe value"),
    ],
)
async def test_what_cannot_be_written_is_told_in_words(cell: Cell, value: Scalar | None, reason: str) -> None:
    async with running(bound("one")) as bench:
        bench.device.cells["ns=2;s=one"] = replace(cell, data_type=ua.NodeId(Int16))
        before = cell.value
        assert (await bench.driver.write({PointId("a.b.one"): value}))[PointId("a.b.one")] == (False, reason)
        assert bench.cell("one").value == before


Int16: Final[Any] = 4

# --- the link ---------------------------------------------------------------------------------------------------------


async def test_a_link_lost_while_only_listening_is_noticed() -> None:
    async with running(bound("one")) as bench, aclosing(bench.driver.changes()) as changes:
        await bench.told("one")
        await bench.samples()
        async with asyncio.timeout(5):
            await anext(changes)
            await bench.device.stop()
            with pytest.raises(ConnectFailed):
                await anext(changes)
        with pytest.raises(ConnectFailed):
            await bench.samples()


@pytest.mark.fault("half-open connection: accepts, and answers nothing")
async def test_a_hung_server_is_noticed_although_it_had_told() -> None:
    async with running(bound("one"), patience=QUICK) as bench:
        await bench.told("one")
        bench.device.hang()
        assert await bench.values() == {"one": 0.5}
        bench.clock.advance(11.0)
        with pytest.raises(DeviceTimeout):
            await bench.samples()


@pytest.mark.parametrize("service", ["", "CreateSession", "ActivateSession", "Read", "CreateSubscription"])
async def test_a_server_that_hangs_while_we_connect_is_left(service: str) -> None:
    async with serving(bound("one"), patience=QUICK) as bench:

        def hang(asked: str, answer: bytes) -> bytes:
            bench.device.hung = bench.device.hung or asked == service
            return answer

        bench.device.hung, bench.device.mangle = not service, hang
        async with asyncio.timeout(5):
            with pytest.raises(DeviceTimeout):
                async with bench.driver:
                    pass


async def test_cancelled_while_connecting_nothing_stays_open() -> None:
    async with serving(bound("one"), patience=QUICK) as bench:
        bench.device.hang()
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(bench.driver.__aenter__())
            await bench.device.asked.wait()
            opening.cancel()
        assert opening.cancelled()
        bench.device.resume()
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}


@pytest.mark.parametrize(
    "status, error",
    [
        ("BadUserAccessDenied", DeviceRefused),
        ("BadIdentityTokenRejected", DeviceRefused),
        ("BadCertificateUntrusted", DeviceRefused),
        ("BadSecurityChecksFailed", DeviceRefused),
        ("BadTooManySessions", ConnectFailed),
        ("BadTimeout", DeviceTimeout),
    ],
)
async def test_a_refused_session_says_why(status: str, error: type[DeviceError]) -> None:
    async with serving(bound("one")) as bench:
        bench.device.activation = status
        with pytest.raises(error) as caught:
            async with bench.driver:
                pass
        assert status in caught.value.cause
        bench.device.activation = ""
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}


@pytest.mark.parametrize("buffer", [65536, 2**32 - 1])
async def test_a_chunk_announced_beyond_all_measure_ends_the_link_before_it_has_come(buffer: int) -> None:
    async with serving(bound("one", subscribe=False)) as bench:
        bench.device.buffer = buffer
        async with bench.driver:

            def announce(service: str, answer: bytes) -> bytes:
                bench.device.say(b"MSGF" + struct.pack("<I", 2**31))
                return answer

            bench.device.mangle = announce
            with pytest.raises(ConnectFailed, match="BadTcpMessageTooLarge"):
                await bench.samples()
        bench.device.mangle = lambda service, answer: answer
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}


@pytest.mark.parametrize("part, count", [(b"\0" * 60_000, 300), (b"", 3000)])
async def test_an_answer_in_chunks_without_end_ends_the_link(part: bytes, count: int) -> None:
    async with running(bound("one", subscribe=False)) as bench:
        bench.device.before_each_answer = [part] * count
        with pytest.raises(ConnectFailed, match="BadTcpMessageTooLarge"):
            await bench.samples()


async def test_the_keys_of_the_channel_are_renewed() -> None:
    async with running(bound("one")) as bench:
        await bench.samples()
        assert bench.device.count("OpenSecureChannel") == 1
        bench.clock.advance(1801.0)
        assert await bench.values() == {"one": 0.5}
        assert bench.device.count("OpenSecureChannel") == 2
        await bench.samples()
        assert bench.device.count("OpenSecureChannel") == 2


async def test_a_server_that_is_gone_costs_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "drivers"):
        async with running(bound("one")) as bench:
            await bench.samples()
            await bench.device.stop()
            for _ in range(3):
                with pytest.raises(DeviceError):
                    await bench.samples()
    assert [record for record in caplog.records if record.name.startswith(("asyncua", "drivers"))] == []


async def test_whatever_the_server_answers_ends_well() -> None:
    """Every answer with bytes changed, cut or added: samples, or a lost link, in bounded time."""
    random = Random(1)

    def mangle(service: str, answer: bytes) -> bytes:
        if service in ("OpenSecureChannel", "CreateSession", "ActivateSession") or random.random() < 0.3:
            return answer
        changed = bytearray(answer)
        for _ in range(random.randrange(4)):
            changed[random.randrange(4, len(changed))] = random.randrange(256)
        end = random.choice((len(changed), len(changed), random.randrange(4, len(changed))))
        return bytes(changed[:end]) + random.randbytes(random.choice((0, 0, 3)))

    async with serving(*(bound(f"p{n}", subscribe=n % 2 == 0) for n in range(4)), patience=QUICK) as bench:
        bench.device.mangle = mangle
        for _ in range(60):
            try:
                async with asyncio.timeout(10), bench.driver:
                    for _ in range(5):
                        bench.device.publish("ns=2;s=p0")
                        samples = await bench.samples()
                        assert len(samples) == 4
                        bench.clock.advance(4.0)
                        await bench.driver.write({PointId("a.b.p1"): 4.0})
            except DeviceError:
                continue
