"""From motion to a command that is believed: two scans are brought forward, never more than ten a second."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controller.core.ledger import Verdict
from controller.core.point import PointId
from controller.core.sample import Sample
from controller.core.site import Site
from drivers.memory import MemoryDriver
from tests.bench import BRIGHTNESS, DEMAND, MOTION, Bench
from tests.changed_bench import ChangedBench, with_driver


class _Telling(MemoryDriver):
    """A gateway that tells by itself, when a test lets it."""

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        while True:
            self.far_side.asked.clear()
            await self.far_side.asked.wait()
            yield await super().read([MOTION, DEMAND, BRIGHTNESS])


class PushBench(ChangedBench):
    """Its lamps do as they are told only once the test says so; a poll every 20 s hardly helps."""

    def change(self, site: Site) -> Site:
        lights, *others = with_driver(Bench(self.tmp_path, plant=self.plant), _Telling).site().links
        device = replace(lights.devices[0], poll_every=timedelta(seconds=20))
        return replace(site, links=(replace(lights, devices=(device,)), *others))

    async def begin(self) -> None:
        """Everything that is ours is believed; between two scans of the grid."""
        await self.wait(25.3)
        self.plant.lights.ignore(BRIGHTNESS)

    def move(self, demand: float) -> None:
        lights = self.plant.lights
        lights.set(DEMAND, demand)
        lights.set(MOTION, not lights.value(MOTION))
        lights.asked.set()

    def obey(self, brightness: float) -> None:
        self.plant.lights.set(BRIGHTNESS, brightness)
        self.plant.lights.asked.set()

    @property
    def verdict(self) -> Verdict:
        return self.daemon.writer.holdings[BRIGHTNESS].verdict

    @property
    def commanded(self) -> object:
        return self.plant.written(BRIGHTNESS)[-1]


def test_a_command_on_motion_is_believed_without_waiting_for_the_grid(tmp_path: Path) -> None:
    here = PushBench(tmp_path)

    async def life(_: Bench) -> None:
        await here.begin()
        here.move(0.8)
        await here.wait(0.15)
        assert here.commanded == 0.8
        here.obey(0.8)
        await here.wait(0.02)
        assert here.verdict is Verdict.OWNED

    here.run(life)


def test_what_such_a_scan_commands_waits_for_the_grid_to_be_believed(tmp_path: Path) -> None:
    """Or lamps that fade would be scanned ten times a second all the while."""
    here = PushBench(tmp_path)

    async def life(_: Bench) -> None:
        await here.begin()
        scans = here.daemon.scan.count
        here.move(0.6)
        await here.wait(0.15)
        here.plant.lights.set(DEMAND, 0.7)
        here.obey(0.6)
        await here.wait(0.15)
        assert here.commanded == 0.7
        here.obey(0.7)
        await here.wait(0.3)
        assert here.daemon.scan.count == scans + 2
        assert here.verdict is Verdict.PENDING
        await here.wait(0.2)
        assert (here.daemon.scan.count, here.verdict) == (scans + 3, Verdict.OWNED)

    here.run(life)


def test_a_storm_of_motion_and_read_backs_makes_ten_scans_a_second(tmp_path: Path) -> None:
    here = PushBench(tmp_path)

    async def life(_: Bench) -> None:
        await here.begin()
        scans = here.daemon.scan.count
        for nth in range(500):
            here.move(0.5 + nth % 5 / 10)
            await here.wait(0.005)
            here.obey(0.5 + nth % 5 / 10)
            await here.wait(0.005)
        assert 45 <= here.daemon.scan.count - scans <= 50 + 5 + 1, "and those on the grid"

    here.run(life)


def test_an_ordinary_command_waits_for_the_grid(tmp_path: Path) -> None:
    here = PushBench(tmp_path)

    async def life(_: Bench) -> None:
        await here.begin()
        scans = here.daemon.scan.count
        here.plant.lights.set(DEMAND, 0.8)
        here.plant.lights.asked.set()
        await here.wait(0.8)
        assert (here.commanded, here.daemon.scan.count) == (0.8, scans + 1)
        here.obey(0.8)
        await here.wait(0.5)
        assert (here.verdict, here.daemon.scan.count) == (Verdict.PENDING, scans + 1)

    here.run(life)
