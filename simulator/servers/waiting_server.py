"""The process of a server before it has anything to serve: it loads its libraries while the plant is being made."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from typing import NamedTuple

from simulator.servers.link import ServedLink


class WaitingServer(NamedTuple):
    """channel: this end of the socket at which it waits to be told what to serve. It ends where that is closed."""

    process: subprocess.Popen[bytes]
    channel: socket.socket


def waiting_server(link: ServedLink) -> WaitingServer:
    """It finds the same packages wherever this process was started from."""
    ours, theirs = socket.socketpair()
    # -P: a file that happens to lie in the present folder must not pass for a module of the library.
    program = [sys.executable, "-P", "-m", "simulator.servers.server_process"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with theirs:
        process = subprocess.Popen(
            [*program, str(theirs.fileno()), type(link).__name__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment,
            # Of its own: the terminal's Ctrl-C is for the simulator, which ends its servers in order.
            process_group=0,
        )
    return WaitingServer(process, ours)


@contextlib.contextmanager
def waiting_servers(links: Iterable[ServedLink]) -> Generator[Mapping[str, WaitingServer]]:
    """One for each link, by its name. Whoever was told nothing ends here."""
    waiting: dict[str, WaitingServer] = {}
    try:
        for link in links:
            waiting[link.name] = waiting_server(link)
        yield waiting
    finally:
        for server in waiting.values():
            server.channel.close()
            # One that was told something has ended by now; the others hold nothing.
            server.process.kill()
            server.process.wait()
