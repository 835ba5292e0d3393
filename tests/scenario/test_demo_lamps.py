"""The demo's sensor lamps, façade and office on virtual time: what they get of us, in a fire, and once we are gone."""

from __future__ import annotations

from datetime import datetime

import pytest

from controller.core.command import Priority
from controller.core.point import PointId
from controller.core.sample import Scalar
from simulator.faults.fault import Fault
from tests.virtual_demo import Run, live

pytestmark = [pytest.mark.slow]

EVENING = datetime.fromisoformat("2026-07-06T22:29+08:00")
LAMPS = ("garage.sensor_lamps_1", "garage.sensor_lamps_2")
LEVELS = [PointId(f"{lamps}.{level}_brightness") for lamps in LAMPS for level in ("idle", "active")]
# What keeps 50 lx in the charging bays and 75 lx on the stairs, and the light for somebody there.
OURS = [0.375, 0.75, 0.563, 0.75]
AS_DELIVERED = [0.3, 1.0, 0.3, 1.0]
PANEL = "building.fire_alarm_panel_1"
FACADE, PATHS = "outdoor.lighting_2.status", "outdoor.lighting_1.status"
MINIMUM_INTERVAL_S = 60.0


def levels(run: Run) -> list[Scalar]:
    return [run.engine.read(point) for point in LEVELS]


def test_sensor_lamps_go_full_in_a_fire_whatever_their_registers_endure_and_come_back_after_the_reset() -> None:
    """Their own memory must not hold light back: neither the interval between two writes nor those of a day."""

    async def life(run: Run) -> None:
        await run.wait(5.0)
        assert levels(run) == OURS
        fire = Fault("fire", PANEL, run.engine.now.timestamp())
        run.engine.add_fault(fire)
        await run.wait(3.0)
        assert levels(run) == [1.0] * 4
        winners = [run.daemon.scan.controls[point].array.winner for point in LEVELS]
        assert {each and each.priority for each in winners} == {Priority.AUTOMATIC_LIFE_SAFETY}
        run.engine.end_faults([fire])
        await run.wait(2.0 * MINIMUM_INTERVAL_S)
        assert levels(run) == [1.0] * 4, "nobody has reset"
        await run.daemon.fire.reset(None, "li na")
        await run.wait(MINIMUM_INTERVAL_S + 5.0)
        assert levels(run) == OURS

    run = live(EVENING, life)
    assert levels(run) == AS_DELIVERED, "let go, they are what they were"
    assert [run.engine.read(f"{lamps}.linked_groups") for lamps in LAMPS] == [0, 0]


def test_the_facade_goes_dark_by_the_clock_while_the_paths_stay_lit_and_says_so() -> None:
    async def life(run: Run) -> None:
        await run.wait(50.0)
        assert (run.engine.read(FACADE), run.engine.read(PATHS)) == (True, True)
        await run.wait(20.0)
        assert (run.engine.read(FACADE), run.engine.read(PATHS)) == (False, True)
        outdoor = next(each for each in run.daemon.strategies if each.mount.id == "outdoor")
        assert outdoor.reason.en.endswith("circuit 2 out: part night")

    live(EVENING, life)
