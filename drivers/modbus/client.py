"""pymodbus, tamed: its errors become ours here, and it says at once what it would leave to a time-out or to the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pymodbus import exceptions as library
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerBase, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.transaction import TransactionManager

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from drivers.modbus.connection import ModbusConnection, SerialLine
from drivers.modbus.plan import Block
from drivers.modbus.rtu import LONGEST_FRAME, RtuFramer
from drivers.modbus.serial_port import SerialPort

if TYPE_CHECKING:
    from pymodbus.transport import CommParams

# pymodbus logs each failed request with its last packets at ERROR: a dead device would flood the log. What its
# messages say, our samples and exceptions say too.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

# A first SYN that is lost is repeated after 1 s (RFC 6298, 2.1), so a connection gets three times that.
CONNECT_SECONDS: Final = 3.0
# Bounds what a device may write into our texts.
_LONGEST_CAUSE: Final = 200

# Every exception class of pymodbus and what it is to us; a test compares this with the library.
LIBRARY_ERRORS: Final[Mapping[type[library.ModbusException], type[DeviceError]]] = {
    library.ModbusException: ProtocolViolation,
    library.ConnectionException: ConnectFailed,
    library.ModbusIOException: ProtocolViolation,
    library.ParameterException: ProtocolViolation,
    library.NoSuchIdException: ProtocolViolation,
    library.NotImplementedException: ProtocolViolation,
    library.MessageRegisterException: ProtocolViolation,
}


class Client(AsyncModbusTcpClient):
    """One connection or serial line, one request at a time, no repetition; it connects when it is told to."""

    def __init__(self, link: str, connection: ModbusConnection) -> None:
        super().__init__(connection.host, port=connection.port, retries=0, reconnect_delay=0)
        self._link = link
        self._timeout = connection.timeout.total_seconds()
        self.ctx = _transactions(self.comm_params, connection)
        for payload in _PAYLOADS:
            self.register(payload)

    async def open(self) -> None:
        try:
            async with asyncio.timeout(max(CONNECT_SECONDS, self._timeout)):
                self.ctx.transport, _ = await self.ctx.call_create()
        except TimeoutError as error:
            raise DeviceTimeout(self._link, "connect", "no answer") from error
        except OSError as error:
            raise ConnectFailed(self._link, "connect", error.strerror or str(error)) from error

    async def open_again(self, operation: str) -> None:
        """After the far side closed the connection while nothing was asked. Raises DeviceError, also where we did."""
        if self.ctx.is_closing:
            raise ConnectFailed(self._link, operation, "connection lost")
        await self.open()

    async def nothing_late(self, unit: int) -> None:
        """Return once no answer of the unit can come that would be taken for another."""
        await self.ctx.nothing_late(unit)

    async def answer(self, operation: str, unit: int, request: Awaitable[ModbusPDU]) -> ModbusPDU:
        """The answer to a request, be it values or an exception response. Raises DeviceError."""
        try:
            return await request
        except TimeoutError as error:
            raise DeviceTimeout(self._link, operation, f"unit {unit} does not answer") from error
        except library.ModbusException as error:
            cause = error.string.partition("] ")[2] or error.string  # the library puts its kind in front
            raise LIBRARY_ERRORS[type(error)](self._link, operation, cause[:_LONGEST_CAUSE]) from error

    # Each of these names what is asked; nothing is sent before `answer` awaits it.

    def read(self, block: Block) -> Awaitable[ModbusPDU]:
        """Answered by a Payload."""
        match block.table:
            case "coil":
                return self.read_coils(block.start, count=block.count, device_id=block.unit)
            case "discrete":
                return self.read_discrete_inputs(block.start, count=block.count, device_id=block.unit)
            case "input":
                return self.read_input_registers(block.start, count=block.count, device_id=block.unit)
            case "holding":
                return self.read_holding_registers(block.start, count=block.count, device_id=block.unit)

    def identify(self, unit: int, first_object: int) -> Awaitable[ModbusPDU]:
        """Function 43, 14: who made the device, from that object on (MODBUS Application Protocol V1.1b3, 6.21)."""
        return self.read_device_information(read_code=1, object_id=first_object, device_id=unit)

    def set_coil(self, unit: int, coil: int, *, state: bool, multiple: bool) -> Awaitable[ModbusPDU]:
        if multiple:
            return self.write_coils(coil, [state], device_id=unit)
        return self.write_coil(coil, state, device_id=unit)

    def set_registers(self, unit: int, register: int, values: Sequence[int], *, multiple: bool) -> Awaitable[ModbusPDU]:
        if multiple or len(values) > 1:
            return self.write_registers(register, [*values], device_id=unit)
        return self.write_register(register, values[0], device_id=unit)

    def set_bits(self, unit: int, register: int, *, keep: int, ones: int) -> Awaitable[ModbusPDU]:
        return self.mask_write_register(address=register, and_mask=keep, or_mask=ones, device_id=unit)


class Payload(ModbusPDU):
    """The answer to a read, left as the bytes that came: the codec turns them into values in one go.

    The library's own classes make a list of integers first, one by one, and print it for a log that nobody reads.
    """

    data: bytes

    def decode(self, data: bytes) -> None:
        size = data[0]
        if len(data) <= size:
            raise library.ModbusIOException(f"{size} bytes announced, {len(data) - 1} sent")
        self.data = data[1 : 1 + size]

    def __str__(self) -> str:
        return f"function {self.function_code}"


class _Coils(Payload):
    function_code = 1


class _DiscreteInputs(Payload):
    function_code = 2


class _HoldingRegisters(Payload):
    function_code = 3


class _InputRegisters(Payload):
    function_code = 4


_PAYLOADS: Final = (_Coils, _DiscreteInputs, _HoldingRegisters, _InputRegisters)


class _Transactions(TransactionManager):
    """One question at a time, and its answer, its error or the loss of the connection as soon as it is known.

    The library's own `execute` would repeat, reconnect and count silences towards closing the connection.
    """

    response_future: asyncio.Future[ModbusPDU]

    def __init__(self, parameters: CommParams, timeout: float, framer: FramerBase | None = None) -> None:
        framer = framer or FramerSocket(DecodePDU(False))
        super().__init__(parameters, framer, 0, False, None, None, None)  # pyright: ignore[reportUnknownMemberType]
        self.timeout = timeout
        self.response_future.cancel()  # nobody waits before the first question

    async def execute(self, no_response_expected: bool, request: ModbusPDU) -> ModbusPDU:
        """Raises TimeoutError."""
        del no_response_expected
        if not self.is_active():  # it was lost while the question waited for its turn
            raise library.ConnectionException("connection lost")
        request.transaction_id = self.getNextTID()
        self.response_future = self.loop.create_future()
        async with asyncio.timeout(self.timeout):
            self.pdu_send(request)  # pyright: ignore[reportUnknownMemberType]
            answer = await self.response_future
        if answer.function_code & 0x7F != request.function_code:
            raise library.ModbusIOException(f"function {request.function_code} answered as {answer.function_code}")
        return answer

    async def nothing_late(self, unit: int) -> None:
        """Answers say here which question they answer."""

    def callback_data(self, data: bytes, addr: tuple[Any, ...] | None = None) -> int:
        try:
            return super().callback_data(data, addr)  # pyright: ignore[reportUnknownMemberType]
        except library.ModbusException as error:
            self._fail(error)
            return len(data)

    def callback_disconnected(self, exc: Exception | None) -> None:
        super().callback_disconnected(exc)
        self._fail(library.ConnectionException("connection lost"))

    def _fail(self, error: library.ModbusException) -> None:
        if not self.response_future.done():
            self.response_future.set_exception(error)


class _RtuTransactions(_Transactions):
    """Questions whose answers do not say what they answer: what comes late must not find a question to fit.

    A unit that did not answer is given as long again before it is asked anything else; a question that was given up
    takes the connection with it.
    """

    def __init__(self, parameters: CommParams, timeout: float) -> None:
        self.rtu = RtuFramer()
        super().__init__(parameters, timeout, self.rtu)
        self.max_buffer_size = 4 * LONGEST_FRAME  # noise may come before the answer
        self._late_until: dict[int, float] = {}

    async def execute(self, no_response_expected: bool, request: ModbusPDU) -> ModbusPDU:
        unit = request.dev_id
        await self.nothing_late(unit)
        self.rtu.expect(request)
        try:
            return await super().execute(no_response_expected, request)
        except TimeoutError:
            self._late_until[unit] = self.loop.time() + self.timeout
            raise
        except asyncio.CancelledError:
            self.close()
            raise

    async def nothing_late(self, unit: int) -> None:
        wait = self._late_until.get(unit, 0.0) - self.loop.time()
        if wait > 0.0:
            await asyncio.sleep(wait)


class _LineTransactions(_RtuTransactions):
    """The same on a serial line: silence before each frame, and time for the characters to pass."""

    def __init__(self, parameters: CommParams, timeout: float, line: SerialLine) -> None:
        super().__init__(parameters, timeout)
        self._line = line
        self._patience = timeout
        self._quiet_since = self.loop.time()
        self.call_create = self._open

    async def _open(self) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        return SerialPort(self._line, self), self

    async def execute(self, no_response_expected: bool, request: ModbusPDU) -> ModbusPDU:
        asked = len(request.encode()) + 4
        self.timeout = self._patience + self._line.seconds_of(asked + self.rtu.expect(request))
        async with asyncio.timeout(self.timeout):  # a unit that babbles is as bad as a silent one
            await self._silence()
        self._quiet_since = self.loop.time() + self._line.seconds_of(asked)
        return await super().execute(no_response_expected, request)

    async def _silence(self) -> None:
        while True:
            wait = self._quiet_since + self._line.frame_gap - self.loop.time()
            if wait <= 0.0:
                return
            await asyncio.sleep(wait)

    def data_received(self, data: bytes) -> None:
        self._quiet_since = self.loop.time()
        super().data_received(data)


def _transactions(parameters: CommParams, connection: ModbusConnection) -> _Transactions:
    timeout = connection.timeout.total_seconds()
    if connection.line is not None:
        return _LineTransactions(parameters, timeout, connection.line)
    return _RtuTransactions(parameters, timeout) if connection.is_rtu else _Transactions(parameters, timeout)
