"""A strategy's own trouble stays its own: the others go on, and what it wished ends."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.runtime.mounted import MountedStrategy
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, PUMP_STATUS, Bench


def desk(bench: Bench) -> MountedStrategy:
    return bench.daemon.strategies[0]


def test_bad_input_lets_go_at_once(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, 2.0)
        await bench.wait(2)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        bench.plant.lights.set(DEMAND, 0.4)
        await bench.wait(5)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.4
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Bench(tmp_path).run(life)


@pytest.mark.fault("silent input")
def test_a_silent_input_without_a_ladder_lets_go(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, None)
        await bench.wait(2)
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    assert Bench(tmp_path).run(life)


def test_what_a_faulty_strategy_wished_ends_with_its_lease(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, -1.0)
        await bench.wait(bench.lease.total_seconds() / 2 - 2)
        assert bench.plant.lights.value(LAMP_REMOTE) is True, "its last wish holds until its end"
        await bench.wait(bench.lease.total_seconds() / 2 + 5)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.plant.plant.value(PUMP_STATUS) is True, "the others go on"

    assert Bench(tmp_path).run(life)


@pytest.mark.fault("strategy that raises")
def test_a_faulty_strategy_is_retried_after_growing_pauses_and_then_left_off(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        decisions = desk(bench).state
        bench.plant.lights.set(DEMAND, -1.0)
        began, tried = bench.clock.monotonic(), list[float]()
        faults = 0
        while bench.clock.monotonic() - began < 3600:
            await bench.wait(1)
            if desk(bench).faults.faults != faults:
                faults = desk(bench).faults.faults
                tried.append(bench.clock.monotonic())
        pauses = [round(later - earlier) for earlier, later in itertools.pairwise(tried)]
        assert pauses == [60, 120, 240, 480]
        assert desk(bench).faults.is_off
        assert desk(bench).state == decisions, "it keeps its last good state"

        bench.plant.lights.set(DEMAND, 0.6)
        await bench.wait(3600)
        assert bench.plant.lights.value(LAMP_REMOTE) is False, "off until somebody acts"
        bench.daemon.retry("desk", "operator")
        await bench.wait(5)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.6
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    bench = Bench(tmp_path)
    assert bench.run(life)
    told = [event.body["fault"] for event in bench.events(EventKind.STRATEGY, "desk") if event.body.get("fault")]
    assert told == ["ZeroDivisionError: a strategy's own mistake"], "told once, not at every try"


def test_a_success_in_between_starts_the_count_anew(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        for _ in range(8):
            bench.plant.lights.set(DEMAND, -1.0)
            await bench.wait(10)
            bench.plant.lights.set(DEMAND, 0.5)
            await bench.wait(70)
        assert desk(bench).faults.faults == 0
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Bench(tmp_path).run(life)


def test_a_strategy_remembers_across_a_restart(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(30)

    async def after(bench: Bench) -> None:
        seen.append(desk(bench).state.decisions)
        await bench.wait(5)
        seen.append(desk(bench).state.decisions)

    seen: list[int] = []
    bench = Bench(tmp_path)
    bench.run(life)
    decided = desk(bench).state.decisions
    bench.run(after)
    assert decided >= 30
    assert seen[1] >= decided + 4


def test_an_input_that_comes_to_another_rung_of_its_ladder_is_recorded(tmp_path: Path) -> None:
    """Once each time, with the reason; the first good value is no news."""

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, None, reason="broken wire")
        await bench.wait(30)
        bench.plant.lights.set(DEMAND, 0.4)
        await bench.wait(10)
        told = [each.body for each in bench.events(EventKind.STRATEGY, "desk") if each.body.get("step") == "input"]
        assert [(each["point"], each["before"], each["now"], each["cause"]) for each in told] == [
            (DEMAND, "good", "absent", "broken wire"),
            (DEMAND, "absent", "good", ""),
        ]

    assert Bench(tmp_path).run(life)
