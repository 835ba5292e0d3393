"""A plan that looks back is given the hours of its inputs, out of the site's own history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from controller.core.sample import good
from controller.core.site import Site
from controller.core.strategy import Decision, Ladder, Observation, PlanInput, Role
from controller.core.text import Text
from controller.historian.memory import MemoryHistorian
from tests.bench import DEMAND, START, Bench, Follow, FollowState

DESK = Role("desk", 0, "demand")


@dataclass(frozen=True, slots=True)
class Hours:
    means: tuple[float, ...]


class LearnsDemand(Follow):
    """Its plan is the means of the last three hours."""

    inputs: Mapping[Role, Ladder] = MappingProxyType({DESK: Ladder()})
    outputs = frozenset[Role]()
    plan_every = timedelta(hours=1)
    plan_limit = timedelta(hours=2)
    plan_type = Hours
    forecasts = frozenset[Role]()
    look_back = timedelta(hours=3)
    history = frozenset({DESK})

    def plan(self, given: PlanInput) -> Hours:
        return Hours(tuple(round(hour.mean or 0.0, 3) for hour in given.history[DESK]))

    def decide(self, seen: Observation, state: FollowState) -> Decision[FollowState]:
        del seen
        return Decision(state, {}, Text("", ""))


class LearningBench(Bench):
    def site(self) -> Site:
        site = super().site()
        return replace(site, mounts=(replace(site.mounts[0], strategy=LearnsDemand(), roles={DESK: DEMAND}),))

    def open_historian(self) -> MemoryHistorian:
        historian = super().open_historian()
        self.fill()
        return historian

    def fill(self) -> None:
        """Four hours of yesterday's demand, a sample a minute."""
        for minute in range(240):
            at = START - timedelta(minutes=240 - minute)
            row = (DEMAND, good(minute // 60 / 10.0, at, 0.0))
            coroutine = self._recorded.append_samples([row])
            with pytest.raises(StopIteration):
                coroutine.send(None)


@pytest.mark.slow
def test_a_plan_learns_from_the_last_full_hours(tmp_path: Path) -> None:
    plans: list[Any] = []

    async def life(bench: Bench) -> None:
        await bench.wait(60)
        plans.append(bench.daemon.strategies[0].plan)

    assert LearningBench(tmp_path).run(life)
    assert plans == [Hours((0.1, 0.2, 0.3))]
