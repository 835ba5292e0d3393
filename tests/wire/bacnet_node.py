"""npm's node-bacnet as a device and as a client, on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.site_processes import free_ports

_NODE: Final = Path(__file__).parent / "node"
# Starting Node on a busy machine.
_PATIENCE_S: Final = 60.0
# The library does not answer what comes from 127.0.0.1.
OUR_HOST: Final = "127.0.0.2"
HOST: Final = "127.0.0.1"


def _program() -> str:
    program = shutil.which("node")
    if program is None or not (_NODE / "node_modules" / "node-bacnet").is_dir():
        pytest.skip("node or its node-bacnet is not installed; npm ci --prefix tests/wire/node")
    return program


class NodeDevice:
    """As bacnet_device.js describes it. written: what was written to it, in order."""

    def __init__(self) -> None:
        self.port = free_ports()
        self.written: list[dict[str, Any]] = []
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        program = _program()
        self._process = subprocess.Popen(
            [program, str(_NODE / "bacnet_device.js"), HOST, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_NODE,
        )
        self._until("ready")

    def set(self, object: tuple[int, int], value: float | None, slot: int = 0) -> None:
        """Type and number of the object; a slot of 0 is what holds while nobody commands."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"object": object, "value": value, "slot": slot}) + "\n")
        self._process.stdin.flush()
        self._until("done")

    def kill(self) -> None:
        """As a power cut does it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(30)
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                stream.close()

    def _until(self, word: str) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        timer = threading.Timer(_PATIENCE_S, process.kill)
        timer.start()
        try:
            for line in process.stdout:
                if line.strip() == word:
                    return
                self.written.append(json.loads(line))
        finally:
            timer.cancel()
            timer.join()
        raise AssertionError(f"no {word!r} from node-bacnet")


def who_is(target: str) -> dict[str, Any]:
    """What node-bacnet finds at an address: number and name of its device object. Blocks."""
    program = _program()
    done = subprocess.run(
        [program, str(_NODE / "bacnet_client.js"), OUR_HOST, target],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_NODE,
        timeout=_PATIENCE_S,
        check=True,
    )
    return json.loads(done.stdout)
