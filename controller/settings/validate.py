"""Data against a type: pydantic decides, and the reader is told in plain words what would be right.

What would be right is read off the type's own JSON schema, so that a new field, driver or strategy brings its advice
with it. Types may say more themselves: a ValueError "what is wrong; what would be right" is passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar, cast

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from controller.settings.document import Secret, Step, Tree, Where, at
from controller.settings.problems import did_you_mean, nearest, shown

T = TypeVar("T")
Schema: TypeAlias = "dict[str, Any]"

_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})

_JSON_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
DURATION_ADVICE = "a duration with its unit, like 500ms, 90s, 10min or 1h"
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit, at a place below what was checked.

    unknown: the key itself is the fault. missing: the key that is not there.
    """

    where: Where
    wrong: str
    right: str
    unknown: bool = False
    missing: str = ""


class Checker(Generic[T]):
    """Checks data against one type. JSON's own strictness applies: no text is taken for a number or a boolean."""

    def __init__(self, kind: type[T]) -> None:
        self._adapter = TypeAdapter(kind)
        self._types: dict[Where, frozenset[str]] = {}

    @cached_property
    def schema(self) -> Schema:
        try:
            return self._adapter.json_schema()
        except PydanticUserError:  # a type that JSON schema cannot tell: checked all the same, with poorer advice
            return {}

    @cached_property
    def _has_durations(self) -> bool:
        return '"format": "duration"' in json.dumps(self.schema)

    def check(self, tree: Tree) -> tuple[T | None, list[Fault]]:
        """The object, or what is wrong with the data."""
        data: Tree = _with_durations(self.schema, self.schema, tree) if self._has_durations else tree
        try:
            return self._adapter.validate_json(_as_json(data), strict=True), []
        except ValidationError as error:
            return None, self._faults(error, tree)

    def types(self, where: Where) -> frozenset[str]:
        """What may stand at a place, in the words of JSON schema: number, integer, boolean, string, array, object."""
        if where not in self._types:
            self._types[where] = frozenset(name for node in _nodes(self.schema, where) for name in _types(node))
        return self._types[where]

    @cached_property
    def keys(self) -> list[str]:
        """The keys that may stand at the root."""
        return self._keys(())

    def plain(self, value: T) -> Any:
        """The object as JSON data, defaults included."""
        return self._adapter.dump_python(value, mode="json")

    def _faults(self, error: ValidationError, tree: Tree) -> list[Fault]:
        found: dict[tuple[Where, str], Fault] = {}
        for detail in error.errors(include_url=False, include_input=False):
            missing = detail["type"] == "missing"
            where = _real_place(tree, detail["loc"], keep_last=missing)
            fault = self._fault(cast("dict[str, Any]", detail), where, tree)
            found.setdefault((fault.where, fault.missing), fault)  # the branches of a union all complain
        return _without_echoes(list(found.values()))

    def _fault(self, detail: dict[str, Any], where: Where, tree: Tree) -> Fault:
        if detail["type"] in _UNKNOWN_KEY:
            known = self._keys(where[:-1])
            name = str(where[-1])
            return Fault(where, f"the key '{shown(name)}' is unknown", nearest(name, known, "keys"), unknown=True)
        if detail["type"] == "missing":
            if isinstance(where[-1], str):
                right = f"add it: {self.expected(where)}"
                return Fault(where[:-1], f"'{where[-1]}' is missing", right, missing=where[-1])
            where = where[:-1]  # an item of a list that is too short
        if detail["type"] == "value_error" and str(detail["ctx"]["error"]):
            wrong, right = _own_words(str(detail["ctx"]["error"]), self.expected(where))
            return Fault(_named_key(where, wrong, tree), wrong, right)
        right = f"write {self.expected(where)}{_limit(detail)}"
        return Fault(where, f"{_name(where)} is {_described(at(tree, where))}", right)

    def _keys(self, where: Where) -> list[str]:
        nodes = _nodes(self.schema, where)
        return [key for node in nodes for key in cast("dict[str, Any]", node.get("properties", {}))]

    def expected(self, where: Where) -> str:
        """What may stand at a place, in words."""
        nodes = _nodes(self.schema, where)
        return " or ".join(dict.fromkeys(_expected(node) for node in nodes)) or "what docs/configuration.md says"


_checkers: dict[type[Any], Checker[Any]] = {}


def checker(kind: type[T]) -> Checker[T]:
    """One checker a type: making one costs milliseconds."""
    if kind not in _checkers:
        _checkers[kind] = Checker(kind)
    return _checkers[kind]


def own_words(error: ValueError, otherwise: str) -> tuple[str, str]:
    """The two halves of a message "what is wrong; what would be right"."""
    return _own_words(str(error), otherwise)


def _own_words(message: str, otherwise: str) -> tuple[str, str]:
    wrong, separator, right = message.partition("; ")
    return wrong, right if separator else f"write {otherwise}"


def seconds(text: str) -> timedelta:
    """A duration as people write it. Raises ValueError."""
    match = DURATION.fullmatch(text)
    if match is None or len(text) > 20:
        raise ValueError(f"'{shown(text)}' is no duration; write {DURATION_ADVICE}")
    number, unit = match.groups()
    found = timedelta(seconds=float(number) * _SECONDS[unit]) if len(number) <= 9 else _LONGEST * 2
    if found > _LONGEST:
        raise ValueError(f"'{text}' is longer than a year; write a shorter duration")
    return found


# --- places -------------------------------------------------------------------------------------------------------


def _real_place(tree: Tree, location: tuple[int | str, ...], keep_last: bool) -> Where:
    """pydantic's location without the names of union branches, which stand in no file."""
    place: list[Step] = []
    last = len(location) - 1
    for index, step in enumerate(location):
        inside = (isinstance(tree, dict) and step in tree) or (isinstance(tree, list) and isinstance(step, int))
        if inside:
            place.append(step)
            tree = at(tree, (step,))
        elif keep_last and index == last:
            place.append(step)
    return tuple(place)


def _named_key(where: Where, wrong: str, tree: Tree) -> Where:
    """A message about a whole object that begins with the name of one of its keys belongs to that key."""
    inside = at(tree, where)
    first = wrong.partition(" ")[0].strip("':")
    return (*where, first) if isinstance(inside, dict) and first in inside else where


def _without_echoes(faults: list[Fault]) -> list[Fault]:
    """One fault often shows twice: a whole is wrong because a part is, a key is missing because it is misspelt."""
    places = [(*fault.where, fault.missing) if fault.missing else fault.where for fault in faults]
    misspelt = {(fault.where[:-1], fault.right) for fault in faults if fault.unknown}

    def is_echo(fault: Fault) -> bool:
        if fault.missing:
            return (fault.where, did_you_mean(fault.missing)) in misspelt
        depth = len(fault.where)
        return any(len(place) > depth and place[:depth] == fault.where for place in places)

    return [fault for fault in faults if not is_echo(fault)]


# --- schemas ------------------------------------------------------------------------------------------------------


def _nodes(root: Schema, where: Where) -> list[Schema]:
    """The schema's nodes at a place: several where it is a union."""
    nodes = _flat(root, root)
    for step in where:
        nodes = [inner for node in nodes for child in _children(node, step) for inner in _flat(root, child)]
    return nodes


def _flat(root: Schema, node: Schema) -> list[Schema]:
    """The node, references followed and unions opened."""
    if "$ref" in node:
        target: Schema = root
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        return _flat(root, target)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in node:
            options: list[Schema] = node[union]
            return [flat for option in options if option.get("type") != "null" for flat in _flat(root, option)]
    return [node]


def _types(node: Schema) -> list[str]:
    if "type" in node:
        return [str(node["type"])]
    values: list[object] = node.get("enum", [node["const"]] if "const" in node else [])
    return [_JSON_TYPES[type(value)] for value in values]


def _children(node: Schema, step: Step) -> list[Schema]:
    if isinstance(step, int):
        prefix: list[Schema] = node.get("prefixItems", [])
        if step < len(prefix):
            return [prefix[step]]
        items = node.get("items")
        return [items] if isinstance(items, dict) else []
    properties: dict[str, Schema] = node.get("properties", {})
    if step in properties:
        return [properties[step]]
    more = node.get("additionalProperties")
    return [cast("Schema", more)] if isinstance(more, dict) else []


def _with_durations(root: Schema, node: Schema, tree: Tree) -> Tree:
    """The tree with durations as pydantic wants them; what is no duration becomes what pydantic refuses."""
    nodes = _flat(root, node)
    if isinstance(tree, dict):
        return {key: _below(root, nodes, key, value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_below(root, nodes, index, value) for index, value in enumerate(tree)]
    if isinstance(tree, str) and any(each.get("format") == "duration" for each in nodes):
        try:
            return f"PT{seconds(tree).total_seconds():.6f}S"
        except ValueError:
            return [tree] if len(nodes) == 1 else tree
    return tree


def _below(root: Schema, nodes: list[Schema], step: Step, tree: Tree) -> Tree:
    children = [child for node in nodes for child in _children(node, step)]
    return _with_durations(root, {"anyOf": children}, tree) if children else tree


# --- words --------------------------------------------------------------------------------------------------------


def _reference(value: object) -> object:
    if isinstance(value, Secret):
        return {f"!{value.kind}": value.name}
    raise TypeError(f"{type(value).__name__} is no part of a document")


_as_json = json.JSONEncoder(default=_reference).encode  # made once: json.dumps makes one a call


def _name(where: Where) -> str:
    names = [step for step in where if isinstance(step, str)]
    if not where:
        return "this"
    if isinstance(where[-1], int):
        return f"item {where[-1] + 1} of '{names[-1]}'" if names else f"item {where[-1] + 1}"
    return f"'{where[-1]}'"


def _described(value: Tree) -> str:
    if value is None:
        return "without a value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value}"
    if isinstance(value, str):
        return f"the text '{shown(value)}'"
    if isinstance(value, Secret):
        return f"a reference to a secret ({shown(str(value))})"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return "a mapping"


_PLAIN_TYPES = {"boolean": "true or false", "string": "a text", "null": "nothing"}
_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_FORMATS = {
    "duration": DURATION_ADVICE,
    "time": "a time of day like 18:30",
    "date": "a date like 2026-05-01",
    "date-time": "a date and time like 2026-05-01T18:30:00+08:00",
}


def _limit(detail: dict[str, Any]) -> str:
    """The limit of what JSON schema has no limits for: durations and times, which pydantic has put into words."""
    context: dict[str, Any] = detail.get("ctx", {})
    limits = [f", {words} {context[key]}" for key, words in _LIMITS.items() if isinstance(context.get(key), str)]
    return limits[0] if limits else ""


def _expected(node: Schema) -> str:
    if "const" in node:
        return _word(node["const"])
    if "enum" in node:
        words = [_word(each) for each in node["enum"]]
        return words[0] if len(words) == 1 else f"one of {', '.join(words)}"
    kind = node.get("type")
    if kind in ("number", "integer"):
        return _expected_number(node)
    if "description" in node and kind in ("string", "array"):
        return str(node["description"])
    if kind == "array":
        return _expected_list(node)
    if kind == "object":
        return _expected_mapping(node)
    if kind == "string" and node.get("minLength"):
        return "a text that is not empty"
    return _FORMATS.get(str(node.get("format")), _PLAIN_TYPES.get(str(kind), "a value"))


def _expected_number(node: Schema) -> str:
    name = "a whole number" if node["type"] == "integer" else "a number"
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    limits = [
        *([f"at least {low:g}"] if low is not None else []),
        *([f"above {above:g}"] if above is not None else []),
        *([f"at most {high:g}"] if high is not None else []),
        *([f"below {below:g}"] if below is not None else []),
    ]
    if low is not None and high is not None:
        return f"{name} from {low:g} to {high:g}"
    return f"{name}, {' and '.join(limits)}" if limits else name


def _expected_list(node: Schema) -> str:
    least, most = node.get("minItems"), node.get("maxItems")
    if least is not None and least == most:
        return f"a list of {least}, like [{', '.join('…' for _ in range(least))}]"
    return f"a list of at least {least}" if least else "a list"


def _expected_mapping(node: Schema) -> str:
    properties = cast("Mapping[str, Any]", node.get("properties", {}))
    required: list[str] = node.get("required", [])
    words = required or list(properties)
    return f"a mapping with {', '.join(words)}" if words else "a mapping of keys to values"


def _word(value: object) -> str:
    return json.dumps(value) if not isinstance(value, str) else value
