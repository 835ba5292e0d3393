"""Reading records of weather and load: comma-separated text, optionally gzip, with errors that name the line."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TypeAlias

Row: TypeAlias = Mapping[str, str]


class RecordProblem(ValueError):
    """What is wrong with a line of a file, and what would be right."""

    def __init__(self, path: Path, line: int, wrong: str, right: str) -> None:
        super().__init__(f"{path}:{line}: {wrong}; expected {right}")
        self.path, self.line, self.wrong, self.right = path, line, wrong, f"expected {right}"


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A table with a header line; `problem` makes the error of one of its lines."""

    path: Path

    def columns(self) -> tuple[str, ...]:
        """Names in the header line."""
        with self._open() as text:
            header = next(csv.reader(text), None)
        if not header:
            raise self.problem(1, "the file is empty", "a header line with column names")
        for mark, name in ((";", "semicolons"), ("\t", "tabs")):
            if len(header) == 1 and mark in header[0]:
                raise self.problem(1, f"the columns are separated by {name}", "commas, and a point in decimal numbers")
        return tuple(name.strip() for name in header)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Every data line with its line number in the file."""
        columns = self.columns()
        with self._open() as text:
            reader = csv.reader(text)
            next(reader)
            for fields in reader:
                if not fields:
                    continue
                if len(fields) != len(columns):
                    raise self.problem(
                        reader.line_num, f"{len(fields)} fields", f"{len(columns)} fields: {', '.join(columns)}"
                    )
                yield reader.line_num, dict(zip(columns, fields, strict=True))

    def number(self, line: int, row: Row, column: str, low: float, high: float) -> float | None:
        """The number in a field, None where the field is empty. Raises ValueError outside low..high."""
        text = row[column].strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.problem(line, f"{column} is {text[:40]!r}", "a number or an empty field") from None
        if not low <= value <= high:
            raise self.problem(line, f"{column} is {value:g}", f"a value from {low:g} to {high:g}")
        return value

    def whole(self, line: int, row: Row, column: str, low: int, high: int) -> int:
        """The whole number in a field that must not be empty."""
        value = self.number(line, row, column, low, high)
        if value is None or value != int(value):
            raise self.problem(line, f"{column} is {row[column][:40]!r}", f"a whole number from {low} to {high}")
        return int(value)

    def timestamp(self, line: int, row: Row) -> datetime:
        """The local standard clock time in the `timestamp` column, without zone."""
        text = row["timestamp"].strip()
        right = "local standard time such as 2019-08-18 00:30:00"
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise self.problem(line, f"timestamp is {text[:40]!r}", right) from None
        if at.tzinfo is not None:
            raise self.problem(line, f"timestamp {text[:40]!r} names a zone", f"{right}, without one")
        return at

    def problem(self, line: int, wrong: str, right: str) -> RecordProblem:
        return RecordProblem(self.path, line, wrong, right)

    def _open(self) -> IO[str]:
        try:
            data = self.path.read_bytes()
            if self.path.suffix == ".gz":
                data = gzip.decompress(data)
        except OSError as error:
            reason = error.strerror or "no gzip"
            raise self.problem(1, f"cannot be read ({reason})", "a .csv or .csv.gz file") from error
        except (EOFError, zlib.error) as error:
            raise self.problem(1, "cannot be read (a gzip file that is not whole)", "a .csv or .csv.gz file") from error
        try:
            return io.StringIO(data.decode("utf-8-sig"), newline="")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise self.problem(line, "is not UTF-8", "a file that was saved as 'CSV UTF-8'") from error


@dataclass(slots=True)
class Instants:
    """Which dated line stood where. A time that comes again with other readings is told: nobody knows which are true,
    and a clock that is put back in autumn does just that."""

    file: RecordFile
    _seen: dict[datetime, tuple[int, int]] = field(default_factory=dict[datetime, "tuple[int, int]"])

    def of(self, line: int, row: Row) -> datetime:
        """Raises RecordProblem for a time that was there with other readings."""
        at = self.file.timestamp(line, row)
        readings = hash(tuple(row.values()))
        first_line, first = self._seen.setdefault(at, (line, readings))
        if first != readings:
            raise self.file.problem(
                line,
                f"timestamp {row['timestamp'].strip()} stands on line {first_line} with other readings",
                "each time once; local standard time knows no hour twice, whatever clocks do in autumn",
            )
        return at
