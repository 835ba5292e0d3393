"""The simulated site as a process: a scaled clock, the engine that follows it, and a server for each link."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from simulator.clock import ScaledClock
from simulator.device_clock import DeviceClock, clock_tag
from simulator.faults.fault import Fault
from simulator.faults.schedule import Schedule
from simulator.faults.wire import Wire
from simulator.gateway import Value
from simulator.servers import control
from simulator.servers.link import LinkServer, MqttLink, ServedLink
from simulator.servers.link_process import LinkProcess
from simulator.servers.of_link import server_of
from simulator.servers.waiting_server import WaitingServer
from simulator.simulated import SimulatedSite
from simulator.tags import Tag

_TICK_S = 0.2
"""Real time between two advances while nobody asks; short enough that a fast clock never owes much work at once."""
_TICK_OF_PLANT_S, _SHORTEST_TICK_S = 12.0, 0.05
"""A fast plant is looked at more often, as far as that is cheap: servers in processes of their own show it as old."""


def new_nonce() -> int:
    """A number that tells one run of a simulator from every other (never 0, and whole in every protocol: 63 bits)."""
    return secrets.randbits(63) or 1


class LiveSite:
    """The building on its scaled clock. Beside the building's tags it has the clock's, so that every gateway can show
    them: `simulation.<device>.nonce`, `.time`, `.speed`, or `<gateway>.simulation_nonce` and so on.
    """

    def __init__(self, engine: SimulatedSite, clock: ScaledClock, nonce: int) -> None:
        self._engine = engine
        self._clock = clock
        self.device_clock = DeviceClock(clock, nonce)

    def tag(self, name: str) -> Tag:
        return clock_tag(name) or self._engine.tags[name]

    def refresh(self) -> None:
        wire_now = self._clock.wire_now()
        self._engine.advance(self._clock.at(wire_now), wire_now)

    def read(self, name: str) -> Value | None:
        """What the instrument shows; None where it gives no reading."""
        own = clock_tag(name)
        return self._engine.shown(name) if own is None else self.device_clock.shown(own)

    def write(self, name: str, value: Value) -> None:
        self._engine.write(name, value, self._clock.wire_now())

    def release(self, name: str) -> None:
        self._engine.release(name, self._clock.wire_now())

    @property
    def speed(self) -> float:
        return self._clock.speed

    def wire(self, name: str) -> Wire:
        """How the device behind a point of the site answers now."""
        return self._engine.faults.wire(name)

    @property
    def has_reading_faults(self) -> bool:
        return self._engine.faults.has_reading_faults

    # --- what goes wrong, at the word of a person

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @property
    def tags(self) -> Mapping[str, Tag]:
        return self._engine.tags

    @property
    def faults(self) -> Schedule:
        return self._engine.faults

    def add_fault(self, fault: Fault) -> None:
        self._engine.add_fault(fault)
        self.refresh()

    def end_faults(self, faults: Iterable[Fault]) -> None:
        self.refresh()
        self._engine.end_faults(faults)


async def serve(
    site: LiveSite,
    links: Sequence[ServedLink],
    *,
    ready: Callable[[Mapping[str, int]], None],
    opened: Callable[[str, int], None] = lambda link, port: None,
    linger_s: float | None = None,
    control_path: Path | None = None,
    in_processes: bool = False,
    waiting: Mapping[str, WaitingServer] = MappingProxyType({}),
) -> None:
    """Serve the site until cancelled, or until linger_s real seconds have passed without any client (None: never).

    `opened` is called as soon as a link is served, with its port (0 where it has none), `ready` once all are, with all.
    control_path: of a socket at which faults can be begun and ended. in_processes: each link is served by a process of
    its own; waiting: those that were started already, by link. Raises OSError where a link cannot be served now,
    NotServable where it never can be, ServerEnded where its process is gone.
    """

    def server(link: ServedLink) -> LinkServer:
        if not in_processes:
            return server_of(site, link)
        return LinkProcess(site, link, site.device_clock, waiting.get(link.name))

    servers = [server(link) for link in links]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_close, servers)
        ports = await _opened([*zip(links, servers, strict=True)], opened)
        if control_path is not None:
            await stack.enter_async_context(control.listening(control_path, site))
        ready(ports)
        await _run(site, servers, linger_s)


async def _opened(
    served: Sequence[tuple[ServedLink, LinkServer]], opened: Callable[[str, int], None]
) -> Mapping[str, int]:
    """The port of each link. First those that need a place on this machine, then the guests of a broker: who finds his
    place taken is the second simulator here, and must tell the broker nothing.
    """
    ports: dict[str, int] = {}

    async def open_one(link: ServedLink, server: LinkServer) -> None:
        ports[link.name] = await server.open()
        opened(link.name, ports[link.name])

    for is_guest in (False, True):
        turn = [open_one(link, server) for link, server in served if isinstance(link, MqttLink) is is_guest]
        for outcome in await asyncio.gather(*turn, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
    return ports


async def _close(servers: Sequence[LinkServer]) -> None:
    await asyncio.gather(*(server.close() for server in servers))


async def _run(site: LiveSite, servers: Sequence[LinkServer], linger_s: float | None) -> None:
    loop = asyncio.get_running_loop()
    last_seen = loop.time()
    pause = max(_SHORTEST_TICK_S, min(_TICK_S, _TICK_OF_PLANT_S / site.speed))
    while True:
        site.refresh()
        for server in servers:
            await server.follow()
        now = loop.time()
        if any(server.is_in_use for server in servers):
            last_seen = now
        elif linger_s is not None and now - last_seen >= linger_s:
            return
        await asyncio.sleep(pause)
