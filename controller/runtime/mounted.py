"""A mounted strategy: degrade ladder, one guarded step, and what it keeps between scans."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from controller.core.availability import Availability, Standing
from controller.core.point import PointId, equipment_of
from controller.core.sample import Quality, Sample, Scalar
from controller.core.site import Mount
from controller.core.strategy import (
    Decision,
    InputState,
    Ladder,
    Mode,
    Observation,
    Plan,
    Plans,
    Role,
)
from controller.core.text import NO_TEXT, Text
from controller.runtime.image import FrozenImage
from controller.runtime.supervisor import Fault, FaultCount, isolate


class Rung(NamedTuple):
    """An input that has come to another rung of its ladder, and why its own value is not good."""

    input: Role
    point: PointId
    before: InputState
    now: InputState
    cause: str


class Ladders:
    """Executes each input's ladder: GOOD, held for a while, substituted, or absent.

    changed: the rungs that are new since somebody took them.
    """

    def __init__(self, inputs: Mapping[Role, Ladder], roles: Mapping[Role, PointId]) -> None:
        self._are_good = False
        self._before: Mapping[PointId, Sample] = {}
        self._points = frozenset(roles[role] for role in inputs)
        self._rungs = [(role, roles[role], ladder) for role, ladder in inputs.items()]
        self._last_good: dict[Role, Sample] = {}
        self.states: dict[Role, InputState] = dict.fromkeys(inputs, InputState.ABSENT)
        self._ever_good: set[Role] = set()
        self.changed: list[Rung] = []

    def are_good_and_unchanged(self, image: FrozenImage) -> bool:
        """Whether every input is GOOD and shows the value that it showed last."""
        if not self._are_good or not self._points.isdisjoint(image.changed):
            return False
        self._before = image.samples
        return True

    def seen(self, image: FrozenImage) -> dict[Role, Sample]:
        samples, before = image.samples, self._before
        self._before = samples
        if self._are_good:
            own = [samples[point] for _, point, _ in self._rungs]
            if [sample.quality for sample in own].count(Quality.GOOD) == len(own):
                return dict(zip(self.states, own, strict=True))
        self._are_good = True
        seen: dict[Role, Sample] = {}
        for role, point, ladder in self._rungs:
            sample = samples[point]
            if sample.quality is Quality.GOOD:
                seen[role] = sample
                if self.states[role] is not InputState.GOOD:
                    self._climb(role, point, InputState.GOOD, "")
                continue
            self._are_good = False
            if point in before and before[point].is_good:
                self._last_good[role] = before[point]
            state, replacement = self._replacement(role, sample, ladder, image.monotonic)
            if self.states[role] is not state:
                self._climb(role, point, state, sample.reason)
            if replacement is not None:
                seen[role] = replacement
        return seen

    def _climb(self, role: Role, point: PointId, state: InputState, cause: str) -> None:
        if role in self._ever_good or state is not InputState.GOOD:  # the first good value is no news
            self.changed.append(Rung(role, point, self.states[role], state, cause))
        if state is InputState.GOOD:
            self._ever_good.add(role)
        self.states[role] = state

    def _replacement(
        self, role: Role, sample: Sample, ladder: Ladder, monotonic: float
    ) -> tuple[InputState, Sample | None]:
        last = self._last_good.get(role)
        if last is not None and monotonic - last.received <= ladder.hold.total_seconds():
            return InputState.HELD, last.worsened(Quality.UNCERTAIN, f"held: {sample.reason}")
        if ladder.substitute is not None:
            substituted = Sample(
                ladder.substitute,
                Quality.UNCERTAIN,
                f"substituted: {sample.reason}",
                sample.timestamp,
                sample.received,
            )
            return InputState.SUBSTITUTED, substituted
        return InputState.ABSENT, None


_ALL_IN_AUTO: Mapping[str, Standing] = MappingProxyType({})


class MountedStrategy:
    """One strategy at work. `wishes` is what it wants now, by point; empty while it lets go."""

    def __init__(self, mount: Mount, unavailable: Callable[[], Mapping[str, Standing]] = lambda: _ALL_IN_AUTO) -> None:
        """unavailable: the equipment that is not in auto; another object after every change."""
        self.mount = mount
        self._unavailable = unavailable
        self._members = {(role.member, role.ordinal): equipment_of(point) for role, point in mount.roles.items()}
        self.mode = mount.mode
        self.source = f"strategy:{mount.id}"
        self.state: Any = mount.strategy.initial()
        self.saved_state: Any = self.state
        self.wishes: dict[PointId, Scalar] = {}
        self.reason: Text = NO_TEXT
        # Why it may not decide now, whatever it sees; it then wishes nothing.
        self.withheld: Text | None = None
        self.plans = mount.strategy if isinstance(mount.strategy, Plans) else None
        self.fault: Fault | None = None
        self.faults = FaultCount()
        # Until the first plan has been tried, not having one is no fault.
        self.awaits_plan = self.plans is not None
        self.plan: Any = None
        self.plan_made = -math.inf
        self.ladders = Ladders(mount.strategy.inputs, mount.roles)
        self.outputs = [(role, mount.roles[role]) for role in mount.strategy.outputs]
        self._decided = math.nan
        self._requests: Mapping[Role, Scalar] | None = None
        self._renew_after = -math.inf
        self._steady_until: datetime | None = None
        self._decided_with: Any = None
        self._decided_among: Mapping[str, Standing] = _ALL_IN_AUTO
        self._decided_now = datetime.min.replace(tzinfo=UTC)

    def observe(self, image: FrozenImage) -> Observation:
        elapsed = image.monotonic - self._decided if self._decided == self._decided else 0.0
        return Observation(
            now=image.now,
            local=image.local,
            elapsed=elapsed,
            samples=self.ladders.seen(image),
            plan=self._present_plan(image.monotonic),
            unavailable=self._members_not_in_auto(),
        )

    def _members_not_in_auto(self) -> dict[tuple[str, int], Availability]:
        unavailable = self._unavailable()
        if not unavailable:
            return {}
        return {
            member: unavailable[equipment].availability
            for member, equipment in self._members.items()
            if equipment in unavailable
        }

    def step(self, image: FrozenImage) -> bool:
        """Decide once; answers whether wishes, reason or fault changed. A faulty strategy keeps its last good state."""
        if self.withheld is not None and self.mode is not Mode.OFF:
            return self._withhold(self.withheld)
        if self._is_steady(image):
            self._decided, self._decided_now = image.monotonic, image.now
            return False
        self._steady_until = None
        if self.mode is Mode.OFF or not self.faults.may_step(image.monotonic):
            return False
        seen = self.observe(image)
        decision = isolate(self._decide, seen)
        if isinstance(decision, Fault):
            return self._failed(decision, image.monotonic)
        self._decided, self._decided_now = image.monotonic, image.now
        self._steady_until, self._decided_with = self._rests_until(decision, image), self.plan
        self._decided_among = self._unavailable()
        return self._decided_on(decision)

    def _rests_until(self, decision: Decision[Any], image: FrozenImage) -> datetime | None:
        """Until when the decision stands; the plan that it leans on must not become too old meanwhile."""
        if decision.steady_until is None or self.plan is None or self.plans is None:
            return decision.steady_until
        left = self.plans.plan_limit - timedelta(seconds=image.monotonic - self.plan_made)
        return min(decision.steady_until, image.now + left) if left > timedelta(0) else decision.steady_until

    def _is_steady(self, image: FrozenImage) -> bool:
        """Whether the strategy has said that it would decide now as it did last."""
        return (
            self._steady_until is not None
            # A clock that is set back leaves the time for which the promise was made.
            and self._decided_now <= image.now < self._steady_until
            and self.plan is self._decided_with
            and self._unavailable() is self._decided_among
            and self.mode is not Mode.OFF
            and self.ladders.are_good_and_unchanged(image)
        )

    def _decide(self, seen: Observation) -> Decision[Any]:
        """What the strategy decides; a wish that it may not have is its own fault."""
        decision = self.mount.strategy.decide(seen, self.state)
        if decision.requests != self._requests:
            undeclared = decision.requests.keys() - self.mount.strategy.outputs
            if undeclared:
                raise ValueError(f"requests what it did not declare: {', '.join(map(str, undeclared))}")
            for role, value in decision.requests.items():
                if isinstance(value, float) and not math.isfinite(value):
                    raise ValueError(f"requests {value} for {role}")
        return decision

    def succeed(self, earlier: MountedStrategy) -> None:
        """Go on where the strategy of an earlier configuration was: with everything that it had in mind if nothing
        about it has changed, else with its state and plan. Faults of what was changed are forgotten."""
        if earlier.mount.kind is not self.mount.kind:
            return
        if replace(earlier.mount, strategy=self.mount.strategy) == self.mount:
            mine = {"mount": self.mount, "plans": self.plans, "_steady_until": None}
            vars(self).update(vars(earlier) | mine)
            return
        self.state, self.saved_state = earlier.state, earlier.saved_state
        self.plan, self.plan_made, self.awaits_plan = earlier.plan, earlier.plan_made, earlier.awaits_plan

    def commands_alike(self, earlier: MountedStrategy, point: PointId) -> bool:
        """Whether what the earlier one wishes of a point stands until this one says otherwise."""
        mine, its = ((each.mode, each.mount.priority) for each in (self, earlier))
        return mine == its and self.mode is not Mode.OFF and any(point == output for _, output in self.outputs)

    def _withhold(self, reason: Text) -> bool:
        if self.reason == reason and not self.wishes and self.fault is None:
            return False
        self.let_go()
        self.fault, self.reason, self._steady_until = None, reason, None
        return True

    def take_changed_rungs(self) -> Sequence[Rung]:
        """The inputs that have come to another rung since the last call, oldest first."""
        changed, self.ladders.changed = self.ladders.changed, []
        return changed

    def restart(self) -> None:
        """An operator acted: faults are forgotten."""
        self.faults = FaultCount()
        self.fault = None

    def let_go(self) -> None:
        self.wishes = {}
        self._requests = None

    def is_lease_due(self, monotonic: float) -> bool:
        """Leases are renewed at half their time."""
        return monotonic > self._renew_after and bool(self.wishes)

    def renew_lease(self, monotonic: float) -> float:
        lease = self.mount.lease.total_seconds()
        self._renew_after = monotonic + lease / 2
        return monotonic + lease

    def _decided_on(self, decision: Decision[Any]) -> bool:
        self.state = decision.state
        changed = self.fault is not None or decision.reason != self.reason
        if self.faults.faults:
            self.faults = FaultCount()
        self.fault = None
        self.reason = decision.reason
        if decision.requests == self._requests:
            return changed
        self._requests = decision.requests
        roles = self.mount.roles
        self.wishes = {roles[role]: value for role, value in decision.requests.items()}
        return True

    def _failed(self, fault: Fault, monotonic: float) -> bool:
        changed = fault != self.fault
        self.fault = fault
        if fault.lets_go:
            self.let_go()
        else:
            self.faults = self.faults.after_fault(monotonic)
        return changed

    def _present_plan(self, monotonic: float) -> Plan | None:
        plans = self.plans
        if plans is None or self.plan is None:
            return None
        age = monotonic - self.plan_made
        return Plan(self.plan, age) if age <= plans.plan_limit.total_seconds() else None
