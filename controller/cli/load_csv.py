"""A load series out of a CSV file: which columns, whose clock, and every line that cannot be read, told by number."""

from __future__ import annotations

import csv
import gzip
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TextIO
from zoneinfo import ZoneInfo

from controller.core.errors import ConfigError, EnvironmentProblem, Problem
from controller.core.forecast import History, Readings

_UNKNOWN = {"", "nan", "na", "n/a", "null", "none"}
_MOST_PROBLEMS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Columns(NamedTuple):
    """Names; None where they are to be guessed from the header."""

    time: str | None = None
    load: str | None = None
    temperature: str | None = None
    holiday: str | None = None


@dataclass(slots=True)
class LoadFile:
    """What the file says, and what was wrong with it without making it useless."""

    path: Path
    column: str
    temperature_column: str | None
    history: History
    rows: int = 0
    unknown: int = 0
    out_of_order: int = 0
    skipped_by_the_clock: int = 0


@dataclass(slots=True)
class _Series:
    starts: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, start: int, value: float) -> None:
        self.starts.append(start)
        self.values.append(value)


class _Clock:
    """Turns what stands in the file into UTC.

    Where clocks go back, one hour is written twice: a stamp of it that comes a second time is the later one.
    """

    def __init__(self, zone: ZoneInfo, is_utc: bool) -> None:
        self.zone = zone
        self._written_in = ZoneInfo("UTC") if is_utc else zone
        self._seen: set[datetime] = set()

    def instant(self, text: str) -> datetime | None:
        """None for a time that the local clock skips. Raises ValueError."""
        stamp = datetime.fromisoformat(text)
        if stamp.tzinfo is not None:
            return stamp.astimezone(UTC)
        early, late = (stamp.replace(tzinfo=self._written_in, fold=fold) for fold in (0, 1))
        if early.utcoffset() == late.utcoffset():
            return early.astimezone(UTC)
        if early.astimezone(UTC).astimezone(self._written_in).replace(tzinfo=None) != stamp:
            return None
        chosen = late if stamp in self._seen else early
        self._seen.add(stamp)
        return chosen.astimezone(UTC)


def read_load(path: Path, wanted: Columns, zone: ZoneInfo, *, is_utc: bool) -> LoadFile:
    """Raises ConfigError with every unreadable line, EnvironmentProblem if the file cannot be read at all."""
    try:
        with _opened(path) as stream:
            return _read(path, stream, wanted, _Clock(zone, is_utc))
    except (OSError, EOFError) as error:
        raise EnvironmentProblem(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise EnvironmentProblem(f"{path} is no CSV text in UTF-8: {error}") from None


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _read(path: Path, stream: TextIO, wanted: Columns, clock: _Clock) -> LoadFile:
    header_line = stream.readline()
    delimiter = max(",;\t", key=header_line.count)
    header = [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter), list[str]())]
    columns = _columns(path, header, wanted)
    load, temperature, working_days = _Series(), _Series(), dict[date, bool]()
    read = LoadFile(
        path,
        columns.load or "",
        columns.temperature,
        History(_as_readings(load), _as_readings(temperature), clock.zone, working_days),
    )
    problems: list[Problem] = []
    latest: int | None = None
    unknown = 0
    for line, row in _rows(stream, delimiter, header):
        if len(problems) >= _MOST_PROBLEMS:
            break
        try:
            start = _start(clock, row[columns.time or ""])
            value = _number(row, columns.load or "")
            degrees = _number(row, columns.temperature) if columns.temperature else math.nan
        except _Wrong as wrong:
            problems.append(Problem(path, line, wrong.wrong, wrong.right))
            continue
        read.rows += 1
        if start is None:
            read.skipped_by_the_clock += 1
            continue
        read.out_of_order += latest is not None and start < latest
        latest = start
        # Rows beyond the last load hold the weather forecast; no load is missing there.
        if math.isnan(value):
            unknown += 1
        else:
            read.unknown, unknown = read.unknown + unknown, 0
        load.add(start, value)
        temperature.add(start, degrees)
        if columns.holiday and row[columns.holiday].strip() in {"1", "1.0", "true", "True"}:
            local = (_EPOCH + timedelta(microseconds=start)).astimezone(clock.zone)
            working_days[local.date()] = False
    if problems:
        raise ConfigError(problems)
    return read


def _as_readings(series: _Series) -> Readings:
    return Readings(series.starts, series.values)


def _rows(stream: TextIO, delimiter: str, header: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(stream, delimiter=delimiter)
    for cells in reader:
        if cells:
            padded = [*cells, *[""] * (len(header) - len(cells))]
            yield reader.line_num + 1, dict(zip(header, padded, strict=False))


class _Wrong(Exception):
    def __init__(self, wrong: str, right: str) -> None:
        self.wrong = wrong
        self.right = right
        super().__init__(wrong)


def _start(clock: _Clock, text: str) -> int | None:
    try:
        instant = clock.instant(text.strip())
    except (ValueError, OverflowError):
        raise _Wrong(f"{text[:40]!r} is no time", "write 2026-07-06 14:00 or 2026-07-06T14:00+08:00") from None
    return None if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)


def _number(row: dict[str, str], column: str) -> float:
    text = row[column].strip()
    if text.lower() in _UNKNOWN:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise _Wrong(f"{column} is {text[:40]!r}", "a number, or nothing where it is unknown")
    return value


def _columns(path: Path, header: Sequence[str], wanted: Columns) -> Columns:
    named = ", ".join(header) or "nothing"
    for name, option in zip(wanted, ("--time", "--column", "--temperature", "--holiday"), strict=True):
        if name is not None and name not in header:
            raise ConfigError([Problem(path, 1, f"there is no column {name!r}", f"{option} takes one of: {named}")])
    if len(header) < 2:
        raise ConfigError([Problem(path, 1, f"the header names {named}", "a column of times and one of loads")])
    time = wanted.time or header[0]
    load = wanted.load or _guess(header, "load", "power", "energy")
    if load is None:
        others = [name for name in header if name != time]
        if len(others) > 1:
            raise ConfigError([Problem(path, 1, "which column is the load?", f"--column takes one of: {named}")])
        load = others[0]
    return Columns(
        time,
        load,
        wanted.temperature or _guess(header, "temp", "outdoor_air_temperature"),
        wanted.holiday or _guess(header, "holiday"),
    )


def _guess(header: Sequence[str], *beginnings: str) -> str | None:
    return next((name for name in header if name.lower().startswith(beginnings)), None)
