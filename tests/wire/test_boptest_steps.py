"""What is written between two steps of a test case counts from that instant, and what is let go is the case's again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.cli.site_folder import config_folder, load_site
from controller.core.point import PointId
from controller.core.ports import Phase
from controller.core.site import Site
from controller.core.system import Authority
from controller.historian.memory import MemoryHistorian
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from drivers.boptest.address import BoptestConnection
from tests.bench import START
from tests.boptest_case import FREEZING, HOUR, Room
from tests.boptest_server import BoptestServer

pytestmark = pytest.mark.wire

SETPOINT = PointId("home.zone_1.air_temperature_setpoint")


@pytest.fixture
def server() -> Iterator[BoptestServer]:
    with BoptestServer(Room()) as server:
        yield server


def hourly_site(server: BoptestServer, folder: Path) -> Site:
    """The example, read once an hour and decided every 10 s, without a strategy."""
    example = config_folder() / "sites" / "boptest_heat_pump"
    for name in ("site.yaml", "devices.yaml"):
        (folder / name).write_bytes((example / name).read_bytes())
    site = load_site(folder)
    (link,) = site.links
    devices = tuple(replace(each, poll_every=timedelta(hours=1)) for each in link.devices)
    connection = BoptestConnection(server.url)
    return replace(
        site,
        links=(replace(link, connection=connection, devices=devices),),
        scan_every=timedelta(seconds=10),
        first_authority=Authority.TIDEWATT,
    )


def test_a_write_counts_from_its_instant_and_its_release_is_a_true_one(server: BoptestServer, tmp_path: Path) -> None:
    site = hourly_site(server, tmp_path)
    loop = VirtualLoop(60.0)
    clock = VirtualClock(loop, START)
    seen: dict[str, object] = {}

    async def life() -> None:
        daemon = Daemon(site, clock, MemoryHistorian(), Store(None, clock))
        stop = asyncio.Event()

        async def person() -> None:
            await clock.sleep_until(600.0, Phase.WRITE, "person")
            await daemon.command(SETPOINT, 24.0, timedelta(hours=8), "test", "warmer")
            await clock.sleep_until(HOUR + 600.0, Phase.WRITE, "person")
            seen["ours"] = daemon.image.present[SETPOINT].value
            await daemon.relinquish(SETPOINT, "test")
            await clock.sleep_until(2 * HOUR + 600.0, Phase.WRITE, "person")
            seen["theirs"] = daemon.image.present[SETPOINT].value
            daemon.suspend(stop)

        await daemon.run(stop, lambda _: None, person())

    run(life(), loop)
    steps = [body["step"] for _, path, body in server.requests if path == "step"]
    told = [body for _, path, body in server.requests if path == "advance"]
    # Until the person's command the case lives on as it was, from then on by the command, after it by itself again. The
    # scan that a command asks for comes a tenth of a second later.
    ours = {"oveTSet_activate": 1, "oveTSet_u": pytest.approx(24.0 + FREEZING)}
    assert told == [{}, ours, ours, {"oveTSet_activate": 0}]
    assert steps == [pytest.approx(seconds, abs=1.0) for seconds in (600.0, 3000.0, 600.0, 3000.0)]
    assert seen == {"ours": pytest.approx(24.0), "theirs": pytest.approx(15.0)}
