"""How the files of a site are now. It waits for disks, and for servers behind them: in a thread."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from controller.core.file_state import FileState


def states_of(files: Iterable[Path]) -> dict[Path, FileState]:
    return {file: _state_of(file) for file in files}


def _state_of(file: Path) -> FileState:
    try:
        return FileState.of(file.stat())
    except OSError as error:
        return FileState.unseen(error)
