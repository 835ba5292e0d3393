"""Everything that is wrong with a site folder, gathered before anything is raised."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from controller.core.errors import ConfigError, Problem
from controller.core.file_state import FileState

# A binary-like or generated file may be wrong on every line: nobody reads more than this.
PROBLEMS_PER_FILE = 100

_SHOWN_CHARACTERS = 60
_LISTED_CHARACTERS = 160


class Problems:
    """Collects; the same problem found twice (one template, many devices) is told once. files: what was looked at."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self.files: dict[Path, FileState] = {}

    def saw(self, file: Path, state: FileState) -> None:
        """How a file was before it was read; who has changed it since has not been heard."""
        self.files.setdefault(file, state)

    def add(self, file: Path, line: int, wrong: str, right: str) -> None:
        self._found[Problem(file, line, wrong, right)] = None

    def raise_if_any(self) -> None:
        if self._found:
            raise ConfigError(self._bounded(), self.files)

    def _bounded(self) -> list[Problem]:
        told: list[Problem] = []
        per_file: Counter[Path] = Counter()
        for problem in sorted(self._found, key=lambda each: (str(each.file), each.line)):
            per_file[problem.file] += 1
            if per_file[problem.file] <= PROBLEMS_PER_FILE:
                told.append(problem)
        for file, count in per_file.items():
            if count > PROBLEMS_PER_FILE:
                last = max(problem.line for problem in told if problem.file == file)
                more = count - PROBLEMS_PER_FILE
                told.append(Problem(file, last, f"{more} further problems are not listed", "mend these first"))
        return told


def shown(text: str) -> str:
    """What somebody wrote, bounded and on one line, as it may stand in a message."""
    escaped = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    return escaped if len(escaped) <= _SHOWN_CHARACTERS else escaped[: _SHOWN_CHARACTERS - 3] + "..."


def nearest(word: str, known: Iterable[str], meaning: str) -> str:
    """The advice for a word that is not known: the nearest one that is, else the whole list."""
    words = sorted(known)
    close = [each for each in words if each.casefold() == word.casefold()]
    close = close or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return did_you_mean(close[0])
    if not words:
        return f"there are no {meaning} here"
    listed = ", ".join(words)
    if len(listed) > _LISTED_CHARACTERS:
        listed = listed[:_LISTED_CHARACTERS].rpartition(", ")[0] + ", ..."
    return f"known {meaning}: {listed}"


def did_you_mean(word: str) -> str:
    return f"did you mean '{word}'?"
