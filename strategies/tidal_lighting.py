"""Keeps a garage lit as brightly as its traffic needs: a band by the tide of the day, more where somebody moves.

After the "tidal" garage lighting of published retrofits: 50 % in peak periods, 25 % off-peak, and a group rises at
once on motion, with its neighbours if the site says so. Where a group has a lux sensor, the brightness that just
keeps the lux floor is measured while the lamps are steady, and the group never goes below it.

It never goes below `minimum_brightness` nor below the brightness known to keep the lux floor, never delays a rise,
never takes silence for absence: a silent motion sensor counts as occupied, a silent lux sensor as `safe_brightness`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, ClassVar, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le

from controller.core.sample import Sample, Scalar
from controller.core.strategy import Decision, Ladder, Member, Observation, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.timers import off_delay
from strategies.blocks.timetable import Period, inside, unchanged_until, week_edges

Fraction: TypeAlias = Annotated[float, Gt(0), Le(1)]
Group: TypeAlias = Annotated[int, Ge(1)]

# A bus that stumbles over a few polls is no reason to light up the garage; a person is rarely missed for longer.
_MOTION_LADDER = Ladder(hold=timedelta(seconds=10), substitute=True)
_LUX_LADDER = Ladder(hold=timedelta(seconds=60))

# The estimate of the brightness that keeps the lux floor: aimed at this share above what just keeps it, lowered once
# it is twice that share above. Wider than the noise of a garage lux sensor (about 3 % of reading).
_MARGIN = 0.05
# Change of the lamps' own brightness above which they are no longer steady.
_STEADY_WITHIN = 0.02


@dataclass(frozen=True, slots=True)
class Parameters:
    """Brightness as fraction 0..1, illuminance in lx, groups numbered from 1 in the order in which they are bound."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    peak_brightness: Fraction = 0.5
    off_peak_brightness: Fraction = 0.25
    occupied_brightness: Fraction = 0.75
    minimum_brightness: Fraction = 0.1
    weekday_peaks: tuple[Period, ...] = (Period(time(7), time(9, 30)), Period(time(17), time(20)))
    weekend_peaks: tuple[Period, ...] = (Period(time(10), time(20)),)
    hold_time: Annotated[timedelta, Ge(timedelta(seconds=1))] = timedelta(seconds=60)
    fade_time: Annotated[timedelta, Ge(timedelta(0))] = timedelta(seconds=20)
    neighbours: tuple[tuple[Group, Group], ...] = ()
    groups_without_motion_sensor: tuple[Group, ...] = ()
    illuminance_floor: Annotated[float, Gt(0)] | None = 30.0
    safe_brightness: Fraction = 1.0
    settle_time: Annotated[timedelta, Ge(timedelta(0))] = timedelta(seconds=5)
    groups_without_illuminance_sensor: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        rising = ("minimum_brightness", "off_peak_brightness", "peak_brightness", "occupied_brightness")
        for lower, higher in pairwise(rising):
            low, high = getattr(self, lower), getattr(self, higher)
            if low > high:
                raise ValueError(f"{lower} is {low:g}; it must be at most {higher}, {high:g}")
        if self.safe_brightness < self.off_peak_brightness:
            raise ValueError(
                f"safe_brightness is {self.safe_brightness:g}; "
                f"it must be at least off_peak_brightness, {self.off_peak_brightness:g}"
            )
        for one, other in self.neighbours:
            if one == other:
                raise ValueError(f"neighbours: group {one} is paired with itself; pair it with another group")

    @property
    def groups_named(self) -> dict[str, tuple[int, ...]]:
        """The groups that each parameter speaks of."""
        return {
            "neighbours": tuple(group for pair in self.neighbours for group in pair),
            "groups_without_motion_sensor": self.groups_without_motion_sensor,
            "groups_without_illuminance_sensor": self.groups_without_illuminance_sensor,
        }


@dataclass(frozen=True, slots=True)
class Floor:
    """What is known of a group's lux floor.

    brightness: keeps the floor. measured: brightness of the lamps from which they have not moved since, None while
    the illuminance is unknown. settling: seconds until the light that is measured is that of this brightness.
    """

    brightness: float = 0.0
    measured: float | None = None
    settling: float = 0.0


@dataclass(frozen=True, slots=True)
class GroupState:
    """brightness: last requested. hold: seconds for which the group still counts as occupied."""

    brightness: float
    hold: float
    floor: Floor = Floor()


@dataclass(frozen=True, slots=True)
class State:
    groups: tuple[GroupState, ...]


# Why a group is as bright as it is; at the band of the hour there is nothing to explain.
_NEIGHBOUR = Text("motion in a neighbouring group", "相邻组有人移动")
_HOLD_TIME = Text("hold time after motion", "移动后的保持时间")
_MOTION = Text("motion", "有人移动")
_MOTION_SILENT = Text("motion sensor silent, taken as occupied", "移动传感器无信号，按有人处理")
_FADING = Text("fading", "渐暗")
_FLOOR = Text("lux floor", "照度下限")
_FLOOR_UNKNOWN = Text("illuminance unknown, safe brightness", "照度未知，按安全亮度")


class _Roles(NamedTuple):
    """A group's roles, None where it has no sensor; lux: illuminance and the brightness at which it is measured."""

    command: Role
    motion: Role | None
    lux: tuple[Role, Role] | None
    neighbours: frozenset[int]


class TidalLighting:
    def __init__(self, parameters: Parameters, groups: int) -> None:
        for name, numbers in parameters.groups_named.items():
            if numbers and max(numbers) > groups:
                raise ValueError(f"{name}: group {max(numbers)} is not there; {groups} groups are bound, from 1")
        self._parameters = parameters
        self._illuminance_floor = parameters.illuminance_floor or 0.0
        self._hold_time = parameters.hold_time.total_seconds()
        self._settle_time = parameters.settle_time.total_seconds()
        fade = parameters.fade_time.total_seconds()
        self._fade_rate = 1.0 / fade if fade else math.inf
        self._peaks = week_edges([parameters.weekday_peaks] * 5 + [parameters.weekend_peaks] * 2)
        self._groups = tuple(_roles(parameters, ordinal) for ordinal in range(groups))
        self._initial = State((GroupState(parameters.occupied_brightness, self._hold_time),) * groups)
        self.inputs = _inputs(self._groups)
        self.outputs = frozenset(roles.command for roles in self._groups)

    def initial(self) -> State:
        """Everywhere as if somebody had just moved: nobody knows who is there when we begin."""
        return self._initial

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        parameters = self._parameters
        groups = state.groups if len(state.groups) == len(self._groups) else self._initial.groups
        peak = inside(self._peaks, seen.local)
        band = parameters.peak_brightness if peak else parameters.off_peak_brightness
        presence = [self._presence(roles, was, seen) for roles, was in zip(self._groups, groups, strict=True)]
        occupied = [ordinal for ordinal, (hold, _) in enumerate(presence) if hold]
        fall = self._fade_rate * seen.elapsed if seen.elapsed else 0.0

        states: list[GroupState] = []
        requests: dict[Role, Scalar] = {}
        whys: list[tuple[int, Text | None]] = []
        for roles, was, (hold, why) in zip(self._groups, groups, presence, strict=True):
            if not hold and occupied and not roles.neighbours.isdisjoint(occupied):
                why = _NEIGHBOUR
            level = parameters.occupied_brightness if why else band
            floor = self._floor(roles.lux, was.floor, seen, 0.0 if hold else fall) if roles.lux else was.floor
            if floor.brightness > level:
                level, why = floor.brightness, _FLOOR_UNKNOWN if floor.measured is None else _FLOOR
            brightness = was.brightness - fall
            if brightness > level:
                why = _FADING
            else:
                brightness = level
            requests[roles.command] = brightness
            whys.append((round(brightness * 100), why))
            if brightness == was.brightness and hold == was.hold and floor is was.floor:
                states.append(was)
            else:
                states.append(GroupState(brightness, hold, floor))

        new = tuple(states)
        reason = _reason(peak, round(band * 100), tuple(whys))
        if new != state.groups:
            return Decision(State(new), requests, reason)
        # Nothing is timed or led on its way any more; only the band of the hour can change by itself.
        steady_until = unchanged_until(self._peaks, seen.now, seen.local) if seen.elapsed else None
        return Decision(state, requests, reason, steady_until)

    def _presence(self, roles: _Roles, was: GroupState, seen: Observation) -> tuple[float, Text | None]:
        """Seconds for which the group counts as occupied, and why it does."""
        if roles.motion is None:
            return 0.0, None
        sample = seen.samples.get(roles.motion)
        motion = sample is None or sample.value is None or bool(sample.value)
        hold = off_delay(was.hold, motion, self._hold_time, seen.elapsed)
        if motion:
            return hold, _MOTION if _is_good(sample) else _MOTION_SILENT
        return hold, _HOLD_TIME if hold else None

    def _floor(self, lux: tuple[Role, Role], was: Floor, seen: Observation, fall: float) -> Floor:
        """The brightness that keeps the lux floor, learned while the lamps are steady; lowered by `fall` at most.

        Lowered only while nobody is there: headlights and the light from an open gate pass by.
        """
        illuminance = seen.number_or_none(lux[0])
        measured = seen.number_or_none(lux[1])
        # Written so that a reading that is no number counts as none.
        if illuminance is None or measured is None or not (illuminance >= 0.0 and measured > 0.0):
            safe = max(was.brightness, self._parameters.safe_brightness)
            return was if was.measured is None and was.brightness == safe else Floor(safe)
        steady = measured if was.measured is None else was.measured
        if abs(measured - steady) > _STEADY_WITHIN:
            return Floor(was.brightness, measured, self._settle_time)
        if was.settling > seen.elapsed:
            return Floor(was.brightness, steady, was.settling - seen.elapsed)
        brightness = self._keeps_floor(was.brightness, measured, illuminance, fall)
        if brightness == was.brightness and steady == was.measured and not was.settling:
            return was
        return Floor(brightness, steady)

    def _keeps_floor(self, known: float, brightness: float, illuminance: float, fall: float) -> float:
        """A better estimate of the brightness that keeps the floor.

        Light of the lamps is proportional to their brightness, so brightness x floor / illuminance just meets the
        floor. Daylight makes that too high while the illuminance is above the floor, which is safe, and too low
        while it is below, which the next measurements mend.
        """
        just_met = brightness * self._illuminance_floor / illuminance if illuminance else math.inf
        if just_met > known:
            return _whole_percent(just_met * (1 + _MARGIN))
        if fall and just_met * (1 + 2 * _MARGIN) < known:
            return max(_whole_percent(just_met * (1 + _MARGIN)), known - fall)
        return known


def _roles(parameters: Parameters, ordinal: int) -> _Roles:
    number = ordinal + 1
    has_motion = number not in parameters.groups_without_motion_sensor
    has_lux = parameters.illuminance_floor is not None and number not in parameters.groups_without_illuminance_sensor
    pairs = [pair for pair in parameters.neighbours if number in pair]
    return _Roles(
        command=Role("groups", ordinal, "brightness_command"),
        motion=Role("groups", ordinal, "motion") if has_motion else None,
        lux=(Role("groups", ordinal, "illuminance"), Role("groups", ordinal, "brightness")) if has_lux else None,
        neighbours=frozenset(other - 1 for pair in pairs for other in pair if other != number),
    )


def _inputs(groups: Sequence[_Roles]) -> Mapping[Role, Ladder]:
    inputs: dict[Role, Ladder] = {}
    for roles in groups:
        if roles.motion is not None:
            inputs[roles.motion] = _MOTION_LADDER
        inputs.update(dict.fromkeys(roles.lux or (), _LUX_LADDER))
    return inputs


def _is_good(sample: Sample | None) -> bool:
    return sample is not None and sample.is_good


def _whole_percent(brightness: float) -> float:
    """The next whole percent above, at most 1: so that the noise of a sensor does not write to the lamps."""
    return 1.0 if brightness >= 1.0 else math.ceil(brightness * 100.0) / 100.0


# --- the sentence -----------------------------------------------------------------------------------------------------


# A pure function of few different arguments, asked again every scan: remembering its answers changes nothing but time.
@lru_cache(maxsize=1024)
def _reason(peak: bool, band: int, whys: tuple[tuple[int, Text | None], ...]) -> Text:
    """Each group's brightness in percent and why, as one sentence; groups that are at the band are not named."""
    alike: dict[tuple[int, Text], list[int]] = {}
    for number, (percent, why) in enumerate(whys, start=1):
        if why:
            alike.setdefault((percent, why), []).append(number)
    english = [f"{'peak' if peak else 'off-peak'} {band} %"]
    chinese = [f"{'高峰' if peak else '低峰'} {band}%"]
    for (percent, why), numbers in alike.items():
        english.append(f"{'groups' if len(numbers) > 1 else 'group'} {_runs(numbers)} at {percent} %: {why.en}")
        chinese.append(f"第 {_runs(numbers)} 组 {percent}%：{why.zh}")
    return Text("; ".join(english), "；".join(chinese))


def _runs(numbers: Sequence[int]) -> str:
    """[1, 2, 3, 5] -> "1-3, 5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _build(parameters: Parameters, counts: Mapping[str, int]) -> TidalLighting:
    return TidalLighting(parameters, counts["groups"])


KIND = StrategyKind(
    name="tidal_lighting",
    title=Text("Tidal lighting", "潮汐照明"),
    members={"groups": Member("lighting_group", 1, 64)},
    parameters=Parameters,
    state=State,
    state_version=1,
    build=_build,
    leans_on_wall_clock=True,
)
