"""tidewatt scenario FILE...: days of a simulated site with something in the way, and whether what must hold held."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from controller.cli.arguments import Exit, add_command, add_json, language
from controller.cli.backtest import as_data, print_tables
from controller.cli.backtest_cases import Result, result_of
from controller.cli.backtest_files import leave, prepare
from controller.cli.backtest_progress import DayProgress
from controller.cli.backtest_sides import live_all
from controller.cli.backtest_table import Table, remarks, tables
from controller.cli.interruption import interruption
from controller.cli.output import complain, print_json, say
from controller.cli.scenario_bounds import Judged, digits_of, judged, limit_of, name_of
from controller.cli.scenario_file import Scenario, read_scenarios
from controller.core.errors import EnvironmentProblem
from controller.core.text import Language, Text

_BOUNDS = Text("bounds", "约束")
_HEADINGS = (Text("", ""), Text("side", "控制方"), Text("", ""), Text("bound", "约束"), Text("held", "是否满足"))
_HELD, _BROKEN = Text("yes", "是"), Text("NO", "否")
_ALL_HELD = Text("All {count} bounds held.", "{count} 项约束全部满足。")
_SOME_BROKEN = Text(
    "{broken} of {count} bounds did NOT hold: {names}.", "{count} 项约束中有 {broken} 项未满足：{names}。"
)


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "scenario",
        "run scenarios against the simulated plant, and say whether their bounds held",
        "tidewatt scenario config/scenarios/chiller_trip.yaml --output results",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a scenario, like config/scenarios/*.yaml")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="leave result.json, plot.png and report.html of each there"
    )
    add_json(parser)
    parser.set_defaults(execute=execute)


class _Run(NamedTuple):
    scenario: Scenario
    result: Result
    judged: list[Judged]


def execute(arguments: argparse.Namespace) -> int:
    scenarios = read_scenarios(arguments.files)
    folder: Path | None = arguments.output
    if folder is not None:
        prepare(folder)
    runs = _run(scenarios)
    trouble: EnvironmentProblem | None = None
    for run in runs:
        if folder is not None:
            name, bounds = run.scenario.name, [_table(run, language())]
            trouble = leave(folder / name, run.result, _data(run), language(), bounds, run.scenario.title) or trouble
        if not arguments.json:
            _print(run, language())
    if arguments.json:
        print_json([_data(run) for run in runs])
    if trouble is not None:
        raise trouble
    if len(runs) < len(scenarios) or not all(run.result.is_complete for run in runs):
        complain(f"stopped: {sum(run.result.is_complete for run in runs)} of {len(scenarios)} scenarios are complete")
        return Exit.NOT_HELD
    found = [each for run in runs for each in run.judged]
    broken = sum(not each.holds for each in found)
    if not arguments.json:
        words = (_SOME_BROKEN if broken else _ALL_HELD).in_language(language())
        names = ", ".join(run.scenario.name for run in runs if not all(each.holds for each in run.judged))
        say(words.format(count=len(found), broken=broken, names=names))
    return Exit.NOT_HELD if broken else Exit.OK


def _run(scenarios: list[Scenario]) -> list[_Run]:
    """All days of all scenarios share the cores."""
    by_scenario = [scenario.backtest.tasks(None) for scenario in scenarios]
    tasks = [task for each in by_scenario for task in each]
    days = sum(task.period.days for task in tasks)
    with DayProgress(days) as progress, interruption() as is_asked_to_stop:
        together = max(len(scenario.backtest.sides) for scenario in scenarios)
        lived = live_all(tasks, progress, is_asked_to_stop, together=together)
    runs: list[_Run] = []
    begin = 0
    for scenario, its_tasks in zip(scenarios, by_scenario, strict=True):
        result = result_of(scenario.backtest, lived[begin : begin + len(its_tasks)])
        begin += len(its_tasks)
        if result is not None:
            runs.append(_Run(scenario, result, [judged(each, result) for each in scenario.bounds]))
    return runs


def _print(run: _Run, chosen: Language) -> None:
    say(f"{run.scenario.name}: {run.scenario.title.in_language(chosen)}")
    print_tables([*tables(run.result, chosen), _table(run, chosen)])
    for line in remarks(run.result, chosen):
        say(line)
    say()


def _table(run: _Run, chosen: Language) -> Table:
    tariff = run.result.backtest.site.tariff
    currency = "" if tariff is None else tariff.currency
    titles = {side.name: side.title.in_language(chosen) for side in run.result.backtest.sides}
    rows = [
        [
            name_of(each.bound, currency, chosen),
            titles[each.bound.side],
            f"{each.value:,.{digits_of(each.bound)}f}",
            limit_of(each, chosen),
            (_HELD if each.holds else _BROKEN).in_language(chosen),
        ]
        for each in run.judged
    ]
    broken = frozenset(number for number, each in enumerate(run.judged) if not each.holds)
    return Table(_BOUNDS.in_language(chosen), [each.in_language(chosen) for each in _HEADINGS], rows, broken)


def _data(run: _Run) -> dict[str, Any]:
    bounds = [
        {**each.bound._asdict(), "value": each.value, "limit": each.limit, "held": each.holds} for each in run.judged
    ]
    held = all(each.holds for each in run.judged)
    return {"scenario": run.scenario.name, "held": held, "bounds": bounds, **as_data(run.result)}
