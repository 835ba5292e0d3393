"""tidewatt run SITE: the daemon."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_for, add_site, language
from controller.cli.follow import Followed, follow
from controller.cli.left_behind import let_go_on_a_read_only_disk
from controller.cli.output import complain
from controller.cli.site_folder import load_site
from controller.cli.words import counted, program
from controller.core.errors import EnvironmentProblem
from controller.core.ports import RemoteHistorian
from controller.core.site import Site
from controller.core.text import Text
from controller.forecasting.jobs import FORECASTER
from controller.historian.sqlite import SqliteHistorian
from controller.runtime import control_socket
from controller.runtime.apprise_messenger import AppriseMessenger
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.heap import keep_settled
from controller.runtime.letting_go import Progress, Releasing
from controller.runtime.notify_socket import notify_socket
from controller.runtime.outbox import Messenger
from controller.runtime.reload import Configuration, ReloadRefused
from controller.runtime.service_beat import ServiceBeat
from controller.runtime.site_lock import site_lock
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from controller.runtime.time_service import synchronization
from controller.sunclock.daily import DailyMessages

log = logging.getLogger(__name__)

_LETTING_GO = Text("letting go of {0} (within {2:.0f} s): {3}", "正在释放 {1} 点（{2:.0f} 秒内）：{3}")
_LET_GO = Text("everything let go after {:.0f} s", "{:.0f} 秒后已全部释放")

Beside = Callable[[Daemon], Coroutine[Any, Any, None]]


def register(commands: Any) -> None:
    parser = add_command(
        commands, "run", "run a site: poll, decide, write back, log", "tidewatt run /etc/tidewatt/my-site"
    )
    add_site(parser)
    add_for(parser, "stop by itself after this long, real time (90s, 10min, 1h)")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    _refuse_stepped(site)
    return asyncio.run(_run(site, arguments.lasting))


def _refuse_stepped(site: Site) -> None:
    """Raises EnvironmentProblem where time passes at the plant only when it is told: it lives in another year."""
    for link in site.links:
        if link.driver.is_stepped:
            raise EnvironmentProblem(
                f"link {link.id} is no plant but a test case, whose time passes in steps; "
                f"try: {program()} {link.driver.name} {site.folder}"
            )


async def _run(site: Site, lasting: timedelta | None) -> int:
    with ExitStack() as stack:
        followed = await follow(site)
        try:
            daemon, serve = open_daemon(site, followed, stack)
        except EnvironmentProblem:
            stack.close()
            await let_go_on_a_read_only_disk(site, followed.clock, TellProgress())
            raise
        log.info("%s: %s on %s", site.name, counted(len(site.points), "point"), counted(len(site.links), "link"))
        return await live(daemon, lasting, serve)


def open_daemon(site: Site, followed: Followed, stack: ExitStack) -> tuple[Daemon, Coroutine[Any, Any, None]]:
    """The site's daemon with its files, holding the site's lock, and the task that serves its control socket."""
    state = site.folder / "state"
    stack.enter_context(site_lock(state))
    listener = stack.enter_context(control_socket.listening(state / "control.sock"))
    clock = followed.clock
    store = Store(state / "store.db", clock)
    historian = SqliteHistorian(state / "history.db", clock)
    daemon = Daemon(
        site,
        clock,
        historian,
        store,
        Surroundings(
            remote=_remote_historian(site),
            messenger=_messenger(site),
            forecaster=FORECASTER,
            simulated=followed.simulated,
            load=partial(_configuration, site.folder),
            synchronization=synchronization if isinstance(clock, RealClock) else None,
        ),
    )
    return daemon, control_socket.serve(daemon, listener)


def _configuration(folder: Path) -> Configuration:
    """What stands in the site's files now."""
    site = load_site(folder)
    return Configuration(site, _remote_historian(site), _messenger(site))


def _remote_historian(site: Site) -> RemoteHistorian | None:
    if site.influx is None:
        return None
    from controller.historian.influx import InfluxHistorian  # 30 MiB: only sites that name one pay

    return InfluxHistorian(site.influx, site.name, site.points)


def _messenger(site: Site) -> Messenger | None:
    return AppriseMessenger() if site.alarms.routes else None


async def live(daemon: Daemon, lasting: timedelta | None, *beside: Coroutine[Any, Any, None]) -> int:
    """Run until a signal, or until `lasting` has passed; then let go. A second signal stops the waiting."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def on_signal() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    _listen_for_hang_up(daemon, on_signal)
    if lasting is not None:
        loop.call_later(lasting.total_seconds(), stop.set)
    progress = TellProgress()
    if (service_manager := notify_socket(os.environ)) is not None:
        beat = ServiceBeat(service_manager, daemon, language())
        beside = (*beside, beat.run())
        progress = TellProgress(beat.letting_go)
    try:
        released = await daemon.run(stop, progress, keep_settled(daemon), DailyMessages(daemon).run(), *beside)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        released = False
    if not released:
        complain(f"stopped, but not everything was let go; try: {program()} release {daemon.site.folder}")
    return Exit.OK if released else Exit.NOT_RELEASED


def _listen_for_hang_up(daemon: Daemon, stop: Callable[[], None]) -> None:
    """SIGHUP: of a service it means to reload; of a terminal that is gone, to let go and stop. nohup is left alone."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return

    def reload() -> None:
        try:
            daemon.reloads.request("SIGHUP")
        except ReloadRefused as error:
            log.warning("SIGHUP is ignored: %s", error)

    on_hang_up = stop if sys.stdin.isatty() else reload
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, on_hang_up)


class TellProgress:
    """A line whenever something more was let go. beside: hears everything, too."""

    def __init__(self, beside: Progress | None = None) -> None:
        self._told = -1
        self._beside = beside

    def __call__(self, releasing: Releasing) -> None:
        if self._beside is not None:
            self._beside(releasing)
        count = len(releasing.held)
        if count == self._told:
            return
        self._told = count
        if count:
            shown = ", ".join(releasing.held[:3]) + (" ..." if count > 3 else "")
            complain(
                _LETTING_GO.in_language(language()).format(counted(count, "point"), count, releasing.within, shown)
            )
        else:
            complain(_LET_GO.in_language(language()).format(releasing.elapsed))
