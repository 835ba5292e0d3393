"""Switches circuits on while it is dark: the smallest strategy that works. Copy this file to start your own.

Then: give it a name of its own, add one line to STRATEGIES, a cycle table in tests/unit/strategies and a page in
docs/strategies.

First say what the strategy does for the building and after which source; then what it never does. This one never acts
without its sensor: it lets go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from controller.core.sample import Scalar
from controller.core.strategy import LET_GO, Decision, Ladder, Member, Observation, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.hysteresis import below

_ILLUMINANCE = Role("daylight_sensor", 0, "illuminance")
_ON = Text("on: it is dark", "开：天暗")
_OFF = Text("off: it is light", "关：天亮")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Limits in lx; bounds of one field stand in its type, relations between fields in __post_init__."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    dark: Annotated[float, Ge(0)] = 20.0
    bright: Annotated[float, Ge(0)] = 40.0

    def __post_init__(self) -> None:
        if self.bright <= self.dark:
            raise ValueError(f"bright is {self.bright:g} lx; it must lie above dark, {self.dark:g} lx")


@dataclass(frozen=True, slots=True)
class State:
    on: bool = False


class Blueprint:
    def __init__(self, parameters: Parameters, circuits: int) -> None:
        self._parameters = parameters
        self.inputs: Mapping[Role, Ladder] = {_ILLUMINANCE: LET_GO}
        self.outputs = frozenset(Role("circuits", ordinal, "command") for ordinal in range(circuits))

    def initial(self) -> State:
        return State()

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        limits = self._parameters
        on = below(seen.number(_ILLUMINANCE), limit=limits.dark, release=limits.bright, was=state.on)
        requests: dict[Role, Scalar] = dict.fromkeys(self.outputs, on)
        return Decision(State(on), requests, _ON if on else _OFF)


def _build(parameters: Parameters, counts: Mapping[str, int]) -> Blueprint:
    return Blueprint(parameters, counts["circuits"])


KIND = StrategyKind(
    name="blueprint",
    title=Text("Light while it is dark", "天暗亮灯"),
    members={"daylight_sensor": Member("daylight_sensor"), "circuits": Member("lighting_circuit", 1, 64)},
    parameters=Parameters,
    state=State,
    state_version=1,
    build=_build,
)
