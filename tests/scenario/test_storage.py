"""Chilled-water storage in the demo: let go in the middle of any step, and left without plans."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.core.alarm_catalogue import SHORT_CYCLING
from controller.core.event import Event, EventKind
from controller.core.site import Site
from controller.core.strategy import Decision, Observation, PlanInput
from controller.core.system import Authority
from simulator.plant.tank import TankState
from strategies.blocks.load_shifting import StoragePlan
from strategies.blocks.storage_parameters import Parameters
from strategies.blocks.storage_sequence import State
from strategies.chilled_water_storage import ChilledWaterStorage
from tests.storage_demo import MODE, START, bits, present, storage_alone
from tests.virtual_demo import Run, live

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]

TEN_IN_THE_MORNING = START + timedelta(hours=10, minutes=25)
REMOTES = [
    f"plant.{machine}.remote" for machine in ("chiller_1", "tank_1", "chilled_water_pump_1", "condenser_water_pump_1")
]


def at_its_own_pace(site: Site) -> Site:
    return replace(site, mounts=tuple(mount for mount in site.mounts if mount.id == "storage"))


def with_strategy(site: Site, kind: type[ChilledWaterStorage]) -> Site:
    (mount,) = site.mounts
    strategy = kind(Parameters(capacity=3500.0, unusable_energy=950.0))
    return replace(site, mounts=(replace(mount, strategy=strategy),))


def fill(run: Run) -> None:
    """The tank as a night leaves it."""
    run.engine.plant.tank = TankState((5.0,) * len(run.engine.plant.tank.layers))


def step_of(run: Run) -> str:
    (strategy,) = run.daemon.strategies
    return strategy.state.progress.step


async def until(run: Run, is_so: Callable[[], bool], within_s: float) -> None:
    for _ in range(round(within_s)):
        if is_so():
            return
        await run.wait(1)
    raise AssertionError(f"not within {within_s:g} s; at step {step_of(run)}")


async def watch(run: Run, seconds: int) -> list[str]:
    """What comes in the wrong order meanwhile."""
    wrong: list[str] = []
    before = bits(run.engine)
    for _ in range(seconds):
        await run.wait(1)
        now = bits(run.engine)
        if before.chilled_water_pump and not now.chilled_water_pump and not now.is_isolated:
            wrong.append(f"{now} after {before}")
        if not (now.is_isolated or run.engine.read("plant.chilled_water_pump_1.remote")):
            wrong.append(f"the pump was given back with {now}")
        if now.chiller and not (now.chilled_water_pump and now.condenser_water_pump):
            wrong.append(f"{now}")
        before = now
    return wrong


def given_back(run: Run) -> bool:
    return bits(run.engine).is_isolated and not any(run.engine.read(remote) for remote in REMOTES)


def alarms(run: Run) -> list[Event]:
    """But for runs that were cut short on purpose, which the equipment log rightly tells."""
    told = [event for event in run.daemon.journal.recent if event.kind is EventKind.ALARM]
    return [event for event in told if event.body["alarm"] != SHORT_CYCLING]


@pytest.mark.parametrize(
    "step, start",
    [
        ("open_charge_valve", START),
        ("start_chiller", START),
        ("charging", START),
        ("rest_chiller", TEN_IN_THE_MORNING),
        ("stop_pumps", TEN_IN_THE_MORNING),
        ("open_discharge_valve", TEN_IN_THE_MORNING),
        ("discharging", TEN_IN_THE_MORNING),
    ],
)
def test_let_go_in_any_step_the_tank_is_isolated_before_pumps_stop(step: str, start: datetime) -> None:
    async def life(run: Run) -> None:
        if start is TEN_IN_THE_MORNING:
            fill(run)
        await until(run, lambda: step_of(run) == step, 3600)
        if step in ("charging", "discharging"):
            await run.wait(600)
            assert not bits(run.engine).is_isolated
        await run.daemon.set_authority("plant", Authority.ORIGINAL, "operator")
        assert await watch(run, 600) == []
        assert given_back(run)
        assert bits(run.engine).chiller is (start is TEN_IN_THE_MORNING), (
            "the original controls cool in their own hours"
        )
        assert run.engine.read("plant.chiller_1.trip_count") == 0

    run = live(start, life, change=at_its_own_pace)
    assert run.daemon.writer.holdings == {}
    assert alarms(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("start", [START, TEN_IN_THE_MORNING])
def test_an_operator_who_takes_the_mode_has_the_plant_back_in_order(start: datetime) -> None:
    async def life(run: Run) -> None:
        if start is TEN_IN_THE_MORNING:
            fill(run)
        await until(run, lambda: step_of(run) in ("charging", "discharging"), 3600)
        await run.wait(1200)
        await run.daemon.command(MODE, "direct", timedelta(minutes=30), "operator", "a test")
        assert await watch(run, 900) == []
        assert given_back(run)
        assert run.daemon.scan.controls[MODE].array.winner is not None
        assert bits(run.engine).chiller is (start is TEN_IN_THE_MORNING)
        await until(run, lambda: step_of(run) in ("charging", "discharging"), 2400)

    assert alarms(live(start, life, change=at_its_own_pace)) == []


class Mistaken(ChilledWaterStorage):
    """Fails for good once it charges."""

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        if state.progress.step == "charging":
            raise ZeroDivisionError("a strategy's own mistake")
        return super().decide(seen, state)


@pytest.mark.slow
def test_a_strategy_that_fails_leaves_an_isolated_tank() -> None:
    async def life(run: Run) -> None:
        await until(run, lambda: step_of(run) == "charging", 3600)
        assert await watch(run, 900) == []
        assert given_back(run)
        assert not bits(run.engine).chiller

    def changed(site: Site) -> Site:
        return with_strategy(at_its_own_pace(site), Mistaken)

    live(START, life, change=changed)


# --- without plans ----------------------------------------------------------------------------------------------------


class WithoutPlans(ChilledWaterStorage):
    """Its planning process crashes every time."""

    def plan(self, given: PlanInput) -> StoragePlan:
        os._exit(3)


class WithOnePlan(ChilledWaterStorage):
    """Its planning process crashes from the second time on."""

    def plan(self, given: PlanInput) -> StoragePlan:
        if given.previous is not None:
            os._exit(3)
        return super().plan(given)


def planning_with(kind: type[ChilledWaterStorage]) -> Callable[[Site], Site]:
    return lambda site: with_strategy(storage_alone()(site), kind)


@pytest.mark.slow
def test_without_any_plan_the_original_controls_keep_the_plant() -> None:
    async def life(run: Run) -> None:
        await run.wait(2400)
        assert run.engine.now > START + timedelta(minutes=35), "in the valley"
        assert step_of(run) == "direct"
        assert present(run, MODE) == "direct"
        assert "no plan" in run.daemon.strategies[0].reason.en
        assert given_back(run)

    run = live(START, life, change=planning_with(WithoutPlans))
    assert any(event.kind is EventKind.PLAN and event.body["made"] is False for event in run.daemon.journal.recent), (
        "it is told"
    )


@pytest.mark.slow
def test_a_plan_outlives_the_process_that_makes_no_more_of_them() -> None:
    """Made a few minutes before ten in the morning, it still ends the discharge at noon."""

    async def life(run: Run) -> None:
        fill(run)
        await run.wait(3900)
        made = [event.body["made"] for event in run.daemon.journal.recent if event.kind is EventKind.PLAN]
        assert made == [True, False]
        assert step_of(run) == "discharging"
        await run.wait(3600)
        assert step_of(run) == "direct"
        assert bits(run.engine).chiller

    live(TEN_IN_THE_MORNING, life, change=planning_with(WithOnePlan))
