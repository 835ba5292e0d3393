"""A fire: lights full and nobody may dim, ventilation and chillers let go within one scan, until a person resets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controller.cli import explain as explain_command
from controller.cli import fire as fire_command
from controller.core.event import EventKind
from controller.core.fire import FireInput
from controller.core.point import (
    DeviceTimeout,
    Limits,
    Point,
    PointId,
    PointKind,
    Range,
    RemoteBit,
    SafeValue,
    ValueType,
    Wear,
    Writable,
)
from controller.core.sample import Quality, Scalar
from controller.core.site import Site
from controller.core.strategy import Mode
from controller.core.system import Authority, ReleaseStep
from controller.core.units import Unit
from controller.runtime import point_status, status
from controller.runtime.fire import FireResetRefused
from controller.runtime.reload import Configuration, Result
from controller.runtime.silence_measurement import Phase
from drivers.memory import MemoryFarSide
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    DEMAND,
    LAMP_REMOTE,
    LIGHT_POINTS,
    LIGHTS,
    PUMP,
    PUMP_REMOTE,
    SYSTEMS,
    Bench,
    link_of,
    with_system,
)
from tests.real_bench import RealBench
from tests.scenario.silence_bench import LAMPS, begin, watched
from tests.scenario.test_disk_trouble import fill_the_disk

PANEL = PointId("building.fire_alarm_panel_1.fire_alarm")
EXIT = PointId("garage.exit_1.command")
FAN = PointId("garage.exhaust_fan_1.command")
FAN_REMOTE = PointId("garage.exhaust_fan_1.remote")
DAMPER = PointId("garage.damper_1.position_command")
JET = PointId("garage.jet_fan_1.command")

_SILENCE = DeviceTimeout(timedelta(seconds=30))
# Everything that the guard may hold back for long.
_KEEPS_RUNNING = Limits(minimum_on=timedelta(minutes=2))
YIELD = timedelta(minutes=1)
_STAYS_DARK = Limits(minimum_off=timedelta(hours=1))


def _command(id_: PointId, release: SafeValue | RemoteBit, limits: Limits, type: ValueType) -> Point:
    unit = Unit.FRACTION if type is ValueType.NUMBER else Unit.NONE
    writable = Writable(Range(0, 1), release, _SILENCE, id_, limits=limits)
    return Point(id_, PointKind.COMMAND, unit, type, writable=writable)


GARAGE_POINTS = (
    _command(EXIT, SafeValue(True), _STAYS_DARK, ValueType.BOOLEAN),
    _command(FAN, RemoteBit(FAN_REMOTE), _KEEPS_RUNNING, ValueType.BOOLEAN),
    _command(FAN_REMOTE, SafeValue(False), Limits(), ValueType.BOOLEAN),
    _command(DAMPER, SafeValue(1.0), Limits(maximum_rate=0.001), ValueType.NUMBER),
    _command(JET, SafeValue(False), Limits(), ValueType.BOOLEAN),
)
# Normally closed: open is fire.
PANEL_POINT = Point(
    PANEL, PointKind.STATUS, Unit.NONE, ValueType.BOOLEAN, stale_after=timedelta(seconds=5), urgent=True
)
OWNED = (BRIGHTNESS, LAMP_REMOTE, *(point.id for point in GARAGE_POINTS))
INPUT = FireInput(PANEL, False, (BRIGHTNESS, EXIT), (FAN, DAMPER, JET), (CHILLER, PUMP))


class FireBench(Bench):
    """The bench with a fire panel, a lamp at the exit, fans and a damper, all of them slow to move."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.panel = MemoryFarSide()
        self.lights = link_of(LIGHTS, self.plant.lights, (*LIGHT_POINTS, *GARAGE_POINTS))
        self.panel_link = link_of("panel", self.panel, (PANEL_POINT,))
        self.plant.lights.bind(self.lights.bindings)
        self.panel.bind(self.panel_link.bindings)
        self.panel.set(PANEL, True)
        before: dict[PointId, Scalar] = {EXIT: False, FAN: False, FAN_REMOTE: False, DAMPER: 0.2, JET: False}
        for point, value in before.items():
            self.plant.lights.set(point, value)
        self.systems = with_system(SYSTEMS, "garage", points=OWNED, release=(ReleaseStep(OWNED),), yield_for=YIELD)

    def site(self) -> Site:
        site = super().site()
        points = {**site.points, **{point.id: point for point in (*GARAGE_POINTS, PANEL_POINT)}}
        links = (self.lights, site.links[1], self.panel_link)
        return replace(site, points=points, links=links, fire=(INPUT,))

    def live(self, life: Callable[[FireBench], Awaitable[None]], *, kill: bool = False) -> bool:
        async def lived(_: Bench) -> None:
            await life(self)

        return self.run(lived, kill=kill)

    def fire(self, *, burns: bool) -> None:
        self.panel.set(PANEL, not burns)

    @property
    def state(self) -> str:
        return self.daemon.fire.all[0].standing.state.value

    def shown(self, point: PointId) -> Scalar | None:
        return self.plant.lights.value(point)

    async def take_the_garage(self) -> None:
        """Lamps as the desk wants them, the fan on and the damper on its way, by an operator."""
        await self.wait(5)
        await self.command(FAN, True, 36_000)
        await self.command(DAMPER, 0.9, 36_000)
        await self.wait(10)
        assert (self.shown(BRIGHTNESS), self.shown(FAN), self.shown(FAN_REMOTE)) == (0.5, True, True)


def test_lights_full_and_fans_let_go_within_one_scan(tmp_path: Path) -> None:
    """Whatever the guard would hold back: minimum times, rates; a fan and its remote bit in the same scan."""

    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        await bench.command(EXIT, False, 3600)
        await bench.wait(5)
        assert bench.shown(EXIT) is False
        bench.fire(burns=True)
        bench.plant.writes.clear()
        while bench.state == "normal":
            await bench.wait(0.01)
        seen = bench.daemon.scan.count
        await bench.wait(0.05)
        assert bench.daemon.scan.count == seen  # no second scan was needed
        assert (bench.shown(BRIGHTNESS), bench.shown(EXIT)) == (1.0, True)
        assert bench.shown(FAN_REMOTE) is False
        assert bench.shown(DAMPER) == 1.0  # its safe value, at once
        assert bench.plant.written(FAN) == []

    assert FireBench(tmp_path).live(life)


def test_it_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")

    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.fire(burns=True)
        await bench.wait(5)
        lamp = "\n".join(explain_command.told(point_status.explain(bench.daemon, BRIGHTNESS), "en"))
        assert f"fire:{PANEL}: 100 %, level 2 (automatic life safety)" in lamp
        assert "held back  strategy:desk: 50 %" in lamp
        fan = "\n".join(explain_command.told(point_status.explain(bench.daemon, FAN), "zh"))
        assert "消防联动：已释放，人工复位前不写入" in fan
        assert "fire input fire" in "\n".join(explain_command.told(point_status.explain(bench.daemon, PANEL), "en"))
        (shown,) = status.status(bench.daemon)["fire"]  # type: ignore[misc]
        lines = fire_command.told(shown, ZoneInfo("Asia/Shanghai"), "en")  # type: ignore[arg-type]
        assert lines == [
            f"{PANEL}: fire, not reset since 2026-07-06 12:00:16",
            "  lights up: 2; ventilation let go: 3; cooling plant let go: 2 points",
        ]
        assert bench.alarms(PANEL) == [("fire", "active")]

    assert FireBench(tmp_path).live(life)


@pytest.mark.parametrize("mode", [Mode.AUTO, Mode.SHADOW])
def test_nobody_may_dim(tmp_path: Path, mode: Mode) -> None:
    async def life(bench: FireBench) -> None:
        await bench.wait(5)
        bench.fire(burns=True)
        await bench.wait(3)
        bench.plant.writes.clear()
        await bench.command(BRIGHTNESS, 0.2)
        await bench.command(EXIT, False)
        bench.plant.lights.set(DEMAND, 0.1)
        await bench.wait(180)  # for longer than any lease of ours
        assert (bench.shown(BRIGHTNESS), bench.shown(EXIT)) == (1.0, True)
        assert set(bench.plant.written(BRIGHTNESS)) <= {1.0}
        assert set(bench.plant.written(EXIT)) <= {True}

    bench = FireBench(tmp_path)
    bench.mode = mode
    assert bench.live(life)


def test_what_was_let_go_waits_for_a_person(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.fire(burns=True)
        await bench.wait(30)
        with pytest.raises(FireResetRefused, match="still says fire"):
            await bench.daemon.fire.reset(None, "li na")
        bench.fire(burns=False)
        bench.plant.writes.clear()
        await bench.wait(600)
        assert bench.state == "waiting for reset"
        assert (bench.shown(BRIGHTNESS), bench.shown(FAN_REMOTE)) == (1.0, False)
        assert bench.plant.written(FAN) == bench.plant.written(FAN_REMOTE) == bench.plant.written(DAMPER) == []
        assert await bench.daemon.fire.reset(None, "li na") == [PANEL]
        await bench.wait(5)
        assert (bench.shown(BRIGHTNESS), bench.shown(FAN), bench.shown(FAN_REMOTE)) == (0.5, True, True)
        told = [(event.body["state"], event.body.get("who")) for event in bench.events(EventKind.FIRE, PANEL)]
        assert told == [("fire", None), ("waiting for reset", None), ("normal", "li na")]
        assert bench.alarms(PANEL)[-1] == ("fire", "returned")

    assert FireBench(tmp_path).live(life)


def test_a_crash_does_not_forget_a_fire(tmp_path: Path) -> None:
    async def burning(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.fire(burns=True)
        await bench.wait(2)

    async def restarted(bench: FireBench) -> None:
        await bench.wait(60)
        assert bench.state == "waiting for reset"
        assert bench.alarms(PANEL) == [("fire", "active")]
        assert (bench.shown(BRIGHTNESS), bench.shown(FAN_REMOTE)) == (1.0, False)
        assert bench.plant.written(FAN) == []
        await bench.daemon.fire.reset(PANEL, "li na")
        await bench.wait(5)
        assert bench.shown(FAN_REMOTE) is True  # the operator's command has not ended

    async def once_more(bench: FireBench) -> None:
        await bench.wait(10)
        assert bench.state == "normal"

    bench = FireBench(tmp_path)
    bench.live(burning, kill=True)
    bench.fire(burns=False)
    bench.plant.writes.clear()
    bench.live(restarted, kill=True)
    bench.live(once_more)


@pytest.mark.parametrize("how", ["link", "device", "doubtful"])
def test_a_lost_input_counts_as_fire_for_lights_and_freezes_fans(tmp_path: Path, how: str) -> None:
    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        if how == "link":
            bench.panel.drop()
        else:
            quality = Quality.BAD if how == "device" else Quality.UNCERTAIN
            bench.panel.set(PANEL, True, quality, "its device says so")
        await bench.wait(3)
        assert bench.state == "fire input lost"
        assert bench.shown(BRIGHTNESS) == 1.0
        opened = bench.shown(DAMPER)
        bench.plant.writes.clear()
        await bench.command(FAN, False, 36_000)
        await bench.command(DAMPER, 0.1, 36_000)
        await bench.command(JET, True, 36_000)
        await bench.wait(180)  # beyond the fan's minimum time
        assert (bench.shown(FAN), bench.shown(FAN_REMOTE)) == (True, True)
        assert set(bench.plant.written(FAN)) | set(bench.plant.written(FAN_REMOTE)) <= {True}
        assert bench.shown(DAMPER) == opened
        assert bench.plant.written(JET) == []
        assert bench.alarms(PANEL) == [("fire input lost", "active")]
        bench.panel.restore()
        bench.fire(burns=False)
        await bench.wait(100)
        assert bench.state == "normal"
        assert (bench.shown(BRIGHTNESS), bench.shown(FAN)) == (0.5, False)

    assert FireBench(tmp_path).live(life)


def test_what_is_frozen_goes_on_from_where_it_stood(tmp_path: Path) -> None:
    """No step of ten minutes' rate once the input is back; and whoever overrides meanwhile is left alone."""

    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.panel.drop()
        await bench.wait(5)
        opened = bench.shown(DAMPER)
        assert isinstance(opened, float)
        await bench.command(CHILLER, True, 36_000)  # without its pump: a limit that acts, and no scan rests
        await bench.wait(600)
        bench.plant.lights.set(FAN, False)  # a person at the fan
        await bench.wait(180)
        assert bench.shown(FAN) is False
        bench.panel.restore()
        while bench.state != "normal":
            await bench.wait(1)
        await bench.wait(3)
        assert bench.shown(DAMPER) == pytest.approx(opened, abs=0.006)

    assert FireBench(tmp_path).live(life)


def test_an_input_that_flaps_moves_nothing_twice(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.plant.writes.clear()
        for second in range(120):
            bench.fire(burns=second % 2 == 0)
            await bench.wait(1)
        assert bench.plant.written(BRIGHTNESS) == [1.0]
        assert bench.plant.written(FAN_REMOTE) == [False]
        assert len(bench.events(EventKind.FIRE, PANEL)) == 1
        with pytest.raises(FireResetRefused):
            await bench.daemon.fire.reset(None, "li na")

    assert FireBench(tmp_path).live(life)


def test_the_original_controls_are_not_disturbed(tmp_path: Path) -> None:
    """A fire is no reason to take anything over."""

    async def life(bench: FireBench) -> None:
        await bench.wait(5)
        bench.fire(burns=True)
        await bench.wait(60)
        assert bench.state == "fire"
        assert bench.plant.writes == []

    bench = FireBench(tmp_path)
    bench.first_authority = Authority.ORIGINAL
    assert bench.live(life)


def test_while_a_system_is_tested_only_what_people_command_goes_up(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.wait(2)
        await bench.daemon.set_authority("garage", Authority.COMMISSIONING, "li na", timedelta(hours=1))
        await bench.wait(5)
        await bench.command(BRIGHTNESS, 0.2)
        await bench.wait(5)
        assert bench.shown(BRIGHTNESS) == 0.2
        bench.plant.writes.clear()
        bench.fire(burns=True)
        await bench.wait(60)
        assert bench.shown(BRIGHTNESS) == 1.0
        assert bench.plant.written(EXIT) == []

    bench = FireBench(tmp_path)
    bench.first_authority = Authority.ORIGINAL
    assert bench.live(life)


def test_a_fire_that_burns_already_takes_no_lamp_into_a_test(tmp_path: Path) -> None:
    """What would have been raised under the original controls is no wish of whoever begins to test."""

    async def life(bench: FireBench) -> None:
        await bench.wait(5)
        bench.fire(burns=True)
        await bench.wait(5)
        await bench.daemon.set_authority("garage", Authority.COMMISSIONING, "li na", timedelta(hours=1))
        await bench.wait(90)
        assert bench.plant.writes == []

    bench = FireBench(tmp_path)
    bench.first_authority = Authority.ORIGINAL
    assert bench.live(life)


def test_a_lamp_that_somebody_dimmed_goes_up_all_the_same(tmp_path: Path) -> None:
    """Else we yield to a person for a while; not in a fire, and not to one who dims during it."""

    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.plant.lights.set(BRIGHTNESS, 0.1)
        await bench.wait(5)
        assert bench.shown(BRIGHTNESS) == 0.1
        bench.fire(burns=True)
        await bench.wait(3)
        assert bench.shown(BRIGHTNESS) == 1.0
        bench.plant.lights.set(LAMP_REMOTE, False)
        bench.plant.lights.set(BRIGHTNESS, 0.1)
        await bench.wait(4)
        assert (bench.shown(BRIGHTNESS), bench.shown(LAMP_REMOTE)) == (1.0, True)

    assert FireBench(tmp_path).live(life)


def test_chillers_are_let_go_in_their_order(tmp_path: Path) -> None:
    """The chiller at once, as it is first; its pump stays ours until it has stopped."""

    async def life(bench: FireBench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(10)
        await bench.command(CHILLER, True)
        await bench.wait(700)
        assert bench.plant.plant.value(CHILLER_STATUS) is True
        bench.fire(burns=True)
        await bench.wait(3)
        assert bench.plant.plant.value(CHILLER_REMOTE) is False
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(70)
        assert bench.plant.plant.value(PUMP_REMOTE) is False

    assert FireBench(tmp_path).live(life)


def test_fans_are_let_go_without_a_disk(tmp_path: Path) -> None:
    """Raising a lamp needs its intent stored; where that fails, lamps are let go towards on."""

    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        fill_the_disk(bench.tmp_path)
        bench.plant.writes.clear()
        bench.fire(burns=True)
        await bench.wait(5)
        assert set(bench.plant.writes[:2]) == {(FAN_REMOTE, False), (DAMPER, 1.0)}
        assert bench.shown(LAMP_REMOTE) is False

    assert FireBench(tmp_path).live(life)


def test_a_lamp_that_ignored_us_for_long_is_asked_again_at_once(tmp_path: Path) -> None:
    """Else a device that ignores us is asked every ten minutes only."""

    async def life(bench: FireBench) -> None:
        bench.plant.lights.set(BRIGHTNESS, 0.3)
        bench.plant.lights.ignore(BRIGHTNESS)
        bench.plant.lights.set(DEMAND, 1.0)
        await bench.wait(1300)
        bench.plant.lights.ignored.clear()
        bench.fire(burns=True)
        await bench.wait(12)
        assert bench.shown(BRIGHTNESS) == 1.0

    assert FireBench(tmp_path).live(life)


def test_another_configuration_dims_no_lamp_and_waits_for_the_reset(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        bench.panel.drop()
        await bench.wait(10)
        bench.plant.writes.clear()
        outcome = await bench.daemon.reloads.request("li na")
        assert outcome.result is Result.RELOADED
        assert [each.zh for each in outcome.differences] == [f"火警输入 {PANEL}：plant {CHILLER}, {PUMP} -> none"]
        await bench.wait(60)
        assert bench.state == "fire input lost"
        assert set(bench.plant.written(BRIGHTNESS)) <= {1.0}
        bench.panel.restore()
        await bench.wait(60)
        assert (bench.state, bench.shown(BRIGHTNESS)) == ("normal", 0.5)
        bench.fire(burns=True)
        await bench.wait(5)
        changed["site"] = bench.site()
        outcome = await bench.daemon.reloads.request("li na")
        assert outcome.result is Result.REFUSED
        assert "the fire is not reset" in outcome.why.en

    changed: dict[str, Site] = {}
    bench = FireBench(tmp_path, load=lambda: Configuration(changed["site"]))
    changed["site"] = replace(bench.site(), digest="another", fire=(replace(INPUT, plant=()),))
    assert bench.live(life)


class WornBench(FireBench):
    """The lamp at the exit may be written once a day."""

    def site(self) -> Site:
        site = super().site()
        lamp = site.points[EXIT]
        assert lamp.writable is not None
        worn = replace(lamp, writable=replace(lamp.writable, limits=Limits(), wear=Wear(writes_per_day=1)))
        return replace(site, points={**site.points, EXIT: worn})


def test_a_spent_write_budget_holds_back_neither_fire_nor_release(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.wait(5)
        await bench.command(EXIT, False)
        await bench.wait(5)
        await bench.command(EXIT, True)
        await bench.wait(5)
        assert bench.shown(EXIT) is False, "its budget is spent"
        bench.fire(burns=True)
        while bench.state == "normal":
            await bench.wait(0.01)
        fire = bench.daemon.scan.count
        await bench.wait(0.05)
        assert (bench.shown(EXIT), bench.daemon.scan.count) == (True, fire)
        await bench.wait(5)
        bench.plant.writes.clear()
        before = bench.daemon.scan.count
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "li na")
        while bench.daemon.scan.count == before:
            await bench.wait(0.01)
        await bench.wait(0.05)
        assert bench.daemon.scan.count == before + 1
        assert bench.plant.written(EXIT) == [True], "let go by its safe value"

    assert WornBench(tmp_path).live(life)


def test_a_fire_ends_a_reload_that_still_lets_go(tmp_path: Path) -> None:
    """Letting a plant go takes minutes; what comes meanwhile is not forgotten with the configuration."""

    async def life(bench: FireBench) -> None:
        await bench.take_the_garage()
        await bench.command(PUMP, True, 36_000)
        await bench.wait(10)
        await bench.command(CHILLER, True, 36_000)
        await bench.wait(330)
        assert bench.plant.plant.value(CHILLER_STATUS) is True
        answer = bench.daemon.reloads.request("li na")
        await bench.wait(10)
        assert not answer.done()
        bench.fire(burns=True)
        await bench.wait(3)
        assert answer.done()
        assert "the fire is not reset" in answer.result().why.en
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(120)
        assert (bench.state, bench.shown(BRIGHTNESS), bench.shown(EXIT)) == ("fire", 1.0, True)

    changed: dict[str, Site] = {}
    bench = FireBench(tmp_path, load=lambda: Configuration(changed["site"]))
    site = bench.site()
    writable = site.points[PUMP].writable
    assert writable is not None
    pump = replace(site.points[PUMP], writable=replace(writable, release=SafeValue(False)))
    changed["site"] = replace(site, digest="another", points={**site.points, PUMP: pump}, fire=())
    assert bench.live(life)


def test_what_waits_for_its_turn_on_the_line_is_not_written_after_the_fire(tmp_path: Path) -> None:
    async def life(bench: FireBench) -> None:
        await bench.wait(10)
        bench.plant.writes.clear()
        session = next(each.session for each in bench.daemon.links if each.link.id == LIGHTS)
        assert session is not None
        async with session.lock:
            await bench.command(JET, True, 36_000)
            await bench.command(BRIGHTNESS, 0.2, 36_000)
            await bench.wait(0.5)
            bench.fire(burns=True)
            await bench.wait(1.5)
            assert bench.state == "fire"
        await bench.wait(5)
        assert bench.plant.written(JET) == []
        assert bench.plant.written(BRIGHTNESS) == [1.0]
        assert JET not in [each.point for each in await bench.daemon.store.load_held()]

    assert FireBench(tmp_path).live(life)


class OnAWire(RealBench, FireBench):
    """A silence can only be measured at what is real."""


@pytest.mark.parametrize("seconds", [2, 15])
def test_a_fire_ends_a_silence_test_before_the_lamp_is_dropped(tmp_path: Path, seconds: int) -> None:
    bench = OnAWire(tmp_path)
    bench.pass_everything()

    async def life(_: Bench) -> None:
        await bench.wait(5)
        measurement = begin(bench, LAMPS)
        while measurement.phase is not Phase.SILENT:
            await bench.wait(0.5)
        await bench.wait(seconds)
        bench.fire(burns=True)
        await bench.wait(2)
        for _second in range(60):
            assert (bench.shown(BRIGHTNESS), bench.shown(LAMP_REMOTE)) == (1.0, True)
            await bench.wait(1)
        assert measurement.phase is Phase.ABORTED

    assert bench.run(watched(life))
