"""Tasmota's telemetry as points: tele/NAME/STATE and tele/NAME/SENSOR. Pure.

After Tasmota's documentation of MQTT: switches and dimmers answer an empty command on cmnd/NAME/KEY with their state on
stat/NAME/RESULT, where every change is told too; tele/NAME/LWT is the last will, Online or Offline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from drivers.mqtt.candidate import Candidate, Leads, scaled, snake, unit_of
from drivers.mqtt.path import JsonPath, spelt

_TOPIC = re.compile(r"tele/(?P<device>.+)/(?P<message>STATE|SENSOR)")
_SWITCH = re.compile(r"POWER\d{0,2}")
_AVAILABILITY: Final[list[JsonValue]] = [{"topic": "tele/{topic}/LWT", "online": "Online", "offline": "Offline"}]
_MOST: Final = 100
_DEEPEST: Final = 4
# How often a switch is asked for its state, so that one that nobody touches is still known.
_ASK_EVERY: Final = "1min"

# What Tasmota's drivers call a quantity, and its unit.
_UNITS: Final[Mapping[str, str]] = {
    "CarbonDioxide": "ppm",
    "Current": "A",
    "Frequency": "Hz",
    "Humidity": "%",
    "Illuminance": "lx",
    "Power": "W",
    "Pressure": "hPa",
    "Today": "kWh",
    "Total": "kWh",
    "Voltage": "V",
    "Yesterday": "kWh",
}


def read_tasmota(topic: str, tree: JsonValue) -> Leads | None:
    """None where the message is no telemetry of Tasmota's."""
    match = _TOPIC.fullmatch(topic)
    if match is None or not isinstance(tree, dict) or "Time" not in tree:
        return None
    found = _switches(tree) if match["message"] == "STATE" else _sensors(tree)
    name = match["device"]
    return [each._replace(device=f"tasmota {name}", device_title=f"Tasmota {name}", base=name) for each in found]


def _switches(tree: Mapping[str, JsonValue]) -> Iterator[Candidate]:
    for key in tree:
        if _SWITCH.fullmatch(key):
            values: JsonValue = {"ON": True, "OFF": False}
            yield _commanded(key, PointKind.COMMAND, ValueType.BOOLEAN, "none", {"values": values})
        elif key == "Dimmer":
            yield _commanded(key, PointKind.SETPOINT, ValueType.NUMBER, "%", {"decimals": 0})


def _commanded(key: str, kind: PointKind, type: ValueType, unit: str, more: Mapping[str, JsonValue]) -> Candidate:
    address: dict[str, JsonValue] = {
        "state_topic": "stat/{topic}/RESULT",
        "path": key,
        **more,
        "command_topic": f"cmnd/{{topic}}/{key}",
        "request_topic": f"cmnd/{{topic}}/{key}",
        "request_every": _ASK_EVERY,
        "reports": "on_change",
        "availability": _AVAILABILITY,
    }
    return Candidate("", "", "", snake(key, "value"), kind, type, unit, address, key)


def _sensors(tree: dict[str, JsonValue]) -> Iterator[Candidate]:
    fahrenheit = tree.get("TempUnit") == "F"
    for path in _numbers(tree, (), _DEEPEST):
        last = next(step for step in reversed(path) if isinstance(step, str))
        unit, scale = unit_of(("F" if fahrenheit else "C") if last == "Temperature" else _UNITS.get(last))
        address: dict[str, JsonValue] = {
            "state_topic": "tele/{topic}/SENSOR",
            "path": spelt(path),
            **scaled(scale),
            "availability": _AVAILABILITY,
        }
        name = snake("_".join(map(str, path)), "value")
        yield Candidate("", "", "", name, PointKind.SENSOR, ValueType.NUMBER, unit, address, spelt(path))


def _numbers(tree: JsonValue, path: JsonPath, depth: int) -> list[JsonPath]:
    """Where numbers stand, at most so many."""
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        return [path]
    if not depth or not isinstance(tree, dict | list):
        return []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [each for key, value in items for each in _numbers(value, (*path, key), depth - 1)][:_MOST]
