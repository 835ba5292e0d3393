"""The composition root: the command line, and what every command's failure means for its exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from controller.cli import (
    alarms,
    audit,
    authority,
    backtest,
    boptest,
    check,
    commission,
    demo,
    equipment,
    explain,
    fault,
    fire,
    forecast,
    health,
    history,
    lockout,
    night_sheet,
    points,
    ports,
    release,
    reload,
    retry,
    run,
    scan,
    scenario,
    service,
    simulate,
    sunclock,
    sunclock_tasks,
    tariff,
)
from controller.cli.arguments import Exit
from controller.cli.output import complain
from controller.core.errors import ConfigError, EnvironmentProblem, TidewattError

_COMMANDS = (
    demo,
    run,
    simulate,
    fault,
    check,
    scan,
    points,
    history,
    forecast,
    tariff,
    backtest,
    scenario,
    boptest,
    explain,
    alarms,
    equipment,
    authority,
    fire,
    audit,
    lockout,
    commission,
    release,
    reload,
    retry,
    health,
    service,
    night_sheet,
    sunclock,
    sunclock_tasks,
    ports,
)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="tidewatt",
        description="Supervisory controller for the energy of a building.",
        epilog="Start with: tidewatt demo",
    )
    root.add_argument("--version", action="version", version=f"%(prog)s {version('tidewatt')}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.register(commands)
    return root


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """argparse takes a list of words only where it follows what is before; people write it after options, too."""
    root = parser()
    given, rest = root.parse_known_args(arguments)
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
