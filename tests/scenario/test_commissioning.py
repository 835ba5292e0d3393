"""A real site is Tidewatt's only once it was tested; until then people may command it, for a time, to test it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.commissioning import Result, item_called
from controller.core.event import EventKind
from controller.core.point import Binding, PointId
from controller.core.ports import Clock
from controller.core.sample import Sample
from controller.core.site import SimulationClock, Site
from controller.core.system import Authority
from controller.runtime.authorities import ALARM, AuthorityRefused
from controller.runtime.commissioning_records import FILE
from controller.runtime.operator import OperatorCommandRefused
from drivers.memory import MemoryDriver
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, LIGHT_POINTS, MOTION, Bench
from tests.real_bench import RealBench

GARAGE, PLANT = "garage", "plant"
HOUR = timedelta(hours=1)


def authorities(bench: Bench) -> list[tuple[object, object]]:
    """(who, authority) of each switch of the garage that this run has told."""
    return [(event.body["who"], event.body["authority"]) for event in bench.events(EventKind.AUTHORITY, GARAGE)]


# --- the gate ---------------------------------------------------------------------------------------------------------


def test_authority_is_refused_with_what_is_open(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(3)
        with pytest.raises(AuthorityRefused) as refused:
            await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        assert "system garage is not commissioned; 5 tests have not passed:" in str(refused.value)
        assert f"{BRIGHTNESS}:command: open" in str(refused.value)
        assert "tidewatt commission SITE sheet" in str(refused.value)
        await bench.wait(30)

    bench = RealBench(tmp_path, first_authority=Authority.ORIGINAL)
    assert bench.run(life)
    assert bench.plant.writes == []


def test_authority_is_accepted_once_everything_has_passed(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(3)
        daemon = bench.daemon
        silence = f"{LAMP_REMOTE}:silence"
        assert daemon.commissioning.why_not(GARAGE).count("\n") == 2, "one is left, and where to go on"
        with pytest.raises(AuthorityRefused, match=f"{silence}: open"):
            await daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        item = item_called(silence, daemon.commissioning.standings())
        await daemon.record_test(item, Result.FAILED, "Li Na", "never", "stays on")
        with pytest.raises(AuthorityRefused, match=f"{silence}: failed"):
            await daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        await daemon.record_test(item, Result.PASSED, "Li Na", "29.5 s")
        await daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        results = [event.body["result"] for event in bench.events(EventKind.COMMISSIONING, LAMP_REMOTE)]
        assert results == ["failed", "passed"]

    bench = RealBench(tmp_path, first_authority=Authority.ORIGINAL)
    bench.pass_everything(f"{LAMP_REMOTE}:silence")
    assert bench.run(life)


def test_a_site_that_wants_it_from_the_first_start_has_to_be_tested_first(tmp_path: Path) -> None:
    async def untested(bench: Bench) -> None:
        await bench.wait(30)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        assert bench.plant.writes == []
        assert bench.alarms(GARAGE) == [("not commissioned", "active")]

    async def tested(bench: Bench) -> None:
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        assert bench.alarms(GARAGE) == []

    bench = RealBench(tmp_path)
    assert bench.run(untested)
    bench.pass_everything()
    assert bench.run(tested)


def test_the_alarm_is_over_once_somebody_sees_to_it(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        await bench.daemon.set_authority(GARAGE, Authority.COMMISSIONING, "Li Na", HOUR)
        assert bench.alarms(GARAGE) == [("not commissioned", "active"), ("not commissioned", "cleared")]

    assert RealBench(tmp_path).run(life)


def not_commissioned(bench: Bench) -> set[str]:
    """The systems that somebody who looks at the alarms sees as not commissioned."""
    return {each.id.subject for each in bench.daemon.alarms.all if each.id.name == ALARM and each.standing.is_active}


def test_a_demoted_site_is_told_until_somebody_decides(tmp_path: Path) -> None:
    async def commissioned(bench: Bench) -> None:
        await bench.daemon.store.save_authority(GARAGE, Authority.TIDEWATT)
        await bench.wait(2)

    async def demoted(bench: Bench) -> None:
        await bench.wait(10)
        assert not_commissioned(bench) == {GARAGE}

    async def restarted(bench: Bench) -> None:
        await bench.wait(900)
        assert not_commissioned(bench) == {GARAGE}

    async def decided(bench: Bench) -> None:
        await bench.wait(5)
        await bench.daemon.set_authority(GARAGE, Authority.ORIGINAL, "Li Na")
        await bench.wait(5)
        assert not_commissioned(bench) == set()

    async def restarted_again(bench: Bench) -> None:
        await bench.wait(60)
        assert not_commissioned(bench) == set()

    bench = RealBench(tmp_path, first_authority=Authority.ORIGINAL)
    for life in (commissioned, demoted, restarted, decided, restarted_again):
        assert bench.run(life)


def test_what_was_changed_since_is_handed_back_at_the_next_start_until_a_person_says_so_again(tmp_path: Path) -> None:
    async def given(bench: Bench) -> None:
        await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        await bench.wait(5)

    async def changed(bench: Bench) -> None:
        await bench.wait(30)
        assert bench.daemon.authority == {GARAGE: Authority.ORIGINAL, PLANT: Authority.ORIGINAL}
        assert bench.plant.lights.value(LAMP_REMOTE) is False, "what an earlier run held is let go"
        assert authorities(bench) == [("Tidewatt", "original")]
        with pytest.raises(AuthorityRefused, match="hand_back: changed"):
            await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")

    async def tested_again(bench: Bench) -> None:
        await bench.wait(30)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL, "nobody has said so"
        await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    bench = RealBench(tmp_path, first_authority=Authority.ORIGINAL)
    bench.pass_everything()
    bench.run(given, kill=True)
    bench.systems = tuple(replace(system, release_within=timedelta(seconds=7)) for system in bench.systems)
    assert bench.run(changed)
    bench.pass_everything()
    assert bench.run(tested_again)


def test_records_that_cannot_be_read_prove_nothing(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        with pytest.raises(AuthorityRefused, match="1 columns instead of 7"):
            await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")

    bench = RealBench(tmp_path)
    bench.pass_everything()
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write("<<<<<<< HEAD\n")
    assert bench.run(life)


async def until(bench: Bench, holds: Callable[[], bool]) -> None:
    while not holds():
        await bench.wait(0.1)


# --- simulators -------------------------------------------------------------------------------------------------------


class SimulatedLights(RealBench):
    """The lights' gateway declares a simulation clock; `served` is what stands there."""

    served: tuple[object, object, object] = (77, 1_783_310_400_000, 1.0)

    def site(self) -> Site:
        site = super().site()
        lights, plant = site.links
        clock = SimulationClock(*(PointId(f"lights_gateway.simulation_{each}") for each in ("nonce", "time", "speed")))
        devices = tuple(replace(device, simulation=clock) for device in lights.devices)
        bindings = tuple(
            replace(lights.bindings[0], point=replace(LIGHT_POINTS[0], id=each)) for each in self.clock_points
        )
        return replace(site, links=(replace(lights, devices=devices, bindings=(*lights.bindings, *bindings)), plant))

    @property
    def clock_points(self) -> tuple[PointId, ...]:
        return tuple(PointId(f"lights_gateway.simulation_{each}") for each in ("nonce", "time", "speed"))

    def serve_clock(self) -> None:
        for point, value in zip(self.clock_points, self.served, strict=True):
            self.plant.lights.set(point, value)  # pyright: ignore[reportArgumentType]


def test_a_simulator_that_proves_itself_needs_no_tests(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.daemon.authority == {GARAGE: Authority.TIDEWATT, PLANT: Authority.ORIGINAL}
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    bench = SimulatedLights(tmp_path)
    bench.serve_clock()
    assert bench.run(life)


def test_a_simulator_that_comes_later_is_taken_over_when_it_has_proved_itself(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(30)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        bench.plant.lights.restore()
        await bench.wait(90)
        assert bench.daemon.authority[GARAGE] is Authority.TIDEWATT

    bench = SimulatedLights(tmp_path)
    bench.serve_clock()
    bench.plant.lights.drop()
    bench.run(life)


def test_what_never_proves_itself_is_told_and_asked_more_and_more_seldom(tmp_path: Path) -> None:
    """Real devices whose template has a simulation clock."""
    asked: list[float] = []

    class Counting(MemoryDriver):
        async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
            if bench.clock_points[0] in points:
                asked.append(bench.clock.monotonic())
            return await super().read(points)

    class CountingLights(SimulatedLights):
        def site(self) -> Site:
            site = super().site()
            lights, plant = site.links

            def open_on(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
                return Counting(link, connection, bindings, clock, self.plant.lights)

            return replace(site, links=(replace(lights, driver=replace(lights.driver, open=open_on)), plant))

    async def life(bench: Bench) -> None:
        await bench.wait(50)
        assert not_commissioned(bench) == {PLANT}, "a simulator may take its time"
        await bench.wait(30)
        assert not_commissioned(bench) == {PLANT, GARAGE}
        await bench.wait(720)
        assert not_commissioned(bench) == {PLANT, GARAGE}
        assert len(asked) < 30

    bench = CountingLights(tmp_path)
    bench.served = (0, 0, 0.0)
    bench.serve_clock()
    assert bench.run(life)


def test_a_proof_is_of_the_moment(tmp_path: Path) -> None:
    """A real device at the address where a simulator was has been tested by nobody."""
    bench = SimulatedLights(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        await bench.daemon.set_authority(GARAGE, Authority.ORIGINAL, "Li Na")
        await bench.wait(10)
        bench.served = (0, 0, 0.0)
        bench.serve_clock()
        with pytest.raises(AuthorityRefused, match="not commissioned"):
            await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL

    bench.serve_clock()
    assert bench.run(life)


def test_a_simulator_whose_link_is_being_opened_anew_can_prove_itself(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        await bench.daemon.set_authority(GARAGE, Authority.ORIGINAL, "Li Na")
        link = bench.daemon.links[0]
        await until(bench, lambda: link.session is not None and link.session.may_write != bench.daemon.rights.points)
        bench.plant.lights.hang()
        await until(bench, lambda: link.session is None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na"))
            await bench.wait(0.5)
            bench.plant.lights.resume()
        assert bench.daemon.authority[GARAGE] is Authority.TIDEWATT

    bench = SimulatedLights(tmp_path)
    bench.serve_clock()
    assert bench.run(life)


def test_who_asks_later_wins_over_who_still_waits_for_a_proof(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.hang()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(superseded(bench))
            await bench.wait(0.5)
            await bench.daemon.set_authority(GARAGE, Authority.ORIGINAL, "Wang Wei")
            await bench.wait(0.2)
            bench.plant.lights.resume()
        await bench.wait(10)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        assert await bench.daemon.store.load_authority() == {GARAGE: Authority.ORIGINAL}
        assert authorities(bench) == [("Wang Wei", "original")]

    async def superseded(bench: Bench) -> None:
        with pytest.raises(AuthorityRefused, match=r"superseded: .* garage, which is original now"):
            await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")

    bench = SimulatedLights(tmp_path, first_authority=Authority.ORIGINAL)
    bench.serve_clock()
    assert bench.run(life)


def test_what_has_been_tested_waits_for_no_proof(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.hang()
        began = bench.clock.monotonic()
        await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")
        assert bench.clock.monotonic() == began
        bench.plant.lights.resume()

    bench = SimulatedLights(tmp_path, first_authority=Authority.ORIGINAL)
    bench.pass_everything()
    assert bench.run(life)


@pytest.mark.parametrize(
    "served",
    [(0, 1_783_310_400_000, 1.0), (77, 0, 1.0), (77, 1_783_310_400_000, 0.0), (77, 1_783_310_400_000, 1e9)],
    ids=["no nonce", "no time", "stands still", "too fast"],
)
def test_a_device_that_only_says_so_is_real(tmp_path: Path, served: tuple[object, object, object]) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        with pytest.raises(AuthorityRefused, match="not commissioned"):
            await bench.daemon.set_authority(GARAGE, Authority.TIDEWATT, "Li Na")

    bench = SimulatedLights(tmp_path)
    bench.served = served
    bench.serve_clock()
    assert bench.run(life)


# --- commissioning ----------------------------------------------------------------------------------------------------


def test_under_commissioning_people_command_and_strategies_do_not(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(3)
        await bench.daemon.set_authority(GARAGE, Authority.COMMISSIONING, "Li Na", HOUR)
        await bench.wait(60)
        assert bench.plant.writes == [], "the strategy wishes 0.5"
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(5)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        await bench.daemon.relinquish(BRIGHTNESS, "Li Na")
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is False, "nobody has it but its own controls"
        assert bench.daemon.writer.holdings == {}
        with pytest.raises(OperatorCommandRefused, match="under its original controls"):
            await bench.command(next(each for each in bench.daemon.scan.controls if each.startswith("plant.")), True)

    assert RealBench(tmp_path, first_authority=Authority.ORIGINAL).run(life)


def test_commissioning_ends_by_itself_and_leaves_nothing_held(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(3)
        await bench.daemon.set_authority(GARAGE, Authority.COMMISSIONING, "Li Na", HOUR)
        await bench.command(BRIGHTNESS, 0.8, 7200)
        await bench.wait(1800)
        assert bench.daemon.authorities.remaining(GARAGE) == pytest.approx(1800, abs=2)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        await bench.wait(1810)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.daemon.writer.holdings == {}
        assert authorities(bench) == [("Li Na", "commissioning"), ("Tidewatt", "original")]

    assert RealBench(tmp_path, first_authority=Authority.ORIGINAL).run(life)


def test_a_restart_ends_commissioning(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(3)
        await bench.daemon.set_authority(GARAGE, Authority.COMMISSIONING, "Li Na", HOUR)
        await bench.command(BRIGHTNESS, 0.8, 3600)
        await bench.wait(10)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.daemon.authority[GARAGE] is Authority.ORIGINAL
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench = RealBench(tmp_path, first_authority=Authority.ORIGINAL)
    bench.run(life, kill=True)
    assert bench.run(after)


@pytest.mark.parametrize("lasting", [None, timedelta(0), timedelta(hours=13)])
def test_commissioning_needs_an_end_within_a_day_of_work(tmp_path: Path, lasting: timedelta | None) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(3)
        with pytest.raises(AuthorityRefused, match="needs an end, at most 12 h"):
            await bench.daemon.set_authority(GARAGE, Authority.COMMISSIONING, "Li Na", lasting)

    assert RealBench(tmp_path, first_authority=Authority.ORIGINAL).run(life)


class _SlowReads(MemoryDriver):
    """A line on which a poll takes eight seconds once there is motion; a write waits for its turn."""

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        if len(points) > 1 and self.far_side.value(MOTION):
            await asyncio.sleep(8.0)
        return await super().read(points)


def test_what_a_strategy_wished_before_is_not_written_under_commissioning(tmp_path: Path) -> None:
    class SlowBench(RealBench):
        def site(self) -> Site:
            site = super().site()
            lights, *others = site.links

            def open_on(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
                return _SlowReads(link, connection, bindings, clock, self.plant.lights)

            return replace(site, links=(replace(lights, driver=replace(lights.driver, open=open_on)), *others))

    async def life(bench: Bench) -> None:
        lights = bench.plant.lights
        await bench.wait(10)
        assert lights.value(LAMP_REMOTE) is True
        lights.set(MOTION, True)
        await bench.wait(20)
        lights.set(DEMAND, 0.9)
        while 0.9 not in bench.daemon.strategies[0].wishes.values():
            await bench.wait(0.1)
        await bench.wait(1)
        await bench.daemon.set_authority(GARAGE, Authority.COMMISSIONING, "Li Na", HOUR)
        await bench.wait(60)
        assert 0.9 not in bench.plant.written(BRIGHTNESS)
        assert lights.value(LAMP_REMOTE) is False

    bench = SlowBench(tmp_path)
    bench.pass_everything()
    assert bench.run(life)
