"""A server on a loopback port of its own, with the faults that the far end of a connection may have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LoopbackServer:
    """Frames come in by `receive`, which cuts them from the front of a buffer and hands each answer to `reply`.

    While `hung`, answers wait and `asked` is set; `resume` sends them, late.
    """

    def __init__(self) -> None:
        self.port = 0
        self.hung = False
        self.asked = asyncio.Event()
        self.connections: set[Connection] = set()
        self._late: list[Callable[[], None]] = []
        self._server: asyncio.Server | None = None

    def receive(self, buffer: bytearray, reply: Callable[[bytes], None]) -> None:
        raise NotImplementedError

    def connect(self) -> Connection:
        """For whoever remembers something of each connection."""
        return Connection(self)

    async def start(self) -> None:
        """Listen: on any free port the first time, on the same one ever after."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in [*self.connections]:
            await connection.cut()
        if self._server is not None:
            await self._server.wait_closed()  # for every connection, from Python 3.12 on
            self._server = None
        self._late.clear()

    def hang(self) -> None:
        self.hung = True
        self.asked.clear()

    def resume(self) -> None:
        self.hung = False
        for send in self._late:
            send()
        self._late.clear()

    def send(self, connection: Connection, answer: bytes) -> None:
        self.deliver(lambda: connection.write(answer))

    def deliver(self, send: Callable[[], None]) -> None:
        if self.hung:
            self.late(send)
        else:
            send()

    def late(self, send: Callable[[], None]) -> None:
        """Keep an answer until `resume`."""
        self._late.append(send)
        self.asked.set()


class Connection(asyncio.Protocol):
    def __init__(self, server: LoopbackServer) -> None:
        self._server = server
        self.buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._server.receive(self.buffer, lambda answer: self._server.send(self, answer))

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._lost.set()

    def write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)

    def close(self) -> None:
        """Without waiting for the far end."""
        if self._transport is not None:
            self._transport.close()

    async def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            await self._lost.wait()
