"""The state store is damaged: its last good copy tells what to let go, and nothing is commanded
until a person decides."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event as Signal
from threading import Thread

import pytest

from controller.core.alarm import AlarmId
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind
from controller.core.system import Authority
from controller.runtime.store import Store
from tests.bench import BRIGHTNESS, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench
from tests.hand_clock import HandClock


def text(path: Path) -> None:
    path.write_bytes(b"not a database\n" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def pages(path: Path) -> None:
    """All but the first: it can be opened, and even asked something."""
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def damage(folder: Path, harm: Callable[[Path], None], name: str = "store.db") -> None:
    with closing(sqlite3.connect(folder / name)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    harm(folder / name)


async def hold(bench: Bench) -> None:
    await bench.command(PUMP, True)
    await bench.wait(90)
    assert bench.plant.plant.value(PUMP_REMOTE) is True
    assert bench.plant.lights.value(LAMP_REMOTE) is True


async def look(bench: Bench) -> None:
    await bench.wait(60)


@pytest.mark.fault("corrupt store", lost="what was taken in the last minute, and control until a person decides")
@pytest.mark.parametrize("harm", [text, empty, gone, pages])
def test_what_was_held_is_let_go_and_a_person_decides(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    async def again(bench: Bench) -> None:
        await bench.wait(60)
        assert set(bench.daemon.authority.values()) == {Authority.ORIGINAL}
        assert bench.plant.plant.value(PUMP_REMOTE) is False
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.alarms("store")[0] == ("store damaged", "active")
        (told,) = bench.events(EventKind.AUTHORITY, "plant")
        assert (told.body["before"], told.body["authority"]) == ("tidewatt", "original")
        await bench.daemon.set_authority("garage", Authority.TIDEWATT, "Li Na")
        await bench.wait(20)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5

    async def once_more(bench: Bench) -> None:
        await bench.wait(20)
        assert bench.daemon.authority == {"garage": Authority.TIDEWATT, "plant": Authority.ORIGINAL}
        assert ("store damaged", "active") not in bench.alarms("store"), "told once"

    bench = Bench(tmp_path)
    bench.run(hold, kill=True)
    damage(tmp_path, harm)
    assert bench.run(again)
    bench.run(once_more)
    assert len(list(tmp_path.glob("store.db.damaged-*"))) == (harm is not gone)


@pytest.mark.fault("corrupt store and corrupt copy", lost="control, until a person decides; what was held")
def test_without_a_good_copy_it_says_that_nobody_knows(tmp_path: Path) -> None:
    async def again(bench: Bench) -> None:
        await bench.wait(60)
        assert set(bench.daemon.authority.values()) == {Authority.ORIGINAL}
        assert bench.daemon.writer.holdings == {}
        (told, *_) = bench.events(EventKind.ALARM, "store")
        assert "nobody knows what was held" in str(told.body["cause"])
        alarm = bench.daemon.alarms.get(AlarmId("store", "store damaged"))
        assert alarm is not None
        assert "无法得知曾持有哪些点" in alarm.cause.zh

    bench = Bench(tmp_path)
    bench.run(hold, kill=True)
    damage(tmp_path, text)
    damage(tmp_path, pages, "store.db.good")
    bench.run(again)


@pytest.mark.fault("corrupt store", lost="what was taken in the last minute, and control until a person decides")
def test_who_opened_it_first_does_not_keep_the_alarm_from_people(tmp_path: Path) -> None:
    async def again(bench: Bench) -> None:
        await bench.wait(5)
        assert bench.alarms("store")[0] == ("store damaged", "active")

    async def open_it() -> None:
        store = Store(tmp_path / "store.db", HandClock())
        assert {held.point for held in await store.load_held()} >= {PUMP, BRIGHTNESS}
        await store.close()

    bench = Bench(tmp_path)
    bench.run(hold, kill=True)
    damage(tmp_path, text)
    asyncio.run(open_it())
    bench.run(again)


@pytest.mark.fault("corrupt store", lost="what was taken in the last minute, and control until a person decides")
def test_a_store_that_is_damaged_under_way_does_not_spoil_its_copy(tmp_path: Path) -> None:
    async def life() -> None:
        store = Store(tmp_path / "store.db", HandClock())
        for number in range(300):
            await store.save_authority(f"system_{number}", Authority.TIDEWATT)
        await store.copy()
        good = (tmp_path / "store.db.good").read_bytes()
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA writable_schema = ON")
            database.execute("UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'authority'")
            (version,) = database.execute("PRAGMA schema_version").fetchone()
            database.execute(f"PRAGMA schema_version = {version + 1}")
        with pytest.raises(EnvironmentProblem):
            await store.copy()
        assert (tmp_path / "store.db.good").read_bytes() == good
        await store.close()

    asyncio.run(life())


@pytest.mark.fault("locked store", lost="control, until it is unlocked")
def test_a_lock_that_somebody_holds_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    async def life() -> None:
        store = Store(tmp_path / "store.db", HandClock())
        locked, enough = Signal(), Signal()

        def hold_the_lock() -> None:
            with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                locked.set()
                enough.wait(0.3)
                database.execute("ROLLBACK")

        somebody = Thread(target=hold_the_lock)
        somebody.start()
        locked.wait()
        await store.save_authority("plant", Authority.ORIGINAL)
        somebody.join()
        assert await store.load_authority() == {"plant": Authority.ORIGINAL}
        await store.close()

    asyncio.run(life())
