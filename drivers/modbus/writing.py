"""Values to coils and registers, one after the other, by the function that each wants."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from controller.core.errors import DeviceError
from controller.core.point import PointId
from controller.core.ports import WriteResult
from controller.core.sample import Scalar
from drivers.limits import why_refused
from drivers.modbus.address import ModbusAddress
from drivers.modbus.client import Payload
from drivers.modbus.codec import CannotEncode, encode_bit, encode_flag, encode_registers
from drivers.modbus.exchange import ILLEGAL_FUNCTION, Exchange, Refusal, UnitSilent
from drivers.modbus.plan import ModbusBinding

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU


_COIL_ON: Final = 0xFF00


class Writer:
    def __init__(self, exchange: Exchange, bindings: Mapping[PointId, ModbusBinding]) -> None:
        self._exchange = exchange
        self._bindings = bindings
        self.forget()

    def forget(self) -> None:
        self._without_mask_write: set[int] = set()

    async def send(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """Nothing is raised: what a lost link left unwritten is not accepted, with the reason."""
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
            except UnitSilent as error:
                reasons[point] = silent[unit] = str(error)
            except DeviceError as error:
                reasons[point] = str(error)
        return {point: WriteResult(not reason, reason) for point, reason in reasons.items()}

    async def _write_one(self, binding: ModbusBinding, value: Scalar | None) -> str:
        """Why the value was not taken; empty where it was."""
        address = binding.address
        if value is None:
            return "Modbus has nothing to relinquish to: declare a remote bit or a safe value"
        if reason := why_refused(binding.point, value) or self._exchange.why_not_written(address.unit):
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
        answer = await self._exchange.ask(
            "write", unit, lambda client: client.set_coil(unit, coil, state=state, multiple=multiple)
        )
        return _reason(answer, coil, 1 if multiple else _COIL_ON * state)

    async def _write_registers(self, address: ModbusAddress, words: Sequence[int]) -> str:
        async with self._exchange.turn(address.unit):
            return await self._set_registers(address, words)

    async def _write_bit(self, address: ModbusAddress, value: Scalar) -> str:
        """Function 22 changes one bit where its neighbours cannot change meanwhile: in the device.

        Where a device lacks it, the register is read, changed and written back, with no other request of ours between.
        """
        unit, register, mask = address.unit, address.register, encode_bit(address, value)
        async with self._exchange.turn(unit):
            if unit not in self._without_mask_write:
                answer = await self._exchange.ask_in_turn(
                    "write", unit, lambda client: client.set_bits(unit, register, keep=mask.keep, ones=mask.set)
                )
                if not isinstance(answer, Refusal) or answer.code != ILLEGAL_FUNCTION:
                    return _reason(answer, register, mask.keep, mask.set)
                self._without_mask_write.add(unit)
            answer = await self._exchange.ask_in_turn(
                "read", unit, lambda client: client.read_holding_registers(register, count=1, device_id=unit)
            )
            if isinstance(answer, Refusal):
                return answer.reason
            if not isinstance(answer, Payload) or len(answer.data) != 2:
                return "short answer: the register could not be read before changing its bit"
            changed = mask.applied(int.from_bytes(answer.data, "big"))
            return await self._set_registers(address, (changed,))

    async def _set_registers(self, address: ModbusAddress, words: Sequence[int]) -> str:
        unit, register, multiple = address.unit, address.register, address.write_multiple
        answer = await self._exchange.ask_in_turn(
            "write", unit, lambda client: client.set_registers(unit, register, words, multiple=multiple)
        )
        return _reason(answer, register, len(words) if multiple or len(words) > 1 else words[0])


def _reason(answer: ModbusPDU | Refusal, *echo: int) -> str:
    """Why it was not taken: refused, or the device repeats another place, value or number of values than was sent."""
    if isinstance(answer, Refusal):
        return answer.reason
    said = answer.encode()
    if said == struct.pack(f">{len(echo)}H", *echo):
        return ""
    return f"the device took something else: it answers {said.hex(' ', 2)}"
