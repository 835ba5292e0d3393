"""The demo site as it is configured, on virtual time, with the simulated plant behind the driver protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from controller.cli.simulate import engine_of
from controller.cli.site_folder import load_site
from controller.core.ports import Phase
from controller.core.site import Link, Site
from controller.core.strategy import Mode
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from simulator.engine import Engine
from simulator.inprocess import in_process

DEMO = Path(__file__).resolve().parent.parent / "config" / "sites" / "demo"


@dataclass(frozen=True, slots=True)
class Run:
    """What a virtual run leaves to look at."""

    site: Site
    daemon: Daemon
    engine: Engine
    historian: MemoryHistorian
    clock: VirtualClock

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.monotonic() + seconds, Phase.RECORD, "test")


def _simulated(link: Link, engine: Engine) -> Link:
    """Virtual points stay where they are: in this process."""
    return link if link.driver.is_virtual else replace(link, driver=in_process(engine, link.driver))


Life = Callable[[Run], Awaitable[None]]


Change = Callable[[Site], Site]


def live(
    start: datetime,
    life: Life,
    *,
    seed: int = 0,
    mode: Mode | None = None,
    change: Change = lambda site: site,
    speed: float = 1.0,
) -> Run:
    """Let the demo site live from `start` for as long as `life` takes, then stop it. mode: of all its strategies.

    change: of the site before it lives. speed: plant seconds in a second of the wire, which timers and watchdogs count.
    """
    site = change(load_site(DEMO))
    if mode is not None:
        site = replace(site, mounts=tuple(replace(mount, mode=mode) for mount in site.mounts))
    engine = engine_of(site, start, None, None, seed)
    assert isinstance(engine, Engine)
    site = replace(site, links=tuple(_simulated(link, engine) for link in site.links))
    loop = VirtualLoop(speed)
    clock = VirtualClock(loop, start)
    historian = MemoryHistorian()

    async def main() -> Run:
        daemon = Daemon(site, clock, historian, Store(None, clock), Surroundings(forecaster=FORECASTER))
        this = Run(site, daemon, engine, historian, clock)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(daemon.run(stop))
            await life(this)
            stop.set()
        return this

    return run(main(), loop)
