"""kill -9 at many moments: whatever is held is known to the store, and the next start continues, adopts or clears."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core.ledger import Verdict
from controller.core.point import PointId, Range
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.runtime import exit_latch
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    DEMAND,
    HEARTBEAT,
    LAMP_REMOTE,
    PUMP,
    PUMP_REMOTE,
    PUMP_STATUS,
    Bench,
)
from tests.sweep import sweep

# From before the first byte to the middle of a steady run, off the grid of scans, too.
MOMENTS = [0.0, 0.05, 0.2, 0.5, 0.95, 1.0, 1.02, 1.3, 1.95, 2.0, 2.1, 3.0, 4.05, 5.0, 5.5, 7.77, 20.0, 61.0]
BITS = {LAMP_REMOTE: BRIGHTNESS, PUMP_REMOTE: PUMP, CHILLER_REMOTE: CHILLER}
LIMITS = {BRIGHTNESS: Range(0.1, 1.0), HEARTBEAT: Range(0, 32767)}


async def busy(bench: Bench, moment: float) -> None:
    """Take the lamp, a pump, change both; the kill comes somewhere in between."""
    await bench.command(PUMP, True)
    await bench.wait(moment / 2)
    bench.plant.lights.set(DEMAND, 0.9)
    await bench.wait(moment / 2)


def kill(bench: Bench, moment: float) -> None:
    async def life(bench: Bench) -> None:
        await busy(bench, moment)

    bench.run(life, kill=True)


def stored(bench: Bench) -> set[str]:
    with sqlite3.connect(bench.tmp_path / "store.db") as database:
        points = {row[0] for row in database.execute("SELECT point FROM intent")}
    database.close()
    return points


def ours_at_the_devices(bench: Bench) -> Iterator[PointId]:
    """The points that a device does for us: a machine's bit and what it hands over."""
    for bit, command in BITS.items():
        far = bench.plant.lights if bit == LAMP_REMOTE else bench.plant.plant
        if far.value(bit):
            yield from (bit, command)


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
@pytest.mark.parametrize("moment", sweep(MOMENTS, fast=3))
def test_nothing_is_held_that_the_store_does_not_know(tmp_path: Path, moment: float) -> None:
    bench = Bench(tmp_path)
    kill(bench, moment)
    assert set(ours_at_the_devices(bench)) <= stored(bench)
    if moment >= 3:
        assert bench.plant.lights.value(LAMP_REMOTE) is True, "or this proves nothing"


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
@pytest.mark.parametrize("moment", sweep(MOMENTS, fast=3))
def test_the_next_start_goes_on_without_a_jolt(tmp_path: Path, moment: float) -> None:
    async def after(bench: Bench) -> None:
        await bench.wait(10)
        holdings = bench.daemon.writer.holdings
        assert {BRIGHTNESS, LAMP_REMOTE, PUMP, PUMP_REMOTE} <= set(holdings)
        assert all(holding.verdict is Verdict.OWNED for holding in holdings.values())
        assert bench.plant.lights.value(BRIGHTNESS) == 0.9
        assert bench.plant.plant.value(PUMP_STATUS) is True

    bench = Bench(tmp_path)
    kill(bench, moment)
    held = bench.plant.lights.value(LAMP_REMOTE)
    bench.plant.writes.clear()
    assert bench.run(after)
    if held:
        assert bench.plant.written(LAMP_REMOTE)[:-1].count(False) == 0, "adopted, not handed back and taken again"
    assert bench.daemon.writer.holdings == {}
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert stored(bench) == set()


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
def test_what_was_adopted_is_told_to_its_devices_as_ever(tmp_path: Path) -> None:
    """Also while nothing changes: the gateway's heartbeat, and the lamp's bit at half its time-out."""
    bench = Bench(tmp_path)
    kill(bench, 20.0)
    bench.plant.writes.clear()

    async def after(bench: Bench) -> None:
        await bench.wait(120)
        assert len(bench.plant.written(HEARTBEAT)) >= 7
        assert bench.plant.written(LAMP_REMOTE).count(True) >= 7
        assert bench.plant.written(PUMP) == [], "keeps its value by itself"

    assert bench.run(after)


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
@pytest.mark.parametrize("moment", sweep(MOMENTS, fast=3))
def test_the_next_start_in_original_clears(tmp_path: Path, moment: float) -> None:
    bench = Bench(tmp_path)
    kill(bench, moment)
    bench.store_authority(Authority.ORIGINAL)

    async def after(bench: Bench) -> None:
        await bench.wait(90)  # the pumps wait until the chiller has been off for a minute
        assert bench.daemon.writer.holdings == {}
        assert list(ours_at_the_devices(bench)) == []

    bench.run(after)
    assert stored(bench) == set()


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
@pytest.mark.parametrize("moment", sweep(MOMENTS, fast=3))
def test_release_clears_what_a_dead_daemon_left_and_keeps_the_rest(tmp_path: Path, moment: float) -> None:
    bench = Bench(tmp_path)

    async def earlier(bench: Bench) -> None:
        await bench.wait(20)

    bench.run(earlier)
    kill(bench, moment)
    loop = VirtualLoop()
    clock = VirtualClock(loop, bench.now)
    store = Store(bench.tmp_path / "store.db", clock)

    async def release() -> bool:
        return await Daemon(bench.site(), clock, bench.historian, store).release()

    assert run(release(), loop) is True
    assert list(ours_at_the_devices(bench)) == []
    assert stored(bench) == set()

    async def after(bench: Bench) -> None:
        await bench.wait(0.5)
        decisions.append(bench.daemon.strategies[0].state.decisions)

    decisions: list[int] = []
    bench.run(after)
    assert decisions[0] >= 20, "what the strategy remembers is not undone by letting go"


def reset_latch(bench: Bench) -> None:
    loop = VirtualLoop()
    store = Store(bench.tmp_path / "store.db", VirtualClock(loop, bench.now))

    async def reset() -> None:
        await exit_latch.reset(store)
        await store.close()

    run(reset(), loop)


@pytest.mark.fault("the site takes a machine back while the daemon is dead")
@pytest.mark.parametrize("moment", sweep(MOMENTS, fast=3))
def test_what_the_site_took_back_while_we_were_dead_is_taken_anew_value_first(tmp_path: Path, moment: float) -> None:
    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.daemon.writer.holdings[LAMP_REMOTE].verdict is Verdict.OWNED
        assert bench.daemon.writer.holdings[BRIGHTNESS].before == 0.2
        assert {BRIGHTNESS, LAMP_REMOTE} <= stored(bench)

    bench = Bench(tmp_path)
    kill(bench, moment)
    bench.plant.lights.set(LAMP_REMOTE, False)
    bench.plant.lights.set(BRIGHTNESS, 0.2)
    bench.plant.writes.clear()
    bench.run(after)
    order = [point for point, value in bench.plant.writes if point in (BRIGHTNESS, LAMP_REMOTE) and value]
    assert order[:2] == [BRIGHTNESS, LAMP_REMOTE]
    assert bench.alarms(LAMP_REMOTE) == bench.alarms(BRIGHTNESS) == []


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
@pytest.mark.slow
def test_killed_again_and_again_nothing_leaves_its_limits(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for number, moment in enumerate(MOMENTS):
        bench.plant.lights.set(DEMAND, (0.0, 1.0, 0.03, 0.55)[number % 4])
        kill(bench, moment)
        reset_latch(bench)  # what dies as often would otherwise be kept away
    assert bench.plant.writes
    for point, value in bench.plant.writes:
        assert within_limits(point, value), (point, value)
    before = {BRIGHTNESS: 1.0, PUMP: False}

    async def after(bench: Bench) -> None:
        await bench.wait(5)
        for point, value in before.items():
            assert bench.daemon.writer.holdings[point].before == value, "what stood there before us is still known"

    bench.run(after)


def within_limits(point: PointId, value: Scalar | None) -> bool:
    limits = LIMITS.get(point)
    if limits is None:
        return isinstance(value, bool)
    return isinstance(value, (int, float)) and limits.holds(value)


@pytest.mark.fault("kill -9 in every phase of a write")
def test_a_kill_between_intent_and_bytes_does_not_give_the_lamp_up(tmp_path: Path) -> None:
    """The store already names the new value, the device still shows our old one: it is ours all the same."""
    bench = Bench(tmp_path)

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.ignore(BRIGHTNESS)  # the bytes never arrive
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(1.0)

    async def after(bench: Bench) -> None:
        await bench.wait(0.5)
        assert bench.daemon.writer.holdings[BRIGHTNESS].before == 1.0
        await bench.wait(10)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.9

    bench.run(life, kill=True)
    bench.plant.lights.ignored.clear()
    bench.plant.writes.clear()
    bench.run(after)
    assert bench.plant.written(LAMP_REMOTE)[:-1].count(False) == 0


@pytest.mark.fault("kill -9 between any two steps of a start and a steady run")
def test_a_chiller_that_ran_through_the_kill_keeps_its_minimum_on_time(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(310)
        await bench.command(CHILLER, True, 7200)
        await bench.wait(30)
        assert bench.plant.plant.value(CHILLER_STATUS) is True

    async def after(bench: Bench) -> None:
        await bench.wait(5)
        await bench.command(CHILLER, False)
        await bench.wait(500)
        assert bench.plant.plant.value(CHILLER) is True, "a restart never shortens a minimum time"
        await bench.wait(200)
        assert bench.plant.plant.value(CHILLER) is False

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.run(after)
