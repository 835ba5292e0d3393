"""The state store in trouble while the daemon runs: another process locks it, its file system turns read-only."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from controller.core.alarm_catalogue import STORE_FAILED
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.store_file import BUSY_TIMEOUT_S
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, Bench
from tests.scenario.test_disk_trouble import ImpatientBench, all_is_let_go_and_told, all_is_taken_again
from tests.site_processes import site_on, wait_until

OURSELVES = 0
LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


# --- locked -----------------------------------------------------------------------------------------------------------


@contextmanager
def locked_by_another_process(folder: Path) -> Generator[None]:
    command = [sys.executable, "-c", LOCK, str(folder / "store.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == b"locked\n"
        yield
        locker.kill()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a daemon has no event for this
            await asyncio.sleep(0.02)


@pytest.mark.fault("locked store", lost="control, until it is unlocked")
def test_a_store_that_another_process_locks_for_two_minutes(tmp_path: Path) -> None:
    """Eight times as long as it is waited for; the waiting itself is in real time, and cut short here."""
    assert BUSY_TIMEOUT_S == 15.0, "so say the documents"

    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        with locked_by_another_process(tmp_path):
            await all_is_let_go_and_told(bench, "locked")
        await all_is_taken_again(bench)

    assert ImpatientBench(tmp_path).run(life)


@pytest.mark.wire
@pytest.mark.slow
@pytest.mark.fault("locked store", lost="control, until it is unlocked")
async def test_scans_go_on_while_the_store_is_waited_for(tmp_path: Path) -> None:
    patience = 4.0
    bench, clock = Bench(tmp_path), RealClock()
    store = Store(tmp_path / "store.db", clock, patience=patience)
    daemon = bench.daemon = Daemon(bench.site(), clock, MemoryHistorian(), store)
    lights, stop = bench.plant.lights, asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(daemon.run(stop))
        await until(lambda: lights.value(LAMP_REMOTE) is True)
        with locked_by_another_process(tmp_path):
            began, scans = clock.monotonic(), daemon.scan.count
            lights.set(DEMAND, 0.8)
            await until(lambda: bench.alarms("store") == [(STORE_FAILED, "active")])
            assert clock.monotonic() - began >= patience
            assert daemon.scan.count >= scans + patience / 2
            await until(lambda: lights.value(LAMP_REMOTE) is False)
            assert 0.8 not in bench.plant.written(BRIGHTNESS), "no bytes without a stored intent"
        stop.set()
        assert await running
    assert daemon.writer.holdings == {}


# --- read-only --------------------------------------------------------------------------------------------------------


@contextmanager
def read_only(process: int = OURSELVES) -> Generator[None]:
    """No file takes a byte, also those that are open: what a file system does that the kernel has made read-only after
    an error. Nobody can remount one under a process that writes; a limit on the size of files refuses the same writes,
    and needs no rights."""
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it was to end meanwhile
            resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.fault("read-only disk while running", lost="control, until it can be written")
def test_a_file_system_that_turns_read_only_is_a_full_disk(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        with read_only():
            await all_is_let_go_and_told(bench, "disk I/O error")
        await all_is_taken_again(bench)

    assert Bench(tmp_path).run(life)


@pytest.mark.wire
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.fault("read-only disk while running", lost="control, until it can be written")
def test_a_daemon_whose_store_history_and_log_take_nothing_lets_go_comes_back_and_stops(tmp_path: Path) -> None:
    with site_on(tmp_path) as here:
        here.simulator("--speed=60")
        daemon = here.daemon()
        wait_until(here.has_lamps, "the lamps are taken")
        with read_only(daemon.process.pid):
            wait_until(here.is_given_back, "a lamp follows somebody, and all of them are given back")
            assert "store:nothing_can_be_stored" in {alarm["id"] for alarm in here.ask("alarms")["alarms"]}
            assert daemon.runs
        wait_until(here.has_lamps, "the lamps are taken again")
        with read_only(daemon.process.pid):
            assert daemon.stop(within=60) == 0
        assert here.is_given_back()
