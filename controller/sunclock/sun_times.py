"""When the lamps of many places go on and off, and the sun's times beside, day by day.

One `Sky` serves all places. Lamps are on while a clear sky gives the ground less than the wanted light; altitude,
terrain and offsets may only lengthen that time (controller/core/terrain.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from controller.sunclock.local_days import LocalDays, local_days
from controller.sunclock.places import Place
from strategies.blocks.sun import CIVIL, HORIZON, Passage, Sky

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Days of places that are looked at together: some tens of megabytes.
_AT_ONCE = 6000
_DAY = 86_400.0  # s


class Event(StrEnum):
    """In the order of an ordinary day."""

    DAWN = "dawn"
    LAMPS_OFF = "lamps_off"
    SUNRISE = "sunrise"
    SUNSET = "sunset"
    LAMPS_ON = "lamps_on"
    DUSK = "dusk"


class Season(StrEnum):
    """Of a day, by the level horizon."""

    NORMAL = "normal"
    POLAR_DAY = "polar_day"
    POLAR_NIGHT = "polar_night"


class Spans(NamedTuple):
    """Spans in order [s of the Unix epoch], and the instants within the window at which they begin and end."""

    starts: Floats
    ends: Floats
    begins: Floats
    finishes: Floats

    def within(self, start: float, end: float) -> tuple[tuple[float, float], ...]:
        """What of them lies there."""
        first, last = int(self.ends.searchsorted(start, "right")), int(self.starts.searchsorted(end))
        return tuple(
            (max(start, float(self.starts[nth])), min(end, float(self.ends[nth]))) for nth in range(first, last)
        )


@dataclass(frozen=True, slots=True)
class Timeline:
    """night: the sun is down, over the terrain. deep: below civil twilight. lit: the lamps are on. level: the sun's
    passages of the level horizon."""

    place: Place
    days: LocalDays
    night: Spans
    deep: Spans
    lit: Spans
    level: Passage

    def moments(self, event: Event) -> Floats:
        match event:
            case Event.DAWN:
                return self.deep.finishes
            case Event.DUSK:
                return self.deep.begins
            case Event.SUNRISE:
                return self.night.finishes
            case Event.SUNSET:
                return self.night.begins
            case Event.LAMPS_OFF:
                return self.lit.finishes
            case Event.LAMPS_ON:
                return self.lit.begins

    def seasons(self) -> list[Season]:
        passed: list[int] = self.level.moments.searchsorted(self.days.midnights).tolist()
        return [
            Season.NORMAL
            if before != after
            else Season.POLAR_NIGHT
            if self.level.starts_below == (before % 2 == 0)
            else Season.POLAR_DAY
            for before, after in pairwise(passed)
        ]

    def lit_hours(self) -> list[float]:
        """Of each day."""
        import numpy as np

        if self.lit.starts.size == 0:
            return [0.0] * len(self.days.dates)
        edges: Floats = np.array([self.lit.starts, self.lit.ends]).T.ravel()
        burnt: Floats = np.zeros(edges.size)
        burnt[1:] = np.cumsum(np.where(np.arange(edges.size - 1) % 2 == 0, np.diff(edges), 0.0))
        return (np.diff(np.interp(self.days.midnights, edges, burnt)) / 3600.0).tolist()


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of a place. Times are aware UTC; an event may be absent or, near the poles, come twice.

    lit, night, deep: spans within the day. tomorrow: by how many seconds the last switching on and the first switching
    off come later on the clock on the next day; None where one of the two days has none.
    """

    place: Place
    date: date
    start: datetime
    end: datetime
    season: Season
    times: dict[Event, tuple[datetime, ...]]
    lit: tuple[tuple[datetime, datetime], ...]
    night: tuple[tuple[datetime, datetime], ...]
    deep: tuple[tuple[datetime, datetime], ...]
    on_later_tomorrow: int | None
    off_later_tomorrow: int | None

    @property
    def lit_hours(self) -> float:
        return sum((end - start).total_seconds() for start, end in self.lit) / 3600.0

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.place.zone)


def timelines(places: Sequence[Place], first: date, count: int) -> Iterator[Timeline]:
    """Each place over so many of its days from the first on. Loads numpy."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    sky = Sky(start.timestamp(), (start + timedelta(days=count + 4)).timestamp())
    at_once = max(1, _AT_ONCE // (count + 4))
    for nth in range(0, len(places), at_once):
        chosen = places[nth : nth + at_once]
        yield from _timelines(sky, chosen, [local_days(place.zone, first, count) for place in chosen])


def _timelines(sky: Sky, places: Sequence[Place], days: Sequence[LocalDays]) -> Iterator[Timeline]:
    positions = [place.position for place in places]
    dark = [place.dark if isinstance(place.dark, float) else HORIZON for place in places]
    level, civil, level_dark = sky.passages(positions, [[HORIZON] * len(places), [CIVIL] * len(places), dark])
    window = float(sky.grid[0]), float(sky.grid[-1])
    for nth, place in enumerate(places):
        sun, lamps = level[nth], level_dark[nth]
        if place.terrain is not None:
            sun = sky.passage(place.position, place.terrain.sun_limit())
            lamps = sky.passage(place.position, place.dark)
        yield Timeline(
            place,
            days[nth],
            _spans(sun, window),
            _spans(civil[nth], window),
            _spans(lamps, window, place.on_earlier, place.off_later),
            level[nth],
        )


def day(timeline: Timeline, nth: int) -> Day:
    """The day of that number; there must be one after it."""
    days = timeline.days
    start, end = (float(moment) for moment in days.midnights[nth : nth + 2])
    times = {event: _instants(timeline.moments(event), start, end) for event in Event}
    zone = timeline.place.zone
    following = float(days.midnights[nth + 2])
    next_on = _instants(timeline.lit.begins, end, following)
    next_off = _instants(timeline.lit.finishes, end, following)
    return Day(
        timeline.place,
        days.dates[nth],
        _instant(start),
        _instant(end),
        timeline.seasons()[nth],
        times,
        _instant_spans(timeline.lit.within(start, end)),
        _instant_spans(timeline.night.within(start, end)),
        _instant_spans(timeline.deep.within(start, end)),
        _shift(times[Event.LAMPS_ON][-1:], next_on[-1:], zone),
        _shift(times[Event.LAMPS_OFF][:1], next_off[:1], zone),
    )


def _spans(passage: Passage, window: tuple[float, float], earlier: float = 0.0, later: float = 0.0) -> Spans:
    """The spans below the limit in whole seconds, each begun earlier and ended later by that much."""
    import numpy as np

    edges: Floats = np.rint(passage.moments)
    starts, ends = (edges[1::2], edges[::2]) if passage.starts_below else (edges[::2], edges[1::2])
    starts, ends = starts - earlier, ends + later
    if passage.starts_below:
        starts = np.append(window[0], starts)
    if ends.size < starts.size:
        ends = np.append(ends, window[1])
    if bool((starts[1:] <= ends[:-1]).any()) or bool((starts >= ends).any()):
        joined: Any = np.array(_in_order(zip(starts.tolist(), ends.tolist(), strict=True))).reshape(-1, 2)
        starts, ends = joined[:, 0], joined[:, 1]
    return Spans(starts, ends, starts[starts > window[0]], ends[ends < window[1]])


def _in_order(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans that touch or overlap made one; one that is empty is none."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _instants(moments: Floats, start: float, end: float) -> tuple[datetime, ...]:
    first, last = moments.searchsorted([start, end]).tolist()
    return tuple(_instant(float(moment)) for moment in moments[first:last])


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _instant_spans(spans: Sequence[tuple[float, float]]) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((_instant(start), _instant(end)) for start, end in spans)


def _shift(today: Sequence[datetime], tomorrow: Sequence[datetime], zone: tzinfo) -> int | None:
    """Seconds on the clock, which on the days of its change is not the time between them."""
    if not today or not tomorrow:
        return None
    one, other = (moment[0].astimezone(zone).replace(tzinfo=None) for moment in (today, tomorrow))
    apart = (other - one).total_seconds()
    return round((apart + _DAY / 2) % _DAY - _DAY / 2)
