"""Numbers of the site as a device spells them, and back, where an address states a scale and an offset. Pure."""

from __future__ import annotations

from math import isfinite

from simulator.gateway import Value
from simulator.tags import Tag

_DIGITS = 9  # of a scaled number: 147 * 0.1 is 14.7


def raw_of(value: Value, scale: float, offset: float) -> Value:
    """The number that stands for a value; a switch stands for itself."""
    if isinstance(value, bool) or (scale == 1.0 and offset == 0.0):
        return value
    return float(f"{(value - offset) / scale:.12g}")


def value_of(tag: Tag, raw: Value, scale: float, offset: float) -> Value:
    """The value that a written number means to a tag. Raises ValueError for what the device refuses."""
    if not isfinite(raw):
        raise ValueError(f"{tag.name}: {raw!r} is no number")
    if tag.kind is bool:
        return tag.checked(bool(raw) if raw in (0, 1) else raw)
    value = raw if scale == 1.0 and offset == 0.0 else round(raw * scale + offset, _DIGITS)
    return tag.checked(int(value) if tag.kind is int and value == int(value) else value)
