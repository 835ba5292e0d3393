"""Letting go waits for no disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.alarm_catalogue import STORE_FAILED
from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.event import EventKind
from controller.core.ports import RecordedSample
from controller.core.system import Authority
from controller.historian.memory import MemoryHistorian
from controller.runtime.store import Store
from tests.bench import BRIGHTNESS, CHILLER, DEMAND, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench

DEEDS = ("INSERT", "UPDATE", "DELETE")


def fill_the_disk(folder: Path, only: Sequence[str] = (), deeds: Sequence[str] = DEEDS) -> Sequence[str]:
    """From now on nothing can be stored or forgotten; in these tables only, where there are any. Answers in which."""
    with sqlite3.connect(folder / "store.db") as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in only or tables:
            for deed in deeds:
                refuse = f"BEFORE {deed} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                database.execute(f"CREATE TRIGGER {table}_{deed} {refuse}")
    database.close()
    return only or tables


def empty_the_disk(folder: Path, tables: Sequence[str]) -> None:
    with sqlite3.connect(folder / "store.db") as database:
        for table in tables:
            for deed in DEEDS:
                database.execute(f"DROP TRIGGER {table}_{deed}")
    database.close()


def locked(folder: Path) -> sqlite3.Connection:
    """Somebody who has the store for as long as this is open."""
    database = sqlite3.connect(folder / "store.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    return database


class ImpatientBench(Bench):
    """Does not wait for a store that is locked, which the machine's clock would count."""

    def open_store(self) -> Store:
        return Store(self.tmp_path / "store.db", self.clock, patience=0.01)


async def all_is_let_go_and_told(bench: Bench, cause: str) -> None:
    """A wish whose intent cannot be stored: within some seconds the old controls have everything."""
    bench.plant.lights.set(DEMAND, 0.8)
    await bench.wait(5)
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    await bench.wait(60)  # the pump waits for its turn
    assert bench.plant.plant.value(PUMP_REMOTE) is False
    assert bench.daemon.writer.holdings == {}
    scans = bench.daemon.scan.count
    bench.plant.lights.set(DEMAND, 0.7)
    await bench.wait(60)
    assert 0.8 not in bench.plant.written(BRIGHTNESS), "no bytes without a stored intent"
    assert 0.7 not in bench.plant.written(BRIGHTNESS)
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert bench.daemon.scan.count == pytest.approx(scans + 60, abs=2)
    assert bench.daemon.image.present[DEMAND].value == 0.7
    assert set(bench.daemon.authority.values()) == {Authority.TIDEWATT}
    (alarm,) = [each for each in bench.daemon.alarms.all if each.id.name == STORE_FAILED]
    assert alarm.standing.is_active
    assert cause in str(bench.events(EventKind.ALARM, "store")[0].body["cause"])
    with pytest.raises(EnvironmentProblem, match="a restart would forget it"):
        await bench.command(CHILLER, True)
    assert bench.daemon.scan.controls[CHILLER].array.winner is None


async def all_is_taken_again(bench: Bench) -> None:
    await bench.wait(15)
    assert bench.plant.lights.value(LAMP_REMOTE) is True
    assert bench.plant.lights.value(BRIGHTNESS) == 0.7
    assert bench.plant.plant.value(PUMP_REMOTE) is True, "the operator's command has not ended"
    assert bench.alarms("store") == [(STORE_FAILED, "active"), (STORE_FAILED, "cleared")]


@pytest.mark.fault("full disk", lost="control, until there is room")
def test_a_full_disk_lets_everything_go_and_takes_it_again(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        tables = fill_the_disk(bench.tmp_path)
        await all_is_let_go_and_told(bench, "disk full")
        empty_the_disk(bench.tmp_path, tables)
        await all_is_taken_again(bench)

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.plant.lights.value(LAMP_REMOTE) is False


@pytest.mark.fault("locked store", lost="control, until it is unlocked")
def test_a_store_that_stays_locked_is_a_full_disk(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        with closing(locked(bench.tmp_path)):
            await all_is_let_go_and_told(bench, "locked")
        await all_is_taken_again(bench)

    assert ImpatientBench(tmp_path).run(life)


@pytest.mark.fault("full disk", lost="control, until there is room")
def test_what_was_let_go_without_a_disk_is_nobody_s_at_the_next_start(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True, 60)
        await bench.wait(20)
        tables = fill_the_disk(bench.tmp_path)
        bench.plant.lights.set(DEMAND, 0.8)
        await bench.wait(120)
        empty_the_disk(bench.tmp_path, tables)
        await bench.wait(15)
        held = {each.point for each in await bench.daemon.store.load_held()}
        assert held == {BRIGHTNESS, LAMP_REMOTE}, "what the pump's command held has ended"

    Bench(tmp_path).run(life, kill=True)


@pytest.mark.fault("disk that works now and then", lost="control, ever more seldom tried")
@pytest.mark.slow
def test_a_disk_that_fails_again_and_again_does_not_move_the_plant_to_and_fro(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(20)
        fill_the_disk(bench.tmp_path, only=["intent"], deeds=["INSERT"])  # room for what is as long as it was
        bench.plant.lights.set(DEMAND, 0.8)
        await bench.wait(3600)
        assert 3 <= len(bench.alarms("store")) / 2 <= 12

    assert Bench(tmp_path).run(life)


@pytest.mark.fault("full disk")
def test_a_stop_with_a_full_disk_lets_go_and_ends_well(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        fill_the_disk(bench.tmp_path)

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert bench.plant.plant.value(PUMP_REMOTE) is False


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
