"""Charts from plain numbers: courses over time, one below the other, and how several cases are spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor, log10
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.reports.drawing import Box, Dot, Drawing, Line, Shape, Words

WIDTH = 960.0
COLOURS = ("#7f7f7f", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""By side: grey for what is compared with, then those that colour-blind people tell apart (M. Okabe, K. Ito, "Color
universal design", 2008)."""
_SHADE, _NAME, _GRID, _FAINT = "#fbeee6", "#b5541c", "#dddddd", "#777777"
_NAME_ROWS = 8
_LAST_NARROW = 0x2E7F
"""Chinese characters, which are twice as wide, come later."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 20.0, 30.0, 24.0
_ROW = 20.0
_CELL = WIDTH / 2
_MOST_TICKS = 9
_GAP_S = 3600.0
"""A course is broken where there is no value for so long."""


@dataclass(frozen=True, slots=True)
class Course:
    """times: seconds of the epoch. lasts_s: each value is the mean of so long from its time on, and drawn as a step; 0:
    values of an instant, which are joined."""

    name: str
    times: Sequence[float]
    values: Sequence[float]
    lasts_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    courses: Sequence[Course]
    height: float = 150.0


@dataclass(frozen=True, slots=True)
class Span:
    """A time that is shaded, in seconds of the epoch; what happened then."""

    begins: float
    ends: float
    name: str


def heading(title: str, names: Sequence[str]) -> Drawing:
    """The title, and which colour is whose."""
    shapes: list[Shape] = [Words(_LEFT, 26.0, title, 16.0)]
    x = _LEFT
    for number, name in enumerate(names):
        shapes.append(Box(x, 40.0, 22.0, 5.0, COLOURS[number % len(COLOURS)]))
        shapes.append(Words(x + 28.0, 47.0, name))
        x += 60.0 + 8.0 * len(name)
    return Drawing(WIDTH, 58.0, tuple(shapes))


# --- courses ----------------------------------------------------------------------------------------------------------


class _Axes(NamedTuple):
    """Of a panel: what time and value lie at its edges."""

    begin: float
    end: float
    low: float
    high: float
    height: float = 0.0

    def x(self, time: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (min(max(time, self.begin), self.end) - self.begin) / self.seconds

    def y(self, value: float) -> float:
        return _TOP + self.height * (self.high - value) / (self.high - self.low)

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    def shows(self, span: Span) -> bool:
        return span.begins < self.end and span.ends > self.begin


def courses(panels: Sequence[Panel], spans: Sequence[Span], zone: ZoneInfo) -> list[Drawing]:
    """Panels with one time axis; spans are named above them and shaded in all."""
    begin = min(course.times[0] for panel in panels for course in panel.courses)
    end = max(course.times[-1] + course.lasts_s for panel in panels for course in panel.courses)
    found = [_named_spans(_Axes(begin, end, 0.0, 1.0), spans)]
    for panel in panels:
        ticks = value_ticks([value for course in panel.courses for value in course.values])
        axes = _Axes(begin, end, ticks[0], ticks[-1], panel.height)
        is_last = panel is panels[-1]
        shapes = [
            *_shades(axes, spans),
            *_grid(axes, ticks, zone, has_labels=is_last),
            *_lines(axes, panel.courses),
            Words(_LEFT, _TOP - 8.0, panel.title),
        ]
        found.append(Drawing(WIDTH, _TOP + panel.height + (_BOTTOM if is_last else 6.0), tuple(shapes)))
    return found


def _shades(axes: _Axes, spans: Sequence[Span]) -> list[Shape]:
    """What happened at one moment is a stroke."""
    return [
        Box(axes.x(span.begins), _TOP, max(1.0, axes.x(span.ends) - axes.x(span.begins)), axes.height, _SHADE)
        for span in spans
        if axes.shows(span)
    ]


def _grid(axes: _Axes, ticks: Sequence[float], zone: ZoneInfo, *, has_labels: bool) -> list[Shape]:
    shapes: list[Shape] = []
    for value in ticks:
        shapes.append(Line(((_LEFT, axes.y(value)), (WIDTH - _RIGHT, axes.y(value))), _GRID))
        shapes.append(Words(_LEFT - 6.0, axes.y(value) + 4.0, number_words(value, ticks), 11.0, "end", _FAINT))
    for time, label in time_ticks(axes.begin, axes.end, zone):
        shapes.append(Line(((axes.x(time), _TOP), (axes.x(time), _TOP + axes.height)), _GRID))
        if has_labels:
            shapes.append(Words(axes.x(time), _TOP + axes.height + 16.0, label, 11.0, "middle", _FAINT))
    return shapes


def _lines(axes: _Axes, found: Sequence[Course]) -> list[Shape]:
    return [
        Line(tuple((axes.x(time), axes.y(value)) for time, value in piece), COLOURS[number % len(COLOURS)], 1.5)
        for number, course in enumerate(found)
        for piece in _pieces(course)
    ]


def _named_spans(axes: _Axes, spans: Sequence[Span]) -> Drawing:
    """Each with a bar of its length, in the first row that is free by then; what finds none is only shaded."""
    shapes: list[Shape] = []
    free = [0.0] * _NAME_ROWS
    for span in sorted(filter(axes.shows, spans), key=lambda each: each.begins):
        begin, end = axes.x(span.begins), axes.x(span.ends)
        words = sum(10.0 if ord(each) > _LAST_NARROW else 5.6 for each in span.name)
        left = min(begin + 3.0, WIDTH - words)  # what happens late is named before it
        row = next((number for number, until in enumerate(free) if min(left, begin) >= until), None)
        if row is None:
            continue
        y = 16.0 * (row + 1)
        shapes.append(Words(left, y, span.name, 10.0, "start", _NAME))
        shapes.append(Box(begin, y + 3.0, max(2.0, end - begin), 2.0, _NAME))
        free[row] = max(end, left + words + 6.0)
    rows = sum(until > 0.0 for until in free)
    return Drawing(WIDTH, 16.0 * rows + 8.0 if rows else 0.0, tuple(shapes))


def _pieces(course: Course) -> list[list[tuple[float, float]]]:
    """Unbroken stretches of two points at least; a mean is as long as it lasts."""
    pieces: list[list[tuple[float, float]]] = [[]]
    step = min((later - sooner for sooner, later in pairwise(course.times)), default=0.0)
    last: float | None = None
    for time, value in zip(course.times, course.values, strict=True):
        if last is not None and time - last > max(_GAP_S, 1.5 * step):
            pieces.append([])
        pieces[-1].append((time, value))
        if course.lasts_s:
            pieces[-1].append((time + course.lasts_s, value))
        last = time
    return [piece for piece in pieces if len(piece) > 1]


# --- spread -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Strip:
    """One quantity: by side, the value of each case. cases: what each is called."""

    title: str
    names: Sequence[str]
    values: Sequence[Sequence[float]]
    digits: int
    colours: Sequence[str]
    cases: Sequence[str]


def strips(found: Sequence[Strip], caption: str) -> list[Drawing]:
    """Two abreast; a dot for each case, a stroke for the median, which caption says."""
    rows = [Drawing(WIDTH, 30.0, (Words(_LEFT, 22.0, caption, 11.0, colour=_FAINT),))]
    for index in range(0, len(found), 2):
        cells = [_strip(each) for each in found[index : index + 2]]
        shapes = [shape.moved(number * _CELL, 0.0) for number, cell in enumerate(cells) for shape in cell.shapes]
        rows.append(Drawing(WIDTH, max(cell.height for cell in cells), tuple(shapes)))
    return rows


def _strip(strip: Strip) -> Drawing:
    left, right = 110.0, _CELL - 90.0
    ticks = value_ticks([value for values in strip.values for value in values])
    low, high = ticks[0], ticks[-1]

    def x(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    bottom = _TOP + _ROW * len(strip.names)
    shapes: list[Shape] = [Words(left, _TOP - 10.0, strip.title, 12.0)]
    for value in ticks if len(ticks) <= 6 else ticks[::2]:
        shapes.append(Line(((x(value), _TOP - 4.0), (x(value), bottom)), _GRID))
        shapes.append(Words(x(value), bottom + 13.0, number_words(value, ticks), 10.0, "middle", _FAINT))
    for number, (name, values) in enumerate(zip(strip.names, strip.values, strict=True)):
        y = _TOP + _ROW * (number + 0.5)
        shapes.append(Words(left - 8.0, y + 4.0, name, 11.0, "end"))
        for case, value in zip(strip.cases, values, strict=True):
            shapes.append(Dot(x(value), y, 3.0, strip.colours[number], f"{case}: {value:z,.{strip.digits}f}"))
        middle = median(values)
        shapes.append(Line(((x(middle), y - 8.0), (x(middle), y + 8.0)), strip.colours[number], 2.0))
        shapes.append(Words(right + 10.0, y + 4.0, f"{middle:z,.{strip.digits}f}", 11.0))
    return Drawing(_CELL, bottom + 24.0, tuple(shapes))


# --- axes -------------------------------------------------------------------------------------------------------------


def value_ticks(values: Iterable[float]) -> list[float]:
    """Round numbers that enclose the values: steps of 1, 2 or 5 times a power of ten; two at least."""
    known = list(values)
    low, high = min(known), max(known)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = (low - 1.0, high + 1.0) if low else (0.0, 1.0)
    raw = (high - low) / 4.0
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * 0.999)
    return [number * step for number in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


def number_words(value: float, ticks: Sequence[float]) -> str:
    """With as many digits as tell the ticks apart."""
    digits = max(0, -floor(log10(ticks[1] - ticks[0]) + 1e-9))
    return f"{value:z,.{digits}f}"


def time_ticks(begin: float, end: float, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Local hours for up to two days, with the date at midnight, else local midnights, thinned to what has room."""
    first = datetime.fromtimestamp(begin, UTC).astimezone(zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (end - begin) / 86400.0
    if days <= 2.0:
        every = 3 if days <= 1.1 else 6
        count = int(days * 24.0 / every) + every
        moments = [midnight + timedelta(hours=every * number) for number in range(count + 1)]
        labelled = [(moment.timestamp(), f"{moment:{'%H:%M' if moment.hour else '%m-%d'}}") for moment in moments]
    else:
        every = ceil(days / _MOST_TICKS)
        moments = [midnight + timedelta(days=every * number) for number in range(int(days / every) + 2)]
        labelled = [(moment.timestamp(), f"{moment:%m-%d}") for moment in moments]
    return [(time, label) for time, label in labelled if begin <= time <= end]
