"""Whether records of weather and load can be used: a backtest fills no hours of its own days in silence."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from controller.cli.virtual_days import Period, midnight
from controller.core.site import Site
from controller.settings.problems import Problems
from simulator.civil import SiteTime
from simulator.load import LoadRecord
from simulator.opening import loads_for
from simulator.records import RecordProblem
from simulator.site import Site as SimulatedSite
from simulator.variation import Variation
from simulator.weather import HOURS_PER_YEAR, MissingHour, missing_hours

_CALENDAR_YEAR = 2019


def refuse_missing_hours(file: Path, site: Site, period: Period, problems: Problems) -> None:
    """Every stretch of hours that the period needs and the file lacks."""
    try:
        missing = missing_hours(file, needed_hours(site, period))
    except RecordProblem as error:
        problems.add(error.path, error.line, error.wrong, error.right)
        return
    for first, last in _stretches(missing):
        words = _words(first.hour) if first.hour == last.hour else f"{_words(first.hour)} to {_words(last.hour)}"
        wrong = f"no complete reading of {words}, which the period needs"
        problems.add(
            file, first.line, wrong, "write temperature, humidity and irradiance of every hour (local standard time)"
        )


def own_loads(file: Path, variation: Variation, problems: Problems) -> tuple[LoadRecord, ...]:
    """As the small demonstration's plant takes them."""
    try:
        return tuple(each for each in loads_for(file, SimulatedSite(), variation) if each is not None)
    except RecordProblem as error:
        problems.add(error.path, error.line, error.wrong, error.right)
        return ()


def needed_hours(site: Site, period: Period) -> list[int]:
    """Hours of the typical year from the first midnight on, without the last one."""
    local = SiteTime(site.zone)
    at, end = midnight(site, period.first), midnight(site, period.end)
    hours: dict[int, None] = {}
    while at < end:
        hours[int(local.at(at.timestamp()).year_hour) % HOURS_PER_YEAR] = None
        at += timedelta(hours=1)
    return list(hours)


def _stretches(missing: list[MissingHour]) -> list[tuple[MissingHour, MissingHour]]:
    """First and last of each run of hours."""
    if not missing:
        return []
    edges = [number for number, (one, next_) in enumerate(pairwise(missing), 1) if next_.hour != one.hour + 1]
    starts = [0, *edges]
    ends = [*(edge - 1 for edge in edges), len(missing) - 1]
    return [(missing[start], missing[end]) for start, end in zip(starts, ends, strict=True)]


def _words(hour: int) -> str:
    day = date(_CALENDAR_YEAR, 1, 1) + timedelta(days=hour // 24)
    return f"{datetime(day.year, day.month, day.day, hour % 24):%m-%d %H:%M}"  # noqa: DTZ001 - of no zone
