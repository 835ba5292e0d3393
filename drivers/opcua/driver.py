"""One session with an OPC UA server.

The server tells what changes; what it does not tell is asked for. Trouble with a node is a BAD sample; only a lost link
raises. Nothing here reconnects: who opened the driver closes it and opens it again, with back-off.
"""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from controller.core.errors import ConnectFailed, DeviceError
from controller.core.point import PointId
from controller.core.ports import Clock, Inspection, WriteResult
from controller.core.sample import Sample, Scalar, bad
from drivers.limits import why_refused
from drivers.opcua.address import OpcuaConnection
from drivers.opcua.client import Session
from drivers.opcua.codec import (
    CannotEncode,
    encode,
    node_id,
    quality_of,
    spelt,
    status_name,
)
from drivers.opcua.errors import Garbled, Refused
from drivers.opcua.listening import Listening
from drivers.opcua.requests import (
    MOST_AT_ONCE,
    attribute,
    declared_type,
    limit_in,
    read_each,
    standard,
    texts_in,
    time_in,
    value_of,
)
from drivers.opcua.sampling import OpcuaBinding, Sampling

# A namespace that the server lacked is looked for again after this long, in seconds.
_FIND_AGAIN: Final = 60.0
# `changes` looks this often whether the link is still there.
_LOOK_EVERY: Final = 1.0

# The standard's own nodes (OPC UA Part 6, annex A).
_NAMESPACES: Final = 2255
_TIME_OF_DAY: Final = 2258
_MOST_PER_READ: Final = 11705
_MOST_PER_MONITORING: Final = 11714

# Answers to a request that is too long rather than wrong.
_TOO_MUCH: Final = frozenset(
    {"BadTooManyOperations", "BadRequestTooLarge", "BadResponseTooLarge", "BadEncodingLimitsExceeded"}
)


class OpcuaDriver:
    def __init__(self, link: str, connection: OpcuaConnection, bindings: Sequence[OpcuaBinding], clock: Clock) -> None:
        self._link = link
        self._connection = connection
        self._clock = clock
        self._bindings = {binding.point.id: binding for binding in bindings}
        self._session: Session | None = None
        self._pending: dict[PointId, Sample] = {}
        self._news = asyncio.Event()
        self._forget()

    def _forget(self) -> None:
        """What was learned holds for one session: the server behind the next may be another."""
        self._nodes: dict[PointId, ua.NodeId] = {}
        self._types: dict[PointId, ua.VariantType] = {}
        self._most_per_read = MOST_AT_ONCE
        self._sampling = Sampling(self._clock)
        self._known_at: dict[PointId, datetime] = {}
        self._listening: Listening | None = None
        self._find_again_at = 0.0
        self._pending.clear()

    # --- the connection -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._close()
        self._forget()
        session = Session(self._link, self._connection, self._clock)
        await session.open()
        self._session = session
        try:
            await self._learn_and_listen(session)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        session, self._session = self._session, None
        self._news.set()
        if session is not None:
            await session.close()

    def _open_session(self, operation: str) -> Session:
        if self._session is None or not self._session.is_open:
            raise ConnectFailed(self._link, operation, "connection lost")
        return self._session

    async def _learn_and_listen(self, session: Session) -> None:
        """How much the server takes at once, where our nodes are, and what it is willing to tell."""
        read, items = await read_each(
            session, [value_of(standard(n)) for n in (_MOST_PER_READ, _MOST_PER_MONITORING)], 2
        )
        self._most_per_read = limit_in(read)
        await self._find_nodes(session)
        every = self._connection.publish_every
        self._listening = Listening(session, self._sampling, self._clock, limit_in(items), every)
        await self._listening.start([(self._bindings[point], node) for point, node in self._nodes.items()], self._tell)

    async def _find_nodes(self, session: Session) -> None:
        """The server's namespaces give our nodes their numbers; one that is just starting may not have them all."""
        self._find_again_at = self._clock.wire_time() + _FIND_AGAIN
        (namespaces,) = await read_each(session, [value_of(standard(_NAMESPACES))], 1)
        known = texts_in(namespaces)
        for point, binding in self._bindings.items():
            node = node_id(binding.address.name, known)
            if node is not None:
                self._nodes[point] = node

    # --- listening ----------------------------------------------------------------------------------------------------

    def _tell(self, changes: Mapping[PointId, Sample]) -> None:
        """What is told of a point that has just been written may be from before; it is being asked for."""
        written = self._listening.written() if self._listening is not None else ()
        self._pending.update({point: sample for point, sample in changes.items() if point not in written})
        self._news.set()

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        """What the server tells, as it tells it. Of several values of a point that nobody fetched, the last one."""
        while self._session is not None:
            await self._open_session("listen").keep_up()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._news.wait()
            self._news.clear()
            if self._pending:
                changes, self._pending = self._pending, {}
                yield changes

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        session = self._open_session("read")
        await session.keep_up()
        if len(self._nodes) < len(self._bindings) and self._clock.wire_time() >= self._find_again_at:
            await self._find_nodes(session)
        samples: dict[PointId, Sample] = {}
        if self._listening is not None:
            await self._listening.keep_up()
            samples = self._listening.told(points)
        asked: list[PointId] = []
        for point in points:
            if point not in samples:
                unknown = self._unknown(point)
                if unknown is None:
                    asked.append(point)
                else:
                    samples[point] = unknown
        if asked:
            await self._ask(session, asked, samples)
        return samples

    def _unknown(self, point: PointId) -> Sample | None:
        """Why there is nothing to ask; None where there is."""
        if point not in self._bindings:
            return self._bad("no such point on this link")
        if point not in self._nodes:
            return self._bad(f"the server has no namespace {self._bindings[point].address.name.uri}")
        return None

    async def _ask(self, session: Session, points: Sequence[PointId], samples: dict[PointId, Sample]) -> None:
        """Every value, in as few requests as the server takes; each brings the server's time of day with it."""
        most = max(1, self._most_per_read - 1)
        for start in range(0, len(points), most):
            await self._ask_together(session, points[start : start + most], samples)

    async def _ask_together(self, session: Session, points: Sequence[PointId], samples: dict[PointId, Sample]) -> None:
        """One request, in halves where the server finds it too long or its answer cannot be read."""
        asked = [value_of(self._nodes[point]) for point in points]
        time = [value_of(standard(_TIME_OF_DAY))] if self._most_per_read > 1 else []
        try:
            values = await session.read(asked + time)
        except (Refused, Garbled) as error:
            if isinstance(error, Refused) and error.status in _TOO_MUCH and time:
                self._most_per_read = max(1, len(points) // 2 + 1) if len(points) > 1 else 1
                await self._ask(session, points, samples)
            else:
                await self._ask_halves(session, points, samples, error)
            return
        if time:
            self._sampling.compare_clocks(time_in(values[-1]))
        for point, value in zip(points, values, strict=False):
            judged = self._sampling.judge(self._bindings[point], value, self._known_at.get(point))
            samples[point] = self._sampling.fresh(judged)
            self._known_at[point] = self._clock.now()

    async def _ask_halves(
        self, session: Session, points: Sequence[PointId], samples: dict[PointId, Sample], error: Exception
    ) -> None:
        if len(points) == 1:
            why = f"garbled answer: {error}" if isinstance(error, Garbled) else f"refused: {error}"
            samples[points[0]] = self._bad(why)
            return
        middle = len(points) // 2
        await self._ask_together(session, points[:middle], samples)
        await self._ask_together(session, points[middle:], samples)

    async def inspect(self, point: PointId) -> Inspection:
        session = self._open_session("read")
        if (unknown := self._unknown(point)) is not None:
            return Inspection(unknown, "")
        try:
            (value,) = await session.read([value_of(self._nodes[point])])
        except (Refused, Garbled) as error:
            return Inspection(self._bad(str(error)), "")
        judged = self._sampling.judge(self._bindings[point], value, None)
        return Inspection(self._sampling.fresh(judged), spelt(value))

    def _bad(self, reason: str) -> Sample:
        return bad(reason, self._clock.now(), self._clock.monotonic())

    # --- writing ------------------------------------------------------------------------------------------------------

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """One after the other. Nothing is raised: what a lost link left unwritten is not accepted, with the reason."""
        results: dict[PointId, WriteResult] = {}
        lost = ""
        for point, value in values.items():
            try:
                reason = lost or await self._write_one(point, value)
            except DeviceError as error:
                reason = lost = str(error)
            results[point] = WriteResult(not reason, reason)
        return results

    async def _write_one(self, point: PointId, value: Scalar | None) -> str:
        """Why the value was not taken; empty where it was."""
        if (unknown := self._unknown(point)) is not None and self._session is not None:
            return unknown.reason
        if value is None:
            return "OPC UA has nothing to relinquish to: declare a remote bit or a safe value"
        binding = self._bindings[point]
        if reason := why_refused(binding.point, value):
            return reason
        session = self._open_session("write")
        try:
            data = encode(value, await self._type_of(session, point), binding.address)
            if self._listening is not None:
                self._listening.note_write(point)
            (status,) = await session.set_values([_wish(self._nodes[point], data)])
        except CannotEncode as error:
            return str(error)
        except (Refused, Garbled) as error:
            return f"refused: {error}"
        if not quality_of(status.value):
            return ""
        self._types.pop(point, None)  # it may be the type that was refused
        return f"refused: {status_name(status.value)}"

    async def _type_of(self, session: Session, point: PointId) -> ua.VariantType:
        """The type in which the node takes values: that of the value it holds, else the one that it declares."""
        known = self._types.get(point)
        if known is not None:
            return known
        node = self._nodes[point]
        value, declared = await session.read([value_of(node), attribute(node, AttributeIds.DataType)])
        variant = value.Value
        if variant is not None and variant.is_array:
            raise CannotEncode("the node holds an array, not one value")
        if variant is not None and variant.VariantType is not ua.VariantType.Null:
            type = variant.VariantType
        else:
            type = await declared_type(session, declared)
            if type is None:
                raise CannotEncode("the server does not say what type the node holds")
        self._types[point] = type
        return type


def _wish(node: ua.NodeId, data: ua.DataValue) -> ua.WriteValue:
    """The value and nothing else of the node."""
    value: Any = AttributeIds.Value
    return ua.WriteValue(NodeId=node, AttributeId=value, Value=data)
