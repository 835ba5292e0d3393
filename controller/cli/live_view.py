"""Keeps the view on the screen while the daemon runs; without a terminal, one line a minute instead."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from rich.console import Console
from rich.live import Live

from controller.cli.arguments import language
from controller.cli.frame import Frame
from controller.cli.output import say
from controller.cli.today_view import told_so_far
from controller.cli.twin import Twin
from controller.cli.view import draw, event_words
from controller.core.event import EventKind
from controller.runtime import point_status, shown, status
from controller.runtime.daemon import Daemon

REDRAW_EVERY_S = 0.5
LOOK_EVERY_S = 0.1
LOOKS_A_LINE = 600


def view(daemon: Daemon, speed: float, twin: Twin) -> Coroutine[Any, Any, None]:
    return _draw(daemon, speed, twin) if sys.stdout.isatty() else _tell(daemon, twin)


def frame_of(daemon: Daemon, speed: float, twin: Twin) -> Frame:
    return Frame(status.status(daemon), point_status.points(daemon), speed, language(), twin.today)


async def _draw(daemon: Daemon, speed: float, twin: Twin) -> None:
    console = Console()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(draw(frame_of(daemon, speed, twin), console.width), refresh=True)
            await asyncio.sleep(REDRAW_EVERY_S)


async def _tell(daemon: Daemon, twin: Twin) -> None:
    """The first command as soon as there is one, then one line a minute."""
    told_first = False
    rounds = 0
    while True:
        first = next((event for event in daemon.journal.recent if event.kind is EventKind.COMMAND), None)
        if first is not None and not told_first:
            told_first = True
            what = event_words(shown.event(first), point_status.points(daemon), language())
            say(f"{_time(daemon)}  {first.subject}: {what}", flush=True)
        await asyncio.sleep(LOOK_EVERY_S)
        rounds += 1
        if rounds % LOOKS_A_LINE == 0:
            say(line(daemon, twin), flush=True)


def line(daemon: Daemon, twin: Twin) -> str:
    """The daemon in one line."""
    up = sum(link.is_up for link in daemon.links)
    chosen = language()
    doing = "; ".join(
        f"{each.mount.id}: {each.fault.description if each.fault else each.reason.in_language(chosen)}"
        for each in daemon.strategies
    )
    saved = "" if twin.today is None else f"; {told_so_far(twin.today, daemon.site.zone, chosen)}"
    return f"{_time(daemon)}  {up}/{len(daemon.links)} links, {len(daemon.writer.holdings)} points held, {doing}{saved}"


def _time(daemon: Daemon) -> str:
    return f"{daemon.clock.now().astimezone(daemon.site.zone):%H:%M:%S}"
