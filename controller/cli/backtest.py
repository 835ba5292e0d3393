"""tidewatt backtest SITE --from --to: what the site's strategies would have brought, against its old controls and
against those of a competent contractor."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable

from controller.cli.arguments import Exit, add_command, add_json, add_site, duration, language
from controller.cli.backtest_basis import basis_data
from controller.cli.backtest_cases import Backtest, Outcome, Result, cases, run_backtest
from controller.cli.backtest_files import leave, prepare
from controller.cli.backtest_progress import DayProgress
from controller.cli.backtest_rows import reading, rows_of, saved, saved_rows_of, spread
from controller.cli.backtest_sides import SIDES, against
from controller.cli.backtest_table import AS_LIVED, AT_EQUAL_COOLING, Table, remarks, tables
from controller.cli.fault_file import read_faults
from controller.cli.interruption import interruption
from controller.cli.output import complain, print_json, say
from controller.cli.records_check import own_loads, refuse_missing_hours
from controller.cli.simulate import add_plant_records
from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Period, midnight
from controller.core.site import Site
from controller.core.utilities import Gas
from controller.settings.problems import Problems
from simulator.variation import NOMINAL, VARIED

SCAN_EVERY = timedelta(seconds=45)
"""Water and prices move slowly: from 15 s to 1 min a week's bill differs by 0.4 %.

No divisor of the minute, so that what comes with the minute is not always seen at the same second of it.
"""
_MOST_SEEDS = 1000
_GAP = 2  # between columns


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "backtest",
        "run the site's strategies against the simulated plant, beside its old controls and a competent contractor's",
        "tidewatt backtest config/sites/demo --from 2026-07-06 --to 2026-07-13 --seeds 5 --vary all --output results",
    )
    add_site(parser)
    parser.add_argument(
        "--from", dest="first", type=_day, required=True, metavar="DATE", help="first day, like 2026-07-06"
    )
    parser.add_argument("--to", dest="end", type=_day, required=True, metavar="DATE", help="the day after the last one")
    add_plant_records(parser)
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="a second strategies file, as one side more on the same days"
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="so many seeds, from --seed on (1)")
    parser.add_argument(
        "--vary",
        type=_varied,
        default=(),
        metavar="WHAT",
        help="also with load and traffic ±30 %%, tank ±50 %%, one at a time: load,traffic,tank or all",
    )
    parser.add_argument(
        "--scan", type=duration, default=SCAN_EVERY, metavar="TIME", help="pace of polls and scans (45s); 1s is slow"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="leave result.json, plot.png and report.html there"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep checkpoints of each side; the same command goes on from there",
    )
    add_json(parser)
    parser.set_defaults(execute=execute, refuse=parser.error)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date; write 2026-07-06") from None


def _varied(text: str) -> tuple[str, ...]:
    names = tuple(VARIED) if text == "all" else tuple(text.split(","))
    for name in names:
        if name not in VARIED:
            raise argparse.ArgumentTypeError(f"{name!r} cannot be varied; write {', '.join(VARIED)} or all")
    return names


def execute(arguments: argparse.Namespace) -> int:
    backtest = _asked(arguments)
    folder: Path | None = arguments.output
    for each in (folder, arguments.keep):
        if each is not None:
            prepare(each)
    with DayProgress(len(backtest.tasks(None)) * backtest.period.days) as progress, interruption() as is_asked_to_stop:
        result = run_backtest(backtest, arguments.keep, progress, is_asked_to_stop)
    if result is None:
        complain("stopped before a day was over on every side; there is nothing to compare")
        return Exit.OK
    data = as_data(result)
    trouble = result.trouble if folder is None else leave(folder, result, data, language()) or result.trouble
    if arguments.json:
        print_json(data)
    else:
        print_tables(tables(result, language()))
        for line in remarks(result, language()):
            say(line)
    if trouble is not None:
        raise trouble
    if not result.is_complete and arguments.keep is not None:
        complain(f"stopped; the same command goes on from the last midnight in {arguments.keep}")
    return Exit.OK


def _asked(arguments: argparse.Namespace) -> Backtest:
    period = Period(arguments.first, arguments.end, arguments.scan, arguments.seed, arguments.weather, arguments.load)
    if period.days < 1:
        arguments.refuse(f"--to {period.end} is not after --from {period.first}; it is the day after the last one")
    if not timedelta(seconds=1) <= period.scan_every <= timedelta(minutes=1):
        arguments.refuse("--scan must be from 1s to 1min")
    if not 1 <= arguments.seeds <= _MOST_SEEDS:
        arguments.refuse(f"--seeds must be from 1 to {_MOST_SEEDS}")
    site = load_site(arguments.site)
    sides = list(SIDES)
    site_with: dict[Path, Site] = {}
    if arguments.against is not None:
        sides.append(against(arguments.against))
        site_with[arguments.against] = load_site(arguments.site, arguments.against)
    beginning = midnight(site, period.first)
    faults = tuple(read_faults(arguments.faults, site, beginning, has_time_on_wire=True))
    problems = Problems()
    if arguments.weather is not None:
        refuse_missing_hours(arguments.weather, site, period, problems)
    loads = () if arguments.load is None else own_loads(arguments.load, NOMINAL, problems)
    problems.raise_if_any()
    given = cases(arguments.seed, arguments.seeds, arguments.vary)
    return Backtest(site, replace(period, faults=faults), sides, given, site_with, loads)


# --- what is told -----------------------------------------------------------------------------------------------------


def as_data(result: Result) -> dict[str, Any]:
    """totals, days and what is saved: of the first case, the site as it is; cases: all of them; spread: over them.
    saved: against the old controls; saved_against: by baseline. meaning: of what is saved, in words."""
    site, period = result.backtest.site, result.backtest.period
    nominal, ours = result.nominal, result.backtest.ours[0].name
    dates = [(period.first + timedelta(days=number)).isoformat() for number in range(nominal.days)]
    tariff = site.tariff
    return {
        "site": site.name,
        "configuration": site.digest,
        "from": period.first.isoformat(),
        "to": period.end.isoformat(),
        "complete": result.is_complete,
        "seed": period.seed,
        "scan_s": period.scan_every.total_seconds(),
        "basis": basis_data(result.backtest),
        "currency": None if tariff is None else tariff.currency,
        "carbon_kg_per_kwh": None if tariff is None else tariff.carbon_factor,
        "gas": None if site.gas is None else _gas(site.gas),
        "water": None if site.water is None else {"price": site.water.price.value, "source": site.water.price.source},
        "sides": [side.name for side in result.backtest.sides],
        "totals": {side: asdict(each) for side, each in nominal.totals.items()},
        "days": {
            side: [{"date": day, **asdict(each)} for day, each in zip(dates, lived.figures, strict=True)]
            for side, lived in nominal.lived.items()
        },
        "saved": asdict(nominal.saved[ours]),
        "saved_against": {reference: asdict(by[ours]) for reference, by in nominal.saved_against.items()},
        "saved_as_lived": {reference: asdict(by[ours]) for reference, by in nominal.saved_as_lived.items()},
        "meaning": {
            "saved_against": {"en": AT_EQUAL_COOLING.en.rstrip(":"), "zh": AT_EQUAL_COOLING.zh.rstrip("：")},
            "saved_as_lived": {"en": AS_LIVED.en.rstrip(":"), "zh": AS_LIVED.zh.rstrip("：")},
        },
        "demand_charges": dict(nominal.demand_charges),
        "cases": [_case(result, each) for each in result.outcomes],
        "spread": _spread(result),
    }


def _gas(gas: Gas) -> dict[str, Any]:
    return {
        "price": gas.price.value,
        "source": gas.price.source,
        "mj_per_m3": gas.heating_value.value,
        "mj_source": gas.heating_value.source,
        "carbon_kg_per_gj": gas.carbon_factor.value,
        "carbon_source": gas.carbon_factor.source,
        "carbon_kg_per_m3": gas.carbon,
    }


def _case(result: Result, outcome: Outcome) -> dict[str, Any]:
    return {
        "seed": outcome.case.seed,
        **asdict(outcome.case.variation),
        "days": outcome.days,
        "sides": {
            side.name: {row.field: reading(row, outcome, side.name) for row in rows_of(result)}
            for side in result.backtest.sides
        },
        "saved": {side: asdict(each) for side, each in outcome.saved.items()},
        "saved_against": {
            reference: {side: asdict(each) for side, each in by.items()}
            for reference, by in outcome.saved_against.items()
        },
        "saved_as_lived": {
            reference: {side: asdict(each) for side, each in by.items()}
            for reference, by in outcome.saved_as_lived.items()
        },
    }


def _spread(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for side in result.backtest.sides:
        found[side.name] = {
            row.field: spread(row, [reading(row, each, side.name) for each in result.outcomes])._asdict()
            for row in rows_of(result)
        }
    first = result.backtest.sides[0]
    for reference in result.backtest.baselines:
        for side in result.backtest.later_than(reference):
            told = _saved_spread(result, side.name, reference.name)
            found[side.name].setdefault("saved_against", {})[reference.name] = told
            if reference is first:
                found[side.name]["saved"] = told
    return found


def _saved_spread(result: Result, side: str, reference: str) -> dict[str, Any]:
    return {
        row.field: spread(row, [saved(row, each, side, reference) for each in result.outcomes])._asdict()
        for row in saved_rows_of(result)
    }


def print_tables(found: list[Table]) -> None:
    """As wide as they are, whatever they are printed to."""
    console = Console(highlight=False)
    for each in found:
        columns = zip(each.headings, *each.rows, strict=True)
        needed = sum(max(map(cell_len, column)) + _GAP for column in columns)
        console.width = max(console.width, needed, cell_len(each.title))
        table = RichTable(title=each.title, title_justify="left", box=None, padding=(0, _GAP, 0, 0))
        for number, name in enumerate(each.headings):
            table.add_column(name, justify="left" if number == 0 else "right", no_wrap=True)
        for number, row in enumerate(each.rows):
            style = "bold red" if number in each.broken else None
            table.add_row(*(cell.replace("[", r"\[") for cell in row), style=style)
        console.print(table)
        console.print()
