"""What a strategy sees of inputs in trouble, and what may come out of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.core.availability import Availability, Cause, Standing
from controller.core.command import Priority
from controller.core.point import PointId
from controller.core.sample import Quality, Sample, Scalar
from controller.core.site import Mount
from controller.core.strategy import (
    Decision,
    InputState,
    Ladder,
    Mode,
    Observation,
    Role,
    Strategy,
    StrategyKind,
)
from controller.core.text import NO_TEXT
from controller.runtime.image import FrozenImage
from controller.runtime.mounted import Ladders, MountedStrategy

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
ROLE, OUTPUT = Role("meter", 0, "power"), Role("lamps", 0, "brightness_command")
POINT, LAMP = PointId("main.meter_1.power"), PointId("garage.group_1.brightness_command")

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD
HELD, SUBSTITUTED, ABSENT = InputState.HELD, InputState.SUBSTITUTED, InputState.ABSENT


def image(monotonic: float, quality: Quality, value: Scalar | None, reason: str = "") -> FrozenImage:
    samples = {POINT: Sample(value, quality, reason, NOW, monotonic)}
    return FrozenImage(NOW, NOW, monotonic, samples, samples, samples)


@pytest.mark.parametrize(
    "ladder, seconds_bad, state, value",
    [
        (Ladder(timedelta(seconds=60), 99.0), 0, HELD, 5.0),
        (Ladder(timedelta(seconds=60), 99.0), 60, HELD, 5.0),
        (Ladder(timedelta(seconds=60), 99.0), 61, SUBSTITUTED, 99.0),
        (Ladder(timedelta(seconds=60)), 61, ABSENT, None),
        (Ladder(timedelta(0), 99.0), 1, SUBSTITUTED, 99.0),
        (Ladder(timedelta(0), 0), 1, SUBSTITUTED, 0),
        (Ladder(timedelta(0), False), 1, SUBSTITUTED, False),
        (Ladder(), 1, ABSENT, None),
    ],
)
@pytest.mark.parametrize("quality", [UNCERTAIN, BAD])
def test_the_rungs_of_a_ladder(
    ladder: Ladder, seconds_bad: float, state: InputState, value: Scalar | None, quality: Quality
) -> None:
    ladders = Ladders({ROLE: ladder}, {ROLE: POINT})
    assert ladders.seen(image(100.0, GOOD, 5.0))[ROLE].value == 5.0
    assert ladders.states[ROLE] is InputState.GOOD
    seen = ladders.seen(image(100.0 + seconds_bad, quality, 6.0, "link lost")).get(ROLE)
    assert ladders.states[ROLE] is state
    if state is ABSENT:
        assert seen is None
    else:
        assert seen is not None
        assert (seen.value, seen.quality) == (value, UNCERTAIN)
        assert "link lost" in seen.reason
    assert ladders.seen(image(500.0, GOOD, 7.0))[ROLE].is_good, "and back at once"


@pytest.mark.parametrize("substitute, state", [(99.0, SUBSTITUTED), (None, ABSENT)])
def test_what_was_never_seen_cannot_be_held(substitute: float | None, state: InputState) -> None:
    ladders = Ladders({ROLE: Ladder(timedelta(hours=1), substitute)}, {ROLE: POINT})
    seen = ladders.seen(image(1.0, BAD, None, "never seen"))
    assert ladders.states[ROLE] is state
    assert (ROLE in seen) is (substitute is not None)


# --- one step ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    steps: int = 0


class Wishes:
    """Asks for what it is given; the elapsed times that it saw stay with it for the test."""

    inputs: Mapping[Role, Ladder] = {}
    outputs = frozenset({OUTPUT})

    def __init__(self, requests: Mapping[Role, Scalar]) -> None:
        self.requests = requests
        self.elapsed: list[float] = []

    def initial(self) -> Count:
        return Count()

    def decide(self, seen: Observation, state: Count) -> Decision[Count]:
        self.elapsed.append(seen.elapsed)
        return Decision(Count(state.steps + 1), self.requests, NO_TEXT)


def mounted(strategy: Strategy[Any], *unavailable: Callable[[], Mapping[str, Standing]]) -> MountedStrategy:
    kind = StrategyKind("wishes", NO_TEXT, {}, Count, Count, 1, lambda parameters, counts: strategy)
    mount = Mount(
        "wishes", kind, strategy, Mode.AUTO, {OUTPUT: LAMP, ROLE: POINT}, Priority.STRATEGY, timedelta(seconds=60)
    )
    return MountedStrategy(mount, *unavailable)


@pytest.mark.parametrize(
    "requests, words",
    [
        ({ROLE: 1.0}, "did not declare: meter"),
        ({OUTPUT: math.nan}, "requests nan"),
        ({OUTPUT: math.inf}, "requests inf"),
    ],
)
def test_a_wish_that_may_not_be_is_the_strategys_own_fault(requests: Mapping[Role, Scalar], words: str) -> None:
    strategy = mounted(Wishes(requests))
    assert strategy.step(image(1.0, GOOD, 5.0)) is True
    assert strategy.fault is not None
    assert words in strategy.fault.description
    assert strategy.wishes == {}
    assert strategy.state == Count(), "it keeps its last good state"


def test_elapsed_counts_from_one_decision_to_the_next() -> None:
    wishes = Wishes({OUTPUT: 0.5})
    strategy = mounted(wishes)
    for monotonic in (10.0, 11.0, 14.5):
        strategy.step(image(monotonic, GOOD, 5.0))
    assert wishes.elapsed == [0.0, 1.0, 3.5]
    assert strategy.wishes == {LAMP: 0.5}


def test_only_news_is_told() -> None:
    strategy = mounted(Wishes({OUTPUT: 0.5}))
    assert [strategy.step(image(monotonic, GOOD, 5.0)) for monotonic in (1.0, 2.0, 3.0)] == [True, False, False]


def test_a_lease_is_renewed_at_half_its_time() -> None:
    strategy = mounted(Wishes({OUTPUT: 0.5}))
    strategy.step(image(0.0, GOOD, 5.0))
    strategy.renew_lease(0.0)
    assert [strategy.is_lease_due(at) for at in (0.0, 30.0, 30.5)] == [False, False, True]


@pytest.mark.parametrize("scan_every, lease", [(1.0, 60.0), (20.0, 60.0), (60.0, 180.0)])
def test_where_scans_are_further_apart_a_lease_ends_between_no_two_of_them(scan_every: float, lease: float) -> None:
    mount = mounted(Wishes({OUTPUT: 0.5})).mount.at_pace(timedelta(seconds=scan_every))
    assert mount.lease == timedelta(seconds=lease)


# --- asked only when needed -------------------------------------------------------------------------------------------


class Steady:
    """Wishes what it sees, and says that this stands for a minute."""

    inputs: Mapping[Role, Ladder] = {ROLE: Ladder(timedelta(seconds=60))}
    outputs = frozenset({OUTPUT})

    def __init__(self) -> None:
        self.elapsed: list[float] = []

    def initial(self) -> Count:
        return Count()

    def decide(self, seen: Observation, state: Count) -> Decision[Count]:
        self.elapsed.append(seen.elapsed)
        return Decision(state, {OUTPUT: seen.value(ROLE)}, NO_TEXT, seen.now + timedelta(minutes=1))


def same_again(monotonic: float) -> FrozenImage:
    """A scan in which the value of `image(_, GOOD, 5.0)` has come in once more."""
    samples = {POINT: Sample(5.0, GOOD, "", NOW, monotonic)}
    return FrozenImage(NOW + timedelta(seconds=monotonic), NOW, monotonic, samples, samples, {})


def test_a_steady_strategy_is_asked_when_its_input_changes() -> None:
    steady = Steady()
    strategy = mounted(steady)
    strategy.step(image(0.0, GOOD, 5.0))
    assert not any(strategy.step(same_again(float(second))) for second in range(1, 10))
    assert strategy.step(image(10.0, GOOD, 6.0))
    assert strategy.wishes == {LAMP: 6.0}
    assert steady.elapsed == [0.0, 1.0], "a decision that stands counts as made in every scan"


def test_a_steady_strategy_is_asked_when_its_time_is_over() -> None:
    steady = Steady()
    strategy = mounted(steady)
    strategy.step(image(0.0, GOOD, 5.0))
    for second in range(1, 121):
        strategy.step(same_again(float(second)))
    assert len(steady.elapsed) == 3


def test_a_steady_strategy_is_asked_when_its_plan_changes() -> None:
    steady = Steady()
    strategy = mounted(steady)
    strategy.step(image(0.0, GOOD, 5.0))
    strategy.plan = "another"
    strategy.step(same_again(1.0))
    assert len(steady.elapsed) == 2


def test_while_nobody_asks_an_input_stays_young_enough_to_be_held() -> None:
    strategy = mounted(Steady())
    strategy.step(image(0.0, GOOD, 5.0))
    for second in range(1, 59):
        strategy.step(same_again(float(second)))
    strategy.step(image(100.0, BAD, None, "link lost"))
    assert strategy.ladders.states[ROLE] is HELD


def test_a_steady_strategy_is_asked_when_a_machine_leaves_auto_and_when_it_is_back() -> None:
    class Sees(Steady):
        def __init__(self) -> None:
            super().__init__()
            self.available: list[bool] = []

        def decide(self, seen: Observation, state: Count) -> Decision[Count]:
            self.available.append(seen.is_available("lamps"))
            return super().decide(seen, state)

    steady, lamps = Sees(), "garage.group_1"
    standings: list[Mapping[str, Standing]] = [{}]
    strategy = mounted(steady, lambda: standings[-1])
    strategy.step(image(0.0, GOOD, 5.0))
    standings.append({lamps: Standing((Cause(Availability.LOCAL, NO_TEXT),))})
    strategy.step(same_again(1.0))
    strategy.step(same_again(2.0))
    standings.append({})
    strategy.step(same_again(3.0))
    assert steady.available == [True, False, True]


def test_a_steady_strategy_is_asked_when_the_clock_is_set_back() -> None:
    steady = Steady()
    strategy = mounted(steady)
    strategy.step(image(0.0, GOOD, 5.0))
    strategy.step(same_again(1.0))
    back = same_again(2.0)._replace(now=NOW - timedelta(hours=7))
    strategy.step(back)
    assert len(steady.elapsed) == 2
