"""Messages that nothing describes as points: each value of a JSON object, or the one that a whole message is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from controller.core.event import JsonValue
from controller.core.point import PointKind
from drivers.mqtt.candidate import Candidate, snake
from drivers.mqtt.codec import CannotDecode, Payload, moment_of
from drivers.mqtt.path import JsonPath, Missing, spelt

# Values of one message; a message with more is a list of something else.
_MOST: Final = 100
_DEEPEST: Final = 5
_LONGEST_TEXT: Final = 60
_CLOCKS: Final = ("timestamp", "ts", "time", "last_seen")


def read_plain(topic: str, payload: Payload) -> list[Candidate]:
    """Values of an object belong to a device of that topic; messages that are values, to one of the topic above."""
    tree = _tree(payload)
    if isinstance(tree, dict):
        clock = next((key for key in _CLOCKS if key in tree and _is_moment(tree[key])), "")
        timestamp: dict[str, JsonValue] = {"timestamp": clock} if clock else {}
        places = [path for path in _values(tree, (), _DEEPEST) if path != (clock,)][:_MOST]
        return [
            _candidate(topic, topic, "_".join(map(str, path)), {"path": spelt(path), **timestamp}) for path in places
        ]
    above, _, name = topic.rpartition("/")
    return [_candidate(above or topic, topic, name or topic, {})] if _is_text(payload) else []


def _candidate(base: str, topic: str, name: str, more: dict[str, JsonValue]) -> Candidate:
    state = "{topic}" + topic.removeprefix(base)
    title = f"{topic} {more['path']}" if "path" in more else topic
    address: dict[str, JsonValue] = {"state_topic": state, **more}
    return Candidate(f"plain {base}", base, base, snake(name, "value"), PointKind.SENSOR, None, "none", address, title)


def _tree(payload: Payload) -> JsonValue:
    """The message as an object; None where it is anything else."""
    try:
        first = payload.raw(())
        if not isinstance(first, str) or not first.lstrip().startswith("{"):
            return None
        return payload.tree()
    except CannotDecode:
        return None


def _is_text(payload: Payload) -> bool:
    """Whether a whole message may be one value."""
    try:
        text = payload.raw(())
    except CannotDecode:
        return False
    return isinstance(text, str) and 0 < len(text) <= _LONGEST_TEXT and text.isprintable() and text[0] not in "[{<"


def _values(tree: JsonValue, path: JsonPath, depth: int) -> Iterator[JsonPath]:
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            if depth and key != "" and not (isinstance(key, str) and '"' in key):
                yield from _values(value, (*path, key), depth - 1)
    elif isinstance(tree, int | float) or (isinstance(tree, str) and len(tree) <= _LONGEST_TEXT and tree.isprintable()):
        yield path


def _is_moment(value: JsonValue | Missing) -> bool:
    try:
        moment_of(value)
    except CannotDecode:
        return False
    return True
