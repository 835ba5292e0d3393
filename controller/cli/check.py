"""tidewatt check SITE: every problem of the configuration at once."""

from __future__ import annotations

import argparse
from typing import Any

from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.commission import still_open
from controller.cli.output import complain, print_json, say
from controller.cli.site_folder import load_site
from controller.cli.words import counted
from controller.core.errors import ConfigError, Problem
from controller.core.site import Site
from controller.core.tariff_end import end_words
from controller.runtime.clock import RealClock
from controller.sunclock.places import read_places


def register(commands: Any) -> None:
    parser = add_command(
        commands, "check", "check a site's files without touching any device", "tidewatt check config/sites/demo"
    )
    add_site(parser)
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    try:
        site = load_site(arguments.site)
        warnings = _warnings_of_places(site)
    except ConfigError as error:
        if not arguments.json:
            raise
        print_json(
            [
                {"file": str(each.file), "line": each.line, "wrong": each.wrong, "right": each.right}
                for each in error.problems
            ]
        )
        return Exit.CONFIGURATION
    today = RealClock().now().astimezone(site.zone).date()
    for problem in warnings:
        complain(f"warning: {problem}")
    ending = None if site.tariff is None else end_words(site.tariff, today)
    if ending is not None:
        complain(f"warning: {ending.in_language(language())}")
    if arguments.json:
        print_json([])
        return Exit.OK
    writable = sum(point.writable is not None for point in site.points.values())
    say(
        f"{site.name}: no problems. {counted(len(site.links), 'link')}, {counted(len(site.points), 'point')} "
        f"({writable} writable), {counted(len(site.systems), 'system')}, {counted(len(site.mounts), 'strategy')}; "
        f"configuration {site.digest}"
    )
    for line in still_open(site):
        say(line.in_language(language()))
    return Exit.OK


def _warnings_of_places(site: Site) -> list[Problem]:
    """What is probably wrong with the places of sunclock.yaml. Raises ConfigError where a line is."""
    if site.lamp_messages is None:
        return []
    year = RealClock().now().year
    places = read_places(site.lamp_messages.places, year, site.lamp_messages.illuminance)
    if places.problems:
        raise ConfigError(places.problems)
    return places.warnings
