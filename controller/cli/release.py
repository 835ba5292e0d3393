"""tidewatt release SITE: give the plant back to its own controls, with the daemon alive or dead."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_site, language
from controller.cli.client import DaemonNotRunning, RequestRefused, ask
from controller.cli.follow import follow
from controller.cli.left_behind import daemon_of
from controller.cli.output import complain, say
from controller.cli.run import TellProgress
from controller.cli.site_folder import load_site
from controller.cli.words import program
from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock
from controller.core.site import Site
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.authorities import store_decision
from controller.runtime.clock import RealClock
from controller.runtime.site_lock import site_lock
from controller.runtime.store import Store

LOOK_EVERY_S = 1.0

_LET_GO = Text(
    "everything let go; it stays with the original controls until somebody takes it over again:",
    "已全部释放；由原有控制系统控制，直至有人重新接管：",
)
_LETTING_GO = Text("letting go: {} points held, such as {}", "正在释放：仍持有 {} 点，如 {}")
_GOES_ON = Text(
    "not everything was let go within {:.0f} s; the daemon goes on trying", "{:.0f} 秒内未全部释放；守护进程将继续尝试"
)
_NOTHING_HELD = Text("nothing is held any more", "已无持有点")
_STAYS = Text(
    "the original controls have it until somebody takes it over again:", "由原有控制系统控制，直至有人重新接管："
)
_NOT_ALL = Text("not everything could be let go; what remains is told above", "未能全部释放；剩余部分见上")


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "release",
        "let go of everything, in order, and leave it to the original controls",
        "tidewatt release config/sites/demo",
    )
    add_site(parser)
    parser.add_argument(
        "--keep-authority",
        action="store_true",
        help="let go now, but let the next start take over again (for maintenance without the daemon)",
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    try:
        return _by_daemon(arguments.site, keep_authority=arguments.keep_authority)
    except DaemonNotRunning:
        return asyncio.run(_by_ourselves(load_site(arguments.site), keep_authority=arguments.keep_authority))


def _by_daemon(folder: Path, *, keep_authority: bool) -> int:
    """The daemon knows its systems; the files may be of another mind by now, or wrong."""
    systems = ask(folder, "status")["systems"]
    if keep_authority:
        raise EnvironmentProblem(f"a daemon runs {folder}; stop it (Ctrl-C, SIGTERM) and it lets go by itself")
    troubles = [trouble for system in systems if (trouble := _hand_back(folder, system["id"]))]
    within = max((system["release_within_s"] for system in systems), default=0.0)
    clock, pause = RealClock(), threading.Event()
    began = clock.monotonic()
    while clock.monotonic() - began < within:
        held = [point for system in ask(folder, "status")["systems"] for point in system["held"]]
        if not held:
            say(_LET_GO.in_language(language()))
            say(f"  {program()} authority {folder} all tidewatt")
            return Exit.ENVIRONMENT if troubles else Exit.OK
        say(_LETTING_GO.in_language(language()).format(len(held), held[0]))
        pause.wait(LOOK_EVERY_S)
    complain(_GOES_ON.in_language(language()).format(within))
    return Exit.NOT_RELEASED


def _hand_back(folder: Path, system: str) -> str:
    """What is wrong with it, told at once; one system's trouble is no reason to keep another."""
    try:
        ask(folder, "authority", system=system, authority=Authority.ORIGINAL.value, who=getpass.getuser())
    except DaemonNotRunning:
        raise
    except (RequestRefused, EnvironmentProblem) as error:
        complain(str(error))
        return str(error)
    return ""


async def _by_ourselves(site: Site, *, keep_authority: bool) -> int:
    """The daemon is dead: the same cycle without wishes, on what the store says is held."""
    with ExitStack() as stack:
        state = site.folder / "state"
        stack.enter_context(site_lock(state))
        clock = (await follow(site)).clock
        daemon = daemon_of(site, clock)
        try:
            released = await daemon.release(TellProgress(), "" if keep_authority else getpass.getuser())
        finally:
            is_stored = keep_authority or await _keep_original(site, clock)
    if released:
        say(_NOTHING_HELD.in_language(language()))
        if not is_stored:
            return Exit.ENVIRONMENT
        if not keep_authority:
            say(_STAYS.in_language(language()))
            say(f"  {program()} authority {site.folder} all tidewatt")
        return Exit.OK
    say(_NOT_ALL.in_language(language()))
    return Exit.NOT_RELEASED


async def _keep_original(site: Site, clock: Clock) -> bool:
    """For the next start; letting go did not wait for it."""
    try:
        store = Store(site.folder / "state" / "store.db", clock)
        try:
            for system in site.systems:
                await store_decision(store, system.id, Authority.ORIGINAL)
        finally:
            await store.close()
    except EnvironmentProblem as error:
        complain(
            f"the disk did not take that the original controls have it; the next start would take it over: {error}"
        )
        return False
    return True
