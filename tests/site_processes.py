"""The demo site in a folder and on ports of its own, and the real processes that a test starts on it.

`site_on` ends every one of them, also the simulator that a demo leaves running. Waiting is looking again and again,
with a deadline.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.demo_day import PORTS, copy_site
from controller.runtime.clock import RealClock

ROOT = Path(__file__).resolve().parent.parent
TIDEWATT = (sys.executable, "-m", "controller.app")
LOOK_EVERY_S = 0.05
# Time of day, point and what was written: the first line that a demo without a terminal prints of its own.
FIRST_COMMAND = re.compile(r"^\d\d:\d\d:\d\d  [a-z0-9_.]+: ", re.MULTILINE)
# For a machine that is busy with other tests; what a test promises is asserted on top.
PATIENCE_S = 30.0
# Whatever the time is where the tests run; outdoor light changes by more than its COV increment in every scan.
MORNING = "2026-07-06T09:00"

PLANT, LIGHTING, METERS = 0, 1, 2
COILS, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4

_clock = RealClock()


def seconds() -> float:
    return _clock.monotonic()


def wait_until(condition: Callable[[], object], what: str, within: float = PATIENCE_S) -> None:
    pause, deadline = threading.Event(), seconds() + within
    while not condition():
        if seconds() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        pause.wait(LOOK_EVERY_S)


@dataclass
class Started:
    """A process with its output in files, which can be looked at while it runs."""

    process: subprocess.Popen[bytes]
    out_path: Path
    err_path: Path

    @property
    def out(self) -> str:
        return self.out_path.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self.err_path.read_text(errors="replace")

    @property
    def told(self) -> str:
        return self.out + self.err

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def wait_until(self, condition: Callable[[], object], what: str, within: float = PATIENCE_S) -> None:
        """While it runs; what it told is shown where it does not come so far."""
        try:
            wait_until(lambda: condition() or not self.runs, what, within)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.told}") from None
        assert self.runs, f"it has ended instead: {what}\n{self.told}"

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self, within: float = PATIENCE_S) -> int:
        """Wait for its own end; answers its exit code."""
        return self.process.wait(within)

    def stop(self, within: float = PATIENCE_S) -> int:
        """Ctrl-C, and its exit code."""
        self.signal(signal.SIGINT)
        return self.end(within)


@dataclass
class Told:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


# Lives in the daemon, whatever becomes of the links.
VIRTUAL = "plant.chilled_water_plant_1."


@dataclass
class SiteProcesses:
    site: Path
    ports: tuple[int, int, int]
    _started: list[Started] = field(default_factory=list[Started])

    # --- processes --------------------------------------------------------------------------------------------------

    def start(self, *command: str, **environment: str) -> Started:
        number = len(self._started)
        out, err = (self.site.parent / f"{number}.{name}" for name in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self.site.parent,
                env={**os.environ, "PYTHONPATH": str(ROOT), "TIDEWATT_LANGUAGE": "en", **environment},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        started = Started(process, out, err)
        self._started.append(started)
        return started

    def tidewatt(self, *arguments: str, **environment: str) -> Told:
        """A command from its start to its end."""
        command = self.start(*TIDEWATT, *arguments, **environment)
        code = command.end()
        return Told(code, command.out, command.err)

    def points(self, action: str, *arguments: str, **environment: str) -> Told:
        return self.tidewatt("points", str(self.site), action, *arguments, **environment)

    def simulator(self, *options: str) -> Started:
        """The simulated plant, ready to be asked; its day begins at MORNING unless an option says otherwise."""
        starting = ("--linger=120s", f"--start={MORNING}")
        simulator = self.start(*TIDEWATT, "simulate", str(self.site), *starting, *options)
        simulator.wait_until(lambda: "ready" in simulator.out, "the simulator is ready")
        return simulator

    def daemon(self) -> Started:
        """`tidewatt run`, answering at its control socket."""
        daemon = self.start(*TIDEWATT, "run", str(self.site), "--for=10min")
        self.wait_for_answers(daemon)
        return daemon

    def demo(self, *options: str) -> Started:
        """`tidewatt demo`, after its first command."""
        demo = self.start(*TIDEWATT, "demo", str(self.site), *options)
        demo.wait_until(lambda: FIRST_COMMAND.search(demo.out), "the demo's first command")
        return demo

    def close(self) -> None:
        for each in self._started:
            each.kill()
        # The simulator of a demo outlives it; the nonce in its environment tells it from any other process.
        with contextlib.suppress(OSError, ValueError):
            left = json.loads((self.site / "state" / "simulator.json").read_text())
            environment = Path(f"/proc/{left['pid']}/environ").read_bytes()
            if f"={left['nonce']}".encode() in environment:
                os.kill(left["pid"], signal.SIGKILL)

    # --- looking at the daemon --------------------------------------------------------------------------------------

    def ask(self, command: str, within: float = 5.0, **request: Any) -> Any:
        """What the daemon answers at its control socket. Raises OSError where nobody does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within)
            # The path of a test's folder may be longer than a socket's may be; a relative one through /proc is not.
            folder = os.open(self.site / "state", os.O_RDONLY)
            try:
                connection.connect(f"/proc/self/fd/{folder}/control.sock")
            finally:
                os.close(folder)
            connection.sendall(json.dumps({"tidewatt": 1, "command": command, **request}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
        assert answer["ok"], answer
        return answer["answer"]

    def wait_for_answers(self, daemon: Started) -> None:
        daemon.wait_until(self.answers, "the daemon answers")

    def answers(self) -> bool:
        try:
            return bool(self.ask("status"))
        except OSError:
            return False

    def value(self, point: str) -> Any:
        return self.ask("points")[point]["value"]

    def qualities(self, area: str) -> set[str]:
        """Of all points on wires whose id begins so."""
        points = self.ask("points").items()
        return {shown["quality"] for point, shown in points if point.startswith(area) and not point.startswith(VIRTUAL)}

    def held(self) -> set[str]:
        return {point for system in self.ask("status")["systems"] for point in system["held"]}

    def wait_for(self, point: str, value: object, within: float = PATIENCE_S) -> None:
        wait_until(lambda: self.value(point) == value, f"{point} is {value}", within)

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        options = [f"--kind={kind}" for kind in kinds]
        return self.tidewatt("history", str(self.site), "--events", "--last=30d", "--json", *options).json

    # --- looking at the simulator without the daemon ----------------------------------------------------------------

    def modbus(self, link: int, table: int, first: int, count: int) -> list[int]:
        """Registers or bits of a link's unit 1, asked for by hand."""
        with socket.create_connection(("127.0.0.1", self.ports[link]), 5.0) as connection:
            connection.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, table, first, count))
            with connection.makefile("rb") as answers:
                length = struct.unpack(">HHH", answers.read(6))[2]
                answer = answers.read(length)
        assert answer[1] == table, f"refused: {answer.hex()}"
        data = answer[3:]
        if table in (COILS, DISCRETE):
            return [data[bit // 8] >> bit % 8 & 1 for bit in range(count)]
        return list(struct.unpack(f">{count}H", data))

    def simulated_time(self) -> float:
        """Seconds of the epoch that the simulator lives in."""
        registers = self.modbus(LIGHTING, INPUT, 28, 4)
        return int.from_bytes(struct.pack(">4H", *registers), "big", signed=True) / 1000.0

    def remote_bits(self) -> dict[str, bool]:
        """Every remote bit of the site, by its point."""
        plant, lighting = self.modbus(PLANT, COILS, 0, 9), self.modbus(LIGHTING, COILS, 0, 5)
        coils = {name: plant[register] for name, register in PLANT_REMOTES.items()}
        coils |= {name: lighting[register] for name, register in LIGHTING_REMOTES.items()}
        return {name: bool(coil) for name, coil in coils.items()}

    def has_lamps(self) -> bool:
        """Whether every lamp circuit is taken; whether the plant is, too, depends on the time of day."""
        bits = self.remote_bits()
        return all(bits[name] for name in LIGHTING_REMOTES)

    def is_given_back(self) -> bool:
        return not any(self.remote_bits().values())


PLANT_REMOTES: Mapping[str, int] = {
    "plant.chiller_1.remote": 0,
    "plant.chilled_water_pump_1.remote": 2,
    "plant.condenser_water_pump_1.remote": 4,
    "plant.tank_1.remote": 6,
}
LIGHTING_REMOTES: Mapping[str, int] = {
    "garage.group_1.remote": 0,
    "garage.group_2.remote": 1,
    "garage.group_3.remote": 2,
    "outdoor.lighting_1.remote": 3,
}


@contextlib.contextmanager
def site_on(folder: Path, *, strategies: str = "auto") -> Generator[SiteProcesses]:
    """A copy of the demo site; whatever was started on it ends with the block."""
    first = free_ports()
    processes = SiteProcesses(copy_site(folder, first, strategies=strategies), (first, first + 1, first + 2))
    try:
        yield processes
    finally:
        processes.close()


def free_ports() -> int:
    """The first of as many free ports in a row as the demo has links, below those that the kernel gives away itself."""
    chance = random.SystemRandom()
    while True:
        first = chance.randrange(20000, 32000)
        try:
            with contextlib.ExitStack() as stack:
                for port in range(first, first + PORTS):
                    listener = stack.enter_context(socket.socket())
                    listener.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
