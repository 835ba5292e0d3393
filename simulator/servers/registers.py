"""What values look like in Modbus registers, written from the specification and not from the driver's codec.

Source: MODBUS Application Protocol Specification V1.1b3, section 4.2: a register is 16 bits, most significant byte
first. The order of the registers of a longer value and swapped bytes are habits of makers, hence the address says them.
"""

import struct
from collections.abc import Sequence
from dataclasses import replace

from drivers.modbus.address import ModbusAddress
from simulator.gateway import Value

_SIZES = {
    "int16": (2, True),
    "uint16": (2, False),
    "int32": (4, True),
    "uint32": (4, False),
    "int64": (8, True),
    "uint64": (8, False),
}
_FLOATS = {"float32": ">f", "float64": ">d"}
_LARGEST_FLOAT32 = 3.4028234663852886e38
_DIGITS = 9  # of a scaled whole number: 147 * 0.1 is 14.7


def registers_of(address: ModbusAddress, value: Value) -> list[int]:
    """The registers that spell a value. A value beyond the type's range stops at its end, as in a real device."""
    raw = (float(value) - address.offset) / address.scale
    if address.type in _FLOATS:
        limited = max(-_LARGEST_FLOAT32, min(_LARGEST_FLOAT32, raw)) if address.type == "float32" else raw
        octets = struct.pack(_FLOATS[address.type], limited)
    else:
        size, signed = _SIZES[address.type]
        exact = isinstance(value, int) and address.scale == 1.0 and address.offset == 0.0
        octets = _limited(int(value) if exact else round(raw), size, signed).to_bytes(size, "big", signed=signed)
    return _ordered(address, [octets[index : index + 2] for index in range(0, len(octets), 2)])


def value_of(address: ModbusAddress, registers: Sequence[int]) -> float | int:
    """The value that registers spell, scaled; whole where the address has no scale."""
    words = [register.to_bytes(2, "big") for register in registers]
    octets = b"".join(register.to_bytes(2, "big") for register in _ordered(address, words))
    if address.type in _FLOATS:
        (raw,) = struct.unpack(_FLOATS[address.type], octets)
        return float(raw) * address.scale + address.offset
    _, signed = _SIZES[address.type]
    whole = int.from_bytes(octets, "big", signed=signed)
    if address.scale == 1.0 and address.offset == 0.0:
        return whole
    return round(whole * address.scale + address.offset, _DIGITS)


def in_other_words(address: ModbusAddress) -> ModbusAddress:
    """The same place of a device that sends the registers of a long value the other way round."""
    return replace(address, word_order="little" if address.word_order == "big" else "big")


def with_other_words(address: ModbusAddress, value: Value) -> Value:
    """What is read of a value that such a device sends."""
    if address.words < 2:
        return value
    return value_of(address, registers_of(in_other_words(address), value))


def _limited(whole: int, size: int, signed: bool) -> int:
    low, high = (-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1) if signed else (0, (1 << 8 * size) - 1)
    return max(low, min(high, whole))


def _ordered(address: ModbusAddress, words: list[bytes]) -> list[int]:
    """Words in the order of the address, as register numbers. Its own inverse."""
    if address.word_order == "little":
        words = words[::-1]
    byte_order = "big" if address.byte_order == "big" else "little"
    return [int.from_bytes(word, byte_order) for word in words]
