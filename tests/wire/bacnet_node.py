"""npm's node-bacnet as a device and as a client, on loopback."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Final, Self

from tests.site_processes import free_ports
from tests.wire.node_program import FOLDER, PATIENCE_S, NodeProgram, node_with

# The library does not answer what comes from 127.0.0.1.
OUR_HOST: Final = "127.0.0.2"
HOST: Final = "127.0.0.1"


_PACKAGE: Final = "node-bacnet"


class NodeDevice:
    """As bacnet_device.js describes it. written: what was written to it, in order."""

    def __init__(self) -> None:
        self.port = free_ports()
        self.written: list[dict[str, Any]] = []
        self._program: NodeProgram | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [node_with(_PACKAGE), str(FOLDER / "bacnet_device.js"), HOST, str(self.port)]
        self._program = NodeProgram(command, lambda line: self.written.append(json.loads(line)))
        self._program.until("ready")

    def set(self, object: tuple[int, int], value: float | None, slot: int = 0) -> None:
        """Type and number of the object; a slot of 0 is what holds while nobody commands."""
        assert self._program is not None
        self._program.say({"object": object, "value": value, "slot": slot})

    def kill(self) -> None:
        """As a power cut does it."""
        program, self._program = self._program, None
        if program is not None:
            program.kill()


def who_is(target: str) -> dict[str, Any]:
    """What node-bacnet finds at an address: number and name of its device object. Blocks."""
    done = subprocess.run(
        [node_with(_PACKAGE), str(FOLDER / "bacnet_client.js"), OUR_HOST, target],
        stdout=subprocess.PIPE,
        text=True,
        cwd=FOLDER,
        timeout=PATIENCE_S,
        check=True,
    )
    return json.loads(done.stdout)
