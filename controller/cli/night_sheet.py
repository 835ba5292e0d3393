"""tidewatt night-sheet SITE: the page on the wall that tells the night shift how to have the plant back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_site
from controller.cli.output import write_file
from controller.cli.site_folder import load_site
from controller.cli.words import program
from controller.reports.night_sheet import Head, as_html
from controller.runtime.clock import RealClock


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "night-sheet",
        "one page for the wall: how the night shift has the plant back with the box unplugged (English and Chinese)",
        "tidewatt night-sheet config/sites/demo --html night-sheet.html",
    )
    add_site(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", required=True, help="write it as a page for A4")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    release = f"{program()} release {site.folder.resolve()}"
    write_file(arguments.html, as_html(site, Head(release, RealClock().now())))
    return Exit.OK
