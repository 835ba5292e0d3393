"""Columns of numbers, codes and texts as bytes that zlib then squeezes well. Everything comes back exactly.

Integers are differences in the narrowest width that holds them, with their bytes transposed (all lowest bytes first,
then the next ones): neighbours in a column resemble each other byte by byte. Floats that are decimals of at most four
places, as most devices send them, travel as integers; those of single precision as such; the others as they are.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

_WIDTHS = ((b"b", 7), (b"h", 15), (b"i", 31), (b"q", 63))
_LARGE = b"j"
_LARGEST = 1 << 63

_MOST_PLACES = 4
_LARGEST_SCALED = float(1 << 50) / 10**_MOST_PLACES  # beyond it a scaled value could lose its last bit
_SINGLE, _DOUBLE = b"f", b"d"

_LENGTH = struct.Struct("<I")
_FIRST = struct.Struct("<q")


# --- parts of a whole ------------------------------------------------------------------------------------------------


def join(parts: Iterable[bytes]) -> bytes:
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def split(whole: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = 0
    while at < len(whole):
        (length,) = _LENGTH.unpack_from(whole, at)
        at += _LENGTH.size
        parts.append(whole[at : at + length])
        at += length
    return parts


# --- integers --------------------------------------------------------------------------------------------------------


def pack_integers(values: Sequence[int]) -> bytes:
    if not values:
        return b""
    changes = [later - earlier for earlier, later in pairwise(values)]
    low, high = min(changes, default=0), max(changes, default=0)
    if -_LARGEST <= values[0] < _LARGEST:
        for code, bits in _WIDTHS:
            if -(1 << bits) <= low and high < 1 << bits:
                return code + _FIRST.pack(values[0]) + _transposed(array(code.decode(), changes))
    return _LARGE + json.dumps(list(values)).encode()


def unpack_integers(packed: bytes) -> list[int]:
    if not packed:
        return []
    code = packed[:1]
    if code == _LARGE:
        return json.loads(packed[1:])
    (first,) = _FIRST.unpack_from(packed, 1)
    changes: array[int] = array(code.decode())
    _restore(changes, packed[1 + _FIRST.size :])
    return list(accumulate(changes, initial=first))


# --- floats ----------------------------------------------------------------------------------------------------------


def pack_numbers(values: Sequence[float]) -> bytes:
    places = _places(values)
    if places is not None:
        scale = 10.0**places
        return bytes((places,)) + pack_integers([round(value * scale) for value in values])
    if _fit_single(values):
        return _SINGLE + _transposed(array("f", values))
    return _DOUBLE + _transposed(array("d", values))


def unpack_numbers(packed: bytes) -> list[float]:
    code = packed[:1]
    if code in (_SINGLE, _DOUBLE):
        numbers: array[float] = array(code.decode())
        _restore(numbers, packed[1:])
        return numbers.tolist()
    scale = 10.0 ** packed[0]
    return [value / scale for value in unpack_integers(packed[1:])]


def pack_optional_numbers(values: Sequence[float | None]) -> bytes:
    known = [value for value in values if value is not None]
    return join((pack_codes(bytes(value is not None for value in values)), pack_numbers(known)))


def unpack_optional_numbers(packed: bytes, count: int) -> list[float | None]:
    codes, packed_numbers = split(packed)
    numbers = unpack_numbers(packed_numbers)
    if len(numbers) == count:
        return list(numbers)
    following = iter(numbers)
    return [next(following) if known else None for known in unpack_codes(codes, count)]


def _places(values: Iterable[float]) -> int | None:
    """The decimal places that all values share, or None where one has too many (or is infinite, NaN or minus zero)."""
    places, scale = 0, 1.0
    for value in values:
        if not abs(value) < _LARGEST_SCALED or (value == 0.0 and math.copysign(1.0, value) < 0.0):
            return None
        while round(value * scale) / scale != value:
            places += 1
            if places > _MOST_PLACES:
                return None
            scale = 10.0**places
    return places


def _fit_single(values: Sequence[float]) -> bool:
    try:
        return array("f", values).tolist() == values
    except OverflowError:
        return False


# --- codes and texts -------------------------------------------------------------------------------------------------


def pack_codes(codes: bytes) -> bytes:
    """Small numbers, one byte each; a single one where all are the same."""
    return codes[:1] if len(set(codes)) == 1 else codes


def unpack_codes(packed: bytes, count: int) -> bytes:
    return packed * count if len(packed) == 1 else packed


def pack_texts(texts: Sequence[str]) -> bytes:
    """Each different text once, and which of them stands where."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return join((json.dumps(list(numbers)).encode(), pack_integers([numbers[text] for text in texts])))


def unpack_texts(packed: bytes) -> list[str]:
    listed, numbers = split(packed)
    texts: list[str] = json.loads(listed)
    return [texts[number] for number in unpack_integers(numbers)]


# --- bytes -----------------------------------------------------------------------------------------------------------


def _transposed(column: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    plain, width = column.tobytes(), column.itemsize
    return plain if width == 1 else b"".join(plain[place::width] for place in range(width))


def _restore(column: array[int] | array[float], transposed: bytes) -> None:
    width = column.itemsize
    count = len(transposed) // width
    plain = bytearray(len(transposed))
    for place in range(width):
        plain[place::width] = transposed[place * count : (place + 1) * count]
    column.frombytes(plain)
    if sys.byteorder == "big":
        column.byteswap()
