"""Connections of the simulated OPC UA server: as slow as it is now, silent while it hangs, with the site's time."""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.uaprocessor import UaProcessor

from simulator.faults.wire import Wire
from simulator.servers.opcua_variables import untyped

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.server.server import Server

_LOOK_AGAIN_S: Final = 0.1


class _Line:
    """A connection's way out. While the server hangs nothing leaves; it does once the server is well again."""

    def __init__(self, transport: asyncio.BaseTransport, is_silent: Callable[[], bool]) -> None:
        self._transport: Any = transport
        self._is_silent = is_silent
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._held.append(data)
        self.flush()

    def flush(self) -> None:
        if self._held and not self._is_silent():
            held, self._held = self._held, []
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Processor(UaProcessor):
    """Notifications carry the site's time, too."""

    clock: Callable[[], datetime]

    async def forward_publish_response(self, result: ua.PublishResult, requestdata: Any) -> None:
        notification: Any = result.NotificationMessage
        notification.PublishTime = self.clock()
        await super().forward_publish_response(result, requestdata)


class _Connection(OPCUAProtocol):
    """Answers as slowly as the server answers now."""

    def __init__(self, wire: Callable[[], Wire], clock: Callable[[], datetime], **given: Any) -> None:
        super().__init__(**given)
        self._wire = wire
        self._clock = clock
        self.line: _Line | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.line = _Line(transport, lambda: self._wire().is_silent)
        super().connection_made(untyped(self.line))
        processor = self.processor = _Processor(self.iserver, self.line, self.limits)
        processor.clock = self._clock
        processor.set_policies(self.policies)

    async def _process_one_msg(self, header: Any, buf: Any) -> bool:
        while self._wire().is_silent:  # noqa: ASYNC110 (the fault ends by the plant's time, and tells nobody)
            await asyncio.sleep(_LOOK_AGAIN_S)
        if self._wire().delay > 0.0:
            await asyncio.sleep(self._wire().delay)
        return await super()._process_one_msg(header, buf)


class Ears(BinaryServer):
    """The port."""

    def __init__(
        self, server: Server, place: tuple[str, int], wire: Callable[[], Wire], clock: Callable[[], datetime]
    ) -> None:
        super().__init__(server.iserver, *place, server.limits)
        self._wire = wire
        self._clock = clock
        self.set_policies(server._policies)  # pyright: ignore[reportPrivateUsage]

    def _make_protocol(self) -> OPCUAProtocol:
        return _Connection(
            self._wire,
            self._clock,
            iserver=self.iserver,
            policies=self._policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )

    def flush(self) -> None:
        for client in self.clients:
            if isinstance(client, _Connection) and client.line is not None:
                client.line.flush()
