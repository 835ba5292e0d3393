"""What the guard counts is counted by the whole daemon: over crashes, over midnight, and never against life safety."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from controller.core.command import Command, Priority
from controller.core.point import Limits, NothingHappens, PointId, SafeValue, Wear
from controller.core.sample import Quality, Scalar
from controller.core.site import Site
from controller.core.system import Authority, Condition, Exclusion, Member
from controller.core.text import NO_TEXT
from controller.runtime.daemon import SAVE_STATES_EVERY_S
from controller.runtime.reload import Configuration, Result
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    DEMAND,
    LAMP_REMOTE,
    PUMP,
    PUMP_REMOTE,
    PUMP_STATUS,
    START,
    SYSTEMS,
    Bench,
    with_system,
)
from tests.scenario.test_fire import FAN, FireBench

SHEET = "Drive manual, p. 31"
HOUR_S = 3600.0
SHORTLY_BEFORE_MIDNIGHT = datetime(2026, 7, 6, 15, 57, tzinfo=UTC)
ONE_START = Limits(starts_per_hour=1, source="Chiller sheet, p. 12")
EEPROM = Wear(writes_per_day=4, source=SHEET)


def with_written(site: Site, id_: PointId, **changes: Any) -> Site:
    """The site with something else declared of how the point is written."""
    point = site.points[id_]
    assert point.writable is not None
    return replace(site, points={**site.points, id_: replace(point, writable=replace(point.writable, **changes))})


@dataclass
class LimitedBench(Bench):
    """Points written under other limits."""

    changed: Mapping[PointId, Mapping[str, Any]] = field(default_factory=dict[PointId, Mapping[str, Any]])

    def site(self) -> Site:
        site = super().site()
        for id_, changes in self.changed.items():
            site = with_written(site, id_, **changes)
        return site


async def reloaded(bench: Bench) -> None:
    """The same site under another hash."""
    outcome = await bench.daemon.reloads.request("operator")
    assert outcome.result is Result.RELOADED


def limit_of(bench: Bench, point: PointId) -> str:
    return bench.daemon.scan.controls[point].limit.en


def protect(bench: Bench, point: PointId, value: Scalar) -> None:
    """A wish of life safety, as a fire makes it."""
    control = bench.daemon.scan.controls[point]
    command = Command(point, value, Priority.AUTOMATIC_LIFE_SAFETY, "fire", math.inf, NO_TEXT)
    control.array = control.array.with_command(command)


# --- starts per hour --------------------------------------------------------------------------------------------------


def chiller_with_one_start(tmp_path: Path) -> Bench:
    return LimitedBench(tmp_path, changed={CHILLER: {"limits": ONE_START}})


async def start_and_stop(bench: Bench) -> None:
    await bench.command(PUMP, True, 3 * HOUR_S)
    await bench.wait(5)
    await bench.command(CHILLER, True, 3 * HOUR_S)
    await bench.wait(5)
    assert bench.plant.plant.value(CHILLER_STATUS) is True
    await bench.command(CHILLER, False, 3 * HOUR_S)
    await bench.wait(30)
    assert bench.plant.plant.value(CHILLER_STATUS) is False


@pytest.mark.parametrize("is_killed", [False, True])
def test_starts_of_the_last_hour_survive_a_restart(tmp_path: Path, *, is_killed: bool) -> None:
    async def again(bench: Bench) -> None:
        await bench.command(PUMP, True, 3 * HOUR_S)
        await bench.command(CHILLER, True, 3 * HOUR_S)
        await bench.wait(120)
        assert bench.plant.plant.value(CHILLER_STATUS) is False
        told = limit_of(bench, CHILLER)
        assert told.endswith("1 starts in the last hour, 1 are allowed (sheet: Chiller sheet, p. 12)")
        started = START + timedelta(seconds=7)
        remaining = HOUR_S - (bench.clock.now() - started).total_seconds()
        assert int(re.findall(r"another (\d+) s", told)[0]) == pytest.approx(remaining, abs=3)

    bench = chiller_with_one_start(tmp_path)
    bench.run(start_and_stop, kill=is_killed)
    bench.run(again)


def test_starts_and_writes_survive_a_reload(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_and_stop(bench)
        await demand(bench, 0.6, 0.7, 0.8)
        await reloaded(bench)
        await bench.command(CHILLER, True)
        await demand(bench, 0.9, 0.3)
        assert bench.plant.plant.value(CHILLER_STATUS) is False
        assert "1 starts in the last hour" in limit_of(bench, CHILLER)
        assert bench.plant.written(BRIGHTNESS) == [0.5, 0.6, 0.7, 0.8]

    def another() -> Configuration:
        return Configuration(replace(bench.site(), digest="another"))

    changed = {CHILLER: {"limits": ONE_START}, BRIGHTNESS: {"wear": EEPROM, "limits": Limits()}}
    bench = LimitedBench(tmp_path, changed=changed, load=another)
    bench.run(life)


def test_a_machine_that_runs_through_a_crash_has_not_started_again(tmp_path: Path) -> None:
    async def start(bench: Bench) -> None:
        await bench.command(PUMP, True, 3 * HOUR_S)
        await bench.wait(5)
        await bench.command(CHILLER, True, 3 * HOUR_S)
        await bench.wait(30)

    async def go_on(bench: Bench) -> None:
        await bench.wait(30)
        for value in (False, True, False):
            await bench.command(CHILLER, value, 3 * HOUR_S)
            await bench.wait(5)
            assert bench.plant.plant.value(CHILLER_STATUS) is value
        await bench.command(CHILLER, True, 3 * HOUR_S)
        await bench.wait(5)
        assert bench.plant.plant.value(CHILLER_STATUS) is False

    bench = LimitedBench(tmp_path, changed={CHILLER: {"limits": Limits(starts_per_hour=2)}})
    bench.run(start, kill=True)
    bench.run(go_on)


def test_what_protects_starts_a_machine_in_the_same_scan(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_and_stop(bench)
        await bench.command(CHILLER, True)
        await bench.wait(5)
        assert limit_of(bench, CHILLER)
        scans = bench.daemon.scan.count
        protect(bench, CHILLER, True)
        bench.daemon.scan.request_early()
        await bench.wait(0.15)
        assert bench.daemon.scan.count == scans + 1
        assert bench.plant.plant.value(CHILLER_STATUS) is True

    chiller_with_one_start(tmp_path).run(life)


# --- registers that wear ----------------------------------------------------------------------------------------------


def worn_lamp(tmp_path: Path, wear: Wear = EEPROM) -> Bench:
    """A dimmer whose brightness lives in an EEPROM; dark is as good as bright, or light could always rise."""
    return LimitedBench(tmp_path, changed={BRIGHTNESS: {"wear": wear, "limits": Limits()}})


async def demand(bench: Bench, *values: float) -> None:
    for value in values:
        bench.plant.lights.set(DEMAND, value)
        await bench.wait(3)


async def until_midnight(bench: Bench, seconds_before: float) -> None:
    local = bench.clock.now().astimezone(bench.daemon.site.zone)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    await bench.wait((midnight - local).total_seconds() - seconds_before)


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_day_s_writes_survive_a_restart_and_end_at_local_midnight(tmp_path: Path, *, is_killed: bool) -> None:
    async def spend(bench: Bench) -> None:
        await bench.wait(SAVE_STATES_EVERY_S + 1)  # what is counted now is stored with the write, or lost
        await demand(bench, 0.6, 0.7)
        assert bench.plant.written(BRIGHTNESS) == [0.5, 0.6, 0.7]

    async def spent(bench: Bench) -> None:
        await bench.wait(5)
        await demand(bench, 0.8, 0.9, 0.3)
        await until_midnight(bench, 2)
        written = bench.plant.written(BRIGHTNESS)
        assert len(written) <= 4
        if is_killed:  # the lamp's own time-out has not let it go yet: it is still ours
            assert written == [0.5, 0.6, 0.7, 0.8]
            assert limit_of(bench, BRIGHTNESS) == (
                f"not written: the day's 4 writes of this register are spent (sheet: {SHEET})"
            )
        await bench.wait(5)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.3

    bench = worn_lamp(tmp_path)
    bench.now = SHORTLY_BEFORE_MIDNIGHT
    bench.run(spend, kill=is_killed)
    bench.run(spent)


def test_what_stands_at_the_device_is_no_write(tmp_path: Path) -> None:
    """The remote bit keeps the lamp ours; the register is left alone for hours."""

    async def life(bench: Bench) -> None:
        await bench.wait(900)
        await demand(bench, 0.6)
        assert bench.plant.written(BRIGHTNESS) == [0.5, 0.6]

    worn_lamp(tmp_path, Wear(writes_per_day=2)).run(life)


def test_a_write_that_is_ignored_is_not_repeated_for_ever(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.ignore(BRIGHTNESS)
        await demand(bench, 0.6)
        await bench.wait(900)
        assert len(bench.plant.written(BRIGHTNESS)) == 4

    worn_lamp(tmp_path).run(life)


def test_from_one_write_to_the_next_there_is_time(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        times: list[float] = []
        bench.plant.lights.on_write = lambda point, _: (
            times.append(bench.clock.monotonic()) if point == BRIGHTNESS else None
        )
        for step in range(100):
            await demand(bench, 0.2 + 0.005 * step)
        assert len(times) >= 4
        assert all(later - earlier >= 60 for earlier, later in pairwise(times))
        await bench.wait(60)
        assert bench.plant.lights.value(BRIGHTNESS) == pytest.approx(0.695)

    worn_lamp(tmp_path, Wear(minimum_interval=timedelta(minutes=1))).run(life)


def test_a_spent_budget_then_life_safety_then_release_each_within_one_scan(tmp_path: Path) -> None:
    """The value that lets go is one more write of the register."""

    async def life(bench: Bench) -> None:
        await bench.wait(5)
        await demand(bench, 0.6, 0.7, 0.8, 0.9)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        scans = bench.daemon.scan.count
        protect(bench, BRIGHTNESS, 0.2)
        bench.daemon.scan.request_early()
        await bench.wait(0.15)
        assert bench.daemon.scan.count == scans + 1
        assert bench.plant.lights.value(BRIGHTNESS) == 0.2
        scans = bench.daemon.scan.count
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "operator")
        await bench.wait(0.3)
        assert bench.daemon.scan.count == scans + 1
        assert bench.plant.written(BRIGHTNESS) == [0.5, 0.6, 0.7, 0.8, 0.2, 1.0]

    stays = {"wear": EEPROM, "limits": Limits(), "release": SafeValue(1.0), "on_silence": NothingHappens()}
    assert LimitedBench(tmp_path, changed={BRIGHTNESS: stays}).run(life)


class WornFireBench(FireBench):
    """The lamps' brightness lives in a register that wears, and its writes of the day are few."""

    def site(self) -> Site:
        return with_written(super().site(), BRIGHTNESS, wear=EEPROM)


@pytest.mark.fault("spent write budget, then fire, then release")
def test_a_spent_budget_then_fire_then_release_each_within_one_scan(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.wait(5)
        await demand(bench, 0.6, 0.7, 0.3, 0.2)
        assert bench.shown(BRIGHTNESS) == 0.3, "spent"
        assert limit_of(bench, BRIGHTNESS)
        bench.fire(burns=True)
        await bench.wait(2)  # to be read, and to be decided on
        assert bench.shown(BRIGHTNESS) == 1.0
        scans = bench.daemon.scan.count
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "operator")
        await bench.wait(0.3)
        assert bench.daemon.scan.count == scans + 1
        assert bench.shown(LAMP_REMOTE) is False

    WornFireBench(tmp_path).live(life)


# --- mutual exclusion -------------------------------------------------------------------------------------------------


def exclusive(tmp_path: Path) -> Bench:
    """A chiller and a pump that may not both run."""
    exclusion = Exclusion((Member(CHILLER), Member(PUMP, Condition(PUMP_STATUS, False))))
    systems = with_system(SYSTEMS, "plant", permissives=(), exclusions=(exclusion,))
    return LimitedBench(tmp_path, systems=systems, changed={CHILLER: {"limits": Limits()}})


def test_of_two_machines_wished_at_once_one_runs(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        plant = bench.plant.plant
        both: list[bool] = []
        record = plant.on_write

        def written(point: PointId, value: Scalar | None) -> None:
            assert record is not None
            record(point, value)
            both.append(bool(plant.value(CHILLER_STATUS) and plant.value(PUMP_STATUS)))

        plant.on_write = written
        await bench.command(PUMP, True)
        await bench.command(CHILLER, True)
        await bench.wait(60)
        assert (plant.value(CHILLER_STATUS), plant.value(PUMP_STATUS)) == (True, False)
        assert limit_of(bench, PUMP) == f"off: gives way to {CHILLER}, both may not be on"
        protect(bench, PUMP, True)
        await bench.wait(60)
        assert (plant.value(CHILLER_STATUS), plant.value(PUMP_STATUS)) == (False, True)
        assert both
        assert not any(both)

    exclusive(tmp_path).run(life)


def test_what_was_told_to_run_counts_as_on_before_it_shows(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        plant = bench.plant.plant
        starts: list[Scalar | None] = []
        plant.on_write = lambda point, value: (
            starts.append(plant.value(PUMP)) if (point, value) == (CHILLER, True) else None
        )
        await bench.command(PUMP, True)
        await bench.wait(10)
        assert (plant.value(PUMP), plant.value(PUMP_STATUS)) == (True, False)
        protect(bench, CHILLER, True)
        await bench.wait(10)
        assert starts == [False], "the pump was told to stop before the chiller was told to start"

    exclusive(tmp_path).run(life)


@pytest.mark.parametrize("shown", [True, None])
def test_a_start_waits_until_the_other_is_proven_off(tmp_path: Path, shown: bool | None) -> None:
    """The other runs under its own controls, or nobody knows."""

    async def life(bench: Bench) -> None:
        plant = bench.plant.plant
        if shown is None:
            plant.set(PUMP_STATUS, None, Quality.BAD, "no answer")
        else:
            plant.set(PUMP_STATUS, shown)
        await bench.wait(60)
        await bench.command(CHILLER, True)
        await bench.wait(60)
        assert plant.value(CHILLER_STATUS) is False
        assert limit_of(bench, CHILLER).startswith(f"not started: {PUMP} is {'on' if shown else 'not proven off'}")
        plant.set(PUMP_STATUS, False)
        await bench.wait(5)
        assert plant.value(CHILLER_STATUS) is True
        plant.set(PUMP_STATUS, True)
        await bench.wait(5)
        assert plant.value(CHILLER_STATUS) is False
        assert plant.value(CHILLER_REMOTE) is True
        assert plant.value(PUMP_REMOTE) is False

    exclusive(tmp_path).run(life)


class TwoLinksBench(FireBench):
    """The chiller and a fan behind another gateway may not both run."""

    def __post_init__(self) -> None:
        super().__post_init__()
        exclusion = Exclusion((Member(CHILLER, Condition(CHILLER_STATUS, False)), Member(FAN)))
        self.systems = with_system(self.systems, "plant", permissives=(), exclusions=(exclusion,))

    def site(self) -> Site:
        return with_written(super().site(), CHILLER, limits=Limits())


def test_what_is_on_its_way_counts_as_on(tmp_path: Path) -> None:
    """A start that waits for a gateway which hangs arrives all the same, later."""

    async def life(bench: FireBench) -> None:
        plant, scan = bench.plant.plant, bench.daemon.scan
        await bench.wait(5.5)
        plant.hang()
        await bench.wait(0.7)  # the next poll has the line, and waits for its answer
        await bench.command(CHILLER, True)
        scan.request_early()
        await bench.wait(0.2)
        assert CHILLER not in bench.daemon.writer.holdings, "not a byte has left"
        protect(bench, FAN, True)
        scan.request_early()
        await bench.wait(0.2)
        plant.resume()
        await bench.wait(0.1)
        assert plant.value(CHILLER) is True
        assert bench.shown(FAN) is False
        assert limit_of(bench, FAN) == f"not started: {CHILLER} is on, both may not be on"
        await bench.wait(60)
        assert plant.value(CHILLER_STATUS) is False
        assert bench.shown(FAN) is True

    TwoLinksBench(tmp_path).live(life)


BLIND = {CHILLER_STATUS, PUMP_STATUS}


@pytest.mark.parametrize("interlock", ["permissive", "exclusion"])
def test_a_machine_that_nobody_sees_is_not_taken_only_to_be_stopped(tmp_path: Path, interlock: str) -> None:
    """It may run by its own controls: what is not known blocks our start, and no more."""

    async def life(bench: Bench) -> None:
        await bench.wait(5)
        await bench.command(CHILLER, True)
        await bench.wait(30)
        assert bench.plant.written(CHILLER) == bench.plant.written(CHILLER_REMOTE) == []
        assert "is not" in limit_of(bench, CHILLER)
        for point in BLIND:
            bench.plant.plant.set(point, point == CHILLER_STATUS, Quality.GOOD)
        bench.plant.plant.set(PUMP_STATUS, interlock == "permissive")
        await bench.wait(5)
        assert bench.plant.plant.value(CHILLER_REMOTE) is True
        assert bench.plant.written(CHILLER) == [True]

    bench = Bench(tmp_path)
    if interlock == "exclusion":
        exclusion = Exclusion((Member(CHILLER), Member(PUMP, Condition(PUMP_STATUS, False))))
        bench.systems = with_system(SYSTEMS, "plant", permissives=(), exclusions=(exclusion,))
    for point in BLIND:
        bench.plant.plant.set(point, True, Quality.BAD, "no answer")
    assert bench.run(life)
