"""The composition root: the command line, and what every command's failure means for its exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from controller.cli.arguments import Exit
from controller.cli.output import complain, say
from controller.core.errors import ConfigError, EnvironmentProblem, TidewattError

COMMANDS: Mapping[str, str] = {
    "demo": "run the bundled site on a simulated plant",
    "run": "run a site: poll, decide, write back, log",
    "simulate": "serve the simulated plant on the site's own links",
    "fault": "make something go wrong at the simulated plant of a site, or list and end what is",
    "check": "check a site's files without touching any device",
    "scan": "find devices and points, and write a devices.yaml and points.csv to start from",
    "points": "list, read, command and watch points",
    "history": "print or export recorded samples, aggregates and events",
    "forecast": "train a load forecast on a site's own history or on a CSV file, score it and print the next 24 hours",
    "tariff": "show what electricity costs when: bands, prices and charges of a site or of a tariff file",
    "backtest": (
        "run the site's strategies against the simulated plant, beside its old controls and a competent contractor's"
    ),
    "scenario": "run scenarios against the simulated plant, and say whether their bounds held",
    "boptest": "run a BOPTEST test case with the site's strategies, and its own controls beside them",
    "explain": "tell why a point is as it is",
    "alarms": "what is wrong, since when, and what to do about it",
    "equipment": "run hours, starts, maintenance and advice, machine by machine",
    "authority": "show or switch who has a system: its original controls, Tidewatt, or people who test it",
    "fire": "show the fire inputs, and reset them once the fire is over",
    "audit": "find out whether recorded events were changed or removed",
    "lockout": "lock a machine out while somebody works on it, take the lock off, or list what is not in auto",
    "commission": "the check sheet of a site: what is to be tested, who tested it, what was found",
    "release": "let go of everything, in order, and leave it to the original controls",
    "reload": "check the changed files and let the running daemon go on with them",
    "retry": "let a strategy that its faults switched off, a link that refused us, or a machine that trips, try again",
    "health": "whether the controller itself is well; for people, cron and monitoring",
    "service": "the systemd units of a site: start at boot, watchdog, restart, release when the daemon stays dead",
    "night-sheet": (
        "one page for the wall: how the night shift has the plant back with the box unplugged (English and Chinese)"
    ),
    "sunclock": "when outdoor lamps go on and off, place by place, without any hardware",
    "sunclock-tasks": "who has set the day's lamp times, and who has not",
    "ports": (
        "what goes over the network because of a site: peers, ports, encryption, bytes a day; for the building's IT"
    ),
}
"""In the order of --help, with what each is for. Each is a module of `controller.cli`, which says so, too (a test
compares), and is loaded only where it is asked for."""


class _Version(argparse.Action):
    """Looked up only where somebody asks for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        say(f"{parser.prog} {version('tidewatt')}")
        parser.exit()


def parser(command: str = "") -> argparse.ArgumentParser:
    """command: the one that can be parsed; of the others only what they are for is known."""
    root = argparse.ArgumentParser(
        prog="tidewatt",
        description="Supervisory controller for the energy of a building.",
        epilog="Start with: tidewatt demo",
    )
    root.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        if name == command:
            import_module(f"controller.cli.{name.replace('-', '_')}").register(commands)
        else:
            commands.add_parser(name, help=summary)
    return root


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """argparse takes a list of words only where it follows what is before; people write it after options, too."""
    words = sys.argv[1:] if arguments is None else arguments
    root = parser(words[0] if words else "")
    given, rest = root.parse_known_args(words)
    listed = _listed(given)
    if rest and (listed is None or any(each.startswith("-") for each in rest)):
        root.error(f"unrecognized arguments: {' '.join(rest)}; see: tidewatt {given.command} --help")
    if listed is not None:
        listed.extend(rest)
    return given


def _listed(given: argparse.Namespace) -> list[str] | None:
    """The list of words that a command takes last."""
    for name in ("points", "parameters"):
        found: list[str] | str | None = getattr(given, name, None)
        if isinstance(found, list):
            return found
    return None


def _level() -> int:
    name = os.environ.get("TIDEWATT_LOG", "info")
    levels = logging.getLevelNamesMapping()
    if name.upper() not in levels:
        raise EnvironmentProblem(f"TIDEWATT_LOG={name} is no level; set debug, info, warning or error")
    return levels[name.upper()]


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parsed(arguments)
    # While history is written in its thread, a poll that is due waits for the interpreter no longer than this.
    sys.setswitchinterval(0.0005)
    try:
        logging.basicConfig(level=_level(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        return given.execute(given)
    except ConfigError as error:
        complain(str(error))
        count = len(error.problems)
        complain(f"{count} problem{'s' if count > 1 else ''}; nothing was started")
        return Exit.CONFIGURATION
    except TidewattError as error:
        complain(f"tidewatt: {error}")
        return Exit.ENVIRONMENT
    except BrokenPipeError:
        # Whoever read our output has closed it; that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except KeyboardInterrupt:
        return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
