"""Who has a system, by a word on a real broker: the panel's template, Mosquitto, and a daemon in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest

from controller.core.event import EventKind, JsonValue
from controller.core.point import PointId
from controller.core.site import Site
from controller.core.system import Authority, AuthorityInput, Condition
from controller.historian.memory import MemoryHistorian
from controller.runtime.authorities import AuthorityRefused
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from tests.bench import LAMP_REMOTE, SYSTEMS, Bench, with_system
from tests.templates.one_device import site_of
from tests.wire.mqtt_mosquitto import Mosquitto, vanish

pytestmark = [pytest.mark.wire, pytest.mark.system, pytest.mark.slow]

PANEL, TOPIC = PointId("area.panel.authority"), "building/garage"
UNKNOWN_AFTER, BACK_AFTER = timedelta(seconds=1), timedelta(seconds=0.4)
HELD = with_system(
    SYSTEMS, "garage", original_while=AuthorityInput(Condition(PANEL, "original"), UNKNOWN_AFTER, BACK_AFTER)
)


class Garage:
    """Tests ask for what comes in the end, not for when: the machine may be busy."""

    def __init__(self, bench: Bench, daemon: Daemon) -> None:
        self._bench = bench
        self.daemon = daemon

    @property
    def is_ours(self) -> bool:
        return self._bench.plant.lights.value(LAMP_REMOTE) is True

    def latest(self) -> tuple[JsonValue, JsonValue, JsonValue]:
        """Who switched it last, to what, and why."""
        switches = [each for each in self.daemon.journal.recent if each.kind is EventKind.AUTHORITY]
        body = next(each.body for each in reversed(switches) if each.subject == "garage")
        return body["who"], body["authority"], body.get("reason")

    async def becomes_ours(self) -> None:
        await self._until(lambda: self.is_ours)
        assert self.daemon.authority["garage"] is Authority.TIDEWATT

    async def goes_back(self, because: str) -> None:
        await self._until(lambda: not self.is_ours)
        who, authority, reason = self.latest()
        assert (who, authority) == (f"input {PANEL}", "original")
        assert because in str(reason)
        assert self.daemon.authority["plant"] is Authority.TIDEWATT, "another system takes no notice"

    async def is_kept_back(self, because: str) -> None:
        def says() -> bool:
            reason = self.daemon.authorities.vetoes.reason("garage")
            return reason is not None and reason.en == because

        await self._until(says)

    async def has_scanned(self, times: int) -> None:
        before = self.daemon.scan.count
        await self._until(lambda: self.daemon.scan.count >= before + times)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - a device has no event for this
                await asyncio.sleep(0.02)


@asynccontextmanager
async def garage(bench: Bench, broker: Mosquitto) -> AsyncGenerator[Garage]:
    """A daemon beside it for as long as the block takes; its store outlives it."""
    clock = RealClock()
    site = _with_panel(bench.site(), site_of("generic/control_panel_mqtt", bench.tmp_path, *_where(broker)))
    daemon = Daemon(site, clock, MemoryHistorian(), Store(bench.tmp_path / "store.db", clock))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(daemon.run(stop))
        yield Garage(bench, daemon)
        stop.set()
        assert await running


def _where(broker: Mosquitto) -> tuple[dict[str, object], dict[str, object]]:
    return {"host": "127.0.0.1", "port": broker.port}, {"topic": TOPIC}


def _with_panel(site: Site, panel: Site) -> Site:
    links = (*site.links, *panel.links)
    return replace(site, links=links, points={**site.points, **panel.points}, scan_every=timedelta(seconds=0.2))


@asynccontextmanager
async def panel(broker: Mosquitto) -> AsyncGenerator[aiomqtt.Client]:
    will = aiomqtt.Will(f"{TOPIC}/status", "offline", 1, retain=True)
    async with aiomqtt.Client("127.0.0.1", broker.port, will=will, timeout=10) as client:
        await client.publish(f"{TOPIC}/status", "online", qos=1, retain=True)
        yield client


async def say(client: aiomqtt.Client, word: str) -> None:
    await client.publish(f"{TOPIC}/authority", word, qos=1, retain=True)


async def test_a_retained_word_takes_the_system_and_gives_it_back_and_a_restart_finds_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, systems=HELD)
    async with Mosquitto(tmp_path) as broker, panel(broker) as somebody:
        await say(somebody, "tidewatt")
        async with garage(bench, broker) as here:
            await here.becomes_ours()
            await say(somebody, "original")
            await here.goes_back(because=f"{PANEL} is original")
            with pytest.raises(AuthorityRefused, match=f"original controls: {PANEL} is original"):
                await here.daemon.set_authority("garage", Authority.TIDEWATT, "li.na")
            await say(somebody, "tidewatt")
            await here.becomes_ours()
            await say(somebody, "original")
            await here.goes_back(because=f"{PANEL} is original")
        bench.plant.writes.clear()
        async with garage(bench, broker) as here:
            await here.is_kept_back(because=f"{PANEL} is original")
            await here.has_scanned(4)
            assert bench.plant.written(LAMP_REMOTE) == [], "nobody had to say it again"
            await say(somebody, "tidewatt")
            await here.becomes_ours()


@pytest.mark.fault("authority input away: panel or broker", lost="control, until it is known again")
async def test_a_panel_and_a_broker_that_vanish_are_a_key_in_original(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker, garage(Bench(tmp_path, systems=HELD), broker) as here:
        async with panel(broker) as somebody:
            await say(somebody, "tidewatt")
            await here.becomes_ours()
            vanish(somebody)
            await here.goes_back(because="device offline")
        async with panel(broker) as somebody:
            await here.has_scanned(4)
            assert not here.is_ours, "a word from before it vanished is no word"
            await say(somebody, "tidewatt")
            await here.becomes_ours()
        await broker.kill()
        await here.goes_back(because="link lost")
        await broker.start()
        async with panel(broker) as somebody:
            await say(somebody, "tidewatt")
            await here.becomes_ours()
