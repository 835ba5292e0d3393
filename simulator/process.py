"""The simulated site as a process: a scaled clock, the engine that follows it, a Modbus server for each link."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.clock import ScaledClock
from simulator.engine import Engine
from simulator.gateway import Value
from simulator.servers.link import ServedLink
from simulator.tags import TAGS, Tag

if TYPE_CHECKING:
    from simulator.servers.modbus import ModbusLinkServer

_TICK_S = 0.2
"""Real time between two advances while nobody asks; short enough that a fast clock never owes much work at once."""

_CLOCK_PREFIX = "simulation_"
_CLOCK_TAGS: Mapping[str, Tag] = MappingProxyType(
    {
        "nonce": Tag("nonce", int),
        "time": Tag("time", int, "ms"),
        "speed": Tag("speed", float),
    }
)


def new_nonce() -> int:
    """A number that tells one run of a simulator from every other (64 bits, never 0)."""
    return secrets.randbits(64) or 1


class LiveSite:
    """The engine on its scaled clock. Beside the engine's tags it has the clock's, so that every gateway can show them:
    `simulation.<device>.nonce`, `.time`, `.speed`, or `<gateway>.simulation_nonce` and so on.
    """

    def __init__(self, engine: Engine, clock: ScaledClock, nonce: int) -> None:
        self._engine = engine
        self._clock = clock
        self._nonce = nonce

    def tag(self, name: str) -> Tag:
        return _CLOCK_TAGS.get(_clock_quantity(name)) or TAGS[name]

    def refresh(self) -> None:
        wire_now = self._clock.wire_now()
        self._engine.advance(self._clock.at(wire_now), wire_now)

    def read(self, name: str) -> Value:
        match _clock_quantity(name):
            case "nonce":
                return self._nonce
            case "time":
                return round(self._clock.now().timestamp() * 1000.0)
            case "speed":
                return self._clock.speed
            case _:
                return self._engine.read(name)

    def write(self, name: str, value: Value) -> None:
        self._engine.write(name, value, self._clock.wire_now())


async def serve(
    site: LiveSite,
    links: Sequence[ServedLink],
    *,
    ready: Callable[[Mapping[str, int]], None],
    linger_s: float | None = None,
) -> None:
    """Serve the site until cancelled, or until linger_s real seconds have passed without any client (None: never).

    `ready` is called once all ports listen, with the port of each link. Raises OSError where a port cannot be had and
    ValueError where a binding names what the site does not have.
    """
    from simulator.servers.modbus import ModbusLinkServer  # pymodbus's servers are for this process, not for daemons

    async with AsyncExitStack() as stack:
        servers: list[ModbusLinkServer] = []
        ports: dict[str, int] = {}
        for link in links:
            server = ModbusLinkServer(site, link.bindings)
            ports[link.name] = await server.open(link.host, link.port)
            stack.push_async_callback(server.close)
            servers.append(server)
        ready(ports)
        await _run(site, servers, linger_s)


async def _run(site: LiveSite, servers: Sequence[ModbusLinkServer], linger_s: float | None) -> None:
    loop = asyncio.get_running_loop()
    last_seen = loop.time()
    while True:
        site.refresh()
        now = loop.time()
        if any(server.clients for server in servers):
            last_seen = now
        elif linger_s is not None and now - last_seen >= linger_s:
            return
        await asyncio.sleep(_TICK_S)


def _clock_quantity(name: str) -> str:
    """The clock's quantity that a point shows, "" for a point of the site."""
    area, _, rest = name.partition(".")
    quantity = rest.rpartition(".")[2]
    if area == "simulation":
        return quantity
    return quantity.removeprefix(_CLOCK_PREFIX) if quantity.startswith(_CLOCK_PREFIX) else ""
