"""The two ways in which commands print: for people and for scripts."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from controller.core.errors import EnvironmentProblem


def say(line: str = "", *, flush: bool = False) -> None:
    sys.stdout.write(line + "\n")
    if flush:
        sys.stdout.flush()


def complain(line: str) -> None:
    """Nobody is told where that is not possible, as on a full disk behind `2>`: what is being done goes on."""
    with contextlib.suppress(OSError):
        sys.stderr.write(line + "\n")


def print_json(value: Any) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=2))


def write_file(path: Path, text: str) -> None:
    """And tell its name. Raises EnvironmentProblem where that is not possible."""
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be written: {error.strerror}") from error
    say(str(path))
