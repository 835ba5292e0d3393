"""Zigbee2MQTT's list of devices as points: BASE/bridge/devices. Pure.

After Zigbee2MQTT's documentation of MQTT topics and of exposes. A device tells its state as one JSON object on
BASE/NAME and takes commands on BASE/NAME/set; `access` of a feature says whether it is published (1) and set (2).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from controller.core.discovery import NoAnswer
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from drivers.mqtt.address import PLACEHOLDER
from drivers.mqtt.candidate import Candidate, Leads, scaled, snake, text_of, unit_of
from drivers.mqtt.path import spelt

_LIST: Final = "/bridge/devices"
_PUBLISHED: Final = 1
_SETTABLE: Final = 2
# Features inside features: a light has its colour, a colour its hue.
_DEEPEST: Final = 3


def read_zigbee2mqtt(topic: str, tree: JsonValue) -> Leads | None:
    """None where the message is no list of devices."""
    if not topic.endswith(_LIST) or not isinstance(tree, list):
        return None
    base = topic.removesuffix(_LIST)
    return [lead for device in tree if isinstance(device, dict) for lead in _device(base, device)]


def _device(base: str, device: Mapping[str, JsonValue]) -> Iterator[Candidate | NoAnswer]:
    name, definition = text_of(device, "friendly_name"), device.get("definition")
    if not name or text_of(device, "type") == "Coordinator":
        return
    exposes = definition.get("exposes") if isinstance(definition, dict) else None
    if not isinstance(definition, dict) or not isinstance(exposes, list):
        yield NoAnswer(name, "Zigbee2MQTT does not know this device")
        return
    title = " ".join(filter(None, (text_of(definition, "vendor"), text_of(definition, "model"))))
    topic = f"{base}/{name}"
    availability: list[JsonValue] = [
        {"topic": f"{base}/bridge/state", "path": "state"},
        {"topic": "{topic}/availability", "path": "state"},
    ]
    # What sleeps on a battery is missed after 25 hours only: too late to believe it meanwhile.
    reports: dict[str, JsonValue] = {"reports": "on_change"} if text_of(device, "type") == "Router" else {}
    for feature in _features(exposes, (), _DEEPEST):
        found = _feature(*feature)
        if found is not None:
            address = {**found.address, "availability": availability, **reports}
            yield found._replace(device=topic, device_title=f"{title} {name}".strip(), base=topic, address=address)


def _features(
    exposes: Sequence[JsonValue], inside: tuple[str, ...], depth: int
) -> Iterator[tuple[Mapping[str, JsonValue], tuple[str, ...]]]:
    """Every feature that holds a value, with the keys of the objects around it."""
    for each in exposes:
        if not isinstance(each, dict):
            continue
        features = each.get("features")
        if not isinstance(features, list):
            yield each, inside
        elif depth:
            around = text_of(each, "property") if text_of(each, "type") == "composite" else ""
            yield from _features(features, (*inside, around) if around else inside, depth - 1)


def _feature(feature: Mapping[str, JsonValue], inside: tuple[str, ...]) -> Candidate | None:
    access, key = feature.get("access"), text_of(feature, "property")
    if not isinstance(access, int) or not access & _PUBLISHED or not key:
        return None
    # A composite is set as a whole, which a single value cannot do.
    is_settable = bool(access & _SETTABLE) and not inside
    address: dict[str, JsonValue] = {"state_topic": "{topic}", "path": spelt((*inside, key))}
    if is_settable:
        address |= {"command_topic": "{topic}/set", "command_payload": f"{{{json.dumps(key)}: {PLACEHOLDER}}}"}
    name, title = snake("_".join((*inside, key)), "value"), text_of(feature, "description") or text_of(feature, "label")
    kind, type = PointKind.SENSOR, ValueType.TEXT
    unit, states = "none", tuple[str, ...]()
    match text_of(feature, "type"):
        case "binary":
            type = ValueType.BOOLEAN
            kind = PointKind.COMMAND if is_settable else PointKind.STATUS
            address["values"] = _two(feature)
        case "numeric":
            type = ValueType.NUMBER
            kind = PointKind.SETPOINT if is_settable else PointKind.SENSOR
            unit, scale = unit_of(feature.get("unit"))
            address |= scaled(scale)
        case "enum":
            kind = PointKind.COMMAND if is_settable else PointKind.SENSOR
            values = feature.get("values")
            states = tuple(str(each) for each in values) if isinstance(values, list) else ()
        case "text":
            pass
        case _:
            return None
    return Candidate("", "", "", name, kind, type, unit, address, title or key, states)


def _two(feature: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    on, off = feature.get("value_on", True), feature.get("value_off", False)
    return {_wire(on): True, _wire(off): False}


def _wire(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)
