"""Mosquitto on a loopback port of its own: started, killed and stalled by the test that uses it."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest

if TYPE_CHECKING:
    import aiomqtt

_START_SECONDS: Final = 10.0
_HERE: Final = "127.0.0.1"


def program(name: str) -> str:
    """The path of one of Mosquitto's programs; the test is skipped where there is none."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class Mosquitto:
    """settings: lines of mosquitto.conf beyond the listener."""

    def __init__(self, folder: Path, *settings: str, anonymous: bool = True) -> None:
        self.port = _free_port()
        self._program = program("mosquitto")
        self._configuration = folder / "mosquitto.conf"
        # Started by root it would become a user of its own, who may not read the test's files.
        who = f"user {getpass.getuser()}"
        lines = [who, f"listener {self.port} {_HERE}", f"allow_anonymous {str(anonymous).lower()}", *settings]
        self._configuration.write_text("\n".join(lines) + "\n")
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        self._process = await create_subprocess_exec(
            self._program, "-c", str(self._configuration), stdout=DEVNULL, stderr=DEVNULL
        )
        async with asyncio.timeout(_START_SECONDS):
            while not await self._listens():
                assert self._process.returncode is None, "mosquitto does not start"
                await asyncio.sleep(0.01)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(_HERE, self.port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        """Also one that is stopped. A SIGTERM would be lost on one that was stopped before it had quite started."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HERE, 0))
        port: int = probe.getsockname()[1]
    return port


def vanish(device: aiomqtt.Client) -> None:
    """It loses its power: its socket goes, without a word."""
    connection = device._client.socket()  # pyright: ignore[reportPrivateUsage]
    assert isinstance(connection, socket.socket)
    # Nobody asks the library how it went, and it would be told in the middle of another test.
    device._disconnected.add_done_callback(lambda done: done.exception())  # pyright: ignore[reportPrivateUsage]
    connection.shutdown(socket.SHUT_RDWR)
