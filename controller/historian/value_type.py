"""Which kind of value a stored one was: SQLite has no booleans, no NaN and no integers beyond 64 bits."""

from __future__ import annotations

import math
from typing import TypeAlias

from controller.core.sample import Scalar

NOTHING, NUMBER, INTEGER, BOOLEAN, TEXT = range(5)

TYPE_CODES: dict[type, int] = {type(None): NOTHING, float: NUMBER, int: INTEGER, bool: BOOLEAN, str: TEXT}

# What SQLite itself can hold of a value.
Stored: TypeAlias = float | int | str | None


def plain(value: object) -> Scalar | None:
    """A value of a derived type (a number of some library, an enumeration) as the built-in it stands for."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"history keeps numbers, booleans and texts, not {type(value).__name__}")


def storable(value: Stored) -> Stored:
    """The rare value that SQLite refuses, as a text that it takes."""
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def restored(code: int, stored: Stored) -> Scalar | None:
    """The value again, of the type it had."""
    if code == BOOLEAN:
        return bool(stored)
    if code == NUMBER and stored is None:
        return math.nan
    if code == INTEGER and isinstance(stored, str):
        return int(stored)
    return stored
