"""What the maps of Home Assistant, Zigbee2MQTT and Tasmota make of a message: points that a broker may have. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from controller.core.discovery import NoAnswer
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from controller.core.units import DEVICE_UNITS


class Candidate(NamedTuple):
    """A point that something on the broker describes.

    device: tells devices apart. base: the device's topic, `{topic}` in the address. type: None where only a message
    can tell. unit, scale: as FoundPoint has them; the scale is part of the address already.
    """

    device: str
    device_title: str
    base: str
    name: str
    kind: PointKind
    type: ValueType | None
    unit: str
    address: Mapping[str, JsonValue]
    title: str
    states: tuple[str, ...] = ()


Leads: TypeAlias = Sequence[Candidate | NoAnswer]

# Units that have no name among DEVICE_UNITS, as one that has, and how many of it they are.
_UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "°C": ("degC", 1.0),
    "℃": ("degC", 1.0),
    "C": ("degC", 1.0),
    "°F": ("degF", 1.0),
    "F": ("degF", 1.0),
    "hPa": ("Pa", 100.0),
    "mbar": ("Pa", 100.0),
    "mA": ("A", 0.001),
    "mV": ("V", 0.001),
    "GWh": ("MWh", 1000.0),
    "lux": ("lx", 1.0),
    "m³/h": ("m3/h", 1.0),
    "L/s": ("l/s", 1.0),
    "L/min": ("l/s", 1 / 60),
    "l/min": ("l/s", 1 / 60),
    "d": ("h", 24.0),
    "sec": ("s", 1.0),
    "ms": ("s", 0.001),
}


def unit_of(name: JsonValue) -> tuple[str, float]:
    """A key of DEVICE_UNITS and the scale to it; no unit where we know none of that name."""
    if not isinstance(name, str):
        return "none", 1.0
    return _UNITS.get(name) or ((name, 1.0) if name in DEVICE_UNITS else ("none", 1.0))


def scaled(scale: float) -> dict[str, JsonValue]:
    """The part of an address that says a scale, where there is one to say."""
    return {} if scale == 1.0 else {"scale": scale}


def snake(text: str, otherwise: str) -> str:
    """Lower snake case, beginning with a letter."""
    name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", text).lower()).strip("_")[:60]
    if not name:
        return otherwise
    return name if name[0].isalpha() else f"{otherwise}_{name}"


def text_of(tree: Mapping[str, JsonValue], key: str) -> str:
    """The text of a key, bounded; empty where there is none."""
    value = tree.get(key)
    return value[:200] if isinstance(value, str) else ""
