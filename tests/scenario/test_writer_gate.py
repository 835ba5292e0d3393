"""The writer's own gate: whatever is wished of it, and though its driver may write everything, only what is ours is
written. The scan's gate and the driver's rights, which stop the same, are left out here on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from controller.core.point import PointId
from controller.core.ports import Phase
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.runtime.disk_watch import DiskWatch
from controller.runtime.image import Image
from controller.runtime.journal import Journal
from controller.runtime.link import Session
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualLoop, run
from controller.runtime.writer import Writer
from tests.bench import BRIGHTNESS, CHILLER, HEARTBEAT, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench

EVERYTHING: dict[PointId, Scalar] = {
    BRIGHTNESS: 0.8,
    LAMP_REMOTE: True,
    PUMP: True,
    PUMP_REMOTE: True,
    CHILLER: True,
    HEARTBEAT: 1,
}


class Gate:
    """A writer with nothing before it but a test. authority: who has which system, as the daemon shares it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.site = bench.site()
        self.clock = bench.clock
        self.authority = {system.id: Authority.ORIGINAL for system in self.site.systems}
        image = Image(self.site.points, self.site.zone, self.clock, _nothing)
        store, journal = Store(None, self.clock), Journal(self.clock, "gate")
        disk = DiskWatch(self.site, self.clock, store, journal, _nothing)
        self.writer = Writer(self.site, self.clock, image, store, journal, self.authority, disk)
        self.sessions: list[Session] = []
        self._store = store

    async def live(self, life: Callable[[Gate], Awaitable[None]]) -> None:
        """Let `life` pass while the writer serves both links, with every right."""
        lights, plant = self.site.links
        async with (
            lights.driver.open(lights.id, lights.connection, lights.bindings, self.clock) as one,
            plant.driver.open(plant.id, plant.connection, plant.bindings, self.clock) as other,
        ):
            self.sessions = [
                Session(lights, one, frozenset(self.site.points)),
                Session(plant, other, frozenset(self.site.points)),
            ]
            async with asyncio.TaskGroup() as tasks:
                serving = [tasks.create_task(self.writer.serve(each)) for each in self.sessions]
                await self.pause()
                await life(self)
                for each in serving:
                    each.cancel()
        await self._store.close()

    async def pause(self) -> None:
        """Until the writer has done what it can."""
        await self.clock.sleep_until(self.clock.monotonic() + 1.0, Phase.RECORD, "test")

    async def written(self) -> dict[PointId, Scalar | None]:
        """What has reached the devices since the last look."""
        await self.pause()
        writes = dict(self._bench.plant.writes)
        self._bench.plant.writes.clear()
        return writes


def _nothing() -> None:
    return


def pass_through(tmp_path: Path, life: Callable[[Gate], Awaitable[None]]) -> None:
    loop = VirtualLoop()
    bench = Bench(tmp_path)
    bench.clock = bench.make_clock(loop)

    async def main() -> None:
        await Gate(bench).live(life)

    run(main(), loop)


def test_nothing_is_written_for_a_system_that_is_its_original_controls(tmp_path: Path) -> None:
    async def life(gate: Gate) -> None:
        gate.writer.want(EVERYTHING, ())
        assert await gate.written() == {}
        gate.authority["garage"] = Authority.TIDEWATT
        gate.writer.want(EVERYTHING, ())
        assert await gate.written() == {BRIGHTNESS: 0.8, LAMP_REMOTE: True}, "the one system opens no other"

    pass_through(tmp_path, life)


def test_life_safety_insists_in_vain(tmp_path: Path) -> None:
    async def life(gate: Gate) -> None:
        gate.writer.want(EVERYTHING, (), insisted=EVERYTHING)
        assert await gate.written() == {}

    pass_through(tmp_path, life)


def test_a_system_that_is_handed_back_is_let_go_and_nothing_else(tmp_path: Path) -> None:
    async def life(gate: Gate) -> None:
        gate.authority["garage"] = Authority.TIDEWATT
        gate.writer.want(EVERYTHING, ())
        assert await gate.written() == {BRIGHTNESS: 0.8, LAMP_REMOTE: True}
        gate.authority["garage"] = Authority.ORIGINAL
        gate.writer.want({**EVERYTHING, BRIGHTNESS: 0.3}, ())
        assert await gate.written() == {}
        gate.writer.want({}, ())
        assert await gate.written() == {LAMP_REMOTE: False}

    pass_through(tmp_path, life)


@pytest.mark.parametrize("after", [Authority.ORIGINAL, Authority.COMMISSIONING])
def test_what_was_wished_before_a_switch_is_not_written_after_it(tmp_path: Path, after: Authority) -> None:
    """Whoever may wish then has to wish it anew: in commissioning strategies may not."""

    async def life(gate: Gate) -> None:
        gate.authority["garage"] = Authority.TIDEWATT
        lights, _ = gate.sessions
        async with lights.lock:  # a poll is on its way
            gate.writer.want(EVERYTHING, ())
            await gate.pause()
            gate.authority["garage"] = after
        assert await gate.written() == {}

    pass_through(tmp_path, life)
