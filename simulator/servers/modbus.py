"""The simulated site over Modbus TCP: a server for each link, with the register map of the driver's bindings."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus.address import Table
from simulator.faults.wire import WELL
from simulator.servers.link import ModbusLink
from simulator.servers.modbus_unit import BIT_TABLES, TABLES, Unit, units_of
from simulator.servers.served_site import ServedSite

# pymodbus logs a client that leaves before its answer at ERROR with its last packets, and a port that is taken beside
# our own exception.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

_EVERY_UNIT = 0  # pymodbus: the device that answers for units without one of their own
Connected: TypeAlias = Callable[[bool], None]


class _Device:
    """A unit as pymodbus wants to have it."""

    def __init__(self, unit: Unit, site: ServedSite) -> None:
        self._unit = unit
        self._site = site

    def simulated(self, number: int) -> SimDevice:
        coils, discretes = self._bits("coil"), self._bits("discrete")
        simdata = ([coils], [discretes], self._registers("holding"), self._registers("input"))
        return SimDevice(id=number, simdata=simdata, action=self._answer)

    def _bits(self, table: Table) -> SimData:
        last = max(self._unit.registers(table), default=0)
        return SimData(0, values=[False] * (last + 1), datatype=DataType.BITS)

    def _registers(self, table: Table) -> list[SimData]:
        registers = self._unit.registers(table)
        return [SimData(register, datatype=DataType.REGISTERS) for register in registers] or [SimData(0)]

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
        table = TABLES[function]
        if not self._unit.has(table, address):
            return ExcCodes.ILLEGAL_ADDRESS
        if values is not None:
            refused = self._unit.take(table, address, values)
            return ExcCodes(refused) if refused else None
        if table in BIT_TABLES:
            self._unit.show_bits(table, start, address, count, current)
        else:
            self._unit.show_registers(table, start, address, count, current)
        return None


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
        self, devices: list[SimDevice], units: Mapping[int, Unit], address: tuple[str, int], connected: Connected
    ) -> None:
        super().__init__(devices, address=address, trace_connect=connected)
        self.units = units

    def callback_new_connection(self) -> _Connection:
        return _Connection(self, self.trace_packet, self.trace_pdu, self.trace_connect)


class ModbusLinkServer:
    """One TCP port with the devices of one link behind it."""

    def __init__(self, site: ServedSite, link: ModbusLink) -> None:
        """Raises NotServable where a binding names what the site does not have."""
        self._units = units_of(site, link.bindings)
        self._devices = [_Device(unit, site).simulated(number) for number, unit in self._units.items()]
        if _EVERY_UNIT not in self._units:
            everything = SimData(0, count=65536, datatype=DataType.REGISTERS)
            self._devices.append(SimDevice(id=_EVERY_UNIT, simdata=everything, action=_no_such_unit))
        self._server: _Server | None = None
        self._place = (link.host, link.port)
        self._clients = 0

    async def open(self) -> int:
        """Listen; port 0 takes a free one, and keeps it. Raises OSError where that is impossible."""
        host, port = self._place
        server = _Server(self._devices, self._units, self._place, self._connected)
        if not await server.listen():
            raise OSError(f"cannot listen on {host} port {port}; choose a free port or end what uses it")
        self._server = server
        sockets = server.transport.sockets  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        taken = int(sockets[0].getsockname()[1])  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        self._place = (host, taken)
        return taken

    @property
    def is_in_use(self) -> bool:
        return bool(self._clients) or self._server is None

    async def follow(self) -> None:
        """Stop listening while connections are refused, and listen again at the same place afterwards."""
        is_refused = any(unit.wire.is_refused for unit in self._units.values())
        if is_refused and self._server is not None:
            await self.close()
        elif not is_refused and self._server is None:
            await self.open()

    async def close(self) -> None:
        """Stop listening and hang up. Closing twice is fine."""
        if self._server is not None:
            await self._server.shutdown()
            self._server = None

    def _connected(self, connected: bool) -> None:
        self._clients += 1 if connected else -1
