"""A month without a restart, with everything that goes wrong in it every hour: memory stays as it is."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import Event
from controller.core.ports import RecordedSample
from controller.core.site import Site
from controller.historian.memory import MemoryHistorian
from controller.runtime.store import Store
from tests.bench import BRIGHTNESS, DEMAND, Bench

DAYS, SETTLED_AFTER_DAYS = 30, 4
# A scan a minute: a month of them is as many as half a day of the usual ones.
EVERY = timedelta(seconds=60)


class Forgetful(MemoryHistorian):
    """Keeps nothing, so that what grows is the daemon's own."""

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        pass

    async def append_events(self, events: Sequence[Event]) -> None:
        pass


class MonthBench(Bench):
    def site(self) -> Site:
        site = super().site()
        links = tuple(
            replace(link, devices=tuple(replace(each, poll_every=EVERY) for each in link.devices))
            for link in site.links
        )
        points = {id_: replace(each, stale_after=3 * EVERY) for id_, each in site.points.items()}
        return replace(site, links=links, points=points, scan_every=EVERY)

    def open_store(self) -> Store:
        return Store(None, self.clock)

    def open_historian(self) -> MemoryHistorian:
        return Forgetful()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.fault("a month without a restart: memory")
def test_memory_is_flat_over_a_month(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)  # what pytest keeps of the log is not the daemon's
    blocks: list[int] = []

    async def life(bench: Bench) -> None:
        for _ in range(DAYS):
            for hour in range(24):
                bench.plant.lights.set(DEMAND, 0.2 + 0.03 * hour)
                await bench.command(BRIGHTNESS, 0.8, 600)
                bench.plant.lights.drop()
                await bench.wait(120)
                bench.plant.lights.restore()
                bench.plant.plant.hang()
                await bench.wait(120)
                bench.plant.plant.resume()
                await bench.wait(3360)
            # What the far side remembers for tests is not the daemon's.
            for writes in (bench.plant.writes, bench.plant.lights.writes, bench.plant.plant.writes):
                writes.clear()
            gc.collect()
            blocks.append(sys.getallocatedblocks())

    assert MonthBench(tmp_path).run(life)
    growth = blocks[-1] / blocks[SETTLED_AFTER_DAYS] - 1.0
    assert growth < 0.01, blocks
