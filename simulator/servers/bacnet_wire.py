"""What BACnet looks like in bytes, written from the standard and not from the driver's codec. Pure.

Source: ANSI/ASHRAE 135-2020, clauses 20.1 (APDUs), 20.2 (tags), 21 (productions), annex J (BACnet/IP).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

# Application tags (20.2.1.4).
NULL, BOOLEAN, UNSIGNED, INTEGER, REAL, DOUBLE, OCTETS, TEXT, BITS, ENUMERATED, DATE, TIME, OBJECT = range(13)
_UTF_8 = b"\0"

Place: TypeAlias = tuple[int, int]
"""An object: its type and its number."""


class Malformed(ValueError):
    """These bytes are no request."""


# --- writing ----------------------------------------------------------------------------------------------------------


def _tagged(number: int, content: bytes, *, context: bool = False) -> bytes:
    length = len(content)
    first = number << 4 | context << 3
    if length < 5:
        return bytes([first | length]) + content
    if length < 254:
        return bytes([first | 5, length]) + content
    return bytes([first | 5, 254]) + length.to_bytes(2, "big") + content


def _shortest(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def null() -> bytes:
    return b"\0"


def boolean(value: bool) -> bytes:
    return b"\x11" if value else b"\x10"


def unsigned(value: int) -> bytes:
    return _tagged(UNSIGNED, _shortest(value))


def integer(value: int) -> bytes:
    size = max(value, -1 - value).bit_length() // 8 + 1
    return _tagged(INTEGER, value.to_bytes(size, "big", signed=True))


def enumerated(value: int) -> bytes:
    return _tagged(ENUMERATED, _shortest(value))


def real(value: float) -> bytes:
    return b"\x44" + struct.pack(">f", value)


def double(value: float) -> bytes:
    return b"\x55\x08" + struct.pack(">d", value)


def text(value: str) -> bytes:
    return _tagged(TEXT, _UTF_8 + value.encode())


def bits(*values: bool) -> bytes:
    """Fewer than nine."""
    octet = sum(value << 7 - number for number, value in enumerate(values))
    return bytes([BITS << 4 | 2, 8 - len(values), octet])


def object_id(place: Place) -> bytes:
    return b"\xc4" + _place(place)


def _place(place: Place) -> bytes:
    return (place[0] << 22 | place[1]).to_bytes(4, "big")


def context(number: int, value: int | bool | Place) -> bytes:
    content = _place(value) if isinstance(value, tuple) else _shortest(int(value))
    return _tagged(number, content, context=True)


def between(number: int, content: bytes) -> bytes:
    """In the brackets of that number."""
    return bytes([number << 4 | 0xE]) + content + bytes([number << 4 | 0xF])


# --- reading ----------------------------------------------------------------------------------------------------------


class Form(Enum):
    APPLICATION = "application"
    CONTEXT = "context"
    OPENING = "opening"
    CLOSING = "closing"


class Tag(NamedTuple):
    number: int
    form: Form
    content: bytes


def tags(data: bytes) -> Iterator[Tag]:
    """Raises Malformed."""
    position = 0
    while position < len(data):
        try:
            tag, position = _tag(data, position)
        except IndexError:
            raise Malformed("ends too early") from None
        if position > len(data):
            raise Malformed("ends too early")
        yield tag


def _tag(data: bytes, position: int) -> tuple[Tag, int]:
    first = data[position]
    number, length, is_context = first >> 4, first & 7, bool(first & 8)
    position += 1
    if number == 15:
        number = data[position]
        position += 1
    if is_context and length in (6, 7):
        return Tag(number, Form.OPENING if length == 6 else Form.CLOSING, b""), position
    if not is_context and number == BOOLEAN:
        return Tag(number, Form.APPLICATION, bytes([length])), position
    if length == 5:
        length, position = data[position], position + 1
        if length >= 254:
            size = 2 if length == 254 else 4
            length, position = int.from_bytes(data[position : position + size], "big"), position + size
    form = Form.CONTEXT if is_context else Form.APPLICATION
    return Tag(number, form, data[position : position + length]), position + length


def number_of(tag: Tag) -> float | int | bool | None:
    """What an application tag spells; None for Null. Raises Malformed for what is no number."""
    content = tag.content
    try:
        match tag.number:
            case 0:
                return None
            case 1:
                return bool(content[0])
            case 2 | 9:
                return int.from_bytes(content, "big")
            case 3:
                return int.from_bytes(content, "big", signed=True)
            case 4:
                return float(struct.unpack(">f", content)[0])
            case 5:
                return float(struct.unpack(">d", content)[0])
            case _:
                raise Malformed(f"application tag {tag.number} is no number")
    except (struct.error, IndexError):
        raise Malformed(f"application tag {tag.number} of {len(content)} bytes") from None


class Fields:
    """The fields of a request, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._tags: Sequence[Tag] = [*tags(data)]
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position >= len(self._tags)

    def is_next(self, number: int, form: Form) -> bool:
        return not self.at_end and self._tags[self._position][:2] == (number, form)

    def take(self) -> Tag:
        if self.at_end:
            raise Malformed("ends too early")
        self._position += 1
        return self._tags[self._position - 1]

    def expect(self, number: int, form: Form = Form.CONTEXT) -> bytes:
        if not self.is_next(number, form):
            raise Malformed(f"{form.value} tag {number} is missing")
        return self.take().content

    def whole(self, number: int) -> int:
        return int.from_bytes(self.expect(number), "big")

    def optional(self, number: int) -> int | None:
        return self.whole(number) if self.is_next(number, Form.CONTEXT) else None

    def place(self, number: int) -> Place:
        raw = int.from_bytes(self.expect(number), "big")
        return raw >> 22, raw & 0x3FFFFF

    def bracketed(self, number: int) -> list[Tag]:
        """What is between the brackets of that number."""
        self.expect(number, Form.OPENING)
        found: list[Tag] = []
        while not self.is_next(number, Form.CLOSING):
            found.append(self.take())
        self.take()
        return found
