"""tidewatt retry SITE NAME: let a strategy, a link or a machine that was given up try again."""

from __future__ import annotations

import argparse
from typing import Any

from controller.cli.arguments import Exit, add_command, add_site, add_who, who_of
from controller.cli.client import ask
from controller.cli.output import say


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "retry",
        "let a strategy that its faults switched off, a link that refused us, or a machine that trips, try again",
        "tidewatt retry config/sites/demo garage",
    )
    add_site(parser)
    parser.add_argument("name", metavar="NAME", help="the id of a strategy, of a link or of equipment")
    add_who(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    answer = ask(arguments.site, "retry", name=arguments.name, who=who_of(arguments))
    say(f"{answer['retried']}: tries again now")
    return Exit.OK
