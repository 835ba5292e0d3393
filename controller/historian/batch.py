"""The samples of one batch as it came in, in columns, in order of point. Version 1.

A version byte, the CRC-32 of what follows, then seven parts as `columns.join` puts them together: point numbers, times,
value types, numbers, other values as JSON, qualities, reasons. Nothing is squeezed: a batch lives for minutes, is
written every second, and is looked into for one point or for some, which stand together in it.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TypeAlias

from controller.core.sample import Quality, Scalar
from controller.historian.columns import join, pack_codes, pack_texts, split, unpack_codes, unpack_texts
from controller.historian.rows import Row
from controller.historian.value_type import NUMBER, TYPE_CODES

VERSION = b"\x01"
_CHECKSUM_BYTES = 4

# Number of the point, then as in a Row.
PointRow: TypeAlias = tuple[int, int, Scalar | None, int, str]

_point = itemgetter(0)


def encode(rows: Sequence[PointRow]) -> bytes:
    """The rows, at least one; those of one point stay in their order."""
    points, times, values, qualities, reasons = zip(*sorted(rows, key=_point), strict=True)
    types = bytes(map(TYPE_CODES.__getitem__, map(type, values)))
    parts = (
        _bytes_of(array("q", points)),
        _bytes_of(array("q", times)),
        pack_codes(types),
        _bytes_of(array("d", [value for value in values if type(value) is float])),
        json.dumps([value for value in values if type(value) is not float]).encode(),
        pack_codes(bytes(qualities)),
        pack_texts(reasons) if any(reasons) else b"",
    )
    content = join(parts)
    return VERSION + zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little") + content


def decode(body: bytes, above: int, up_to: int) -> list[PointRow]:
    """The rows of points numbered above < number <= up_to.

    Raises ValueError where the bytes are no batch of this version.
    """
    version, checksum, content = body[:1], body[1 : 1 + _CHECKSUM_BYTES], body[1 + _CHECKSUM_BYTES :]
    if version != VERSION:
        raise ValueError(f"batch of version {version.hex()}")
    if zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little") != checksum:
        raise ValueError("damaged batch")
    points, times, types, numbers, others, qualities, reasons = split(content)
    numbered = _integers(points)
    start, end = bisect_right(numbered, above), bisect_right(numbered, up_to)
    if start == end:
        return []
    count = len(numbered)
    codes = unpack_codes(types, count)
    texts = unpack_texts(reasons)[start:end] if reasons else [""] * (end - start)
    return list(
        zip(
            numbered[start:end],
            _integers(times)[start:end],
            _values(codes, start, end, numbers, others),
            unpack_codes(qualities, count)[start:end],
            texts,
            strict=True,
        )
    )


def rows_of(body: bytes, point: int, first: int) -> list[Row]:
    """Of one point, in order of arrival; of a damaged batch, whose `first` time is known, a gap."""
    try:
        return [row[1:] for row in decode(body, point - 1, point)]
    except ValueError as error:
        return [(first, None, Quality.BAD, f"history: {error}")]


def _values(codes: bytes, start: int, end: int, numbers: bytes, others: bytes) -> Sequence[Scalar | None]:
    before = codes.count(NUMBER, 0, start)
    among = codes.count(NUMBER, start, end)
    floats = _floats(numbers)[before : before + among]
    if among == end - start:
        return floats
    rest: list[Scalar | None] = json.loads(others)[start - before :]
    following: dict[bool, Iterator[Scalar | None]] = {True: iter(floats), False: iter(rest)}
    return [next(following[code == NUMBER]) for code in codes[start:end]]


def _bytes_of(column: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _integers(packed: bytes) -> array[int]:
    column: array[int] = array("q")
    column.frombytes(packed)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _floats(packed: bytes) -> array[float]:
    column: array[float] = array("d")
    column.frombytes(packed)
    if sys.byteorder == "big":
        column.byteswap()
    return column
