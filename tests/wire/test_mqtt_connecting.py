"""The MQTT driver connects to, and subscribes at, a broker that refuses, falls silent and talks nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout, ProtocolViolation
from controller.core.sample import Quality
from drivers.mqtt.client import LARGEST_PACKET
from drivers.mqtt.driver import BACKLOG, REFUSED_AGAIN, MqttDriver
from tests.wire.mqtt_bench import ASKED, LAMP, ONE, PATIENCE, TELLS, TWO, Bench, bench, little_broker
from tests.wire.mqtt_broker import NOT_AUTHORISED

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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
