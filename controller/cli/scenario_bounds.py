"""Bounds on what a scenario brings, and whether they held, in every case of it."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.cli.backtest_cases import Outcome, Result
from controller.cli.backtest_rows import ROWS, SAVED, Row, against, reading, saved
from controller.cli.backtest_sides import ORIGINAL, SIDES
from controller.core.text import Language, Text
from simulator.kpi import Quarter

_SAVED_ENDING = "_saved"
_AT_MOST, _AT_LEAST = Text("at most", "不超过"), Text("at least", "不低于")
_TIMES = Text("{number:g} x {side}", "{number:g} × {side}")
_HOURS = Text("{name}, {hours}", "{name}，{hours}")


class Bound(NamedTuple):
    """kpi: a field of a row of the backtest, or what is saved of it. One of at_most and at_least is given; with `times`
    it is a share of what that side has. hours: of every day, for the peak. compared_with: the baseline of a saving."""

    kpi: str
    side: str
    at_most: float | None
    at_least: float | None
    times: str | None = None
    hours: str | None = None
    compared_with: str = ORIGINAL.name


class Judged(NamedTuple):
    """value and limit: of the case that is nearest to breaking the bound, or breaks it most."""

    bound: Bound
    value: float
    limit: float
    holds: bool


def judged(bound: Bound, result: Result) -> Judged:
    found = [_judged(bound, result, outcome) for outcome in result.outcomes]
    return min(found, key=_margin)


def _judged(bound: Bound, result: Result, outcome: Outcome) -> Judged:
    value = _value(bound, bound.side, result, outcome)
    given = bound.at_most if bound.at_most is not None else bound.at_least
    assert given is not None
    limit = given if bound.times is None else given * _value(bound, bound.times, result, outcome)
    holds = value <= limit if bound.at_most is not None else value >= limit
    return Judged(bound, value, limit, holds)


def _margin(each: Judged) -> float:
    return each.limit - each.value if each.bound.at_most is not None else each.value - each.limit


def _value(bound: Bound, side: str, result: Result, outcome: Outcome) -> float:
    if bound.hours is not None:
        return _peak_within(outcome.lived[side].quarters, bound.hours, result.backtest.site.zone)
    row = row_of(bound)
    if bound.kpi.endswith(_SAVED_ENDING):
        return saved(row, outcome, side, bound.compared_with)
    return reading(row, outcome, side)


def row_of(bound: Bound) -> Row:
    if bound.kpi.endswith(_SAVED_ENDING):
        return next(row for row in SAVED if row.field == bound.kpi.removesuffix(_SAVED_ENDING))
    return next(row for row in ROWS if row.field == bound.kpi)


def _peak_within(quarters: tuple[Quarter, ...], hours: str, zone: ZoneInfo) -> float:
    """Greatest quarter that lies within these hours of a day [kW]; they may go over midnight."""
    begin, end = (_time(each) for each in hours.split("-"))

    def is_within(quarter: Quarter) -> bool:
        at = datetime.fromtimestamp(quarter.start, UTC).astimezone(zone).time()
        return begin <= at < end if begin < end else at >= begin or at < end

    return max((each.power for each in quarters if is_within(each)), default=0.0)


def _time(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


# --- in words ---------------------------------------------------------------------------------------------------------


def name_of(bound: Bound, currency: str, chosen: Language) -> str:
    row = row_of(bound)
    if bound.kpi.endswith(_SAVED_ENDING):
        row = against(row, next(side for side in SIDES if side.name == bound.compared_with))
    name = row.title(currency).in_language(chosen)
    return name if bound.hours is None else _HOURS.in_language(chosen).format(name=name, hours=bound.hours)


def limit_of(each: Judged, chosen: Language) -> str:
    """What was asked, and what number that came to where it is another side's share."""
    bound = each.bound
    words = (_AT_MOST if bound.at_most is not None else _AT_LEAST).in_language(chosen)
    number = f"{each.limit:,.{digits_of(bound)}f}"
    if bound.times is None:
        return f"{words} {number}"
    given = bound.at_most if bound.at_most is not None else bound.at_least
    whose = next((side.title.in_language(chosen) for side in SIDES if side.name == bound.times), bound.times)
    share = _TIMES.in_language(chosen).format(number=given, side=whose)
    return f"{words} {share} = {number}"


def digits_of(bound: Bound) -> int:
    return max(1, row_of(bound).digits)
