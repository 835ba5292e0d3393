"""A day of lamps and sun as a picture: the bar of the day, when lamps go off and on, how that shifts until tomorrow.

One place a picture, or a board of many. SVG; fonts are the viewer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import NamedTuple

from controller.core.text import Text
from controller.sunclock import words
from controller.sunclock.sun_times import Day, Event

WIDTH = 960
HEIGHT = 330

BOARD_WIDTH = 1000
BOARD_HEAD = 96
BOARD_ROW = 42
BOARD_FOOT = 34
MOST_ON_A_BOARD = 30

_FONT = "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, WenQuanYi Micro Hei, Noto Sans, DejaVu Sans, Arial, sans-serif"
_DAY, _TWILIGHT, _NIGHT = "#ffe9a8", "#7f93c8", "#232c4d"
_LAMP, _INK, _SOFT = "#f5a300", "#1a1a1a", "#5c5c5c"
_LABEL = 150.0  # width of a label [px]
_LONGEST = 30  # columns of a name; wide characters count twice


class _Frame(NamedTuple):
    """Where a bar stands, and the day it shows."""

    day: Day
    left: float
    top: float
    width: float
    height: float

    def across(self, moment: datetime) -> float:
        """Every hour has the same width, on the days of 23 and 25 hours, too."""
        return self.left + self.width * ((moment - self.day.start) / (self.day.end - self.day.start))


def site_picture(day: Day, illuminance: float) -> str:
    """One place for one day."""
    frame = _Frame(day, 40, 196, WIDTH - 80, 44)
    name, other = _names(day)
    body = [
        _text(40, 42, name, 28, bold=True),
        _text(40, 68, other, 18, fill=_SOFT),
        _text(WIDTH - 40, 42, f"{day.date:%Y-%m-%d}", 28, bold=True, anchor="end"),
        _text(WIDTH - 40, 68, _one_line(_joined(words.weekday(day.date), words.season(day))), 18, _SOFT, anchor="end"),
        *_switching(day, Event.LAMPS_OFF, words.OFF, day.off_later_tomorrow, 40),
        *_switching(day, Event.LAMPS_ON, words.ON, day.on_later_tomorrow, WIDTH / 2 + 10),
        *_bar(frame),
        *_lamp_strip(frame, 14),
        *_labels(frame),
        *_hours(frame, 282, 14),
        _text(40, HEIGHT - 12, _one_line(_lit(day)) + "   " + _one_line(_made(illuminance)), 12, _SOFT),
    ]
    return _document(WIDTH, HEIGHT, body)


def board(days: Sequence[Day], illuminance: float) -> str:
    """Many places under one another, at most MOST_ON_A_BOARD; for a wall or a group chat."""
    height = BOARD_HEAD + BOARD_ROW * len(days) + BOARD_FOOT
    left = {"name": 16, "bar": 250, "off": 652, "on": 820}
    body = [
        _text(16, 36, words.TITLE.en, 24, bold=True),
        _text(16, 64, words.TITLE.zh, 20),
        _text(BOARD_WIDTH - 16, 36, _dates(days), 24, bold=True, anchor="end"),
        _text(BOARD_WIDTH - 16, 64, _weekdays(days), 18, _SOFT, anchor="end"),
        _text(left["off"], 88, _one_line(words.OFF), 15, bold=True),
        _text(left["off"] + 86, 88, _one_line(words.TOMORROW), 11, _SOFT),
        _text(left["on"], 88, _one_line(words.ON), 15, bold=True),
        _text(left["on"] + 86, 88, _one_line(words.TOMORROW), 11, _SOFT),
    ]
    for nth, day in enumerate(days):
        top = BOARD_HEAD + BOARD_ROW * nth
        frame = _Frame(day, left["bar"], top + 7, 390, 17)
        name, other = _names(day)
        body.append(f'<line x1="16" y1="{top}" x2="{BOARD_WIDTH - 16}" y2="{top}" stroke="#bbb" stroke-width="0.7"/>')
        body += [_text(16, top + 19, name, 16, bold=True), _text(16, top + 35, other, 12, _SOFT)]
        body += [*_bar(frame), *_lamp_strip(frame, 6), *_hours(frame, top + 40, 9, every=6)]
        body += _board_time(day, Event.LAMPS_OFF, day.off_later_tomorrow, left["off"], top)
        body += _board_time(day, Event.LAMPS_ON, day.on_later_tomorrow, left["on"], top)
    body += [_text(16, height - 12, _one_line(_made(illuminance)), 12, _SOFT), *_legend(height - 12)]
    return _document(BOARD_WIDTH, height, body)


# --- parts ------------------------------------------------------------------------------------------------------------


def _bar(frame: _Frame) -> Iterator[str]:
    """Day, twilight and night of the sky."""
    day = frame.day
    yield _box(frame, day.start, day.end, _DAY)
    for spans, fill in ((day.night, _TWILIGHT), (day.deep, _NIGHT)):
        for start, end in spans:
            yield _box(frame, start, end, fill)
    yield _box(frame, day.start, day.end, "none", stroke="#444")


def _lamp_strip(frame: _Frame, height: float) -> Iterator[str]:
    """Below the bar: where the lamps are lit."""
    strip = frame._replace(top=frame.top + frame.height + 2, height=height)
    yield _box(strip, frame.day.start, frame.day.end, "#ececec")
    for start, end in frame.day.lit:
        yield _box(strip, start, end, _LAMP)


def _labels(frame: _Frame) -> Iterator[str]:
    """The sun's times above the bar: twilight's point outwards, the sun's inwards where the day is long enough."""
    rises, sets = ([frame.across(each) for each in frame.day.times[event]] for event in (Event.SUNRISE, Event.SUNSET))
    is_long = bool(rises and sets) and sets[-1] - rises[0] > 2 * _LABEL
    for event, above, to_the_right in (
        (Event.DAWN, 36.0, False),
        (Event.DUSK, 36.0, True),
        (Event.SUNRISE, 14.0, is_long),
        (Event.SUNSET, 14.0, not is_long),
    ):
        for moment in frame.day.times[event]:
            yield from _label(frame, event, moment, above, to_the_right=to_the_right)


def _label(frame: _Frame, event: Event, moment: datetime, above: float, *, to_the_right: bool) -> Iterator[str]:
    """Turned round where it would leave the picture."""
    x, y = frame.across(moment), frame.top - above
    text = f"{_one_line(words.EVENTS[event])} {frame.day.local(moment):%H:%M}"
    to_the_right = x + _LABEL < frame.left + frame.width if to_the_right else x - _LABEL < frame.left
    yield f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{frame.top:.1f}" stroke="#444" stroke-width="1"/>'
    yield _text(x + (5 if to_the_right else -5), y + 5, text, 13, anchor="start" if to_the_right else "end")


def _hours(frame: _Frame, y: float, size: int, every: int = 3) -> Iterator[str]:
    """The clock under the bar, as it shows: an hour that is left out or comes twice is not hidden."""
    moment = frame.day.start
    while moment <= frame.day.end:
        local = frame.day.local(moment)
        if local.hour % every == 0 and local.minute == 0:
            is_last = moment == frame.day.end
            label = "24" if is_last else f"{local.hour}"
            yield _text(frame.across(moment), y, label, size, _SOFT, anchor="middle")
        moment = (moment + timedelta(minutes=30)).astimezone(UTC)


def _legend(y: float) -> Iterator[str]:
    """What the colours of a board are."""
    for nth, (fill, text) in enumerate(zip((_DAY, _TWILIGHT, _NIGHT, _LAMP), words.COLOURS, strict=True)):
        left = BOARD_WIDTH - 16 - 78 * (4 - nth)
        yield f'<rect x="{left}" y="{y - 10}" width="12" height="12" fill="{fill}" stroke="#444" stroke-width="0.5"/>'
        yield _text(left + 16, y, _one_line(text), 10, _SOFT)


def _switching(day: Day, event: Event, what: Text, later: int | None, left: float) -> Iterator[str]:
    text = words.switching(day, event)
    is_time = text.en == text.zh
    yield _text(left, 122, _one_line(what), 18, bold=True)
    yield _text(left + 110, 126, text.en if is_time else _one_line(text), 38 if is_time else 20, bold=True)
    moved = words.shift(later)
    if moved.en:
        beside = left + (240 if is_time else 330)
        yield _text(beside, 107, f"{words.TOMORROW.en}: {moved.en}", 13, _SOFT)
        yield _text(beside, 126, f"{words.TOMORROW.zh}：{moved.zh}", 13, _SOFT)


def _board_time(day: Day, event: Event, later: int | None, left: float, top: float) -> Iterator[str]:
    text = words.switching(day, event)
    if text.en == text.zh:
        yield _text(left, top + 29, text.en, 26 if len(text.en) <= 5 else 14, bold=True)
    else:
        yield _text(left, top + 18, text.en, 13, bold=True)
        yield _text(left, top + 34, text.zh, 13, bold=True)
    moved = words.shift(later)
    yield _text(left + 86, top + 19, moved.en, 11, _SOFT)
    yield _text(left + 86, top + 34, moved.zh, 11, _SOFT)


def _lit(day: Day) -> Text:
    return Text(f"Lit for {day.lit_hours:.1f} h.", f"亮灯 {day.lit_hours:.1f} 小时。")


def _made(illuminance: float) -> Text:
    return Text(*(text.format(illuminance=illuminance) for text in words.MADE))


def _dates(days: Sequence[Day]) -> str:
    return " / ".join(sorted({f"{day.date:%Y-%m-%d}" for day in days}))


def _weekdays(days: Sequence[Day]) -> str:
    return " / ".join(_one_line(words.weekday(date)) for date in sorted({day.date for day in days}))


def _names(day: Day) -> tuple[str, str]:
    """The name, and below it the other one, or where the place is."""
    place = day.place
    position = f"{place.position.latitude:.3f}, {place.position.longitude:.3f}"
    return _short(place.name), position if place.name_zh == place.name else _short(place.name_zh)


def _short(name: str) -> str:
    taken, width = "", 0
    for character in name:
        width += 2 if ord(character) > 0x2E7F else 1
        if width > _LONGEST:
            return taken.rstrip() + "…"
        taken += character
    return taken


def _joined(first: Text, second: Text) -> Text:
    return Text(*(" ".join(filter(None, pair)) for pair in zip(first, second, strict=True)))


def _one_line(text: Text) -> str:
    return text.en if text.en == text.zh else f"{text.en} {text.zh}"


# --- SVG --------------------------------------------------------------------------------------------------------------


def _box(frame: _Frame, start: datetime, end: datetime, fill: str, stroke: str = "none") -> str:
    left, right = frame.across(start), frame.across(end)
    return (
        f'<rect x="{left:.1f}" y="{frame.top:.1f}" width="{right - left:.1f}" height="{frame.height:.1f}" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def _text(
    x: float, y: float, text: str, size: int, fill: str = _INK, *, bold: bool = False, anchor: str = "start"
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}"{weight} text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _document(width: int, height: int, body: Sequence[str]) -> str:
    lines = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_FONT}">\n<rect width="{width}" height="{height}" fill="white"/>\n{lines}\n</svg>\n'
    )
