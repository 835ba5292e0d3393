"""BACnet objects out of an EDE file (B.I.G.-EU, Engineering Data Exchange, layouts 2.0 to 2.3).

The file is a list of objects, a second one holds the texts of their states. Its columns have a fixed order and names
that programs spell differently; the row that begins with "# keyname" names them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from controller.settings.problems import Problems, shown
from controller.settings.table import ENCODINGS, Row, read_table
from drivers.bacnet.address import BacnetConnection
from drivers.bacnet.names import ANALOG, BINARY, LAST_INSTANCE, MULTI_STATE, OBJECT_TYPES, object_name
from drivers.bacnet.units import NO_UNIT, unit_of

_COLUMNS = (
    *("keyname", "device-obj-instance", "object-name", "object-type", "object-instance", "description"),
    *("present-value-default", "min-present-value", "max-present-value", "settable", "supports-cov"),
    *("hi-limit", "low-limit", "state-text-reference", "unit-code", "vendor-specific-address"),
)
_OTHER_NAMES = {"commandable": "settable", "device-object-instance": "device-obj-instance", "unit": "unit-code"}
_HEADINGS = frozenset(
    {
        *("project_name", "version_of_referencefile", "timestamp_of_last_change", "author_of_last_change"),
        *("version_of_layout", "limited_resources"),
    }
)
_YES = frozenset({"y", "yes", "1", "true", "j", "ja"})
_WHOLE = frozenset({OBJECT_TYPES["integer-value"], OBJECT_TYPES["positive-integer-value"]})
_NUMBERS = (
    ANALOG | _WHOLE | {OBJECT_TYPES["accumulator"], OBJECT_TYPES["pulse-converter"], OBJECT_TYPES["large-analog-value"]}
)
_READABLE = _NUMBERS | BINARY | MULTI_STATE


@dataclass(frozen=True, slots=True)
class EdeFiles:
    """interface: our own address on the BACnet network, which no EDE file knows. encoding: None to find it out."""

    objects: Path
    state_texts: Path | None
    interface: str
    encoding: str | None = None


class _Unusable(Exception):
    """Why a row is no point."""


async def ede_findings(files: EdeFiles) -> AsyncGenerator[Found]:
    """What is wrong with a row is told, and the others go on.

    Raises ConfigError where a file cannot be read, ValueError for an interface that cannot be.
    """
    BacnetConnection(files.interface)
    rows = _read(files.objects, files.encoding)
    texts = {} if files.state_texts is None else _state_texts(_read(files.state_texts, files.encoding))
    devices: set[int] = set()
    for row in _rows(rows):
        try:
            device, point = _point(row.cells, texts)
        except _Unusable as error:
            yield NoAnswer(f"{files.objects.name}:{row.line}", str(error))
            continue
        if device not in devices:
            devices.add(device)
            yield FoundDevice(
                _id(device), {"interface": files.interface}, {"instance": device}, f"BACnet device {device}"
            )
        if point is not None:
            yield point


def _read(file: Path, encoding: str | None) -> list[Row]:
    problems = Problems()
    rows = read_table(file, problems, ENCODINGS if encoding is None else (encoding,))
    problems.raise_if_any()
    return rows or []


def _id(device: int) -> str:
    return f"device_{device}"


# --- rows ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Object:
    line: int
    cells: Mapping[str, str]


def _rows(rows: Sequence[Row]) -> list[_Object]:
    """The rows of objects, their cells by column."""
    columns: Sequence[str] = _COLUMNS
    found: list[_Object] = []
    for row in rows:
        first = row.cells[0].lstrip("# ").lower()
        if first == "keyname":
            columns = [_column(name) for name in row.cells]
        elif not row.cells[0].startswith("#") and first not in _HEADINGS:
            found.append(_Object(row.line, dict(zip(columns, row.cells, strict=False))))
    return found


def _column(title: str) -> str:
    """`device obj.-instance` and `Device Obj.-Instance` are one."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return _OTHER_NAMES.get(name, name)


def _state_texts(rows: Sequence[Row]) -> dict[int, tuple[str, ...]]:
    texts: dict[int, tuple[str, ...]] = {}
    for row in rows:
        number, *states = row.cells
        if number.isascii() and number.isdecimal() and len(number) <= 9:
            texts[int(number)] = tuple(states)
    return texts


def _point(cells: Mapping[str, str], texts: Mapping[int, tuple[str, ...]]) -> tuple[int, FoundPoint | None]:
    """The device, and its object where that has a value that we read. Raises _Unusable."""
    device = _number(cells, "device-obj-instance", LAST_INSTANCE)
    type = _object_type(cells.get("object-type", ""))
    instance = _number(cells, "object-instance", LAST_INSTANCE)
    if type not in _READABLE:
        return device, None
    name = cells.get("object-name") or cells.get("keyname") or object_name(type, instance)
    states = _states(cells, texts) if type in MULTI_STATE else ()
    kind = _kind(type, is_written=cells.get("settable", "").lower() in _YES)
    address: dict[str, JsonValue] = {"object": object_name(type, instance)}
    if states:
        address["states"] = list(states)
    title = ": ".join(each for each in (name, cells.get("description", "")) if each)
    unit = unit_of(cells.get("unit-code", "")) if type in ANALOG else NO_UNIT
    return device, FoundPoint(
        *(_id(device), name, kind, _value_type(type, states), unit, address, title),
        cells.get("present-value-default", ""),
        states,
    )


def _object_type(text: str) -> int:
    """By number as the layout wants it, or by name."""
    if text.isascii() and text.isdecimal() and len(text) <= 4:
        return int(text)
    name = re.sub(r"[^a-z]+", "-", text.lower()).strip("-")
    if name not in OBJECT_TYPES:
        raise _Unusable(f"object-type is '{shown(text)}'; write the number of a type, like 0 for an analog input")
    return OBJECT_TYPES[name]


def _number(cells: Mapping[str, str], name: str, most: int) -> int:
    text = cells.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 9) or int(text) > most:
        raise _Unusable(f"{name} is '{shown(text)}'; write a number from 0 to {most}")
    return int(text)


def _states(cells: Mapping[str, str], texts: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    """The texts of the object's states; none where they cannot be told apart, so that it is read by number."""
    reference = cells.get("state-text-reference", "")
    if not (reference.isascii() and reference.isdecimal() and len(reference) <= 9):
        return ()
    states = texts.get(int(reference), ())
    return states if all(states) and len(set(states)) == len(states) else ()


def _kind(type: int, *, is_written: bool) -> PointKind:
    if type in BINARY or type in MULTI_STATE:
        return PointKind.COMMAND if is_written else PointKind.STATUS
    return PointKind.SETPOINT if is_written else PointKind.SENSOR


def _value_type(type: int, states: Sequence[str]) -> ValueType:
    if type in BINARY:
        return ValueType.BOOLEAN
    if type in MULTI_STATE:
        return ValueType.TEXT if states else ValueType.INTEGER
    return ValueType.INTEGER if type in _WHOLE else ValueType.NUMBER
