"""Lights outdoor circuits from sunset to sunrise of the place and the day, and by day while a storm makes it dark.

Times after the NREL solar position algorithm (Reda and Andreas 2008): the sun's centre at -0.8333° for sunset and
sunrise, at -6° for civil dusk and dawn. Offsets move the switching, but the lamps are on at civil dusk at the latest
and stay on until civil dawn at least.

It never switches lamps off because of the daylight sensor while the plan has them on, never waits for the sensor at
dusk, and never guesses the time: without the sun's times it lets go, and the site's own controls hold the lamps.
Minimum on and off times are the guard's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, ClassVar, TypeAlias

from annotated_types import Ge, Le

from controller.core.errors import BadInput
from controller.core.sample import Scalar
from controller.core.strategy import Decision, Ladder, Member, Observation, PlanInput, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.hysteresis import below
from strategies.blocks.sun import CIVIL, HORIZON, Span, spans_below
from strategies.blocks.timers import Delayed, delayed

Delay: TypeAlias = Annotated[timedelta, Ge(timedelta(0))]

_ILLUMINANCE = Role("daylight_sensor", 0, "illuminance")
_LADDER = Ladder(hold=timedelta(minutes=5))
_ONE_DAY = timedelta(days=1)
# The plan reaches five midnights ahead: at the end of its 60 h it still shows the next sunset.
_AHEAD = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Offsets in minutes, positive is later; illuminance in lx."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    sunset_offset_minutes: Annotated[float, Ge(-120), Le(60)] = 0.0
    sunrise_offset_minutes: Annotated[float, Ge(-60), Le(120)] = 0.0
    dark_illuminance: Annotated[float, Ge(0)] = 20.0
    bright_illuminance: Annotated[float, Ge(0)] = 40.0
    dark_delay: Delay = timedelta(seconds=30)
    bright_delay: Delay = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.bright_illuminance <= self.dark_illuminance:
            raise ValueError(
                f"bright_illuminance is {self.bright_illuminance:g} lx; "
                f"it must lie above dark_illuminance, {self.dark_illuminance:g} lx"
            )


@dataclass(frozen=True, slots=True)
class Night:
    """Lamps are on from `on` until `off`. sunset, sunrise: None where the sun stays down beyond the plan."""

    on: datetime
    off: datetime
    sunset: datetime | None
    sunrise: datetime | None


@dataclass(frozen=True, slots=True)
class SunPlan:
    """Every night between start and end, in order, apart from each other; all times aware UTC."""

    start: datetime
    end: datetime
    nights: tuple[Night, ...]


@dataclass(frozen=True, slots=True)
class State:
    """dark: what the daylight sensor says of the sky, with its delays."""

    dark: Delayed = field(default_factory=Delayed)


class SunsetLighting:
    def __init__(self, parameters: Parameters, circuits: int, *, has_sensor: bool) -> None:
        self._parameters = parameters
        self._sunset_offset = timedelta(minutes=parameters.sunset_offset_minutes)
        self._sunrise_offset = timedelta(minutes=parameters.sunrise_offset_minutes)
        roles = [Role("circuits", ordinal, "command") for ordinal in range(circuits)]
        self._on: dict[Role, Scalar] = dict.fromkeys(roles, True)
        self._off: dict[Role, Scalar] = dict.fromkeys(roles, False)
        self.outputs = frozenset(roles)
        self.inputs: Mapping[Role, Ladder] = {_ILLUMINANCE: _LADDER} if has_sensor else {}
        self.plan_every = timedelta(hours=6)
        self.plan_limit = timedelta(hours=60)
        self.plan_type = SunPlan
        self.forecasts: frozenset[Role] = frozenset()

    def initial(self) -> State:
        return State()

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        plan = seen.plan.value if seen.plan else None
        if not isinstance(plan, SunPlan) or not plan.start <= seen.now < plan.end:
            raise BadInput("times of sunset and sunrise for now")
        night = next((night for night in plan.nights if seen.now < night.off), None)
        is_night = night is not None and night.on <= seen.now
        switching = plan.end if night is None else night.off if is_night else night.on
        is_far = night is not None and switching - seen.now > _ONE_DAY
        dark = self._dark(seen, state.dark, is_night=is_night)
        darker_than = self._parameters.dark_illuminance if dark.value and not is_night else None
        return Decision(
            state if dark is state.dark else State(dark),
            self._on if is_night or dark.value else self._off,
            _reason(night, is_night, is_far, darker_than, seen.local.tzinfo),
            None if dark is not state.dark else min(switching - _ONE_DAY if is_far else switching, plan.end),
        )

    def _dark(self, seen: Observation, dark: Delayed, *, is_night: bool) -> Delayed:
        """Whether the sky is dark, followed by night too, so that a storm at sunrise does not blink the lamps.

        A sensor that falls silent leaves the lamps as they are until the end of the next night.
        """
        illuminance = seen.number_or_none(_ILLUMINANCE)
        if illuminance is None:
            return Delayed() if is_night and dark != Delayed() else dark
        limits = self._parameters
        return delayed(
            dark,
            below(illuminance, limit=limits.dark_illuminance, release=limits.bright_illuminance, was=dark.value),
            on_after=limits.dark_delay.total_seconds(),
            off_after=limits.bright_delay.total_seconds(),
            elapsed=seen.elapsed,
        )

    def plan(self, given: PlanInput) -> SunPlan:
        """The nights from the UTC day before to four days ahead."""
        midnight = given.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start, end = midnight - _ONE_DAY, midnight + _AHEAD
        # Nights that begin or end outside may reach inside by their offsets: look a little further.
        window = (start - timedelta(hours=3), end + timedelta(hours=3))
        dark, civil = spans_below(given.position, *window, HORIZON, CIVIL)
        return SunPlan(start, end, _joined([self._night(span, civil, window) for span in dark]))

    def _night(self, dark: Span, civil: tuple[Span, ...], window: tuple[datetime, datetime]) -> Night:
        """The lit time of one span of darkness: shifted by the offsets, but containing its civil night."""
        start, end = dark.start or window[0], dark.end or window[1]
        within = [
            (span.start or window[0], span.end or window[1])
            for span in civil
            if (span.start or window[0]) >= start and (span.end or window[1]) <= end
        ]
        on = min([start + self._sunset_offset, *(first for first, _ in within)])
        off = max([end + self._sunrise_offset, *(last for _, last in within)])
        return Night(on if dark.start else start, off if dark.end else end, dark.start, dark.end)


def _joined(nights: list[Night]) -> tuple[Night, ...]:
    """Nights that touch after their offsets are one; one that its offsets leave nothing of is none."""
    joined: list[Night] = []
    for night in nights:
        if night.off <= night.on:
            continue
        if joined and night.on <= joined[-1].off:
            night = Night(joined[-1].on, max(joined[-1].off, night.off), joined[-1].sunset, night.sunrise)
            joined.pop()
        joined.append(night)
    return tuple(joined)


# --- the sentence -----------------------------------------------------------------------------------------------------


_BY_DAY = Text("on by day: the sky is darker than {limit:g} lx; ", "白天点亮：天空低于 {limit:g} lx；")


# A pure function of few different arguments, asked again every scan: remembering its answers changes nothing but time.
@lru_cache(maxsize=256)
def _reason(night: Night | None, is_night: bool, is_far: bool, darker_than: float | None, zone: tzinfo | None) -> Text:
    """night: the present one or else the next. is_far: its end or its beginning is more than a day away.

    darker_than: the limit in lx where the sensor lights the lamps by day.
    """
    by_sun = _by_sun(night, is_night, "%m-%d %H:%M" if is_far else "%H:%M", zone)
    if darker_than is None:
        return by_sun
    by_day = Text(*(text.format(limit=darker_than) for text in _BY_DAY))
    return Text(by_day.en + "by the sun " + by_sun.en, by_day.zh + "按日照" + by_sun.zh)


def _by_sun(night: Night | None, is_night: bool, form: str, zone: tzinfo | None) -> Text:
    def local(moment: datetime) -> str:
        return moment.astimezone(zone).strftime(form)

    if night is None:
        return Text("off: the sun does not set in the coming days", "关：近日太阳不落")
    if not is_night:
        on, sunset = local(night.on), local(night.sunset or night.on)
        return Text(f"off until {on} (sunset {sunset})", f"关，至 {on}（日落 {sunset}）")
    if night.sunrise is None:
        return Text("on: the sun does not rise in the coming days", "开：近日太阳不升")
    off, sunrise = local(night.off), local(night.sunrise)
    if night.sunset is None:
        return Text(f"on until {off} (sunrise {sunrise})", f"开，至 {off}（日出 {sunrise}）")
    sunset = local(night.sunset)
    return Text(
        f"on until {off} (sunset {sunset}, sunrise {sunrise})", f"开，至 {off}（日落 {sunset}，日出 {sunrise}）"
    )


def _build(parameters: Parameters, counts: Mapping[str, int]) -> SunsetLighting:
    return SunsetLighting(parameters, counts["circuits"], has_sensor=counts.get("daylight_sensor", 0) > 0)


KIND = StrategyKind(
    name="sunset_lighting",
    title=Text("Sunset lighting", "日落照明"),
    members={"circuits": Member("lighting_circuit", 1, 64), "daylight_sensor": Member("daylight_sensor", 0, 1)},
    parameters=Parameters,
    state=State,
    state_version=1,
    build=_build,
    leans_on_wall_clock=True,
)
