"""The demo building with a protocol for each trade, on places of its own: served in this process, or by commands."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.cli.simulate import served_link
from controller.core.point import PointId
from controller.core.ports import Clock, Driver
from controller.core.sample import Sample, Scalar
from controller.core.site import Link, Site
from controller.runtime.clock import ScaledClock
from controller.settings.compile import compile_site
from drivers import driver_kind
from simulator import clock
from simulator.engine import Engine
from simulator.faults.fault import Fault, Parameters
from simulator.gateway import Value
from simulator.process import LiveSite, serve
from simulator.site import Site as Building
from strategies import strategy_kind
from tests.site_processes import ROOT, free_ports
from tests.wire.test_modbus_server import NONCE, START, weather

FOLDER = ROOT / "config" / "sites" / "demo_protocols"
TEMPLATES = ROOT / "config" / "templates"
PATIENCE_S = 15.0


def copied(folder: Path, broker: int = 1883) -> Path:
    """The site's files with ports that nobody else has. broker: the port of the test's own."""
    site = folder / "site"
    shutil.copytree(FOLDER, site, ignore=shutil.ignore_patterns("state"))
    first = free_ports()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        udp = probe.getsockname()[1]
    devices = site / "devices.yaml"
    text = devices.read_text(encoding="utf-8")
    for old, new in {
        "port: 5020": f"port: {first}",
        "port: 5023": f"port: {first + 2}",
        ':4841/"': f':{first + 1}/", timeout: 1s',
        "port: 0}": "port: 0, timeout: 1s}",
        ":47821": f":{udp}",
        "port: 1883": f"port: {broker}",
        "/dev/shm/tidewatt-demo-meters": str(folder / "meters"),
    }.items():
        assert old in text
        text = text.replace(old, new)
    devices.write_text(text, encoding="utf-8")
    return site


def compiled(site: Path) -> Site:
    return compile_site(site, TEMPLATES, driver_kind, strategy_kind)


class Simulated:
    """One link of the building, served in this process. timeout_s: of the lighting's watchdog, real seconds."""

    def __init__(self, site: Site, link: str, timeout_s: float = 60.0) -> None:
        self.link: Link = next(each for each in site.links if each.id == link)
        engine = Engine(START, weather(), site=Building(lighting_timeout_s=timeout_s))
        self.site = LiveSite(engine, clock.ScaledClock(START, 1.0), NONCE)
        self.clock: Clock = ScaledClock(START, 1.0)

    @property
    def points(self) -> list[PointId]:
        return [binding.point.id for binding in self.link.bindings]

    def driver(self) -> Any:
        return self.link.driver.open(self.link.id, self.link.connection, self.link.bindings, self.clock)

    def fault(self, kind: str, target: str = "", **parameters: Value) -> Fault:
        said: Parameters = {**parameters}
        points = () if "." in target else tuple(map(str, self.points))
        fault = Fault(kind, target, self.site.now.timestamp(), parameters=said, points=points)
        self.site.add_fault(fault)
        return fault

    def end(self, fault: Fault) -> None:
        self.site.end_faults([fault])


@asynccontextmanager
async def served(simulated: Simulated, *, in_processes: bool = False) -> AsyncGenerator[Simulated]:
    listening = asyncio.Event()

    def ready(ports: Mapping[str, int]) -> None:
        del ports
        listening.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        links = [served_link(simulated.link)]
        serving = tasks.create_task(serve(simulated.site, links, ready=ready, in_processes=in_processes))
        await listening.wait()
        try:
            yield simulated
        finally:
            serving.cancel()


async def comes_true(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Look again and again."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110 (what is looked at tells nobody)
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_S:g} s: {what}") from None


async def sample(driver: Driver, point: str) -> Sample:
    return (await driver.read([PointId(point)]))[PointId(point)]


async def write(driver: Driver, values: Mapping[str, Scalar | None]) -> list[tuple[bool, str]]:
    results = await driver.write({PointId(point): value for point, value in values.items()})
    return [(results[PointId(point)].accepted, results[PointId(point)].reason) for point in values]
