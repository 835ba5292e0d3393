"""How long it takes from motion in a garage to the lamps' command read back, over real sockets.

A group of lamps behind a gateway on loopback, the daemon with `tidal_lighting` beside it on the machine's own clock:
once on Modbus, everything polled every second, and once on MQTT, where the gateway tells by itself. Somebody moves at a
random moment; the clock stops when the new brightness has been seen at the gateway again.

Run: python benchmarks/command_path.py [--motions 20] [--seeds 5] [--json]. Targets: p95 <= 1 s where the gateway tells,
<= 2.5 s where it is polled every second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

from controller.cli.site_folder import load_site
from controller.core.ledger import Verdict
from controller.core.point import PointId
from controller.core.site import Site
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from tests.wire.modbus_device import DISCRETE, HOLDING, INPUT, ModbusDevice
from tests.wire.mqtt_broker import LittleBroker

COMMAND = PointId("garage.group_1.brightness_command")
OCCUPIED, VACANT = 0.75, 0.25
PATIENCE_S = 30.0
LOOK_S = 0.005
OBEYS_S = 0.1  # from a message to the gateway to its new state

SITE = """
tidewatt: 1
name: Command path
position: {latitude: 22.54, longitude: 114.06}
time_zone: Asia/Shanghai
authority_at_first_start: tidewatt
wall_clock: free_running
systems:
  - {id: garage, name: {en: Garage, zh: 车库}, points: [garage.group_1], release_within: 5s}
"""
STRATEGIES = """
strategies:
  - id: garage
    strategy: tidal_lighting
    mode: auto
    bind: {groups: garage.group_1}
    parameters:
      illuminance_floor: null
      peak_brightness: 0.25
      hold_time: 1s
      fade_time: 0s
"""
MODBUS = """
links:
  - id: lights
    driver: modbus
    connection: {{host: 127.0.0.1, port: {port}}}
    devices:
      - id: gateway
        template: generic/lighting_gateway_modbus
        address: {{unit: 1}}
        poll_every: 1s
        equipment: {{lamps: garage.group_1}}
"""
MQTT = """
links:
  - id: lights
    driver: mqtt
    connection: {{host: 127.0.0.1, port: {port}}}
    devices:
      - id: gateway
        template: generic/lighting_gateway_mqtt
        address: {{topic: lights/one}}
        poll_every: 1s
        equipment: {{lamps: garage.group_1}}
"""

Move = Callable[[bool], None]


def site_of(folder: Path, devices: str, port: int) -> Site:
    """Excused from commissioning: what stands behind it are a few registers of our own."""
    for name, text in (("site", SITE), ("strategies", STRATEGIES), ("devices", devices.format(port=port))):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    site = load_site(folder)
    return replace(
        site, links=tuple(replace(link, driver=replace(link.driver, is_virtual=True)) for link in site.links)
    )


@asynccontextmanager
async def polled(folder: Path) -> AsyncGenerator[tuple[Site, Move]]:
    device = ModbusDevice()
    device.put(1, HOLDING, 0, 100)
    device.put(1, DISCRETE, 0, 0)
    device.put(1, INPUT, 0, 100, 60, 0, 144, 0, 0)
    await device.start()
    try:
        yield site_of(folder, MODBUS, device.port), lambda there: device.put(1, DISCRETE, 0, int(there))
    finally:
        await device.stop()


@asynccontextmanager
async def telling(folder: Path) -> AsyncGenerator[tuple[Site, Move]]:
    broker = LittleBroker()
    state = {"setpoint": 100, "brightness": 100, "motion": False, "illuminance": 60, "power": 144}

    def tell() -> None:
        broker.tell("lights/one/status", b"online")
        broker.tell("lights/one/state", json.dumps(state).encode())

    def obey(topic: str, payload: bytes) -> None:
        if topic == "lights/one/set":
            state["setpoint"] = state["brightness"] = json.loads(payload)["setpoint"]
            asyncio.get_running_loop().call_later(OBEYS_S, tell)

    def move(there: bool) -> None:
        state["motion"] = there
        tell()

    broker.on_publish = obey
    await broker.start()

    async def beat() -> None:
        while True:
            tell()
            await asyncio.sleep(1.0)

    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(beat())
        try:
            yield site_of(folder, MQTT, broker.port), move
        finally:
            beating.cancel()
            await broker.stop()


async def measure(folder: Path, kind: str, motions: int, random: Random) -> list[float]:
    """Seconds from each motion to the command read back."""
    async with {"polled": polled, "telling": telling}[kind](folder) as (site, move):
        clock = RealClock()
        daemon = Daemon(site, clock, MemoryHistorian(), Store(folder / "store.db", clock))
        stop, found = asyncio.Event(), list[float]()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(daemon.run(stop))
            move(False)
            for _ in range(motions):
                await _until(lambda: _is_owned(daemon, VACANT))
                await asyncio.sleep(random.uniform(0.0, 1.0))
                began = time.perf_counter()
                move(True)
                await _until(lambda: _is_owned(daemon, OCCUPIED))
                found.append(time.perf_counter() - began)
                move(False)
            stop.set()
            await running
        return found


def _is_owned(daemon: Daemon, brightness: float) -> bool:
    holding = daemon.writer.holdings.get(COMMAND)
    return holding is not None and holding.verdict is Verdict.OWNED and holding.value == brightness


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - looked at from outside, as a stopwatch does
            await asyncio.sleep(LOOK_S)


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--motions", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    results: dict[str, list[list[float]]] = {"telling": [], "polled": []}
    for kind, runs in results.items():
        for seed in range(1, given.seeds + 1):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(asyncio.run(measure(Path(folder), kind, given.motions, Random(f"{kind}/{seed}"))))
            print(f"{kind}, run {seed}: p95 {p95(runs[-1]):.2f} s", file=sys.stderr)
    if given.json:
        print(json.dumps(results))
        return
    for kind, runs in results.items():
        each = [p95(run) for run in runs]
        print(
            f"{kind}: p95 {median(each):.2f} s ({min(each):.2f} to {max(each):.2f}), "
            f"median {median(seconds for run in runs for seconds in run):.2f} s; {len(runs)} x {given.motions} motions"
        )


if __name__ == "__main__":
    main()
