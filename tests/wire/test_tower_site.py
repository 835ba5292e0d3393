"""The tower building's site as commands run it: every link on its own protocol, each server a process of its own."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

import pytest

from tests.site_processes import ROOT, TIDEWATT, SiteProcesses, free_ports, wait_until
from tests.wire.mqtt_mosquitto import Mosquitto
from tests.wire.test_server_processes import processes

pytestmark = [pytest.mark.wire, pytest.mark.slow, pytest.mark.system]

TAKEN = {
    "garage.group_1.remote",
    "outdoor.facade_1.remote",
    "air.zone_1.air_temperature_setpoint",
    "air.zone_15.air_temperature_setpoint",
}


def copied(folder: Path, broker: int) -> Path:
    """The site's files with ports that nobody else has, the three air handlers' one after the other."""
    site = folder / "site"
    shutil.copytree(ROOT / "config" / "sites" / "tower", site, ignore=shutil.ignore_patterns("state"))
    devices = site / "devices.yaml"
    text, first = devices.read_text(encoding="utf-8"), free_ports()
    for old, new in {
        "port: 5030": f"port: {first}",
        "port: 5031": f"port: {first + 1}",
        ":4842/": f":{first + 2}/",
        "port: 1883": f"port: {broker}",
        "/dev/shm/tidewatt-tower-meters": str(folder / "line"),
    }.items():
        assert old in text
        text = text.replace(old, new)
    for place in re.findall(r"127\.0\.0\.1:478\d\d", text):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            text = text.replace(place, f"127.0.0.1:{probe.getsockname()[1]}")
    devices.write_text(text, encoding="utf-8")
    return site


async def test_the_tower_is_served_on_every_protocol_and_run(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker:
        here = SiteProcesses(copied(tmp_path, broker.port), (0, 0, 0))
        try:
            # Dark, so that outdoor lamps are wanted, too. The sun on the façades takes seconds, on a busy machine more.
            simulator = here.start(*TIDEWATT, "simulate", str(here.site), "--start=2026-07-06T20:30", "--for=10min")
            simulator.wait_until(lambda: "ready" in simulator.out, "the simulator is ready", within=120.0)
            for place in ("Modbus TCP on", "Modbus RTU on", "MQTT at the broker", "BACnet/IP on", "OPC UA on"):
                assert place in simulator.out
            assert len(processes(simulator.process.pid)) == 7
            here.daemon()
            wait_until(lambda: here.qualities("") == {"good"}, "every point of every protocol is good")
            wait_until(lambda: here.held() >= TAKEN, "lamps and zones are taken over MQTT and BACnet/IP")
            assert not any(point.startswith(("plant.", "electric.")) for point in here.held())
            limit = "electric.charger_3.current_limit"
            written = here.points("write", limit, "10", "--for", "10min")
            assert written.code == 0, written.err
            wait_until(lambda: here.value(limit) == 10.0, "a charger is limited by hand")
        finally:
            here.close()
