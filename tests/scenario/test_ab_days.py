"""A/B days: the lamps are the old controls' and ours by turns, and the tank is the same at each switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.ab_days import ABDays, EqualTank
from controller.core.event import EventKind
from controller.core.fire import FireInput
from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority
from controller.core.text import Text
from controller.core.units import Unit
from controller.core.wall_clock import Synchronization
from controller.runtime.authorities import AuthorityRefused
from controller.runtime.reload import Configuration, Result
from drivers.memory import MemoryAddress
from tests.bench import LAMP_REMOTE, LIGHTS, MOTION, Bench

LEVEL = PointId("plant.tank_1.stored_energy")
TANK_POINT = Point(LEVEL, PointKind.SENSOR, Unit.KILOWATT_HOUR, ValueType.NUMBER, timedelta(hours=1))
TANK = EqualTank(LEVEL, 150.0, timedelta(hours=3))
# 05:00 in Shanghai is 21:00 UTC of the day before.
DAYS = ABDays(("garage",), 1, date(2026, 12, 1), time(5, 0), TANK)
BEGINS = datetime(2026, 11, 30, 21, 0, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0
ORIGINAL, OURS = Authority.ORIGINAL, Authority.TIDEWATT


@dataclass
class ABBench(Bench):
    """Slow, so that days pass quickly."""

    now: datetime = BEGINS - timedelta(hours=1)
    lease: timedelta = timedelta(minutes=10)
    schedule: ABDays | None = DAYS
    fire: tuple[FireInput, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def site(self) -> Site:
        site = Bench.site(self)
        slow = timedelta(minutes=1)
        links = tuple(
            replace(
                link,
                devices=tuple(replace(each, poll_every=slow, points=(*each.points, *more)) for each in link.devices),
                bindings=tuple(
                    replace(each, point=replace(each.point, stale_after=timedelta(minutes=10)))
                    for each in (
                        *link.bindings,
                        *(Binding(TANK_POINT, link.devices[0].id, MemoryAddress()) for _ in more),
                    )
                ),
            )
            for link, more in ((each, (LEVEL,) if each.id == LIGHTS else ()) for each in site.links)
        )
        points = {each.point.id: each.point for link in links for each in link.bindings}
        return replace(
            site, links=links, points=points, scan_every=slow, ab_days=self.schedule, fire=self.fire, **self.changes
        )

    def hold(self, level: Scalar | None) -> None:
        self.plant.lights.set(LEVEL, level)

    def is_ours(self) -> bool:
        return self.plant.lights.value(LAMP_REMOTE) is True

    def told(self, step: str) -> list[Mapping[str, Any]]:
        return [each.body for each in self.events(EventKind.AB_DAYS, "garage") if each.body["step"] == step]

    def line(self) -> str:
        shown = self.daemon.ab_days.shown("garage")
        assert shown is not None
        return str(shown["en"])

    def at(self, day: int, hours: float = 0.0) -> None:
        """The next run begins then: hours after the switch of that day of the schedule."""
        self.now = BEGINS + timedelta(days=day - 1, hours=hours)


@pytest.fixture
def bench(tmp_path: Path) -> ABBench:
    bench = ABBench(tmp_path)
    bench.plant.lights.bind(bench.site().links[0].bindings)
    bench.hold(1000.0)
    return bench


@pytest.mark.slow
def test_days_alternate_and_the_tank_is_waited_for(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(HOUR / 2)
        assert bench.is_ours(), "before the first day people's decision counts alone"
        assert bench.line() == "A/B days begin 2026-12-01 05:00"
        await bench.wait(HOUR)
        assert not bench.is_ours()
        assert bench.line() == "A/B day 1: original until 2026-12-02 05:00"
        bench.hold(1100.0)
        await bench.wait(DAY)
        assert bench.is_ours()
        assert bench.line() == "A/B day 2: tidewatt until 2026-12-03 05:00"
        bench.hold(1400.0)
        await bench.wait(DAY)
        assert bench.is_ours(), "the tank is too full to be handed over"
        assert bench.line().endswith("at the latest 2026-12-03 08:00")
        bench.hold(860.0)
        await bench.wait(HOUR / 2)
        assert not bench.is_ours()
        bench.hold(None)
        await bench.wait(DAY)
        assert not bench.is_ours()
        await bench.wait(3 * HOUR)
        assert bench.is_ours(), "nobody waits for a tank for ever"

    assert bench.run(life)
    first, second, third, fourth = bench.told("switched")
    assert [each["side"] for each in bench.told("switched")] == ["original", "tidewatt", "original", "tidewatt"]
    assert [each["block"] for each in bench.told("switched")] == [1, 2, 3, 4]
    assert [each["equal"] for each in bench.told("switched")] == [True, True, True, False]
    assert first["planned"] == "2026-11-30T21:00:00+00:00"
    assert first["late_s"] <= 60
    assert (second["level"], second["level_at_first"], second["unit"]) == (1100.0, 1000.0, "kWh")
    assert (third["level"], third["level_at_first"]) == (860.0, 1000.0)
    assert 0.5 * HOUR <= third["late_s"] <= HOUR
    assert (fourth["level"], fourth["level_at_first"]) == (None, 1000.0)
    assert 3 * HOUR <= fourth["late_s"] <= 3 * HOUR + 60
    assert bench.told("disturbed") == []


@pytest.mark.parametrize("kill", [False, True])
def test_a_restart_finds_the_side_where_it_was(bench: ABBench, *, kill: bool) -> None:
    async def first_day(_: Bench) -> None:
        await bench.wait(2 * HOUR)
        assert not bench.is_ours()

    async def same_day(_: Bench) -> None:
        written = len(bench.plant.written(LAMP_REMOTE))
        await bench.wait(HOUR)
        assert len(bench.plant.written(LAMP_REMOTE)) == written, "not even for a moment"
        assert bench.told("switched") == []

    async def next_day(_: Bench) -> None:
        bench.hold(5000.0)
        await bench.wait(HOUR)
        assert not bench.is_ours(), "it still waits for what the tank held three days ago"
        bench.hold(1000.0)
        await bench.wait(HOUR)
        assert bench.is_ours()
        [told] = bench.told("switched")
        assert (told["block"], told["equal"], told["missed"]) == (4, True, 2)
        assert told["late_s"] > HOUR

    bench.run(first_day, kill=kill)
    bench.at(1, 20)
    bench.run(same_day, kill=kill)
    bench.at(4, 1 / 60)
    bench.run(next_day, kill=kill)


def test_a_kill_right_after_the_switch_forgets_nothing(bench: ABBench) -> None:
    async def switched(_: Bench) -> None:
        while not bench.told("switched"):
            await bench.wait(0.5)
        await bench.wait(0.5)

    async def again(_: Bench) -> None:
        await bench.wait(HOUR)
        assert bench.told("switched") == []
        shown = bench.daemon.ab_days.shown("garage")
        assert shown is not None
        assert (shown["side"], shown["level_at_first"]) == ("original", 1000.0)

    bench.run(switched, kill=True)
    bench.hold(5000.0)
    assert bench.run(again)


def test_a_switch_that_was_missed_happens_at_the_start(bench: ABBench) -> None:
    async def first_day(_: Bench) -> None:
        await bench.wait(2 * HOUR)

    async def late(_: Bench) -> None:
        await bench.wait(300)
        assert bench.is_ours()
        [told] = bench.told("switched")
        assert (told["block"], told["equal"]) == (2, False)
        assert told["late_s"] >= 10 * HOUR

    assert bench.run(first_day)
    bench.at(2, 10)
    bench.hold(5000.0)
    assert bench.run(late)


def test_a_person_suspends_it_and_gives_it_back(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(2 * HOUR)
        assert not bench.is_ours()
        await bench.daemon.set_authority("garage", OURS, "li.na")
        await bench.wait(300)
        assert bench.is_ours()
        assert "suspended since li.na decided" in bench.line()

    async def restarted(_: Bench) -> None:
        await bench.wait(HOUR)
        assert bench.is_ours()
        with pytest.raises(AuthorityRefused, match="system plant has no A/B days; name it under ab_days"):
            await bench.daemon.resume_ab_days("plant", "wang.wu")
        await bench.daemon.resume_ab_days("garage", "wang.wu")
        await bench.wait(300)
        assert not bench.is_ours()
        assert bench.daemon.authority["garage"] is ORIGINAL
        [resumed] = bench.told("resumed")
        assert (resumed["who"], resumed["suspended_by"], resumed["side"]) == ("wang.wu", "li.na", "original")
        await bench.wait(2 * HOUR)
        assert bench.is_ours(), "who gives it to the schedule gives it to us on our days"

    bench.run(life, kill=True)
    bench.at(5, 22.5)
    assert bench.run(restarted)


def test_it_never_gives_what_people_have_not(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.daemon.set_authority("garage", ORIGINAL, "li.na")
        await bench.wait(2 * HOUR)
        assert bench.daemon.authority["garage"] is ORIGINAL
        assert [each["reason"] for each in bench.told("disturbed")] == ["no person has given it to Tidewatt"]
        await bench.daemon.resume_ab_days("garage", "wang.wu")
        await bench.wait(300)
        assert bench.is_ours()

    bench.at(2)
    assert bench.run(life)


def test_other_vetoes_win_and_the_block_is_told_as_disturbed(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(2 * HOUR)
        assert bench.is_ours()
        bench.daemon.authorities.veto("garage", "exit latch", Text("latched", "锁定"))
        await bench.wait(HOUR)
        assert not bench.is_ours()
        with pytest.raises(AuthorityRefused, match="latched"):
            await bench.daemon.set_authority("garage", OURS, "li.na")
        with pytest.raises(AuthorityRefused, match="latched"):
            await bench.daemon.resume_ab_days("garage", "li.na")
        assert "suspended" not in bench.line(), "a decision that was refused is none"
        bench.daemon.authorities.lift_veto("garage", "exit latch")
        await bench.wait(HOUR)
        assert bench.is_ours()
        [told] = bench.told("disturbed")
        assert (told["reason"], told["block"], told["side"]) == ("latched", 2, "tidewatt")
        await bench.wait(2 * HOUR)
        assert not bench.is_ours()
        assert len(bench.told("disturbed")) == 1, "each block for itself"

    bench.at(2, 19.5)
    assert bench.run(life)


def test_a_fire_disturbs_both_sides(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(HOUR)
        bench.plant.lights.set(MOTION, True)
        await bench.wait(HOUR)
        assert [each["side"] for each in bench.told("disturbed")] == ["original"]

    bench.fire = (FireInput(MOTION, True, lights=(PointId("garage.group_1.brightness_command"),)),)
    bench.at(1)
    assert bench.run(life)


def test_a_wall_clock_that_nobody_trusts_holds_the_original_controls(bench: ABBench) -> None:
    is_kept = False

    async def life(_: Bench) -> None:
        nonlocal is_kept
        await bench.wait(HOUR)
        assert not bench.is_ours(), "nobody knows whose day it is"
        assert bench.told("switched") == []
        is_kept = True
        await bench.wait(HOUR)
        assert bench.is_ours()
        assert bench.told("switched")[-1]["block"] == 2

    bench.synchronization = lambda: Synchronization(is_now=is_kept, was=is_kept)
    bench.at(2)
    assert bench.run(life)


def test_taken_from_the_site_it_gives_the_system_back(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(HOUR)
        assert not bench.is_ours()
        bench.schedule = None
        outcome = await bench.daemon.reloads.request("li.na")
        assert outcome.result is Result.RELOADED
        await bench.wait(300)
        assert bench.is_ours()
        assert bench.daemon.ab_days.shown("garage") is None

    def load() -> Configuration:
        return Configuration(replace(bench.site(), digest="without"))

    bench.load = load
    bench.at(1)
    assert bench.run(life)


def test_a_reload_goes_on_in_the_same_block(bench: ABBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(HOUR)
        bench.hold(1400.0)
        bench.changes = {"name": "renamed"}
        assert (await bench.daemon.reloads.request("li.na")).result is Result.RELOADED
        await bench.wait(2 * HOUR)
        assert not bench.is_ours(), "it waits for what the tank held before the reload"
        assert len(bench.told("switched")) == 1

    def load() -> Configuration:
        return Configuration(replace(bench.site(), digest="renamed"))

    bench.load = load
    bench.at(1, 22)
    assert bench.run(life)
