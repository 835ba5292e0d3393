"""A program for Node that says `ready` on a line of its own, and `done` after each line that it was given."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parent / "node"
# Starting Node and what it loads on a busy machine.
PATIENCE_S: Final = 60.0


def node_with(package: str) -> str:
    """Where Node is; skips the test where it or the package is missing."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / package).is_dir():
        pytest.skip(f"node or its {package} is not installed; npm ci --prefix tests/wire/node")
    return node


class NodeProgram:
    """told: is given every line that is not an answer. complaints: the file that its errors go to."""

    def __init__(
        self,
        command: Sequence[str],
        told: Callable[[str], None],
        complaints: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._told = told
        self._complaints = complaints
        with nullcontext() if complaints is None else complaints.open("a") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=FOLDER,
                env=environment,
            )

    def say(self, line: object) -> None:
        """One line of JSON, and the answer awaited."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        self.until("done")

    def kill(self) -> None:
        """As a power cut does it."""
        self._process.kill()
        self._process.wait(30)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def until(self, word: str) -> None:
        assert self._process.stdout is not None
        timer = threading.Timer(PATIENCE_S, self._process.kill)
        timer.start()
        try:
            for line in self._process.stdout:
                if line.strip() == word:
                    return
                self._told(line)
        finally:
            timer.cancel()
            timer.join()
        said = "" if self._complaints is None else self._complaints.read_text()[-3000:]
        raise AssertionError(f"no {word!r} from Node:\n{said}")
