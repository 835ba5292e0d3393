"""Telling the service manager how we are: sd_notify(3) of systemd, lines of `NAME=value` in one datagram."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class NotifySocket:
    """watchdog: seconds within which the service manager wants to hear of us; None where it does not ask."""

    def __init__(self, address: str, watchdog: float | None = None) -> None:
        # A name that begins with @ lives in the kernel and in no folder (unix(7), abstract sockets).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog = watchdog

    def tell(self, *assignments: str) -> None:
        """Never waits and never fails: who does not listen hears the next one."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ours:
                ours.sendto("\n".join(assignments).encode(), socket.MSG_DONTWAIT, self._address)
        except OSError as error:
            log.debug("the service manager did not take %s: %s", assignments, error)


def notify_socket(environment: Mapping[str, str]) -> NotifySocket | None:
    """The socket of the service manager that started us; None where none did."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return None
    microseconds, whose = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    is_ours = whose in ("", str(os.getpid()))
    asks = is_ours and microseconds.isdecimal() and int(microseconds) > 0
    return NotifySocket(address, int(microseconds) / 1e6 if asks else None)
