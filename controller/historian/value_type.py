"""Which kind of value a stored one was."""

from __future__ import annotations

import math
from typing import TypeAlias

from controller.core.sample import Scalar

NOTHING, NUMBER, INTEGER, BOOLEAN, TEXT = range(5)

TYPE_CODES: dict[type, int] = {type(None): NOTHING, float: NUMBER, int: INTEGER, bool: BOOLEAN, str: TEXT}

# What a row of SQLite holds of a value: it has no booleans, no NaN and no integers beyond 64 bits.
Stored: TypeAlias = float | int | str | None


def plain(value: object) -> Scalar | None:
    """A value of a derived type (a number of some library, an enumeration) as the built-in it stands for."""
    if value is None:
        return None
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, str):
        return text(value)
    raise TypeError(f"history keeps numbers, booleans and texts, not {type(value).__name__}")


def text(said: str) -> str:
    """A text that can be written down; what is no character stands in it as its number."""
    return said.encode("utf-8", "backslashreplace").decode()


def restored(code: int, stored: Stored) -> Scalar | None:
    """The value again, of the type it had, of a row as files had them before version 3."""
    if code == BOOLEAN:
        return bool(stored)
    if code == NUMBER and stored is None:
        return math.nan
    if code == INTEGER and isinstance(stored, str):
        return int(stored)
    return stored
