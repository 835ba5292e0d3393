"""The simulated site as an OPC UA server: typed variables with status codes and times, on asyncua's server.

Source: OPC UA Part 4, 5.11 (reading and writing) and 7.39 (status codes). Without security: whoever reaches the port
may write. Times are told at real speed only: in a faster simulation the way of a message is minutes of plant time.
"""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.server.address_space import AttributeService
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.server import Server
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from drivers.opcua.address import OpcuaAddress
from simulator.faults.wire import Wire
from simulator.gateway import Value
from simulator.servers.link import OpcuaLink
from simulator.servers.raw import raw_of, value_of
from simulator.servers.served_site import NotServable, Place, ServedSite, places, wire_of

logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # it logs every client that leaves, with a traceback

OpcuaPlace: TypeAlias = Place[OpcuaAddress]

_CURRENT_TIME: Final = 2258
_LOOK_AGAIN_S: Final = 0.1
_OWN_NAMESPACES: Final = 2  # the standard's, and the server's own
_NO_TIME: Final = datetime(1601, 1, 1, tzinfo=UTC)  # Part 6, 5.2.2.5
_CODES: Final = StatusCodes


class Variable:
    """One tag of the site as a node. wire: how its device answers."""

    def __init__(self, place: OpcuaPlace, site: ServedSite, wire: Callable[[], Wire]) -> None:
        """Raises NotServable for an address that the simulated server has not."""
        name = place.address.name
        if place.address.states or (not name.uri and name.space == 0):
            raise NotServable(f"{place.name}: the simulated server has no node {place.address.node} with such a value")
        self.place = place
        self._site = site
        self._wire = wire
        self.type = _type_of(place)
        self._told: tuple[Value | None, int] | None = None

    def data(self) -> ua.DataValue:
        """As it is now."""
        value, code = self._reading()
        if value is None:
            return ua.DataValue(StatusCode=_status(code))
        raw = raw_of(value, self.place.address.scale, self.place.address.offset)
        spelt = float(raw) if self.type is ua.VariantType.Double else raw
        return ua.DataValue(ua.Variant(spelt, self.type), _status(code), _any(self._time()))

    def asked(self, node: ua.NodeId, attribute: AttributeIds) -> ua.DataValue:
        """As the library asks for it."""
        del node, attribute
        return self.data()

    def _reading(self) -> tuple[Value | None, int]:
        if self._wire().is_silent:
            return None, _CODES.BadNoCommunication
        value = self._site.read(self.place.name)
        return value, _CODES.BadSensorFailure if value is None else _CODES.Good

    def _time(self) -> Any:
        if self._site.speed != 1.0:
            return None
        return self._site.now + timedelta(seconds=self._wire().offset)

    def change(self) -> ua.DataValue | None:
        """What there is to tell since the last time; None for nothing new."""
        reading = self._reading()
        if reading == self._told:
            return None
        self._told = reading
        return self.data()

    def write(self, data: ua.DataValue) -> int:
        """A status code."""
        if not self.place.tag.writable:
            return _CODES.BadNotWritable
        if data.Value is None or data.Value.is_array or data.Value.VariantType is not self.type:
            return _CODES.BadTypeMismatch
        try:
            value = value_of(
                self.place.tag, _any(data.Value.Value), self.place.address.scale, self.place.address.offset
            )
        except ValueError:
            return _CODES.BadOutOfRange
        self._site.write(self.place.name, value)
        return _CODES.Good


def _type_of(place: OpcuaPlace) -> ua.VariantType:
    if place.tag.kind is bool:
        return ua.VariantType.Boolean
    is_whole = place.tag.kind is int and place.address.scale == 1.0 and place.address.offset == 0.0
    return ua.VariantType.Int64 if is_whole else ua.VariantType.Double


class _Attributes(AttributeService):
    """What is written to a variable of the site is for the site to take or to refuse."""

    def __init__(self, server: Server, variables: Mapping[ua.NodeId, Variable], site: ServedSite) -> None:
        super().__init__(server.iserver.aspace)
        self._variables = variables
        self._site = site

    def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        self._site.refresh()
        return super().read(params)

    async def write(self, params: ua.WriteParameters, user: Any = None) -> list[ua.StatusCode]:
        del user
        self._site.refresh()
        return [self._written(wish) for wish in params.NodesToWrite]

    def _written(self, wish: ua.WriteValue) -> ua.StatusCode:
        variable = self._variables.get(wish.NodeId)
        if variable is None or wish.AttributeId != AttributeIds.Value:
            return _status(_CODES.BadNotWritable)
        data = wish.Value
        assert data is not None
        return _status(variable.write(data))


class _Line:
    """A connection's way out. While the server hangs nothing leaves; it does once the server is well again."""

    def __init__(self, transport: asyncio.BaseTransport, is_silent: Callable[[], bool]) -> None:
        self._transport: Any = transport
        self._is_silent = is_silent
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._held.append(data)
        self.flush()

    def flush(self) -> None:
        if self._held and not self._is_silent():
            held, self._held = self._held, []
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Processor(UaProcessor):
    """Notifications carry the site's time, too."""

    clock: Callable[[], datetime]

    async def forward_publish_response(self, result: ua.PublishResult, requestdata: Any) -> None:
        notification: Any = result.NotificationMessage
        notification.PublishTime = self.clock()
        await super().forward_publish_response(result, requestdata)


class _Connection(OPCUAProtocol):
    """Answers as slowly as the server answers now."""

    def __init__(self, wire: Callable[[], Wire], clock: Callable[[], datetime], **given: Any) -> None:
        super().__init__(**given)
        self._wire = wire
        self._clock = clock
        self.line: _Line | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.line = _Line(transport, lambda: self._wire().is_silent)
        super().connection_made(_any(self.line))
        processor = self.processor = _Processor(self.iserver, self.line, self.limits)
        processor.clock = self._clock
        processor.set_policies(self.policies)

    async def _process_one_msg(self, header: Any, buf: Any) -> bool:
        while self._wire().is_silent:  # noqa: ASYNC110 (the fault ends by the plant's time, and tells nobody)
            await asyncio.sleep(_LOOK_AGAIN_S)
        if self._wire().delay > 0.0:
            await asyncio.sleep(self._wire().delay)
        return await super()._process_one_msg(header, buf)


class _Ears(BinaryServer):
    """The port."""

    def __init__(
        self, server: Server, place: tuple[str, int], wire: Callable[[], Wire], clock: Callable[[], datetime]
    ) -> None:
        super().__init__(server.iserver, *place, server.limits)
        self._wire = wire
        self._clock = clock
        self.set_policies(server._policies)  # pyright: ignore[reportPrivateUsage]

    def _make_protocol(self) -> OPCUAProtocol:
        return _Connection(
            self._wire,
            self._clock,
            iserver=self.iserver,
            policies=self._policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )

    def flush(self) -> None:
        for client in self.clients:
            if isinstance(client, _Connection) and client.line is not None:
                client.line.flush()


class OpcuaLinkServer:
    """One server with the devices of one link as folders."""

    def __init__(self, site: ServedSite, link: OpcuaLink) -> None:
        """Raises NotServable where a binding names what the site does not have, or what the server cannot be."""
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
        self._server: Server | None = None
        self._ears: _Ears | None = None
        self._is_listening = False

    def _wire(self) -> Wire:
        """How the server answers: what is wrong with some of its devices only, their variables say."""
        wires = [wire_of(self._site, own) for own in self._devices.values()]
        well = next((wire for wire in wires if not wire.is_silent), None)
        return wires[0] if well is None else well._replace(delay=min(wire.delay for wire in wires))

    async def open(self) -> int:
        """Raises OSError where the port cannot be had."""
        server = self._server = await self._made()
        self._ears = _Ears(server, (self._host, self._port), self._wire, self._time)
        server.bserver = self._ears
        await self._listen()
        return self._port

    async def _made(self) -> Server:
        server = Server()
        await server.init()
        server.iserver.disabled_clock = True  # the site has a clock of its own
        server.set_endpoint(self._url)
        server.set_server_name("Tidewatt simulator")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        nodes = await self._fill(server)
        time = ua.NodeId(_any(_CURRENT_TIME))
        server.iserver.aspace.set_attribute_value_callback(time, AttributeIds.Value, self._time_of_day)
        await server._setup_server_nodes()  # pyright: ignore[reportPrivateUsage]
        await server.iserver.start()
        server.iserver.attribute_service = _Attributes(server, nodes, self._site)
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
            first = ua.Variant(_FIRST[variable.type], variable.type)
            title = ua.QualifiedName(place.name, _any(own))
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
            return ua.DataValue(StatusCode=_status(_CODES.BadNotSupported))
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
        self._is_listening = False


_FIRST: Final[Mapping[ua.VariantType, Any]] = {
    ua.VariantType.Boolean: False,
    ua.VariantType.Int64: 0,
    ua.VariantType.Double: 0.0,
}


def _status(code: int) -> ua.StatusCode:
    return ua.StatusCode(_any(code))


def _any(value: object) -> Any:
    """The library's annotations want its own number types; its code takes Python's."""
    return value
