"""The tables and remarks of a backtest: the site as it is, then what several cases say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from controller.cli.backtest_basis import load_remarks
from controller.cli.backtest_cases import Outcome, Result
from controller.cli.backtest_rows import MEASURED, Row, Spread, against, reading, rows_of, saved, saved_rows_of, spread
from controller.cli.backtest_sides import Side
from controller.core.text import Language, Text
from controller.core.utilities import Gas
from simulator.saving import Saving, money

_GROWTH = ("stored", "battery")
"""Of what is held: a share of it says nothing."""

_TITLE = Text("{site}, {first} to {last}", "{site}，{first} 至 {last}")
_TITLE_OF_A_DAY = Text("{site}, {first}", "{site}，{first}")
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
AS_LIVED = Text(
    "As lived, with what the stores hold more or less at the end credited at the valley price:",
    "按实际运行，期末蓄能（水箱、电池）净变化按谷价折算：",
)
AT_EQUAL_COOLING = Text(
    "At equal cooling, the plant of the other side scaled to the cold that was delivered: needing less is no merit:",
    "按同等供冷量（对方冷站按本方供冷量折算，少用冷不计为节省）：",
)
_SAVES = Text("{who} saves {what} against {whom}.", "{who} 节省 {what}（对比{whom}）。")
_SAVES_BUT = Text(
    "{who} saves {what} against {whom}, but takes {more} more.", "{who} 节省 {what}（对比{whom}），但多用 {more}。"
)
_COSTS = Text("{who} COSTS {what} more than {whom}.", "{who} 多花 {what}（对比{whom}）。")
_NO_TARIFF = Text("The site has no tariff: money is not counted.", "现场未配置电价：不计电费。")
_GAS_CARBON = Text(
    "Gas: {carbon:.3f} kg CO2 for a m³, {factor:g} kg for a GJ ({source}), {heat:g} MJ for a m³ ({heat_source}).",
    "燃气：每立方米 {carbon:.3f} kg CO2；每 GJ {factor:g} kg（{source}），每立方米 {heat:g} MJ（{heat_source}）。",
)
_PRICED = {
    "gas": Text("Gas: {price:g} {currency} for a m³ ({source}).", "燃气：每立方米 {price:g} {currency}（{source}）。"),
    "water": Text(
        "Water: {price:g} {currency} for a m³ ({source}).", "水：每立方米 {price:g} {currency}（{source}）。"
    ),
}
_NOT_PRICED = {
    "gas": Text(
        "Gas is burnt, and site.yaml tells neither its price nor its heat: neither money nor carbon of it is counted.",
        "现场耗用燃气，但 site.yaml 未给出气价与热值：不计其费用与碳排放。",
    ),
    "water": Text(
        "Water is drawn, and site.yaml does not say its price: its money is not counted.",
        "现场用水，但 site.yaml 未给出水价：不计水费。",
    ),
}
_UNPRICED = Text("{:.0f} kWh fell on times without a price.", "{:.0f} kWh 落在无电价时段。")
_CARBON = Text("Carbon: {factor:g} kg CO2 for a kWh ({source}).", "碳排放：每千瓦时 {factor:g} kg CO2（{source}）。")
_STOPPED = Text(
    "Stopped: {days} of {asked} days, {cases} of {all} cases.", "已中止：{days}/{asked} 天，{cases}/{all} 个工况。"
)


class Table(NamedTuple):
    """The first column tells what a row is; the others are numbers. broken: rows that catch the eye."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    broken: frozenset[int] = frozenset()


def tables(result: Result, chosen: Language) -> list[Table]:
    found = [_nominal(result, chosen)]
    if len(result.outcomes) > 1:
        found.append(_spread(result, chosen))
    return found


def title(result: Result, chosen: Language) -> str:
    period = result.backtest.period
    last = period.first + timedelta(days=result.nominal.days - 1)
    words = (_TITLE if last > period.first else _TITLE_OF_A_DAY).in_language(chosen)
    return words.format(site=result.backtest.site.name, first=period.first, last=last)


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
        values = {side.name: reading(row, outcome, side.name) for side in backtest.sides}
        cells = [_name(row, result, chosen), *(f"{value:z,.{row.digits}f}" for value in values.values())]
        for side, reference in pairs:
            cells += _difference(row, values[reference.name], values[side.name])
        rows.append(cells)
    return Table(title(result, chosen), headings, rows)


def _difference(row: Row, before: float, after: float) -> list[str]:
    if row.field == MEASURED:
        return ["", ""]
    share = f"{(after - before) / before:+z.1%}" if before and row.field not in _GROWTH else ""
    return [f"{after - before:+z,.{row.digits}f}", share]


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
        values = [reading(row, outcome, side.name) for outcome in result.outcomes]
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
    return [f"{found.median:z,.{row.digits}f}", f"{found.worst:z,.{row.digits}f}"]


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
    outcome = result.nominal
    lines = [AS_LIVED.in_language(chosen), *_savings(result, outcome.saved_as_lived, chosen)]
    lines += [AT_EQUAL_COOLING.in_language(chosen), *_savings(result, outcome.saved_against, chosen)]
    tariff = outcome.terms.tariff
    if tariff is None:
        lines.append(_NO_TARIFF.in_language(chosen))
    elif tariff.carbon_factor is not None:
        source = "" if tariff.carbon_source is None else tariff.carbon_source.document
        lines.append(_CARBON.in_language(chosen).format(factor=tariff.carbon_factor, source=source))
    lines += _of_gas_and_water(outcome, chosen)
    lines += load_remarks(result.backtest, chosen)
    unpriced = max(each.unpriced for each in outcome.totals.values())
    if unpriced:
        lines.append(_UNPRICED.in_language(chosen).format(unpriced))
    if not result.is_complete:
        lines.append(_stopped(result, chosen))
    return lines


def _of_gas_and_water(outcome: Outcome, chosen: Language) -> Iterator[str]:
    """Nothing of what nobody uses, nor of money where there is no tariff."""
    terms = outcome.terms
    if terms.tariff is None:
        return
    for name, bought in (("gas", terms.gas), ("water", terms.water)):
        if not any(getattr(each, name) for each in outcome.totals.values()):
            continue
        if bought is None:
            yield _NOT_PRICED[name].in_language(chosen)
            continue
        price, source = bought.price
        yield _PRICED[name].in_language(chosen).format(price=price, currency=terms.tariff.currency, source=source)
        if isinstance(bought, Gas) and terms.tariff.carbon_factor is not None:
            yield _gas_carbon(bought, chosen)


def _gas_carbon(gas: Gas, chosen: Language) -> str:
    (heat, heat_source), (factor, source) = gas.heating_value, gas.carbon_factor
    return _GAS_CARBON.in_language(chosen).format(
        carbon=gas.carbon, factor=factor, source=source, heat=heat, heat_source=heat_source
    )


def _savings(result: Result, saved: Mapping[str, Mapping[str, Saving]], chosen: Language) -> list[str]:
    """Ours against each baseline, then the other baselines against the first. saved: by baseline and by side."""
    backtest = result.backtest
    first, *others = backtest.baselines
    pairs = [(side, reference) for side in backtest.ours for reference in backtest.baselines]
    pairs += [(side, first) for side in others]
    return [_saving(result, side, reference, saved[reference.name][side.name], chosen) for side, reference in pairs]


def _saving(result: Result, side: Side, reference: Side, found: Saving, chosen: Language) -> str:
    """A loss is called a cost, also where it stands beside something that is saved."""
    terms = result.nominal.terms
    tariff = terms.tariff
    told = [(found.energy, f"{abs(found.energy):,.0f} kWh")]
    if tariff is not None:
        before = money(result.nominal.totals[reference.name], terms)
        share = f" ({abs(found.money) / before:.1%})" if before else ""
        told.append((found.money, f"{abs(found.money):,.0f} {tariff.currency}{share}"))
    if found.carbon is not None:
        told.append((found.carbon, f"{abs(found.carbon):,.0f} kg CO2"))
    less = ", ".join(words for value, words in told if round(value) >= 0)
    more = ", ".join(words for value, words in told if round(value) < 0)
    words = (_SAVES_BUT if less and more else _SAVES if less else _COSTS).in_language(chosen)
    who, whom = side.title.in_language(chosen), reference.title.in_language(chosen)
    return words.format(who=who, what=less or more, more=more, whom=whom)


def _stopped(result: Result, chosen: Language) -> str:
    backtest = result.backtest
    return _STOPPED.in_language(chosen).format(
        days=result.nominal.days,
        asked=backtest.period.days,
        cases=sum(each.days == backtest.period.days for each in result.outcomes),
        all=len(backtest.cases),
    )
