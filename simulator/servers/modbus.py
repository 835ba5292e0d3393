"""The simulated site over Modbus TCP: a server for each link, with the register map of the driver's bindings."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from controller.core.point import Binding
from drivers.modbus.address import ModbusAddress, Table
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.servers.registers import in_other_words, registers_of, value_of
from simulator.tags import TAGS, Tag

# pymodbus logs a client that leaves before its answer at ERROR with its last packets, and a port that is taken beside
# our own exception.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

# MODBUS Application Protocol Specification V1.1b3, section 6: which table a function code works on.
_TABLES: dict[int, Table] = {
    **dict.fromkeys((1, 5, 15), "coil"),
    2: "discrete",
    4: "input",
    **dict.fromkeys((3, 6, 16, 22, 23), "holding"),
}
_EVERY_UNIT = 0  # pymodbus: the device that answers for units without one of their own
_BITS_PER_WORD = 16
Connected: TypeAlias = Callable[[bool], None]


class ServedSite(Protocol):
    """What a server needs of the site behind it."""

    def tag(self, name: str) -> Tag:
        """Raises KeyError for a name that is no tag."""
        ...

    def refresh(self) -> None:
        """Let the site catch up with its clock; called once before each request."""
        ...

    def read(self, name: str) -> Value | None:
        """None where the instrument gives no reading."""
        ...

    def write(self, name: str, value: Value) -> None: ...

    def wire(self, name: str) -> Wire:
        """How the device behind a point answers now."""
        ...

    @property
    def has_reading_faults(self) -> bool:
        """Whether anything is read otherwise than it is."""
        ...


class _Place(NamedTuple):
    name: str
    tag: Tag
    address: ModbusAddress


@dataclass(slots=True)
class _Map:
    """Places of one table of one unit by the registers or bits they take; several bits may share a register."""

    places: dict[int, list[_Place]] = field(default_factory=lambda: {})

    def add(self, place: _Place) -> None:
        for register in range(place.address.register, place.address.register + place.address.words):
            self.places.setdefault(register, []).append(place)

    def within(self, start: int, count: int) -> list[_Place]:
        """Every place that any of these registers belongs to, once."""
        found = {
            id(place): place for register in range(start, start + count) for place in self.places.get(register, ())
        }
        return list(found.values())


class _Unit:
    """One Modbus device: answers requests with live values and hands written ones to the site."""

    def __init__(self, number: int, site: ServedSite) -> None:
        self._number = number
        self._site = site
        self._point = ""
        self._maps: dict[Table, _Map] = {"coil": _Map(), "discrete": _Map(), "input": _Map(), "holding": _Map()}

    def add(self, place: _Place) -> None:
        self._maps[place.address.table].add(place)
        if place.name in TAGS:  # a device's clock shares its wire, and no fault names it
            self._point = place.name

    def device(self) -> SimDevice:
        coils, discretes = self._bits("coil"), self._bits("discrete")
        simdata = ([coils], [discretes], self._registers("holding"), self._registers("input"))
        return SimDevice(id=self._number, simdata=simdata, action=self._answer)

    def _bits(self, table: Table) -> SimData:
        last = max(self._maps[table].places, default=0)
        return SimData(0, values=[False] * (last + 1), datatype=DataType.BITS)

    def _registers(self, table: Table) -> list[SimData]:
        places = sorted(self._maps[table].places)
        return [SimData(register, datatype=DataType.REGISTERS) for register in places] or [SimData(0)]

    async def _answer(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """pymodbus asks before it answers: bring `current` up to date, or take the values written."""
        self._site.refresh()
        table = _TABLES[function]
        mapped = self._maps[table]
        if address not in mapped.places:
            return ExcCodes.ILLEGAL_ADDRESS
        if values is not None:
            return self._take(mapped, address, values)
        if table in ("coil", "discrete"):
            self._show_bits(mapped, start, address, count, current)
        else:
            self._show_registers(mapped, start, address, count, current)
        return None

    # --- what is wrong ------------------------------------------------------------------------------------------------

    @property
    def wire(self) -> Wire:
        """How the device answers now."""
        return self._site.wire(self._point)

    def has_no_reading(self, function: int, address: int, count: int) -> bool:
        """Whether something that is asked for cannot be told now."""
        table = _TABLES.get(function)
        if table is None or not self._site.has_reading_faults:
            return False
        return any(self._site.read(place.name) is None for place in self._maps[table].within(address, count))

    def _spelling(self, where: ModbusAddress) -> ModbusAddress:
        return in_other_words(where) if self.wire.has_other_words else where

    # --- reading ----------------------------------------------------------------------------------------------------

    def _show_bits(self, mapped: _Map, start: int, address: int, words: int, current: list[int]) -> None:
        first_word = address // _BITS_PER_WORD
        for word in range(first_word, first_word + words):
            bits = 0
            for bit in range(_BITS_PER_WORD):
                for place in mapped.places.get(word * _BITS_PER_WORD + bit, ()):
                    bits |= bool(self._site.read(place.name)) << bit
            current[word - start] = bits

    def _show_registers(self, mapped: _Map, start: int, address: int, count: int, current: list[int]) -> None:
        for place in mapped.within(address, count):
            where = place.address
            value = self._site.read(place.name) or 0
            if where.bit is None:
                begin = where.register - start
                current[begin : begin + where.words] = registers_of(self._spelling(where), value)
            else:
                mask = 1 << _bit_position(where, where.bit)
                kept = current[where.register - start] & ~mask
                current[where.register - start] = kept | (mask if value else 0)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _take(self, mapped: _Map, address: int, values: Sequence[int | bool]) -> ExcCodes | None:
        """All or nothing: every place must be whole, writable and of a value that the device accepts."""
        end = address + len(values)
        if any(register not in mapped.places for register in range(address, end)):
            return ExcCodes.ILLEGAL_ADDRESS
        wanted: list[tuple[str, Value]] = []
        for name, tag, where in mapped.within(address, len(values)):
            whole = address <= where.register and where.register + where.words <= end
            if not (whole and tag.writable and where.can_write):
                return ExcCodes.ILLEGAL_ADDRESS
            raw = values[where.register - address : where.register - address + where.words]
            try:
                wanted.append((name, tag.checked(_written(tag, self._spelling(where), raw))))
            except ValueError:
                return ExcCodes.ILLEGAL_VALUE
        for name, value in wanted:
            self._site.write(name, value)
        return None


def _written(tag: Tag, where: ModbusAddress, raw: Sequence[int | bool]) -> Value:
    """The value that written bits or registers mean to a tag."""
    if where.table == "coil":
        return bool(raw[0])
    if where.bit is not None:
        return bool(int(raw[0]) >> _bit_position(where, where.bit) & 1)
    value = value_of(where, [int(word) for word in raw])
    if tag.kind is bool:
        return value != 0
    return int(value) if tag.kind is int and value == int(value) else value


def _bit_position(where: ModbusAddress, bit: int) -> int:
    """Bit 0 is the least significant of the value; swapped bytes move it."""
    return bit if where.byte_order == "big" else bit ^ 8


async def _no_such_unit(
    function: int, start: int, address: int, count: int, current: list[int], values: list[int] | list[bool] | None
) -> ExcCodes | None:
    """What a gateway answers for a unit that nobody has."""
    return ExcCodes.GATEWAY_NO_RESPONSE


class _Connection(ServerRequestHandler):
    """A client's connection, answered as slowly as the device answers now, or not at all."""

    async def handle_request(self) -> None:
        # A client that is tired of waiting may have asked again by then; an answer says which question it answers.
        connection: Any = self
        pdu, client = connection.last_pdu, connection.last_addr
        unit = cast("_Server", self.server).units.get(pdu.dev_id) if pdu else None
        wire = WELL if unit is None else unit.wire
        if wire.is_silent or wire.is_refused:
            return
        if wire.delay > 0.0:
            await asyncio.sleep(wire.delay)
            if not self.is_active():
                return
        connection.last_pdu, connection.last_addr = pdu, client
        if unit is not None and unit.has_no_reading(pdu.function_code, pdu.address, getattr(pdu, "count", 0)):
            refusal = ExceptionResponse(pdu.function_code, ExcCodes.DEVICE_FAILURE, pdu.dev_id, pdu.transaction_id)
            connection.server_send(refusal, client)
            return
        await super().handle_request()


class _Server(ModbusTcpServer):
    def __init__(
        self, devices: list[SimDevice], units: Mapping[int, _Unit], address: tuple[str, int], connected: Connected
    ) -> None:
        super().__init__(devices, address=address, trace_connect=connected)
        self.units = units

    def callback_new_connection(self) -> _Connection:
        return _Connection(self, self.trace_packet, self.trace_pdu, self.trace_connect)


class ModbusLinkServer:
    """One TCP port with the devices of one link behind it. `clients` is the number of open connections."""

    def __init__(self, site: ServedSite, bindings: Iterable[Binding[ModbusAddress]]) -> None:
        units: dict[int, _Unit] = {}
        unknown: list[str] = []
        for binding in bindings:
            address = binding.address
            try:
                place = _Place(binding.point.id, site.tag(binding.point.id), address)
            except KeyError:
                unknown.append(binding.point.id)
                continue
            units.setdefault(address.unit, _Unit(address.unit, site)).add(place)
        if unknown:
            raise ValueError(f"the simulated site has no {', '.join(sorted(unknown))}; bind only points that it has")
        self._devices = [unit.device() for unit in units.values()]
        if _EVERY_UNIT not in units:
            everything = SimData(0, count=65536, datatype=DataType.REGISTERS)
            self._devices.append(SimDevice(id=_EVERY_UNIT, simdata=everything, action=_no_such_unit))
        self._units = units
        self._server: _Server | None = None
        self._place = ("", 0)
        self.clients = 0

    async def open(self, host: str, port: int) -> int:
        """Listen; port 0 takes a free one. Returns the port. Raises OSError where that is impossible."""
        server = _Server(self._devices, self._units, (host, port), self._connected)
        if not await server.listen():
            raise OSError(f"cannot listen on {host} port {port}; choose a free port or end what uses it")
        self._server = server
        sockets = server.transport.sockets  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        taken = int(sockets[0].getsockname()[1])  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        self._place = (host, taken)
        return taken

    @property
    def is_refusing(self) -> bool:
        return self._server is None

    async def follow_wire(self) -> None:
        """Stop listening while connections are refused, and listen again at the same place afterwards."""
        is_refused = any(unit.wire.is_refused for unit in self._units.values())
        if is_refused and self._server is not None:
            await self.close()
        elif not is_refused and self._server is None:
            await self.open(*self._place)

    async def close(self) -> None:
        """Stop listening and hang up. Closing twice is fine."""
        if self._server is not None:
            await self._server.shutdown()
            self._server = None

    def _connected(self, connected: bool) -> None:
        self.clients += 1 if connected else -1
