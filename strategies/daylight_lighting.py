"""Holds the light at the desks of an office with as little of the lamps as the daylight allows, row by row.

After daylight-linked dimming in closed loop (Lighting Handbook of the IES; GB 50034 asks 300 lx of ordinary and 500 lx
of demanding office work): each row, from the window inwards, has a sensor that sees its desks, and its lamps move only
while the light is outside of a band, slowly and in steps that nobody sees. At lunch the band is lower. Rows in which
nobody is go out. After hours a flash warns, and whoever stays presses a button.

It never leaves a row dark in which somebody moves, never takes a silent motion sensor for an empty room, and never acts
against a wish made at the wall before its time is over; what an operator commands outranks it anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, ClassVar, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le

from controller.core.sample import Scalar
from controller.core.strategy import LET_GO, Decision, Ladder, Member, Observation, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.garage import LampRow, full_illuminance, missing_groups
from strategies.blocks.runs import runs
from strategies.blocks.timers import off_delay
from strategies.blocks.timetable import Period, inside, unchanged_until, week_edges

Fraction: TypeAlias = Annotated[float, Gt(0), Le(1)]
Lux: TypeAlias = Annotated[float, Gt(0)]
Span: TypeAlias = Annotated[timedelta, Ge(timedelta(seconds=1))]

_MOTION_LADDER = Ladder(hold=timedelta(seconds=30), substitute=True)
_LUX_LADDER = Ladder(hold=timedelta(minutes=2))
_WISH, _BUTTON = Role("wall_switch", 0, "brightness_wish"), Role("wall_switch", 0, "stay_button")
# Light changes by less than this at a time: a hundredth of full, far below the seven percent that an eye notices.
_STEP = 0.01


@dataclass(frozen=True, slots=True)
class Parameters:
    """Illuminance at the desk in lx, brightness as fraction. Rows are numbered from 1, from the window inwards.

    full_illuminance: of every row's lamps at full brightness, unless the lamp table says otherwise.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    full_illuminance: Lux = 500.0
    lamp_table: tuple[LampRow, ...] = ()
    least_illuminance: Lux = 300.0
    most_illuminance: Lux = 400.0
    lunch: Period | None = None
    lunch_illuminance: Lux = 150.0
    change_per_minute: Fraction = 0.2
    hold_time: Span = timedelta(minutes=15)
    manual_time: Span = timedelta(hours=2)
    after_hours: Period | None = None
    flash_brightness: Fraction = 0.3
    flash_time: Span = timedelta(seconds=2)
    grace_time: Span = timedelta(minutes=5)
    stay_time: Span = timedelta(hours=1)

    def check_rows(self, bound: int) -> None:
        """Raises ValueError where a row is named that is not bound."""
        for problem in missing_groups("lamp_table", [row.groups for row in self.lamp_table], bound):
            raise ValueError(problem)

    def __post_init__(self) -> None:
        if self.most_illuminance <= self.least_illuminance:
            raise ValueError(
                f"most_illuminance is {self.most_illuminance:g} lx; "
                f"it must lie above least_illuminance, {self.least_illuminance:g} lx"
            )
        if self.lunch_illuminance > self.least_illuminance:
            raise ValueError(
                f"lunch_illuminance is {self.lunch_illuminance:g} lx; "
                f"it must be at most least_illuminance, {self.least_illuminance:g} lx"
            )


@dataclass(frozen=True, slots=True)
class RowState:
    """brightness: what the row is lit with, 0 where nobody is. hold: seconds for which it still counts as occupied."""

    brightness: float
    hold: float


@dataclass(frozen=True, slots=True)
class State:
    """wish: last seen at the wall; manual: seconds for which it holds. stay: seconds that the button has given.

    warned: seconds since the flash of this evening began, counted until the lights may go out; None before it. pressed:
    whether the button was.
    """

    rows: tuple[RowState, ...]
    wish: float | None = None
    manual: float = 0.0
    stay: float = 0.0
    warned: float | None = None
    pressed: bool = False


class _Row(NamedTuple):
    """full: what the row's lamps give its desks at full brightness [lx]."""

    command: Role
    motion: Role
    illuminance: Role
    full: float


class _Lit(NamedTuple):
    brightness: float
    why: Text | None


class _Band(NamedTuple):
    least: float
    most: float
    is_lunch: bool = False


_MANUAL = Text("as wished at the wall", "按墙面开关的要求")
_VACANT = Text("nobody there", "无人")
_ENOUGH = Text("daylight is enough", "日光充足")
_DIMMING = Text("dimming, brighter than needed", "调暗，照度高于需要")
_RISING = Text("rising, darker than needed", "调亮，照度低于需要")
_SILENT = Text("desk sensor silent, lamps alone", "桌面传感器无信号，只按灯具")
_FLASH = Text("warning flash: lights go out soon, press the button to stay", "闪灯提示：即将关灯，需留下请按按钮")
_SWEPT = Text("after hours", "下班后")


class DaylightLighting:
    def __init__(self, parameters: Parameters, rows: int, *, has_switch: bool) -> None:
        parameters.check_rows(rows)
        self._parameters = parameters
        self._rows = tuple(_row(parameters, ordinal) for ordinal in range(rows))
        self._lunch = week_edges([[parameters.lunch] if parameters.lunch else []] * 7)
        self._after_hours = week_edges([[parameters.after_hours] if parameters.after_hours else []] * 7)
        self._edges = tuple(sorted({*self._lunch, *self._after_hours}))
        # Longer than this it does not matter how long ago the flash was.
        self._warned = max(parameters.grace_time, parameters.flash_time).total_seconds()
        self._hold = parameters.hold_time.total_seconds()
        self._initial = State((RowState(1.0, self._hold),) * rows)
        self.outputs = frozenset(row.command for row in self._rows)
        self.inputs: Mapping[Role, Ladder] = {
            **{row.motion: _MOTION_LADDER for row in self._rows},
            **{row.illuminance: _LUX_LADDER for row in self._rows},
            **(dict.fromkeys((_WISH, _BUTTON), LET_GO) if has_switch else {}),
        }

    def initial(self) -> State:
        """Full and as if somebody were there: nobody knows who is."""
        return self._initial

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        rows = state.rows if len(state.rows) == len(self._rows) else self._initial.rows
        wish, manual = self._manual(seen, state)
        pressed, stay = self._stay(seen, state)
        is_late = inside(self._after_hours, seen.local) and not stay
        warned = self._warned_for(state, seen) if is_late else None
        band = self._band(seen)
        requests: dict[Role, Scalar] = {}
        states: list[RowState] = []
        whys: list[tuple[int | None, Text | None]] = []
        for row, was in zip(self._rows, rows, strict=True):
            sample = seen.samples.get(row.motion)
            motion = sample is None or sample.value is None or bool(sample.value)
            hold = off_delay(was.hold, motion, self._hold, seen.elapsed)
            lit = self._lit(row, was, hold, wish if manual else None, band, seen, warned)
            shown, why = self._flashed(lit, warned)
            requests[row.command] = round(shown, 2)
            states.append(RowState(lit.brightness, hold))
            whys.append((None if why in (_DIMMING, _RISING) else round(shown * 100), why))
        new = State(tuple(states), wish, manual, stay, warned, pressed)
        reason = _reason(band, tuple(whys))
        if new != state or not seen.elapsed:
            return Decision(new, requests, reason)
        return Decision(state, requests, reason, unchanged_until(self._edges, seen.now, seen.local))

    def _warned_for(self, state: State, seen: Observation) -> float:
        return 0.0 if state.warned is None else min(state.warned + seen.elapsed, self._warned)

    def _band(self, seen: Observation) -> _Band:
        parameters = self._parameters
        if inside(self._lunch, seen.local):
            width = parameters.most_illuminance / parameters.least_illuminance
            return _Band(parameters.lunch_illuminance, parameters.lunch_illuminance * width, is_lunch=True)
        return _Band(parameters.least_illuminance, parameters.most_illuminance)

    def _manual(self, seen: Observation, state: State) -> tuple[float | None, float]:
        """What was wished at the wall, and for how long it still holds: from each change of it."""
        wish = seen.number_or_none(_WISH)
        if wish is None or state.wish is None or wish == state.wish:
            kept = state.wish if wish is None else wish
            return kept, max(0.0, state.manual - seen.elapsed)
        return min(1.0, max(0.0, wish)), self._parameters.manual_time.total_seconds()

    def _stay(self, seen: Observation, state: State) -> tuple[bool, float]:
        pressed = bool(seen.number_or_none(_BUTTON))
        if pressed and not state.pressed:
            return pressed, self._parameters.stay_time.total_seconds()
        return pressed, max(0.0, state.stay - seen.elapsed)

    def _lit(
        self,
        row: _Row,
        was: RowState,
        hold: float,
        wish: float | None,
        band: _Band,
        seen: Observation,
        warned: float | None,
    ) -> _Lit:
        """What the row is to be lit with, the flash apart."""
        is_over = warned is not None and warned >= self._parameters.grace_time.total_seconds()
        if not hold and is_over:
            return _Lit(0.0, _SWEPT)
        if wish is not None:
            return _Lit(wish, _MANUAL)
        if not hold:
            return _Lit(0.0, _VACANT)
        wanted, why = _wanted(row, was.brightness, band, seen.number_or_none(row.illuminance))
        if not was.hold:
            return _Lit(wanted, why)  # who comes in is not kept waiting
        most = min(_STEP, self._parameters.change_per_minute / 60.0 * seen.elapsed)
        brightness = was.brightness + max(-most, min(most, wanted - was.brightness))
        return _Lit(brightness, why or _moving(was.brightness, brightness))

    def _flashed(self, lit: _Lit, warned: float | None) -> _Lit:
        if warned is None or warned >= self._parameters.flash_time.total_seconds():
            return lit
        return _Lit(min(lit.brightness, self._parameters.flash_brightness), _FLASH)


def _wanted(row: _Row, brightness: float, band: _Band, illuminance: float | None) -> tuple[float, Text | None]:
    """The brightness that brings the desks to the middle of the band; the present one while they are within it.

    Light of the lamps is in proportion to their brightness; whatever else is there is daylight and stays.
    """
    if illuminance is None or not illuminance >= 0.0:
        return min(1.0, band.least / row.full), _SILENT
    if band.least <= illuminance <= band.most:
        return brightness, None
    return min(1.0, max(0.0, brightness + ((band.least + band.most) / 2.0 - illuminance) / row.full)), None


def _row(parameters: Parameters, ordinal: int) -> _Row:
    full = full_illuminance(parameters.lamp_table, ordinal + 1) or parameters.full_illuminance
    return _Row(
        Role("rows", ordinal, "brightness_command"),
        Role("rows", ordinal, "motion"),
        Role("rows", ordinal, "illuminance"),
        full,
    )


def _moving(was: float, brightness: float) -> Text | None:
    """Why the lamps of an occupied row are as bright as the daylight lets them be; None for those that stay."""
    if brightness == was:
        return None if brightness else _ENOUGH
    return _DIMMING if brightness < was else _RISING


@lru_cache(maxsize=1024)
def _reason(band: _Band, whys: tuple[tuple[int | None, Text | None], ...]) -> Text:
    """Rows on their way tell no percentage: the sentence is an event whenever it changes."""
    lux = f"{band.least:g}-{band.most:g} lx"
    english = [f"{'lunch, ' if band.is_lunch else ''}{lux} at the desks"]
    chinese = [f"{'午休，' if band.is_lunch else ''}桌面 {lux}"]
    alike: dict[tuple[int | None, Text | None], list[int]] = {}
    for number, each in enumerate(whys, start=1):
        alike.setdefault(each, []).append(number)
    for (percent, why), numbers in alike.items():
        at = ("", "") if percent is None else (f" at {percent} %", f" {percent}%")
        rows = f"row{'s' if len(numbers) > 1 else ''} {runs(numbers)}"
        english.append(f"{rows}{at[0]}{f': {why.en}' if why else ''}")
        chinese.append(f"第 {runs(numbers)} 排{at[1]}{f'：{why.zh}' if why else ''}")
    return Text("; ".join(english), "；".join(chinese))


def _build(parameters: Parameters, counts: Mapping[str, int]) -> DaylightLighting:
    return DaylightLighting(parameters, counts["rows"], has_switch=counts.get("wall_switch", 0) > 0)


KIND = StrategyKind(
    name="daylight_lighting",
    title=Text("Daylight lighting", "日光联动照明"),
    members={"rows": Member("lighting_group", 1, 64), "wall_switch": Member("wall_switch", 0, 1)},
    parameters=Parameters,
    state=State,
    state_version=1,
    build=_build,
    leans_on_wall_clock=True,
)
