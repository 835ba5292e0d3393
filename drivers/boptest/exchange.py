"""One HTTP request and its answer, by the standard library, in a thread.

In a thread, because the loop's own timers stand still while virtual time waits for the plant: a socket's time-out
does not.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from typing import Final, NamedTuple
from urllib.parse import urlsplit

# A connection is there at once, or nobody is.
_LONGEST_CONNECT: Final = 5.0
# Results of a year every 30 s, of a few points, fit.
LARGEST_ANSWER: Final = 64 * 2**20


class Answer(NamedTuple):
    status: int
    body: bytes


class Exchange:
    """`run` blocks; `abort`, from another thread, ends it at once. timeout: seconds that the server may be silent."""

    def __init__(self, url: str, method: str, path: str, body: bytes | None, timeout: float) -> None:
        parts = urlsplit(url)
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.hostname or "", parts.port, timeout=min(timeout, _LONGEST_CONNECT))
        self._timeout = timeout
        self._method, self._path, self._body = method, f"{parts.path.rstrip('/')}/{path}", body
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_aborted = False

    def run(self) -> Answer:
        """Raises OSError, http.client.HTTPException."""
        try:
            self._connection.connect()
            self._reachable(self._connection.sock)
            headers = {"Accept": "application/json", "Connection": "close"}
            if self._body is not None:
                headers["Content-Type"] = "application/json"
            self._connection.request(self._method, self._path, self._body, headers)
            response = self._connection.getresponse()
            body = response.read(LARGEST_ANSWER + 1)
            if len(body) > LARGEST_ANSWER:
                raise http.client.HTTPException(f"the answer is larger than {LARGEST_ANSWER} bytes")
            return Answer(response.status, body)
        finally:
            with self._lock:
                self._socket = None
            self._connection.close()

    def _reachable(self, connected: socket.socket) -> None:
        connected.settimeout(self._timeout)
        with self._lock:
            self._socket = connected
            if self._is_aborted:
                raise ConnectionAbortedError("nobody waits for the answer any more")

    def abort(self) -> None:
        with self._lock:
            self._is_aborted = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
