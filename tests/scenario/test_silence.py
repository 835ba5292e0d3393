"""Time-outs on silence are measured while the daemon works, and nothing is left held, however that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.commissioning import ItemKind, Result, Status
from controller.core.ledger import Verdict
from controller.core.point import DeviceTimeout, Effect, Limits, PointId, Range, SafeValue, Writable
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority, ReleaseStep
from controller.runtime.operator import OperatorCommandRefused
from controller.runtime.silence import Measurement, Phase, SilenceRefused
from drivers.memory import MemoryConnection
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
from tests.real_bench import RealBench
from tests.scenario.test_taking_over import start_plant

GARAGE, PLANT = "garage", "plant"
LAMPS = f"{LAMP_REMOTE}:silence"
GATEWAY = f"{HEARTBEAT}:silence"
HOUR = timedelta(hours=1)


class Watchdogs:
    """The gateways' own: each bit clears `after` seconds after what feeds it was written last."""

    def __init__(self, bench: Bench, lamps_after: float, plant_after: float = 60.0) -> None:
        self._bench = bench
        self._fed = {LAMP_REMOTE: 0.0, HEARTBEAT: 0.0}
        self._after = {LAMP_REMOTE: lamps_after, HEARTBEAT: plant_after}
        lights, plant = bench.plant.lights, bench.plant.plant
        self._bits = {LAMP_REMOTE: (lights, (LAMP_REMOTE,)), HEARTBEAT: (plant, (CHILLER_REMOTE, PUMP_REMOTE))}
        assert lights.on_write is not None
        self._equipment = lights.on_write
        lights.on_write = plant.on_write = self._written

    def _written(self, point: PointId, value: Scalar | None) -> None:
        self._equipment(point, value)
        if point in self._fed:
            self._fed[point] = self._bench.clock.wire_time()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = self._bench.clock.wire_time()
            for feed, (far, bits) in self._bits.items():
                if now - self._fed[feed] >= self._after[feed]:
                    for bit in bits:
                        if far.value(bit) is True:
                            far.set(bit, False)


def watched(
    test: Callable[[Bench], Awaitable[None]], lamps_after: float = 30.0, plant_after: float = 60.0
) -> Callable[[Bench], Awaitable[None]]:
    """The life of a bench whose gateways have watchdogs."""

    async def life(bench: Bench) -> None:
        async with asyncio.TaskGroup() as tasks:
            dogs = tasks.create_task(Watchdogs(bench, lamps_after, plant_after).run())
            await bench.wait(3)
            await test(bench)
            dogs.cancel()

    return life


def begin(bench: Bench, item: str, value: Scalar | None = None) -> Measurement:
    daemon = bench.daemon
    return daemon.silence.begin(daemon.commissioning.items[item], "Li Na", value)


async def over(bench: Bench, measurement: Measurement) -> None:
    while not measurement.is_over:
        await bench.wait(1)


def status_of(bench: Bench, item: str) -> Status:
    return next(each.status for each in bench.daemon.commissioning.standings() if each.item.id == item)


async def commissioned(bench: Bench, system: str = GARAGE) -> None:
    await bench.daemon.set_authority(system, Authority.COMMISSIONING, "Li Na", HOUR)


def real(tmp_path: Path) -> RealBench:
    return RealBench(tmp_path, first_authority=Authority.ORIGINAL)


class ProvenPump(RealBench):
    """The pump's status shows whether it runs, as the chiller's does."""

    def site(self) -> Site:
        return with_writable(super().site(), PUMP, effect=Effect(PUMP_STATUS, timedelta(minutes=3)))


def with_writable(site: Site, point: PointId, **changes: Any) -> Site:
    """The site with something else declared of how the point is written."""
    before = site.points[point]
    assert before.writable is not None
    after = replace(before, writable=replace(before.writable, **changes))
    links = tuple(
        replace(
            link,
            bindings=tuple(replace(each, point=after) if each.point.id == point else each for each in link.bindings),
        )
        for link in site.links
    )
    return replace(site, points={**site.points, point: after}, links=links)


def proven(tmp_path: Path) -> ProvenPump:
    return ProvenPump(tmp_path, first_authority=Authority.ORIGINAL)


# --- what is measured -------------------------------------------------------------------------------------------------


def test_a_device_time_out_is_measured_and_recorded_and_the_lamp_given_back(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        measurement = begin(bench, LAMPS)
        await over(bench, measurement)
        assert measurement.phase is Phase.DONE
        assert measurement.record is not None
        assert measurement.record.result is Result.PASSED
        assert float(measurement.record.measured.removesuffix(" s")) == pytest.approx(30, abs=2)
        assert status_of(bench, LAMPS) is Status.PASSED
        assert bench.daemon.writer.holdings == {}
        await bench.wait(60)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.plant.written(LAMP_REMOTE).count(True) == 1, "taken once, never again"
        assert bench.plant.lights.value(BRIGHTNESS) == 1.0, "held at what it did already"
        assert bench.alarms(LAMP_REMOTE) == bench.alarms(BRIGHTNESS) == []

    assert real(tmp_path).run(watched(test))


@pytest.mark.parametrize("after, words", [(12.0, "earlier than the 30 s"), (50.0, "later than the 30 s")])
def test_a_time_out_that_is_not_the_declared_one_fails(tmp_path: Path, after: float, words: str) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        measurement = begin(bench, LAMPS)
        await over(bench, measurement)
        assert words in measurement.note.en
        assert status_of(bench, LAMPS) is Status.FAILED

    assert real(tmp_path).run(watched(test, lamps_after=after))


def test_a_device_that_never_drops_us_is_found_out_and_let_go(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        measurement = begin(bench, LAMPS)
        await over(bench, measurement)
        assert "not dropped within 70 s" in measurement.note.en
        assert status_of(bench, LAMPS) is Status.FAILED
        await bench.wait(5)
        assert bench.daemon.writer.holdings == {}
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    assert real(tmp_path).run(watched(test, lamps_after=1e9))


def test_what_a_strategy_holds_is_measured_and_held_again_afterwards(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await bench.wait(5)
        measurement = begin(bench, LAMPS)
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(20)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5, "it stays as it was, whatever is wished meanwhile"
        await over(bench, measurement)
        assert measurement.phase is Phase.DONE
        await bench.wait(5)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.9
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        assert bench.alarms(LAMP_REMOTE) == []
        await bench.wait(120)
        assert bench.plant.lights.value(LAMP_REMOTE) is True, "and refreshed as ever"

    bench = RealBench(tmp_path)
    bench.pass_everything()
    assert bench.run(watched(test))


def test_a_heartbeat_is_measured_by_all_that_hangs_on_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        measurement = begin(bench, GATEWAY)
        await over(bench, measurement)
        assert set(measurement.dropped) == {CHILLER_REMOTE, PUMP_REMOTE}
        assert measurement.record is not None
        assert measurement.record.result is Result.PASSED, measurement.note.en
        await bench.wait(10)
        assert bench.daemon.writer.holdings == {}
        assert bench.plant.plant.value(HEARTBEAT) == 0
        assert bench.plant.plant.value(CHILLER) is False, "nothing was started"

    assert proven(tmp_path).run(watched(test))


def test_only_the_machine_that_is_held_already_is_at_stake(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        await bench.command(PUMP, False)
        await bench.wait(5)
        measurement = begin(bench, GATEWAY)
        await over(bench, measurement)
        assert set(measurement.dropped) == {PUMP_REMOTE}
        assert bench.plant.written(CHILLER_REMOTE) == []
        await bench.wait(5)
        assert bench.plant.plant.value(PUMP_REMOTE) is True, "the operator's own command goes on"

    assert real(tmp_path).run(watched(test))


@pytest.mark.parametrize("runs", [True, False])
def test_what_runs_by_its_own_controls_runs_on_and_what_stands_stands(tmp_path: Path, *, runs: bool) -> None:
    """The registers have the opposite: what was written last, before the machines were handed back."""

    async def test(bench: Bench) -> None:
        far = bench.plant.plant
        for command, status in ((CHILLER, CHILLER_STATUS), (PUMP, PUMP_STATUS)):
            far.set(command, not runs)
            far.set(status, runs)
        await bench.wait(610)
        await commissioned(bench, PLANT)
        measurement = begin(bench, GATEWAY)
        assert measurement.wishes == {CHILLER: runs, PUMP: runs}
        while not measurement.is_over:
            assert (far.value(PUMP_STATUS), far.value(CHILLER_STATUS)) == (runs, runs)
            await bench.wait(1)
        assert measurement.phase is Phase.DONE

    assert proven(tmp_path).run(watched(test))


def test_a_pump_that_was_handed_back_and_stopped_is_not_started(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        await bench.command(PUMP, True)
        await bench.wait(10)
        await bench.daemon.relinquish(PUMP, "Li Na")
        await bench.wait(150)
        bench.plant.plant.set(PUMP_STATUS, False)
        await bench.wait(60)
        assert bench.plant.plant.value(PUMP) is True, "the register still says so"
        begin(bench, GATEWAY)
        await bench.wait(20)
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        assert bench.plant.plant.value(PUMP_STATUS) is False

    assert proven(tmp_path).run(watched(test))


# --- a point without a remote bit -------------------------------------------------------------------------------------


class PlainBit(RealBench):
    """The lamp's brightness alone, which the device forgets by itself."""

    def site(self) -> Site:
        site = super().site()
        writable = Writable(Range(0.1, 1.0), SafeValue(1.0), DeviceTimeout(timedelta(seconds=30)), BRIGHTNESS)
        points = {**site.points, BRIGHTNESS: replace(site.points[BRIGHTNESS], writable=writable)}
        links = tuple(
            replace(link, bindings=tuple(replace(each, point=points[each.point.id]) for each in link.bindings))
            for link in site.links
        )
        garage = replace(site.systems[0], release=(ReleaseStep((BRIGHTNESS, LAMP_REMOTE)),))
        return replace(site, points=points, links=links, systems=(garage, *site.systems[1:]))


def test_a_point_without_a_remote_bit_is_held_at_another_value_than_its_own(tmp_path: Path) -> None:
    async def forget(bench: Bench) -> None:
        """The device drops the value 30 s after its last writing."""
        while True:
            await asyncio.sleep(0.25)
            written = bench.daemon.writer.holdings.get(BRIGHTNESS)
            if written is not None and bench.clock.wire_time() - written.asserted >= 30:
                bench.plant.lights.set(BRIGHTNESS, 1.0)

    async def test(bench: Bench) -> None:
        await bench.wait(3)
        await commissioned(bench)
        item = f"{BRIGHTNESS}:silence"
        with pytest.raises(SilenceRefused, match="--value"):
            begin(bench, item)
        with pytest.raises(SilenceRefused, match="by itself"):
            begin(bench, item, 1.0)
        async with asyncio.TaskGroup() as tasks:
            forgetting = tasks.create_task(forget(bench))
            measurement = begin(bench, item, 0.4)
            await over(bench, measurement)
            forgetting.cancel()
        assert measurement.record is not None
        assert measurement.record.result is Result.PASSED, measurement.note.en
        assert bench.daemon.writer.holdings == {}

    assert PlainBit(tmp_path, first_authority=Authority.ORIGINAL).run(test)


# --- whatever ends it -------------------------------------------------------------------------------------------------


async def in_the_middle(bench: Bench) -> Measurement:
    await commissioned(bench)
    measurement = begin(bench, LAMPS)
    await bench.wait(12)
    assert measurement.phase is Phase.SILENT
    assert bench.daemon.writer.is_silent(LAMP_REMOTE)
    return measurement


async def aborted(bench: Bench, measurement: Measurement, words: str) -> None:
    await over(bench, measurement)
    assert measurement.phase is Phase.ABORTED
    assert words in measurement.note.en
    assert measurement.record is None
    assert status_of(bench, LAMPS) is Status.OPEN
    assert not bench.daemon.writer.is_silent(LAMP_REMOTE)
    await bench.wait(5)
    assert bench.daemon.writer.holdings == {}


def test_it_is_stopped(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        bench.daemon.silence.stop()
        await aborted(bench, measurement, "stopped")
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    assert real(tmp_path).run(watched(test))


def test_handing_the_system_back_ends_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        await bench.daemon.set_authority(GARAGE, Authority.ORIGINAL, "Wang Wei")
        assert not bench.daemon.writer.is_silent(LAMP_REMOTE), "at once"
        await aborted(bench, measurement, "somebody else")
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    assert real(tmp_path).run(watched(test))


def test_another_system_that_changes_hands_does_not(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        await commissioned(bench, PLANT)
        await bench.daemon.set_authority(PLANT, Authority.ORIGINAL, "Wang Wei")
        await over(bench, measurement)
        assert measurement.phase is Phase.DONE
        assert status_of(bench, LAMPS) is Status.PASSED

    assert real(tmp_path).run(watched(test))


def test_who_takes_the_command_away_ends_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        await bench.daemon.relinquish(BRIGHTNESS, "Wang Wei")
        await aborted(bench, measurement, "somebody else")

    assert real(tmp_path).run(watched(test))


def test_a_lost_link_ends_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        bench.plant.lights.drop()
        await over(bench, measurement)
        assert measurement.phase is Phase.ABORTED
        assert status_of(bench, LAMPS) is Status.OPEN
        bench.plant.lights.restore()
        await bench.wait(90)
        assert bench.daemon.writer.holdings == {}

    assert real(tmp_path).run(watched(test))


def test_waiting_for_the_turn_on_a_busy_line_does_not_end_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        session = bench.daemon.links[0].session
        assert session is not None
        async with session.lock:
            await bench.wait(12)
        await over(bench, measurement)
        assert measurement.phase is Phase.DONE, measurement.note.en
        assert status_of(bench, LAMPS) is Status.PASSED

    assert real(tmp_path).run(watched(test))


class PatientLink(RealBench):
    """The driver waits longer than the measurement does, and polls seldom come between its looks."""

    def site(self) -> Site:
        site = super().site()
        lights, plant = site.links
        (device,) = lights.devices
        seldom = replace(device, poll_every=timedelta(seconds=20))
        lights = replace(lights, devices=(seldom,), connection=MemoryConnection(timeout=50.0))
        return replace(site, links=(lights, plant))


def test_a_device_that_says_nothing_ends_it_in_words(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        measurement = begin(bench, LAMPS)
        while measurement.phase is not Phase.SILENT:
            await bench.wait(1)
        bench.plant.lights.hang()
        await over(bench, measurement)
        assert measurement.phase is Phase.ABORTED
        assert measurement.note.en == "the device cannot be watched: lights: read: no answer within 10 s"
        bench.plant.lights.resume()

    PatientLink(tmp_path, first_authority=Authority.ORIGINAL).run(watched(test))


def test_the_end_of_the_daemon_in_the_middle_leaves_nothing_held(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await in_the_middle(bench)

    bench = real(tmp_path)
    assert bench.run(watched(test))
    assert bench.plant.lights.value(LAMP_REMOTE) is False


def test_a_running_plant_is_let_go_in_order_even_in_the_middle(tmp_path: Path) -> None:
    """The heartbeat goes on at once, so that the pumps are not dropped before the chiller has stopped."""

    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        await start_plant(bench)
        begin(bench, GATEWAY)
        await bench.wait(20)
        await bench.daemon.set_authority(PLANT, Authority.ORIGINAL, "Wang Wei")
        await bench.wait(5)
        bench.plant.writes.clear()
        await bench.wait(200)
        assert len(bench.plant.written(HEARTBEAT)) >= 6
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(70)
        assert bench.daemon.writer.holdings == {}

    async def life(bench: Bench) -> None:
        await bench.wait(3)
        await test(bench)

    assert real(tmp_path).run(life)


def test_a_kill_in_the_middle_leaves_the_rest_to_the_next_start(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await in_the_middle(bench)

    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.daemon.writer.holdings == {}
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench = real(tmp_path)
    bench.run(watched(test), kill=True)
    bench.plant.lights.on_write = None
    assert bench.run(after)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_it_is_refused_under_the_original_controls_and_one_at_a_time(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(OperatorCommandRefused, match="commissioning --for"):
            begin(bench, LAMPS)
        await commissioned(bench)
        measurement = begin(bench, LAMPS)
        with pytest.raises(SilenceRefused, match="one at a time"):
            begin(bench, LAMPS)
        await over(bench, measurement)

    assert real(tmp_path).run(watched(test))


def test_only_a_test_of_silence_can_be_measured(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        for item in bench.daemon.commissioning.items.values():
            if item.kind is not ItemKind.SILENCE:
                with pytest.raises(SilenceRefused, match=f"{item.id} is no test of silence"):
                    begin(bench, item.id, 0.5)

    assert real(tmp_path).run(watched(test))


def test_a_machine_that_cannot_be_seen_is_not_taken(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        bench.plant.lights.refuse(BRIGHTNESS, "no answer")
        await bench.wait(3)
        with pytest.raises(SilenceRefused, match="cannot be held at what it does: no answer"):
            begin(bench, LAMPS)

    assert real(tmp_path).run(watched(test))


def test_whether_it_runs_is_not_guessed(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        with pytest.raises(SilenceRefused, match=f"no effect is declared .* write {PUMP} VALUE"):
            begin(bench, GATEWAY)
        await bench.command(PUMP, False)
        await bench.wait(5)
        begin(bench, GATEWAY)
        await bench.wait(20)
        assert bench.plant.written(CHILLER) == [], "which nobody had commanded"

    assert real(tmp_path).run(watched(test))


def test_a_status_that_is_lost_does_not_say_what_it_does(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        bench.plant.plant.refuse(PUMP_STATUS, "no answer")
        await bench.wait(3)
        with pytest.raises(SilenceRefused, match=rf"{PUMP} cannot be .*: no answer \({PUMP_STATUS}\)"):
            begin(bench, GATEWAY)

    assert proven(tmp_path).run(watched(test))


def test_a_limit_that_would_move_it_is_told(tmp_path: Path) -> None:
    """The chiller runs while its pump is proven not to: commanded, it would be stopped."""

    async def test(bench: Bench) -> None:
        far = bench.plant.plant
        far.set(CHILLER_STATUS, True)
        await bench.wait(3)
        await commissioned(bench, PLANT)
        with pytest.raises(SilenceRefused, match=f"{PUMP_STATUS} is False, needs True"):
            begin(bench, GATEWAY)
        await bench.wait(30)
        assert far.value(CHILLER_STATUS) is True

    assert proven(tmp_path).run(watched(test))


class SlowLamp(RealBench):
    """A meter of the light, at the desk, shows what the lamp does; it is dimmed slowly."""

    def site(self) -> Site:
        shown = Effect(DEMAND, timedelta(minutes=1), tolerance=0.02)
        return with_writable(super().site(), BRIGHTNESS, effect=shown, limits=Limits(maximum_rate=0.01))


def test_a_lamp_is_held_at_what_it_does_and_no_rate_moves_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        assert begin(bench, LAMPS).wishes == {BRIGHTNESS: 0.5}, "its register says 1"

    assert SlowLamp(tmp_path, first_authority=Authority.ORIGINAL).run(watched(test))


def test_a_heartbeat_that_is_refused_says_nothing(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        bench.plant.plant.refuse(HEARTBEAT)
        measurement = begin(bench, GATEWAY)
        await over(bench, measurement)
        assert measurement.phase is Phase.ABORTED
        assert status_of(bench, GATEWAY) is Status.OPEN
        bench.plant.plant.accept(HEARTBEAT)
        await bench.wait(60)
        assert bench.daemon.writer.holdings == {}

    assert proven(tmp_path).run(watched(test))


def test_a_machine_that_does_not_obey_is_told_and_let_go(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        bench.plant.lights.ignore(LAMP_REMOTE)
        measurement = begin(bench, LAMPS)
        await over(bench, measurement)
        assert measurement.phase is Phase.ABORTED
        assert "not taken within 60 s" in measurement.note.en
        bench.plant.lights.ignored.clear()
        await bench.wait(30)
        assert bench.daemon.writer.holdings == {}

    assert real(tmp_path).run(watched(test))


def test_verdicts_are_judged_as_ever_afterwards(tmp_path: Path) -> None:
    """Somebody at the panel is not taken for the device once the silence is over."""

    async def test(bench: Bench) -> None:
        await bench.wait(5)
        measurement = begin(bench, LAMPS)
        await over(bench, measurement)
        await bench.wait(10)
        bench.plant.lights.set(LAMP_REMOTE, False)
        await bench.wait(5)
        assert bench.daemon.writer.holdings[LAMP_REMOTE].verdict is Verdict.OVERRIDDEN

    bench = RealBench(tmp_path)
    bench.pass_everything()
    assert bench.run(watched(test))
