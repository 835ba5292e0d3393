"""A new user's walk: demo, an operator starts the chiller; Ctrl-C or kill -9; what mbpoll shows of the plant then.

Debian's mbpoll looks on from outside all the time: no sample may show the chiller running with a pump standing.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.site_processes import (
    COILS,
    INPUT,
    LIGHTING,
    LIGHTING_REMOTES,
    PLANT,
    PLANT_REMOTES,
    TIDEWATT,
    SiteProcesses,
    Started,
    site_on,
    wait_until,
)

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(240)]

SPEED = "60"
WATCHDOG_S = 60.0
MBPOLL_TYPES = {COILS: "0", INPUT: "3"}
CHILLER, CHILLED_WATER_PUMP, CONDENSER_PUMP = 0b0001, 0b0100, 0b1000
SETPOINT = "plant.chiller_1.chilled_water_temperature_setpoint"
REMOTE_BITS = (*PLANT_REMOTES, *LIGHTING_REMOTES)


class Statuses(NamedTuple):
    chiller: bool
    pumps: bool

    @property
    def is_chiller_alone(self) -> bool:
        return self.chiller and not self.pumps


class Lights(NamedTuple):
    brightness: list[float]
    outdoor: bool


@dataclass
class Mbpoll:
    """Debian's mbpoll as the eye from outside."""

    here: SiteProcesses

    def command(self, link: int, table: int, first: int, count: int, *options: str) -> list[str]:
        program = shutil.which("mbpoll")
        if program is None:
            pytest.skip("mbpoll is not installed")
        address = ["-m", "tcp", "-p", str(self.here.ports[link]), "-a", "1"]
        where = ["-t", MBPOLL_TYPES[table], "-0", "-r", str(first), "-c", str(count)]
        return [program, *address, *where, *options, "127.0.0.1"]

    def read(self, link: int, table: int, first: int, count: int) -> list[int]:
        command = self.command(link, table, first, count, "-1")
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        values = _values(done.stdout)
        assert len(values) == count, done.stdout
        return values

    def remote_bits(self) -> dict[str, int]:
        plant, lighting = self.read(PLANT, COILS, 0, 9), self.read(LIGHTING, COILS, 0, 5)
        found = {name: plant[register] for name, register in PLANT_REMOTES.items()}
        return found | {name: lighting[register] for name, register in LIGHTING_REMOTES.items()}

    def statuses(self) -> Statuses:
        return _statuses(self.read(PLANT, INPUT, 0, 1)[0])

    def lights(self) -> Lights:
        """Brightness of the three groups in per cent, and whether the outdoor circuit draws power."""
        inputs = self.read(LIGHTING, INPUT, 0, 20)
        return Lights([inputs[register] / 10 for register in (0, 6, 12)], inputs[18] != 0)


@dataclass
class Trace:
    """Every sample of the plant's statuses, twenty a second."""

    poll: Started

    @property
    def samples(self) -> list[Statuses]:
        return [_statuses(value) for value in _values(self.poll.out)]

    def end(self) -> list[Statuses]:
        self.poll.stop()
        assert "0 errors" in self.poll.out, self.poll.told
        return self.samples


def _values(told: str) -> list[int]:
    return [int(value) for value in re.findall(r"^\[\d+\]:\s+(\d+)", told, re.MULTILINE)]


def _statuses(register: int) -> Statuses:
    both = CHILLED_WATER_PUMP | CONDENSER_PUMP
    return Statuses(bool(register & CHILLER), register & both == both)


@dataclass
class Walk:
    here: SiteProcesses
    mbpoll: Mbpoll
    start: str = ""

    def demo(self, *options: str) -> Started:
        return self.here.demo(f"--speed={SPEED}", f"--start={self.start}", *options)

    def trace(self) -> Trace:
        return Trace(self.here.start(*self.mbpoll.command(PLANT, INPUT, 0, 1, "-l", "50")))

    def operate(self, point: str, value: str) -> None:
        told = self.here.points("write", point, value, "--for=12h", "--who=walker", "--wait=0s")
        assert told.code == 0, told.err

    def written(self, point: str) -> float:
        return self.here.ask("explain", point=point)["holding"]["written"]

    def start_chiller(self) -> None:
        """As an operator does it: condenser pump, chilled-water pump, and the chiller once both run."""
        self.operate("plant.condenser_water_pump_1.command", "on")
        self.operate("plant.chilled_water_pump_1.command", "on")
        self.operate("plant.chilled_water_pump_1.speed_command", "0.9")
        self.operate(SETPOINT, "8")
        self.operate("plant.chiller_1.enable_command", "on")
        wait_until(lambda: self.mbpoll.statuses() == Statuses(chiller=True, pumps=True), "the chiller runs", 60)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    with site_on(tmp_path) as here:
        yield Walk(here, Mbpoll(here))


def is_given_back(walk: Walk) -> bool:
    return not any(walk.mbpoll.remote_bits().values())


class Circumstances(NamedTuple):
    """The demo begins at `start`; what the original controls then make of lamps and chiller.

    charges: in the valley of the tariff the storage strategy takes the tank.
    """

    start: str
    lights: Lights
    cooled_by_original: bool
    charges: bool = False


SUNDAY_NOON = Circumstances("2026-07-05T12:00", Lights([100.0] * 3, outdoor=False), cooled_by_original=False)
NIGHT = Circumstances("2026-07-06T02:00", Lights([50.0] * 3, outdoor=True), cooled_by_original=False, charges=True)
WORKDAY = Circumstances("2026-07-06T10:00", Lights([100.0] * 3, outdoor=False), cooled_by_original=True)


def check_original_controls(walk: Walk, given: Circumstances) -> None:
    """The old controls visibly drive everything: lamps at their own level, the chiller as their timer says."""
    wait_until(lambda: walk.mbpoll.lights() == given.lights, f"lamps as the original controls have them: {given}")
    if given.cooled_by_original:
        assert walk.mbpoll.statuses() == Statuses(chiller=True, pumps=True)
    else:
        wait_until(lambda: walk.mbpoll.statuses() == Statuses(chiller=False, pumps=False), "the plant has stopped", 60)
    assert is_given_back(walk)


@pytest.mark.fault("Ctrl-C")
@pytest.mark.parametrize("given", [SUNDAY_NOON, NIGHT, WORKDAY], ids=["sunday_noon", "night", "workday"])
def test_ctrl_c_leaves_the_plant_to_its_old_controls(walk: Walk, given: Circumstances) -> None:
    walk.start = given.start
    demo = walk.demo()
    trace = walk.trace()
    walk.start_chiller()
    taken = walk.mbpoll.remote_bits()
    left = set[str]() if given.charges else {"plant.tank_1.remote"}
    assert {point for point, bit in taken.items() if bit} == {*REMOTE_BITS} - left

    assert demo.stop(within=60) == 0, demo.told

    assert is_given_back(walk), "Ctrl-C came back with something still held"
    check_original_controls(walk, given)
    samples = trace.end()
    assert Statuses(chiller=True, pumps=True) in samples
    assert not any(sample.is_chiller_alone for sample in samples)
    assert "Traceback" not in demo.told
    assert "still held: 0 points" in demo.out
    assert "the simulated plant goes on under its own old controls" in demo.out


@pytest.mark.fault("kill -9 of the real process")
def test_kill_9_leaves_the_plant_to_its_old_controls_after_the_watchdog(walk: Walk) -> None:
    """And the next start takes everything again, the operator's commands that have not ended included."""
    walk.start = NIGHT.start
    demo = walk.demo()
    trace = walk.trace()
    walk.start_chiller()
    demo.kill()
    before = walk.mbpoll.remote_bits()
    assert any(before.values()), "nothing lets go at once"
    wait_until(lambda: is_given_back(walk), "the watchdogs have taken everything back", WATCHDOG_S + 5)
    check_original_controls(walk, NIGHT)

    again = walk.demo()
    wait_until(lambda: walk.mbpoll.remote_bits() == before, "everything is taken again")
    wait_until(lambda: walk.mbpoll.read(PLANT, COILS, 1, 1) == [1], "the chiller is enabled again", 60)
    wait_until(lambda: walk.mbpoll.statuses().pumps, "and has its pumps")
    assert again.stop(within=60) == 0, again.told
    assert is_given_back(walk)
    assert not any(sample.is_chiller_alone for sample in trace.end())
    assert not walk.mbpoll.read(PLANT, INPUT, 0, 1)[0] & 0b10, "the chiller has tripped"
    assert [event["body"] for event in walk.here.events("alarm")] == []


@pytest.mark.fault("kill -9 of the real process")
def test_a_restart_before_the_watchdog_adopts_and_writes_nothing_anew(walk: Walk) -> None:
    walk.start = WORKDAY.start
    demo = walk.demo()
    walk.start_chiller()
    wait_until(lambda: walk.written(SETPOINT) == 8.0, "the setpoint, which is led there slowly")
    held = walk.here.held()
    assert len(held) == 36
    trace = walk.trace()
    demo.kill()

    again = walk.here.start(*TIDEWATT, "demo", str(walk.here.site), f"--speed={SPEED}", f"--start={walk.start}")
    walk.here.wait_for_answers(again)
    wait_until(lambda: walk.here.held() == held, "everything is held again")
    assert again.stop(within=60) == 0, again.told

    samples = trace.end()
    assert {*samples} == {Statuses(chiller=True, pumps=True)}, "the plant has noticed the restart"
    begun = [event for event in walk.here.events("daemon") if event["body"]["state"] == "started"]
    assert len(begun) == 2
    assert set(begun[1]["body"]["adopted"]) == held
    assert begun[1]["body"]["earlier_run_ended_cleanly"] is False
    anew = [
        event
        for event in walk.here.events("command")
        if event["time"] > begun[1]["time"] and event["body"]["step"] == "write" and is_of_plant(event["subject"])
    ]
    assert anew == []
    assert [event["body"] for event in walk.here.events("alarm")] == []


def is_of_plant(subject: str) -> bool:
    """Lamps follow motion also after a restart; what the operator commanded in the plant has not changed."""
    return subject.startswith("plant.")


@pytest.mark.fault("kill -9 of the real process")
def test_a_killed_demo_leaves_no_process_of_its_own(walk: Walk) -> None:
    """The planning process ends with its daemon; only the simulator, which is meant to, goes on."""
    walk.start = NIGHT.start
    demo = walk.demo()
    wait_until(lambda: workers_of(demo), "the planning process")
    workers = workers_of(demo)
    demo.kill()
    wait_until(lambda: not any(WORKER in command_of(worker) for worker in workers), "the planning process has ended")


WORKER = "controller.runtime.worker_process"


def workers_of(started: Started) -> list[int]:
    pid = started.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if WORKER in command_of(int(child))]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.mark.fault("Ctrl-C")
def test_ctrl_c_twice_stops_at_once_and_says_so(walk: Walk) -> None:
    """A user in a hurry; what is left the next start or `tidewatt release` finds."""
    walk.start = SUNDAY_NOON.start
    demo = walk.here.demo("--speed=1", f"--start={walk.start}")
    wait_until(lambda: all(walk.mbpoll.remote_bits()[point] for point in LIGHTING_REMOTES), "the lamps are taken")
    demo.signal(signal.SIGINT)
    wait_until(lambda: "letting go" in demo.err, "it says that it lets go")
    demo.signal(signal.SIGINT)
    code = demo.end(15)
    assert "Traceback" not in demo.told
    if code != 0:  # it may have been quick enough to let everything go
        assert code == 4
        assert "tidewatt release" in demo.err
        released = walk.here.tidewatt("release", str(walk.here.site))
        assert released.code == 0, released.err
    assert is_given_back(walk)
