"""tidewatt commission SITE sheet|record|silence: what is to be tested before Tidewatt may have a site."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from controller.cli import silence
from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.client import DaemonNotRunning, ask
from controller.cli.output import print_json, say, write_file
from controller.cli.site_folder import load_site
from controller.core.commissioning import AmbiguousItem, Result, Standing, Status, item_called, missing
from controller.core.errors import EnvironmentProblem
from controller.core.event import Event, EventKind
from controller.core.site import Site
from controller.core.text import Text
from controller.historian.sqlite import SqliteHistorian
from controller.reports.commissioning_sheet import COLUMNS, Head, as_csv, as_html, counted, row
from controller.runtime.clock import RealClock
from controller.runtime.commissioning import Commissioning, body_of
from controller.runtime.commissioning_records import FILE
from controller.runtime.site_lock import site_lock


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "commission",
        "the check sheet of a site: what is to be tested, who tested it, what was found",
        "tidewatt commission config/sites/demo sheet --html sheet.html",
    )
    add_site(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="sheet|record|silence")
    _register_sheet(actions)
    _register_recording(actions)
    silence.register(actions)


def _register_sheet(actions: Any) -> None:
    parser = add_command(
        actions,
        "sheet",
        "show every test and how it stands; as a table, as CSV, as a page to print and sign",
        "tidewatt commission config/sites/demo sheet --system garage --html garage.html",
    )
    parser.add_argument("--system", metavar="SYSTEM", help="only what this system requires")
    parser.add_argument("--open", action="store_true", help="only what has not passed")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write it as CSV (for Excel, too)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as a page for A4 landscape")
    add_json(parser)
    parser.set_defaults(execute=_sheet)


def _register_recording(actions: Any) -> None:
    parser = add_command(
        actions,
        "record",
        "record what was found, in the site's commissioning.csv and in history",
        "tidewatt commission config/sites/demo record garage.group_1.illuminance passed"
        ' --who "Li Na" --measured "52 lx" --note "lux meter 4711"',
    )
    parser.add_argument("item", metavar="ITEM", help="a point with one open test, or POINT:TEST as in the sheet")
    parser.add_argument("result", choices=[each.value for each in Result])
    parser.add_argument("--who", required=True, metavar="NAME", help="who tested it")
    parser.add_argument("--measured", default="", metavar="VALUE", help="what the reference instrument showed")
    parser.add_argument("--note", default="", help="anything worth keeping")
    parser.set_defaults(execute=_record)


# --- the sheet --------------------------------------------------------------------------------------------------------

_WIDTH = 150


def _sheet(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    whole = _of_system(site, Commissioning(site).standings(), arguments.system)
    standings = [each for each in whole if not (arguments.open and each.status is Status.PASSED)]
    chosen = language()
    if arguments.csv is not None:
        write_file(arguments.csv, as_csv(standings, site.zone, chosen))
    if arguments.html is not None:
        head = Head(site.name, site.digest, site.zone, RealClock().now())
        write_file(arguments.html, as_html(head, standings, chosen))
    if arguments.json:
        print_json([_as_data(each) for each in standings])
    elif arguments.csv is None and arguments.html is None:
        _print(site, standings, whole)
    return Exit.OK


def _of_system(site: Site, standings: list[Standing], system: str | None) -> list[Standing]:
    systems = [each.id for each in site.systems]
    if system is not None and system not in systems:
        raise EnvironmentProblem(f"there is no system {system}; there are {', '.join(systems)}")
    return [each for each in standings if system is None or system in each.item.required_by]


def _as_data(standing: Standing) -> dict[str, Any]:
    item, record = standing.item, standing.record
    return {
        "item": item.id,
        "kind": item.kind.value,
        "subject": item.subject,
        "required_by": sorted(item.required_by),
        "test": {"en": item.test.en, "zh": item.test.zh},
        "status": standing.status.value,
        "configuration": item.configuration,
        "record": None if record is None else {"time": record.at.isoformat(), **body_of(record)},
    }


def _print(site: Site, standings: Sequence[Standing], whole: Sequence[Standing]) -> None:
    chosen = language()
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console.width = _WIDTH
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in COLUMNS:
        table.add_column(column.in_language(chosen), overflow="fold")
    for each in standings:
        table.add_row(*(cell.replace("[", r"\[") for cell in row(each, site.zone, chosen)))
    console.print(table)
    console.print(counted(whole, chosen))


def still_open(site: Site) -> list[Text]:
    """How far each system that needs tests has come, for `check`; nothing of what may prove to be a simulator."""
    commissioning = Commissioning(site)
    standings = commissioning.standings()
    told: list[Text] = []
    for system in site.systems:
        if commissioning.may_prove(system.id):
            continue
        required = sum(system.id in each.item.required_by for each in standings)
        lacking = len(missing(standings, system.id))
        told.append(
            Text(
                f"system {system.id}: {required - lacking} of {required} required tests have passed, {lacking} have not"
                + ("" if lacking else "; Tidewatt may have it"),
                f"系统 {system.id}：必测 {required} 项，通过 {required - lacking} 项，尚缺 {lacking} 项"
                + ("" if lacking else "；可交由本控"),
            )
        )
    return told


# --- a record ---------------------------------------------------------------------------------------------------------


def _record(arguments: argparse.Namespace) -> int:
    found = {name: getattr(arguments, name) for name in ("item", "result", "who", "measured", "note")}
    try:
        recorded = ask(arguments.site, "record", **found)
    except DaemonNotRunning:
        recorded = asyncio.run(_record_by_ourselves(load_site(arguments.site), found))
    say(f"{recorded['item']}: {recorded['result']}, recorded in {arguments.site / FILE}")
    return Exit.OK


async def _record_by_ourselves(site: Site, found: dict[str, str]) -> dict[str, Any]:
    """No daemon runs: the same file, the same event."""
    commissioning = Commissioning(site)
    try:
        item = item_called(found["item"], commissioning.standings())
    except AmbiguousItem as error:
        raise EnvironmentProblem(str(error)) from error
    with site_lock(site.folder / "state"):
        clock = RealClock()
        historian = SqliteHistorian(site.folder / "state" / "history.db", clock)
        try:
            record = commissioning.record(
                item, Result(found["result"]), found["who"], found["measured"], found["note"], clock.now()
            )
            body = {**body_of(record), "configuration": site.digest}
            await historian.append_events([Event(clock.now(), EventKind.COMMISSIONING, item.subject, body)])
        finally:
            await historian.close()
    return body_of(record)
