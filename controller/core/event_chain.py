"""The event stream as a chain: each line carries a hash over itself and over the chain of the line before it.

    chain = SHA-256(chain of the line before, 32 bytes, of the first line 32 zero bytes
                    || netstrings of number, microseconds since 1970 in UTC, kind, subject, body)

A netstring is "length:bytes,", so that no two different lines have the same bytes. Numbers are decimal, texts UTF-8,
the body is the JSON text as it is stored. Whoever holds an earlier chain value can prove that nothing up to that line
was changed since; the hash has no key, so the chain alone proves nothing against who rewrites all that follows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

BEGINNING = bytes(32)

# Number, microseconds since 1970 in UTC, kind, subject, body, chain. A bare tuple: a site has millions of them.
Line: TypeAlias = tuple[int, int, bytes, bytes, bytes, bytes]


class ChainHead(NamedTuple):
    """One line's place in the chain; number from 1, at in microseconds since 1970 in UTC."""

    number: int
    at: int
    chain: bytes


class Defect(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"


class Break(NamedTuple):
    """A line that does not follow from the one before it; before: that one's number, 0 where there is none."""

    defect: Defect
    line: Line
    before: int


def link(before: bytes, number: int, at: int, kind: bytes, subject: bytes, body: bytes) -> bytes:
    """The chain value of a line that follows `before`."""
    count, time = str(number).encode(), str(at).encode()
    return hashlib.sha256(
        b"%b%d:%b,%d:%b,%d:%b,%d:%b,%d:%b,"
        % (before, len(count), count, len(time), time, len(kind), kind, len(subject), subject, len(body), body)
    ).digest()


class Verification:
    """Takes the lines in order of their numbers and keeps the first break, how many there are, and the last line.

    After a break it goes on from what stands there, so that one changed line counts once or twice, not a million times.
    """

    def __init__(self, sought: Iterable[bytes] = ()) -> None:
        """sought: chain values that must occur; `missing` are those that have not."""
        self.missing = set(sought)
        self.lines = 0
        self.breaks = 0
        self.first: Break | None = None
        self.last: Line | None = None

    def take(self, lines: Iterable[Line]) -> None:
        before_number, before = (0, BEGINNING) if self.last is None else (self.last[0], self.last[5])
        for line in lines:
            number, chain = line[0], line[5]
            if not _follows(before, line):
                self.breaks += 1
                if self.first is None:
                    defect = Defect.CHANGED if number == before_number + 1 else Defect.MISSING
                    self.first = Break(defect, line, before_number)
            self.missing.discard(chain)
            self.lines += 1
            before_number, before = number, chain
            self.last = line


def _follows(before: bytes, line: Line) -> bool:
    try:
        return link(before, *line[:5]) == line[5]
    except TypeError:  # a damaged file may hold anything, even nothing
        return False
