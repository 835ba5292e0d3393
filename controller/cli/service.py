"""tidewatt service SITE: the systemd units made for a site, to look at or to install."""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_site
from controller.cli.output import complain, say, write_file
from controller.cli.ports import uses_of
from controller.cli.service_units import STOP_MARGIN_S, WATCHDOG_PERIODS, WATCHDOG_S, Deployment, units
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.flow import Transport
from controller.core.site import Site

# What a unit's name may hold behind its @ without being escaped (systemd.unit(5)).
_INSTANCE = re.compile(r"[A-Za-z0-9:_.\-]+")
# Quotes, specifiers and variables would need escapes of their own in every setting.
_PLAIN_PATH = re.compile(r"/[^\s\"'\\%$;]*")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "service",
        "the systemd units of a site: start at boot, watchdog, restart, release when the daemon stays dead",
        "sudo /opt/tidewatt/bin/tidewatt service /var/lib/tidewatt/my-site --write /etc/systemd/system",
    )
    add_site(parser)
    parser.add_argument("--user", default="tidewatt", help="who runs it; never root (default: tidewatt)")
    parser.add_argument("--name", metavar="NAME", help="of the units: tidewatt@NAME (default: the folder's name)")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write them there instead of showing them")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    made = units(deployment(site, arguments.name or site.folder.resolve().name, arguments.user))
    if arguments.write is None:
        for name, content in made.items():
            say(f"# --- {name} ---\n{content}")
        return Exit.OK
    for name, content in made.items():
        write_file(arguments.write / name, content)
    daemon, _ = (name.removesuffix(".service") for name in made)
    complain(f"then: systemctl daemon-reload && systemctl enable --now {daemon}")
    return Exit.OK


def deployment(site: Site, name: str, user: str) -> Deployment:
    """Raises EnvironmentProblem where a name or a path cannot stand in a unit."""
    folder, program = site.folder.resolve(), Path(sys.prefix) / "bin" / "tidewatt"
    config = os.environ.get("TIDEWATT_CONFIG")
    if not _INSTANCE.fullmatch(name):
        raise EnvironmentProblem(f"{name!r} cannot be a unit's name; give one of letters, digits, - and _: --name NAME")
    if user == "root" or not _INSTANCE.fullmatch(user):
        raise EnvironmentProblem(f"the user {user!r} shall not run it; give one without rights: --user tidewatt")
    for path in (folder, program, *([Path(config).absolute()] if config else [])):
        if not _PLAIN_PATH.fullmatch(str(path)):
            raise EnvironmentProblem(f"{path}: a unit cannot name it; use a path without spaces, quotes, %, $ and ;")
    longest = max((system.release_within for system in site.systems), default=timedelta(0))
    return Deployment(
        instance=name,
        folder=str(folder),
        program=str(program),
        user=user,
        stop_within=ceil(longest.total_seconds()) + STOP_MARGIN_S,
        watchdog=max(WATCHDOG_S, ceil(WATCHDOG_PERIODS * site.scan_every.total_seconds())),
        uses_serial=any(use.flow.transport is Transport.SERIAL for use in uses_of(site)),
        needs_home=any(path.is_relative_to(home) for path in (folder, program.resolve()) for home in _HOMES),
        environment=(f"TIDEWATT_CONFIG={Path(config).absolute()}",) if config else (),
    )
