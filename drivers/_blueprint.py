"""The smallest driver that passes the contract suite. Copy it, and replace what speaks to the device.

Its devices speak lines of text over TCP: `get CELL`, `set CELL VALUE` and `free CELL` are answered by `= VALUE` or by
`! REASON`. A driver with more than a handful of values a device reads them in blocks: see drivers/modbus.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Self

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from controller.core.point import Binding, PointId
from controller.core.ports import Clock, DriverKind, WriteResult
from controller.core.sample import Sample, Scalar, bad, good
from controller.core.units import Linear
from drivers.limits import why_doubted, why_refused


@dataclass(frozen=True, slots=True)
class LineAddress:
    """What a template may say of a point: value = raw * scale + offset."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    cell: str
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not self.cell.isidentifier():
            raise ValueError(f"cell {self.cell!r} is no name; give letters, digits and underscores")

    @property
    def can_write(self) -> bool:
        return True

    @property
    def key(self) -> tuple[object, ...]:
        return (self.cell,)

    def converted(self, conversion: Linear) -> Self:
        factor, offset = conversion
        return type(self)(self.cell, self.scale * factor, self.offset * factor + offset)


@dataclass(frozen=True, slots=True)
class LineConnection:
    """What a site says of the link; timeout in seconds."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    host: str
    port: int
    timeout: float = 1.0


class LineDriver:
    def __init__(
        self, link: str, connection: LineConnection, bindings: Sequence[Binding[LineAddress]], clock: Clock
    ) -> None:
        self._link = link
        self._connection = connection
        self._bindings = {binding.point.id: binding for binding in bindings}
        self._clock = clock
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._connection.timeout):
                self._streams = await asyncio.open_connection(self._connection.host, self._connection.port)
        except OSError as error:
            raise _ours(self._link, "connect", error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        return {point: await self._read_one(point) for point in points}

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        results: dict[PointId, WriteResult] = {}
        for point, value in values.items():
            try:
                reason = await self._write_one(point, value)
            except DeviceError as error:
                reason = str(error)
            results[point] = WriteResult(not reason, reason)
        return results

    async def _read_one(self, point: PointId) -> Sample:
        binding = self._bindings.get(point)
        if binding is None:
            return bad("no such point on this link", self._clock.now(), self._clock.monotonic())
        answer = await self._ask("read", f"get {binding.address.cell}")
        now, monotonic = self._clock.now(), self._clock.monotonic()
        value = _decode(answer, binding.address)
        if value is None:
            return bad(answer[:200].removeprefix("! "), now, monotonic)
        doubt = why_doubted(value, binding.point.plausible)
        return bad(doubt, now, monotonic) if doubt else good(value, now, monotonic)

    async def _write_one(self, point: PointId, value: Scalar | None) -> str:
        """Why the value was not taken; empty where it was."""
        binding = self._bindings.get(point)
        if binding is None:
            return "no such point on this link"
        cell = binding.address.cell
        if reason := why_refused(binding.point, value):
            return reason
        request = f"free {cell}" if value is None else f"set {cell} {_encode(value, binding.address)}"
        answer = await self._ask("write", request)
        return "" if answer.startswith("= ") else answer[:200].removeprefix("! ")

    async def _ask(self, operation: str, request: str) -> str:
        """One exchange. Whatever ends it early closes the connection: a late answer must not meet the next request."""
        async with self._turn:
            if self._streams is None:
                raise ConnectFailed(self._link, operation, "connection lost")
            reader, writer = self._streams
            try:
                async with asyncio.timeout(self._connection.timeout):
                    writer.write(request.encode() + b"\n")
                    answer = await reader.readuntil(b"\n")
            except asyncio.CancelledError:
                self._drop()
                raise
            except (OSError, EOFError, asyncio.LimitOverrunError) as error:
                self._drop()
                raise _ours(self._link, operation, error) from error
            return answer.decode(errors="replace").rstrip("\n")

    def _drop(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].transport.abort()


def _ours(link: str, operation: str, error: Exception) -> DeviceError:
    """The one place where the library's exceptions become ours."""
    match error:
        case TimeoutError():
            return DeviceTimeout(link, operation, "no answer")
        case asyncio.LimitOverrunError():
            return ProtocolViolation(link, operation, "endless answer")
        case OSError(strerror=str(cause)):
            return ConnectFailed(link, operation, cause)
        case _:
            return ConnectFailed(link, operation, "connection lost")


def _decode(answer: str, address: LineAddress) -> float | bool | None:
    """None where the answer holds no value."""
    if not answer.startswith("= "):
        return None
    try:
        raw = json.loads(answer[2:])
    except ValueError:
        return None
    if isinstance(raw, bool):
        return raw
    return raw * address.scale + address.offset if isinstance(raw, int | float) else None


def _encode(value: Scalar, address: LineAddress) -> str:
    if isinstance(value, bool | str):
        return json.dumps(value)
    return json.dumps((value - address.offset) / address.scale)


def open_line(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> LineDriver:
    return LineDriver(link, connection, bindings, clock)


# Registered by one line in DRIVERS (drivers/__init__.py), or from another distribution by an entry point of the group
# tidewatt.drivers. This one is not registered.
KIND = DriverKind(
    name="line",
    connection=LineConnection,
    address=LineAddress,
    device_fields=(),
    open=open_line,
)
