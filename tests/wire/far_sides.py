"""Servers that nobody here wrote, one for each protocol, with what a person types to scan them."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from drivers.opcua.certificates import REJECTED
from tests.site_processes import TIDEWATT, SiteProcesses, free_ports, wait_until
from tests.wire.bacnet_node import NodeDevice
from tests.wire.mqtt_mosquitto import program
from tests.wire.opcua_node_server import NodeServer, papers

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
        values = {"found.floor_gateway.supply_temperature": 6.5, "found.lamp.energy_power": 0.0125}
        yield FarSide(("mqtt", f"127.0.0.1:{port}", "--for=4s"), values, broker.kill, broker.start)
    finally:
        talker.kill()
        broker.kill()


ALL: tuple[Open, ...] = (modbus, bacnet, opcua, mqtt)
