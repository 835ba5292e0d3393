"""Sets zones back while nobody is there: one setpoint while they are occupied, another while they are not.

After the occupied, warm-up and unoccupied modes of zone groups in ASHRAE Guideline 36-2021, 5.4: `warm_up` ahead of a
period of occupancy its setpoint counts already, so that the first ones are not cold.

It never looks at temperatures: keeping the setpoint is the zone's own control's work. How far a setpoint may go is the
guard's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from controller.core.sample import Scalar
from controller.core.strategy import Decision, Ladder, Member, Observation, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.timetable import Period, inside, unchanged_until, week_edges

_OCCUPIED = Text("occupied: {:g} °C", "有人：{:g} °C")
_WARM_UP = Text("warm-up: {:g} °C", "预热：{:g} °C")
_UNOCCUPIED = Text("unoccupied: {:g} °C", "无人：{:g} °C")
_WORKDAYS, _WEEKEND = 5, 2


@dataclass(frozen=True, slots=True)
class Parameters:
    """Setpoints in °C; periods of occupancy by the local clock; a weekday is Monday to Friday."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    occupied_setpoint: Annotated[float, Ge(5), Le(35)] = 21.0
    unoccupied_setpoint: Annotated[float, Ge(5), Le(35)] = 16.0
    weekday_periods: tuple[Period, ...] = (Period(time(7), time(19)),)
    weekend_periods: tuple[Period, ...] = ()
    warm_up: Annotated[timedelta, Ge(timedelta(0)), Le(timedelta(hours=12))] = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class State:
    """Nothing is remembered: the clock says it all."""


class ZoneSetback:
    def __init__(self, parameters: Parameters, zones: int) -> None:
        self._parameters = parameters
        days = [parameters.weekday_periods] * _WORKDAYS + [parameters.weekend_periods] * _WEEKEND
        self._edges = week_edges(days)
        self._roles = [Role("zones", ordinal, "air_temperature_setpoint") for ordinal in range(zones)]
        self.inputs: Mapping[Role, Ladder] = {}
        self.outputs = frozenset(self._roles)

    def initial(self) -> State:
        return State()

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        said = self._parameters
        ahead = seen.local + said.warm_up
        if inside(self._edges, seen.local):
            setpoint, words = said.occupied_setpoint, _OCCUPIED
        elif inside(self._edges, ahead):
            setpoint, words = said.occupied_setpoint, _WARM_UP
        else:
            setpoint, words = said.unoccupied_setpoint, _UNOCCUPIED
        requests: dict[Role, Scalar] = dict.fromkeys(self._roles, setpoint)
        until = min(unchanged_until(self._edges, seen.now, local) for local in (seen.local, ahead))
        return Decision(state, requests, Text(words.en.format(setpoint), words.zh.format(setpoint)), until)


def _build(parameters: Parameters, counts: Mapping[str, int]) -> ZoneSetback:
    return ZoneSetback(parameters, counts["zones"])


KIND = StrategyKind(
    name="zone_setback",
    title=Text("Setback of unoccupied zones", "无人区域温度回设"),
    members={"zones": Member("zone", 1, 64)},
    parameters=Parameters,
    state=State,
    state_version=1,
    build=_build,
    leans_on_wall_clock=True,
)
