"""The nights of a place: when its lamps go on and off by the sun, and how far a daylight sensor may move that.

A night begins when a clear sky gives the ground less than a limit, and ends when it gives more again
(controller/core/twilight.py); altitude and terrain only lengthen it, and so do offsets. Nights are found by following
the sun, not day by day: polar day, polar night and sunrises at midnight UTC need no rule of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controller.core.strategy import PlanInput
from controller.core.terrain import dark_limit
from strategies.blocks.sun import CIVIL, HORIZON, Span, spans_below

_ONE_DAY = timedelta(days=1)
# The plan reaches five midnights ahead: at the end of its 60 h it still shows the next sunset.
_AHEAD = timedelta(days=5)
# Nights that begin or end outside may reach inside by their offsets: look a little further.
_BEYOND = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Night:
    """Lamps are on from `on` until `off`. sunset, sunrise: None where the sun stays down beyond the plan.

    latest_on, earliest_off: how far a sensor that sees light may move them, never into the civil night.
    """

    on: datetime
    off: datetime
    sunset: datetime | None
    sunrise: datetime | None
    latest_on: datetime
    earliest_off: datetime


@dataclass(frozen=True, slots=True)
class SunPlan:
    """Every night between start and end, in order, apart from each other; all times aware UTC."""

    start: datetime
    end: datetime
    nights: tuple[Night, ...]


@dataclass(frozen=True, slots=True)
class NightRule:
    """illuminance [lx] of the ground under a clear sky below which it is night. earlier, later: by how much lamps are
    on before and after. sensor_delay: by how much a sensor may shorten the night at each end.
    """

    illuminance: float
    earlier: timedelta
    later: timedelta
    sensor_delay: timedelta

    def planned(self, given: PlanInput) -> SunPlan:
        """The nights from the UTC day before to four days ahead. Loads numpy."""
        midnight = given.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start, end = midnight - _ONE_DAY, midnight + _AHEAD
        window = Span(start - _BEYOND, end + _BEYOND)
        limit = dark_limit(self.illuminance, given.position.elevation, given.terrain)
        dark, down, civil = spans_below(given.position, start - _BEYOND, end + _BEYOND, limit, HORIZON, CIVIL)
        return SunPlan(start, end, _joined([self._night(span, down, civil, window) for span in dark]))

    def _night(self, dark: Span, down: tuple[Span, ...], civil: tuple[Span, ...], window: Span) -> Night:
        start, end = _ends(dark, window)
        on = start - self.earlier if dark.start else start
        off = end + self.later if dark.end else end
        within = [_ends(span, window) for span in civil]
        within = [each for each in within if each[0] >= start and each[1] <= end]
        latest = min([on + self.sensor_delay, off, *(first for first, _ in within)])
        earliest = max([off - self.sensor_delay, on, *(last for _, last in within)])
        # The sun's own setting and rising: of the span around this one, and of none where it stays up.
        around = next((span for span in down if _overlap(_ends(span, window), (start, end))), None)
        sunset, sunrise = (None, None) if around is None else around
        return Night(
            on,
            off,
            sunset,
            sunrise,
            latest if dark.start else on,
            earliest if dark.end else off,
        )


def _ends(span: Span, window: Span) -> tuple[datetime, datetime]:
    start, end = span.start or window.start, span.end or window.end
    assert start is not None
    assert end is not None
    return start, end


def _overlap(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _joined(nights: list[Night]) -> tuple[Night, ...]:
    """Nights that touch after their offsets are one."""
    joined: list[Night] = []
    for night in nights:
        if joined and night.on <= joined[-1].off:
            before = joined.pop()
            off = max(before.off, night.off)
            night = Night(before.on, off, before.sunset, night.sunrise, before.latest_on, night.earliest_off)
        joined.append(night)
    return tuple(joined)
