"""What a reload leaves alone: a link that is as it was keeps its connection, its pace and all that is known of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from controller.core.event import Event, EventKind
from controller.core.point import Binding, PointId
from controller.core.ports import Clock, RecordedSample
from controller.core.sample import Quality, Sample
from controller.core.site import Link, Site
from controller.core.system import Authority
from controller.runtime.reload import Result
from drivers.memory import MemoryConnection, MemoryDriver
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, LIGHTS, PLANT, PUMP, PUMP_STATUS, START
from tests.scenario.test_reload import Here, with_slower_lease

UNHURRIED = MemoryConnection(timeout=30.0)


class Counted(Here):
    """opened, told: how often each link was opened and subscribed to. read_at: when it was read (monotonic)."""

    def __init__(self, tmp_path: Path, **fields: Any) -> None:
        self.opened: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.read_at: defaultdict[str, list[float]] = defaultdict(list)
        super().__init__(tmp_path, **fields)

    def site(self) -> Site:
        site = super().site()
        return replace(site, links=tuple(map(self._counted, site.links)))

    def _counted(self, link: Link) -> Link:
        far = {LIGHTS: self.plant.lights, PLANT: self.plant.plant}[link.id]

        def open_on(id_: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
            driver = CountedDriver(id_, connection, bindings, clock, far)
            driver.here = self
            return driver

        return replace(link, driver=replace(link.driver, open=open_on), connection=UNHURRIED)

    def changed(self, link: str, **changes: Any) -> dict[str, Any]:
        """The site's links, and the devices of one of them changed."""
        found = [
            replace(each, devices=tuple(replace(device, **changes) for device in each.devices))
            if each.id == link
            else each
            for each in self.daemon.site.links
        ]
        return {"links": tuple(found)}

    def link_states(self, link: str) -> list[object]:
        return [event.body.get("state") for event in self.events(EventKind.LINK, link)]


class CountedDriver(MemoryDriver):
    here: Counted

    async def __aenter__(self) -> Self:
        self.here.opened[self._link] += 1
        return await super().__aenter__()

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        self.here.read_at[self._link].append(self._clock.monotonic())
        return await super().read(points)

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        """Nothing is ever told by itself; who listens is counted."""
        self.here.told[self._link] += 1
        await asyncio.Event().wait()
        yield {}


class SlowToClose:
    name = "slow"

    async def append(self, records: Sequence[RecordedSample | Event]) -> int:
        return len(records)

    async def close(self) -> None:
        await asyncio.sleep(3.0)


def lived(tmp_path: Path, life: Callable[[Counted], Awaitable[None]], **fields: Any) -> Counted:
    here = Counted(tmp_path, **fields)
    assert here.run(lambda _: life(here))
    return here


def test_a_changed_strategy_opens_no_connection_and_no_sample_is_missed(tmp_path: Path) -> None:
    async def life(here: Counted) -> None:
        await here.command(PUMP, True)
        await here.wait(10)
        sessions = [link.session for link in here.daemon.links]
        for _ in range(3):
            here.edit(**with_slower_lease(here.daemon.site), scan_every=timedelta(seconds=1))
            assert (await here.reload()).result is Result.RELOADED
            await here.wait(3.5)
        assert here.opened == here.told == {LIGHTS: 1, PLANT: 1}
        assert [link.session for link in here.daemon.links] == sessions
        # A poll sees at a glance that it may write what it might.
        rights = here.daemon.rights.points
        assert all(link.session is not None and link.session.may_write is rights for link in here.daemon.links)
        assert here.link_states(LIGHTS) == here.link_states(PLANT) == ["connected"]
        polls = [each for each in here.read_at[LIGHTS] if each == int(each)]
        assert {later - sooner for sooner, later in pairwise(dict.fromkeys(polls))} == {1.0}
        # Those who read and write over the connection are the new ones.
        here.plant.lights.set(DEMAND, 0.8)
        here.plant.plant.set(PUMP_STATUS, False)
        await here.wait(3)
        assert here.plant.lights.value(BRIGHTNESS) == 0.8
        assert here.daemon.image.present[PUMP_STATUS].value is False
        await here.daemon.set_authority("garage", Authority.ORIGINAL, "Li Na")
        await here.wait(3)
        assert here.plant.lights.value(LAMP_REMOTE) is False
        await here.wait(5)
        recorded = await here.historian.read_samples(DEMAND, START + timedelta(seconds=5), here.clock.now())
        assert {sample.quality for sample in recorded} == {Quality.GOOD}

    lived(tmp_path, life)


def test_only_the_link_that_was_changed_connects_anew(tmp_path: Path) -> None:
    async def life(here: Counted) -> None:
        await here.wait(10)
        here.edit(**here.changed(PLANT, poll_every=timedelta(seconds=2)))
        assert (await here.reload()).result is Result.RELOADED
        await here.wait(10)
        assert here.opened == {LIGHTS: 1, PLANT: 2}
        assert here.link_states(LIGHTS) == ["connected"]
        assert here.link_states(PLANT) == ["connected", "connected"]
        assert set(here.plant.written(LAMP_REMOTE)) == {True}
        here.edit(links=here.daemon.site.links[:1], **without_plant(here.daemon.site))
        assert (await here.reload()).result is Result.RELOADED
        before = len(here.read_at[PLANT])
        await here.wait(10)
        assert (here.opened, len(here.read_at[PLANT])) == ({LIGHTS: 1, PLANT: 2}, before)

    lived(tmp_path, life)


def without_plant(site: Site) -> dict[str, Any]:
    left = set(site.links[0].devices[0].points)
    return {
        "points": {id_: point for id_, point in site.points.items() if id_ in left},
        "systems": tuple(each for each in site.systems if each.id == "garage"),
    }


def test_a_link_that_is_away_stays_told_and_comes_back(tmp_path: Path) -> None:
    """Told once, and no longer than it lasts, whatever is reloaded meanwhile."""

    async def life(here: Counted) -> None:
        await here.wait(10)
        here.plant.plant.drop()
        await here.wait(5)
        here.edit(**with_slower_lease(here.daemon.site))
        assert (await here.reload()).result is Result.RELOADED
        await here.wait(400)
        assert here.link_states(PLANT) == ["connected", "lost"]
        (alarm,) = [each for each in here.daemon.alarms.all if each.id.name == "link lost"]
        assert (alarm.id.subject, alarm.standing.condition) == (PLANT, True)
        here.plant.plant.restore()
        await here.wait(90)
        assert here.link_states(PLANT) == ["connected", "lost", "back"]
        assert not alarm.standing.condition
        assert here.opened[LIGHTS] == 1

    lived(tmp_path, life)


def test_a_request_that_does_not_end_ends_with_its_connection(tmp_path: Path) -> None:
    """The lamps' gateway says nothing while they are written: their link alone is opened anew, and they follow."""

    async def life(here: Counted) -> None:
        await here.wait(10)
        here.plant.lights.set(DEMAND, 0.8)
        await here.wait(1)
        here.plant.lights.hang()
        await here.wait(2)
        here.plant.lights.set(DEMAND, 0.3)
        here.edit(**with_slower_lease(here.daemon.site))
        await here.daemon.command(BRIGHTNESS, 0.9, timedelta(minutes=10), "operator", "a test")
        await here.wait(1.5)
        assert (await here.reload()).result is Result.RELOADED
        here.plant.lights.resume()
        await here.wait(10)
        assert here.opened == {LIGHTS: 2, PLANT: 1}
        assert here.plant.lights.value(BRIGHTNESS) == 0.9

    lived(tmp_path, life)


def test_scans_and_polls_do_not_wait_for_a_database_that_is_left(tmp_path: Path) -> None:
    async def life(here: Counted) -> None:
        await here.wait(10)
        scans, began = here.daemon.scan.count, here.clock.monotonic()
        here.edit(**with_slower_lease(here.daemon.site))
        assert (await here.reload()).result is Result.RELOADED
        assert here.clock.monotonic() >= began + 3.0
        assert here.daemon.scan.count >= scans + 3
        assert here.daemon.forwarder is None
        await here.wait(5)
        assert here.opened == {LIGHTS: 1, PLANT: 1}

    lived(tmp_path, life, remote=SlowToClose())


def test_a_reload_that_the_disk_refuses_disturbs_no_link(tmp_path: Path) -> None:
    async def life(here: Counted) -> None:
        await here.wait(10)
        with sqlite3.connect(tmp_path / "store.db") as database:
            database.execute("DROP TABLE plan")
        database.close()
        here.edit(**with_slower_lease(here.daemon.site))
        assert (await here.reload()).result is Result.REFUSED
        here.plant.lights.set(DEMAND, 0.9)
        await here.wait(10)
        assert here.plant.lights.value(BRIGHTNESS) == 0.9
        assert here.opened == {LIGHTS: 1, PLANT: 1}

    lived(tmp_path, life)
