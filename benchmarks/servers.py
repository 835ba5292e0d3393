"""What the simulator's servers cost: 2,500 points, every value another every second, asked once a second.

For each protocol one process simulates the demo building, a second one shows its quantities again and again under 2,500
names; this one asks with the drivers of `tidewatt run` and checks that every value is good. Counted is the processor
time of the simulator's two processes with all their threads, the plant included; beside it, what they take when nobody
asks. MQTT needs mosquitto, whose own time is not counted. A serial line carries less: 500 points at 115,200 bit/s.

    .venv/bin/python benchmarks/servers.py
    .venv/bin/python benchmarks/servers.py --only bacnet --window 60
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.sample import Quality
from controller.core.units import Unit
from controller.runtime.clock import RealClock
from drivers import driver_kind
from drivers.bacnet.address import BacnetAddress, BacnetConnection
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.mqtt.address import MqttAddress, MqttConnection
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
from simulator.clock import ScaledClock
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.opening import open_engine
from simulator.process import LiveSite, new_nonce, serve
from simulator.servers.link import BacnetLink, ModbusLink, MqttLink, OpcuaLink, SerialLink, ServedLink
from simulator.tags import TAGS, Tag

POINTS = 2500
ON_A_LINE = 500
PERIOD_S = 1.0
LIMIT = 50.0
WEATHER = Path(__file__).resolve().parent.parent / "config" / "weather" / "hot_humid_tmy3.csv.gz"
FIRST_PORT = 21500
NUMBERS = [name for name, tag in TAGS.items() if tag.kind is float]


class ManyNames(LiveSite):
    """The demo building under as many names as are wanted; every value moves a little every second."""

    def tag(self, name: str) -> Tag:
        if name.endswith(".remote"):
            raise KeyError(name)
        return Tag(name, float, "kW")

    def read(self, name: str) -> Value | None:
        value = super().read(NUMBERS[int(name.rpartition("_")[2]) % len(NUMBERS)])
        return None if value is None else value + int(self.now.timestamp()) % 100 * 0.01

    def wire(self, name: str) -> Wire:
        del name
        return WELL


@dataclass(frozen=True)
class Case:
    """title: for people. address: where the point of that number is. device: of how many points each is."""

    title: str
    driver: str
    connection: Any
    served: Callable[[Sequence[Binding[Any]]], ServedLink]
    address: Callable[[int], Any]
    device: int
    points: int = POINTS

    def bindings(self) -> list[Binding[Any]]:
        return [self._binding(number) for number in range(self.points)]

    def _binding(self, number: int) -> Binding[Any]:
        id = PointId(f"bench.device_{number // self.device}.value_{number}")
        return Binding(Point(id, PointKind.SENSOR, Unit.NONE), f"device_{number // self.device}", self.address(number))


def cases(folder: Path) -> Mapping[str, Case]:
    host, timeout = "127.0.0.1", timedelta(seconds=4)
    line, url = str(folder / "line"), f"opc.tcp://{host}:{FIRST_PORT + 1}/"
    broker = MqttConnection(host, FIRST_PORT + 2)
    return {
        "modbus": Case(
            "Modbus TCP, 50 units",
            "modbus",
            ModbusConnection(host, FIRST_PORT, timeout),
            lambda bindings: ModbusLink("link", host, FIRST_PORT, bindings),
            lambda number: ModbusAddress(1 + number // 50, "input", 2 * (number % 50), "float32"),
            50,
        ),
        "line": Case(
            "Modbus RTU on a pseudo terminal, 10 units",
            "modbus",
            ModbusConnection(serial=line, baud_rate=115200, parity="none", timeout=timeout),
            lambda bindings: SerialLink("link", line, 10 / 115200, bindings),
            lambda number: ModbusAddress(1 + number // 50, "input", 2 * (number % 50), "float32"),
            50,
            ON_A_LINE,
        ),
        "bacnet": Case(
            "BACnet/IP, 10 devices",
            "bacnet",
            BacnetConnection(f"{host}/32", 0, timeout=timeout),
            lambda bindings: BacnetLink("link", bindings),
            lambda number: BacnetAddress(f"analog-input,{number}", f"{host}:{FIRST_PORT + 10 + number // 250}"),
            250,
        ),
        "opcua": Case(
            "OPC UA, subscribed",
            "opcua",
            OpcuaConnection(url, timeout),
            lambda bindings: OpcuaLink("link", url, bindings),
            lambda number: OpcuaAddress(f"ns=2;s=Point.{number}"),
            250,
        ),
        "mqtt": Case(
            "MQTT, 10 gateways with 10 topics each",
            "mqtt",
            broker,
            lambda bindings: MqttLink("link", broker, bindings),
            lambda number: MqttAddress(f"bench/{number // 25}", path=f"value_{number}"),
            250,
        ),
    }


# --- the simulator ----------------------------------------------------------------------------------------------------


def simulate(case: Case) -> None:
    start = datetime.now(UTC)  # the asker's time: OPC UA tells its own
    engine, _ = open_engine(start, WEATHER)
    site = ManyNames(engine, ScaledClock(start, 1.0), new_nonce())
    links = [case.served(case.bindings())]
    asyncio.run(serve(site, links, ready=lambda _: print("ready", flush=True), in_processes=True))


@contextlib.contextmanager
def simulated(name: str, folder: Path) -> Generator[int]:
    """Its process id."""
    command = [sys.executable, __file__, "--serve", name, "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "the simulator does not start"
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def broker_for(name: str, folder: Path) -> Generator[None]:
    if name != "mqtt":
        yield
        return
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {FIRST_PORT + 2} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    process = subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        yield
    finally:
        process.kill()
        process.wait()


def processor_s(pid: int) -> float:
    """User and system time of a process and those that it started, with all their threads [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor_s(int(child)) for child in children)


# --- who asks ---------------------------------------------------------------------------------------------------------


async def ask(case: Case, pid: int, window_s: float) -> tuple[float, int, int]:
    """Processor time of the simulator while asked [s], values read, and how many of them were not good."""
    kind, bindings = driver_kind(case.driver), case.bindings()
    points = [binding.point.id for binding in bindings]
    loop = asyncio.get_running_loop()
    async with kind.open("link", case.connection, bindings, RealClock()) as driver:
        await driver.read(points)
        await asyncio.sleep(2 * PERIOD_S)  # subscriptions, and what is learned once
        begin, before = loop.time(), processor_s(pid)
        due, values, bad = begin, 0, 0
        while due < begin + window_s:
            samples = await driver.read(points)
            values += len(samples)
            bad += sum(each.quality is not Quality.GOOD for each in samples.values())
            due += PERIOD_S
            await asyncio.sleep(max(0.0, due - loop.time()))
        return (processor_s(pid) - before) / (loop.time() - begin) * window_s, values, bad


def measure(name: str, case: Case, folder: Path, window_s: float) -> bool:
    with broker_for(name, folder), simulated(name, folder) as pid:
        before = processor_s(pid)
        time.sleep(window_s / 2)
        at_rest = (processor_s(pid) - before) / (window_s / 2) * 100
        taken, values, bad = asyncio.run(ask(case, pid, window_s))
    share = taken / window_s * 100
    print(f"{case.title:45} {case.points:6} {share:8.1f} % {at_rest:8.1f} % {values:9} {bad:7}", flush=True)
    return share <= LIMIT and bad == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=[*cases(Path.cwd())], help="one protocol")
    parser.add_argument("--window", type=float, default=20.0, metavar="SECONDS", help="how long each is asked (20)")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        simulate(cases(arguments.folder)[arguments.serve])
        return 0
    print(f"{'protocol':45} {'points':>6} {'one core':>10} {'at rest':>10} {'values':>9} {'not good':>7}")
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for name, case in cases(Path(folder)).items():
            if arguments.only in (None, name):
                passed = measure(name, case, Path(folder), arguments.window) and passed
    print(f"at most {LIMIT:g} % of a core, every value good: {'passed' if passed else 'FAILED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
