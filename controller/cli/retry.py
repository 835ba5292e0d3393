"""tidewatt retry SITE NAME: let a strategy or link that has given up try again at once."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from controller.cli.arguments import Exit, add_command, add_site
from controller.cli.client import ask
from controller.cli.output import say


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "retry",
        "let a strategy that its faults switched off, or a link that refused us, try again at once",
        "tidewatt retry config/sites/demo garage_lighting",
    )
    add_site(parser)
    parser.add_argument("name", metavar="NAME", help="the id of a strategy or of a link")
    parser.add_argument("--who", default=None, help="your name in the record (default: the login name)")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    answer = ask(arguments.site, "retry", name=arguments.name, who=arguments.who or getpass.getuser())
    say(f"{answer['retried']}: tries again now")
    return Exit.OK
