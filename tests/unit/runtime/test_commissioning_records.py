"""The file of records: what is appended is read back, by hand, by Excel and by git."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from controller.core.commissioning import Record, Result
from controller.core.errors import ConfigError, EnvironmentProblem
from controller.runtime.commissioning_records import COLUMNS, FILE, append_record, read_records

AT = datetime(2026, 11, 20, 18, 30, tzinfo=timezone(timedelta(hours=8)))
PASSED = Record(AT, "garage.group_1.remote:silence", Result.PASSED, "李娜", "58.9 s", 'says "off", at once', "e4b9d405")
HEADER = ",".join(COLUMNS)


def test_what_is_appended_is_read_back_in_order(tmp_path: Path) -> None:
    assert read_records(tmp_path) == []
    failed = PASSED._replace(result=Result.FAILED, note="no effect, = 1, 二")
    append_record(tmp_path, PASSED)
    append_record(tmp_path, failed)
    assert read_records(tmp_path) == [PASSED, failed]
    assert (tmp_path / FILE).read_text(encoding="utf-8").count("\n") == 3


def test_a_record_is_one_line_whatever_is_written_in_it(tmp_path: Path) -> None:
    append_record(tmp_path, PASSED._replace(note="first\nsecond\r\n\tthird"))
    assert read_records(tmp_path)[0].note == "first second third"
    assert (tmp_path / FILE).read_text(encoding="utf-8").count("\n") == 2


def test_a_name_from_another_encoding_is_told_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="another encoding than UTF-8"):
        append_record(tmp_path, PASSED._replace(who="li\udc80na"))
    assert read_records(tmp_path) == []


@pytest.mark.parametrize("mark, end", [("\N{ZERO WIDTH NO-BREAK SPACE}", "\r\n"), ("", "\n")], ids=["Excel", "plain"])
def test_a_file_that_was_edited_is_read(tmp_path: Path, mark: str, end: str) -> None:
    append_record(tmp_path, PASSED)
    lines = (tmp_path / FILE).read_text(encoding="utf-8").splitlines()
    (tmp_path / FILE).write_bytes((mark + end.join(lines)).encode("utf-8"))  # and the last line has no end
    append_record(tmp_path, PASSED._replace(who="Wang Wei"))
    assert [each.who for each in read_records(tmp_path)] == ["李娜", "Wang Wei"]


@pytest.mark.parametrize(
    "line, words",
    [
        ("2026-11-20T18:30:00+08:00,a:b,perhaps,Li Na,,,0", "'perhaps' is no result; there are passed, failed"),
        ("yesterday,a:b,passed,Li Na,,,0", "'yesterday' is no time"),
        ("2026-11-20T18:30:00,a:b,passed,Li Na,,,0", "has no offset"),
        ("<<<<<<< HEAD", "1 columns instead of 7"),
        ('2026-11-20T18:30:00+08:00,a:b,passed,Li Na,"12 in,,0', "quotes do not close"),
        (f"2026-11-20T18:30:00+08:00,a:b,passed,Li Na,{'9' * 140_000},,0", "no line of a table"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, words: str) -> None:
    append_record(tmp_path, PASSED)
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ConfigError) as caught:
        read_records(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, words in problem.wrong) == (3, True)


def test_a_quote_left_open_hides_nothing_that_was_found_later(tmp_path: Path) -> None:
    """A quote further down would close it, and what lies between would be gone."""
    append_record(tmp_path, PASSED._replace(measured='12" pipe'))
    append_record(tmp_path, PASSED._replace(result=Result.FAILED))
    append_record(tmp_path, PASSED._replace(note="dimmed, seen"))
    path = tmp_path / FILE
    path.write_text(path.read_text(encoding="utf-8").replace('"12"" pipe"', '"12 in'), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_records(tmp_path)
    assert [each.line for each in caught.value.problems] == [2]


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(HEADER.encode() + b"\n\xff\xfe\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_records(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        append_record(tmp_path / "nowhere", PASSED)


@contextmanager
def no_file_longer_than(size: int) -> Generator[None]:
    """As if the disk were full beyond."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("end", ["\n", ""], ids=["whole", "last line without its end"])
def test_a_disk_that_fills_up_leaves_no_half_a_line(tmp_path: Path, end: str) -> None:
    path = tmp_path / FILE
    append_record(tmp_path, PASSED)
    path.write_bytes(path.read_bytes().rstrip(b"\n") + end.encode())
    before = path.read_bytes()
    with no_file_longer_than(len(before) + 20), pytest.raises(EnvironmentProblem, match="cannot be written: File too"):
        append_record(tmp_path, PASSED)
    assert path.read_bytes() == before
    append_record(tmp_path, PASSED)
    assert read_records(tmp_path) == [PASSED, PASSED]


def test_the_first_record_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with no_file_longer_than(20), pytest.raises(EnvironmentProblem, match="cannot be written"):
        append_record(tmp_path, PASSED)
    assert read_records(tmp_path) == []
    append_record(tmp_path, PASSED)
    assert (tmp_path / FILE).read_text(encoding="utf-8").startswith(HEADER + "\n")
