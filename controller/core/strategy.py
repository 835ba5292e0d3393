"""What a strategy is: a pure function of what is seen and what it remembers.

Strategies know roles, never points, devices, clocks or sockets. The shell maps roles to points, executes each input's
degrade ladder, stamps priority and lease on the wishes, keeps the state, and runs plans in another process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable
from zoneinfo import ZoneInfo

from controller.core.availability import Availability
from controller.core.errors import BadInput
from controller.core.forecast import Forecast
from controller.core.ports import Aggregate
from controller.core.sample import Sample, Scalar, as_number
from controller.core.tariff import Tariff
from controller.core.terrain import Terrain
from controller.core.text import Text


class Role(NamedTuple):
    """A quantity of the ordinal-th equipment (from 0) bound to a member: Role("chillers", 2, "status")."""

    member: str
    ordinal: int
    quantity: str

    def __str__(self) -> str:
        return f"{self.member}[{self.ordinal}].{self.quantity}"


class Ladder(NamedTuple):
    """What the shell does when an input is not GOOD: keep the last good value for `hold`, then use `substitute`.

    Without a substitute the role is then absent from the observation. A silent meter is substituted by the dangerous
    value, a silent motion sensor by "occupied", never by zero.
    """

    hold: timedelta = timedelta(0)
    substitute: Scalar | None = None


LET_GO = Ladder()


class InputState(StrEnum):
    """On which rung of its ladder an input stands."""

    GOOD = "good"
    HELD = "held"
    SUBSTITUTED = "substituted"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees north and east, metres above sea level."""

    latitude: float
    longitude: float
    elevation: float = 0.0


class Plan(NamedTuple):
    """A plan's result and its age in seconds."""

    value: Any
    age: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One frozen picture.

    now: aware UTC. local: the same instant in the site's zone. elapsed: seconds since this strategy last decided
    (0 the first time): what a strategy must time, it counts with this, so that its state survives a restart.
    samples: GOOD, held or substituted values; an absent role has none. plan: None if there is none young enough.
    unavailable: members that are not in auto, by member and ordinal: nobody commands them, whatever is wished.
    """

    now: datetime
    local: datetime
    elapsed: float
    samples: Mapping[Role, Sample]
    plan: Plan | None = None
    unavailable: Mapping[tuple[str, int], Availability] = field(default_factory=dict[tuple[str, int], Availability])

    def availability(self, member: str, ordinal: int = 0) -> Availability:
        return self.unavailable.get((member, ordinal), Availability.AUTO)

    def is_available(self, member: str, ordinal: int = 0) -> bool:
        return (member, ordinal) not in self.unavailable

    def value(self, role: Role) -> Scalar:
        sample = self.samples.get(role)
        if sample is None or sample.value is None:
            raise BadInput(str(role))
        return sample.value

    def number(self, role: Role) -> float:
        sample = self.samples.get(role)
        number = None if sample is None else as_number(sample.value)
        if number is None:
            raise BadInput(str(role) if sample is None or sample.value is None else f"{role} is no number")
        return number

    def flag(self, role: Role) -> bool:
        return bool(self.number(role))

    def number_or_none(self, role: Role) -> float | None:
        sample = self.samples.get(role)
        return None if sample is None else as_number(sample.value)


StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True)
class Decision(Generic[StateT]):
    """requests: the complete wish; a role that is absent is let go. reason: one sentence for the operator.

    steady_until: aware UTC; before then, and as long as no input, no plan and no availability changes, deciding again
    would give this very decision, however much time has elapsed, so that the shell need not ask. None: ask in every
    scan.
    """

    state: StateT
    requests: Mapping[Role, Scalar]
    reason: Text
    steady_until: datetime | None = None


class Strategy(Protocol[StateT]):
    @property
    def inputs(self) -> Mapping[Role, Ladder]: ...

    @property
    def outputs(self) -> frozenset[Role]: ...

    def initial(self) -> StateT: ...

    def decide(self, seen: Observation, state: StateT) -> Decision[StateT]:
        """Every scan; cheap; the same arguments give the same answer. May raise BadInput to let go."""
        ...


@dataclass(frozen=True, slots=True)
class PlanInput:
    """All that a plan may lean on; picklable both ways.

    tariff: None where the site has none. forecasts: of the roles that the strategy declared, where the site has one.
    history: hours of the roles that the strategy looks back upon, oldest first; empty where history cannot be read.
    terrain: what stands before the sky; None where it is level.
    """

    now: datetime
    zone: ZoneInfo
    position: Position
    seen: Observation
    state: Any
    previous: Any
    tariff: Tariff | None = None
    forecasts: Mapping[Role, Forecast] = field(default_factory=dict[Role, Forecast])
    history: Mapping[Role, Sequence[Aggregate]] = field(default_factory=dict[Role, Sequence[Aggregate]])
    terrain: Terrain | None = None


@runtime_checkable
class Plans(Protocol):
    """Optional capability: work too heavy for a scan, done in another process at the strategy's own interval."""

    @property
    def plan_every(self) -> timedelta: ...

    @property
    def plan_limit(self) -> timedelta:
        """A plan older than this is no plan."""
        ...

    @property
    def plan_type(self) -> type[Any]:
        """The dataclass of its plans, so that they can be stored."""
        ...

    @property
    def forecasts(self) -> frozenset[Role]:
        """Inputs whose forecast a plan leans on."""
        ...

    def plan(self, given: PlanInput) -> Any:
        """Pure. Heavy imports belong inside."""
        ...


@runtime_checkable
class LooksBack(Protocol):
    """Optional capability of a strategy that plans: what its plans learn from, read from history by the shell."""

    @property
    def look_back(self) -> timedelta:
        """How far before the present hour the windows begin."""
        ...

    @property
    def history(self) -> frozenset[Role]:
        """The inputs whose hours a plan learns from."""
        ...


class Member(NamedTuple):
    """What may be bound under a member's name: equipment of a class, between so many of them."""

    equipment: str
    least: int = 1
    most: int = 1


class Build(Protocol):
    def __call__(self, parameters: Any, counts: Mapping[str, int]) -> Strategy[Any]:
        """A strategy from its validated parameters and the number of equipments bound to each member."""
        ...


@dataclass(frozen=True, slots=True)
class StrategyKind:
    """A strategy as the registry knows it.

    parameters: a frozen dataclass whose fields carry bounds. state: the dataclass it remembers; state_version rises
    with every change of its meaning. leans_on_wall_clock: it goes by the calendar, the sun or the tariff, so it lets go
    while nobody can say that the clock is right.
    """

    name: str
    title: Text
    members: Mapping[str, Member]
    parameters: type[Any]
    state: type[Any]
    state_version: int
    build: Build
    leans_on_wall_clock: bool = False


class Mode(StrEnum):
    OFF = "off"
    SHADOW = "shadow"
    AUTO = "auto"
