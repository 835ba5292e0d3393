"""The first day with servers that nobody here wrote: scan, check, run, pull each plug and put it back."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from drivers.opcua.certificates import REJECTED
from tests.site_processes import TIDEWATT, SiteProcesses, free_ports, wait_until
from tests.wire.bacnet_node import NodeDevice
from tests.wire.mqtt_mosquitto import program
from tests.wire.opcua_node_server import NodeServer, papers

pytestmark = [pytest.mark.wire, pytest.mark.fault, pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(240)]

# The longest pause before a link is tried again, and what starting and asking take on a busy machine.
BACK_WITHIN_S = 90.0
NODE = Path(__file__).parent / "node"


@dataclass(frozen=True)
class FarSide:
    """scan: the protocol, the target and what else is typed. values: some of what must then be read, by point."""

    scan: tuple[str, ...]
    values: Mapping[str, object]
    pull_the_plug: Callable[[], None]
    put_it_back: Callable[[], None]


Open: TypeAlias = Callable[[SiteProcesses], Generator[FarSide]]


def bacnet(processes: SiteProcesses) -> Generator[FarSide]:
    del processes
    with NodeDevice() as device:
        yield FarSide(
            ("bacnet", device.address, "--port=0"),
            {"found.chiller_gateway.supply_water_temp": 6.5, "found.chiller_gateway.mode": "off"},
            device.kill,
            device.start,
        )


def opcua(processes: SiteProcesses) -> Generator[FarSide]:
    """Signed and encrypted, with a user: the server is trusted by hand once it has shown its certificate."""
    folder = processes.site.parent
    own = papers(folder, "own", "urn:tidewatt:wire")
    server = NodeServer(folder, papers(folder, "server", "urn:wire:server"), [own.certificate])
    trusted, password = folder / "trusted", folder / "password"
    trusted.mkdir()
    password.write_text("right\n")
    mine = (f"--certificate={own.certificate}", f"--private-key={own.private_key}", f"--trusted={trusted}")
    scan = ("opcua", server.url, *mine, "--user=tidewatt", f"--password-file={password}")
    server.start()
    try:
        refused = processes.tidewatt("scan", *scan)
        assert "the server is not trusted; move rejected/" in refused.out
        (rejected,) = (trusted / REJECTED).iterdir()
        rejected.rename(trusted / rejected.name)
        values = {"found.chiller1.supply_temperature": 7.5, "found.chiller1.mode": "cooling"}
        yield FarSide(scan, values, server.kill, server.start)
    finally:
        server.kill()


@dataclass
class Program:
    """A server that ends with its standard input."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.communicate()


def modbus(processes: SiteProcesses) -> Generator[FarSide]:
    del processes
    port = free_ports()
    server = Program((program("node"), str(NODE / "modbus_server.js"), str(port)))
    server.start()
    wait_until(lambda: is_open(port), "the server listens")
    try:
        scan = ("modbus", f"127.0.0.1:{port}", "--units=4-6", "--registers=0-31")
        yield FarSide(scan, {"found.unit_5.holding_7": 7}, server.kill, server.start)
    finally:
        server.kill()


def is_open(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def mqtt(processes: SiteProcesses) -> Generator[FarSide]:
    port = free_ports()
    settings = processes.site.parent / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = Program((program("mosquitto"), "-c", str(settings)))
    broker.start()
    talker = processes.start(TIDEWATT[0], "-m", "tests.wire.mqtt_talker", str(port))
    try:
        values = {"found.plant_gateway.supply_temperature": 6.5, "found.lamp.energy_power": 0.0125}
        yield FarSide(("mqtt", f"127.0.0.1:{port}", "--for=4s"), values, broker.kill, broker.start)
    finally:
        talker.kill()
        broker.kill()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[SiteProcesses]:
    processes = SiteProcesses(tmp_path / "site", (0, 0, 0))
    yield processes
    processes.close()


def qualities(processes: SiteProcesses) -> set[str]:
    return {each["quality"] for each in processes.ask("points").values()}


@pytest.mark.parametrize("open_far_side", [modbus, bacnet, opcua, mqtt], ids=lambda far: far.__name__)
def test_scan_check_run_and_every_point_returns_by_itself(processes: SiteProcesses, open_far_side: Open) -> None:
    with contextmanager(open_far_side)(processes) as far:
        scanned = processes.tidewatt("scan", *far.scan, "--output", str(processes.site))
        assert scanned.code == 0, scanned.out + scanned.err
        checked = processes.tidewatt("check", str(processes.site))
        assert checked.code == 0, checked.out
        assert "(0 writable)" in checked.out

        daemon = processes.daemon()
        wait_until(lambda: qualities(processes) == {"good"}, "every point is good")
        for point, value in far.values.items():
            assert processes.value(point) == value
        far.pull_the_plug()
        wait_until(lambda: qualities(processes) == {"bad"}, "every point is bad")
        far.put_it_back()
        wait_until(lambda: qualities(processes) == {"good"}, "every point is good again", BACK_WITHIN_S)
        assert daemon.stop() == 0
        told = [line for line in daemon.err.splitlines() if " is " in line and "link" in line]
        assert len(told) == 3, "connected, lost, back: " + daemon.err
