"""Where a value lives in a Modbus device, and how it is spelt there. Registers count from zero, as on the wire."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Final, Literal, Self, TypeAlias

from controller.core.units import Linear

Table: TypeAlias = Literal["coil", "discrete", "input", "holding"]
WireType: TypeAlias = Literal["bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
Order: TypeAlias = Literal["big", "little"]

LAST_REGISTER: Final = 65535
# MODBUS Application Protocol Specification V1.1b3, 6.3 and 6.4: what one answer can carry.
MOST_REGISTERS: Final = 125
LONGEST_GAP: Final = timedelta(seconds=10)
LEAST_RATE: Final = 0.5
BIT_TABLES: Final = frozenset[Table]({"coil", "discrete"})
WRITABLE_TABLES: Final = frozenset[Table]({"coil", "holding"})

# Registers that a value of each type takes.
WORDS: Final[dict[WireType, int]] = {
    "bool": 1,
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "int64": 4,
    "uint64": 4,
    "float32": 2,
    "float64": 4,
}

# Unit ids of the serial line are 0 (broadcast; on TCP "the device itself") to 247; on TCP 255 also means the device
# itself (MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.4).
EVERY_UNIT: Final = 0
LAST_SERIAL_UNIT: Final = 247
DEVICE_ITSELF: Final = 255

# First reference number of each table in manuals that count "4x" references from one: 40001 is holding register 0.
_FIRST_REFERENCE: Final[dict[Table, int]] = {"discrete": 10001, "input": 30001, "holding": 40001}
_FIRST_LONG_REFERENCE: Final[dict[Table, int]] = {"discrete": 100001, "input": 300001, "holding": 400001}
_SHORT_REFERENCES: Final = 9999
_LONG_REFERENCES: Final = LAST_REGISTER + 1


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """value = raw * scale + offset.

    Said once for the device: unit, its unit id; gap, the rest that it wants between an answer and the next question;
    rate, the questions a second that it takes; maximum_registers, the most that it gives in one answer.

    table, register: the place, counted from zero.
    type: how the registers spell the value; a coil, a discrete input and a `bit` of a register are bool.
    word_order, byte_order: which register of a long value, which byte of a register comes first.
    zero_based: "this really is no reference number" for registers such as holding 40001.
    write_multiple: write even a single coil or register with function 15 or 16.
    absent: the number, as its type spells it, that the device sends where it measures nothing.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    unit: int
    table: Table
    register: int
    type: WireType = "bool"
    bit: int | None = None
    scale: float = 1.0
    offset: float = 0.0
    word_order: Order = "big"
    byte_order: Order = "big"
    zero_based: bool = False
    write_multiple: bool = False
    absent: int | None = None
    gap: timedelta = timedelta(0)
    rate: float | None = None
    maximum_registers: int = MOST_REGISTERS

    def __post_init__(self) -> None:
        problem = (
            _unit_problem(self.unit)
            or _register_problem(self.table, self.register, self.zero_based)
            or _type_problem(self.table, self.type, self.bit)
            or _extent_problem(self.register, self.words)
            or _scaling_problem(self.type, self.scale, self.offset)
            or _absent_problem(self.type, self.absent)
            or _pace_problem(self.gap, self.rate, self.maximum_registers)
        )
        if problem:
            raise ValueError(problem)

    @property
    def words(self) -> int:
        """Registers (or bits of a bit table) that the value takes."""
        return WORDS[self.type]

    @property
    def can_write(self) -> bool:
        return self.table in WRITABLE_TABLES

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two addresses that are the same place on one device."""
        return (self.unit, self.table, self.register, self.bit)

    def converted(self, conversion: Linear) -> Self:
        """The same place, its values turned into the inside unit."""
        factor, offset = conversion
        if factor == 1.0 and offset == 0.0:
            return self
        return replace(self, scale=self.scale * factor, offset=self.offset * factor + offset)


def looks_like_reference(table: Table, register: int) -> bool:
    """Whether the register could be a reference number that counts from one, such as holding 40001."""
    first = _FIRST_REFERENCE.get(table)
    return first is not None and first <= register < first + _SHORT_REFERENCES


def _unit_problem(unit: int) -> str:
    if 0 <= unit <= LAST_SERIAL_UNIT or unit == DEVICE_ITSELF:
        return ""
    return f"unit {unit} does not exist; give 0 to {LAST_SERIAL_UNIT}, or {DEVICE_ITSELF} for the TCP device itself"


def _register_problem(table: Table, register: int, zero_based: bool) -> str:
    for other, first in _FIRST_LONG_REFERENCE.items():
        if first <= register < first + _LONG_REFERENCES:
            return (
                f"{table} {register} is a reference number counted from {first}; "
                f"registers count from zero: table {other}, register {register - first}"
            )
    if not 0 <= register <= LAST_REGISTER:
        return f"register {register} does not exist; give 0 to {LAST_REGISTER}, counted from zero"
    if zero_based or not looks_like_reference(table, register):
        return ""
    first = _FIRST_REFERENCE[table]
    return (
        f"{table} {register} looks like a reference number counted from {first}; registers count from zero: "
        f"register {register - first} (or say zero_based: true if {register} is meant)"
    )


def _type_problem(table: Table, type: WireType, bit: int | None) -> str:
    if table in BIT_TABLES:
        if type != "bool":
            return f"a {table} is one bit and cannot hold {type}; leave the type out or say bool"
        if bit is not None:
            return f"a {table} has no bits inside; leave bit out, or name a register table"
        return ""
    if type == "bool" and bit is None:
        return f"type bool of {table} register needs a bit; give bit: 0 to 15 or a numeric type such as uint16"
    if type != "bool" and bit is not None:
        return f"bit {bit} does not go with type {type}; say type bool or leave bit out"
    if bit is not None and not 0 <= bit <= 15:
        return f"bit {bit} does not exist; give 0 (least significant) to 15"
    return ""


def _extent_problem(register: int, words: int) -> str:
    if register + words - 1 <= LAST_REGISTER:
        return ""
    return f"a value of {words} registers at {register} runs past {LAST_REGISTER}; start it at an earlier register"


def _scaling_problem(type: WireType, scale: float, offset: float) -> str:
    if not math.isfinite(scale) or scale == 0.0:
        return f"scale {scale} makes every value the same or none; give a finite number other than 0"
    if not math.isfinite(offset):
        return f"offset {offset} is no number; give a finite number"
    if type == "bool" and (scale != 1.0 or offset != 0.0):
        return "a bool has neither scale, offset nor unit; leave them out or choose a numeric type"
    return ""


def _absent_problem(type: WireType, absent: int | None) -> str:
    if absent is None:
        return ""
    if type == "bool" or type.startswith("float"):
        return f"absent does not go with type {type}; leave it out or choose a type such as int32"
    bits = 16 * WORDS[type]
    low, high = (0, 2**bits - 1) if type.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return "" if low <= absent <= high else f"absent {absent} is no {type}; give {low} to {high}"


def _pace_problem(gap: timedelta, rate: float | None, maximum_registers: int) -> str:
    if not timedelta(0) <= gap <= LONGEST_GAP:
        return f"gap {gap.total_seconds():g} s is out of range; give at most {LONGEST_GAP.total_seconds():g}s"
    if rate is not None and not LEAST_RATE <= rate < math.inf:
        return f"rate {rate:g} questions a second is out of range; give {LEAST_RATE:g} or more, or poll more seldom"
    if not 1 <= maximum_registers <= MOST_REGISTERS:
        return f"maximum_registers {maximum_registers} is out of range; give 1 to {MOST_REGISTERS}"
    return ""
