"""Time-outs on silence are measured while the daemon works."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.commissioning import Result, Status
from controller.core.point import DeviceTimeout, Range, SafeValue, Writable
from controller.core.site import Site
from controller.core.system import Authority, ReleaseStep
from controller.runtime.silence_measurement import Phase, SilenceRefused
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
from tests.scenario.silence_bench import (
    GATEWAY,
    LAMPS,
    PLANT,
    begin,
    commissioned,
    over,
    proven,
    real,
    status_of,
    watched,
)

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
