"""The simulated site as an OPC UA server, on asyncua's. Without security: whoever reaches the port may write."""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from simulator.faults.wire import Wire
from simulator.servers.link import OpcuaLink
from simulator.servers.opcua_connections import Ears
from simulator.servers.opcua_variables import FIRST, Attributes, OpcuaPlace, Variable, status, untyped
from simulator.servers.served_site import ServedSite, places, wire_of

logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # it logs every client that leaves, with a traceback

_CURRENT_TIME: Final = 2258
_OWN_NAMESPACES: Final = 2  # the standard's, and the server's own
_NO_TIME: Final = datetime(1601, 1, 1, tzinfo=UTC)  # Part 6, 5.2.2.5


async def standard_server() -> Server:
    """One with the nodes of the standard and no others, which take a second."""
    server = Server()
    await server.init()
    return server


class OpcuaLinkServer:
    """One server with the devices of one link as folders."""

    def __init__(self, site: ServedSite, link: OpcuaLink, standard: Server | None = None) -> None:
        """standard: of `standard_server`, if there is one. Raises NotServable where a binding names what the site does
        not have, or what the server cannot be."""
        self._site = site
        self._url = link.url
        where = urlsplit(link.url)
        self._host, self._port = where.hostname or "", where.port or 4840
        self._devices: dict[str, list[OpcuaPlace]] = {}
        for place in places(site, link.bindings):
            self._devices.setdefault(place.device, []).append(place)
        self._variables = [
            Variable(place, site, lambda own=own: wire_of(site, own)) for own in self._devices.values() for place in own
        ]
        self._callbacks: list[tuple[Variable, Mapping[int, Any]]] = []
        self._standard = standard
        self._server: Server | None = None
        self._ears: Ears | None = None
        self._is_listening = False

    def _wire(self) -> Wire:
        """How the server answers: what is wrong with some of its devices only, their variables say."""
        wires = [wire_of(self._site, own) for own in self._devices.values()]
        well = next((wire for wire in wires if not wire.is_silent), None)
        return wires[0] if well is None else well._replace(delay=min(wire.delay for wire in wires))

    async def open(self) -> int:
        """Raises OSError where the port cannot be had."""
        server = self._server = await self._made()
        self._ears = Ears(server, (self._host, self._port), self._wire, self._time)
        server.bserver = self._ears
        await self._listen()
        return self._port

    async def _made(self) -> Server:
        server = self._standard or await standard_server()
        server.iserver.disabled_clock = True  # the site has a clock of its own
        server.set_endpoint(self._url)
        server.set_server_name("Tidewatt simulator")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        nodes = await self._fill(server)
        time = ua.NodeId(untyped(_CURRENT_TIME))
        server.iserver.aspace.set_attribute_value_callback(time, AttributeIds.Value, self._time_of_day)
        await server._setup_server_nodes()  # pyright: ignore[reportPrivateUsage]
        await server.iserver.start()
        server.iserver.attribute_service = Attributes(server, nodes, self._site)
        return server

    async def _fill(self, server: Server) -> dict[ua.NodeId, Variable]:
        """Every variable where its address says; namespaces that nobody named are there, too."""
        indexes = [each.place.address.name.space for each in self._variables]
        uris = {each.place.address.name.uri for each in self._variables} - {""}
        for number in range(_OWN_NAMESPACES, max(indexes, default=0) + 1):
            await server.register_namespace(f"urn:tidewatt:simulator:{number}")
        spaces = {uri: await server.register_namespace(uri) for uri in sorted(uris)}
        own = await server.register_namespace("urn:tidewatt:simulator")
        folders = {name: await server.nodes.objects.add_object(own, name) for name in self._devices}
        nodes: dict[ua.NodeId, Variable] = {}
        space = server.iserver.aspace
        for variable in self._variables:
            place, name = variable.place, variable.place.address.name
            id = ua.NodeId.from_string(f"ns={spaces.get(name.uri, name.space)};{name.kind}={name.identifier}")
            first = ua.Variant(FIRST[variable.type], variable.type)
            title = ua.QualifiedName(place.name, untyped(own))
            node = await folders[place.device].add_variable(id, title, first)
            if place.tag.writable:
                await node.set_writable()
            nodes[id] = variable
            callbacks = space[id].attributes[AttributeIds.Value].datachange_callbacks
            self._callbacks.append((variable, callbacks))
            space.set_attribute_value_callback(id, AttributeIds.Value, variable.asked)
        return nodes

    def _time_of_day(self, node: ua.NodeId, attribute: AttributeIds) -> ua.DataValue:
        del node, attribute
        if self._site.speed != 1.0:
            return ua.DataValue(StatusCode=status(StatusCodes.BadNotSupported))
        return ua.DataValue(ua.Variant(self._time()))

    def _time(self) -> datetime:
        """The server's; of a server that has no clock the beginning of time."""
        return self._site.now + timedelta(seconds=self._wire().offset) if self._site.speed == 1.0 else _NO_TIME

    async def _listen(self) -> None:
        assert self._ears is not None
        try:
            await self._ears.start()
        except OSError as error:
            await self.close()
            reason = f"choose a free port or end what uses it ({error.strerror})"
            raise OSError(f"cannot listen on {self._host} port {self._port}; {reason}") from error
        self._is_listening = True

    @property
    def is_in_use(self) -> bool:
        return not self._is_listening or (self._ears is not None and bool(self._ears.clients))

    async def follow(self) -> None:
        """Tell changes; hang up while connections are refused or the server has no power."""
        ears, wire = self._ears, self._wire()
        assert ears is not None
        is_off = wire.is_refused or wire.is_down
        if is_off and self._is_listening:
            self._is_listening = False
            await ears.stop()
            if self._server is not None:
                await _end_sessions(self._server)
        elif not is_off and not self._is_listening:
            await self._listen()
        elif not wire.is_silent:
            ears.flush()
            await self._tell()

    async def _tell(self) -> None:
        for variable, callbacks in self._callbacks:
            if callbacks and (change := variable.change()) is not None:
                for handle, told in [*callbacks.items()]:
                    await told(handle, change)

    async def close(self) -> None:
        """Hang up. Closing twice is fine."""
        server, self._server = self._server, None
        if server is not None:
            if not self._is_listening:
                server.bserver = None
            await server.stop()
            await _end_sessions(server)
        self._is_listening = False


async def _end_sessions(server: Server) -> None:
    """Those, too, whose client has gone: the library keeps them for a while, in case he comes back."""
    sessions = server.iserver._external_sessions  # pyright: ignore[reportPrivateUsage]
    for session in [*sessions.values()]:
        await session.close_session(delete_subs=True)
