"""What polling costs: 50 Modbus TCP devices with 50 floats each, against the bare pymodbus loop.

The devices are one process written in C (modbus_devices.c, compiled here with gcc), which also notes when each device
was asked. The bare loop asks each device once a second on an absolute grid and unpacks the answer; `tidewatt run`
does what it does: decodes, ages, scans, and records every sample. Windows of both alternate.

    .venv/bin/python benchmarks/poll.py
    .venv/bin/python benchmarks/poll.py --quick
    .venv/bin/python benchmarks/poll.py --only grid --window 600 --windows 1

Where the time goes: --profile FILE (with --only flat or grid) has the measured process write a profile for pstats.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from benchmarks.memory import TIDEWATT, descendants, pss_mib

if TYPE_CHECKING:
    from controller.core.point import PointId
    from controller.core.sample import Sample
    from controller.runtime.image import Image

DEVICES = 50
FLOATS = 50
POINTS = DEVICES * FLOATS
PERIOD_S = 1.0
TURNAROUND_S = 0.02
SOURCE = Path(__file__).with_name("modbus_devices.c")

LIMIT_CPU = 4.0
LIMIT_PSS_MIB = 80.0
LIMIT_P99_MS = 2.0
LIMIT_NEIGHBOUR_MS = 5.0
LIMIT_SHARE = 0.5


# --- the devices ------------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """How often a device was asked since the mark, and when (CLOCK_MONOTONIC)."""

    times: int
    at: Sequence[float]


class Devices:
    def __init__(self, program: Path, port: int) -> None:
        self.port = port
        self._process = subprocess.Popen(
            [program, str(DEVICES), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready\n"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def tell(self, *commands: str) -> None:
        assert self._process.stdin is not None
        for command in commands:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()

    def asked(self) -> list[Asked]:
        self.tell("dump")
        found: list[Asked] = []
        while (line := self._line()) != ".\n":
            _, count, *times = line.split()
            found.append(Asked(int(count), [float(each) for each in times]))
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def devices(folder: Path, port: int) -> Generator[Devices]:
    program = folder / "modbus_devices"
    subprocess.run(["gcc", "-O2", "-o", program, SOURCE], check=True)
    running = Devices(program, port)
    try:
        yield running
    finally:
        running.close()


# --- the site ---------------------------------------------------------------------------------------------------------

_SITE = """\
tidewatt: 1
name: Benchmark
position: {latitude: 22.54, longitude: 114.06}
time_zone: Asia/Shanghai
scan_every: 1s
systems: []
"""


def write_site(folder: Path, port: int) -> Path:
    """A site of as many links as there are devices; every point is a float that changes with each answer."""
    site = folder / "site"
    (site / "templates" / "benchmark").mkdir(parents=True)
    meters = "".join(_meter(number) for number in range(FLOATS // 2))
    (site / "templates" / "benchmark" / "meters.yaml").write_text(
        "template: benchmark/meters\n"
        "title: {en: Meters, zh: 电表}\n"
        "source: generic\n"
        "driver: modbus\n"
        "stale_after: 30s\n"
        f"equipment:\n{meters}"
    )
    (site / "devices.yaml").write_text("links:\n" + "".join(_link(number, port + number) for number in range(DEVICES)))
    (site / "strategies.yaml").write_text("strategies: []\n")
    (site / "site.yaml").write_text(_SITE)
    return site


def _meter(number: int) -> str:
    quantities = (("power", "kW", 4 * number), ("energy", "kWh", 4 * number + 2))
    return f"  meter_{number}:\n    class: electric_meter\n    points:\n" + "".join(
        f"      {quantity}:\n"
        f"        address: {{table: input, register: {register}, type: float32}}\n"
        f"        unit: {unit}\n"
        f"        plausible: [0, 2000]\n"
        for quantity, unit, register in quantities
    )


def _link(number: int, port: int) -> str:
    named = ", ".join(f"meter_{meter}: floor_{number}.meter_{meter}" for meter in range(FLOATS // 2))
    return (
        f"  - id: link_{number}\n"
        f"    driver: modbus\n"
        f"    connection: {{host: 127.0.0.1, port: {port}}}\n"
        f"    devices:\n"
        f"      - {{id: device_{number}, template: benchmark/meters, address: {{unit: 1}}, equipment: {{{named}}}}}\n"
    )


# --- the bare loop ----------------------------------------------------------------------------------------------------

_FLOATS = struct.Struct(f">{FLOATS}f")
_WORDS = struct.Struct(f">{2 * FLOATS}H")


async def bare(port: int, seconds: float, *, flat_out: bool) -> float:
    """As little as polls a device with pymodbus: one task a device. Answers values for a second of processor time."""
    from pymodbus.client import AsyncModbusTcpClient

    latest: dict[int, tuple[float, ...]] = {}
    read, ends, began = 0, time.monotonic() + seconds, time.process_time()

    async def poll(device: int) -> None:
        nonlocal read
        client = AsyncModbusTcpClient("127.0.0.1", port=port + device, timeout=1.0, retries=0)
        await client.connect()
        due = time.monotonic()
        try:
            while time.monotonic() < ends:
                answer = await client.read_input_registers(0, count=2 * FLOATS, device_id=1)
                latest[device] = _FLOATS.unpack(_WORDS.pack(*answer.registers))
                read += FLOATS
                if not flat_out:
                    due += PERIOD_S
                    await asyncio.sleep(due - time.monotonic())
        finally:
            client.close()

    # Ends by the clock: a cancelled request of the library may go on.
    await asyncio.gather(*(poll(device) for device in range(DEVICES)))
    return read / (time.process_time() - began)


async def ours(site_folder: Path, seconds: float) -> float:
    """Values in the image for a second of processor time; every link is polled again as soon as it was read."""
    from controller.cli.site_folder import load_site
    from controller.core.ports import Phase
    from controller.runtime.clock import RealClock
    from controller.runtime.image import Image
    from controller.runtime.journal import Journal
    from controller.runtime.link import LinkTask, Session
    from controller.runtime.write_rights import WriteRights

    site, clock = load_site(site_folder), RealClock()
    image = _Counting(Image(site.points, site.zone, clock, lambda: None))
    eager = [
        replace(link, devices=tuple(replace(each, poll_every=timedelta(microseconds=1)) for each in link.devices))
        for link in site.links
    ]

    async def serve(_: Session) -> None:
        await asyncio.Event().wait()

    async def scan() -> None:
        due = clock.monotonic()
        while True:
            due += PERIOD_S
            await clock.sleep_until(due, Phase.SCAN, "scan")
            image.image.freeze()

    journal, rights = Journal(clock, site.digest), WriteRights(site, {}, {})
    counting = cast("Image", image)
    tasks = [LinkTask(link, clock, counting, journal, serve, rights).run() for link in eager]
    began = time.process_time()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks, scan())
    return image.count / (time.process_time() - began)


class _Counting:
    """The image, and how many samples were put into it."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.count = 0

    def put(self, samples: Mapping[PointId, Sample]) -> None:
        self.count += len(samples)
        self.image.put(samples)


# --- processes that are measured --------------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """What the process and its children have used of the processors, by the kernel's nanoseconds."""
    total = 0
    for each in (pid, *descendants(pid)):
        for task in Path(f"/proc/{each}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total * 1e-9


class Window(NamedTuple):
    """cpu: per cent of one core. p50, p99: how much an interval between two questions is off, ms.

    drift: how far the last question of a device is from where the grid would have it, at most, ms.
    """

    cpu: float
    pss: float
    p50: float
    p99: float
    drift: float
    points_a_second: float


def _window(devices: Devices, pid: int, seconds: float, without: Sequence[int] = ()) -> Window:
    devices.tell("mark")
    began, used = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    elapsed, used = time.monotonic() - began, cpu_seconds(pid) - used
    asked = [each for number, each in enumerate(devices.asked()) if number not in without]
    off = sorted(abs(later - sooner - PERIOD_S) for each in asked for sooner, later in pairwise(each.at))
    drift = max((abs(each.at[-1] - each.at[0] - PERIOD_S * (len(each.at) - 1)) for each in asked if each.at), default=0)
    return Window(
        100.0 * used / elapsed,
        pss_mib(pid) + sum(pss_mib(child) for child in descendants(pid)),
        1000.0 * off[len(off) // 2],
        1000.0 * off[int(len(off) * 0.99)],
        1000.0 * drift,
        sum(each.times for each in asked) * FLOATS / elapsed,
    )


@contextlib.contextmanager
def process(*arguments: str) -> Generator[int]:
    """Ended with SIGTERM; killed where that does not help."""
    quiet = {**os.environ, "TIDEWATT_LOG": "error"}
    started = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=quiet)
    try:
        yield started.pid
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _child(kind: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", "benchmarks.poll", "--child", kind, *map(str, arguments))


def _daemon(site: Path) -> tuple[str, ...]:
    return (*TIDEWATT, "run", str(site))


class Measured(NamedTuple):
    ours: Window
    bare: Window


def grid(devices: Devices, site: Path, windows: int, seconds: float, settle: float) -> list[Measured]:
    """Windows of the bare loop and of the daemon, in turn."""
    found: list[Measured] = []
    for _ in range(windows):
        with process(*_child("bare", devices.port, 10 * seconds + 600)) as pid:
            time.sleep(settle)
            loop = _window(devices, pid, seconds)
        with process(*_daemon(site)) as pid:
            time.sleep(settle)
            found.append(Measured(_window(devices, pid, seconds), loop))
    return found


def one_daemon(devices: Devices, site: Path, seconds: float, settle: float, without: Sequence[int] = ()) -> Window:
    with process(*_daemon(site)) as pid:
        time.sleep(settle)
        return _window(devices, pid, seconds, without)


def flat_out(kind: str, *arguments: object) -> float:
    """Points for a second of processor time of a child that reads as fast as it can."""
    told = subprocess.run(_child(kind, *arguments), check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(told)


# --- telling ----------------------------------------------------------------------------------------------------------


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):8.2f} ({min(values):.2f} to {max(values):.2f})"


def tell_grid(found: Sequence[Measured]) -> bool:
    mine, bare_loop = [each.ours for each in found], [each.bare for each in found]
    p99 = statistics.median(each.p99 for each in mine) - statistics.median(each.p99 for each in bare_loop)
    rows: list[tuple[str, Callable[[Window], float], str]] = [
        ("CPU, % of a core", lambda window: window.cpu, f"<= {LIMIT_CPU:g}"),
        ("PSS, MiB", lambda window: window.pss, f"<= {LIMIT_PSS_MIB:g}"),
        ("interval off by, p50, ms", lambda window: window.p50, ""),
        ("interval off by, p99, ms", lambda window: window.p99, f"<= bare + {LIMIT_P99_MS:g}"),
        ("drift at the end, ms", lambda window: window.drift, "none"),
        ("points a second", lambda window: window.points_a_second, f"{POINTS}"),
    ]
    print(f"{'every second, all into history':<34} {'tidewatt':<32} {'bare pymodbus':<32} limit")
    for name, of, limit in rows:
        print(f"  {name:<32} {_spread([*map(of, mine)]):<32} {_spread([*map(of, bare_loop)]):<32} {limit}")
    cpu, pss = (statistics.median(map(of, mine)) for of in (rows[0][1], rows[1][1]))
    return cpu <= LIMIT_CPU and pss <= LIMIT_PSS_MIB and p99 <= LIMIT_P99_MS


def tell_turnaround(window: Window) -> bool:
    share = window.points_a_second / POINTS
    print(f"devices that take {1000 * TURNAROUND_S:g} ms to answer: {window.points_a_second:.0f} of {POINTS} points/s")
    return share > 0.99


def tell_flat(mine: Sequence[float], bare_loop: Sequence[float]) -> bool:
    share = statistics.median(mine) / statistics.median(bare_loop)
    print("as fast as it goes, points for a second of processor time:")
    print(f"  tidewatt {_spread(mine)}, bare {_spread(bare_loop)}, {share:.0%} of it")
    return share >= LIMIT_SHARE


def tell_neighbours(before: Sequence[Window], during: Sequence[Window]) -> bool:
    calm, trouble = (statistics.median(window.p99 for window in each) for each in (before, during))
    print(f"p99 of the others, ms: all well {calm:.2f}, one hangs and one is gone {trouble:.2f}")
    return trouble - calm <= LIMIT_NEIGHBOUR_MS


# --- running ----------------------------------------------------------------------------------------------------------


def be_child(kind: str, arguments: Sequence[str], profile: str) -> None:
    profiler = cProfile.Profile() if profile else None
    if profiler is not None:
        profiler.enable()
    seconds = float(arguments[1])
    if kind == "bare":
        rate = asyncio.run(bare(int(arguments[0]), seconds, flat_out=False))
    elif kind == "bare-flat":
        rate = asyncio.run(bare(int(arguments[0]), seconds, flat_out=True))
    else:
        rate = asyncio.run(ours(Path(arguments[0]), seconds))
    if profiler is not None:
        profiler.disable()
        profiler.dump_stats(profile)
    print(rate)


def measure(given: argparse.Namespace) -> bool:
    parts = given.only or ["grid", "turnaround", "flat", "neighbours"]
    passed: list[bool] = []
    with tempfile.TemporaryDirectory() as folder, devices(Path(folder), given.port) as far:
        site = write_site(Path(folder), given.port)
        os.environ["TIDEWATT_CONFIG"] = str(site)  # its template stands there
        if "grid" in parts:
            passed.append(tell_grid(grid(far, site, given.windows, given.window, given.settle)))
        if "turnaround" in parts:
            far.tell(f"turnaround {TURNAROUND_S * 1e6:.0f}")
            passed.append(tell_turnaround(one_daemon(far, site, given.window, given.settle)))
            far.tell("turnaround 0")
        if "flat" in parts:
            rounds = range(given.windows)
            each = max(3.0, given.window / 10)
            pairs = [(flat_out("bare-flat", far.port, each), flat_out("flat", site, each)) for _ in rounds]
            passed.append(tell_flat([pair[1] for pair in pairs], [pair[0] for pair in pairs]))
        if "neighbours" in parts:
            calm: list[Window] = []
            trouble: list[Window] = []
            for _ in range(given.windows):
                calm.append(one_daemon(far, site, given.window, given.settle, (0, 1)))
                far.tell("hang 0", "close 1")
                trouble.append(one_daemon(far, site, given.window, given.settle, (0, 1)))
                far.tell("wake 0", "open 1")
            passed.append(tell_neighbours(calm, trouble))
    return all(passed)


def main() -> int:
    parser = argparse.ArgumentParser(description="what polling costs")
    parser.add_argument("--only", action="append", choices=("grid", "turnaround", "flat", "neighbours"))
    parser.add_argument("--windows", type=int, default=5, help="windows of each kind (5)")
    parser.add_argument("--window", type=float, default=120.0, help="seconds of a window (120)")
    parser.add_argument("--settle", type=float, default=12.0, help="seconds from a start to its window (12)")
    parser.add_argument("--quick", action="store_true", help="two windows of 10 s")
    parser.add_argument("--port", type=int, default=15200, help="the first of 50 free ports")
    parser.add_argument("--profile", default="", help="with --child: write a profile for pstats to this file")
    parser.add_argument("--child", nargs=3, metavar=("KIND", "WHERE", "SECONDS"), help="be one of the measured loops")
    given = parser.parse_args()
    if given.child:
        be_child(given.child[0], given.child[1:], given.profile)
        return 0
    if given.quick:
        given.windows, given.window, given.settle = 2, 10.0, 4.0
    print(f"{DEVICES} devices x {FLOATS} floats; {given.windows} windows of {given.window:g} s; {os.cpu_count()} cores")
    return 0 if measure(given) else 1


if __name__ == "__main__":
    sys.exit(main())
