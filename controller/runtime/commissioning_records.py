"""The site's `commissioning.csv`: one line a test, only ever appended to, made to be kept under version control."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from datetime import datetime
from io import FileIO
from pathlib import Path

from controller.core.commissioning import Record, Result
from controller.core.errors import ConfigError, EnvironmentProblem, Problem

FILE = "commissioning.csv"
COLUMNS = ("time", "item", "result", "who", "measured", "note", "configuration")


def read_records(site: Path) -> list[Record]:
    """What was recorded, oldest first; nothing where the file is not there. Raises ConfigError, EnvironmentProblem."""
    path = site / FILE
    try:
        text = path.read_bytes().decode("utf-8-sig")  # who opened it in Excel may have left its mark
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError([Problem(path, 1, "this is not UTF-8", "save the file as UTF-8")]) from None
    problems: list[Problem] = []
    records: list[Record] = []
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        try:
            row = _cells(line)
            if row and (number, tuple(row)) != (1, COLUMNS):
                records.append(_record(row))
        except ValueError as error:
            problems.append(Problem(path, number, str(error), f"write {','.join(COLUMNS)}"))
    if problems:
        raise ConfigError(problems)
    return records


def append_record(site: Path, record: Record) -> None:
    """The whole line is on the disk when it returns, and nothing of it where it raises EnvironmentProblem."""
    path = site / FILE
    try:
        with path.open("a+b", buffering=0) as file:
            _append(file, _row(record))
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be written: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise EnvironmentProblem("a name or note was typed in another encoding than UTF-8; type it again") from error


def _append(file: FileIO, row: Sequence[str]) -> None:
    size = file.seek(0, os.SEEK_END)
    lines = _lines([row] if size else [COLUMNS, row])
    content = lines if _ends_a_line(file, size) else b"\n" + lines
    try:
        while content:
            content = content[file.write(content) :]
        os.fsync(file.fileno())
    except OSError:
        # Half a line would make every record of the site unreadable.
        file.truncate(size)
        raise


def _ends_a_line(file: FileIO, size: int) -> bool:
    """An editor may have left out the last line's end."""
    if not size:
        return True
    file.seek(size - 1)
    return file.read(1) == b"\n"


def _row(record: Record) -> Sequence[str]:
    words = (record.who, record.measured, record.note)
    return (
        record.at.isoformat(timespec="seconds"),
        record.item,
        record.result.value,
        *(" ".join(each.split()) for each in words),  # one line a test, for whoever merges the file
        record.configuration,
    )


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def _cells(line: str) -> list[str]:
    """Of one line: a quote that is left open swallows none of those below it. Raises ValueError."""
    try:
        return [cell for row in csv.reader([line], strict=True) for cell in row]
    except csv.Error as error:
        raise ValueError(f"its quotes do not close, or it is no line of a table: {error}") from None


def _record(row: Sequence[str]) -> Record:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} columns instead of {len(COLUMNS)}")
    at, item, result, who, measured, note, configuration = row
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise ValueError(f"'{at[:40]}' is no time") from None
    if moment.tzinfo is None:
        raise ValueError(f"the time '{at}' has no offset")
    if result not in set(Result):
        raise ValueError(f"'{result[:40]}' is no result; there are {', '.join(Result)}")
    return Record(moment, item, Result(result), who, measured, note, configuration)
