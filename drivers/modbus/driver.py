"""One Modbus TCP connection and the units behind it.

Trouble with a value or a unit is a BAD sample; only a lost link raises. Nothing here reconnects: who opened the driver
closes it and opens it again, with back-off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from controller.core.point import PointId
from controller.core.ports import Clock, WriteResult
from controller.core.sample import Sample, Scalar, bad
from drivers.limits import why_refused
from drivers.modbus.address import BIT_TABLES, EVERY_UNIT, ModbusAddress
from drivers.modbus.client import Client, Payload
from drivers.modbus.codec import BlockDecoder, CannotEncode, encode_bit, encode_flag, encode_registers
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.plan import Block, ModbusBinding, plan_reads, rejoin, split

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

# So many requests in a row without a usable answer while no unit answers, and the connection itself is given up: a
# device that was switched off and on again does not know our connection and may never say so. One that has never
# answered is given up at once.
FRUITLESS_LIMIT: Final = 3
# A unit that does not answer costs its neighbours a time-out whenever it is asked: it rests for 1 s, then doubling.
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
# How often a value that the device refused is tried again, in seconds.
REFUSED_AGAIN: Final = 60.0

# MODBUS Application Protocol Specification V1.1b3, 7.
_EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
_ILLEGAL_FUNCTION: Final = 1
# The block may hold good values beside the one that the device objects to.
_DIVISIBLE: Final = frozenset({2, 3, 4})
# The gateway says that the unit behind it is silent.
_SILENT: Final = frozenset({10, 11})


class Refusal(NamedTuple):
    """The device answered, but with no values. divisible: parts of the block may still be had."""

    reason: str
    divisible: bool = False
    code: int = 0


class _UnitSilent(Exception):
    """One unit did not answer; the link lives."""


class _Refused(NamedTuple):
    """A value that the device does not give, and the wire time at which to try again."""

    again: float
    block: Block
    reason: str


@dataclass(frozen=True, slots=True)
class _Learned:
    """What is known of a block that was refused as a whole: the pieces that work and the values that do not."""

    pieces: tuple[Block, ...]
    refused: deque[_Refused]


class _Silence(NamedTuple):
    """A unit that did not answer: the wire time until which it is not asked, and for how long next time."""

    until: float
    next_rest: float


class ModbusDriver:
    def __init__(
        self, link: str, connection: ModbusConnection, bindings: Sequence[ModbusBinding], clock: Clock
    ) -> None:
        self._link = link
        self._connection = connection
        self._clock = clock
        self._bindings = {binding.point.id: binding for binding in bindings}
        self._blocks = plan_reads(bindings)
        self._decoders: dict[Block, BlockDecoder] = {}
        self._wanted: dict[frozenset[PointId], tuple[Block, ...]] = {}
        self._units = frozenset(binding.address.unit for binding in bindings)
        self._turn = asyncio.Lock()
        self._client: Client | None = None
        self._forget()

    def _forget(self) -> None:
        """What was learned holds for one connection: the device behind the next may be another."""
        self._learned: dict[Block, _Learned] = {}
        self._silent: dict[int, _Silence] = {}
        self._without_mask_write: set[int] = set()
        self._fruitless = 0
        self._heard = False
        self._last_error: DeviceError | None = None

    # --- the connection -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._close()
        self._forget()
        client = Client(self._link, self._connection)
        await client.open()
        self._client = client
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        asked = frozenset(points)
        samples: dict[PointId, Sample] = {}
        silent: dict[int, str] = {}
        for block in self._blocks_for(asked):
            reason = silent.get(block.unit) or self._resting_reason(block.unit)
            if not reason:
                try:
                    await self._read_block(block, samples)
                except _UnitSilent as error:
                    reason = silent[block.unit] = str(error)
            if reason:
                self._spoil(block, reason, samples)
        self._give_up_if_dead()
        if samples.keys() == asked:
            return samples
        return {point: samples.get(point) or self._bad("no such point on this link") for point in asked}

    def _blocks_for(self, asked: frozenset[PointId]) -> tuple[Block, ...]:
        """The planned blocks that bring all the points asked for."""
        blocks = self._wanted.get(asked)
        if blocks is None:
            if len(self._wanted) >= 100:  # whole devices come again and again, single read-backs now and then
                self._wanted.clear()
            blocks = self._wanted[asked] = tuple(
                block for block in self._blocks if any(binding.point.id in asked for binding in block.bindings)
            )
        return blocks

    async def _read_block(self, block: Block, samples: dict[PointId, Sample]) -> None:
        """Every value of the block, in one request or in the pieces that the device is known to accept."""
        learned = self._learned.get(block)
        if learned is None:
            refusal = await self._read_piece(block, samples)
            if refusal is not None and refusal.divisible and len(block.bindings) > 1:
                await self._learn(block, samples)
            return
        for refused in learned.refused:
            self._spoil(refused.block, refused.reason, samples)
        for piece in learned.pieces:
            refusal = await self._read_piece(piece, samples)
            if refusal is not None and refusal.divisible:
                await self._learn(block, samples)
                return
        await self._try_refused(block, learned, samples)

    async def _learn(self, block: Block, samples: dict[PointId, Sample]) -> None:
        """Halve the block until every piece is accepted or is one refused value. Remembered until the link is reopened.

        A refusal that says nothing of the place (the device is busy) ends the search, and nothing is remembered.
        """
        self._learned.pop(block, None)
        accepted: list[Block] = []
        refused: deque[_Refused] = deque()
        pending = [*split(block)]
        while pending:
            piece = pending.pop()
            refusal = await self._read_piece(piece, samples)
            if refusal is None:
                accepted.append(piece)
            elif not refusal.divisible:
                return
            elif len(piece.bindings) > 1:
                pending.extend(split(piece))
            else:
                refused.append(_Refused(self._clock.wire_time() + REFUSED_AGAIN, piece, refusal.reason))
        self._learned[block] = _Learned(rejoin(accepted), refused)

    async def _try_refused(self, block: Block, learned: _Learned, samples: dict[PointId, Sample]) -> None:
        """Ask again for at most one refused value; once one is there, the block is tried as a whole next time."""
        wire_time = self._clock.wire_time()
        if not learned.refused or learned.refused[0].again > wire_time:
            return
        hole = learned.refused.popleft().block
        refusal = await self._read_piece(hole, samples)
        if refusal is None:
            del self._learned[block]
        else:
            learned.refused.append(_Refused(wire_time + REFUSED_AGAIN, hole, refusal.reason))

    async def _read_piece(self, block: Block, samples: dict[PointId, Sample]) -> Refusal | None:
        """One request; its samples, or why there are none."""
        async with self._turn:
            answer = await self._exchange("read", block.unit, lambda client: client.read(block))
        refusal = answer if isinstance(answer, Refusal) else self._decode(block, answer, samples)
        if refusal is not None:
            self._spoil(block, refusal.reason, samples)
        return refusal

    def _decode(self, block: Block, answer: ModbusPDU, samples: dict[PointId, Sample]) -> Refusal | None:
        data = answer.data if isinstance(answer, Payload) else b""
        expected = (block.count + 7) // 8 if block.table in BIT_TABLES else 2 * block.count
        if len(data) != expected:  # some servers answer a read beyond their map with success and no registers
            wrong = "short" if len(data) < expected else "long"
            return Refusal(f"{wrong} answer: {len(data)} of {expected} bytes", divisible=True)
        decoder = self._decoders.get(block)
        if decoder is None:
            decoder = self._decoders[block] = BlockDecoder(block)
        decoder.decode(data, self._clock.now(), self._clock.monotonic(), samples)
        return None

    def _spoil(self, block: Block, reason: str, samples: dict[PointId, Sample]) -> None:
        sample = self._bad(reason)
        for binding in block.bindings:
            samples[binding.point.id] = sample

    def _bad(self, reason: str) -> Sample:
        return bad(reason, self._clock.now(), self._clock.monotonic())

    # --- writing ------------------------------------------------------------------------------------------------------

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """One after the other. Nothing is raised: what a lost link left unwritten is not accepted, with the reason."""
        reasons: dict[PointId, str] = {}
        silent: dict[int, str] = {}
        for point, value in values.items():
            binding = self._bindings.get(point)
            if binding is None:
                reasons[point] = "no such point on this link"
                continue
            unit = binding.address.unit
            try:
                reasons[point] = silent.get(unit) or await self._write_one(binding, value)
            except _UnitSilent as error:
                reasons[point] = silent[unit] = str(error)
            except DeviceError as error:
                reasons[point] = str(error)
        return {point: WriteResult(not reason, reason) for point, reason in reasons.items()}

    async def _write_one(self, binding: ModbusBinding, value: Scalar | None) -> str:
        """Why the value was not taken; empty where it was."""
        address = binding.address
        if value is None:
            return "Modbus has nothing to relinquish to: declare a remote bit or a safe value"
        if reason := why_refused(binding.point, value):
            return reason
        try:
            match address.table:
                case "coil":
                    return await self._write_coil(address, value)
                case "holding" if address.type == "bool":
                    return await self._write_bit(address, value)
                case "holding":
                    return await self._write_registers(address, encode_registers(address, value))
                case _:
                    return f"the {address.table} table cannot be written"
        except CannotEncode as error:
            return str(error)

    async def _write_coil(self, address: ModbusAddress, value: Scalar) -> str:
        unit, coil, state, multiple = address.unit, address.register, encode_flag(value), address.write_multiple
        async with self._turn:
            return _reason(
                await self._exchange("write", unit, lambda c: c.set_coil(unit, coil, state=state, multiple=multiple))
            )

    async def _write_registers(self, address: ModbusAddress, words: Sequence[int]) -> str:
        async with self._turn:
            return _reason(await self._exchange_registers(address, words))

    async def _write_bit(self, address: ModbusAddress, value: Scalar) -> str:
        """Function 22 changes one bit where its neighbours cannot change meanwhile: in the device.

        Where a device lacks it, the register is read, changed and written back, with no other request of ours between.
        """
        unit, register, mask = address.unit, address.register, encode_bit(address, value)
        async with self._turn:
            if unit not in self._without_mask_write:
                answer = await self._exchange(
                    "write", unit, lambda client: client.set_bits(unit, register, keep=mask.keep, ones=mask.set)
                )
                if not isinstance(answer, Refusal) or answer.code != _ILLEGAL_FUNCTION:
                    return _reason(answer)
                self._without_mask_write.add(unit)
            answer = await self._exchange(
                "read", unit, lambda client: client.read_holding_registers(register, count=1, device_id=unit)
            )
            if not isinstance(answer, Payload):
                return _reason(answer)
            if len(answer.data) != 2:
                return "short answer: the register could not be read before changing its bit"
            changed = mask.applied(int.from_bytes(answer.data, "big"))
            return _reason(await self._exchange_registers(address, (changed,)))

    async def _exchange_registers(self, address: ModbusAddress, words: Sequence[int]) -> ModbusPDU | Refusal:
        unit, register, multiple = address.unit, address.register, address.write_multiple
        return await self._exchange("write", unit, lambda c: c.set_registers(unit, register, words, multiple=multiple))

    # --- one request --------------------------------------------------------------------------------------------------

    async def _exchange(
        self, operation: str, unit: int, request: Callable[[Client], Awaitable[ModbusPDU]]
    ) -> ModbusPDU | Refusal:
        """Ask and hear the answer. The caller holds the turn. Raises DeviceError when the link is lost or given up."""
        client = self._client
        if client is None or not client.connected:
            raise ConnectFailed(self._link, operation, "connection lost")
        if unit == EVERY_UNIT and self._connection.is_rtu:
            return Refusal("unit 0 is every device of a line, and none of them answers; give the device's own")
        try:
            answer = await client.answer(operation, unit, request(client))
        except DeviceTimeout as error:
            self._note_fruitless(unit, error)
            raise _UnitSilent("device timeout") from error
        except ProtocolViolation as error:
            self._note_fruitless(unit, error)
            return Refusal(f"garbled answer: {error.cause}")
        self._fruitless = 0
        self._heard = True
        code = answer.exception_code if answer.isError() else 0
        if code in _SILENT:
            self._let_rest(unit)
            raise _UnitSilent(f"device timeout: {_EXCEPTIONS[code]}")
        self._silent.pop(unit, None)
        if code:
            return Refusal(
                f"refused: {_EXCEPTIONS.get(code, 'unknown reason')} (exception {code})", code in _DIVISIBLE, code
            )
        return answer

    def _note_fruitless(self, unit: int, error: DeviceError) -> None:
        self._fruitless += 1
        self._last_error = error
        self._let_rest(unit)

    def _let_rest(self, unit: int) -> None:
        silence = self._silent.get(unit)
        rest = FIRST_REST if silence is None else silence.next_rest
        self._silent[unit] = _Silence(self._clock.wire_time() + rest, min(2 * rest, LONGEST_REST))

    def _resting_reason(self, unit: int) -> str:
        """Why the unit is not asked now. A unit alone on its link costs no neighbour anything and never rests."""
        silence = self._silent.get(unit)
        resting = silence is not None and len(self._units) > 1 and self._clock.wire_time() < silence.until
        return "device timeout" if resting else ""

    def _give_up_if_dead(self) -> None:
        all_silent = len(self._silent) == len(self._units)
        if all_silent and (self._fruitless >= FRUITLESS_LIMIT or not self._heard) and self._last_error is not None:
            self._close()
            raise self._last_error


def _reason(answer: ModbusPDU | Refusal) -> str:
    return answer.reason if isinstance(answer, Refusal) else ""
