"""The composition root: the command line, and what every command's failure means for its exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from controller.cli.arguments import Exit
from controller.cli.output import complain, say
from controller.core.errors import ConfigError, EnvironmentProblem, TidewattError

_COMMANDS = (
    "demo",
    "run",
    "simulate",
    "fault",
    "check",
    "scan",
    "points",
    "history",
    "forecast",
    "tariff",
    "backtest",
    "scenario",
    "boptest",
    "explain",
    "alarms",
    "equipment",
    "authority",
    "fire",
    "audit",
    "lockout",
    "commission",
    "release",
    "reload",
    "retry",
    "health",
    "service",
    "night-sheet",
    "sunclock",
    "sunclock-tasks",
    "ports",
)
"""In the order of --help; each is a module of `controller.cli`, which is loaded only where it is asked for."""


class _Version(argparse.Action):
    """Looked up only where somebody asks for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        say(f"{parser.prog} {version('tidewatt')}")
        parser.exit()


def parser(command: str = "") -> argparse.ArgumentParser:
    """command: the first word, so that only what it asks for is loaded; all commands together take a second."""
    root = argparse.ArgumentParser(
        prog="tidewatt",
        description="Supervisory controller for the energy of a building.",
        epilog="Start with: tidewatt demo",
    )
    root.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in _asked_for(command):
        import_module(f"controller.cli.{name.replace('-', '_')}").register(commands)
    return root


def _asked_for(command: str) -> Sequence[str]:
    if command == "--version":
        return ()
    return (command,) if command in _COMMANDS else _COMMANDS


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
