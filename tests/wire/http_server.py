"""An HTTP server that answers whatever a test tells it to."""

from __future__ import annotations

from collections.abc import Callable

from tests.loopback import LoopbackServer


class HttpServer(LoopbackServer):
    """`answer` is sent to each whole request; `heads` and `bodies` are those of the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = answer(204)
        self.heads: list[str] = []
        self.bodies: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def receive(self, buffer: bytearray, reply: Callable[[bytes], None]) -> None:
        head, separator, body = bytes(buffer).partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        buffer.clear()
        self.heads.append(head.decode())
        self.bodies.append(body.decode())
        reply(self.answer)


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} as told", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _length(head: bytes) -> int:
    for line in head.decode().splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0
