"""tidewatt simulate SITE: the simulated plant behind the site's own links, for demos, tests and training."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from controller.cli.arguments import Exit, add_command, add_for, add_site, duration
from controller.cli.fault_file import read_faults
from controller.cli.output import say
from controller.cli.simulated_building import building_of
from controller.cli.site_folder import config_folder, load_site
from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock
from controller.core.site import Link, Site
from controller.runtime.clock import RealClock
from controller.runtime.control_protocol import SIMULATOR_SOCKET
from simulator.clock import ScaledClock
from simulator.design_day import DesignDay
from simulator.faults.fault import Fault
from simulator.opening import Opening
from simulator.own_controls import Baseline
from simulator.process import LiveSite, new_nonce, serve
from simulator.servers.link import BacnetLink, ModbusLink, MqttLink, OpcuaLink, SerialLink, ServedLink
from simulator.servers.link_process import ServerEnded
from simulator.servers.served_site import NotServable
from simulator.servers.waiting_server import WaitingServer, waiting_servers
from simulator.simulated import SimulatedSite
from simulator.sizes import Sizes
from simulator.variation import NOMINAL, Variation

log = logging.getLogger(__name__)

NONCE_VARIABLE = "TIDEWATT_SIMULATION_NONCE"


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "simulate",
        "serve the simulated plant on the site's own links",
        "tidewatt simulate config/sites/demo --speed 60 --start 2026-07-06",
    )
    add_site(parser)
    add_plant_options(parser)
    parser.add_argument(
        "--linger", type=duration, metavar="TIME", help="end by itself after this long without any connected client"
    )
    add_for(parser, "stop after this long, real time")
    parser.set_defaults(execute=execute)


def add_plant_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds per second, 1 to 3600 (1)")
    parser.add_argument(
        "--start", metavar="TIME", help="local time at which the simulation begins (now): 2026-07-06T05:00"
    )
    add_plant_records(parser)


def add_plant_records(parser: argparse.ArgumentParser) -> None:
    """What the plant is fed with."""
    parser.add_argument(
        "--weather", type=Path, metavar="FILE", help="hourly weather (CSV), instead of the bundled year"
    )
    parser.add_argument("--load", type=Path, metavar="FILE", help="a building's own cooling load or electricity (CSV)")
    parser.add_argument("--seed", type=int, default=0, help="of the garage's traffic, and of what is noisy (0)")
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="what goes wrong, and when (docs/simulator-faults.md)"
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1.0 <= speed <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is no speed; give a number from 1 to 3600")
    return speed


def execute(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site)
    start = start_of(site, arguments.start, RealClock())
    faults = read_faults(arguments.faults, site, start)
    links = [served_link(link) for link in site.links if not link.driver.is_virtual]
    # A Modbus server is a small thing, and the first command of a demo is not to wait for more processes.
    in_processes = not all(isinstance(link, ModbusLink) for link in links)
    nonce = int(os.environ.get(NONCE_VARIABLE, "0")) or new_nonce()
    try:
        # The servers load their libraries while the plant is made.
        with waiting_servers(links if in_processes else ()) as waiting:
            engine = engine_of(site, start, arguments.weather, arguments.load, arguments.seed, faults=faults)
            live = LiveSite(engine, ScaledClock(start, arguments.speed), nonce)
            asyncio.run(_serve(site, live, links, waiting, arguments.linger, arguments.lasting))
    except OSError as error:
        raise EnvironmentProblem(
            f"the simulator {error} (connection of a link in {site.folder / 'devices.yaml'})"
        ) from error
    except NotServable as error:
        raise EnvironmentProblem(f"{error} ({site.folder / 'devices.yaml'})") from error
    except ServerEnded as error:
        raise EnvironmentProblem(str(error)) from error
    return Exit.OK


def start_of(site: Site, text: str | None, clock: Clock) -> datetime:
    """The instant at which the simulation begins."""
    if text is None:
        return clock.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise EnvironmentProblem(f"--start {text} is no time; write 2026-07-06 or 2026-07-06T05:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=site.zone)


def engine_of(
    site: Site,
    start: datetime,
    weather: Path | DesignDay | None,
    load: Path | None,
    seed: int,
    *,
    step_s: float = 1.0,
    faults: Iterable[Fault] = (),
    variation: Variation = NOMINAL,
    sizes: Sizes | None = None,
    holidays: Collection[date] = (),
    baseline: Baseline = Baseline.ORIGINAL,
) -> SimulatedSite:
    """The simulated building that has the site's points, where the site stands. Raises EnvironmentProblem where there
    is none, and for records that cannot be used. baseline: whose controls it has of its own.
    """
    opening = Opening(
        start,
        weather or bundled_weather(),
        site.position.latitude,
        site.position.longitude,
        site.zone,
        load_file=load,
        variation=variation,
        sizes=sizes,
        step_s=step_s,
        seed=seed,
        faults=tuple(faults),
        holidays=holidays,
        baseline=baseline,
    )
    try:
        simulated, notes = building_of(site).open(opening)
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(str(error)) from error
    for note in notes:
        log.info("%s", note)
    return simulated


def bundled_weather() -> Path:
    return config_folder() / "weather" / "hot_humid_tmy3.csv.gz"


async def _serve(
    site: Site,
    live: LiveSite,
    links: Sequence[ServedLink],
    waiting: Mapping[str, WaitingServer],
    linger: timedelta | None,
    lasting: timedelta | None,
) -> None:
    """waiting: the processes of the servers, by link; none where they are served by this one."""
    by_name = {link.name: link for link in links}

    def opened(link: str, port: int) -> None:
        say(f"{link}: {_place(by_name[link], port)}", flush=True)

    def ready(_: Mapping[str, int]) -> None:
        gc.collect()
        gc.freeze()  # a server's address space lasts; looking through all of it would keep every link waiting
        say("ready", flush=True)

    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    if lasting is not None:
        loop.call_later(lasting.total_seconds(), task.cancel)
    try:
        await serve(
            live,
            links,
            ready=ready,
            opened=opened,
            linger_s=None if linger is None else linger.total_seconds(),
            control_path=_control_path(site),
            in_processes=bool(waiting),
            waiting=waiting,
        )
    except asyncio.CancelledError:
        log.info("the simulator ends")


def _control_path(site: Site) -> Path:
    """Where `tidewatt fault` finds this simulator."""
    state = site.folder / "state"
    with contextlib.suppress(OSError):  # the socket says what cannot be had
        state.mkdir(mode=0o700, exist_ok=True)
    return state / SIMULATOR_SOCKET


def served_link(link: Link) -> ServedLink:
    """The link as the simulator serves it: on its own protocol, where the site's files have it."""
    connection = link.connection
    match link.driver.name:
        case "modbus" if connection.line is not None and connection.line.parity == "none":
            return SerialLink(link.id, connection.line.path, connection.line.seconds_of(1), link.bindings)
        case "modbus" if connection.line is not None:
            raise EnvironmentProblem(f"link {link.id}: a pseudo terminal carries no parity; write parity: none")
        case "modbus" if not connection.is_rtu:
            return ModbusLink(link.id, connection.host, connection.port, link.bindings)
        case "bacnet":
            return BacnetLink(link.id, link.bindings)
        case "opcua" if connection.channel == "none":
            return OpcuaLink(link.id, connection.url, link.bindings)
        case "mqtt":
            return MqttLink(link.id, connection, link.bindings)
        case "modbus":
            raise EnvironmentProblem(f"link {link.id}: the simulator has Modbus TCP and serial lines, no RTU over TCP")
        case "opcua":
            raise EnvironmentProblem(f"link {link.id}: the simulator's OPC UA has no security; leave certificates out")
        case other:
            raise EnvironmentProblem(f"link {link.id}: the simulator does not speak {other}")


def _place(link: ServedLink, port: int) -> str:
    """Where a served link is, in words."""
    match link:
        case ModbusLink():
            return f"Modbus TCP on {link.host}:{port}"
        case SerialLink():
            return f"Modbus RTU on {link.path}"
        case BacnetLink():
            devices = sorted({binding.address.device for binding in link.bindings})
            return f"BACnet/IP on {', '.join(devices)}"
        case OpcuaLink():
            return f"OPC UA on {link.url}"
        case _:
            return f"MQTT at the broker {link.connection.host}:{port}"
