"""A CSV file as people deliver it: rows of trimmed cells that know their line.

UTF-8, with Excel's byte order mark or without, or GBK; cells separated by comma, semicolon or tab; any line ends.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from controller.settings.problems import Problems, shown
from controller.settings.text_file import raw_text, with_plain_line_ends

LARGEST_TABLE = 8_000_000  # bytes; ten thousand rows of twenty filled columns need a quarter of it
MOST_ROWS = 20_000

ENCODINGS = ("utf-8-sig", "gb18030")  # the latter holds all of GBK
_NAMES = {"utf-8-sig": "UTF-8", "gb18030": "GBK"}

_QUOTED = re.compile('"[^"]*"')
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_AROUND = " \t\u00a0\u3000\ufeff"  # blanks, those of Chinese typing and of web pages too


class Row(NamedTuple):
    """line: on which the row begins. cells: without blanks around; empty ones at the end left out."""

    line: int
    cells: list[str]


def read_table(file: Path, problems: Problems, encodings: Sequence[str] = ENCODINGS) -> list[Row] | None:
    """Every row that is not empty, the header first; None, with the problem noted, where it is no readable table."""
    raw = raw_text(file, LARGEST_TABLE, problems)
    text = None if raw is None else _decoded(file, raw, encodings, problems)
    if text is None:
        return None
    rows: list[Row] = []
    try:
        for row in _rows(text):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                problems.add(file, row.line, f"has more than {MOST_ROWS} rows", "spread the rows over several files")
                return None
    except _Unquoted as error:
        right = "close the quotation mark, and write one inside a quoted text twice"
        problems.add(file, error.line, "a quotation mark does not fit here", right)
        return None
    return rows


def control_character(cell: str) -> str | None:
    """The first control character of a cell as it may be shown, a line break within quotation marks included."""
    found = _CONTROL.search(cell)
    return None if found is None else shown(found.group())


def _decoded(file: Path, raw: bytes, encodings: Sequence[str], problems: Problems) -> str | None:
    """The text by the first encoding that fits."""
    fault = (1, 0)
    for encoding in encodings:
        try:
            return with_plain_line_ends(raw.decode(encoding))
        except UnicodeDecodeError as error:
            fault = (raw.count(b"\n", 0, error.start) + 1, raw[error.start])
    names = " nor ".join(_NAMES.get(encoding, encoding) for encoding in encodings)
    wrong = f"is neither {names} text" if len(encodings) > 1 else f"is no {names} text"
    problems.add(file, fault[0], f"{wrong} (byte 0x{fault[1]:02x})", "save it as CSV UTF-8")
    return None


class _Unquoted(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=_separator(text), strict=True)
    line = 1
    while True:
        try:
            cells = [cell.strip(_AROUND) for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            raise _Unquoted(line) from None
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield Row(line, cells)
        line = reader.line_num + 1


def _separator(text: str) -> str:
    """What separates most cells of the first line that has more than one."""
    for line in text.split("\n", 100)[:100]:
        unquoted = _QUOTED.sub("", line)
        separator = max(",;\t", key=unquoted.count)
        if separator in unquoted and unquoted.strip(separator + _AROUND):
            return separator
    return ","
