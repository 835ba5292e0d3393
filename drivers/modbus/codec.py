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
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from controller.core.point import PointId, Range, ValueType
from controller.core.sample import Quality, Sample, Scalar, as_number, bad
from drivers.limits import why_doubted
from drivers.modbus.address import BIT_TABLES, ModbusAddress, Table, WireType
from drivers.modbus.plan import Block, ModbusBinding
from drivers.scaling import scaling_of

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
_READ_FUNCTIONS: Final[dict[Table, int]] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
# The smallest normal number of each float (IEEE 754-2019, 3.3). Nothing that is measured lies nearer to zero. A round
# number whose words come the other way round does, and would be believed wherever zero is plausible.
_SMALLEST: Final[dict[WireType, float]] = {"float32": 2.0**-126, "float64": 2.0**-1022}
_LARGEST: Final = sys.float_info.max
_GOOD: Final = Quality.GOOD
_new = tuple[Any, ...].__new__  # a Sample without the detour through its constructor


class CannotEncode(ValueError):
    """The wished value cannot be spelt at this address; the text says why."""


# --- reading ------------------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """slot: which number of its pass. convert: what becomes of it; None where it is the value as it stands."""

    slot: int
    point: PointId
    convert: Callable[[float], float] | None
    low: float
    high: float


class _Pass(NamedTuple):
    """One unpacking. reorder: how the registers are turned round first, where they are."""

    unpack: struct.Struct
    reorder: _Reorder | None
    fields: tuple[_Field, ...]


class _Reorder(NamedTuple):
    read: struct.Struct
    write: struct.Struct
    backwards: bool

    def of(self, data: bytes) -> bytes:
        words = self.read.unpack(data)
        return self.write.pack(*(words[::-1] if self.backwards else words))


class BlockDecoder:
    """Turns the bytes that answer one block into samples; compiled once a plan, since it runs for ever."""

    def __init__(self, block: Block) -> None:
        self._bits: tuple[tuple[int, PointId], ...] = ()
        self._passes: tuple[_Pass, ...] = ()
        if block.table in BIT_TABLES:
            self._bits = tuple((each.address.register - block.start, each.point.id) for each in block.bindings)
        else:
            self._passes = tuple(_compile_passes(block))

    def decode(self, data: bytes, timestamp: datetime, received: float, into: dict[PointId, Sample]) -> None:
        """`data`: the block's bits, eight a byte from the lowest, or its registers, two bytes each."""
        for index, point in self._bits:
            into[point] = Sample(bool(data[index >> 3] >> (index & 7) & 1), _GOOD, "", timestamp, received)
        for unpack, reorder, fields in self._passes:
            numbers = unpack.unpack(data if reorder is None else reorder.of(data))
            for slot, point, convert, low, high in fields:
                value = numbers[slot] if convert is None else convert(numbers[slot])
                if low <= value <= high:
                    into[point] = _new(Sample, (value, _GOOD, "", timestamp, received))
                else:
                    into[point] = bad(why_doubted(value, Range(low, high)), timestamp, received)


def spelt(block: Block, data: bytes) -> str:
    """The bytes that answer a block as an engineer writes them down: function, place, words."""
    function = _READ_FUNCTIONS[block.table]
    if block.table in BIT_TABLES:
        words = "".join(str(data[index >> 3] >> (index & 7) & 1) for index in range(block.count))
    else:
        words = " ".join(f"0x{word:04X}" for word in struct.unpack(f">{block.count}H", data))
    return f"function {function}, {block.table} {block.start}: {words}"


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
            start = address.register - block.start
            if backwards:
                start = block.count - start - address.words
            layout.append(f"{2 * (start - position)}x{_LETTERS[address.type]}")
            position = start + address.words
            slot += 1
        low, high = binding.point.plausible or (-_LARGEST, _LARGEST)
        fields.append(_Field(slot, binding.point.id, _conversion(binding), low, high))
    layout.append(f"{2 * (block.count - position)}x")
    read = struct.Struct(f">{block.count}H")
    write = struct.Struct((">" if byte_order == "big" else "<") + f"{block.count}H")
    return _Pass(
        struct.Struct(">" + "".join(layout)),
        None if (word_order, byte_order) == ("big", "big") else _Reorder(read, write, backwards),
        tuple(fields),
    )


def _conversion(binding: ModbusBinding) -> Callable[[float], float] | None:
    """How a number of the device becomes a value of the point; None where it is one already."""
    convert, absent = _measured(binding), binding.address.absent
    smallest = _SMALLEST.get(binding.address.type)
    if smallest is not None:
        return _unless_subnormal(smallest, convert)
    if absent is None:
        return convert
    return lambda number: math.nan if number == absent else convert(number) if convert else number


def _unless_subnormal(smallest: float, convert: Callable[[float], float] | None) -> Callable[[float], float]:
    def converted(number: float) -> float:
        if -smallest < number < smallest and number != 0.0:
            return math.nan
        return number if convert is None else convert(number)

    return converted


def _measured(binding: ModbusBinding) -> Callable[[float], float] | None:
    address, type, factors = (
        binding.address,
        binding.point.type,
        scaling_of(binding.address.scale, binding.address.offset),
    )
    if address.type == "bool":
        mask = 1 << (address.bit or 0)
        return lambda number: int(number) & mask != 0
    if type is ValueType.BOOLEAN:
        return lambda number: _unless_nan(factors.applied(number), bool)
    if factors.is_identity and not (type is ValueType.INTEGER and address.type in _SMALLEST):
        return None
    if type is ValueType.INTEGER:
        return lambda number: _unless_nan(factors.applied(number), round)
    return factors.applied


def _unless_nan(value: float, convert: Callable[[float], float]) -> float:
    return convert(value) if math.isfinite(value) else value


# --- writing ------------------------------------------------------------------------------------------------------


class BitMask(NamedTuple):
    """The bits of a register that stay, and those that become one: the two masks of function 22."""

    keep: int
    set: int

    def applied(self, register: int) -> int:
        return (register & self.keep) | self.set


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
    factors = scaling_of(address.scale, address.offset)
    if factors.is_identity and isinstance(value, int):
        return value  # whole numbers beyond 2**53 stay exact
    raw = factors.undone(number)
    if not math.isfinite(raw):
        raise CannotEncode(f"{value!r} is beyond any number in the device")
    smallest = _SMALLEST.get(address.type)
    if smallest is None:
        return round(raw)
    return raw if abs(raw) >= smallest else 0.0
