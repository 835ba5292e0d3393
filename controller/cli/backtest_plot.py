"""The picture of a backtest: what the days were like on each side, and how the cases are spread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import fmean

from controller.cli.backtest_cases import Result
from controller.cli.backtest_rows import Row, against, reading, rows_of, saved, saved_rows_of
from controller.core.text import Language, Text
from controller.reports.charts import COLOURS, Course, Panel, Span, Strip, courses, heading, strips
from controller.reports.drawing import Drawing, stacked
from simulator.faults.fault import Fault
from simulator.kpi import Quarter

_MOST_DAYS_IN_QUARTERS = 14
_DAY_S = 86400.0
_QUARTER_S = 900.0
_PRICE_HEIGHT = 60.0
_PRICE = Text("price of electricity [{currency}/kWh]", "电价 [{currency}/kWh]")
_CAPTION = Text(
    "a dot for each case, a stroke and the number for the median of all", "每点为一个工况；竖线和数字为全部工况的中位数"
)
_DAILY = Text(", mean of each day", "，日均值")
_WHOLE_SITE = Text("whole site", "全站")
_PANELS = (
    (Text("power of the whole site [kW]", "全站功率 [kW]"), "power"),
    (Text("warmest room [°C]", "最热房间 [°C]"), "air"),
    (Text("cold in the tank [kWh]", "水箱蓄冷量 [kWh]"), "stored"),
)


def plot(result: Result, chosen: Language, name: str) -> Drawing:
    """name: what stands above it."""
    names = [side.title.in_language(chosen) for side in result.backtest.sides]
    parts = [heading(name, names)]
    means = "" if _is_in_quarters(result) else _DAILY.in_language(chosen)
    panels = [Panel(words.in_language(chosen) + means, _courses(result, field)) for words, field in _PANELS]
    if all(len(course.times) > 1 for panel in panels for course in panel.courses):
        panels[1:1] = _prices(result, chosen)
        parts += courses(panels, _spans(result, chosen), result.backtest.site.zone)
    if len(result.outcomes) > 1:
        parts += strips(_strips(result, chosen), _CAPTION.in_language(chosen))
    return stacked(parts)


def _is_in_quarters(result: Result) -> bool:
    return result.nominal.days <= _MOST_DAYS_IN_QUARTERS


def _prices(result: Result, chosen: Language) -> list[Panel]:
    """What a strategy goes by, below what came of it; of a month it would be a hatching."""
    site = result.backtest.site
    if site.tariff is None or not _is_in_quarters(result):
        return []
    starts = [each.start for each in next(iter(result.nominal.lived.values())).quarters]
    priced = [(start, site.tariff.price_at(datetime.fromtimestamp(start, site.zone))) for start in starts]
    known = [(start, price) for start, price in priced if price is not None]
    if not known:
        return []
    title = _PRICE.in_language(chosen).format(currency=site.tariff.currency)
    course = Course("price", [start for start, _ in known], [price for _, price in known], _QUARTER_S)
    return [Panel(title, [course], _PRICE_HEIGHT)]


def _courses(result: Result, field: str) -> list[Course]:
    """Power is a mean of each quarter, the others are what was at its end."""
    found: list[Course] = []
    is_mean = field == "power"
    for side in result.backtest.sides:
        quarters = result.nominal.lived[side.name].quarters
        if _is_in_quarters(result):
            points = [(each.start + (0.0 if is_mean else _QUARTER_S), getattr(each, field)) for each in quarters]
            lasts_s = _QUARTER_S if is_mean else 0.0
        else:
            points, lasts_s = _daily(quarters, field), _DAY_S
        found.append(Course(side.name, [time for time, _ in points], [value for _, value in points], lasts_s))
    return found


def _daily(quarters: Sequence[Quarter], field: str) -> list[tuple[float, float]]:
    """Means of 24 hours each, for longer periods."""
    if not quarters:
        return []
    first = quarters[0].start
    days = groupby(quarters, key=lambda each: (each.start - first) // _DAY_S)
    return [(first + number * _DAY_S, fmean(getattr(each, field) for each in day)) for number, day in days]


def _spans(result: Result, chosen: Language) -> list[Span]:
    """When something was wrong, and what."""
    period = result.backtest.period
    last = (period.end - period.first + timedelta(days=1)).total_seconds()

    def name(fault: Fault) -> str:
        return f"{fault.target or _WHOLE_SITE.in_language(chosen)}: {fault.known.title.in_language(chosen)}"

    return [Span(fault.begins, min(fault.ends, fault.begins + last), name(fault)) for fault in period.faults]


def _strips(result: Result, chosen: Language) -> list[Strip]:
    tariff = result.backtest.site.tariff
    currency = "" if tariff is None else tariff.currency

    def strip(row: Row, names: list[str], values: list[list[float]], first_colour: int) -> Strip:
        colours = [COLOURS[(first_colour + number) % len(COLOURS)] for number in range(len(names))]
        return Strip(row.title(currency).in_language(chosen), names, values, row.digits, colours, called)

    called = [outcome.case.title().in_language(chosen) for outcome in result.outcomes]
    sides = result.backtest.sides
    titles = [side.title.in_language(chosen) for side in sides]
    found: list[Strip] = []
    for reference in result.backtest.baselines:
        later = result.backtest.later_than(reference)
        first = len(sides) - len(later)
        for row in saved_rows_of(result):
            values = [[saved(row, each, side.name, reference.name) for each in result.outcomes] for side in later]
            found.append(strip(against(row, reference), titles[first:], values, first))
    found += [
        strip(row, titles, [[reading(row, each, side.name) for each in result.outcomes] for side in sides], 0)
        for row in rows_of(result)
        if row.is_spread
    ]
    return found
