"""The tables and remarks of a backtest: the site as it is, then what several cases say."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from controller.cli.backtest_cases import Result
from controller.cli.backtest_rows import Row, Spread, against, reading, rows_of, saved, saved_rows_of, spread
from controller.cli.backtest_sides import Side
from controller.core.text import Language, Text

_TITLE = Text("{site}, {first} to {last}", "{site}，{first} 至 {last}")
_SPREAD_TITLE = Text(
    "median and worst of {count} cases, {seeds} seed{plural}{varied}",
    "{count} 个工况的中位数与最差值：{seeds} 个种子{varied}",
)
_VARIED = {
    "load": Text("load ±30 %", "负荷 ±30 %"),
    "traffic": Text("traffic ±30 %", "车流 ±30 %"),
    "tank": Text("tank ±50 %", "水箱 ±50 %"),
}
_AGAINST = Text("against {whom}", "对比{whom}")
_WHO_AGAINST = Text("{who} against {whom}", "{who} 对比{whom}")
_MEDIAN, _WORST = Text("median", "中位数"), Text("worst", "最差")
_EQUAL = Text(
    "At equal cooling, with the tank's cold credited at the valley price:",
    "按同等供冷量、水箱内冷量按谷价折算：",
)
_SAVES = Text("{who} saves {what} against {whom}.", "{who} 节省 {what}（对比{whom}）。")
_COSTS = Text("{who} COSTS {what} more than {whom}.", "{who} 多花 {what}（对比{whom}）。")
_NO_TARIFF = Text("The site has no tariff: money is not counted.", "现场未配置电价：不计电费。")
_UNPRICED = Text("{:.0f} kWh fell on times without a price.", "{:.0f} kWh 落在无电价时段。")
_CARBON = Text("Carbon: {factor:g} kg CO2 for a kWh ({source}).", "碳排放：每千瓦时 {factor:g} kg CO2（{source}）。")
_STOPPED = Text(
    "Stopped: {days} of {asked} days, {cases} of {all} cases.", "已中止：{days}/{asked} 天，{cases}/{all} 个工况。"
)


class Table(NamedTuple):
    """The first column tells what a row is; the others are numbers."""

    title: str
    headings: list[str]
    rows: list[list[str]]


def tables(result: Result, chosen: Language) -> list[Table]:
    found = [_nominal(result, chosen)]
    if len(result.outcomes) > 1:
        found.append(_spread(result, chosen))
    return found


def title(result: Result, chosen: Language) -> str:
    period = result.backtest.period
    last = period.first + timedelta(days=result.nominal.days - 1)
    return _TITLE.in_language(chosen).format(site=result.backtest.site.name, first=period.first, last=last)


def _nominal(result: Result, chosen: Language) -> Table:
    backtest = result.backtest
    headings = ["", *(side.title.in_language(chosen) for side in backtest.sides)]
    pairs = [(side, reference) for side in backtest.ours for reference in backtest.baselines]
    words = (_AGAINST if len(backtest.ours) == 1 else _WHO_AGAINST).in_language(chosen)
    for side, reference in pairs:
        who, whom = side.title.in_language(chosen), reference.title.in_language(chosen)
        headings += [words.format(who=who, whom=whom), ""]
    outcome = result.nominal
    rows: list[list[str]] = []
    for row in rows_of(result):
        values = {side.name: reading(row, result, outcome, side.name) for side in backtest.sides}
        cells = [_name(row, result, chosen), *(f"{value:,.{row.digits}f}" for value in values.values())]
        for side, reference in pairs:
            cells += _difference(row, values[reference.name], values[side.name])
        rows.append(cells)
    return Table(title(result, chosen), headings, rows)


def _difference(row: Row, before: float, after: float) -> list[str]:
    share = f"{(after - before) / before:+.1%}" if before and row.field != "stored" else ""
    return [f"{after - before:+,.{row.digits}f}", share]


def _spread(result: Result, chosen: Language) -> Table:
    headings = [""]
    for side in result.backtest.sides:
        name = side.title.in_language(chosen)
        headings += [f"{name}: {_MEDIAN.in_language(chosen)}", _WORST.in_language(chosen)]
    rows = [_spread_row(row, result, chosen) for row in rows_of(result) if row.is_spread]
    baselines = result.backtest.baselines
    rows += [_saved_row(row, reference, result, chosen) for reference in baselines for row in saved_rows_of(result)]
    return Table(_spread_title(result, chosen), headings, rows)


def _spread_row(row: Row, result: Result, chosen: Language) -> list[str]:
    cells = [_name(row, result, chosen)]
    for side in result.backtest.sides:
        values = [reading(row, result, outcome, side.name) for outcome in result.outcomes]
        cells += _cells(spread(row, values), row)
    return cells


def _saved_row(row: Row, reference: Side, result: Result, chosen: Language) -> list[str]:
    """Empty under the reference, and those that are compared with something else."""
    compared = result.backtest.later_than(reference)
    cells = [_name(against(row, reference), result, chosen)]
    for side in result.backtest.sides:
        if side not in compared:
            cells += ["", ""]
            continue
        values = [saved(row, outcome, side.name, reference.name) for outcome in result.outcomes]
        cells += _cells(spread(row, values), row)
    return cells


def _cells(found: Spread, row: Row) -> list[str]:
    return [f"{found.median:,.{row.digits}f}", f"{found.worst:,.{row.digits}f}"]


def _spread_title(result: Result, chosen: Language) -> str:
    cases = [outcome.case for outcome in result.outcomes]
    differs = [name for name in _VARIED if any(getattr(case.variation, name) != 1.0 for case in cases)]
    comma = "、" if chosen == "zh" else ", "
    varied = "".join(comma + _VARIED[name].in_language(chosen) for name in differs)
    seeds = len({case.seed for case in cases})
    return _SPREAD_TITLE.in_language(chosen).format(
        count=len(cases), seeds=seeds, plural="" if seeds == 1 else "s", varied=varied
    )


def _name(row: Row, result: Result, chosen: Language) -> str:
    tariff = result.backtest.site.tariff
    return row.title("" if tariff is None else tariff.currency).in_language(chosen)


# --- remarks ----------------------------------------------------------------------------------------------------------


def remarks(result: Result, chosen: Language) -> list[str]:
    tariff = result.backtest.site.tariff
    backtest = result.backtest
    lines = [_EQUAL.in_language(chosen)]
    lines += [_saving(result, side, reference, chosen) for side in backtest.ours for reference in backtest.baselines]
    first, *others = backtest.baselines
    lines += [_saving(result, side, first, chosen) for side in others]
    if tariff is None:
        lines.append(_NO_TARIFF.in_language(chosen))
    elif tariff.carbon_factor is not None:
        source = "" if tariff.carbon_source is None else tariff.carbon_source.document
        lines.append(_CARBON.in_language(chosen).format(factor=tariff.carbon_factor, source=source))
    unpriced = max(each.unpriced for each in result.nominal.totals.values())
    if unpriced:
        lines.append(_UNPRICED.in_language(chosen).format(unpriced))
    if not result.is_complete:
        lines.append(_stopped(result, chosen))
    return lines


def _saving(result: Result, side: Side, reference: Side, chosen: Language) -> str:
    found = result.nominal.saved_against[reference.name][side.name]
    tariff = result.backtest.site.tariff
    measure = found.energy if tariff is None else found.money
    parts = [f"{abs(found.energy):,.0f} kWh" if measure * found.energy >= 0 else f"{-abs(found.energy):,.0f} kWh"]
    if tariff is not None:
        before = result.nominal.totals[reference.name].money
        share = f" ({abs(found.money) / before:.1%})" if before else ""
        parts.append(f"{abs(found.money):,.0f} {tariff.currency}{share}")
    if found.carbon is not None:
        sign = 1.0 if measure * found.carbon >= 0 else -1.0
        parts.append(f"{sign * abs(found.carbon):,.0f} kg CO2")
    who, whom = side.title.in_language(chosen), reference.title.in_language(chosen)
    return (_SAVES if measure >= 0 else _COSTS).in_language(chosen).format(who=who, what=", ".join(parts), whom=whom)


def _stopped(result: Result, chosen: Language) -> str:
    backtest = result.backtest
    return _STOPPED.in_language(chosen).format(
        days=result.nominal.days,
        asked=backtest.period.days,
        cases=sum(each.days == backtest.period.days for each in result.outcomes),
        all=len(backtest.cases),
    )
