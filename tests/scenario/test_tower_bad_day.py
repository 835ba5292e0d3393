"""An hour of the tower building on which much goes wrong, with the daemon in charge; and a file with all that can."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from controller.cli.fault_file import fault_of, read_faults
from controller.cli.site_folder import load_site
from controller.core.event import Event, EventKind
from controller.core.ports import Phase
from controller.core.site import Link, Site
from controller.core.system import Authority
from controller.forecasting.jobs import FORECASTER
from controller.historian.memory import MemoryHistorian
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from controller.settings.document import Tree
from simulator.faults.kinds import KINDS
from simulator.inprocess import in_process
from simulator.tower_building.building import TowerBuilding
from tests.hot_days import MONDAY, SUN, WEATHER
from tests.site_processes import ROOT

SITE = ROOT / "config" / "sites" / "tower"
TEN = datetime.fromtimestamp(MONDAY + 10.0 * 3600.0, UTC)
EVERY = timedelta(minutes=1)
ZONE = "air.zone_8.air_temperature_setpoint"

WRONG: list[dict[str, Tree]] = [
    {"kind": "trip", "target": "plant.chiller_1", "start": "2min", "duration": "6min"},
    {"kind": "local", "target": "air.air_handler_2", "start": "2min", "duration": "6min", "position": "off"},
    {"kind": "lamps_lost", "target": "garage.group_2", "start": "4min", "duration": "10min"},
    {"kind": "panel", "target": ZONE, "start": "6min", "value": 22.0},
    {"kind": "hang", "target": "low_storeys", "start": "10min", "duration": "5min"},
    {"kind": "refuse", "target": "building", "start": "18min", "duration": "3min"},
    {"kind": "reboot", "target": "plant_gateway", "start": "24min", "duration": "2min"},
    {"kind": "mains_dip", "start": "30min", "duration": "3s"},
    {"kind": "fire", "start": "40min", "duration": "3min"},
]
SEEN = {
    ("air.air_handler_1", "unknown"),  # its controller hangs
    ("air.air_handler_2", "local"),
    ("plant.chiller_1", "tripped"),
    (ZONE, "overridden"),
    ("garage.group_2.brightness_command", "effect missing"),
    ("low_storeys", "device lost"),
    ("building.fire_alarm_panel_1.fire_alarm", "fire"),
    *((link, "link lost") for link in ("plant", "meters", "water_and_gas", "air", "building", "lighting", "charging")),
}


def lived(site: Site, building: TowerBuilding, start: datetime, lasting: timedelta) -> Sequence[Event]:
    """What the daemon has to tell of that time; in the end it lets everything go. The wire's time runs slower."""
    loop = VirtualLoop(60.0)
    clock, historian = VirtualClock(loop, start), MemoryHistorian()

    async def life() -> Sequence[Event]:
        daemon = Daemon(site, clock, historian, Store(None, clock), Surroundings(forecaster=FORECASTER))
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(daemon.run(stop))
            await clock.sleep_until(clock.monotonic() + lasting.total_seconds(), Phase.RECORD, "test")
            assert building.read("garage.group_2.brightness") == 1.0, "nobody has reset the fire"
            stop.set()
        historian.reopen()
        return await historian.read_events(start, clock.now())

    return run(life(), loop)


def behind(link: Link, building: TowerBuilding) -> Link:
    devices = tuple(replace(each, poll_every=EVERY, urgent=(), urgent_every=None) for each in link.devices)
    return replace(link, driver=in_process(building, link.driver), devices=devices)


@pytest.mark.slow
def test_what_goes_wrong_at_the_tower_is_seen_by_the_daemon() -> None:
    site = load_site(SITE)
    faults = [fault_of(entry, site, TEN, has_time_on_wire=True) for entry in WRONG]
    building = TowerBuilding(TEN - timedelta(minutes=40), WEATHER, SUN, faults=faults)
    building.advance(TEN, 0.0)
    links = tuple(behind(link, building) for link in site.links)
    site = replace(site, links=links, scan_every=EVERY, first_authority=Authority.TIDEWATT)
    events = lived(site, building, TEN, timedelta(minutes=50))
    words = {EventKind.ALARM: "alarm", EventKind.AVAILABILITY: "availability"}
    told = {(event.subject, event.body[words[event.kind]]) for event in events if event.kind in words}
    assert told >= SEEN
    assert building.read("plant.chiller_1.trip_count") == 1
    assert not any(building.read(name) for name in building.tags if name.endswith((".remote", ".tripped", ".local")))


def test_the_example_has_every_kind() -> None:
    site = load_site(SITE)
    faults = read_faults(ROOT / "config" / "faults" / "a_bad_day_in_the_tower.yaml", site, TEN, has_time_on_wire=True)
    assert {fault.kind for fault in faults} == KINDS.keys()
    assert not any(fault.ends == inf for fault in faults if fault.kind in ("refuse", "hang", "reboot", "mains_dip"))
