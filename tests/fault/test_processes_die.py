"""Daemon and simulator end, hang or are missing at any moment; real processes, real sockets: what must still hold."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.test_disk_trouble import fill_the_disk
from tests.site_processes import TIDEWATT, SiteProcesses, seconds, site_on, wait_until

pytestmark = [pytest.mark.wire, pytest.mark.slow, pytest.mark.timeout(240)]

SPEED = 60
# One second of flushing, one scan, and a commit on a busy machine; real time.
MOST_HISTORY_LOST_S = 2.0
CHANGING = "outdoor.daylight_sensor_1.illuminance"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SiteProcesses]:
    with site_on(tmp_path) as processes:
        yield processes


def rows(site: Path, database: str, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{site / 'state' / database}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(sql).fetchall()


def intents(here: SiteProcesses) -> dict[str, Any]:
    """What the store says is in our hands, read beside whoever writes it."""
    found = rows(here.site, "store.db", "SELECT point, value FROM intent")
    return {point: json.loads(value) for point, value in found}


def last_recorded(here: SiteProcesses) -> float:
    """Seconds of the epoch of the newest sample."""
    told = here.tidewatt("history", str(here.site), CHANGING, "--last=1h", "--json")
    assert told.code == 0, told.err
    return datetime.fromisoformat(told.json[-1]["time"]).timestamp()


# --- kill -9 ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("kill -9 of the real process", lost="history of the last two seconds")
@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_at_any_moment(here: SiteProcesses, seed: int) -> None:
    """Seven times each: the first seconds of a start, and later. The plant stays; each start finds what the one before
    left."""
    here.simulator(f"--speed={SPEED}")
    chance = random.Random(seed)
    pause = threading.Event()
    for number in range(7):
        # What dies as often would otherwise be kept away from the plant.
        assert here.tidewatt("authority", str(here.site), "--reset").code == 0
        daemon = here.start(*TIDEWATT, "run", str(here.site))
        if number % 2:
            pause.wait(0.5 + 1.5 * chance.random())  # anywhere in the start
        else:
            here.wait_for_answers(daemon)
            pause.wait(2.5 + 1.5 * chance.random())
        daemon.kill()
        killed_at = here.simulated_time()
        assert "Traceback" not in daemon.told

        held = {point for point, bit in here.remote_bits().items() if bit}
        assert held <= intents(here).keys(), "something is held that nobody knows of"
        if not number % 2:
            lost = (killed_at - last_recorded(here)) / SPEED
            assert lost <= MOST_HISTORY_LOST_S, f"{lost:.2f} s of history are lost"

    assert here.tidewatt("authority", str(here.site), "--reset").code == 0
    daemon = here.daemon()
    wait_until(lambda: {"garage.group_1.remote", "outdoor.lighting_1.remote"} <= here.held(), "the lamps are taken")
    assert daemon.stop(within=60) == 0, daemon.told
    assert here.is_given_back()
    assert intents(here) == {}


@pytest.mark.fault("kill -9 of the real process")
def test_release_gives_back_what_a_dead_daemon_held(here: SiteProcesses) -> None:
    here.simulator()
    daemon = here.daemon()
    assert here.points("write", "plant.condenser_water_pump_1.command", "on", "--for=1h").code == 0
    here.wait_for("plant.condenser_water_pump_1.remote", value=True)
    wait_until(lambda: sum(here.remote_bits().values()) == 5, "four circuits and a pump are taken")
    daemon.kill()
    assert sum(here.remote_bits().values()) == 5

    released = here.tidewatt("release", str(here.site))
    assert released.code == 0, released.err
    assert "nothing is held any more" in released.out
    assert here.is_given_back()
    assert intents(here) == {}
    shown = here.tidewatt("authority", str(here.site), "--json").json
    assert set(shown.values()) == {"original"}, "the next start must not take over by itself"
    again = here.tidewatt("release", str(here.site))
    assert (again.code, again.err) == (0, ""), "nothing left to do is no failure"


@pytest.mark.fault("full disk", lost="the decision, until there is room")
@pytest.mark.parametrize("by_daemon", [True, False], ids=["by the daemon", "by itself"])
def test_release_waits_for_no_disk(here: SiteProcesses, *, by_daemon: bool) -> None:
    here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    if not by_daemon:
        daemon.kill()
    fill_the_disk(here.site / "state", only=["authority"] if by_daemon else [])
    released = here.tidewatt("release", str(here.site))
    assert here.is_given_back()
    assert released.code == 3
    if by_daemon:
        assert released.err.count("is handed back, but the disk did not take it") == 4, "each system"
        assert daemon.runs
    else:
        assert "nothing is held any more" in released.out
        assert "the next start would take it over" in released.err


@contextmanager
def only_to_be_read(folder: Path) -> Generator[None]:
    """As a disk is that the kernel has mounted read-only after an error. Rights do not hold root back, a mount does."""
    if os.geteuid() == 0:
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    else:
        folder.chmod(0o500)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", folder], check=True)
        else:
            folder.chmod(0o700)


@pytest.mark.fault("read-only disk at the start", lost="control, until it can be written; the decision of a release")
@pytest.mark.parametrize("command", ["release", "run"])
def test_what_is_held_is_let_go_from_a_disk_that_can_only_be_read(here: SiteProcesses, command: str) -> None:
    here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    daemon.kill()
    with only_to_be_read(here.site / "state"):
        done = here.tidewatt(command, str(here.site))
        assert here.is_given_back()
    assert done.code == 3, done.err
    assert "everything let go" in done.err
    if command == "release":
        assert "nothing is held any more" in done.out
        assert "the next start would take it over" in done.err
    else:
        assert "Traceback" not in done.err
        assert "control socket cannot be opened" in done.err


# --- one daemon, one simulator ----------------------------------------------------------------------------------------


@pytest.mark.fault("second daemon")
def test_a_second_daemon_and_a_second_simulator_say_why_they_cannot(here: SiteProcesses) -> None:
    first = here.simulator()
    daemon = here.daemon()
    second = here.tidewatt("run", str(here.site))
    assert second.code == 3
    assert second.err.count("\n") == 1
    assert f"another Tidewatt (process {daemon.process.pid})" in second.err
    assert here.answers(), "the first one goes on"
    released = here.tidewatt("release", str(here.site))
    assert released.code == 0, "release goes through the daemon that runs"

    simulator = here.tidewatt("simulate", str(here.site))
    assert simulator.code == 3
    complaint = [line for line in simulator.err.splitlines() if " INFO " not in line]
    assert len(complaint) == 1
    assert f"cannot listen on 127.0.0.1 port {here.ports[0]}" in complaint[0]
    daemon.kill()
    assert first.stop() == 0
    assert all(" INFO " in line for line in first.err.splitlines()), "clients that leave are no trouble of the plant's"


# --- devices that are not there ---------------------------------------------------------------------------------------


@pytest.mark.fault("every device absent at the start")
def test_a_plant_that_comes_later(here: SiteProcesses) -> None:
    """The daemon starts without it and says so once a link; when it is there, everything comes by itself."""
    daemon = here.daemon()
    assert here.qualities("") == {"bad"}
    lost = [line for line in daemon.err.splitlines() if "is lost" in line]
    assert len(lost) == 4, daemon.err
    threading.Event().wait(5)
    assert here.answers()
    assert [line for line in daemon.err.splitlines() if "is lost" in line] == lost, "each link is told once"

    here.simulator()
    began = seconds()
    wait_until(lambda: here.qualities("") == {"good"}, "every point is good")
    # At that age of the outage the pauses have grown to at most 8 s.
    assert seconds() - began < 12
    wait_until(here.has_lamps, "the lamps are taken")
    assert daemon.stop() == 0, daemon.told
    assert here.is_given_back()


@pytest.mark.fault("device reboots and loses its registers")
def test_a_plant_that_dies_and_comes_again(here: SiteProcesses) -> None:
    simulator = here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    scans = here.ask("status")["scan"]["count"]
    simulator.kill()
    wait_until(lambda: here.qualities("") == {"bad"}, "every point is bad", 10)
    threading.Event().wait(3)
    assert here.ask("status")["scan"]["count"] >= scans + 3, "scans go on"

    # Another run of the simulator knows nothing of us: its remote bits are clear, and we take them again.
    here.simulator()
    wait_until(lambda: here.qualities("") == {"good"}, "every point is good")
    wait_until(here.has_lamps, "the lamps are taken again")
    assert daemon.stop() == 0, daemon.told
    assert here.is_given_back()
    assert "Traceback" not in daemon.told


@pytest.mark.fault("half-open connection: accepts, and answers nothing")
def test_a_plant_that_hangs_for_a_while(here: SiteProcesses) -> None:
    """A stopped process accepts connections and answers nothing: the worst kind of silence."""
    simulator = here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    simulator.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: "good" not in here.qualities(""), "no point is good any more", 20)
        asked, scans = seconds(), here.ask("status")["scan"]["count"]
        scanned = scans
        for _ in range(20):
            before = seconds()
            scanned = here.ask("status")["scan"]["count"]
            assert seconds() - before < 0.5, "the control socket answers as ever"
            threading.Event().wait(0.1)
        assert scanned - scans >= int(seconds() - asked) - 1, "the scan keeps its period"
    finally:
        simulator.signal(signal.SIGCONT)
    wait_until(lambda: here.qualities("") == {"good"}, "every point is good again")
    wait_until(here.has_lamps, "the lamps are ours")
    assert daemon.stop() == 0, daemon.told
    assert here.is_given_back()
    alarms = [event for event in here.events("alarm") if event["body"]["alarm"] == "overridden"]
    assert alarms == [], "silence is nobody's override"
