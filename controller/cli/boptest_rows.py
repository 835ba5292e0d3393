"""A CSV file that grows while a test runs, and is whole after every row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from controller.core.errors import EnvironmentProblem


class Rows:
    """Without a path nothing is kept. Raises EnvironmentProblem where the disk does not take it."""

    def __init__(self, path: Path | None, names: Sequence[str]) -> None:
        self._path = path
        self._names = names
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = self._path.open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise self._problem(error) from error
            self.add(self._names)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def are_kept(self) -> bool:
        return self._file is not None

    def add(self, row: Sequence[object]) -> None:
        if self._file is None:
            return
        try:
            csv.writer(self._file).writerow(row)
            self._file.flush()
        except OSError as error:
            raise self._problem(error) from error

    def _problem(self, error: OSError) -> EnvironmentProblem:
        return EnvironmentProblem(f"{self._path} cannot be written: {error.strerror}")
