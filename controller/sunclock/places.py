"""The places of a sun clock out of a CSV file: every line that is right, and every line that is not, told by number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from controller.core.errors import Problem
from controller.core.strategy import Position
from controller.core.terrain import DARK, LimitByAzimuth, Terrain, TerrainProblem, dark_limit, read_terrain
from controller.settings.problems import Problems, nearest, shown
from controller.settings.table import ENCODINGS, Row, control_character, read_table

# Each column by its name and by what else people write above it.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "city", "site", "名称", "地点", "城市", "小区"),
    "name_zh": ("name_zh", "中文名", "中文名称"),
    "latitude": ("latitude", "lat", "纬度"),
    "longitude": ("longitude", "lon", "lng", "经度"),
    "time_zone": ("time_zone", "timezone", "tz", "时区"),
    "altitude": ("altitude", "elevation", "海拔"),
    "horizon": ("horizon", "地形", "地形文件"),
    "on_earlier": ("on_earlier", "开灯提前"),
    "off_later": ("off_later", "关灯延后"),
}
_NEEDED = ("name", "latitude", "longitude", "time_zone")
_BY_HEADER = {word: column for column, words in _COLUMNS.items() for word in words}

_A_ZONE = "write a name of the IANA time zone database, like Asia/Shanghai"
# Looking for what was meant takes long among six hundred names.
_MOST_ADVISED = 3

LONGEST_NAME = 80
MOST_OFFSET = 120.0  # min
_LOWEST, _HIGHEST = -430.0, 9000.0  # m
LARGEST_TERRAIN = 100_000  # bytes

# Hours between a zone's standard time and the mean sun beyond which one of the two is probably wrong. The clocks of
# western Spain, Argentina and Iceland are up to two hours ahead; one zone serves all of China.
_MOST_AHEAD = 2.2
_MOST_AHEAD_CHINA = 3.3
_CHINA = ("Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "PRC")


@dataclass(frozen=True, slots=True)
class Place:
    """dark: below which elevation of the sun its lamps are on. on_earlier, off_later: seconds, never negative."""

    name: str
    name_zh: str
    zone: ZoneInfo
    position: Position
    dark: float | LimitByAzimuth
    terrain: Terrain | None = None
    on_earlier: float = 0.0
    off_later: float = 0.0


@dataclass(slots=True)
class Places:
    """found: what can be worked with. warnings: what is probably wrong with some of them. problems: of the others."""

    found: list[Place] = field(default_factory=list[Place])
    warnings: list[Problem] = field(default_factory=list[Problem])
    problems: list[Problem] = field(default_factory=list[Problem])


class _Wrong(Exception):
    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.right = right


def read_places(file: Path, year: int, illuminance: float = DARK) -> Places:
    """Raises ConfigError where nothing of the file can be used. year: whose clocks the zones are judged by."""
    unreadable = Problems()
    rows = read_table(file, unreadable, ENCODINGS)
    columns = _header(file, rows, unreadable) if rows else {}
    unreadable.raise_if_any()
    reading = _Reading(file, columns, year, illuminance)
    for row in (rows or [])[1:]:
        reading.read(row)
    return reading.places


def _header(file: Path, rows: Sequence[Row], problems: Problems) -> dict[str, int]:
    header = rows[0]
    columns: dict[str, int] = {}
    for index, cell in enumerate(header.cells):
        column = _BY_HEADER.get(cell.strip().lower().replace(" ", "_"))
        if column is None:
            problems.add(file, header.line, f"there is no column '{shown(cell)}'", nearest(cell, _COLUMNS, "columns"))
        elif column in columns:
            problems.add(file, header.line, f"the column {column} stands twice", "leave one of them out")
        else:
            columns[column] = index
    for column in _NEEDED:
        if column not in columns:
            problems.add(file, header.line, f"the column {column} is missing", f"the header names {', '.join(_NEEDED)}")
    if len(rows) < 2:
        problems.add(file, header.line, "there is no place below the header", "write a line a place")
    return columns


class _Reading:
    def __init__(self, file: Path, columns: Mapping[str, int], year: int, illuminance: float) -> None:
        self.places = Places()
        self._file = file
        self._columns = columns
        self._year = year
        self._illuminance = illuminance
        self._lines: dict[str, int] = {}
        self._terrains: dict[str, Terrain] = {}
        self._advice: dict[str, str] = {}

    def read(self, row: Row) -> None:
        try:
            place = self._place(row)
        except _Wrong as wrong:
            self.places.problems.append(Problem(self._file, row.line, wrong.wrong, wrong.right))
            return
        self._lines[place.name] = row.line
        self.places.found.append(place)

    def _place(self, row: Row) -> Place:
        cells = {column: row.cells[index] if index < len(row.cells) else "" for column, index in self._columns.items()}
        name = self._name(cells)
        latitude, longitude = _coordinates(cells)
        zone = self._zone(cells["time_zone"])
        altitude = _number(cells, "altitude", (_LOWEST, _HIGHEST), "metres above sea level")
        terrain = self._terrain(cells["horizon"]) if cells.get("horizon") else None
        place = Place(
            name,
            cells.get("name_zh") or name,
            zone,
            Position(latitude, longitude, altitude),
            _dark_limit(self._illuminance, altitude, terrain),
            terrain,
            60.0 * _number(cells, "on_earlier", (0.0, MOST_OFFSET), "minutes; lamps may only be on for longer"),
            60.0 * _number(cells, "off_later", (0.0, MOST_OFFSET), "minutes; lamps may only be on for longer"),
        )
        if warning := _beside_the_zone(place, self._year):
            self.places.warnings.append(Problem(self._file, row.line, *warning))
        return place

    def _name(self, cells: Mapping[str, str]) -> str:
        name = cells["name"]
        for text in (name, cells.get("name_zh", "")):
            if (found := control_character(text)) is not None:
                raise _Wrong(f"the name holds the control character {found}", "write it on one line")
            if len(text) > LONGEST_NAME:
                raise _Wrong(f"the name '{shown(text)}' is too long", f"at most {LONGEST_NAME} characters")
        if not name:
            raise _Wrong("the name is missing", "name the place")
        if name in self._lines:
            raise _Wrong(f"the name '{shown(name)}' stands twice", f"see line {self._lines[name]}")
        return name

    def _zone(self, name: str) -> ZoneInfo:
        if not name:
            raise _Wrong("the time zone is missing", _A_ZONE)
        if (zone := _known_zone(name)) is not None:
            return zone
        if name not in self._advice and len(self._advice) < _MOST_ADVISED:
            advice = nearest(name, available_timezones(), "zones")
            self._advice[name] = advice if advice.startswith("did") else _A_ZONE
        raise _Wrong(f"the time zone '{shown(name)}' does not exist", self._advice.get(name, _A_ZONE))

    def _terrain(self, name: str) -> Terrain:
        if name not in self._terrains:
            self._terrains[name] = _read_terrain(self._file.parent / name, name)
        return self._terrains[name]


def _read_terrain(file: Path, name: str) -> Terrain:
    right = "name a text file of azimuth and angle, its path begins at the folder of the CSV"
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_TERRAIN:
            raise _Wrong(f"the horizon '{shown(name)}' is no file of angles", right)
        return read_terrain(file.read_text(encoding="utf-8-sig"))
    except TerrainProblem as problem:
        raise _Wrong(f"horizon {shown(name)}:{problem.line}: {problem.wrong}", problem.right) from None
    except (OSError, UnicodeDecodeError):
        raise _Wrong(f"the horizon '{shown(name)}' cannot be read", right) from None


@lru_cache(maxsize=4096)  # thousands of places stand at sea level without a terrain
def _dark_limit(illuminance: float, altitude: float, terrain: Terrain | None) -> float | LimitByAzimuth:
    return dark_limit(illuminance, altitude, terrain)


class _Axis(NamedTuple):
    column: str
    most: float


_LATITUDE, _LONGITUDE = _Axis("latitude", 90.0), _Axis("longitude", 180.0)


def _coordinates(cells: Mapping[str, str]) -> tuple[float, float]:
    latitude, longitude = (_degrees(cells, axis.column) for axis in (_LATITUDE, _LONGITUDE))
    if abs(latitude) > 90.0 and abs(latitude) <= 180.0 and abs(longitude) <= 90.0:
        wrong = f"latitude {latitude:g} is beyond 90, and longitude {longitude:g} would be one: they look swapped"
        raise _Wrong(wrong, f"write latitude {longitude:g}, longitude {latitude:g}")
    for axis, value in ((_LATITUDE, latitude), (_LONGITUDE, longitude)):
        if abs(value) > axis.most:
            raise _Wrong(f"{axis.column} {value:g} is out of range", f"degrees from -{axis.most:g} to {axis.most:g}")
    return latitude, longitude


def _degrees(cells: Mapping[str, str], column: str) -> float:
    text = cells[column]
    if not text:
        raise _Wrong(f"the {column} is missing", "decimal degrees, like 31.2304")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _Wrong(f"{column} '{shown(text)}' is no number", "decimal degrees, like 31.2304; south and west negative")
    return value


def _number(cells: Mapping[str, str], column: str, span: tuple[float, float], right: str) -> float:
    text = cells.get(column, "")
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not span[0] <= value <= span[1]:
        raise _Wrong(f"{column} is '{shown(text)}'", f"{span[0]:g} to {span[1]:g} {right}")
    return value


@lru_cache(maxsize=4096)  # thousands of lines name the same
def _known_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _beside_the_zone(place: Place, year: int) -> tuple[str, str] | None:
    """What to warn of where the clock of the zone is far from the sun of the longitude."""
    standard, longitude = _standard_hours(place.zone, year), place.position.longitude
    # Across the date line, a day apart is the same time of day.
    apart = (standard - longitude / 15.0 + 12.0) % 24.0 - 12.0
    if abs(apart) <= (_MOST_AHEAD_CHINA if place.zone.key in _CHINA else _MOST_AHEAD):
        return None
    return (
        f"the time zone {place.zone.key} is UTC{standard:+g} h, but longitude {longitude:g} lies at "
        f"UTC{longitude / 15.0:+.1f} h by the sun",
        "one of the two is probably wrong; the times below are those of this position on that clock",
    )


@lru_cache(maxsize=1024)
def _standard_hours(zone: tzinfo, year: int) -> float:
    """The smaller offset of winter and summer [h]."""
    offsets = (datetime(year, month, 1, 12, tzinfo=zone).utcoffset() or timedelta(0) for month in (1, 7))
    return min(offsets) / timedelta(hours=1)
