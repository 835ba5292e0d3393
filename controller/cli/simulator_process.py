"""The demo's simulator: a process of its own that outlives the daemon, so that one can see the old controls take over.

It ends by itself when nobody was connected for a while. A demo that starts meanwhile uses it again.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from controller.cli.simulate import NONCE_VARIABLE
from controller.core.errors import EnvironmentProblem

READY_WITHIN_S = 60.0
"""The tower building reckons the sun on its façades first: seconds, and more on a busy machine."""
LINGER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PlantOptions:
    """What the simulator was asked for; another wish needs another simulator."""

    speed: float
    start: str | None
    weather: str | None
    load: str | None
    seed: int
    faults: str | None = None

    def arguments(self, start: datetime) -> list[str]:
        given = [f"--speed={self.speed}", f"--start={start.isoformat()}", f"--seed={self.seed}"]
        for name, value in (("weather", self.weather), ("load", self.load), ("faults", self.faults)):
            if value is not None:
                given.append(f"--{name}={value}")
        return given


@dataclass(frozen=True, slots=True)
class SimulatorProcess:
    """start: the plant's time at which it began."""

    pid: int
    nonce: int
    start: datetime

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)


def find(site: Path, options: PlantOptions) -> SimulatorProcess | None:
    """The simulator of this site with these options, if an earlier demo left it running; one with others is ended.

    So is one with faults: they begin anew with each demo.
    """
    running = _running(site)
    if running is None:
        return None
    simulator, asked = running
    if asked == options and options.faults is None:
        return simulator
    _end(simulator.pid)
    return None


def _record(site: Path) -> Path:
    return site / "state" / "simulator.json"


def _running(site: Path) -> tuple[SimulatorProcess, PlantOptions] | None:
    try:
        found = json.loads(_record(site).read_text())
        pid, nonce, asked = int(found["pid"]), int(found["nonce"]), PlantOptions(**found["options"])
        start = datetime.fromisoformat(found["start"])
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # Process ids are used again; the nonce in its environment tells ours.
    if f"{NONCE_VARIABLE}={nonce}".encode() not in environment.split(b"\0"):
        return None
    return SimulatorProcess(pid, nonce, start), asked


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
            select.select([descriptor], [], [], READY_WITHIN_S)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class StartingSimulator:
    """It makes its plant and opens its servers, which takes seconds for a tower; log: what it complains of."""

    process: subprocess.Popen[bytes]
    simulator: SimulatorProcess
    options: PlantOptions
    record: Path
    log: Path

    def ready(self, told: Callable[[str], None]) -> SimulatorProcess:
        """Waits until it can be asked. told: each line that it says meanwhile. Raises EnvironmentProblem with its own
        word where it does not start."""
        output = self.process.stdout
        assert output is not None
        said = b""
        while select.select([output], [], [], READY_WITHIN_S)[0]:
            # Past the file's own buffer, which select cannot see into.
            more = os.read(output.fileno(), 4096)
            if not more:
                break
            *lines, said = (said + more).split(b"\n")
            for line in lines:
                if line == b"ready":
                    self._remember()
                    return self.simulator
                told(line.decode(errors="replace"))
        self.abandon()
        complaints = self.log.read_text(errors="replace").strip().splitlines()
        words = complaints[-1].removeprefix("tidewatt: ") if complaints else "the simulator did not start"
        raise EnvironmentProblem(words)

    def abandon(self) -> None:
        self.process.kill()
        self.process.wait()

    def _remember(self) -> None:
        simulator = self.simulator
        written = {"pid": simulator.pid, "nonce": simulator.nonce, "start": simulator.start.isoformat()}
        self.record.write_text(json.dumps({**written, "options": asdict(self.options)}))


@contextlib.contextmanager
def launching(site: Path, options: PlantOptions, start: datetime) -> Generator[StartingSimulator]:
    """A new simulator whose plant begins at `start`; one that something goes wrong beside is ended again."""
    record = _record(site)
    record.parent.mkdir(mode=0o700, exist_ok=True)
    nonce = secrets.randbits(63) or 1
    log = record.with_name("simulator.log")
    # -P: a file that happens to lie in the present folder must not pass for a module of the library.
    program = [sys.executable, "-P", "-m", "controller.app"]
    command = [*program, "simulate", str(site), f"--linger={LINGER.total_seconds():g}s"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, *options.arguments(start)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, NONCE_VARIABLE: str(nonce)},
            # Its own session: the terminal's Ctrl-C stops the daemon, not the plant.
            start_new_session=True,
        )
    assert process.stdout is not None
    starting = StartingSimulator(process, SimulatorProcess(process.pid, nonce, start), options, record, log)
    with contextlib.ExitStack() as stack, process.stdout:
        stack.callback(starting.abandon)
        yield starting
        stack.pop_all()
