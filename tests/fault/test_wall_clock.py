"""The machine's clock is set, or wrong after a restart: what counts durations does not notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.core.command import Priority
from controller.runtime.virtual_time import VirtualClock, VirtualLoop
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench

HOUR = timedelta(hours=1)


class SetClock(VirtualClock):
    """Its wall time is off by `off`."""

    off = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.off


@dataclass
class WrongBench(Bench):
    off: timedelta = timedelta(0)

    def make_clock(self, loop: VirtualLoop) -> VirtualClock:
        clock = SetClock(loop, self.now - self.off)
        clock.off = self.off
        return clock

    def set_clock(self, by: timedelta) -> None:
        assert isinstance(self.clock, SetClock)
        self.clock.off += by


@pytest.mark.fault("wall clock set by an hour while running")
@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_while_we_run(tmp_path: Path, by: timedelta) -> None:
    """Overrides end when they should have, nothing is written but what somebody wished, and scans go on."""

    async def life(_: Bench) -> None:
        await bench.command(PUMP, True, 600)
        await bench.wait(300)
        before, scans = list(bench.plant.writes), bench.daemon.scan.count
        bench.set_clock(by)
        await bench.wait(60)
        beats = {point for point, _ in bench.plant.writes[len(before) :]} - {LAMP_REMOTE}
        assert all(point.endswith("heartbeat") for point in beats), "no machine notices"
        assert 59 <= bench.daemon.scan.count - scans <= 61
        bench.plant.lights.set(DEMAND, 0.7)
        await bench.wait(2)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.7
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        await bench.wait(235)
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        await bench.wait(15)
        assert bench.plant.plant.value(PUMP_REMOTE) is False, "the override has had its ten minutes"

    bench = WrongBench(tmp_path)
    assert bench.run(life)


@pytest.mark.fault("wall clock wrong by an hour after a crash", lost="a minute of an override's end")
def test_a_clock_that_was_set_back_does_not_lengthen_an_override(tmp_path: Path) -> None:
    async def life(_: Bench) -> None:
        await bench.command(PUMP, True, 1800)
        await bench.wait(1200)

    async def after(_: Bench) -> None:
        await bench.wait(1)
        command = bench.daemon.scan.controls[PUMP].array.held_at(Priority.MANUAL_OPERATOR)
        assert command is not None, "nor is it lost"
        remaining = command.ends - bench.clock.monotonic()
        assert 590 <= remaining <= 600 + 70

    bench = WrongBench(tmp_path)
    bench.run(life, kill=True)
    bench.off = -HOUR
    bench.now -= HOUR
    bench.run(after)


@pytest.mark.fault("wall clock wrong by an hour after a crash", lost="an override that the clock says has ended")
def test_a_clock_that_was_set_forward_lengthens_nothing(tmp_path: Path) -> None:
    async def life(_: Bench) -> None:
        await bench.command(PUMP, True, 1800)
        await bench.wait(60)

    async def after(_: Bench) -> None:
        await bench.wait(70)  # the pump's turn to be let go comes once the chiller has been off for a minute
        assert bench.plant.plant.value(PUMP_REMOTE) is False
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    bench = WrongBench(tmp_path)
    bench.run(life, kill=True)
    bench.off = HOUR
    bench.now += HOUR
    assert bench.run(after)
