"""The MQTT driver against a broker that refuses, falls silent and talks nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import aiomqtt
import paho.mqtt.client
import paho.mqtt.exception
import paho.mqtt.matcher
import paho.mqtt.packettypes
import paho.mqtt.properties
import paho.mqtt.reasoncodes
import paho.mqtt.subscribeoptions
import pytest

from controller.core.discovery import NoAnswer
from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout, ProtocolViolation
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
from controller.core.sample import Quality, Sample
from controller.core.units import Unit
from drivers.mqtt.address import Availability, MqttAddress, MqttConnection
from drivers.mqtt.client import LARGEST_PACKET, LIBRARY_ERRORS, ours
from drivers.mqtt.driver import BACKLOG, FIRST_REST, LONGEST_REST, REFUSED_AGAIN, MqttDriver
from drivers.mqtt.scan import SCAN
from tests.hand_clock import HandClock
from tests.wire.mqtt_broker import NOT_AUTHORISED, LittleBroker

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer

ONE: Final = PointId("hall.sensor_1.temperature")
TWO: Final = PointId("hall.sensor_2.temperature")
LAMP: Final = PointId("hall.lamp_1.command")
TIMEOUT: Final = timedelta(seconds=0.3)
PATIENCE: Final = 10.0

_LAMP: Final = Writable(Range(0, 1), SafeValue(True), NothingHappens(), readback=LAMP)
POINTS: Final = {
    ONE: Point(ONE, PointKind.SENSOR, Unit.CELSIUS),
    TWO: Point(TWO, PointKind.SENSOR, Unit.CELSIUS),
    LAMP: Point(LAMP, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=_LAMP),
}
TELLS: Final = MqttAddress("{topic}", "one", "t")
ASKED: Final = MqttAddress("{topic}", "two", "t", request_topic="{topic}/get")
THERE: Final = replace(TELLS, availability=(Availability("{topic}/there"),), reports="on_change")


class Bench:
    """A broker, and a driver on it whose clock moves by hand."""

    def __init__(self, broker: LittleBroker, addresses: Mapping[PointId, MqttAddress], **more: Any) -> None:
        connection = replace(MqttConnection("127.0.0.1", broker.port, timeout=TIMEOUT), **more)
        bindings = [Binding(POINTS[point], f"device_{point}", address) for point, address in addresses.items()]
        self.broker = broker
        self.clock = HandClock()
        self.link = MqttDriver("broker", connection, bindings, self.clock)

    async def read(self, point: PointId = ONE) -> Sample:
        async with asyncio.timeout(PATIENCE):
            return (await self.link.read([point]))[point]

    async def told(self, topic: str, body: Any) -> Mapping[PointId, Sample]:
        """What the driver makes of a message."""
        self.broker.tell(topic, body if isinstance(body, bytes) else json.dumps(body).encode())
        async with asyncio.timeout(PATIENCE):
            changes = self.link.changes()
            news = await anext(changes)
            await changes.aclose()
        return news


@asynccontextmanager
async def bench(addresses: Mapping[PointId, MqttAddress], **more: Any) -> AsyncGenerator[Bench]:
    async with little_broker() as broker:
        made = Bench(broker, addresses, **more)
        async with made.link:
            yield made


@asynccontextmanager
async def little_broker() -> AsyncGenerator[LittleBroker]:
    broker = LittleBroker()
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


# --- connecting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "protocol, code, expected",
    [
        (5, 132, DeviceRefused),
        (5, 133, DeviceRefused),
        (5, 134, DeviceRefused),
        (5, 135, DeviceRefused),
        (5, 136, ConnectFailed),
        (5, 137, ConnectFailed),
        (5, 138, ConnectFailed),
        ("3.1.1", 3, ConnectFailed),
        ("3.1.1", 4, DeviceRefused),
        ("3.1.1", 5, DeviceRefused),
    ],
)
async def test_what_trying_again_does_not_heal_is_refused(
    protocol: Any, code: int, expected: type[DeviceError]
) -> None:
    async with little_broker() as broker:
        broker.connack = code
        with pytest.raises(expected, match="refused by the broker: ") as caught:
            await Bench(broker, {ONE: TELLS}, protocol=protocol).link.__aenter__()
        assert type(caught.value) is expected


@pytest.mark.slow
@pytest.mark.fault("half-open connection: accepts, and answers nothing")
async def test_a_broker_that_accepts_and_says_nothing() -> None:
    async with little_broker() as broker:
        broker.connack = None
        with pytest.raises(DeviceTimeout, match="no answer"):
            await Bench(broker, {ONE: TELLS}).link.__aenter__()


async def test_cancelled_at_any_moment_it_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with little_broker() as broker:
        link = Bench(broker, {ONE: TELLS, LAMP: replace(TELLS, topic="lamp", command_topic="set")}).link
        for number in range(100):
            with contextlib.suppress(TimeoutError, DeviceError):
                async with asyncio.timeout(number * 0.0002), link:
                    await link.write({LAMP: True})
        async with link:
            assert (await link.write({LAMP: True}))[LAMP].accepted
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_cancelled_while_its_thread_connects_it_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with little_broker() as broker:
        for _ in range(5):
            async with asyncio.TaskGroup() as tasks:
                opening = tasks.create_task(_opened(Bench(broker, {ONE: TELLS}).link))
                await asyncio.sleep(0)
                opening.cancel()
                threading.Event().wait(0.02)  # the thread is done before the loop hears of either
            assert opening.cancelled()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize(
    "nonsense",
    [pytest.param(b"\x20\x05no", marks=pytest.mark.slow), b"\x20\xff\xff\xff\xff\xff", b"\x20\x00", b"\xf0\x00"],
)
async def test_no_broker_at_all(nonsense: bytes) -> None:
    async with little_broker() as broker:
        broker.connack = None
        opening = Bench(broker, {ONE: TELLS})
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            attempt = tasks.create_task(_opened(opening.link))
            await broker.greeted.wait()
            broker.say(nonsense)
        assert isinstance(attempt.result(), DeviceError)


async def _opened(link: MqttDriver) -> DeviceError | None:
    try:
        await link.__aenter__()
    except DeviceError as error:
        return error
    return None


async def test_nonsense_on_an_open_connection_loses_it() -> None:
    for nonsense in (b"\x30\x02\x00\x09", b"\x90\x00", b"\x40\x01\x00", b"\x00\x00", b"\x31\x05\x00\x01\xff\x00x"):
        async with bench({ONE: TELLS}) as at:
            await at.told("one", {"t": 1})
            at.broker.say(nonsense)
            at.broker.say(b"\xe0\x00")  # whatever it made of that: DISCONNECT
            with pytest.raises(DeviceError):
                await _heard_out(at.link)


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
async def test_a_packet_is_lost_with_its_connection_before_it_fills_the_memory(protocol: Any) -> None:
    async with bench({ONE: TELLS}, protocol=protocol) as at:
        long = await at.told("one", b"0" * (LARGEST_PACKET - 100))
        assert long[ONE].reason.endswith("is too long")
        at.broker.say(b"\x30\xff\xff\xff\x7f")
        with pytest.raises(ProtocolViolation, match="a packet of 268435455 bytes"):
            await _heard_out(at.link)


async def test_an_answer_to_our_hello_that_would_fill_the_memory() -> None:
    async with little_broker() as broker:
        broker.connack = None
        opening = Bench(broker, {ONE: TELLS}, timeout=timedelta(seconds=PATIENCE))
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            attempt = tasks.create_task(_opened(opening.link))
            await broker.greeted.wait()
            broker.say(b"\x20\xff\xff\xff\x7f")
        assert isinstance(attempt.result(), ProtocolViolation)


async def _heard_out(link: MqttDriver) -> None:
    async with asyncio.timeout(PATIENCE):
        async for _ in link.changes():
            pass


# --- subscribing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
async def test_a_refused_topic_hides_no_other_and_is_tried_again(protocol: Any) -> None:
    async with little_broker() as broker:
        broker.suback["two"] = NOT_AUTHORISED if protocol == 5 else 128
        at = Bench(broker, {ONE: TELLS, TWO: replace(ASKED, request_every=timedelta(days=1))}, protocol=protocol)
        broker.on_publish = lambda topic, _: broker.tell("two", b'{"t": 21}')
        async with at.link:
            await at.told("one", {"t": 20})
            assert (await at.read(ONE)).value == 20
            assert (await at.read(TWO)).reason.startswith("subscription refused by the broker: ")
            assert broker.published == [], "nobody would hear the answer"
            del broker.suback["two"]
            at.clock.advance(REFUSED_AGAIN)
            assert (await at.read(TWO)).value == 21


SESSION: Final[Mapping[str, Any]] = {"session": timedelta(minutes=5), "client_id": "plant"}


async def test_a_broker_that_takes_no_subscription_identifiers_gets_none() -> None:
    async with little_broker() as broker:
        broker.takes_identifiers, broker.resumes = False, True
        at = Bench(broker, {ONE: TELLS}, **SESSION)
        async with at.link:
            sample = (await at.told("one", {"t": 20}))[ONE]
            assert sample[:3] == (20, Quality.UNCERTAIN, "kept by the broker: age unknown")
            at.clock.advance(BACKLOG)
            assert (await at.told("one", {"t": 21}))[ONE].is_good


@pytest.mark.parametrize("session, expected", [({}, False), (SESSION, True)])
async def test_what_is_new_is_marked_only_where_there_may_be_anything_old(
    session: Mapping[str, Any], expected: bool
) -> None:
    async with bench({ONE: TELLS}, **session) as at:
        assert at.broker.identified is expected


# --- messages ---------------------------------------------------------------------------------------------------------


async def test_messages_that_hold_no_value() -> None:
    nothing: tuple[tuple[Any, str], ...] = (
        (b"not json", "message is not JSON"),
        (b"", "empty message"),
        (b'{"t": 1', "message is not JSON"),
        (b"\xff\xfe", "message is not UTF-8"),
        (b"[" * 50_000, "message is nested too deeply"),
        ({"t": "21,5"}, "'21,5' is not a number"),
        ({"t": None}, "no value (null)"),
        ({"t": {}}, "an object is no value"),
        ({"t": True}, "true is not a number"),
        (b'{"t": NaN}', "not a number"),
        (b'{"t": -Infinity}', "not a number"),
        (b'{"t": 1e999}', "not a number"),
        (b'{"t": 1' + b"0" * 400 + b"}", "number is too large"),
        (b'{"t": 1, "x": "' + b"y" * 300_000 + b'"}', "message of 300017 bytes is too long"),
    )
    async with bench({ONE: TELLS}) as at:
        assert (await at.read()).reason == "nothing received yet"
        for body, reason in nothing:
            sample = (await at.told("one", body))[ONE]
            assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, reason)
        assert (await at.told("one", {"t": "21.5"}))[ONE].value == 21.5


async def test_a_message_without_the_value_leaves_what_was_there_to_age() -> None:
    async with bench({ONE: TELLS, TWO: replace(TELLS, path="u")}) as at:
        await at.told("one", {"t": 20})
        at.clock.advance(7)
        await at.told("one", {"u": 1})
        assert (await at.read(ONE)).age(at.clock.monotonic()) == 7
        assert (await at.read(TWO)).age(at.clock.monotonic()) == 0


async def test_the_newest_of_each_point_waits_for_who_is_slow() -> None:
    async with bench({ONE: TELLS, TWO: replace(TELLS, topic="two")}) as at:
        for value in range(500):
            at.broker.tell("one", json.dumps({"t": value}).encode())
        at.broker.tell("two", b'{"t": 1}')
        async with asyncio.timeout(PATIENCE):
            changes = at.link.changes()
            news = await anext(changes)
            while TWO not in news:
                news = {**news, **await anext(changes)}
            await changes.aclose()
        assert (news[ONE].value, news[TWO].value) == (499, 1)


async def test_a_topic_that_is_no_text_says_nothing() -> None:
    async with bench({ONE: TELLS}) as at:
        at.broker.say(b"\x30\x06\x00\x02\xff\xfe\x00x")
        assert (await at.told("one", {"t": 3}))[ONE].value == 3


# --- who is there -----------------------------------------------------------------------------------------------------


async def test_who_speaks_on_change_only_is_believed_while_he_is_there() -> None:
    async with bench({ONE: THERE}) as at:
        await at.told("one", {"t": 20})
        at.clock.advance(100)
        assert (await at.read()).age(at.clock.monotonic()) == 100, "nobody has said that it is there"
        await at.told("one/there", b"online")
        at.clock.advance(100)
        assert (await at.read()).age(at.clock.monotonic()) == 0
        assert (await at.told("one/there", b"offline"))[ONE].reason == "device offline"
        await at.told("one/there", b"online")
        assert (await at.read()).reason == "nothing received since the device was offline"
        await at.told("one", {"t": 22})
        assert (await at.read()).value == 22


async def test_a_gateway_that_is_there_does_not_speak_for_its_devices() -> None:
    both = replace(THERE, availability=(Availability("gateway/there"), *THERE.availability))
    async with bench({ONE: both}) as at:
        await at.told("gateway/there", b"online")
        await at.told("one", {"t": 20})
        at.clock.advance(100)
        assert (await at.read()).age(at.clock.monotonic()) == 100, "the device's own topic was never heard"
        await at.told("one/there", b"online")
        assert (await at.read()).age(at.clock.monotonic()) == 0


async def test_what_comes_from_a_device_on_its_way_back_counts_once_it_is_there() -> None:
    async with bench({ONE: THERE}) as at:
        await at.told("one/there", b"offline")
        assert (await at.told("one", {"t": 22}))[ONE].reason == "device offline"
        assert (await at.told("one/there", b"online"))[ONE].value == 22


async def test_words_that_are_neither_say_nothing() -> None:
    async with bench({ONE: THERE}) as at:
        at.broker.tell("one/there", b"perhaps")
        at.broker.tell("one/there", b"\xff")
        assert (await at.told("one", {"t": 20}))[ONE].is_good


# --- asking -----------------------------------------------------------------------------------------------------------


async def test_a_device_that_does_not_answer_rests_and_costs_nobody() -> None:
    async with bench({ONE: TELLS, TWO: ASKED}, timeout=timedelta(seconds=0.15)) as at:
        await at.told("one", {"t": 20})
        rest = FIRST_REST
        for asked in range(1, 9):
            assert (await at.read(TWO)).reason == "device timeout"
            assert [each.topic for each in at.broker.published].count("two/get") == asked
            at.clock.advance(rest - 0.001)
            await at.link.read([ONE, TWO])
            assert len(at.broker.published) == asked, "it rests"
            at.clock.advance(0.001)
            rest = min(2 * rest, LONGEST_REST)
        at.broker.on_publish = lambda topic, _: at.broker.tell("two", b'{"t": 5}')
        assert (await at.read(TWO)).value == 5


async def test_one_answer_that_is_lost_is_forgiven() -> None:
    async with bench({TWO: ASKED}) as at:
        at.broker.on_publish = lambda topic, _: at.broker.tell("two", b'{"t": 5}')
        assert (await at.read(TWO)).value == 5
        at.broker.on_publish = lambda topic, _: None
        at.clock.advance(10)
        sample = await at.read(TWO)
        assert (sample.value, sample.age(at.clock.monotonic())) == (5, 10)
        at.clock.advance(FIRST_REST)
        assert (await at.read(TWO)).reason == "device timeout"


async def test_what_is_retained_is_no_answer() -> None:
    async with bench({TWO: ASKED}) as at:
        at.broker.on_publish = lambda topic, _: at.broker.tell("two", b'{"t": 4}', retain=True)
        assert (await at.read(TWO)).reason == "device timeout"


async def test_a_device_is_asked_no_more_often_than_is_said() -> None:
    seldom = replace(ASKED, request_every=timedelta(minutes=1))
    async with bench({TWO: seldom}) as at:
        at.broker.on_publish = lambda topic, _: at.broker.tell("two", b'{"t": 5}')
        for _ in range(3):
            assert (await at.read(TWO)).value == 5
        assert len(at.broker.published) == 1
        assert (await at.link.inspect(TWO)).raw == "5"
        assert len(at.broker.published) == 2
        at.clock.advance(60)
        assert (await at.read(TWO)).age(at.clock.monotonic()) == 0


# --- commands ---------------------------------------------------------------------------------------------------------


async def test_a_command_is_kept_for_later_only_where_the_template_says_so() -> None:
    lamp = replace(TELLS, topic="lamp", path="", command_topic="{topic}/set", values={"ON": True, "OFF": False})
    for keep in (False, True):
        async with bench({LAMP: replace(lamp, retain_command=keep)}) as at:
            assert (await at.link.write({LAMP: True}))[LAMP].accepted
            assert at.broker.published == [("lamp/set", b"ON", 1, keep)]


async def test_a_connection_that_ends_while_a_command_waits() -> None:
    lamp = replace(TELLS, topic="lamp", path="", command_topic="{topic}/set")
    async with bench({LAMP: lamp}, timeout=timedelta(seconds=PATIENCE)) as at:
        at.broker.hang()
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(at.link.write({LAMP: True}))
            await at.broker.asked.wait()
            await at.broker.stop()
        assert writing.result()[LAMP] == (False, "connection lost")


# --- the library ------------------------------------------------------------------------------------------------------


def test_every_error_of_the_libraries_is_one_of_ours() -> None:
    modules = (
        aiomqtt,
        aiomqtt.exceptions,
        paho.mqtt.client,
        paho.mqtt.exception,
        paho.mqtt.matcher,
        paho.mqtt.packettypes,
        paho.mqtt.properties,
        paho.mqtt.reasoncodes,
        paho.mqtt.subscribeoptions,
    )
    theirs = {
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, BaseException) and each.__module__.startswith(("aiomqtt", "paho"))
    }
    assert theirs == LIBRARY_ERRORS.keys()
    assert len(theirs) >= 8
    for each in theirs:
        error = each(135) if issubclass(each, aiomqtt.MqttCodeError) else each("told")
        assert isinstance(ours("link", "read", error), DeviceError)


async def test_nothing_is_logged_about_what_samples_and_errors_say(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with bench({ONE: TELLS, TWO: ASKED}) as at:
            await at.told("one", b"\xff")
            await at.read(TWO)
            await at.broker.stop()
            with pytest.raises(DeviceError):
                await anext(at.link.changes())
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_scan_ends_where_the_broker_does() -> None:
    options = {option.name: option.default for option in SCAN.options}
    async with little_broker() as broker:
        found = SCAN.discover(f"127.0.0.1:{broker.port}", {**options, "for": "10min"})
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_first(found))
            await broker.listened.wait()
            await broker.stop()
        assert first.result() == NoAnswer("broker", "connection lost")
        await found.aclose()
        with pytest.raises(ConnectFailed):
            await _first(SCAN.discover(f"127.0.0.1:{broker.port}", options))


@pytest.mark.slow
async def test_a_scan_speaks_the_old_protocol_where_the_new_is_refused() -> None:
    options = {option.name: option.default for option in SCAN.options}
    async with little_broker() as broker:
        broker.newest = 4
        found = SCAN.discover(f"127.0.0.1:{broker.port}", {**options, "for": "1s"})
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_first(found))
            await broker.listened.wait()
            broker.subscribed.append("hall/t")
            broker.tell("hall/t", b"20")
        device = first.result()
        assert getattr(device, "connection", {})["protocol"] == "3.1.1"
        await found.aclose()


async def _first(found: AsyncGenerator[Any]) -> Any:
    return await anext(found)
