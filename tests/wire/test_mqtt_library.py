"""Nothing of the MQTT libraries shows: neither their errors nor their log, and a scan ends as the driver does."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator
from typing import Any

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
from controller.core.errors import ConnectFailed, DeviceError
from drivers.mqtt.client import LIBRARY_ERRORS, ours
from drivers.mqtt.scan import SCAN
from tests.wire.mqtt_bench import ASKED, ONE, PATIENCE, TELLS, TWO, bench, little_broker

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


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
