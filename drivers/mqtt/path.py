"""Where a value stands inside a JSON message: `data.items[2].value`, `["a key.with dots"]`. Pure.

A path is keys joined by dots and indexes in brackets, counted from zero. A key that holds dots, brackets or quotes is
written in brackets and double quotes. No wildcards, no filters: one path names one value.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, TypeAlias

from controller.core.event import JsonValue

JsonPath: TypeAlias = tuple[str | int, ...]


class Missing(Enum):
    """What `found` gives where the message has nothing at the path."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

_STEP = re.compile(r'(?:^|(?<!^)\.)(?P<key>[^.\[\]"]+)|\[(?P<index>\d{1,6})\]|\["(?P<quoted>[^"]+)"\]')


def parse_path(text: str) -> JsonPath:
    """Raises ValueError, saying what would be right."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise ValueError(
                f"{text!r} is no place in a message; write keys and indexes such as data.items[2].value, "
                'and keys with dots as ["a.b"]'
            )
        index = step["index"]
        steps.append(int(index) if index is not None else step["key"] or step["quoted"])
        position = step.end()
    return tuple(steps)


def spelt(path: JsonPath) -> str:
    """The text that `parse_path` reads."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.search(r'[.\[\]"]', step):
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text


def found(tree: JsonValue, path: JsonPath) -> JsonValue | Missing:
    for step in path:
        if isinstance(step, str):
            if not isinstance(tree, dict) or step not in tree:
                return MISSING
            tree = tree[step]
        else:
            if not isinstance(tree, list) or step >= len(tree):
                return MISSING
            tree = tree[step]
    return tree
