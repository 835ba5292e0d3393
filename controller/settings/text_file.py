"""The bytes of a file that somebody wrote, or why it is no file that could be read."""

from __future__ import annotations

import stat
from pathlib import Path

from controller.core.file_state import FileState
from controller.settings.problems import Problems


def raw_text(file: Path, largest: int, problems: Problems) -> bytes | None:
    """What the file holds, not empty and not binary; None, with the problem noted, otherwise. largest: in bytes."""
    look_at(file, problems)
    try:
        # A look before opening: opening a pipe would wait for its other end.
        status = file.stat()
        wrong = _not_a_file(status.st_mode) or _wrong_size(status.st_size, largest)
        raw = b"" if wrong else file.read_bytes()
    except FileNotFoundError:
        wrong, raw = ("the file is missing", "create it; docs/configuration.md shows one"), b""
    except OSError as error:
        wrong, raw = (f"cannot be read ({error.strerror})", "make it a readable text file"), b""
    wrong = wrong or _wrong_bytes(raw)
    if wrong:
        problems.add(file, 1, *wrong)
        return None
    return raw


def look_at(file: Path, problems: Problems) -> None:
    """Note how it is, whether or not it is there: with another file there the site may be another."""
    try:
        problems.saw(file, FileState.of(file.stat()))
    except OSError as error:
        problems.saw(file, FileState.unseen(error))


def with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_a_file(mode: int) -> tuple[str, str] | None:
    if stat.S_ISDIR(mode):
        return "is a folder", "a text file of this name belongs here"
    if not stat.S_ISREG(mode):
        return "is no ordinary file", "a text file of this name belongs here"
    return None


def _wrong_size(size: int, largest: int) -> tuple[str, str] | None:
    if size > largest:
        return f"is {size} bytes long", f"a configuration file has at most {largest} bytes"
    return None


def _wrong_bytes(raw: bytes) -> tuple[str, str] | None:
    if not raw:
        return "the file is empty (0 bytes)", "write it, or restore it from a backup; docs/configuration.md shows one"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16 text", "save it as UTF-8"
    if b"\0" in raw:
        return "is a binary file", "a text file in UTF-8 belongs here"
    return None
