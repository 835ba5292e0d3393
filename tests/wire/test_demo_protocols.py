"""The demo building with a protocol for each trade, as commands run it: simulator and daemon are processes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from controller.core.site import Site
from controller.runtime.clock import RealClock
from tests.site_processes import SiteProcesses, wait_until
from tests.wire.bacnet_bench import Bench, bound
from tests.wire.mqtt_mosquitto import Mosquitto
from tests.wire.simulated_site import compiled, copied
from tests.wire.test_server_processes import processes

pytestmark = [pytest.mark.wire, pytest.mark.slow, pytest.mark.system]

LAMPS = {"garage.group_1.remote", "garage.group_2.remote", "garage.group_3.remote", "outdoor.lighting_1.command"}


async def test_the_daemon_has_the_lamps_on_four_protocols_and_release_gives_them_back_after_its_death(
    tmp_path: Path,
) -> None:
    async with Mosquitto(tmp_path) as broker:
        here = SiteProcesses(copied(tmp_path, broker.port), (0, 0, 0))
        try:
            simulator = here.simulator("--start=2026-07-06T20:30")  # dark, so that the outdoor lamps are wanted, too
            for place in ("Modbus TCP on", "Modbus RTU on", "MQTT at the broker", "BACnet/IP on", "OPC UA on"):
                assert place in simulator.out
            daemon = here.daemon()
            wait_until(lambda: here.held() >= LAMPS, "the lamps are taken over MQTT, BACnet/IP and OPC UA")
            wait_until(lambda: here.qualities("") == {"good"}, "every point of every protocol is good")
            daemon.signal(signal.SIGKILL)
            daemon.process.wait()
            given_back = here.tidewatt("release", str(here.site))
            assert given_back.code == 0, given_back.out + given_back.err
            site = compiled(here.site)
            for link in ("lighting", "building"):
                assert set((await remote_bits(site, link)).values()) == {False}
            place = next(each for each in site.links if each.id == "outdoor").bindings[0].address.device
            bench = Bench([bound("slot", "binary-output,1", place, property="priority-array", index=10)])
            async with bench.driver:
                assert (await bench.samples())["slot"].reason == "null"
            servers = processes(simulator.process.pid)
            wires = [link for link in site.links if not link.driver.is_virtual]
            assert len(servers) == len(wires), "each link is served by a process of its own"
            simulator.kill()
            wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in servers), "servers end with it")
        finally:
            here.close()


async def remote_bits(site: Site, name: str) -> dict[str, object]:
    """What the gateways of a link say of them, asked without the daemon."""
    link = next(each for each in site.links if each.id == name)
    points = [binding.point.id for binding in link.bindings if binding.point.quantity == "remote"]
    async with link.driver.open(link.id, link.connection, link.bindings, RealClock()) as driver:
        return {point: each.value for point, each in (await driver.read(points)).items()}
