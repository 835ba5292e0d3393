"""The samples of one point within one hour, compressed. Version 1.

A version byte, then one zlib stream of eight parts, each a 4-byte little-endian length and its bytes: times, value
types, numbers, integers, booleans, texts, qualities, reasons. The last is empty where no sample has a reason. How each
part is packed is said in `columns`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from controller.core.sample import Quality, Scalar
from controller.historian.columns import (
    join,
    pack_codes,
    pack_integers,
    pack_numbers,
    pack_texts,
    split,
    unpack_codes,
    unpack_integers,
    unpack_numbers,
    unpack_texts,
)
from controller.historian.rows import Row
from controller.historian.value_type import BOOLEAN, INTEGER, NOTHING, NUMBER, TEXT, TYPE_CODES

VERSION = b"\x01"


def encode(rows: Sequence[Row]) -> bytes:
    """The rows, at least one, in order of time."""
    times, values, qualities, reasons = zip(*rows, strict=True)
    types = bytes(map(TYPE_CODES.__getitem__, map(type, values)))
    by_type: dict[type, Sequence[Scalar]] = {kind: () for kind in TYPE_CODES}
    if types.count(NUMBER) == len(types):  # as most points
        by_type[float] = values
    else:
        for kind in TYPE_CODES:
            by_type[kind] = [value for value in values if type(value) is kind]
    parts = (
        pack_integers(times),
        pack_codes(types),
        pack_numbers([*map(float, by_type[float])]),
        pack_integers([*map(int, by_type[int])]),
        pack_codes(bytes(map(bool, by_type[bool]))),
        pack_texts([*map(str, by_type[str])]),
        pack_codes(bytes(qualities)),
        pack_texts(reasons) if any(reasons) else b"",
    )
    return VERSION + zlib.compress(join(parts))


def decode(block: bytes) -> list[Row]:
    """Raises ValueError where the bytes are no block of this version."""
    if block[:1] != VERSION:
        raise ValueError(f"sample block of version {block[:1].hex()}")
    try:
        return _decode(zlib.decompress(block[1:]))
    except (zlib.error, struct.error, LookupError, StopIteration) as error:
        raise ValueError(f"damaged sample block: {error}") from error


def decode_or_gap(block: bytes, first: int) -> list[Row]:
    """The rows; of a damaged block a gap where it begins: one lost hour of one point must not stop the others."""
    try:
        return decode(block)
    except ValueError as error:
        return [(first, None, Quality.BAD, f"history: {error}")]


def _decode(content: bytes) -> list[Row]:
    times, types, numbers, integers, booleans, texts, qualities, reasons = split(content)
    when = unpack_integers(times)
    count = len(when)
    codes = unpack_codes(types, count)
    boolean_count = codes.count(BOOLEAN)
    columns: dict[int, Iterator[Scalar | None]] = {
        NOTHING: iter([None] * count),
        NUMBER: iter(unpack_numbers(numbers)),
        INTEGER: iter(unpack_integers(integers)),
        BOOLEAN: map(bool, unpack_codes(booleans, boolean_count)),
        TEXT: iter(unpack_texts(texts)),
    }
    values: list[Scalar | None]
    values = list(columns[codes[0]]) if len(types) == 1 else [next(columns[code]) for code in codes]
    return list(
        zip(
            when,
            values,
            unpack_codes(qualities, count),
            unpack_texts(reasons) if reasons else [""] * count,
            strict=True,
        )
    )
