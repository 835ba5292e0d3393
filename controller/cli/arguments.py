"""What several commands share: durations, the site argument, help with examples, language, exit codes."""

from __future__ import annotations

import argparse
import getpass
import os
import re
from datetime import timedelta
from enum import IntEnum
from pathlib import Path

from controller.core.text import Language


class Exit(IntEnum):
    OK = 0
    BUG = 1
    CONFIGURATION = 2
    ENVIRONMENT = 3
    NOT_RELEASED = 4
    NOT_HELD = 5


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


def duration(text: str) -> timedelta:
    """90s, 10min, 1.5h, 2d; a bare number is seconds."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 10min, 1.5h or 2d")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def language() -> Language:
    """Chinese where the terminal's locale is Chinese, else English."""
    for variable in ("TIDEWATT_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
    name: str,
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    """A subcommand whose --help ends with an example."""
    return commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_site(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", type=Path, metavar="SITE", help="the site's folder")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")


def add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--who", default=None, help="your name in the record (default: the login name)")


def who_of(arguments: argparse.Namespace) -> str:
    """Who does it: by name, else by login."""
    return arguments.who or getpass.getuser()


def add_for(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--for", dest="lasting", type=duration, metavar="TIME", help=words)
