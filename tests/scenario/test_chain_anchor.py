"""The end of the event chain is known to the store: what was cut off while nobody looked is told at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.historian.memory import MemoryHistorian
from tests.bench import PUMP, Bench

CHANGED = [("history changed", "active"), ("history changed", "returned")]


class Replaced(Bench):
    """Somebody takes the history away between two runs."""

    def open_historian(self) -> MemoryHistorian:
        return MemoryHistorian()


class Losing(MemoryHistorian):
    def lose(self) -> None:
        """Somebody takes the file away; what is recorded from now on goes to a new one."""
        vars(self).update(vars(MemoryHistorian()))


class LostBeforeTheEnd(Bench):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._recorded = Losing()


async def life(bench: Bench) -> None:
    await bench.command(PUMP, True)
    await bench.wait(200)


async def look(bench: Bench) -> None:
    await bench.wait(20)


@pytest.mark.parametrize("kill", [False, True])
def test_a_history_that_goes_on_is_no_alarm(tmp_path: Path, *, kill: bool) -> None:
    bench = Bench(tmp_path)
    bench.run(life, kill=kill)
    bench.run(look)
    assert bench.alarms("history") == []


@pytest.mark.parametrize("kill", [False, True])
def test_a_history_that_was_replaced_is_told_once_and_must_be_seen(tmp_path: Path, *, kill: bool) -> None:
    bench = Replaced(tmp_path)
    bench.run(life, kill=kill)

    async def again(bench: Bench) -> None:
        await bench.wait(20)
        assert bench.alarms("history") == CHANGED
        await bench.daemon.alarm_actions.acknowledge("history:history_changed", "Li Na")
        await bench.wait(300)
        told = bench.events(EventKind.ALARM, "history")
        assert [event.body["state"] for event in told] == ["active", "returned", "acknowledged"]
        assert told[2].body["who"] == "Li Na"

    bench.run(again)


def test_a_history_that_was_lost_just_before_the_end_is_told_at_the_next_start(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(200)
        assert isinstance(bench.historian, Losing)
        bench.historian.lose()
        await bench.wait(2)

    bench = LostBeforeTheEnd(tmp_path)
    bench.run(life)

    async def again(bench: Bench) -> None:
        await bench.wait(20)
        assert bench.alarms("history") == CHANGED

    bench.run(again)


def test_the_store_knows_the_end_within_a_minute_and_at_the_end(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        await bench.command(PUMP, True)
        head = await bench.historian.chain_head()
        await bench.wait(63)
        kept = await bench.daemon.store.load_chain_head()
        assert head is not None
        assert kept is not None
        assert kept.number > head.number

    bench = Bench(tmp_path)
    bench.run(life)
    historian = bench.historian
    historian.reopen()

    async def again(bench: Bench) -> None:
        newest = await historian.chain_head()
        kept = await bench.daemon.store.load_chain_head()
        assert newest is not None
        assert kept == newest

    bench.run(again)
