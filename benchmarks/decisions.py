"""What one decision costs: strategies decide at every scan, and on virtual time a day has 86,400 of them.

Run: python benchmarks/decisions.py [--json]. Target: 12 µs a decision of tidal_lighting with three groups.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from controller.core.sample import Sample, Scalar, good
from controller.core.strategy import Observation, Plan, PlanInput, Position, Role, Strategy
from strategies import sunset_lighting, tidal_lighting

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 21, 4, tzinfo=UTC)
SHANGHAI = Position(31.2304, 121.4737)
CALLS = 20_000
ROUNDS = 7


class Case(NamedTuple):
    name: str
    strategy: Strategy[Any]
    observations: tuple[Observation, ...]


def observation(now: datetime, values: Mapping[Role, Scalar], plan: Plan | None = None) -> Observation:
    samples: dict[Role, Sample] = {role: good(value, now, 0.0) for role, value in values.items()}
    return Observation(now, now.astimezone(ZONE), 1.0, samples, plan)


def garage(name: str, groups: int, motion: bool, toggling: bool = False) -> Case:
    """Observations of a garage whose lamps are steady; toggling: motion in the first group every 100 s."""
    pairs = tuple((ordinal, ordinal + 1) for ordinal in range(1, groups))
    strategy = tidal_lighting.TidalLighting(tidal_lighting.Parameters(neighbours=pairs), groups)
    observations: list[Observation] = []
    for second in range(200):
        values: dict[Role, Scalar] = {}
        for ordinal in range(groups):
            there = motion or (toggling and ordinal == 0 and second % 100 == 0)
            values[Role("groups", ordinal, "motion")] = there
            values[Role("groups", ordinal, "illuminance")] = 60.0
            values[Role("groups", ordinal, "brightness")] = 0.25
        observations.append(observation(NOON + timedelta(seconds=second), values))
    return Case(name, strategy, tuple(observations))


def outdoor() -> Case:
    strategy = sunset_lighting.SunsetLighting(sunset_lighting.Parameters(), 1, has_sensor=True)
    empty = observation(NOON, {})
    plan = Plan(strategy.plan(PlanInput(NOON, ZONE, SHANGHAI, empty, None, None)), 60.0)
    values: dict[Role, Scalar] = {Role("daylight_sensor", 0, "illuminance"): 8000.0}
    observations = [observation(NOON + timedelta(seconds=second), values, plan) for second in range(200)]
    return Case("sunset_lighting, 1 circuit", strategy, tuple(observations))


def microseconds(case: Case) -> float:
    """Best of several rounds, so that other work on the machine does not count."""
    best = float("inf")
    for _ in range(ROUNDS):
        state = case.strategy.initial()
        decide, observations = case.strategy.decide, case.observations
        started = time.perf_counter()
        for _ in range(CALLS // len(observations)):
            for seen in observations:
                state = decide(seen, state).state
        best = min(best, time.perf_counter() - started)
    return best / CALLS * 1e6


def plan_milliseconds() -> float:
    strategy = sunset_lighting.SunsetLighting(sunset_lighting.Parameters(), 1, has_sensor=False)
    given = PlanInput(NOON, ZONE, SHANGHAI, observation(NOON, {}), None, None)
    strategy.plan(given)
    times = [time.perf_counter()]
    for _ in range(ROUNDS):
        strategy.plan(given)
        times.append(time.perf_counter())
    return min(later - earlier for earlier, later in pairwise(times)) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json: bool = parser.parse_args().json
    cases = (
        garage("tidal_lighting, 3 groups, nobody there", 3, motion=False),
        garage("tidal_lighting, 3 groups, all occupied", 3, motion=True),
        garage("tidal_lighting, 3 groups, holding and fading", 3, motion=False, toggling=True),
        garage("tidal_lighting, 64 groups, nobody there", 64, motion=False),
        outdoor(),
    )
    results = {case.name: round(microseconds(case), 2) for case in cases}
    plan = round(plan_milliseconds(), 1)
    if as_json:
        print(json.dumps({"microseconds": results, "sunset_lighting plan, ms": plan}))
        return
    for name, value in results.items():
        print(f"{name:48} {value:8.2f} µs a decision")
    print(f"{'sunset_lighting':48} {plan:8.1f} ms a plan, pvlib loaded")


if __name__ == "__main__":
    main()
