"""Letting go waits for no disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.ports import RecordedSample
from controller.core.system import Authority
from controller.historian.memory import MemoryHistorian
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench


def fill_the_disk(folder: Path, only: Sequence[str] = ()) -> None:
    """From now on nothing can be stored or forgotten; in these tables only, where there are any."""
    with sqlite3.connect(folder / "store.db") as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in only or tables:
            for deed in ("INSERT", "UPDATE", "DELETE"):
                refuse = f"BEFORE {deed} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                database.execute(f"CREATE TRIGGER {table}_{deed} {refuse}")
    database.close()


def empty_the_disk(folder: Path, tables: Sequence[str]) -> None:
    with sqlite3.connect(folder / "store.db") as database:
        for table in tables:
            for deed in ("INSERT", "UPDATE", "DELETE"):
                database.execute(f"DROP TRIGGER {table}_{deed}")
    database.close()


@pytest.mark.fault("full disk", lost="control, until the next start")
def test_a_store_that_fails_stops_the_daemon_and_everything_is_let_go(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        fill_the_disk(bench.tmp_path)
        bench.plant.lights.set(DEMAND, 0.8)
        await bench.wait(900)

    bench = Bench(tmp_path)
    with pytest.raises(ExceptionGroup) as raised:
        bench.run(life)
    (error,) = raised.value.exceptions
    assert isinstance(error, EnvironmentProblem), "which main tells in one clear line"
    assert "disk full" in str(error)
    assert 0.8 not in bench.plant.written(BRIGHTNESS), "no bytes without a stored intent"
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert bench.plant.plant.value(PUMP_REMOTE) is False
    assert bench.daemon.writer.holdings == {}


def test_a_lock_waits_for_no_disk_and_is_not_lifted_without_one(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        fill_the_disk(bench.tmp_path, only=["lockout"])
        with pytest.raises(EnvironmentProblem, match="a restart now would forget it"):
            await bench.daemon.lock_out("garage.group_1", "Li", "new drivers")
        await bench.wait(3)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.alarms("lock-outs") == [("lock-out not stored", "active")]
        empty_the_disk(bench.tmp_path, ["lockout"])
        await bench.wait(30)
        assert bench.alarms("lock-outs")[-1] == ("lock-out not stored", "cleared")
        fill_the_disk(bench.tmp_path, only=["lockout"])
        with pytest.raises(EnvironmentProblem):
            await bench.daemon.unlock("garage.group_1", "Li", "", "")
        await bench.wait(30)
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    async def again(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.run(again)


def damage_the_alarms(folder: Path) -> None:
    with sqlite3.connect(folder / "store.db") as database:
        database.execute("REPLACE INTO alarm_standing VALUES ('garage', 'odd', 0, '2026-07-06T12:00:00+08:00', '{')")
    database.close()


def forbid_a_run(folder: Path) -> None:
    fill_the_disk(folder, only=["run"])


@pytest.mark.fault("store that cannot be read", lost="control, until somebody mends it")
@pytest.mark.parametrize("harm", [forbid_a_run, damage_the_alarms])
def test_a_start_that_fails_lets_go_what_the_run_before_held(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)

    async def again(bench: Bench) -> None:
        await bench.wait(60)

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    assert bench.plant.plant.value(PUMP_REMOTE) is True
    harm(tmp_path)
    with pytest.raises(ExceptionGroup):
        bench.run(again)
    assert bench.plant.plant.value(PUMP_REMOTE) is False
    assert bench.plant.lights.value(LAMP_REMOTE) is False


@pytest.mark.fault("full disk", lost="the decision, until there is room")
def test_a_system_is_handed_back_without_a_disk(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        bench.plant.lights.set(DEMAND, -1.0)
        await bench.command(PUMP, True, 8 * 3600.0)
        await bench.wait(60)
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        fill_the_disk(bench.tmp_path, only=tables)
        with pytest.raises(EnvironmentProblem, match=r"plant is handed back, .*: a restart now would forget it"):
            await bench.daemon.set_authority("plant", Authority.ORIGINAL, "Li Na")
        await bench.wait(60)
        assert bench.daemon.authority["plant"] is Authority.ORIGINAL
        assert bench.plant.plant.value(PUMP_REMOTE) is False
        assert bench.alarms("plant") == [("authority not stored", "active")]
        empty_the_disk(bench.tmp_path, tables)
        await bench.wait(20)
        assert bench.alarms("plant")[-1] == ("authority not stored", "cleared")

    async def again(bench: Bench) -> None:
        await bench.wait(20)
        assert bench.daemon.authority["plant"] is Authority.ORIGINAL
        assert bench.plant.plant.value(PUMP_REMOTE) is False

    tables = ["authority", "operator_command", "intent", "alarm", "alarm_standing"]
    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    assert bench.run(again)


@pytest.mark.fault("full disk", lost="the decision, until there is room")
def test_commissioning_ends_without_a_disk(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        await bench.daemon.set_authority("plant", Authority.COMMISSIONING, "Li Na", timedelta(minutes=5))
        await bench.command(PUMP, True)
        await bench.wait(60)
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        fill_the_disk(bench.tmp_path, only=["authority"])
        await bench.wait(600)
        assert bench.daemon.authority["plant"] is Authority.ORIGINAL
        assert bench.plant.plant.value(PUMP_REMOTE) is False

    assert Bench(tmp_path).run(life)


class FullHistorian(MemoryHistorian):
    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        raise HistorianError("the disk is full")

    async def close(self) -> None:
        raise HistorianError("the disk is still full")


class WithoutHistory(Bench):
    def open_historian(self) -> MemoryHistorian:
        return FullHistorian()


@pytest.mark.fault("history that cannot be written", lost="history beyond the buffer")
def test_a_site_runs_and_ends_without_its_history(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(120)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        assert bench.daemon.recorder.pending > 0

    bench = WithoutHistory(tmp_path)
    assert bench.run(life) is True
    assert bench.plant.lights.value(LAMP_REMOTE) is False
