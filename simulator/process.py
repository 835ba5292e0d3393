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
from simulator.faults.fault import Fault
from simulator.faults.schedule import Schedule
from simulator.faults.wire import Wire
from simulator.gateway import Value
from simulator.servers import control
from simulator.servers.link import BacnetLink, LinkServer, ModbusLink, OpcuaLink, SerialLink, ServedLink
from simulator.servers.served_site import ServedSite
from simulator.simulated import SimulatedSite
from simulator.tags import Tag

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
    """A number that tells one run of a simulator from every other (never 0, and whole in every protocol: 63 bits)."""
    return secrets.randbits(63) or 1


class LiveSite:
    """The building on its scaled clock. Beside the building's tags it has the clock's, so that every gateway can show
    them: `simulation.<device>.nonce`, `.time`, `.speed`, or `<gateway>.simulation_nonce` and so on.
    """

    def __init__(self, engine: SimulatedSite, clock: ScaledClock, nonce: int) -> None:
        self._engine = engine
        self._clock = clock
        self._nonce = nonce

    def tag(self, name: str) -> Tag:
        return _CLOCK_TAGS.get(_clock_quantity(name)) or self._engine.tags[name]

    def refresh(self) -> None:
        wire_now = self._clock.wire_now()
        self._engine.advance(self._clock.at(wire_now), wire_now)

    def read(self, name: str) -> Value | None:
        """What the instrument shows; None where it gives no reading."""
        match _clock_quantity(name):
            case "nonce":
                return self._nonce
            case "time":
                return round(self._clock.now().timestamp() * 1000.0)
            case "speed":
                return self._clock.speed
            case _:
                return self._engine.shown(name)

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
    linger_s: float | None = None,
    control_path: Path | None = None,
) -> None:
    """Serve the site until cancelled, or until linger_s real seconds have passed without any client (None: never).

    `ready` is called once every link is served, with the port of each (0 where it has none). control_path: of a socket
    at which faults can be begun and ended. Raises OSError where a link cannot be served now and NotServable where it
    never can be.
    """
    async with AsyncExitStack() as stack:
        servers: list[LinkServer] = []
        ports: dict[str, int] = {}
        for link in links:
            server = server_of(site, link)
            ports[link.name] = await server.open()
            stack.push_async_callback(server.close)
            servers.append(server)
        if control_path is not None:
            await stack.enter_async_context(control.listening(control_path, site))
        ready(ports)
        await _run(site, servers, linger_s)


def server_of(site: ServedSite, link: ServedLink) -> LinkServer:
    """Libraries of protocols that nobody uses are not loaded. Raises NotServable for what cannot be served."""
    match link:
        case ModbusLink():
            from simulator.servers.modbus import ModbusLinkServer

            return ModbusLinkServer(site, link)
        case SerialLink():
            from simulator.servers.modbus_line import ModbusLineServer

            return ModbusLineServer(site, link)
        case BacnetLink():
            from simulator.servers.bacnet import BacnetLinkServer

            return BacnetLinkServer(site, link)
        case OpcuaLink():
            from simulator.servers.opcua import OpcuaLinkServer

            return OpcuaLinkServer(site, link)
        case _:
            from simulator.servers.mqtt import MqttLinkServer

            return MqttLinkServer(site, link)


async def _run(site: LiveSite, servers: Sequence[LinkServer], linger_s: float | None) -> None:
    loop = asyncio.get_running_loop()
    last_seen = loop.time()
    while True:
        site.refresh()
        for server in servers:
            await server.follow()
        now = loop.time()
        if any(server.is_in_use for server in servers):
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
