"""Messages through Apprise to a web hook, a broker and a mail server on loopback, and how soon they arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
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
from controller.runtime.surroundings import Surroundings
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


# --- how soon ---------------------------------------------------------------------------------------------------------

MOST_S = 2.0
DELAY_S = 1.0
# A machine that is busy may stall for longer than what is promised; what we do ourselves takes as long every time.
ATTEMPTS = 5
MAIL_TO = "from=plant@example.org&to=shift@example.org"
AT_ONCE, DELAYED = "too bright", "too bright for a while"


def rule(name: str, words: str, delay: float) -> PointRule:
    behaviour = Behaviour(Priority.HIGH, on_delay=timedelta(seconds=delay))
    return PointRule(name, DEMAND, Above(0.7), behaviour, Wording(Text(words, "过亮")))


class Receivers:
    """A web hook, a broker and a mail server, with when each title came to them."""

    def __init__(self, http: HttpServer, broker: Mosquitto, mail: MailServer, clock: RealClock) -> None:
        self.addresses = {
            "web hook": address(http),
            "broker": f"mqtt://127.0.0.1:{broker.port}/building/alarms",
            "e-mail": f"mailto://127.0.0.1:{mail.port}/?{MAIL_TO}",
        }
        self.at: dict[tuple[str, str], float] = {}
        self._http, self._mail, self._clock = http, mail, clock
        self._published: list[str] = []

    async def listen(self, client: aiomqtt.Client) -> None:
        """Note what the broker passes on, and when anything is seen for the first time."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._subscribed(client))
            while True:
                self._look()
                await asyncio.sleep(0.005)

    async def _subscribed(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self._published.append(message.payload.decode())

    def _look(self) -> None:
        now = self._clock.monotonic()
        for body in self._http.bodies:
            self.at.setdefault(("web hook", json.loads(body)["title"]), now)
        for text in self._published:
            self.at.setdefault(("broker", text.partition("\n")[0].strip()), now)
        for _, mail in self._mail.mails:
            self.at.setdefault(("e-mail", str(mail["Subject"])), now)

    def forget(self) -> None:
        for each in (self.at, self._http.bodies, self._published, self._mail.mails):
            each.clear()

    def have(self, words: str) -> bool:
        return {who for who, title in self.at if title == words} == self.addresses.keys()

    def took(self, since: float, words: str) -> dict[str, float]:
        return {who: at - since for (who, title), at in self.at.items() if title == words}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a daemon has no event for this
            await asyncio.sleep(0.005)


@pytest.mark.slow
async def test_from_the_condition_to_the_message_within_two_seconds_plus_its_delay(
    tmp_path: Path, server: HttpServer
) -> None:
    """Of a daemon on the machine's own clock that polls once a second, by each way; the quickest of a few attempts."""
    bench, clock = Bench(tmp_path), RealClock()
    rules = (rule("bright", AT_ONCE, 0.0), rule("bright_for_a_while", DELAYED, DELAY_S))
    async with (
        Mosquitto(tmp_path) as broker,
        aiomqtt.Client("127.0.0.1", broker.port, timeout=10) as client,
        MailServer() as mail,
        asyncio.TaskGroup() as tasks,
    ):
        await client.subscribe("building/alarms", qos=1)
        people = Receivers(server, broker, mail, clock)
        routes = tuple(
            Route(name.replace(" ", "_"), Priority.LOW, (Rung(where),)) for name, where in people.addresses.items()
        )
        for where in people.addresses.values():  # as `check` does, which loads the library
            await AppriseMessenger().deliver(where, MESSAGE)
        site = replace(bench.site(), alarms=Alarming(rules, (), routes))
        around = Surroundings(messenger=AppriseMessenger())
        daemon = Daemon(site, clock, MemoryHistorian(), Store(None, clock), around)
        listening, stop = tasks.create_task(people.listen(client)), asyncio.Event()
        running = tasks.create_task(daemon.run(stop))
        await until(lambda: daemon.scan.count >= 2)
        soon: dict[str, float] = {}
        late: dict[str, float] = {}
        for _ in range(ATTEMPTS):
            people.forget()
            polled = daemon.image.present[DEMAND].received
            await until(lambda polled=polled: daemon.image.present[DEMAND].received > polled)
            began = clock.monotonic()  # just after a poll, which is the longest way to the next one
            bench.plant.lights.set(DEMAND, 0.9)
            await until(lambda: people.have(f"[high] bench: {DELAYED}"))
            soon = people.took(began, f"[high] bench: {AT_ONCE}")
            late = people.took(began, f"[high] bench: {DELAYED}")
            assert min(late.values()) > DELAY_S, "the delay is kept"
            if max(soon.values()) < MOST_S and max(late.values()) < MOST_S + DELAY_S:
                break
            bench.plant.lights.set(DEMAND, 0.5)
            await until(lambda: people.have(f"[cleared] bench: {DELAYED}"))
        else:
            raise AssertionError(f"never soon enough: {soon}, {late}")
        stop.set()
        assert await running
        listening.cancel()
