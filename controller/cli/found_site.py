"""What a scan found, as files of a site: every point is read, none is written, and nobody has said yet what it is."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.equipment import UNCLASSIFIED
from controller.core.errors import EnvironmentProblem
from controller.core.event import JsonValue
from controller.core.point import ValueType
from controller.core.text import Text
from controller.settings.cells import BETWEEN_STATES
from controller.settings.point_list import ADDRESS
from controller.settings.table import MOST_ROWS

SITE, DEVICES, POINTS = "site.yaml", "devices.yaml", "points.csv"
AREA = "found"

_LONGEST_WORD = 64
_LONGEST_TITLE = 160
_COLUMNS = ("device", "point", "class", "title", "kind", "type", "states", "unit")
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
# What a spreadsheet would compute, at the beginning of a cell.
_FORMULA = re.compile(r"[=+\-@]")
_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NO_TEXTS = frozenset({"true", "false", "null", "none"})
_ENCODING = "utf-8-sig"  # with its byte order mark, so that spreadsheets show Chinese

Row: TypeAlias = "dict[str, str]"

_SITE_TEXT = """\
# Written by tidewatt scan, to start from. docs/configuration.md says what else may stand here.
tidewatt: 1
name: Scanned site
# Where the building is, in degrees: change it.
position: {latitude: 0, longitude: 0}
# A name of the IANA time zone database, like Asia/Shanghai: change it.
time_zone: UTC
# What is handed over as a whole. What was found is only read; a point that shall be written belongs to a system.
systems: []
"""


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """texts: by file name. devices, points: how many are in them. left_out: what is not, and why."""

    texts: Mapping[str, str]
    devices: int
    points: int
    left_out: tuple[Text, ...]


def refuse_to_overwrite(folder: Path) -> None:
    """Raises EnvironmentProblem where the folder has these files already, or is none."""
    if folder.exists() and not folder.is_dir():
        raise EnvironmentProblem(f"{folder} is no folder; name another for --output")
    for name in (DEVICES, POINTS):
        if (folder / name).exists():
            raise EnvironmentProblem(f"{folder / name} is there already and is not overwritten; name another folder")


def write_files(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """The names of the files that were written; a site.yaml that is there is kept."""
    written: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            if name == SITE and (folder / name).exists():
                continue
            encoding = _ENCODING if name == POINTS else "utf-8"
            with (folder / name).open("x", encoding=encoding, newline="") as file:
                file.write(text)
            written.append(name)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write into {folder}: {error.strerror or error}") from None
    return written


def site_files(driver: str, found: Iterable[Found]) -> SiteFiles:
    """devices.yaml, points.csv and a site.yaml that `tidewatt check` accepts together."""
    gathered = _Gathered()
    for each in found:
        gathered.take(each)
    devices = [device for device in gathered.devices.values() if device.rows]
    silent = tuple(
        Text(f"{device.id}: no point was found on it", f"{device.id}: 未找到任何点")
        for device in gathered.devices.values()
        if not device.rows
    )
    rows = [row for device in devices for row in device.rows]
    texts = {POINTS: _table(rows), DEVICES: _devices_text(driver, devices), SITE: _SITE_TEXT}
    return SiteFiles(texts if rows else {}, len(devices), len(rows), (*gathered.left_out, *silent))


# --- gathering --------------------------------------------------------------------------------------------------------


class _Words:
    """Lower snake case, each word once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, text: str, otherwise: str) -> str:
        word = re.sub(r"_+", "_", re.sub(r"[^a-z0-9_]", "_", text.lower())).strip("_")
        if not word or not word[0].isalpha():
            word = f"{otherwise}_{word}".strip("_")
        word, number = word[:_LONGEST_WORD], 1
        chosen = word
        while chosen in self._taken:
            number += 1
            chosen = f"{word[: _LONGEST_WORD - len(str(number)) - 1]}_{number}"
        self._taken.add(chosen)
        return chosen


@dataclass
class _Device:
    id: str
    told: FoundDevice
    rows: list[Row] = field(default_factory=list[Row])
    words: _Words = field(default_factory=_Words)
    places: set[str] = field(default_factory=set[str])


@dataclass
class _Gathered:
    devices: dict[str, _Device] = field(default_factory=dict[str, _Device])
    left_out: list[Text] = field(default_factory=list[Text])
    _words: _Words = field(default_factory=_Words)
    _count: int = 0

    def take(self, found: Found) -> None:
        if isinstance(found, FoundDevice):
            self.devices.setdefault(found.id, _Device(self._words.of(found.id, "device"), found))
        elif isinstance(found, FoundPoint):
            self._point(found)

    def _point(self, found: FoundPoint) -> None:
        device = self.devices.get(found.device)
        cells = {f"{ADDRESS}{name}": _cell(value) for name, value in found.address.items()}
        reason = self._why_not(device, found, cells)
        if device is None or reason is not None:
            what = f"{found.device}, {printed(found.title or found.name)}"
            english, chinese = reason or Text("its device was not told", "未告知其设备")
            self.left_out.append(Text(f"{what}: {english}", f"{what}: {chinese}"))
            return
        self._count += 1
        device.places.add(json.dumps(cells, sort_keys=True))
        device.rows.append(
            {
                "device": device.id,
                "point": f"{AREA}.{device.id}.{device.words.of(found.name, 'point')}",
                "class": UNCLASSIFIED,
                "title": _harmless(printed(found.title)),
                "kind": found.kind.value,
                "type": found.type.value,
                "states": _states(found),
                "unit": found.unit,
                **cells,
            }
        )

    def _why_not(self, device: _Device | None, found: FoundPoint, cells: Mapping[str, str]) -> Text | None:
        if self._count >= MOST_ROWS:
            return Text(f"a point list has at most {MOST_ROWS} rows", f"点表最多 {MOST_ROWS} 行")
        if device is not None and json.dumps(cells, sort_keys=True) in device.places:
            return Text("it has the address of another point", "与另一点地址相同")
        if any(len(state) > _LONGEST_TITLE for state in found.states):
            return Text("one of its states is too long a text", "其某一状态的文字过长")
        for name, cell in cells.items():
            if _NOT_PRINTED.search(cell) or cell != cell.strip():
                return Text(f"{name} has signs that cannot be printed", f"{name} 含不可打印字符")
            if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
                return Text(f"{name} would be a formula in a spreadsheet", f"{name} 在电子表格中会成为公式")
        return None


def _states(found: FoundPoint) -> str:
    if found.type is not ValueType.TEXT:
        return ""
    states = [state for state in found.states if state]
    joined = BETWEEN_STATES.join(states)
    is_simple = all(state == printed(state) and BETWEEN_STATES not in state for state in states)
    return joined if is_simple and not _FORMULA.match(joined) and not joined.startswith("[") else _cell(list(states))


def printed(text: str) -> str:
    """What a device calls itself, bounded and on one line."""
    return _NOT_PRINTED.sub(" ", text).strip()[:_LONGEST_TITLE]


def _harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


# --- writing ----------------------------------------------------------------------------------------------------------


def _cell(value: JsonValue) -> str:
    """A text as it is, anything else in JSON, whose escapes are kept where a sign cannot be printed."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if _NOT_PRINTED.search(text) else text


def _table(rows: Collection[Row]) -> str:
    used = {name for row in rows for name, cell in row.items() if cell}
    fields = list(dict.fromkeys(name for row in rows for name in row if name.startswith(ADDRESS)))
    columns = [name for name in (*_COLUMNS, *fields) if name in used or name in _COLUMNS[:3]]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


class _Link(NamedTuple):
    connection: Mapping[str, JsonValue]
    devices: list[_Device]


def _devices_text(driver: str, devices: Iterable[_Device]) -> str:
    links: dict[str, _Link] = {}
    for device in devices:
        connection = device.told.connection
        links.setdefault(json.dumps(connection, sort_keys=True), _Link(connection, [])).devices.append(device)
    lines = ["# Written by tidewatt scan. A person decides what may be written: see docs/points.md.", "links:"]
    for number, link in enumerate(links.values(), 1):
        lines += [f"  - id: {_plain_or_quoted(driver) if number == 1 else f'{driver}_{number}'}"]
        lines += [f"    driver: {driver}", f"    connection: {flow(dict(link.connection))}", "    devices:"]
        for device in link.devices:
            lines += [f"      # {printed(device.told.title)}"] if printed(device.told.title) else []
            address = f", address: {flow(dict(device.told.address))}" if device.told.address else ""
            lines += [f"      - {{id: {device.id}, points: {POINTS}{address}}}"]
    return "\n".join(lines) + "\n"


def flow(value: JsonValue) -> str:
    """A value as it stands on one line of a YAML file; {"!env": NAME} is the reference !env NAME."""
    if isinstance(value, Mapping):
        if len(value) == 1 and (reference := next(iter(value))) in ("!env", "!file"):
            return f"{reference} {flow(value[reference])}"
        return "{" + ", ".join(f"{_plain_or_quoted(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    return _plain_or_quoted(value) if isinstance(value, str) else json.dumps(value)


def _plain_or_quoted(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXTS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def told_in_json(found: Found) -> dict[str, JsonValue]:
    """One finding as a line of `--json`."""
    if isinstance(found, FoundDevice):
        return {
            **{"found": "device", "id": found.id, "title": found.title},
            **{"connection": dict(found.connection), "address": dict(found.address)},
        }
    if isinstance(found, NoAnswer):
        return {"found": "no answer", "what": found.what, "cause": found.cause}
    return {
        **{"found": "point", "device": found.device, "name": found.name, "title": found.title},
        **{"kind": found.kind.value, "type": found.type.value, "unit": found.unit, "states": list(found.states)},
        **{"address": dict(found.address), "value": found.value},
    }
