"""What MQTT devices say, do not say, and are asked or told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.core.sample import Quality
from drivers.mqtt.address import Availability
from drivers.mqtt.driver import FIRST_REST, LONGEST_REST
from tests.wire.mqtt_bench import ASKED, LAMP, ONE, PATIENCE, TELLS, THERE, TWO, bench

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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
