"""tidewatt boptest SITE: run a BOPTEST test case with the site's strategies, and under its own controls beside them."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from controller.cli.arguments import Exit, add_command, add_json, add_site, duration, language
from controller.cli.boptest_sides import KPIs, Outcome, run_side, stepped_link
from controller.cli.output import complain, print_json, say
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.ledger import Verdict
from controller.core.site import Site
from controller.core.system import Authority
from controller.core.text import Language, Text
from drivers.boptest.running import Plan

RESULTS = "results.json"
_SCENARIO_DAYS = 14
_DAYS_OF_A_YEAR = 365
_PRICES = ("constant", "dynamic", "highly_dynamic")


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "boptest",
        "run a BOPTEST test case with the site's strategies, and its own controls beside them",
        "tidewatt boptest my-case --scenario peak_heat_day --price dynamic --output results",
    )
    add_site(parser)
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--scenario", default="", metavar="PERIOD", help="a time period of the case, like peak_heat_day")
    when.add_argument(
        "--start", type=int, default=0, metavar="DAY", help="begin with this day of the case's year (0 is 1 January)"
    )
    parser.add_argument("--days", type=int, metavar="N", help="how long (14 with --scenario, else 7)")
    parser.add_argument(
        "--warmup", type=duration, default=timedelta(days=1), metavar="TIME", help="under its own controls before (1d)"
    )
    parser.add_argument("--price", default="", choices=_PRICES, help="which electricity price costs are counted with")
    parser.add_argument("--only", choices=[each.value for each in _SIDES], help="one side instead of both")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help=f"keep {RESULTS} and every step of each side there"
    )
    add_json(parser)
    parser.set_defaults(execute=execute, refuse=parser.error)


_SIDES = (Authority.ORIGINAL, Authority.TIDEWATT)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    stepped_link(site)
    days = _days(arguments)
    plan = Plan(arguments.scenario, arguments.price, arguments.start * 86400.0, arguments.warmup)
    sides = [each for each in _SIDES if arguments.only in (None, each.value)]
    folder: Path | None = arguments.output
    if folder is not None:
        _prepare(folder)
    with _only_errors_logged():
        outcomes = _run(site, plan, days, sides, folder)
    data = as_data(site, plan, days, outcomes)
    if arguments.json:
        print_json(data)
    else:
        _print(site, outcomes, language())
    if trouble := outcomes[-1].trouble:
        _complain(outcomes[-1], trouble, folder)
        return Exit.ENVIRONMENT
    return Exit.OK


@contextmanager
def _only_errors_logged() -> Generator[None]:
    """A week tells a year's worth of news."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        root.setLevel(level)


def _run(site: Site, plan: Plan, days: int, sides: Sequence[Authority], folder: Path | None) -> list[Outcome]:
    """One side after the other, kept as they go; without the rest where one is in trouble."""
    outcomes: list[Outcome] = []
    for side in sides:

        def keep(outcome: Outcome) -> None:
            _tell_progress(outcome, days)
            if folder is not None:
                _save(folder, as_data(site, plan, days, [*outcomes, outcome]))

        outcomes.append(run_side(site, plan, days, side, folder, keep))
        if folder is not None:
            _save(folder, as_data(site, plan, days, outcomes))
        if outcomes[-1].trouble:
            break
    return outcomes


def _days(arguments: argparse.Namespace) -> int:
    days: int = arguments.days or (_SCENARIO_DAYS if arguments.scenario else 7)
    if arguments.days is not None and arguments.days < 1:
        arguments.refuse("--days must be at least 1")
    if arguments.scenario and days > _SCENARIO_DAYS:
        arguments.refuse(f"a scenario's period has {_SCENARIO_DAYS} days; give --days {_SCENARIO_DAYS} or fewer")
    if not 0 <= arguments.start <= _DAYS_OF_A_YEAR - days and not arguments.scenario:
        last = _DAYS_OF_A_YEAR - days
        arguments.refuse(f"a case has one year: {days} days can begin with day 0 to {last}, not {arguments.start}")
    return days


# --- what is kept -----------------------------------------------------------------------------------------------------


def as_data(site: Site, plan: Plan, days: int, outcomes: list[Outcome]) -> dict[str, Any]:
    first = outcomes[0]
    return {
        "site": site.name,
        "configuration": site.digest,
        "test_case": first.test_case,
        "boptest": first.version,
        "scenario": {"time_period": plan.scenario or None, "electricity_price": plan.price or None},
        "start_s": first.start,
        "warmup_s": None if plan.scenario else plan.warmup.total_seconds(),
        "days": days,
        "step_s": stepped_link(site).connection.step.total_seconds(),
        "sides": {each.authority.value: _side(each) for each in outcomes},
    }


def _side(outcome: Outcome) -> dict[str, Any]:
    return {
        "complete": outcome.is_complete,
        "trouble": outcome.trouble or None,
        "kpis": outcome.figures[-1].kpis if outcome.figures else None,
        "verdicts": {point: each._asdict() for point, each in outcome.verdicts.items()},
        "by_day": [asdict(each) for each in outcome.figures],
    }


def _prepare(folder: Path) -> None:
    """Raises EnvironmentProblem where nothing can be kept there, before hours are spent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{RESULTS}.new"
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        raise EnvironmentProblem(f"nothing can be written into {folder}: {error.strerror}; name another") from error


def _save(folder: Path, data: dict[str, Any]) -> None:
    """Replaced as a whole: an interruption leaves what was there."""
    fresh = folder / f"{RESULTS}.new"
    try:
        fresh.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        fresh.replace(folder / RESULTS)
    except OSError as error:
        raise EnvironmentProblem(f"{folder / RESULTS} cannot be written: {error.strerror}") from error


# --- what is told -----------------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    kpi: str
    name: Text
    unit: str


# The core KPIs, after the project's documentation; a case that has others shows them by their own names.
_ROWS = (
    _Row("ener_tot", Text("energy", "能耗"), "kWh/m2"),
    _Row("cost_tot", Text("cost", "费用"), "$ or €/m2"),
    _Row("emis_tot", Text("CO2 emissions", "CO2 排放"), "kg/m2"),
    _Row("tdis_tot", Text("thermal discomfort", "热不舒适度"), "K·h/zone"),
    _Row("idis_tot", Text("indoor air quality discomfort", "空气品质不舒适度"), "ppm·h/zone"),
    _Row("pele_tot", Text("peak electric power", "最大电功率"), "kW/m2"),
    _Row("pgas_tot", Text("peak gas power", "最大燃气功率"), "kW/m2"),
    _Row("pdih_tot", Text("peak district heating power", "最大区域供热功率"), "kW/m2"),
    _Row("time_rat", Text("computing time ratio", "计算时间比"), "s/s"),
)
_TITLE = Text("{case}, day {start:g} to {end:g} of its year", "{case}，全年第 {start:g} 天至第 {end:g} 天")
_HEADINGS = {
    Authority.ORIGINAL: Text("original", "原控制"),
    Authority.TIDEWATT: Text("Tidewatt", "Tidewatt"),
}
_STOPPED = Text(
    "stopped: {side} side after {days:.1f} of {whole:g} days: {trouble}",
    "已停止：{side}一侧，第 {days:.1f} 天（共 {whole:g} 天）：{trouble}",
)
_NOT_OBEYED = Text(
    "{point}: {verdict}: written {written}, the case shows {read}",
    "{point}：{verdict}：写入 {written}，案例显示 {read}",
)
_KEPT = Text("results so far: {}", "现有结果：{}")
_WIDTH = 100


def _complain(outcome: Outcome, trouble: str, folder: Path | None) -> None:
    behind = (outcome.figures[-1].time - outcome.start) / 86400.0 if outcome.figures else 0.0
    side = _HEADINGS[outcome.authority].in_language(language())
    whole = (outcome.end - outcome.start) / 86400.0
    words = _STOPPED.in_language(language())
    complain(words.format(side=side, days=behind, whole=whole, trouble=trouble))
    if folder is not None:
        complain(_KEPT.in_language(language()).format(folder / RESULTS))


def _tell_progress(outcome: Outcome, days: int) -> None:
    """A line that is written over, where somebody watches."""
    if not sys.stderr.isatty():
        return
    is_over = outcome.is_complete or bool(outcome.trouble)
    shown = f"\r{outcome.authority.value} {len(outcome.figures)}/{days} "
    sys.stderr.write("\r" + " " * 60 + "\r" if is_over else shown)
    sys.stderr.flush()


def _print(site: Site, outcomes: list[Outcome], chosen: Language) -> None:
    first = outcomes[0]
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    start, end = first.start / 86400.0, first.end / 86400.0
    console.print(_TITLE.in_language(chosen).format(case=first.test_case or site.name, start=start, end=end))
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for outcome in outcomes:
        table.add_column(_HEADINGS[outcome.authority].in_language(chosen), justify="right", no_wrap=True)
    if len(outcomes) == len(_SIDES):
        table.add_column(Text("difference", "差值").in_language(chosen), justify="right", no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    found = [outcome.figures[-1].kpis if outcome.figures else {} for outcome in outcomes]
    for row in _rows(found):
        table.add_row(*_cells(row, [kpis.get(row.kpi) for kpis in found], chosen))
    console.print(table)
    for outcome in outcomes:
        for point, judged in outcome.verdicts.items():
            if judged.verdict != Verdict.OWNED:
                say(_NOT_OBEYED.in_language(chosen).format(point=point, **judged._asdict()))


def _rows(found: list[KPIs]) -> list[_Row]:
    there = [name for kpis in found for name, value in kpis.items() if value is not None]
    known = {row.kpi for row in _ROWS}
    own = [_Row(name, Text(name, name), "") for name in dict.fromkeys(there) if name not in known]
    return [*(row for row in _ROWS if row.kpi in there), *own]


def _cells(row: _Row, values: list[float | None], chosen: Language) -> list[str]:
    unit = f" [{row.unit}]".replace("[", r"\[") if row.unit else ""
    cells = [f"{row.name.in_language(chosen)}{unit}", *("" if each is None else f"{each:.4g}" for each in values)]
    if len(values) < len(_SIDES):
        return cells
    before, after = values
    if before is None or after is None:
        return [*cells, "", ""]
    return [*cells, f"{after - before:+.4g}", f"{(after - before) / before:+.1%}" if before else ""]
