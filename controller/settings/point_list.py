"""points.csv: the rows of one device as the same tree that a template is.

One compiler checks both, and whatever it finds wrong with a point is told at the line of its row. docs/points.md lists
the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

from controller.core.equipment import UNCLASSIFIED
from controller.core.point import POINT_ID
from controller.core.ports import DriverKind
from controller.settings.cells import Wrong, as_boolean, as_field, as_number, as_point, as_states, as_text, as_value
from controller.settings.document import Document, Step, Tree, Where
from controller.settings.problems import Problems, did_you_mean, nearest, shown
from controller.settings.reading import Reading, checked
from controller.settings.schema.templates import PointListFile
from controller.settings.table import Row, control_character, read_table
from controller.settings.validate import checker

ADDRESS, TAG = "address.", "tags."

_LONGEST_POINT = 165
_MOST_COLUMNS = 200
_MOST_TOLD_COLUMNS = 5

_Read: TypeAlias = Callable[[str, str], Tree]


class _Column(NamedTuple):
    """Where the cell stands in a point's entry of a template, and how its text is read."""

    path: Where
    read: _Read


_COLUMNS: Mapping[str, _Column] = {
    "title": _Column(("tags", "title"), as_text),
    "kind": _Column(("kind",), as_text),
    "type": _Column(("type",), as_text),
    "states": _Column(("states",), as_states),
    "unit": _Column(("unit",), as_text),
    "plausible_low": _Column(("plausible", 0), as_number),
    "plausible_high": _Column(("plausible", 1), as_number),
    "plausible_rate": _Column(("plausible_rate",), as_number),
    "frozen_after": _Column(("frozen_after",), as_text),
    "stale_after": _Column(("stale_after",), as_text),
    "cov_increment": _Column(("cov_increment",), as_number),
    "urgent": _Column(("urgent",), as_boolean),
    "range_low": _Column(("writable", "range", 0), as_number),
    "range_high": _Column(("writable", "range", 1), as_number),
    "release": _Column(("writable", "release"), as_text),
    "remote_bit": _Column(("writable", "release", "remote_bit"), as_point),
    "safe_value": _Column(("writable", "release", "safe_value"), as_value),
    "restore_low": _Column(("writable", "release", "restore", 0), as_number),
    "restore_high": _Column(("writable", "release", "restore", 1), as_number),
    "on_silence": _Column(("writable", "on_silence"), as_text),
    "device_timeout": _Column(("writable", "on_silence", "device_timeout"), as_text),
    "heartbeat": _Column(("writable", "on_silence", "heartbeat"), as_point),
    "heartbeat_after": _Column(("writable", "on_silence", "after"), as_text),
    "readback": _Column(("writable", "readback"), as_point),
    "tolerance": _Column(("writable", "tolerance"), as_number),
    "settle": _Column(("writable", "settle"), as_text),
    "effect_point": _Column(("writable", "effect", "point"), as_point),
    "effect_within": _Column(("writable", "effect", "within"), as_text),
    "effect_tolerance": _Column(("writable", "effect", "tolerance"), as_number),
    "maximum_rate": _Column(("writable", "limits", "maximum_rate"), as_number),
    "minimum_on": _Column(("writable", "limits", "minimum_on"), as_text),
    "minimum_off": _Column(("writable", "limits", "minimum_off"), as_text),
    "starts_per_hour": _Column(("writable", "limits", "starts_per_hour"), as_number),
    "limits_source": _Column(("writable", "limits", "source"), as_text),
    "writes_per_day": _Column(("writable", "wear", "writes_per_day"), as_number),
    "minimum_interval": _Column(("writable", "wear", "minimum_interval"), as_text),
    "wear_source": _Column(("writable", "wear", "source"), as_text),
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
    columns = [name if name.startswith(TAG) else name.lower() for name in rows[0].cells]
    keys = [] if driver is None else checker(driver.address).keys
    is_sound = _is_header(file, rows[0].line, columns, keys, problems)
    found = PointList(file, problems, columns if is_sound else None)
    at = columns.index("device") if "device" in columns else None
    for row in rows[1:]:
        device = "" if at is None or at >= len(row.cells) else row.cells[at]
        found.rows.setdefault(device, []).append(row)
    return found


def _is_header(file: Path, line: int, columns: Sequence[str], keys: Sequence[str], problems: Problems) -> bool:
    if len(columns) > _MOST_COLUMNS:
        problems.add(file, line, f"has {len(columns)} columns", f"at most {_MOST_COLUMNS} can be right")
        return False
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
                cells = _cells(row, self.columns)
                point = _point_of(cells)
            except Wrong as error:
                self.whole = False
                self._tell(row, error)
                continue
            try:
                self._point(row.line, point, cells)
            except Wrong as error:
                self._tell(row, error)
        tree = cast("Tree", {"equipment": self.equipment})
        document = Document(self.file, tree, {(): 1, ("equipment",): 1, **self.lines})
        return Listed(checked(document, PointListFile, self.problems), frozenset(self.broken), self.whole)

    def _tell(self, row: Row, error: Wrong) -> None:
        self.problems.add(self.file, row.line, error.wrong, error.right)

    def _point(self, line: int, point: str, cells: Mapping[str, str]) -> None:
        equipment, _, quantity = point.rpartition(".")
        where: Where = ("equipment", equipment, "points", quantity)
        if where in self.lines:
            raise Wrong(f"'{point}' stands on line {self.lines[where]} already", "give one of them another name")
        self.lines[where] = line
        self.lines.setdefault(where[:2], line)
        entry = self.equipment.setdefault(equipment, {"class": UNCLASSIFIED, "points": {}})
        self.broken.add(point)  # until its row is understood
        self._classify(entry, equipment, cells, line)
        entry["points"][quantity] = self._entry(cells)
        self.broken.discard(point)
        for name in ("unit", "kind", "type", "states"):
            if name in cells:
                self.lines[(*where, name)] = line

    def _classify(self, entry: dict[str, Any], equipment: str, cells: Mapping[str, str], line: int) -> None:
        """The class of an equipment is said in one of its rows or in all."""
        said = cells.get("class")
        place: Where = ("equipment", equipment, "class")
        if said is None:
            return
        if place in self.lines and said != entry["class"]:
            wrong = f"'{equipment}' is of class {shown(said)} here and {shown(entry['class'])} on line"
            raise Wrong(f"{wrong} {self.lines[place]}", "an equipment has one class")
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
        for name in said:
            if check.keys and name not in check.keys:
                columns = [f"{ADDRESS}{key}" for key in check.keys]
                wrong = f"{self.driver.name} knows no '{ADDRESS}{shown(name)}'"
                raise Wrong(wrong, nearest(f"{ADDRESS}{name}", columns, "columns of its addresses"))
        return {name: as_field(check, name, f"{ADDRESS}{name}", cell) for name, cell in said.items()}


def _point_of(cells: Mapping[str, str]) -> str:
    point = cells.get("point", "")
    if not POINT_ID.fullmatch(point) or len(point) > _LONGEST_POINT:
        wrong = f"'{shown(point)}' is no point id" if point else "the row names no point"
        raise Wrong(wrong, "write area.equipment.quantity in lower snake case, like plant.chiller_1.status")
    return point


def _cells(row: Row, columns: Sequence[str]) -> dict[str, str]:
    """The filled cells by column."""
    if len(row.cells) > len(columns):
        wrong = f"has {len(row.cells)} cells, the first row {len(columns)}"
        raise Wrong(wrong, "put a text that contains the separator into quotation marks")
    found: dict[str, str] = {}
    for name, cell in zip(columns, row.cells, strict=False):
        if not cell:
            continue
        if not name:
            raise Wrong(f"'{shown(cell)}' stands in a column without a name", "name the column in the first row")
        character = control_character(cell)
        if character is not None:
            raise Wrong(f"'{name}' contains the control character {character}", "write the cell as one line of text")
        if cell.startswith("="):
            raise Wrong(f"'{name}' is the formula {shown(cell)}", "write its value; a point list computes nothing")
        found[name] = cell
    return found


def _check_pairs(cells: Mapping[str, str]) -> None:
    for pair in _PAIRS:
        filled = [name for name in pair if name in cells]
        if len(filled) == 1:
            other = pair[1 - pair.index(filled[0])]
            raise Wrong(f"'{filled[0]}' stands without '{other}'", f"fill '{other}' too")


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
        raise Wrong(f"'{written}' is filled, but nothing under '{column}'", f"write {' or '.join(forms)} there")
    if said not in forms:
        raise Wrong(f"'{column}' is '{shown(said)}'", nearest(said, forms, f"words under '{column}'"))
    missing = [name for name in forms[said] if name not in cells]
    if missing:
        raise Wrong(f"'{column}' is {said}, but '{missing[0]}' is empty", f"fill '{missing[0]}'")
    others = [form for form in filled if form != said]
    if others:
        raise Wrong(f"'{forms[others[0]][0]}' is filled, but '{column}' is {said}", "keep one of the two")
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
