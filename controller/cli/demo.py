"""tidewatt demo: a simulated plant and the daemon that runs it, on the bundled site."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from controller.cli import words
from controller.cli.arguments import add_command, add_for, language
from controller.cli.fault_file import read_faults
from controller.cli.follow import follow
from controller.cli.live_view import view
from controller.cli.output import say
from controller.cli.past import PAST, STEP_S, record_past
from controller.cli.run import live, open_daemon
from controller.cli.simulate import add_plant_options, engine_of, start_of
from controller.cli.simulator_process import LINGER, PlantOptions, SimulatorProcess, find, launching
from controller.cli.site_folder import config_folder, load_site
from controller.cli.today_view import told
from controller.cli.twin import Twin, beginning
from controller.core.errors import HistorianError
from controller.core.site import Site
from controller.core.text import Text
from controller.historian.reading import SqliteHistoryReader
from controller.historian.sqlite import SqliteHistorian
from controller.runtime.clock import RealClock
from controller.runtime.daemon import Daemon
from controller.runtime.site_lock import site_lock
from simulator.simulated import SimulatedSite

OWN_COPY = Path("tidewatt-demo")


_RAN = Text(
    "{site}: {time} of plant time, {scans} scans (one every {period:.1f} s, {missed} left out), {writes} writes",
    "{site}：模拟时间 {time}，扫描 {scans} 次（每 {period:.1f} s 一次，略过 {missed} 次），写入 {writes} 次",
)
_ALARMS = Text(
    "alarms among the last {events} events: {alarms}; still held: {held} points",
    "最近 {events} 条事件中有报警 {alarms} 条；仍持有 {held} 点",
)
_RECORDED = Text("recorded in {file}; export: {command}", "记录在 {file}；导出：{command}")
_LIVES_ON = Text(
    "the simulated plant goes on under its own old controls until nobody has looked at it for {minutes:.0f} min:",
    "模拟机房由其原有控制继续运行，直到 {minutes:.0f} 分钟内无人查看：",
)
_LOOK = Text(
    "  look at it with mbpoll, start the demo again, or end it: kill {pid}",
    "  可用 mbpoll 查看、再次启动演示，或结束它：kill {pid}",
)


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "demo",
        "run the bundled site on a simulated plant",
        "tidewatt demo --speed 60 --start 2026-07-06T05:00",
    )
    parser.add_argument("site", nargs="?", type=Path, metavar="SITE", help="default: the bundled demo site")
    add_plant_options(parser)
    add_for(parser, "stop plant and daemon after this long, real time (150s)")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site or _demo_folder())
    _keep_log_off_the_screen(site)
    options = PlantOptions(
        arguments.speed,
        arguments.start,
        None if arguments.weather is None else str(arguments.weather.resolve()),
        None if arguments.load is None else str(arguments.load.resolve()),
        arguments.seed,
        None if arguments.faults is None else str(arguments.faults.resolve()),
    )
    start = start_of(site, arguments.start, RealClock())
    read_faults(arguments.faults, site, start)  # what is wrong with them is told before anything starts
    # Who runs this site already keeps the simulator that it talks to.
    with site_lock(site.folder / "state"):
        simulator, engine = find(site.folder, options), None
        if simulator is None:
            _begin_anew_if_back_in_time(site, start)
            with launching(site.folder, options, start) as starting:
                say("the simulated plant starts, which takes some seconds:", flush=True)
                # Beside the simulator, which makes its own plant meanwhile.
                if site.forecasts and _recorded_until(site) is None:
                    _tell(f"the {PAST.days} days before are simulated, so that there is something to forecast from")
                    asyncio.run(_record_past(site, start, arguments))
                engine = _engine(site, start, start, arguments)
                simulator = starting.ready(_tell)
    try:
        return asyncio.run(_run(site, simulator, engine, arguments))
    finally:
        _leave(simulator, scripted=arguments.lasting is not None)


def _tell(line: str) -> None:
    say(f"  {line}", flush=True)


def _engine(site: Site, begin: datetime, start: datetime, arguments: argparse.Namespace) -> SimulatedSite:
    """The plant once more, from `begin` on, with what goes wrong from `start` on."""
    faults = read_faults(arguments.faults, site, start)
    return engine_of(site, begin, arguments.weather, arguments.load, arguments.seed, faults=faults)


async def _run(
    site: Site, simulator: SimulatorProcess, engine: SimulatedSite | None, arguments: argparse.Namespace
) -> int:
    """engine: of the twin; None beside a simulator that an earlier demo left."""
    with ExitStack() as stack:
        followed = await follow(site, simulator.nonce)
        began = followed.clock.now()
        start = simulator.start
        twin = Twin(engine or _engine(site, beginning(start, site, began), start, arguments), site)
        daemon, serve = open_daemon(site, followed, stack)
        shown = view(daemon, arguments.speed, twin)
        code = await live(daemon, arguments.lasting, serve, shown, twin.follow(daemon), _train_at_once(daemon))
        for line in summary(daemon, daemon.clock.now() - began, twin):
            say(line)
        return code


async def _record_past(site: Site, start: datetime, arguments: argparse.Namespace) -> None:
    """A new demo has no history; its plant has had one."""
    engine = engine_of(site, start - PAST, arguments.weather, arguments.load, arguments.seed, step_s=STEP_S)
    historian = SqliteHistorian(site.folder / "state" / "history.db", RealClock())
    try:
        await record_past(site, engine, start, historian)
    except HistorianError as error:
        say(f"the days before the demo could not be recorded: {error}")
    finally:
        await historian.close()


async def _train_at_once(daemon: Daemon) -> None:
    """Who looks at a demo does not wait for the night."""
    if any(each.trained is None for each in daemon.forecasts.all):
        await daemon.forecasts.train()


def _demo_folder() -> Path:
    """The bundled site where it may be written (a checkout), else a copy in the present folder."""
    bundled = config_folder() / "sites" / "demo"
    if os.access(bundled, os.W_OK):
        return bundled
    if not OWN_COPY.exists():
        shutil.copytree(bundled, OWN_COPY)
        say(f"the demo site was copied to {OWN_COPY}, where you can change it")
    return OWN_COPY


def _keep_log_off_the_screen(site: Site) -> None:
    if not sys.stdout.isatty():
        return
    state = site.folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    handler = logging.FileHandler(state / "tidewatt.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.getLogger().handlers = [handler]


def _begin_anew_if_back_in_time(site: Site, start: datetime) -> None:
    """A faster demo may have recorded days that have not come yet; their files would lie in this run's future."""
    state = site.folder / "state"
    until = _recorded_until(site)
    if until is None or until <= start + timedelta(minutes=1):
        return
    for name in ("history.db", "store.db"):
        for path in state.glob(f"{name}*"):
            path.unlink()
    say(f"an earlier demo recorded until {_local(until, site)}, after this one begins: its records were removed")


def _recorded_until(site: Site) -> datetime | None:
    try:
        span = SqliteHistoryReader(site.folder / "state" / "history.db").span()
    except HistorianError:
        return None
    return None if span is None else span[1]


def _local(moment: datetime, site: Site) -> str:
    return f"{moment.astimezone(site.zone):%Y-%m-%d %H:%M}"


def _leave(simulator: SimulatorProcess, *, scripted: bool) -> None:
    if scripted:
        simulator.stop()
        return
    minutes = LINGER.total_seconds() / 60
    say(_LIVES_ON.in_language(language()).format(minutes=minutes))
    say(_LOOK.in_language(language()).format(pid=simulator.pid))


def summary(daemon: Daemon, simulated: timedelta, twin: Twin) -> list[str]:
    """What the run did, for the end of the demo."""
    counts: dict[str, int] = {}
    for event in daemon.journal.recent:
        counts[event.kind.value] = counts.get(event.kind.value, 0) + 1
    alarms = counts.get("alarm", 0)
    scans, folder, chosen = daemon.scan.times, daemon.site.folder, language()
    return [
        _RAN.in_language(chosen).format(
            site=daemon.site.name,
            time=words.lasting(simulated.total_seconds()),
            scans=scans.count,
            period=scans.actual_period,
            missed=scans.overruns.missed,
            writes=daemon.writer.writes,
        ),
        _ALARMS.in_language(chosen).format(
            events=len(daemon.journal.recent), alarms=alarms, held=len(daemon.writer.holdings)
        ),
        *(told(day, daemon.site.zone, chosen) for day in (twin.day_before, twin.today) if day is not None),
        _RECORDED.in_language(chosen).format(
            file=folder / "state" / "history.db", command=f"{words.program()} history {folder} 'garage.*' --csv"
        ),
    ]
