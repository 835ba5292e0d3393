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
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from controller.core.errors import ConnectFailed, DeviceError
from controller.core.point import PointId
from controller.core.ports import Clock, Inspection, WriteResult
from controller.core.sample import Sample, Scalar, bad
from drivers.limits import why_refused
from drivers.opcua.address import OpcuaConnection
from drivers.opcua.client import Garbled, Refused, Session
from drivers.opcua.codec import (
    CannotEncode,
    encode,
    node_id,
    quality_of,
    spelt,
    status_name,
)
from drivers.opcua.requests import (
    MOST_AT_ONCE,
    attribute,
    declared_type,
    limit_in,
    standard,
    texts_in,
    time_in,
    value_of,
)
from drivers.opcua.sampling import OpcuaBinding, Sampling
from drivers.opcua.subscription import Subscription

# Urgent points are told this fast (design: an early scan at most every 100 ms).
_URGENT_EVERY: Final = timedelta(milliseconds=100)
# A server that refused a subscription is asked again after this long, in seconds.
_SUBSCRIBE_AGAIN: Final = 60.0
# After a write the value is asked for until the subscription must have told it.
_TOLD_BY_THEN: Final = 2.0
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


class _Limits(NamedTuple):
    """How much the server takes in one request."""

    read: int
    items: int


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
        self._limits = _Limits(MOST_AT_ONCE, MOST_AT_ONCE)
        self._sampling = Sampling(self._clock)
        self._known_at: dict[PointId, datetime] = {}
        self._subscriptions: list[Subscription] = []
        self._subscribe_at = 0.0
        self._ask_until: dict[PointId, float] = {}
        self._pending.clear()

    # --- the connection -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._close()
        self._forget()
        session = Session(self._link, self._connection, self._clock)
        await session.open()
        self._session = session
        try:
            await self._learn(session)
            await self._subscribe(session)
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

    async def _learn(self, session: Session) -> None:
        """The server's namespaces, which give our nodes their numbers, and how much it takes at once."""
        numbers = (_NAMESPACES, _MOST_PER_READ, _MOST_PER_MONITORING)
        try:
            namespaces, read, items = await session.read([value_of(standard(number)) for number in numbers])
        except (Refused, Garbled) as error:
            raise ConnectFailed(self._link, "connect", f"the server does not describe itself: {error}") from error
        self._limits = _Limits(limit_in(read), limit_in(items))
        known = texts_in(namespaces)
        for point, binding in self._bindings.items():
            node = node_id(binding.address.name, known)
            if node is not None:
                self._nodes[point] = node

    # --- subscriptions ------------------------------------------------------------------------------------------------

    async def _subscribe(self, session: Session) -> None:
        """Have the server tell what it is willing to; the rest is asked for, and the server again in a minute."""
        self._subscribe_at = self._clock.wire_time() + _SUBSCRIBE_AGAIN
        wanted = [binding for point, binding in self._bindings.items() if self._nodes.get(point) and _is_told(binding)]
        for interval, bindings in self._by_interval(wanted):
            subscription = Subscription(session, interval, self._sampling, self._clock, self._tell)
            items = [(binding, self._nodes[binding.point.id]) for binding in bindings]
            try:
                await subscription.start(items, self._limits.items)
            except (Refused, Garbled):
                continue
            self._subscriptions.append(subscription)

    def _by_interval(self, bindings: Sequence[OpcuaBinding]) -> Sequence[tuple[timedelta, Sequence[OpcuaBinding]]]:
        every = self._connection.publish_every
        urgent = [binding for binding in bindings if binding.point.urgent]
        ordinary = [binding for binding in bindings if not binding.point.urgent]
        groups = ((min(every, _URGENT_EVERY), urgent), (every, ordinary))
        return [(interval, group) for interval, group in groups if group]

    async def _subscribe_again(self, session: Session) -> None:
        """Where a subscription was refused or has gone, try anew, at most once a minute."""
        wanted = len(self._by_interval([binding for binding in self._bindings.values() if _is_told(binding)]))
        alive = [subscription for subscription in self._subscriptions if subscription.is_alive]
        if len(alive) == wanted or self._clock.wire_time() < self._subscribe_at:
            return
        gone, self._subscriptions = self._subscriptions, []
        for subscription in gone:
            with suppress(Refused, Garbled):
                await session.delete_subscription(subscription.id)
        await self._subscribe(session)

    def _tell(self, changes: Mapping[PointId, Sample]) -> None:
        self._pending.update(changes)
        self._news.set()

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        """What the server tells, as it tells it. Of several values of a point that nobody fetched, the last one."""
        while self._session is not None:
            self._open_session("listen")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._news.wait()
            self._news.clear()
            if self._pending:
                changes, self._pending = self._pending, {}
                yield changes

    def _told(self, point: PointId) -> Sample | None:
        if self._ask_until.get(point, 0.0) > self._clock.wire_time():
            return None
        for subscription in self._subscriptions:
            sample = subscription.sample(point)
            if sample is not None:
                return sample
        return None

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        session = self._open_session("read")
        await session.keep_up()
        await self._subscribe_again(session)
        samples: dict[PointId, Sample] = {}
        asked: list[PointId] = []
        for point in points:
            sample = self._told(point) or self._unknown(point)
            if sample is None:
                asked.append(point)
            else:
                samples[point] = sample
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
        most = max(1, self._limits.read - 1)
        for start in range(0, len(points), most):
            await self._ask_together(session, points[start : start + most], samples)

    async def _ask_together(self, session: Session, points: Sequence[PointId], samples: dict[PointId, Sample]) -> None:
        """One request, in halves where the server finds it too long or its answer cannot be read."""
        try:
            time, *values = await session.read(
                [value_of(standard(_TIME_OF_DAY)), *(value_of(self._nodes[p]) for p in points)]
            )
        except (Refused, Garbled) as error:
            if isinstance(error, Refused) and error.status in _TOO_MUCH and len(points) > 1:
                self._limits = self._limits._replace(read=max(2, len(points) // 2 + 1))
            await self._ask_halves(session, points, samples, error)
            return
        self._sampling.compare_clocks(time_in(time), self._clock.now())
        for point, value in zip(points, values, strict=True):
            samples[point] = self._sampling.sample(self._bindings[point], value, self._known_at.get(point))
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
        return Inspection(self._sampling.sample(self._bindings[point], value, None), spelt(value))

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
            (status,) = await session.write([_wish(self._nodes[point], data)])
        except CannotEncode as error:
            return str(error)
        except (Refused, Garbled) as error:
            return f"refused: {error}"
        told_by_then = _TOLD_BY_THEN + self._connection.publish_every.total_seconds()
        self._ask_until[point] = self._clock.wire_time() + told_by_then
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


def _is_told(binding: OpcuaBinding) -> bool:
    return binding.address.subscribe


def _wish(node: ua.NodeId, data: ua.DataValue) -> ua.WriteValue:
    """The value and nothing else of the node."""
    value: Any = AttributeIds.Value
    return ua.WriteValue(NodeId=node, AttributeId=value, Value=data)
