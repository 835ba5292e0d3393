"""Keeps a garage lit as brightly as its traffic needs: a band by the tide of the day, more where somebody moves.

After the "tidal" garage lighting of published retrofits: 50 % in peak periods, 25 % off-peak, and a group rises at
once on motion, with the groups beside it on the ways that people drive and walk. The tide is given, or learned from
the motion or the entries of the last weeks. Where a group has a lux sensor, the brightness that just keeps the lux
floor is measured while the lamps are steady, and the group never goes below it. Groups that can only be switched are
on at the peak and while somebody is there. Lamps that see motion themselves get settings and do the rest alone.

It never goes below `minimum_brightness`, below a place's own floor nor below the brightness known to keep the lux
floor, never delays a rise, never takes silence for absence: a motion sensor that is silent or stuck counts as occupied,
a silent lux sensor as `safe_brightness`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from controller.core.sample import Scalar
from controller.core.strategy import LET_GO, Decision, Ladder, Member, Observation, PlanInput, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.adjacency import around, together
from strategies.blocks.garage import (
    Fraction,
    Group,
    LampRow,
    Place,
    brightness_for,
    full_illuminance,
    missing_groups,
    own_floor,
    own_illuminance,
)
from strategies.blocks.garage_sentence import garage_sentence, lamps_sentence
from strategies.blocks.lux_floor import Floor, FloorKeeping, learned, whole_percent
from strategies.blocks.presence import NOBODY, Presence, PresenceRule, begun, presence_rule
from strategies.blocks.sensor_lamps import MEMBER as SENSOR_LAMPS
from strategies.blocks.sensor_lamps import MOST, LampSettings, link_bits
from strategies.blocks.tide import LOOK_BACK, Tide, learned_peak, planned_tide
from strategies.blocks.timetable import HOURS, Period, inside, unchanged_until, week_edges

# A bus that stumbles over a few polls is no reason to light up the garage; a person is rarely missed for longer.
_MOTION_LADDER = Ladder(hold=timedelta(seconds=10), substitute=True)
_LUX_LADDER = Ladder(hold=timedelta(seconds=60))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Brightness as fraction 0..1, illuminance in lx. Groups are numbered from 1 in the order in which they are bound:
    first those that dim, then circuits that only switch, then lamps that see motion themselves.
    """

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
    tide: Literal["given", "learned"] = "given"
    peak_share: Fraction = 0.5
    driving_paths: tuple[tuple[Group, ...], ...] = ()
    walking_paths: tuple[tuple[Group, ...], ...] = ()
    driving_ahead: Annotated[int, Ge(1), Le(5)] = 2
    occupied_illuminance: Annotated[float, Gt(0)] | None = 65.0
    places: tuple[Place, ...] = ()
    lamp_table: tuple[LampRow, ...] = ()
    stuck_after_motions: Annotated[int, Ge(10)] | None = 100
    idle_brightness: Fraction | None = None
    peak_idle_brightness: Fraction | None = None
    off_peak_hold_time: Annotated[timedelta, Ge(timedelta(seconds=1))] | None = None

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

    def check_groups(self, bound: int) -> None:
        """Raises ValueError where a group is named that is not bound."""
        named = {
            "neighbours": tuple(group for pair in self.neighbours for group in pair),
            "groups_without_motion_sensor": self.groups_without_motion_sensor,
            "groups_without_illuminance_sensor": self.groups_without_illuminance_sensor,
        }
        for name, numbers in named.items():
            if numbers and max(numbers) > bound:
                raise ValueError(f"{name}: group {max(numbers)} is not there; {bound} groups are bound, from 1")
        rows = {
            "driving_paths": self.driving_paths,
            "walking_paths": self.walking_paths,
            "places": [place.groups for place in self.places],
            "lamp_table": [row.groups for row in self.lamp_table],
        }
        for name, groups in rows.items():
            for problem in missing_groups(name, groups, bound):
                raise ValueError(problem)

    def beside(self) -> Mapping[int, frozenset[int]]:
        """The groups that rise together with each, by number."""
        return together(
            around(self.neighbours, 1),
            around(self.driving_paths, self.driving_ahead),
            around(self.walking_paths, 1),
        )


@dataclass(frozen=True, slots=True)
class GroupState:
    """brightness: last requested. hold: seconds for which the group still counts as occupied. missed: motions that have
    begun beside it since its own sensor last showed one.
    """

    brightness: float
    hold: float
    floor: Floor = field(default_factory=Floor)
    missed: int = 0


@dataclass(frozen=True, slots=True)
class State:
    groups: tuple[GroupState, ...]


# Why a group is as bright as it is; at the band of the hour there is nothing to explain.
_NEIGHBOUR = Text("motion in a neighbouring group", "相邻组有人移动")
_FADING = Text("fading", "渐暗")
_FLOOR = Text("lux floor", "照度下限")
_FLOOR_UNKNOWN = Text("illuminance unknown, safe brightness", "照度未知，按安全亮度")
_SWITCHED_OFF = Text("it only switches, and nobody is there", "只能开关，且无人")


class _Group(NamedTuple):
    """A group that follows us. motion, lux: None where it has no sensor; lux: illuminance and the brightness at which
    it is measured. occupied: its brightness while somebody is there; by_floor: that as a multiple of what keeps its lux
    floor, 0 where no sensor tells. floor, place: what it never falls below, and why.
    """

    command: Role
    motion: Role | None
    lux: tuple[Role, Role] | None
    beside: frozenset[int]
    presence: PresenceRule
    keeping: FloorKeeping | None
    occupied: float
    by_floor: float
    floor: float
    place: Text | None
    switches: bool


class _Light(NamedTuple):
    brightness: float
    why: Text | None


class TidalLighting:
    def __init__(self, parameters: Parameters, groups: int, circuits: int = 0, lamps: int = 0) -> None:
        following = groups + circuits
        if not following + lamps:
            raise ValueError("groups: nothing is bound; bind groups, circuits or sensor_lamps")
        parameters.check_groups(following + lamps)
        self._parameters = parameters
        fade = parameters.fade_time.total_seconds()
        self._fade_rate = 1.0 / fade if fade else math.inf
        self._peaks = week_edges([parameters.weekday_peaks] * 5 + [parameters.weekend_peaks] * 2)
        beside = parameters.beside()
        self._groups = tuple(_group(parameters, beside, ordinal, groups, following) for ordinal in range(following))
        hold_time = parameters.hold_time.total_seconds()
        self._initial = State(tuple(GroupState(each.occupied, hold_time) for each in self._groups))
        alone = {peak: _settings(parameters, beside, following, lamps, peak=peak) for peak in (False, True)}
        self._alone = {
            peak: {role: value for number, each in enumerate(settings) for role, value in each.requests(number).items()}
            for peak, settings in alone.items()
        }
        self._told_alone = {peak: lamps_sentence(settings, following) for peak, settings in alone.items()}
        self.inputs = _inputs(self._groups)
        self.outputs = frozenset(each.command for each in self._groups) | self._alone[False].keys()

    def initial(self) -> State:
        """Everywhere as if somebody had just moved: nobody knows who is there when we begin."""
        return self._initial

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        parameters = self._parameters
        groups = state.groups if len(state.groups) == len(self._groups) else self._initial.groups
        peak, is_learned = self._is_peak(seen)
        band = parameters.peak_brightness if peak else parameters.off_peak_brightness
        presences = _presences(self._groups, groups, seen)
        beginning = begun(presences)
        occupied = {ordinal for ordinal, presence in enumerate(presences) if presence.hold}
        fall = self._fade_rate * seen.elapsed if seen.elapsed else 0.0

        states: list[GroupState] = []
        requests: dict[Role, Scalar] = dict(self._alone[peak])
        whys: list[tuple[int, Text | None]] = []
        for group, was, presence in zip(self._groups, groups, presences, strict=True):
            why = presence.why
            if not presence.hold and occupied and not group.beside.isdisjoint(occupied):
                why = _NEIGHBOUR
            floor = was.floor
            if group.lux is not None and group.keeping is not None:
                illuminance, measured = [seen.number_or_none(role) for role in group.lux]
                may_fall = 0.0 if presence.hold else fall
                floor = learned(floor, group.keeping, illuminance, measured, elapsed=seen.elapsed, fall=may_fall)
            if group.switches:
                brightness, why = _switched(group, why, peak=peak)
                requests[group.command] = brightness > 0.0
            else:
                brightness, why = _dimmed(group, why, floor, band, was.brightness - fall)
                requests[group.command] = brightness
            whys.append((round(brightness * 100), why))
            missed = group.presence.missed(was.missed, presence, beginning)
            is_as_before = brightness == was.brightness and presence.hold == was.hold
            if is_as_before and floor is was.floor and missed == was.missed:
                states.append(was)
            else:
                states.append(GroupState(brightness, presence.hold, floor, missed))

        new = tuple(states)
        reason = garage_sentence(peak, is_learned, round(band * 100), tuple(whys), self._told_alone[peak])
        if new != state.groups:
            return Decision(State(new), requests, reason)
        # Nothing is timed or led on its way any more; only the band of the hour can change by itself.
        return Decision(state, requests, reason, self._unchanged_until(seen) if seen.elapsed else None)

    def _is_peak(self, seen: Observation) -> tuple[bool, bool]:
        """Whether the tide is high, and whether that was learned."""
        return inside(self._peaks, seen.local), False

    def _unchanged_until(self, seen: Observation) -> datetime:
        return unchanged_until(self._peaks, seen.now, seen.local)


class LearnedTidalLighting(TidalLighting):
    """The tide as the last weeks have shown it; the given periods where they have shown too little."""

    def __init__(
        self, parameters: Parameters, groups: int, circuits: int = 0, lamps: int = 0, counters: int = 0
    ) -> None:
        super().__init__(parameters, groups, circuits, lamps)
        self._counters = tuple(Role("entry_counters", ordinal, "entries") for ordinal in range(counters))
        self._motions = tuple(each.motion for each in self._groups if each.motion is not None)
        if not counters:
            self._motions += tuple(Role(SENSOR_LAMPS, ordinal, "motion") for ordinal in range(lamps))
        self.inputs = {**dict.fromkeys((*self._counters, *self._motions), LET_GO), **self.inputs}
        self.plan_every = timedelta(days=1)
        self.plan_limit = timedelta(days=7)
        self.plan_type = Tide
        self.forecasts: frozenset[Role] = frozenset()
        self.look_back = LOOK_BACK
        self.history = frozenset(self._counters or self._motions)
        self._edges = tuple(sorted({*self._peaks, *HOURS}))

    def plan(self, given: PlanInput) -> Tide:
        return planned_tide(given, self._motions, self._counters, self._parameters.peak_share)

    def _is_peak(self, seen: Observation) -> tuple[bool, bool]:
        peak = learned_peak(seen)
        return super()._is_peak(seen) if peak is None else (peak, True)

    def _unchanged_until(self, seen: Observation) -> datetime:
        """A tide is one of hours; where none is known, the given periods are."""
        return unchanged_until(self._edges, seen.now, seen.local)


# --- one group --------------------------------------------------------------------------------------------------------


def _presences(groups: Sequence[_Group], states: Sequence[GroupState], seen: Observation) -> list[Presence]:
    samples, elapsed = seen.samples, seen.elapsed
    return [
        NOBODY
        if group.motion is None
        else group.presence.presence(samples.get(group.motion), was.hold, was.missed, elapsed)
        for group, was in zip(groups, states, strict=True)
    ]


def _dimmed(group: _Group, why: Text | None, floor: Floor, band: float, faded: float) -> _Light:
    """faded: to where it may have fallen by now."""
    level = band
    if why:
        level = max(group.occupied, min(1.0, whole_percent(floor.brightness * group.by_floor)))
    if group.floor > level:
        level, why = group.floor, group.place
    if floor.brightness > level:
        level, why = floor.brightness, _FLOOR_UNKNOWN if floor.measured is None else _FLOOR
    return _Light(faded, _FADING) if faded > level else _Light(level, why)


def _switched(group: _Group, why: Text | None, *, peak: bool) -> _Light:
    if why or peak:
        return _Light(1.0, why)
    return _Light(1.0, group.place) if group.floor else _Light(0.0, _SWITCHED_OFF)


def _group(
    parameters: Parameters, beside: Mapping[int, frozenset[int]], ordinal: int, groups: int, following: int
) -> _Group:
    number = ordinal + 1
    switches = ordinal >= groups
    member, place = ("circuits", ordinal - groups) if switches else ("groups", ordinal)
    has_motion = number not in parameters.groups_without_motion_sensor
    has_lux = not switches and parameters.illuminance_floor is not None
    has_lux = has_lux and number not in parameters.groups_without_illuminance_sensor
    full = full_illuminance(parameters.lamp_table, number)
    own = own_illuminance(parameters.places, number)
    if own and not (has_lux or full or switches):
        raise ValueError(
            f"places: group {number} is to keep {own:g} lx, and nothing tells its light; "
            "give it a lux sensor or a row in lamp_table"
        )
    others = frozenset(other - 1 for other in beside.get(number, ()) if other <= following)
    floor, why = own_floor(parameters.places, number, full)
    if switches and own and not floor:
        floor = 1.0  # what only switches keeps any floor by being on
    if switches and not (has_motion or others or floor):
        raise ValueError(
            f"groups_without_motion_sensor: group {number} only switches and would stay dark with somebody there; "
            "give it neighbours that see, or a place with a floor"
        )
    lit = parameters.occupied_illuminance
    lux = max(parameters.illuminance_floor or 0.0, own)
    return _Group(
        command=Role(member, place, "command" if switches else "brightness_command"),
        motion=Role(member, place, "motion") if has_motion else None,
        lux=(Role(member, place, "illuminance"), Role(member, place, "brightness")) if has_lux else None,
        beside=others,
        presence=presence_rule(
            parameters.hold_time.total_seconds(), parameters.stuck_after_motions, ordinal, others, following
        ),
        keeping=FloorKeeping(lux, parameters.safe_brightness, parameters.settle_time.total_seconds())
        if has_lux
        else None,
        occupied=max(parameters.occupied_brightness, brightness_for(lit, full) if lit and full else 0.0),
        by_floor=lit / lux if lit and has_lux else 0.0,
        floor=floor,
        place=why,
        switches=switches,
    )


def _inputs(groups: Sequence[_Group]) -> Mapping[Role, Ladder]:
    inputs: dict[Role, Ladder] = {}
    for group in groups:
        if group.motion is not None:
            inputs[group.motion] = _MOTION_LADDER
        inputs.update(dict.fromkeys(group.lux or (), _LUX_LADDER))
    return inputs


def _settings(
    parameters: Parameters, beside: Mapping[int, frozenset[int]], following: int, lamps: int, *, peak: bool
) -> Sequence[LampSettings]:
    """Of the lamps that see motion themselves, at the peak and off it."""
    found: list[LampSettings] = []
    for ordinal in range(lamps):
        number = following + ordinal + 1
        full = full_illuminance(parameters.lamp_table, number)
        floor = max(parameters.illuminance_floor or 0.0, own_illuminance(parameters.places, number))
        idle = parameters.idle_brightness or (brightness_for(floor, full) if floor and full else 0.0)
        idle = max(idle or parameters.off_peak_brightness, own_floor(parameters.places, number, full)[0])
        lit = parameters.occupied_illuminance
        active = max(parameters.occupied_brightness, brightness_for(lit, full) if lit and full else 0.0, idle)
        hold = parameters.hold_time if peak else parameters.off_peak_hold_time or parameters.hold_time
        if peak:
            idle = min(active, max(idle, parameters.peak_idle_brightness or 0.0))
        others = [other - following - 1 for other in beside.get(number, ()) if other > following]
        found.append(LampSettings(idle, active, hold.total_seconds(), link_bits([ordinal, *others])))
    return found


def _build(parameters: Parameters, counts: Mapping[str, int]) -> TidalLighting:
    bound = [counts.get(member, 0) for member in ("groups", "circuits", SENSOR_LAMPS)]
    if parameters.tide == "learned":
        return LearnedTidalLighting(parameters, *bound, counters=counts.get("entry_counters", 0))
    return TidalLighting(parameters, *bound)


KIND = StrategyKind(
    name="tidal_lighting",
    title=Text("Tidal lighting", "潮汐照明"),
    members={
        "groups": Member("lighting_group", 0, 64),
        "circuits": Member("lighting_circuit", 0, 64),
        SENSOR_LAMPS: Member("sensor_lamp_group", 0, MOST),
        "entry_counters": Member("traffic_counter", 0, 8),
    },
    parameters=Parameters,
    state=State,
    state_version=2,
    build=_build,
    leans_on_wall_clock=True,
)
