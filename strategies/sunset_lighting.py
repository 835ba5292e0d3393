"""Lights outdoor circuits through the dark hours of the place and the day, and by day while a storm makes it dark.

Lamps are on while a clear sky would give the ground less than 30 lx, which is with the sun's centre about 4° below the
horizon (NREL solar position algorithm; twilight after the U.S. Naval Observatory's Circular 171). Altitude, terrain
and offsets may only lengthen that. A daylight sensor may light the lamps at any time; it may keep them off by
`sensor_delay` at each end of the night, and never while the sun is below -6°. In the depth of the night some circuits
may go out and others be dimmed, except on festivals.

It never waits for the sensor longer than that, and never believes one that is stuck or sees our own lamps. What looks
like our lamps may be a cloud: until that is settled, lamps are on from sunset to sunrise. It never guesses the time:
without the sun's times it lets go, and the site's own controls hold the lamps. Minimum on and off times are the
guard's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, ClassVar, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le

from controller.core.errors import BadInput
from controller.core.sample import Scalar
from controller.core.strategy import Decision, Ladder, Member, Observation, PlanInput, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.daylight import Daylight, Reading, SkyLimits, believed, judged, stuck_at, switched, watched
from strategies.blocks.nights import Night, NightRule, SunPlan
from strategies.blocks.timers import Delayed
from strategies.blocks.timetable import NOONS, Period, inside, unchanged_until, week_edges

Delay: TypeAlias = Annotated[timedelta, Ge(timedelta(0))]
Fraction: TypeAlias = Annotated[float, Gt(0), Le(1)]
Number: TypeAlias = Annotated[int, Ge(1)]

_ILLUMINANCE = Role("daylight_sensor", 0, "illuminance")
_LADDER = Ladder(hold=timedelta(minutes=5))
_ONE_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Festival:
    """The nights that begin on these dates, first and last included."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    name: str
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the festival {self.name} ends on {self.last}, before it begins; exchange the dates")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Offsets in minutes, positive is later; illuminance in lx. Circuits are numbered from 1 in the order in which they
    are bound, groups that dim after them.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    sunset_offset_minutes: Annotated[float, Ge(-120), Le(0)] = 0.0
    sunrise_offset_minutes: Annotated[float, Ge(0), Le(120)] = 0.0
    # Above what is asked of the ground, 20 lx: under broken clouds light halves within a minute at dusk.
    dark_illuminance: Annotated[float, Ge(0)] = 50.0
    bright_illuminance: Annotated[float, Ge(0)] = 100.0
    dark_delay: Delay = timedelta(seconds=10)
    bright_delay: Delay = timedelta(minutes=5)
    switching_illuminance: Annotated[float, Ge(5), Le(500)] = 30.0
    sensor_delay: Annotated[timedelta, Ge(timedelta(0)), Le(timedelta(minutes=10))] = timedelta(minutes=10)
    curfew: Period | None = None
    curfew_brightness: Fraction = 0.5
    part_night: Period | None = None
    part_night_circuits: tuple[Number, ...] = ()
    festivals: tuple[Festival, ...] = ()
    festival_circuits: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        if self.bright_illuminance <= self.dark_illuminance:
            raise ValueError(
                f"bright_illuminance is {self.bright_illuminance:g} lx; "
                f"it must lie above dark_illuminance, {self.dark_illuminance:g} lx"
            )
        if self.part_night_circuits and self.part_night is None:
            raise ValueError("part_night_circuits are named, and no part_night; say from when to when they are off")
        if self.festival_circuits and not self.festivals:
            raise ValueError("festival_circuits are named, and no festivals; say on which nights they are lit")

    def check_circuits(self, bound: int) -> None:
        """Raises ValueError where a circuit is named that is not bound."""
        for name in ("part_night_circuits", "festival_circuits"):
            for number in getattr(self, name):
                if number > bound:
                    raise ValueError(f"{name}: circuit {number} is not there; {bound} are bound, from 1")


@dataclass(frozen=True, slots=True)
class State:
    """lit: whether the lamps were to be on; true at the beginning, so that a restart at dusk puts nothing out."""

    daylight: Daylight = field(default_factory=Daylight)
    lit: bool = True


class SunsetLighting:
    def __init__(self, parameters: Parameters, circuits: int, groups: int = 0, *, has_sensor: bool) -> None:
        if not circuits + groups:
            raise ValueError("circuits: nothing is bound; bind circuits, groups or both")
        parameters.check_circuits(circuits + groups)
        self._parameters = parameters
        self._rule = NightRule(
            parameters.switching_illuminance,
            timedelta(minutes=-parameters.sunset_offset_minutes),
            timedelta(minutes=parameters.sunrise_offset_minutes),
            parameters.sensor_delay,
        )
        self._limits = SkyLimits(
            parameters.dark_illuminance,
            parameters.bright_illuminance,
            parameters.dark_delay.total_seconds(),
            parameters.bright_delay.total_seconds(),
        )
        self._curfew = week_edges([[parameters.curfew] if parameters.curfew else []] * 7)
        self._part_night = week_edges([[parameters.part_night] if parameters.part_night else []] * 7)
        # Curfew, part night and festivals go by the clock on the wall; a festival's night begins at noon.
        self._goes_by_clock = bool(self._curfew or self._part_night or parameters.festivals)
        self._edges = tuple(sorted({*self._curfew, *self._part_night, *NOONS}))
        self._circuits = [Role("circuits", ordinal, "command") for ordinal in range(circuits)]
        self._groups = [Role("groups", ordinal, "brightness_command") for ordinal in range(groups)]
        self.outputs = frozenset((*self._circuits, *self._groups))
        self.inputs: Mapping[Role, Ladder] = {_ILLUMINANCE: _LADDER} if has_sensor else {}
        self.plan_every = timedelta(hours=6)
        self.plan_limit = timedelta(hours=60)
        self.plan_type = SunPlan
        self.forecasts: frozenset[Role] = frozenset()

    def initial(self) -> State:
        return State()

    def plan(self, given: PlanInput) -> SunPlan:
        """The nights from the UTC day before to four days ahead."""
        return self._rule.planned(given)

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        plan = seen.plan.value if seen.plan else None
        if not isinstance(plan, SunPlan) or not plan.start <= seen.now < plan.end:
            raise BadInput("times of sunset and sunrise for now")
        night = next((night for night in plan.nights if seen.now < night.off), None)
        is_night = night is not None and night.on <= seen.now
        daylight, reading = self._daylight(seen, state.daylight, is_night=is_night)
        lit = _is_lit(seen.now, night if is_night else None, daylight, was_lit=state.lit)
        is_careful = daylight.sees_lamps and not lit and (is_night or _is_sun_down(plan, seen.now))
        lit = lit or is_careful
        if lit != state.lit and seen.elapsed and not is_careful:
            # Who is lit because the sensor is not believed stays so until the sun is up: believing it again in between
            # would blink the lamps.
            daylight = switched(daylight, on=lit)
        new = state if daylight is state.daylight and lit == state.lit else State(daylight, lit)
        festival = self._festival(seen.local)
        requests, late = self._requests(seen.local, lit=lit, festival=festival)
        switching = _next_switching(plan, night, seen.now, by_sun=daylight.sees_lamps)
        sky = self._parameters.dark_illuminance if daylight.dark.value and not is_night else None
        is_dusk = is_night and night is not None and seen.now < night.latest_on
        reason = _reason(
            _Sun(night, is_night, lit, switching - seen.now > _ONE_DAY, is_dusk, seen.local.tzinfo),
            sky,
            late,
            festival.name if festival else None,
            reading.trouble,
            is_careful=is_careful and not is_night,
        )
        return Decision(new, requests, reason, self._steady_until(seen, new, state, switching))

    # --- the sky

    def _daylight(self, seen: Observation, was: Daylight, *, is_night: bool) -> tuple[Daylight, Reading]:
        """What the sensor says of the sky, followed by night too, so that a storm at sunrise does not blink the lamps.

        One that cannot be believed leaves the lamps as they are until the end of the next night.
        """
        if not self.inputs:
            return was, Reading(None)
        daylight = watched(was, seen.number_or_none(_ILLUMINANCE), seen.now, seen.elapsed)
        reading = believed(daylight, seen.now)
        if reading.illuminance is not None:
            return judged(daylight, reading.illuminance, self._limits, seen.elapsed), reading
        dark = Delayed() if is_night else daylight.dark
        if (dark, daylight.light) != (daylight.dark, Delayed()):
            daylight = replace(daylight, dark=dark, light=Delayed())
        return daylight, reading

    # --- what is lit

    def _festival(self, local: datetime) -> Festival | None:
        """The festival of the night that began on the last noon."""
        if not self._parameters.festivals:
            return None
        evening = (local - _HALF_DAY).date()
        return next((each for each in self._parameters.festivals if each.first <= evening <= each.last), None)

    def _requests(
        self, local: datetime, *, lit: bool, festival: Festival | None
    ) -> tuple[dict[Role, Scalar], _Late | None]:
        """What each circuit and group is to do, and how that differs from all being fully on."""
        parameters = self._parameters
        is_part_night = festival is None and inside(self._part_night, local)
        is_curfew = festival is None and inside(self._curfew, local)
        part_night = parameters.part_night_circuits if is_part_night else ()
        festive = () if festival else parameters.festival_circuits
        out = {*part_night, *festive}
        brightness = parameters.curfew_brightness if is_curfew else 1.0
        requests: dict[Role, Scalar] = {}
        for number, role in enumerate(self._circuits, start=1):
            requests[role] = lit and number not in out
        for number, role in enumerate(self._groups, start=len(self._circuits) + 1):
            requests[role] = brightness if lit and number not in out else 0.0
        if not lit or not (out or (is_curfew and self._groups)):
            return requests, None
        percent = round(brightness * 100) if is_curfew and self._groups else None
        return requests, _Late(tuple(sorted(set(part_night) - set(festive))), tuple(sorted(festive)), percent)

    def _steady_until(self, seen: Observation, new: State, was: State, switching: datetime) -> datetime | None:
        if new is not was:
            return None
        ends = [switching if switching - seen.now <= _ONE_DAY else switching - _ONE_DAY]
        if (stuck := stuck_at(new.daylight)) is not None and stuck > seen.now:
            ends.append(stuck)
        if self._goes_by_clock:
            ends.append(unchanged_until(self._edges, seen.now, seen.local))
        return min(ends)


def _is_lit(now: datetime, night: Night | None, daylight: Daylight, *, was_lit: bool) -> bool:
    """night: the present one. What was lit at dusk stays so, what was put out at dawn stays out."""
    if night is None or daylight.dark.value:
        return night is not None or daylight.dark.value
    if daylight.light.value:
        return now < night.earliest_off and (was_lit or now >= night.latest_on)
    return was_lit or now < night.latest_on or now < night.earliest_off


def _is_sun_down(plan: SunPlan, now: datetime) -> bool:
    """Before or after the dark of a clear sky, the sun below the horizon."""
    return any(
        (each.sunset is not None and each.sunset <= now < each.on)
        or (each.sunrise is not None and each.off <= now < each.sunrise)
        for each in plan.nights
    )


def _next_switching(plan: SunPlan, night: Night | None, now: datetime, *, by_sun: bool) -> datetime:
    """The next instant at which the sun's times may change the decision. by_sun: sunsets and sunrises do."""
    edges = [] if night is None else [night.on, night.latest_on, night.earliest_off, night.off]
    if by_sun:
        edges += [edge for each in plan.nights for edge in (each.sunset, each.sunrise) if edge is not None]
    return min((edge for edge in edges if now < edge < plan.end), default=plan.end)


# --- the sentence -----------------------------------------------------------------------------------------------------


class _Late(NamedTuple):
    """Circuits that are out now: in part night, and but for festivals; the percent to which groups are dimmed."""

    part_night: tuple[int, ...]
    festive: tuple[int, ...]
    percent: int | None


_BY_DAY = Text("on by day: the sky is darker than {limit:g} lx; ", "白天点亮：天空低于 {limit:g} lx；")
_CAREFUL = Text("on while the sun is down, for it may have been a cloud; ", "太阳在地平线下即点亮：可能为云遮；")
_WAITS = Text("off: the sky is still light, on at {at} at the latest", "关：天色尚亮，最迟 {at} 开")
_LIGHT = Text("off: the sky is light already, sunrise {at}", "关：天色已亮，日出 {at}")
_OUT = Text("{what} {numbers} out: {why}", "第 {numbers} 路关：{why}")
_PART_NIGHT = Text("part night", "半夜灯")
_FESTIVE = Text("lit at festivals only", "仅节日点亮")
_DIMMED = Text("groups at {percent} %: curfew", "灯组 {percent}%：深夜调光")
_FESTIVAL = Text("festival {name}", "节日：{name}")


@dataclass(frozen=True, slots=True)
class _Sun:
    """night: the present one or else the next. is_far: the next switching is more than a day away. is_dusk: a sensor
    may still keep the lamps off.
    """

    night: Night | None
    is_night: bool
    lit: bool
    is_far: bool
    is_dusk: bool
    zone: tzinfo | None

    def local(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%m-%d %H:%M" if self.is_far else "%H:%M")


# A pure function of few different arguments, asked again every scan: remembering its answers changes nothing but time.
@lru_cache(maxsize=256)
def _reason(
    sun: _Sun,
    darker_than: float | None,
    late: _Late | None,
    festival: str | None,
    trouble: Text | None,
    *,
    is_careful: bool,
) -> Text:
    """darker_than: the limit in lx where the sensor lights the lamps by day. trouble: of the sensor. is_careful: lit
    before or after the dark of a clear sky, because clouds may make it dark."""
    text = _by_sun(sun)
    if darker_than is not None or is_careful:
        by_day = _CAREFUL if darker_than is None else _filled(_BY_DAY, limit=darker_than)
        text = Text(by_day.en + "by the sun " + text.en, by_day.zh + "按日照" + text.zh)
    parts = [text]
    if late:
        parts += [_out(each, why) for each, why in ((late.part_night, _PART_NIGHT), (late.festive, _FESTIVE)) if each]
        if late.percent is not None:
            parts.append(_filled(_DIMMED, percent=late.percent))
    if festival is not None:
        parts.append(_filled(_FESTIVAL, name=festival))
    if trouble is not None:
        parts.append(trouble)
    return Text("; ".join(each.en for each in parts), "；".join(each.zh for each in parts))


def _out(circuits: tuple[int, ...], why: Text) -> Text:
    what, numbers = "circuit" if len(circuits) == 1 else "circuits", ", ".join(map(str, circuits))
    return Text(
        _OUT.en.format(what=what, numbers=numbers, why=why.en),
        _OUT.zh.format(numbers=numbers, why=why.zh),
    )


def _filled(text: Text, **values: object) -> Text:
    return Text(text.en.format(**values), text.zh.format(**values))


def _by_sun(sun: _Sun) -> Text:
    night = sun.night
    if night is None:
        return Text("off: the sun does not set in the coming days", "关：近日太阳不落")
    if not sun.is_night:
        on = sun.local(night.on)
        if night.sunset is None:
            return Text(f"off until {on} (twilight, the sun stays down)", f"关，至 {on}（太阳不升，有曙暮光）")
        sunset = sun.local(night.sunset)
        return Text(f"off until {on} (sunset {sunset})", f"关，至 {on}（日落 {sunset}）")
    if not sun.lit:
        return _not_yet(sun, night)
    if night.sunrise is None and sun.is_far:
        return Text("on: the sun does not rise in the coming days", "开：近日太阳不升")
    off = sun.local(night.off)
    if night.sunrise is None:
        return Text(f"on until {off} (twilight, the sun stays down)", f"开，至 {off}（太阳不升，有曙暮光）")
    sunrise = sun.local(night.sunrise)
    if night.sunset is None:
        return Text(f"on until {off} (sunrise {sunrise})", f"开，至 {off}（日出 {sunrise}）")
    sunset = sun.local(night.sunset)
    return Text(
        f"on until {off} (sunset {sunset}, sunrise {sunrise})", f"开，至 {off}（日落 {sunset}，日出 {sunrise}）"
    )


def _not_yet(sun: _Sun, night: Night) -> Text:
    """Off at night because the sensor sees light: waiting in the evening, done in the morning."""
    text, at = (_WAITS, night.latest_on) if sun.is_dusk else (_LIGHT, night.sunrise or night.off)
    return _filled(text, at=sun.local(at))


def _build(parameters: Parameters, counts: Mapping[str, int]) -> SunsetLighting:
    return SunsetLighting(
        parameters, counts["circuits"], counts.get("groups", 0), has_sensor=counts.get("daylight_sensor", 0) > 0
    )


KIND = StrategyKind(
    name="sunset_lighting",
    title=Text("Sunset lighting", "日落照明"),
    members={
        "circuits": Member("lighting_circuit", 0, 64),
        "groups": Member("lighting_group", 0, 64),
        "daylight_sensor": Member("daylight_sensor", 0, 1),
    },
    parameters=Parameters,
    state=State,
    state_version=2,
    build=_build,
    leans_on_wall_clock=True,
)
