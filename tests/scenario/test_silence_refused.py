"""Where silence cannot be measured it is refused, or ends in words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.commissioning import ItemKind, Status
from controller.core.ledger import Verdict
from controller.core.point import Effect, Limits
from controller.core.site import Site
from controller.core.system import Authority
from controller.runtime.operator import OperatorCommandRefused
from controller.runtime.silence_measurement import Phase, SilenceRefused
from tests.bench import BRIGHTNESS, CHILLER, CHILLER_STATUS, DEMAND, HEARTBEAT, LAMP_REMOTE, PUMP, PUMP_STATUS, Bench
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
    with_writable,
)


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
