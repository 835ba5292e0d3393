"""Who goes by the wall clock waits while nobody can say that it is right; everybody else goes on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.core.site import Site
from controller.core.wall_clock import Synchronization
from controller.runtime.reload import Configuration, Result
from controller.runtime.status import status
from controller.runtime.virtual_time import VirtualClock, VirtualLoop
from strategies import strategy_kind
from tests.bench import BRIGHTNESS, FOLLOW, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench

ALARM = "wall clock not trusted"


class SettableClock(VirtualClock):
    """A wall clock that somebody sets by `shift`."""

    shift = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.shift


@dataclass
class Machine:
    is_now: bool = True
    was: bool = True

    def __call__(self) -> Synchronization:
        return Synchronization(self.is_now, self.was)


@dataclass
class ClockBench(Bench):
    leans: bool = True
    is_free_running: bool = False
    machine: Machine = field(default_factory=Machine)

    def site(self) -> Site:
        site = Bench.site(self)
        kind = replace(FOLLOW, leans_on_wall_clock=self.leans)
        mounts = tuple(replace(mount, kind=kind) for mount in site.mounts)
        return replace(site, mounts=mounts, has_free_running_clock=self.is_free_running)

    def make_clock(self, loop: VirtualLoop) -> SettableClock:
        self.synchronization = self.machine
        return SettableClock(loop, self.now)

    def set_clock(self, **by: float) -> None:
        assert isinstance(self.clock, SettableClock)
        self.clock.shift += timedelta(**by)
        self.machine.is_now = False

    def is_lit_by_us(self) -> bool:
        return self.plant.lights.value(LAMP_REMOTE) is True


@pytest.mark.slow
def test_before_a_time_server_has_answered_nobody_goes_by_the_clock(tmp_path: Path) -> None:
    bench = ClockBench(tmp_path, machine=Machine(is_now=False, was=False))

    async def life(bench: Bench) -> None:
        assert isinstance(bench, ClockBench)
        await bench.command(PUMP, True)
        await bench.wait(100)
        assert not bench.is_lit_by_us()
        assert bench.plant.lights.value(BRIGHTNESS) == 1.0, "the original controls have the lamps, and they are on"
        assert bench.plant.plant.value(PUMP_REMOTE) is True, "what needs no clock goes on"
        assert (ALARM, "active") in bench.alarms("bench")
        shown = status(bench.daemon)["wall_clock_doubt"]
        assert isinstance(shown, dict)
        assert shown["en"] == "no time server has set the clock since the machine started"
        bench.machine.is_now = True
        await bench.wait(15)
        assert bench.is_lit_by_us(), "it recovers by itself"
        assert bench.alarms("bench")[-1] == (ALARM, "cleared")
        bench.machine.is_now = bench.machine.was = False
        await bench.wait(40_000)
        assert bench.is_lit_by_us(), "a network that is away for half a day makes no clock wrong"

    assert bench.run(life)


@pytest.mark.parametrize("hours", [-1, 1])
def test_nobody_decides_by_a_clock_that_was_just_set(tmp_path: Path, hours: int) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ClockBench)
        await bench.wait(20.5)
        assert bench.is_lit_by_us()
        decisions = bench.daemon.strategies[0].state.decisions
        bench.set_clock(hours=hours)
        await bench.wait(3)
        assert bench.daemon.strategies[0].state.decisions == decisions, "not one decision by the new time"
        assert not bench.is_lit_by_us()
        assert "waits: the wall clock is not trusted" in bench.daemon.strategies[0].reason.en
        bench.machine.is_now = True
        await bench.wait(15)
        assert bench.is_lit_by_us()

    assert ClockBench(tmp_path).run(life)


def test_a_box_without_a_battery_wakes_up_in_the_past(tmp_path: Path) -> None:
    """timesyncd set it once before the restart, which is no proof for the hour that it shows now."""

    async def before(bench: Bench) -> None:
        await bench.wait(1300)

    async def after(bench: Bench) -> None:
        assert isinstance(bench, ClockBench)
        await bench.wait(20)
        assert not bench.is_lit_by_us()

    bench = ClockBench(tmp_path)
    bench.run(before)
    bench.now -= timedelta(hours=1)
    bench.machine.is_now = False
    assert bench.run(after)


def test_who_needs_no_clock_takes_no_notice(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ClockBench)
        await bench.wait(10)
        bench.set_clock(hours=5)
        await bench.wait(60)
        assert bench.is_lit_by_us()

    assert ClockBench(tmp_path, leans=False, machine=Machine(is_now=False, was=False)).run(life)


def test_a_clock_that_people_keep_is_believed_ten_minutes_after_they_set_it(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        assert isinstance(bench, ClockBench)
        await bench.wait(20)
        assert bench.is_lit_by_us()
        bench.set_clock(hours=1)
        await bench.wait(590)
        assert not bench.is_lit_by_us()
        await bench.wait(30)
        assert bench.is_lit_by_us()

    machine = Machine(is_now=False, was=False)
    assert ClockBench(tmp_path, machine=machine, is_free_running=True).run(life)


def test_a_reload_neither_hides_the_doubt_nor_needs_a_restart_to_end_it(tmp_path: Path) -> None:
    bench = ClockBench(tmp_path, machine=Machine(is_now=False, was=False))
    site = bench.site()
    loads = [replace(site, name="renamed", digest="1"), replace(site, has_free_running_clock=True, digest="2")]
    bench.load = lambda: Configuration(loads.pop(0))

    async def life(bench: Bench) -> None:
        assert isinstance(bench, ClockBench)
        await bench.wait(10)
        assert (await bench.daemon.reloads.request("li.na")).result is Result.RELOADED
        await bench.wait(20)
        assert not bench.is_lit_by_us()
        assert (await bench.daemon.reloads.request("li.na")).result is Result.RELOADED
        await bench.wait(20)
        assert bench.is_lit_by_us()
        assert bench.daemon.clock_watch.doubt is None

    assert bench.run(life)


@pytest.mark.parametrize("name", ["sunset_lighting", "tidal_lighting", "chilled_water_storage"])
def test_sun_calendar_and_tariff_lean_on_the_clock(name: str) -> None:
    kind = strategy_kind(name)
    assert kind is not None
    assert kind.leans_on_wall_clock
