"""tidewatt backtest SITE --from --to: what the site's strategies would have brought, against its old controls."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from controller.cli.arguments import Exit, add_command, add_json, add_site, duration, language
from controller.cli.backtest_sides import Days, Side, both_sides
from controller.cli.fault_file import read_faults
from controller.cli.output import print_json, say
from controller.cli.simulate import add_plant_records
from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Period, midnight
from controller.core.site import Site
from controller.core.text import Language, Text
from simulator.kpi import Figures, Saving, saving, valley_price

SCAN_EVERY = timedelta(seconds=45)
"""Water and prices move slowly: from 15 s to 1 min a week's bill differs by 0.4 %.

No divisor of the minute, so that what comes with the minute is not always seen at the same second of it.
"""


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "backtest",
        "run the site's strategies against the simulated plant, and its old controls beside them",
        "tidewatt backtest config/sites/demo --from 2026-07-06 --to 2026-07-13",
    )
    add_site(parser)
    parser.add_argument(
        "--from", dest="first", type=_day, required=True, metavar="DATE", help="first day, like 2026-07-06"
    )
    parser.add_argument("--to", dest="end", type=_day, required=True, metavar="DATE", help="the day after the last one")
    add_plant_records(parser)
    parser.add_argument(
        "--scan", type=duration, default=SCAN_EVERY, metavar="TIME", help="pace of polls and scans (45s); 1s is slow"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep a checkpoint of each side at every midnight; the same command goes on from there",
    )
    add_json(parser)
    parser.set_defaults(execute=execute, refuse=parser.error)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date; write 2026-07-06") from None


def execute(arguments: argparse.Namespace) -> int:
    period = Period(arguments.first, arguments.end, arguments.scan, arguments.seed, arguments.weather, arguments.load)
    if period.days < 1:
        arguments.refuse(f"--to {period.end} is not after --from {period.first}; it is the day after the last one")
    if not timedelta(seconds=1) <= period.scan_every <= timedelta(minutes=1):
        arguments.refuse("--scan must be from 1s to 1min")
    site = load_site(arguments.site)
    beginning = midnight(site, period.first)
    faults = tuple(read_faults(arguments.faults, site, beginning, has_time_on_wire=True))
    period = replace(period, faults=faults)
    try:
        days = both_sides(arguments.site, period, arguments.keep, _Progress(period.days))
    except KeyboardInterrupt:
        if arguments.keep is not None:
            say(f"interrupted; the same command goes on from the last midnight in {arguments.keep}")
        raise
    result = compare(site, period, days)
    if arguments.json:
        print_json(as_data(site, period, result))
    else:
        _print(site, period, result, language())
    return Exit.OK


class _Progress:
    """A line that is written over, where somebody watches."""

    def __init__(self, days: int) -> None:
        self._days = days
        self._is_watched = sys.stderr.isatty()

    def __call__(self, behind: Mapping[Side, int]) -> None:
        if not self._is_watched:
            return
        shown = "   ".join(f"{side} {count}/{self._days}" for side, count in behind.items())
        is_over = all(count == self._days for count in behind.values())
        sys.stderr.write("\r" + " " * 60 + "\r" if is_over else f"\r{shown} ")
        sys.stderr.flush()


# --- the figures ------------------------------------------------------------------------------------------------------


class Result(NamedTuple):
    """Totals and days by side, and what the strategies saved."""

    totals: Mapping[Side, Figures]
    days: Mapping[Side, Days]
    saved: Saving


def compare(site: Site, period: Period, days: Mapping[Side, Days]) -> Result:
    totals = {side: total(each) for side, each in days.items()}
    last = datetime.combine(period.end - timedelta(days=1), time(12), site.zone)
    price = valley_price(site.tariff, last)
    saved = saving(totals[Side.TIDEWATT], totals[Side.ORIGINAL], site.tariff, price)
    return Result(totals, days, saved)


def total(days: Days) -> Figures:
    """Sums, but the greatest of the peaks."""
    sums: dict[str, Any] = {
        each.name: sum(getattr(day, each.name) for day in days) for each in fields(Figures) if each.name != "peak"
    }
    return Figures(**sums, peak=max(day.peak for day in days))


def as_data(site: Site, period: Period, result: Result) -> dict[str, Any]:
    dates = [(period.first + timedelta(days=number)).isoformat() for number in range(period.days)]
    return {
        "site": site.name,
        "configuration": site.digest,
        "from": period.first.isoformat(),
        "to": period.end.isoformat(),
        "seed": period.seed,
        "scan_s": period.scan_every.total_seconds(),
        "currency": None if site.tariff is None else site.tariff.currency,
        "totals": {side.value: asdict(each) for side, each in result.totals.items()},
        "days": {
            side.value: [{"date": day, **asdict(each)} for day, each in zip(dates, days, strict=True)]
            for side, days in result.days.items()
        },
        "saved": asdict(result.saved),
    }


# --- the table --------------------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    name: Text
    field: str
    unit: str
    digits: int = 0


_ROWS = (
    _Row(Text("electricity, whole site", "全站用电"), "energy", "kWh"),
    _Row(Text("electricity, cooling plant", "冷站用电"), "plant_energy", "kWh"),
    _Row(Text("energy charge, whole site", "全站电量电费"), "money", "{currency}"),
    _Row(Text("energy charge, cooling plant", "冷站电量电费"), "plant_money", "{currency}"),
    _Row(Text("greatest quarter-hour demand", "最大 15 分钟需量"), "peak", "kW", 1),
    _Row(Text("cooling delivered", "供冷量"), "cooling", "kWh"),
    _Row(Text("electricity for a kWh of cold", "单位冷量电耗"), "specific_energy", "kWh/kWh", 3),
    _Row(Text("cold added to the tank", "蓄冷水箱净增冷量"), "stored", "kWh"),
    _Row(Text("too warm (above 26 °C)", "未满足供冷（高于 26 °C）"), "unmet_cooling", "K·h", 1),
    _Row(Text("too dark (garage, below 30 lx)", "照度不足（车库低于 30 lx）"), "light_shortfall", "lx·h", 1),
    _Row(Text("starts of the chiller", "冷机启动次数"), "starts", ""),
)
# The table's own, whatever it is printed to.
_WIDTH = 100
_TITLE = Text("{site}, {first} to {last}", "{site}，{first} 至 {last}")
_HEADINGS = (
    Text("", ""),
    Text("original", "原控制"),
    Text("Tidewatt", "Tidewatt"),
    Text("difference", "差值"),
    Text("", ""),
)
_SAVED = Text(
    "At equal cooling, with the tank's cold credited at the valley price, the strategies save",
    "按同等供冷量、水箱内冷量按谷价折算，策略节省",
)
_COSTS = Text(
    "At equal cooling, with the tank's cold credited at the valley price, the strategies COST",
    "按同等供冷量、水箱内冷量按谷价折算，策略多花",
)
_NO_TARIFF = Text("The site has no tariff: money is not counted.", "现场未配置电价：不计电费。")
_UNPRICED = Text("{:.0f} kWh fell on times without a price.", "{:.0f} kWh 落在无电价时段。")


def _print(site: Site, period: Period, result: Result, chosen: Language) -> None:
    last = period.end - timedelta(days=1)
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    table = Table(
        title=_TITLE.in_language(chosen).format(site=site.name, first=period.first, last=last),
        title_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading.in_language(chosen), justify="left" if number == 0 else "right", no_wrap=True)
    for row in _ROWS:
        if site.tariff is None and "money" in row.field:
            continue
        table.add_row(*_cells(row, result, "" if site.tariff is None else site.tariff.currency, chosen))
    console.print(table)
    console.print()
    for line in _remarks(site, result, chosen):
        console.print(line, soft_wrap=True)


def _cells(row: _Row, result: Result, currency: str, chosen: Language) -> list[str]:
    before = getattr(result.totals[Side.ORIGINAL], row.field)
    after = getattr(result.totals[Side.TIDEWATT], row.field)
    unit = row.unit.format(currency=currency)
    name = row.name.in_language(chosen)
    share = f"{(after - before) / before:+.1%}" if before and row.field != "stored" else ""
    return [
        f"{name} [{unit}]".replace("[", r"\[") if unit else name,
        f"{before:,.{row.digits}f}",
        f"{after:,.{row.digits}f}",
        f"{after - before:+,.{row.digits}f}",
        share,
    ]


def _remarks(site: Site, result: Result, chosen: Language) -> list[str]:
    saved, tariff = result.saved, site.tariff
    measure = saved.energy if tariff is None else saved.money
    parts = [f"{abs(saved.energy):,.0f} kWh" if measure * saved.energy >= 0 else f"{-abs(saved.energy):,.0f} kWh"]
    if tariff is not None:
        before = result.totals[Side.ORIGINAL].money
        share = f" ({abs(saved.money) / before:.1%})" if before else ""
        parts.append(f"{abs(saved.money):,.0f} {tariff.currency}{share}")
    if saved.carbon is not None:
        sign = 1.0 if measure * saved.carbon >= 0 else -1.0
        parts.append(f"{sign * abs(saved.carbon):,.0f} kg CO2")
    lines = [f"{(_SAVED if measure >= 0 else _COSTS).in_language(chosen)} {', '.join(parts)}."]
    if tariff is None:
        lines.append(_NO_TARIFF.in_language(chosen))
    unpriced = result.totals[Side.TIDEWATT].unpriced
    if unpriced:
        lines.append(_UNPRICED.in_language(chosen).format(unpriced))
    return lines
