"""A YAML file as plain data that remembers on which line everything stood.

The scalars are those of YAML 1.2's core schema: `18:30` and `on` are texts, `010` is ten. Anchors, aliases and merge
keys are refused: a configuration is read by people, and nothing can then expand beyond the size of its file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from controller.settings.problems import Problems, shown
from controller.settings.text_file import raw_text, with_plain_line_ends

LARGEST_FILE = 1_000_000  # bytes; a site of a thousand devices needs a quarter of it
DEEPEST = 32  # levels of nesting; ours need nine

_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"(null|Null|NULL|~|)")
_BOOLEAN = re.compile(r"(true|True|TRUE|false|False|FALSE)")
_INTEGER = re.compile(r"([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MOST_DIGITS = 18  # fits 64 bits

# What YAML does not allow in a file, and the line ends of its older version that no editor counts; what may not come
# out of the escapes of a quoted scalar.
_FORBIDDEN_IN_FILE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORBIDDEN_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

Step: TypeAlias = "str | int"
Where: TypeAlias = "tuple[Step, ...]"


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to something that never stands in a file: `!env NAME` or `!file PATH`."""

    kind: Literal["env", "file"]
    name: str

    def __str__(self) -> str:
        return f"!{self.kind} {self.name}"


Tree: TypeAlias = "bool | int | float | str | Secret | list[Tree] | dict[str, Tree] | None"


@dataclass(frozen=True, slots=True)
class Document:
    """`lines`: the line (from 1) of every key and list item, by its path from the root."""

    file: Path
    tree: Tree
    lines: Mapping[Where, int]

    def line(self, where: Where) -> int:
        """The line of the key or item; of the nearest enclosing one where it does not exist."""
        while where not in self.lines:
            if not where:
                return 1
            where = where[:-1]
        return self.lines[where]

    def get(self, where: Where) -> Tree:
        """What stands there; None where nothing does."""
        return at(self.tree, where)

    def has(self, where: Where) -> bool:
        return where in self.lines


def at(tree: Tree, where: Where) -> Tree:
    """What stands at a place of a tree; None where nothing does."""
    for step in where:
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def load(file: Path, problems: Problems) -> Document | None:
    """The file as a document; None, with the problem noted, where it is not a readable YAML file."""
    raw = raw_text(file, LARGEST_FILE, problems)
    text = None if raw is None else _decoded(file, raw, problems)
    if text is None:
        return None
    try:
        return _composed(file, text, problems)
    except _Unreadable as error:
        problems.add(file, error.line, error.wrong, error.right)
    except yaml.MarkedYAMLError as error:
        problems.add(file, *_syntax_problem(error, text))
    return None


def _composed(file: Path, text: str, problems: Problems) -> Document:
    """libyaml is ten times as fast where there is one; PyYAML's own parser knows better what is wrong.

    Neither goes further than it is asked to: each would take minutes over a megabyte of brackets.
    """
    try:
        return _Composer(file, iter(yaml.parse(text, Loader=_FAST)), problems).document()
    except yaml.YAMLError:
        return _Composer(file, iter(yaml.parse(text, Loader=yaml.SafeLoader)), problems).document()


# --- from bytes to text -------------------------------------------------------------------------------------------


def _decoded(file: Path, raw: bytes, problems: Problems) -> str | None:
    try:
        text = with_plain_line_ends(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        byte, line = raw[error.start], raw.count(b"\n", 0, error.start) + 1
        problems.add(file, line, f"is not UTF-8 text (byte 0x{byte:02x})", "save the file as UTF-8")
        return None
    forbidden = _FORBIDDEN_IN_FILE.search(text)
    if forbidden:
        line = text.count("\n", 0, forbidden.start()) + 1
        problems.add(file, line, f"contains the control character {shown(forbidden.group())}", "remove it")
        return None
    return text


# --- from text to data --------------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """What ends the reading of one file."""

    def __init__(self, line: int, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.line, self.wrong, self.right = line, wrong, right


class _Composer:
    def __init__(self, file: Path, events: Iterator[Event], problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._events = events
        self._lines: dict[Where, int] = {}

    def document(self) -> Document:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), StreamEndEvent):
            raise _Unreadable(1, "the file says nothing", "write it; docs/configuration.md shows one")
        tree = self._value(next(self._events), ())
        next(self._events)  # the end of the document
        after = next(self._events)
        if isinstance(after, DocumentStartEvent):
            raise _Unreadable(_line(after), "a second YAML document begins here", "keep one document in the file")
        return Document(self._file, tree, self._lines)

    def _value(self, event: Event, where: Where) -> Tree:
        self._lines.setdefault(where, _line(event))
        if len(where) > DEEPEST:
            raise _Unreadable(_line(event), "is nested too deeply", f"at most {DEEPEST} levels can be right")
        self._refuse_anchor(event)
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(where)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(where)
        return None  # an alias, already told

    def _refuse_anchor(self, event: Event) -> None:
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            self._add(event, f"'{sign}{shown(anchor)}' is an anchor or alias", "write the value out where it is used")
        tag = getattr(event, "tag", None)
        if tag is not None and not (isinstance(event, ScalarEvent) and tag in ("!env", "!file", "!")):
            self._add(event, f"the tag {shown(tag)} is unknown", "only !env NAME and !file PATH can be used")

    def _mapping(self, where: Where) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise _Unreadable(_line(event), "a key is itself a list or mapping", "a key is a single word")
            self._refuse_anchor(event)
            key = self._text(event)
            if key in found:
                first = self._lines[(*where, key)]
                self._add(event, f"the key '{shown(key)}' stands here a second time", f"keep one; line {first} has it")
                self._value(next(self._events), (*where, f"{key} (again)"))
                continue
            self._lines[(*where, key)] = _line(event)
            found[key] = self._value(next(self._events), (*where, key))
        return found

    def _sequence(self, where: Where) -> list[Tree]:
        found: list[Tree] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            found.append(self._value(event, (*where, len(found))))
        return found

    def _scalar(self, event: ScalarEvent) -> Tree:
        text = self._text(event)
        if event.tag == "!env":
            return Secret("env", text)
        if event.tag == "!file":
            return Secret("file", text)
        plain = event.implicit[0]
        return self._plain(event, text) if plain else text

    def _plain(self, event: ScalarEvent, text: str) -> Tree:
        if _NULL.fullmatch(text):
            return None
        if _BOOLEAN.fullmatch(text):
            return text.lower() == "true"
        if _INTEGER.fullmatch(text):
            if len(text) <= _MOST_DIGITS:
                return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            self._add(event, f"{shown(text)} has too many digits", f"at most {_MOST_DIGITS} can be right")
            return 0
        if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
            number = math.inf if _NOT_FINITE.fullmatch(text) else float(text)
            if math.isfinite(number):
                return number
            self._add(event, f"{shown(text)} is no finite number", "write a finite number")
            return 0.0
        return text

    def _text(self, event: ScalarEvent) -> str:
        text: str = event.value
        if _FORBIDDEN_IN_TEXT.search(text):
            self._add(event, f"'{shown(text)}' contains a control character", "remove it")
            return _FORBIDDEN_IN_TEXT.sub("?", text)
        return text

    def _add(self, event: Event, wrong: str, right: str) -> None:
        self._problems.add(self._file, _line(event), wrong, right)


def _line(event: Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else mark.line + 1


# --- syntax errors in plain words -----------------------------------------------------------------------------------

# What PyYAML says (problem, context) and what that means to somebody who is not a parser. First match wins.
_SYNTAX = (
    ("", "quoted scalar", "a quotation mark is opened here and never closed", "close the quotation mark"),
    (
        "",
        "flow mapping",
        "a brace { is opened here and not closed properly",
        "separate entries by commas, close with }",
    ),
    (
        "",
        "flow sequence",
        "a bracket [ is opened here and not closed properly",
        "separate items by commas, close with ]",
    ),
    ("found undefined tag handle", "", "an unknown tag", "only !env NAME and !file PATH can be used"),
    ("could not find expected ':'", "", "a line without 'key: value' stands here", "write 'key: value'"),
    (
        "mapping values are not allowed",
        "",
        "a colon stands where none can be",
        "check the indentation, and put texts that contain ': ' in quotation marks",
    ),
    ("expected <block end>", "", "the indentation does not fit the lines above", "indent keys of one level equally"),
    ("cannot start any token", "", "this character cannot begin a value", "put the text in quotation marks"),
)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str, str]:
    mark = error.problem_mark or error.context_mark
    line = 1 if mark is None else mark.line + 1
    lines = text.splitlines()
    tabbed = [number for number, each in enumerate(lines, 1) if "\t" in each[: len(each) - len(each.lstrip())]]
    if tabbed:
        more = "" if len(tabbed) == 1 else f" (and in {len(tabbed) - 1} more lines)"
        return tabbed[0], f"a tab indents this line{more}", "indent with spaces"
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return line, "a tab stands where only spaces can", "use spaces"
    problem, context = error.problem or "", error.context or ""
    for problem_part, context_part, wrong, right in _SYNTAX:
        if problem_part in problem and context_part in context:
            if context_part and error.context_mark is not None:
                line = error.context_mark.line + 1
            return line, wrong, right
    return line, f"is no YAML from here on ({shown(problem)})", "check indentation, colons and quotation marks"
