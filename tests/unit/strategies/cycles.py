"""Cycle tables: what a strategy sees, row by row, and what it must request.

A row is (seconds later, samples that change, requests expected). A value of None means silence: the role is absent,
as after the last rung of its ladder. `Substituted` is a value that the shell put in the place of silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import pytest

from controller.core.availability import Availability
from controller.core.sample import Quality, Sample, Scalar
from controller.core.strategy import Decision, Observation, Plan, Role, Strategy

SHANGHAI = ZoneInfo("Asia/Shanghai")
StateT = TypeVar("StateT")


class Substituted(NamedTuple):
    value: Scalar


Input: TypeAlias = "Scalar | Substituted | None"
Row: TypeAlias = tuple[float, Mapping[Role, Input], Mapping[Role, Scalar]]


class Cycles(Generic[StateT]):
    """A strategy with its state, its inputs and the time it lives in."""

    def __init__(self, strategy: Strategy[StateT], start: str, zone: ZoneInfo = SHANGHAI) -> None:
        """start: local wall time at the site."""
        self.strategy = strategy
        self.zone = zone
        self.now = datetime.fromisoformat(start).replace(tzinfo=zone).astimezone(UTC)
        self.state = strategy.initial()
        self.samples: dict[Role, Sample] = {}
        self.plan: Any = None
        self.unavailable: dict[tuple[str, int], Availability] = {}
        self.first = True

    def change(self, inputs: Mapping[Role, Input]) -> None:
        for role, value in inputs.items():
            assert role in self.strategy.inputs
            if value is None:
                self.samples.pop(role, None)
            elif isinstance(value, Substituted):
                self.samples[role] = Sample(value.value, Quality.UNCERTAIN, "substituted", self.now, 0.0)
            else:
                self.samples[role] = Sample(value, Quality.GOOD, "", self.now, 0.0)

    def step(self, later: float, inputs: Mapping[Role, Input] | None = None) -> Decision[StateT]:
        """One decision `later` seconds on; checked for what holds of every decision."""
        self.now += timedelta(seconds=later)
        self.change(inputs or {})
        plan = None if self.plan is None else Plan(self.plan, 60.0)
        elapsed = 0.0 if self.first else later
        seen = Observation(
            self.now, self.now.astimezone(self.zone), elapsed, dict(self.samples), plan, dict(self.unavailable)
        )
        decision = self.strategy.decide(seen, self.state)
        assert self.strategy.decide(seen, self.state) == decision
        assert set(decision.requests) <= self.strategy.outputs
        assert decision.reason.en
        assert decision.reason.zh
        self.state, self.first = decision.state, False
        return decision

    def run(self, rows: Iterable[Row]) -> None:
        for number, (later, inputs, expected) in enumerate(rows, start=1):
            decision = self.step(later, inputs)
            shown = {role: decision.requests.get(role) for role in expected}
            assert shown == pytest.approx(dict(expected)), f"row {number}: {decision.reason.en}"
