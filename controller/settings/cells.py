"""The texts of a table's cells as the values that they mean."""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

from controller.core.point import POINT_ID
from controller.settings.document import DEEPEST, Tree
from controller.settings.problems import shown
from controller.settings.validate import Checker

BETWEEN_STATES = "|"

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_LONGEST_NUMBER = 40
_BOOLEANS = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}


class Wrong(Exception):
    """What is wrong with a cell or row, and what would be right."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.wrong, self.right = wrong, right


def as_text(_column: str, cell: str) -> Tree:
    return cell


def is_number(cell: str) -> bool:
    return len(cell) <= _LONGEST_NUMBER and bool(_INTEGER.fullmatch(cell) or _FLOAT.fullmatch(cell))


def as_number(column: str, cell: str) -> Tree:
    if is_number(cell):
        return float(cell) if not _INTEGER.fullmatch(cell) else int(cell, 16) if cell[:2] == "0x" else int(cell)
    if "," in cell and "." in cell:
        raise Wrong(f"'{shown(cell)}' mixes point and comma", f"write '{column}' with a decimal point only: 1234.5")
    if _DECIMAL_COMMA.fullmatch(cell):
        raise Wrong(f"'{shown(cell)}' has a comma", f"write it with a decimal point: {shown(cell.replace(',', '.'))}")
    right = "write the number alone; its unit stands in the column 'unit'" if cell[:1].isdigit() else "write a number"
    raise Wrong(f"'{column}' is '{shown(cell)}', which is no number", right)


def as_boolean(column: str, cell: str) -> Tree:
    if cell.lower() in _BOOLEANS:
        return _BOOLEANS[cell.lower()]
    raise Wrong(f"'{column}' is '{shown(cell)}'", "write true or false")


def as_value(column: str, cell: str) -> Tree:
    """A value of a point: a number, true or false, or a text."""
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    return as_number(column, cell) if cell[0] in "+-.0123456789" else cell


def as_states(column: str, cell: str) -> Tree:
    """`off|on|auto`, or a JSON list where a text contains the sign between them."""
    if cell.startswith("["):
        return as_json(column, cell)
    return [state.strip() for state in cell.split(BETWEEN_STATES)]


def as_point(column: str, cell: str) -> Tree:
    if not POINT_ID.fullmatch(cell):
        right = "write the whole id of a point of the same device, like plant.chiller_1.status"
        raise Wrong(f"'{column}' is '{shown(cell)}'", right)
    return cell


def as_json(column: str, cell: str) -> Tree:
    if cell.count("[") + cell.count("{") <= DEEPEST:
        try:
            return json.loads(cell, parse_constant=_finite, parse_float=_finite)
        except ValueError:
            pass
    raise Wrong(f"'{column}' is '{shown(cell)}', which is no JSON", 'write a list like [1, 2] or {"on": true}')


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def as_field(check: Checker[Any], field: str, column: str, cell: str) -> Tree:
    """The cell as a field of the checked type has it."""
    types = check.types((field,))
    if "boolean" in types and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if cell[0] in "[{" and types & {"array", "object"}:
        return as_json(column, cell)
    if types & {"integer", "number"} and ("string" not in types or is_number(cell)):
        number = as_number(column, cell)
        is_whole = isinstance(number, float) and number.is_integer() and "number" not in types
        return int(cast("float", number)) if is_whole else number
    return as_boolean(column, cell) if types == frozenset({"boolean"}) else cell
