"""Registers and bits to values and back. Pure.

A block's registers are unpacked in as few passes as possible: values of one word and byte order that do not overlap
share one precompiled Struct. For the four orders of a value whose bytes on the wire are b0 b1 b2 b3:

    words big,    bytes big      b0 b1 b2 b3    registers as they come, each big-endian
    words little, bytes big      b2 b3 b0 b1    registers backwards, each big-endian
    words big,    bytes little   b1 b0 b3 b2    registers as they come, each little-endian
    words little, bytes little   b3 b2 b1 b0    registers backwards, each little-endian
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple

from controller.core.point import PointId, Range, ValueType
from controller.core.sample import Quality, Sample, Scalar, as_number, bad
from drivers.limits import why_doubted
from drivers.modbus.address import BIT_TABLES, ModbusAddress, WireType
from drivers.modbus.plan import Block, ModbusBinding

_LETTERS: Final[dict[WireType, str]] = {
    "bool": "H",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
_FLOATS: Final = frozenset[WireType]({"float32", "float64"})
_LARGEST: Final = sys.float_info.max
_GOOD: Final = Quality.GOOD


class CannotEncode(ValueError):
    """The wished value cannot be spelt at this address; the text says why."""


# --- scaling ------------------------------------------------------------------------------------------------------


class Scaling(NamedTuple):
    """value = raw * factor / divisor + offset.

    A scale of 0.1 is a division by 10, which is exact where a multiplication is not: 3 becomes 0.3, not
    0.30000000000000004.
    """

    factor: float
    divisor: float
    offset: float

    @property
    def is_identity(self) -> bool:
        return self == (1.0, 1.0, 0.0)


def scaling(address: ModbusAddress) -> Scaling:
    inverse = 1.0 / address.scale
    whole = float(round(inverse)) if abs(inverse) < 1e15 else 0.0
    if abs(whole) > 1.0 and math.isclose(whole * address.scale, 1.0, rel_tol=1e-14):
        return Scaling(1.0, whole, address.offset)
    return Scaling(address.scale, 1.0, address.offset)


# --- reading ------------------------------------------------------------------------------------------------------


class _Form(IntEnum):
    """What becomes of an unpacked number, the most frequent first."""

    PLAIN = 0
    SCALED = 1
    BIT = 2
    FLAG = 3
    WHOLE = 4


class _Field(NamedTuple):
    """slot: which number of its pass."""

    slot: int
    id: PointId
    form: _Form
    factor: float
    divisor: float
    offset: float
    bit: int
    low: float
    high: float


class _Pass(NamedTuple):
    unpack: struct.Struct
    pack: struct.Struct
    backwards: bool
    fields: tuple[_Field, ...]


class BlockDecoder:
    """Turns the answer to one block into samples; compiled once a plan."""

    def __init__(self, block: Block) -> None:
        self._bits: tuple[tuple[int, PointId], ...] = ()
        self._passes: tuple[_Pass, ...] = ()
        if block.table in BIT_TABLES:
            self._bits = tuple((each.address.register - block.start, each.point.id) for each in block.bindings)
        else:
            self._passes = tuple(_compile_passes(block))

    def decode(self, answer: Sequence[int], timestamp: datetime, received: float, into: dict[PointId, Sample]) -> None:
        """`answer`: the block's registers, or at least its bits."""
        for index, point in self._bits:
            into[point] = Sample(bool(answer[index]), _GOOD, "", timestamp, received)
        for unpack, pack, backwards, fields in self._passes:
            words = answer[::-1] if backwards else answer
            numbers = unpack.unpack(pack.pack(*words))
            for slot, point, form, factor, divisor, offset, bit, low, high in fields:
                value = numbers[slot]
                if form is _Form.SCALED:
                    value = value * factor / divisor + offset
                elif form is _Form.BIT:
                    value = bool(value >> bit & 1)
                elif form is _Form.FLAG:
                    value = _flag(value * factor / divisor + offset)
                elif form is _Form.WHOLE:
                    value = _whole(value * factor / divisor + offset)
                if low <= value <= high:
                    into[point] = Sample(value, _GOOD, "", timestamp, received)
                else:
                    into[point] = bad(why_doubted(value, Range(low, high)), timestamp, received)


def _flag(value: float) -> float:
    return value != 0 if math.isfinite(value) else value


def _whole(value: float) -> float:
    return round(value) if math.isfinite(value) else value


def _compile_passes(block: Block) -> Iterable[_Pass]:
    """Greedy: each pass takes the values of one order that do not overlap those it already has."""
    waiting = list(block.bindings)
    while waiting:
        order = _order(waiting[0])
        taken: list[ModbusBinding] = []
        left: list[ModbusBinding] = []
        end = -1
        for binding in waiting:
            address = binding.address
            shares = bool(taken) and _cell(taken[-1]) == _cell(binding)
            if _order(binding) == order and (shares or address.register >= end):
                taken.append(binding)
                end = address.register + address.words
            else:
                left.append(binding)
        yield _compile_pass(block, taken)
        waiting = left


def _order(binding: ModbusBinding) -> tuple[str, str]:
    """A value of one register has no word order: it goes with the others."""
    address = binding.address
    return ("big" if address.words == 1 else address.word_order), address.byte_order


def _cell(binding: ModbusBinding) -> tuple[int, str]:
    """Values with the same cell are one number of a pass: the bits of one register, say."""
    return binding.address.register, _LETTERS[binding.address.type]


def _compile_pass(block: Block, bindings: Sequence[ModbusBinding]) -> _Pass:
    word_order, byte_order = _order(bindings[0])
    backwards = word_order == "little"
    layout: list[str] = []
    fields: list[_Field] = []
    position = 0
    previous: tuple[int, str] | None = None
    slot = -1
    for binding in reversed(bindings) if backwards else bindings:
        address = binding.address
        if _cell(binding) != previous:
            previous = _cell(binding)
            offset = address.register - block.start
            if backwards:
                offset = block.count - offset - address.words
            layout.append(f"{2 * (offset - position)}x{_LETTERS[address.type]}")
            position = offset + address.words
            slot += 1
        fields.append(_field(binding, slot))
    layout.append(f"{2 * (block.count - position)}x")
    unpack = struct.Struct(">" + "".join(layout))
    pack = struct.Struct((">" if byte_order == "big" else "<") + f"{block.count}H")
    return _Pass(unpack, pack, backwards, tuple(fields))


def _field(binding: ModbusBinding, slot: int) -> _Field:
    point, address = binding.point, binding.address
    factors = scaling(address)
    low, high = point.plausible or (-_LARGEST, _LARGEST)
    return _Field(slot, point.id, _form(binding, factors), *factors, address.bit or 0, low, high)


def _form(binding: ModbusBinding, factors: Scaling) -> _Form:
    if binding.address.type == "bool":
        return _Form.BIT
    if binding.point.type is ValueType.BOOLEAN:
        return _Form.FLAG
    if binding.point.type is ValueType.INTEGER and not (factors.is_identity and binding.address.type not in _FLOATS):
        return _Form.WHOLE
    return _Form.PLAIN if factors.is_identity else _Form.SCALED


# --- writing ------------------------------------------------------------------------------------------------------


class BitMask(NamedTuple):
    """new register = (old & keep) | (set & ~keep): function code 22."""

    keep: int
    set: int

    def applied(self, register: int) -> int:
        return (register & self.keep) | (self.set & ~self.keep & 0xFFFF)


def encode_flag(value: Scalar) -> bool:
    """The state of a coil or bit."""
    if isinstance(value, str) or value not in (0, 1):
        raise CannotEncode(f"{value!r} is neither on nor off")
    return bool(value)


def encode_bit(address: ModbusAddress, value: Scalar) -> BitMask:
    """How to change one bit of a register and none of its neighbours."""
    position = address.bit or 0
    if address.byte_order == "little":
        position ^= 8
    return BitMask(keep=0xFFFF & ~(1 << position), set=encode_flag(value) << position)


def encode_registers(address: ModbusAddress, value: Scalar) -> tuple[int, ...]:
    """The registers that spell a number at its address, in the order of the wire."""
    raw = _raw(address, value)
    try:
        packed = struct.pack(">" + _LETTERS[address.type], raw)
    except (struct.error, OverflowError):
        raise CannotEncode(f"{value!r} is {raw} in the device, which {address.type} cannot hold") from None
    words = struct.unpack((">" if address.byte_order == "big" else "<") + f"{address.words}H", packed)
    return words[::-1] if address.word_order == "little" else words


def _raw(address: ModbusAddress, value: Scalar) -> float:
    number = as_number(value)
    if number is None or not math.isfinite(number):
        raise CannotEncode(f"{value!r} is not a number")
    factors = scaling(address)
    if factors.is_identity and isinstance(value, int):
        return value  # whole numbers beyond 2**53 stay exact
    raw = (number - factors.offset) * factors.divisor / factors.factor
    return raw if address.type in _FLOATS else round(raw)
