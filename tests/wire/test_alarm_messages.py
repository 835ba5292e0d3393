"""Messages through Apprise to a web hook, a broker and a mail server on loopback, and how soon they arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_route import Route, Rung
from controller.core.alarm_rule import Above, PointRule
from controller.core.site import Alarming
from controller.core.text import Text
from controller.historian.memory import MemoryHistorian
from controller.runtime.apprise_messenger import MOST_AT_ONCE, AppriseMessenger
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.message_words import Message
from controller.runtime.outbox import NotDelivered
from controller.runtime.store import Store
from tests.bench import DEMAND, Bench
from tests.wire.http_server import HttpServer, answer
from tests.wire.mail_server import MailServer
from tests.wire.mqtt_mosquitto import Mosquitto

pytestmark = [pytest.mark.wire]

MESSAGE = Message("冷机停机", "line one\nline two")


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    server = HttpServer()
    await server.start()
    yield server
    await server.stop()


def address(server: HttpServer) -> str:
    return f"json://user:hunter2@127.0.0.1:{server.port}/alarms"


async def until_told(server: HttpServer, count: int) -> None:
    async with asyncio.timeout(20):
        while len(server.bodies) < count:  # noqa: ASYNC110 - a server has no event for this
            await asyncio.sleep(0.01)


async def test_a_message_arrives_as_it_is(server: HttpServer) -> None:
    await AppriseMessenger().deliver(address(server), MESSAGE)
    (body,) = server.bodies
    received = json.loads(body)
    assert (received["title"], received["message"]) == MESSAGE


async def test_a_message_arrives_at_a_broker(tmp_path: Path) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        aiomqtt.Client("127.0.0.1", broker.port, timeout=10) as client,
        asyncio.timeout(20),
    ):
        await client.subscribe("building/alarms")
        await AppriseMessenger().deliver(f"mqtt://127.0.0.1:{broker.port}/building/alarms", MESSAGE)
        received = await anext(aiter(client.messages))
    assert isinstance(received.payload, bytes)
    for words in MESSAGE:
        assert words in received.payload.decode()


async def test_a_message_arrives_by_mail() -> None:
    async with MailServer() as server, asyncio.timeout(20):
        address = f"mailto://127.0.0.1:{server.port}/?from=plant@example.org&to=shift@example.org"
        await AppriseMessenger().deliver(address, MESSAGE)
        await server.received.wait()
    ((to, mail),) = server.mails
    assert (to, mail["Subject"]) == (["shift@example.org"], MESSAGE.title)
    assert mail.get_content().replace("\r\n", "\n").strip() == MESSAGE.body


async def test_a_refusal_is_told_without_the_secret(server: HttpServer) -> None:
    server.answer = answer(500)
    with pytest.raises(NotDelivered) as told:
        await AppriseMessenger().deliver(address(server), MESSAGE)
    assert str(told.value) == "json refused it or did not answer"


async def test_an_address_that_nobody_knows() -> None:
    with pytest.raises(NotDelivered, match="no address that Apprise knows"):
        await AppriseMessenger().deliver("pigeon://hunter2", MESSAGE)


async def test_messengers_that_hang_are_left_to_themselves(server: HttpServer) -> None:
    messenger = AppriseMessenger()
    server.hang()
    async with asyncio.TaskGroup() as tasks:
        hanging = [tasks.create_task(messenger.deliver(address(server), MESSAGE)) for _ in range(MOST_AT_ONCE)]
        await until_told(server, MOST_AT_ONCE)
        with pytest.raises(NotDelivered, match="earlier messages still hang"):
            await messenger.deliver(address(server), MESSAGE)
        server.resume()
        await asyncio.wait(hanging)


async def test_from_the_condition_to_the_message_within_two_seconds(tmp_path: Path, server: HttpServer) -> None:
    """Beside a daemon on the machine's own clock that polls once a second."""
    await AppriseMessenger().deliver(address(server), MESSAGE)  # as `check` does, which loads the library
    bench, clock = Bench(tmp_path), RealClock()
    rule = PointRule("bright", DEMAND, Above(0.7), Behaviour(Priority.HIGH), Wording(Text("too bright", "过亮")))
    route = Route("shift", Priority.LOW, (Rung(address(server)), Rung("pigeon://", timedelta(hours=1))))
    site = replace(bench.site(), alarms=Alarming((rule,), (), (route,)))
    store = Store(None, clock)
    daemon = Daemon(site, clock, MemoryHistorian(), store, messenger=AppriseMessenger())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(daemon.run(stop))
        while daemon.scan.count < 2:  # noqa: ASYNC110 - a scan has no event for this
            await asyncio.sleep(0.01)
        began = clock.monotonic()
        bench.plant.lights.set(DEMAND, 0.9)
        await until_told(server, 2)
        took = clock.monotonic() - began
        stop.set()
        await running
    assert json.loads(server.bodies[1])["title"] == "[high] bench: too bright"
    assert took < 2.0
