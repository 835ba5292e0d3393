"""points.csv: the rows of one device as the same tree that a template is.

One compiler checks both, and whatever it finds wrong with a point is told at the line of its row. docs/points.md lists
the columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

from controller.core.point import POINT_ID
from controller.core.ports import DriverKind
from controller.settings.document import DEEPEST, Document, Step, Tree, Where
from controller.settings.problems import Problems, did_you_mean, nearest, shown
from controller.settings.reading import Reading, checked
from controller.settings.schema import PointListFile
from controller.settings.table import Row, control_character, read_table
from controller.settings.validate import Checker, checker

UNCLASSIFIED = "unclassified"
ADDRESS, TAG = "address.", "tags."
BETWEEN_STATES = "|"

_LONGEST_POINT = 165
_LONGEST_NUMBER = 40
_MOST_TOLD_COLUMNS = 5


class _Wrong(Exception):
    """What is wrong with a cell, and what would be right."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.wrong, self.right = wrong, right


# --- cells ------------------------------------------------------------------------------------------------------------

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}

_Read: TypeAlias = Callable[[str, str], Tree]


def _text(_column: str, cell: str) -> Tree:
    return cell


def _is_number(cell: str) -> bool:
    return len(cell) <= _LONGEST_NUMBER and bool(_INTEGER.fullmatch(cell) or _FLOAT.fullmatch(cell))


def _number(column: str, cell: str) -> Tree:
    if _is_number(cell):
        return float(cell) if not _INTEGER.fullmatch(cell) else int(cell, 16) if cell[:2] == "0x" else int(cell)
    if "," in cell and "." in cell:
        raise _Wrong(f"'{shown(cell)}' mixes point and comma", f"write '{column}' with a decimal point only: 1234.5")
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", cell):
        raise _Wrong(f"'{shown(cell)}' has a comma", f"write it with a decimal point: {cell.replace(',', '.')}")
    right = "write the number alone; its unit stands in the column 'unit'" if cell[:1].isdigit() else "write a number"
    raise _Wrong(f"'{column}' is '{shown(cell)}', which is no number", right)


def _boolean(column: str, cell: str) -> Tree:
    if cell.lower() in _BOOLEANS:
        return _BOOLEANS[cell.lower()]
    raise _Wrong(f"'{column}' is '{shown(cell)}'", "write true or false")


def _value(column: str, cell: str) -> Tree:
    """A value of a point: a number, true or false, or a text."""
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    return _number(column, cell) if cell[0] in "+-.0123456789" else cell


def _states(column: str, cell: str) -> Tree:
    """`off|on|auto`, or a JSON list where a text contains the sign between them."""
    if cell.startswith("["):
        return _json(column, cell)
    return [state.strip() for state in cell.split(BETWEEN_STATES)]


def _point(column: str, cell: str) -> Tree:
    if not POINT_ID.fullmatch(cell):
        right = "write the whole id of a point of the same device, like plant.chiller_1.status"
        raise _Wrong(f"'{column}' is '{shown(cell)}'", right)
    return cell


class _Column(NamedTuple):
    """Where the cell stands in a point's entry of a template, and how its text is read."""

    path: Where
    read: _Read


_COLUMNS: Mapping[str, _Column] = {
    "title": _Column(("tags", "title"), _text),
    "kind": _Column(("kind",), _text),
    "type": _Column(("type",), _text),
    "states": _Column(("states",), _states),
    "unit": _Column(("unit",), _text),
    "plausible_low": _Column(("plausible", 0), _number),
    "plausible_high": _Column(("plausible", 1), _number),
    "stale_after": _Column(("stale_after",), _text),
    "cov_increment": _Column(("cov_increment",), _number),
    "urgent": _Column(("urgent",), _boolean),
    "range_low": _Column(("writable", "range", 0), _number),
    "range_high": _Column(("writable", "range", 1), _number),
    "release": _Column(("writable", "release"), _text),
    "remote_bit": _Column(("writable", "release", "remote_bit"), _point),
    "safe_value": _Column(("writable", "release", "safe_value"), _value),
    "restore_low": _Column(("writable", "release", "restore", 0), _number),
    "restore_high": _Column(("writable", "release", "restore", 1), _number),
    "on_silence": _Column(("writable", "on_silence"), _text),
    "device_timeout": _Column(("writable", "on_silence", "device_timeout"), _text),
    "heartbeat": _Column(("writable", "on_silence", "heartbeat"), _point),
    "heartbeat_after": _Column(("writable", "on_silence", "after"), _text),
    "readback": _Column(("writable", "readback"), _point),
    "tolerance": _Column(("writable", "tolerance"), _number),
    "settle": _Column(("writable", "settle"), _text),
    "effect_point": _Column(("writable", "effect", "point"), _point),
    "effect_within": _Column(("writable", "effect", "within"), _text),
    "effect_tolerance": _Column(("writable", "effect", "tolerance"), _number),
    "maximum_rate": _Column(("writable", "limits", "maximum_rate"), _number),
    "minimum_on": _Column(("writable", "limits", "minimum_on"), _text),
    "minimum_off": _Column(("writable", "limits", "minimum_off"), _text),
}
_OF_ROW = ("device", "point", "class", "remark")
COLUMNS = (*_OF_ROW[:3], *_COLUMNS, _OF_ROW[3])
"""Every column but those of addresses (`address.register`) and tags (`tags.brick`)."""

# What must be said of a point that is written, in the words of columns.
_WRITABLE = frozenset(name for name, column in _COLUMNS.items() if column.path[0] == "writable")
_RELEASES: Mapping[str, Sequence[str]] = {
    "write_null": (),
    "remote_bit": ("remote_bit",),
    "safe_value": ("safe_value",),
    "restore": ("restore_low", "restore_high"),
}
_SILENCES: Mapping[str, Sequence[str]] = {
    "none": (),
    "device_timeout": ("device_timeout",),
    "heartbeat": ("heartbeat", "heartbeat_after"),
}
_FORMS: Mapping[str, Mapping[str, Sequence[str]]] = {"release": _RELEASES, "on_silence": _SILENCES}
_PAIRS = (("plausible_low", "plausible_high"), ("range_low", "range_high"))


# --- the file -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """What the rows of a device say. broken: the points of rows with a defect, which is told already.

    whole: every point of the device is here or broken.
    """

    reading: Reading[PointListFile]
    broken: frozenset[str]
    whole: bool


@dataclass
class PointList:
    """One file. rows: by device. columns: None where the header is defective, so that no row can be understood."""

    file: Path
    problems: Problems
    columns: Sequence[str] | None = None
    rows: dict[str, list[Row]] = field(default_factory=dict[str, "list[Row]"])

    def of(self, device: str, driver: DriverKind | None) -> Listed:
        """The points of a device whose link speaks `driver` (None: an unknown protocol, which is told already)."""
        compiler = _DeviceRows(self.file, self.problems, driver, self.columns or (), whole=self.columns is not None)
        return compiler.listed(self.rows.get(device, []) if compiler.whole else [])

    def refuse_others(self, known: Sequence[str]) -> None:
        """Tell the rows of devices that do not take their points from this file: nobody would read them."""
        for device, rows in self.rows.items():
            if device not in known:
                wrong = f"no device '{shown(device)}' takes its points from this file"
                if not device:
                    wrong = "the row names no device"
                self.problems.add(self.file, rows[0].line, wrong, nearest(device, known, "devices"))


def read_point_list(file: Path, driver: DriverKind | None, problems: Problems) -> PointList | None:
    """driver: of the first device that takes its points from the file, for advice."""
    rows = read_table(file, problems)
    if rows is None:
        return None
    if not rows:
        problems.add(file, 1, "the file says nothing", "begin with a row that names the columns: docs/points.md")
        return None
    columns = [name.lower() for name in rows[0].cells]
    keys = [] if driver is None else checker(driver.address).keys
    is_sound = _is_header(file, rows[0].line, columns, keys, problems)
    found = PointList(file, problems, columns if is_sound else None)
    at = columns.index("device") if "device" in columns else None
    for row in rows[1:]:
        device = "" if at is None or at >= len(row.cells) else row.cells[at]
        found.rows.setdefault(device, []).append(row)
    return found


def _is_header(file: Path, line: int, columns: Sequence[str], keys: Sequence[str], problems: Problems) -> bool:
    faults: list[tuple[str, str]] = []
    for index, name in enumerate(columns):
        if name in columns[:index] and name:
            faults.append((f"the column '{shown(name)}' is there twice", "keep one"))
        elif name and not _is_column(name):
            faults.append((f"the column '{shown(name)}' is unknown", _nearest_column(name, keys)))
    right = f"the first row names the columns: {', '.join(_OF_ROW[:3])}, ...; docs/points.md lists them"
    faults += [(f"there is no column '{name}'", right) for name in _OF_ROW[:2] if name not in columns]
    for wrong, right in faults[:_MOST_TOLD_COLUMNS]:
        problems.add(file, line, wrong, right)
    return not faults


def _is_column(name: str) -> bool:
    return name in COLUMNS or any(name.startswith(each) and len(name) > len(each) for each in (ADDRESS, TAG))


def _nearest_column(name: str, keys: Sequence[str]) -> str:
    if name in keys:
        return did_you_mean(f"{ADDRESS}{name}")
    advice = nearest(name, (*COLUMNS, *(f"{ADDRESS}{key}" for key in keys)), "columns")
    return advice if advice.startswith("did") else "remove it, or call it 'remark'; docs/points.md lists the columns"


# --- the rows of a device -----------------------------------------------------------------------------------------


@dataclass
class _DeviceRows:
    file: Path
    problems: Problems
    driver: DriverKind | None
    columns: Sequence[str]
    whole: bool
    equipment: dict[str, dict[str, Any]] = field(default_factory=dict[str, "dict[str, Any]"])
    lines: dict[Where, int] = field(default_factory=dict["Where", int])
    broken: set[str] = field(default_factory=set[str])

    def listed(self, rows: Sequence[Row]) -> Listed:
        for row in rows:
            try:
                self._row(row)
            except _Wrong as error:
                self.problems.add(self.file, row.line, error.wrong, error.right)
        tree = cast("Tree", {"equipment": self.equipment})
        document = Document(self.file, tree, {(): 1, ("equipment",): 1, **self.lines})
        return Listed(checked(document, PointListFile, self.problems), frozenset(self.broken), self.whole)

    def _row(self, row: Row) -> None:
        whole, self.whole = self.whole, False  # until its point is known
        cells = _cells(row, self.columns)
        point = cells.get("point", "")
        if not POINT_ID.fullmatch(point) or len(point) > _LONGEST_POINT:
            wrong = f"'{shown(point)}' is no point id" if point else "the row names no point"
            raise _Wrong(wrong, "write area.equipment.quantity in lower snake case, like plant.chiller_1.status")
        equipment, _, quantity = point.rpartition(".")
        where: Where = ("equipment", equipment, "points", quantity)
        if where in self.lines:
            raise _Wrong(f"'{point}' stands on line {self.lines[where]} already", "give one of them another name")
        self.lines[where] = row.line
        self.lines.setdefault(where[:2], row.line)
        entry = self.equipment.setdefault(equipment, {"class": UNCLASSIFIED, "points": {}})
        self.broken.add(point)
        self.whole = whole
        self._classify(entry, equipment, cells, row.line)
        entry["points"][quantity] = self._entry(cells)
        self.broken.discard(point)
        for name in ("unit", "kind", "type", "states"):
            if name in cells:
                self.lines[(*where, name)] = row.line

    def _classify(self, entry: dict[str, Any], equipment: str, cells: Mapping[str, str], line: int) -> None:
        """The class of an equipment is said in one of its rows or in all."""
        said = cells.get("class")
        place: Where = ("equipment", equipment, "class")
        if said is None:
            return
        if place in self.lines and said != entry["class"]:
            wrong = f"'{equipment}' is of class {shown(said)} here and {shown(entry['class'])} on line"
            raise _Wrong(f"{wrong} {self.lines[place]}", "an equipment has one class")
        entry["class"] = said
        self.lines.setdefault(place, line)

    def _entry(self, cells: Mapping[str, str]) -> dict[str, Tree]:
        """The row as a template would say it."""
        entry: dict[str, Any] = {"address": self._address(cells)}
        _check_pairs(cells)
        skipped = _only_forms(cells)
        for name, cell in cells.items():
            if name in _COLUMNS and name not in skipped:
                _put(entry, _COLUMNS[name].path, _COLUMNS[name].read(name, cell))
            elif name.startswith(TAG):
                _put(entry, ("tags", name.removeprefix(TAG)), cell)
        return entry

    def _address(self, cells: Mapping[str, str]) -> dict[str, Tree]:
        said = {name.removeprefix(ADDRESS): cell for name, cell in cells.items() if name.startswith(ADDRESS)}
        if self.driver is None:
            return dict(said)
        check = checker(self.driver.address)
        known = check.keys
        for name in said:
            if known and name not in known:
                wrong = f"{self.driver.name} knows no '{ADDRESS}{shown(name)}'"
                advice = nearest(name, known, f"keys of a {self.driver.name} address")
                raise _Wrong(wrong, did_you_mean(ADDRESS + advice[14:-2]) if advice.startswith("did") else advice)
        return {name: _of_type(check, name, cell) for name, cell in said.items()}


def _cells(row: Row, columns: Sequence[str]) -> dict[str, str]:
    """The filled cells by column."""
    if len(row.cells) > len(columns):
        wrong = f"has {len(row.cells)} cells, the first row {len(columns)}"
        raise _Wrong(wrong, "put a text that contains the separator into quotation marks")
    found: dict[str, str] = {}
    for name, cell in zip(columns, row.cells, strict=False):
        if not cell:
            continue
        if not name:
            raise _Wrong(f"'{shown(cell)}' stands in a column without a name", "name the column in the first row")
        character = control_character(cell)
        if character is not None:
            raise _Wrong(f"'{name}' contains the control character {character}", "write the cell as one line of text")
        if cell.startswith("="):
            raise _Wrong(f"'{name}' is the formula {shown(cell)}", "write its value; a point list computes nothing")
        found[name] = cell
    return found


def _check_pairs(cells: Mapping[str, str]) -> None:
    for pair in _PAIRS:
        filled = [name for name in pair if name in cells]
        if len(filled) == 1:
            other = pair[1 - pair.index(filled[0])]
            raise _Wrong(f"'{filled[0]}' stands without '{other}'", f"fill '{other}' too")


def _only_forms(cells: Mapping[str, str]) -> frozenset[str]:
    """The cells that only name how a point is let go or what silence does, beside others that say it all."""
    written = next((name for name in cells if name in _WRITABLE), None)
    if written is None:
        return frozenset()
    chosen = {column: _form(cells, column, forms, written) for column, forms in _FORMS.items()}
    return frozenset(column for column, form in chosen.items() if _FORMS[column][form])


def _form(cells: Mapping[str, str], column: str, forms: Mapping[str, Sequence[str]], written: str) -> str:
    filled = [form for form, names in forms.items() if any(name in cells for name in names)]
    said = cells.get(column) or next(iter(filled), None)
    if said is None:
        raise _Wrong(f"'{written}' is filled, but nothing under '{column}'", f"write {' or '.join(forms)} there")
    if said not in forms:
        raise _Wrong(f"'{column}' is '{shown(said)}'", nearest(said, forms, f"words under '{column}'"))
    missing = [name for name in forms[said] if name not in cells]
    if missing:
        raise _Wrong(f"'{column}' is {said}, but '{missing[0]}' is empty", f"fill '{missing[0]}'")
    others = [form for form in filled if form != said]
    if others:
        raise _Wrong(f"'{forms[others[0]][0]}' is filled, but '{column}' is {said}", "keep one of the two")
    return said


def _put(entry: dict[str, Any], path: Sequence[Step], value: Tree) -> None:
    """Where the last step is a number, the value is one of a pair."""
    *inside, last = path
    for step in inside[:-1] if isinstance(last, int) else inside:
        entry = entry.setdefault(str(step), {})
    if isinstance(last, int):
        entry.setdefault(str(inside[-1]), [0.0, 0.0])[last] = value
    else:
        entry[last] = value


def _of_type(check: Checker[Any], name: str, cell: str) -> Tree:
    """The cell as the field of an address has it."""
    types, column = check.types((name,)), f"{ADDRESS}{name}"
    if "boolean" in types and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if cell[0] in "[{" and types & {"array", "object"}:
        return _json(column, cell)
    if types & {"integer", "number"} and ("string" not in types or _is_number(cell)):
        number = _number(column, cell)
        is_whole = isinstance(number, float) and number.is_integer() and "number" not in types
        return int(cast("float", number)) if is_whole else number
    return _boolean(column, cell) if types == frozenset({"boolean"}) else cell


def _json(column: str, cell: str) -> Tree:
    if cell.count("[") + cell.count("{") <= DEEPEST:
        try:
            return json.loads(cell, parse_constant=_no_constant)
        except ValueError:
            pass
    raise _Wrong(f"'{column}' is '{shown(cell)}', which is no JSON", 'write a list like [1, 2] or {"on": true}')


def _no_constant(name: str) -> Tree:
    raise ValueError(name)
