"""What simulated gateways tell and understand on MQTT, written from the templates' words and not from the driver's
codec. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, cast

from controller.core.sample import Scalar
from drivers.mqtt.address import PLACEHOLDER, Availability, MqttAddress, holds_text, is_json
from simulator.gateway import Value
from simulator.servers.raw import raw_of, value_of
from simulator.servers.served_site import Place
from simulator.tags import Tag

MqttPlace: TypeAlias = Place[MqttAddress]
Steps: TypeAlias = tuple[str | int, ...]

_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["([^"]+)"\]')
_WORDS: Mapping[str, bool] = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
_MARK = "\0"


def steps_of(path: str) -> Steps:
    """`phases[0].power` as its keys and indexes. The address has been checked before."""
    return tuple(int(index) if index else key or quoted for key, index, quoted in _STEP.findall(path))


# --- telling ----------------------------------------------------------------------------------------------------------


def message(told: Iterable[tuple[MqttPlace, Value | None]], moment: datetime) -> bytes:
    """One topic's message: a bare word where the place has no path, else JSON with every value in its place.

    None stands for an instrument without a reading. moment: the message's own time, where an address wants one.
    """
    tree: Any = {}
    for place, value in told:
        address = place.address
        if not address.path:
            return _bare(_word(address, value)).encode()
        tree = _with(tree, steps_of(address.path), _word(address, value))
        if address.timestamp:
            tree = _with(tree, steps_of(address.timestamp), moment.isoformat())
    return json.dumps(tree, ensure_ascii=False).encode()


def presence(availability: Availability, *, is_there: bool) -> bytes:
    """Whether a gateway is there, as its availability topic says it."""
    word = availability.online if is_there else availability.offline
    if not availability.path:
        return word.encode()
    return json.dumps(_with({}, steps_of(availability.path), word)).encode()


def _word(address: MqttAddress, value: Value | None) -> Scalar | None:
    if value is None:
        return None
    for text, meaning in address.values.items():
        if meaning == value:
            return text
    return raw_of(value, address.scale, address.offset)


def _bare(word: Scalar | None) -> str:
    if word is None:
        return ""
    return word if isinstance(word, str) else json.dumps(word)


def _with(tree: Any, steps: Steps, value: Scalar | None) -> Any:
    """The tree with a value at a place that may not be there yet."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, str):
        held: dict[str, Any] = dict(cast("dict[str, Any]", tree)) if isinstance(tree, dict) else {}
        return {**held, first: _with(held.get(first), rest, value)}
    listed: list[Any] = [*cast("list[Any]", tree)] if isinstance(tree, list) else []
    listed += [None] * (first + 1 - len(listed))
    listed[first] = _with(listed[first], rest, value)
    return listed


# --- understanding ----------------------------------------------------------------------------------------------------


def commanded(tag: Tag, address: MqttAddress, payload: bytes) -> Value | None:
    """The value that a command means to a tag; None where it says nothing of it. Raises ValueError for nonsense."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise ValueError("a command is text") from None
    word = _in_json(address.command_payload, text) if is_json(address.command_payload) else _in_text(address, text)
    if word is None:
        return None
    values = address.command_values or address.values
    if values:
        return _meant(tag, values, word)
    if isinstance(word, str):
        word = _WORDS.get(word.casefold()) if tag.kind is bool else float(word)
    if word is None or isinstance(word, str):
        raise ValueError(f"{tag.name}: {text!r} is no switch position")
    return value_of(tag, word, address.scale, address.offset)


def _in_text(address: MqttAddress, text: str) -> str | None:
    before, _, after = address.command_payload.partition(PLACEHOLDER)
    is_meant = text.startswith(before) and text.endswith(after) and len(text) >= len(before) + len(after)
    return text[len(before) : len(text) - len(after)].strip() if is_meant else None


def _in_json(form: str, text: str) -> Scalar | None:
    mark = _MARK if holds_text(form) else json.dumps(_MARK)
    try:
        found: Any = _at_mark(json.loads(form.replace(PLACEHOLDER, mark), strict=False), json.loads(text))
    except RecursionError:
        raise ValueError("a command is not nested so deeply") from None
    return found


def _at_mark(form: Any, said: Any) -> Any:
    """What stands in the message where the form has its mark; None where the message has nothing there."""
    if form == _MARK:
        return said if isinstance(said, str | int | float) else None
    if isinstance(form, dict) and isinstance(said, dict):
        there = cast("dict[str, Any]", said)
        pairs = ((each, there.get(key)) for key, each in cast("dict[str, Any]", form).items())
        return _first(_at_mark(each, other) for each, other in pairs)
    if isinstance(form, list) and isinstance(said, list):
        both = zip(cast("list[Any]", form), cast("list[Any]", said), strict=False)
        return _first(_at_mark(each, other) for each, other in both)
    return None


def _first(found: Iterable[Any]) -> Any:
    return next((each for each in found if each is not None), None)


def _meant(tag: Tag, values: Mapping[str, Scalar], word: Scalar) -> Value:
    text = word if isinstance(word, str) else json.dumps(word)
    meaning = values.get(text)
    if meaning is None or isinstance(meaning, str):
        raise ValueError(f"{tag.name}: {text!r} is none of {', '.join(values)}")
    return value_of(tag, meaning, 1.0, 0.0)
