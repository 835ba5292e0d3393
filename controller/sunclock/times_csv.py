"""A line a place and day as CSV, fast enough for ten thousand places and a year."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from controller.sunclock.sun_times import Event, Timeline

HEADER = ("name", "date", "season", *Event, "lit_hours")


class _Clocks(dict[int, str]):
    """By the second of the day, what a clock shows; each is spelt once, when it is first asked for."""

    def __missing__(self, second: int) -> str:
        shown = self[second] = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        return shown


_CLOCKS = _Clocks()


def lines(timelines: Iterable[Timeline]) -> Iterator[str]:
    """The header and a line for each day, local times; two where an event falls twice on a date, with a blank between.

    Several lines at a time, each with its end.
    """
    yield ",".join(HEADER) + "\n"
    for timeline in timelines:
        name = _quoted(timeline.place.name)
        dates = [day.isoformat() for day in timeline.days.dates]
        columns = [_column(timeline, event, len(dates)) for event in Event]
        hours = [f"{each:.3f}" for each in timeline.lit_hours()]
        rows = zip([name] * len(dates), dates, timeline.seasons(), *columns, hours, strict=True)
        yield "\n".join(map(",".join, rows)) + "\n" if dates else ""


def _column(timeline: Timeline, event: Event, count: int) -> list[str]:
    days, clocks = timeline.days.local(timeline.moments(event))
    if days == list(range(count)):
        return [_CLOCKS[clock] for clock in clocks]
    cells = [""] * count
    for day, clock in zip(days, clocks, strict=True):
        cells[day] = f"{cells[day]} {_CLOCKS[clock]}" if cells[day] else _CLOCKS[clock]
    return cells


def _quoted(name: str) -> str:
    """A cell of spreadsheets: a name that begins like a formula is told to be text."""
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow([f"'{name}" if name[0] in "=+-@" else name])
    return written.getvalue()
