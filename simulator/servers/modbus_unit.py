"""One Modbus device of the simulated site: its tables with live values, and what becomes of what is written.

Source: MODBUS Application Protocol Specification V1.1b3, sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from controller.core.point import Binding
from drivers.modbus.address import ModbusAddress, Table
from simulator.faults.wire import Wire
from simulator.gateway import Value
from simulator.servers.registers import in_other_words, registers_of, value_of
from simulator.servers.served_site import Place, ServedSite, places, wire_of
from simulator.tags import Tag

ModbusPlace: TypeAlias = Place[ModbusAddress]

# Which table a function code works on.
TABLES: Mapping[int, Table] = {
    **dict.fromkeys((1, 5, 15), "coil"),
    2: "discrete",
    4: "input",
    **dict.fromkeys((3, 6, 16, 22, 23), "holding"),
}
BIT_TABLES = ("coil", "discrete")
# Exception codes.
ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3
_BITS_PER_WORD = 16


@dataclass(slots=True)
class _Map:
    """Places of one table of one unit by the registers or bits they take; several bits may share a register."""

    places: dict[int, list[ModbusPlace]] = field(default_factory=lambda: {})

    def add(self, place: ModbusPlace) -> None:
        for register in range(place.address.register, place.address.register + place.address.words):
            self.places.setdefault(register, []).append(place)

    def within(self, start: int, count: int) -> list[ModbusPlace]:
        """Every place that any of these registers belongs to, once."""
        found = {
            id(place): place for register in range(start, start + count) for place in self.places.get(register, ())
        }
        return list(found.values())


class Unit:
    """Shows live values and hands written ones to the site."""

    def __init__(self, site: ServedSite) -> None:
        self._site = site
        self._all: list[ModbusPlace] = []
        self._maps: dict[Table, _Map] = {"coil": _Map(), "discrete": _Map(), "input": _Map(), "holding": _Map()}

    def add(self, place: ModbusPlace) -> None:
        self._maps[place.address.table].add(place)
        self._all.append(place)

    def registers(self, table: Table) -> list[int]:
        """Those of a table that the device has."""
        return sorted(self._maps[table].places)

    def has(self, table: Table, register: int) -> bool:
        return register in self._maps[table].places

    def covers(self, table: Table, first: int, count: int) -> bool:
        """Whether all of it may be read: every register must be there, of bits the first, and none beyond the last."""
        there = self._maps[table].places
        if table in BIT_TABLES:
            return first in there and first + count - 1 <= max(there)
        return all(register in there for register in range(first, first + count))

    # --- what is wrong ------------------------------------------------------------------------------------------------

    @property
    def wire(self) -> Wire:
        """How the device answers now."""
        return wire_of(self._site, self._all)

    def has_no_reading(self, function: int, address: int, count: int) -> bool:
        """Whether something that is asked for cannot be told now."""
        table = TABLES.get(function)
        if table is None or not self._site.has_reading_faults:
            return False
        return any(self._site.read(place.name) is None for place in self._maps[table].within(address, count))

    def _spelling(self, where: ModbusAddress) -> ModbusAddress:
        return in_other_words(where) if self.wire.has_other_words else where

    # --- reading ----------------------------------------------------------------------------------------------------

    def show_bits(self, table: Table, start: int, address: int, words: int, current: list[int]) -> None:
        """Fill `words` words of 16 bits from the one with `address` in it; current begins with word `start`."""
        mapped = self._maps[table]
        first_word = address // _BITS_PER_WORD
        for word in range(first_word, first_word + words):
            bits = 0
            for bit in range(_BITS_PER_WORD):
                for place in mapped.places.get(word * _BITS_PER_WORD + bit, ()):
                    bits |= bool(self._site.read(place.name)) << bit
            current[word - start] = bits

    def show_registers(self, table: Table, start: int, address: int, count: int, current: list[int]) -> None:
        """Bring `count` registers from `address` up to date; current begins with register `start`."""
        for place in self._maps[table].within(address, count):
            where = place.address
            value = self._site.read(place.name) or 0
            if where.bit is None:
                for number, register in enumerate(registers_of(self._spelling(where), value), where.register - start):
                    if 0 <= number < len(current):
                        current[number] = register
            else:
                mask = 1 << _bit_position(where, where.bit)
                kept = current[where.register - start] & ~mask
                current[where.register - start] = kept | (mask if value else 0)

    # --- writing ----------------------------------------------------------------------------------------------------

    def take(self, table: Table, address: int, values: Sequence[int | bool]) -> int:
        """An exception code, 0 for none. All or nothing: every place must be whole, writable and of a value that the
        device accepts.
        """
        mapped, end = self._maps[table], address + len(values)
        if any(register not in mapped.places for register in range(address, end)):
            return ILLEGAL_ADDRESS
        wanted: list[tuple[str, Value]] = []
        for place in mapped.within(address, len(values)):
            tag, where = place.tag, place.address
            whole = address <= where.register and where.register + where.words <= end
            if not (whole and tag.writable and where.can_write):
                return ILLEGAL_ADDRESS
            raw = values[where.register - address : where.register - address + where.words]
            try:
                wanted.append((place.name, tag.checked(_written(tag, self._spelling(where), raw))))
            except ValueError:
                return ILLEGAL_VALUE
        for name, value in wanted:
            self._site.write(name, value)
        return 0


def units_of(site: ServedSite, bindings: Iterable[Binding[ModbusAddress]]) -> dict[int, Unit]:
    """By their ids. Raises NotServable where a binding names what the site does not have."""
    units: dict[int, Unit] = {}
    for place in places(site, bindings):
        units.setdefault(place.address.unit, Unit(site)).add(place)
    return units


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
