"""A service manager's end of sd_notify: a datagram socket that keeps what it is told, and when."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator
from pathlib import Path

from tests.site_processes import seconds


class ServiceManager:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self._told: list[tuple[float, str]] = []

    def environment(self, watchdog_s: float | None = None) -> dict[str, str]:
        watchdog = {} if watchdog_s is None else {"WATCHDOG_USEC": str(round(watchdog_s * 1e6))}
        return {"NOTIFY_SOCKET": str(self.path), **watchdog}

    def told(self) -> list[str]:
        """Every line so far, oldest first."""
        self._receive()
        return [line for _, line in self._told]

    def last(self, line: str) -> float:
        """Seconds since it was told last."""
        self._receive()
        return seconds() - max(at for at, each in self._told if each == line)

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                message = self._socket.recv(65536).decode()
                self._told += [(seconds(), line) for line in message.split("\n")]

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def service_manager(folder: Path) -> Generator[ServiceManager]:
    manager = ServiceManager(folder / "notify")
    try:
        yield manager
    finally:
        manager.close()
