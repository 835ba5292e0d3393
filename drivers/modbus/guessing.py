"""What registers of a device that nobody has described may mean. Pure; guesses, told as such."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from drivers.modbus.address import Order, Table, WireType

_BITS: Final = frozenset[Table]({"coil", "discrete"})
_ORDERS: Final[tuple[Order, ...]] = ("big", "little")
# What measurements and counters of buildings lie between, apart from nought.
_SMALLEST: Final = 1e-3
_LARGEST: Final = 1e8
# So many of the pairs that are not nought must be such numbers before a range counts as floats.
_SHARE: Final = 0.8


class Reading(NamedTuple):
    """A value as it may be meant. seen: the words of the wire and what else they could be."""

    register: int
    type: WireType
    word_order: Order
    value: str
    seen: str


def readings(table: Table, start: int, words: Sequence[int]) -> list[Reading]:
    """The values of a range that exists: bits, or floats where nearly all pairs look like it, or numbers of 16 bits."""
    if table in _BITS:
        return [
            Reading(start + n, "bool", "big", "true" if word else "false", str(word)) for n, word in enumerate(words)
        ]
    order = _float_order(words)
    if order is None:
        return [_number(start + n, word) for n, word in enumerate(words)]
    pairs = range(0, len(words) - 1, 2)
    rest = range(2 * len(pairs), len(words))
    return [
        *(_float(start + n, words[n], words[n + 1], order) for n in pairs),
        *(_number(start + n, words[n]) for n in rest),
    ]


def _float_order(words: Sequence[int]) -> Order | None:
    """Which word of its floats comes first, if a range is made of floats from its beginning."""
    said = [pair for pair in zip(words[::2], words[1::2], strict=False) if pair != (0, 0)]
    for order in _ORDERS:
        likely = sum(_is_likely(as_float(*pair, order)) for pair in said)
        if said and likely >= _SHARE * len(said):
            return order
    return None


def as_float(first: int, second: int, order: Order) -> float:
    """Two registers in the order of the wire as a float32."""
    high, low = (first, second) if order == "big" else (second, first)
    (value,) = struct.unpack(">f", struct.pack(">HH", high, low))
    return float(value)


def _is_likely(value: float) -> bool:
    return value == 0.0 or _SMALLEST <= abs(value) <= _LARGEST


def _number(register: int, word: int) -> Reading:
    signed = word - 0x10000 if word & 0x8000 else word
    other = f", int16 {signed}" if signed < 0 else ""
    return Reading(register, "uint16", "big", str(word), f"0x{word:04X}{other}")


def _float(register: int, first: int, second: int, order: Order) -> Reading:
    other = "little" if order == "big" else "big"
    seen = f"0x{first:04X} 0x{second:04X}, with words {other} first {as_float(first, second, other):g}"
    return Reading(register, "float32", order, f"{as_float(first, second, order):g}", seen)
