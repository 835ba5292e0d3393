"""An OPC UA server of our own with the faults that servers have, on a loopback port. No security.

It understands what the driver asks and no more. The values, their status and times are what a test says; nothing is
published but by `publish`.
"""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import (
    nodeid_from_binary,
    struct_from_binary,
    struct_to_binary,
    uatcp_to_binary,
)

from tests.loopback import Connection, LoopbackServer

_CHANNEL: Final = 7
NAMESPACES: Final = ("http://opcfoundation.org/UA/", "urn:device", "urn:plant")
_TIME: Final = "i=2258"
_LARGEST_FRAME: Final = 65536


@dataclass
class Cell:
    """A variable. `source`: its source time; None where it has none. refused: its status for reading and writing."""

    value: Any
    type: ua.VariantType
    status: int = 0
    source: datetime | None = None
    server: datetime | None = None
    refused: str = ""
    data_type: ua.NodeId | None = None

    def answer(self) -> ua.DataValue:
        if self.refused:
            return ua.DataValue(StatusCode=_status(self.refused))
        variant = ua.Variant(self.value, self.type)
        return ua.DataValue(variant, ua.StatusCode(_any(self.status)), _any(self.source), _any(self.server))


@dataclass(frozen=True)
class Child:
    """What a node refers to. reference: its type, i=35 (organizes) or i=46 (has property)."""

    node: str
    name: str
    is_variable: bool = False
    reference: int = 35


@dataclass
class _Subscription:
    id: int
    interval: float
    items: dict[int, str] = field(default_factory=dict[int, str])
    sequence: int = 1


class OpcuaDevice(LoopbackServer):
    """now: the server's own clock. requests: services in the order in which they came, with their nodes. listened:
    set when somebody asks for the next message of a subscription, and so has had the one before. buffer: what it says
    that it takes and sends at once. before_each_answer: bodies of chunks that it sends as the answer's beginning."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.now = now
        self.namespaces = [*NAMESPACES]
        self.cells: dict[str, Cell] = {}
        self.requests: list[tuple[str, tuple[str, ...]]] = []
        self.refused_services: dict[str, str] = {}
        self.refused_items: set[str] = set()
        self.limits: dict[str, int] = {}
        self.limit_is_secret = False
        self.children: dict[str, list[Child]] = {}
        self.refused_browsing: set[str] = set()
        self.keepalive_count: int | None = None
        self.most_subscriptions = 10
        self.activation = ""
        self.mangle: Callable[[str, bytes], bytes] = _unchanged
        self.buffer = _LARGEST_FRAME
        self.before_each_answer: list[bytes] = []
        self.listened = asyncio.Event()

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/device"

    # --- a hand on it -------------------------------------------------------------------------------------------------

    def publish(self, *nodes: str) -> None:
        """Tell every subscription of these nodes as they are now; a keep-alive to those that have none of them."""
        for connection in self.sessions:
            connection.publish(nodes)

    def say(self, data: bytes) -> None:
        """Anything at all, to whoever is connected."""
        for connection in self.connections:
            connection.write(data)

    def end_subscriptions(self, status: str) -> None:
        for connection in self.sessions:
            connection.end_subscriptions(status)

    @property
    def watched(self) -> set[str]:
        """The nodes that somebody subscribed to."""
        subscriptions = [each for connection in self.sessions for each in connection.subscriptions.values()]
        return {node for subscription in subscriptions for node in subscription.items.values()}

    def count(self, service: str) -> int:
        return sum(name == service for name, _ in self.requests)

    # --- what it does -------------------------------------------------------------------------------------------------

    def connect(self) -> Connection:
        return Session(self)

    @property
    def sessions(self) -> list[Session]:
        return [each for each in self.connections if isinstance(each, Session)]

    def read(self, asked: ua.ReadValueId) -> ua.DataValue:
        node = asked.NodeId.to_string()
        limits = {"i=11705": "read", "i=11714": "items"}
        if node == "i=2255":
            return ua.DataValue(ua.Variant([*self.namespaces], ua.VariantType.String))
        if node == _TIME:
            return ua.DataValue(ua.Variant(self.now(), ua.VariantType.DateTime))
        if node in limits and limits[node] in self.limits and not self.limit_is_secret:
            return ua.DataValue(ua.Variant(self.limits[limits[node]], ua.VariantType.UInt32))
        cell = self.cells.get(node)
        if cell is None:
            return ua.DataValue(StatusCode=_status("BadNodeIdUnknown"))
        if asked.AttributeId == AttributeIds.UserAccessLevel:
            return ua.DataValue(ua.Variant(1 if cell.refused else 3, ua.VariantType.Byte))
        if asked.AttributeId == AttributeIds.DataType:
            return ua.DataValue(ua.Variant(cell.data_type or ua.NodeId(_any(int(cell.type))), ua.VariantType.NodeId))
        return cell.answer()

    def write(self, wish: ua.WriteValue) -> ua.StatusCode:
        cell = self.cells.get(wish.NodeId.to_string())
        if cell is None:
            return _status("BadNodeIdUnknown")
        if cell.refused:
            return _status("BadUserAccessDenied")
        data = wish.Value
        assert data is not None
        if data.Encoding & ~1:  # more than the value: a status or times
            return _status("BadWriteNotSupported")
        if data.Value is None or (data.Value.VariantType is not cell.type and cell.type is not ua.VariantType.Null):
            return _status("BadTypeMismatch")
        cell.value, cell.type = data.Value.Value, data.Value.VariantType
        return ua.StatusCode()


def _unchanged(service: str, answer: bytes) -> bytes:
    del service
    return answer


class Session(Connection):
    """Frames of OPC UA Part 6, 7.1 and 6.7.2, always whole, never encrypted."""

    def __init__(self, device: OpcuaDevice) -> None:
        super().__init__(device)
        self._device = device
        self._sequence = 0
        self._publishes: list[tuple[int, Any]] = []
        self._owed: list[ua.PublishResult] = []
        self.subscriptions: dict[int, _Subscription] = {}

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer
        buffer += data
        while len(buffer) >= 8:
            size = int.from_bytes(buffer[4:8], "little")
            if len(buffer) < size:
                return
            frame = bytes(buffer[:size])
            del buffer[:size]
            self._receive(frame)

    def _receive(self, frame: bytes) -> None:
        match frame[:3]:
            case b"HEL":
                buffer = self._device.buffer
                limits: Mapping[str, Any] = {"ReceiveBufferSize": buffer, "SendBufferSize": buffer}
                acknowledge = uatcp_to_binary(_any(ua.MessageType.Acknowledge), ua.Acknowledge(**limits))
                self._device.deliver(lambda: self.write(acknowledge))
            case b"OPN":
                body = Buffer(frame[12:])
                struct_from_binary(ua.AsymmetricAlgorithmHeader, body)
                self._serve(body, is_opening=True)
            case b"MSG":
                self._serve(Buffer(frame[16:]), is_opening=False)
            case _:
                self.close()

    def _serve(self, body: Buffer, *, is_opening: bool) -> None:
        request_id: int = struct_from_binary(ua.SequenceHeader, body).RequestId
        kind = ua.extension_objects_by_typeid[nodeid_from_binary(body.copy())]
        request: Any = struct_from_binary(kind, body)
        service = kind.__name__.removesuffix("Request")
        self._device.requests.append((service, _subject(request)))
        if service == "Publish":
            self._publishes.append((request_id, request.RequestHeader))
            self._device.listened.set()
            self._send_owed()
            return
        refusal = self._device.refused_services.get(service, "")
        answer = _fault(refusal) if refusal else getattr(self, f"_{service}")(request)
        self._answer(request_id, request.RequestHeader, answer, is_opening=is_opening)

    def _answer(self, request_id: int, header: Any, answer: Any, *, is_opening: bool = False) -> None:
        answer.ResponseHeader.RequestHandle = header.RequestHandle
        service = type(answer).__name__.removesuffix("Response")
        body = self._device.mangle(service, struct_to_binary(answer))
        self._device.deliver(lambda: self._send(request_id, body, is_opening=is_opening))

    def _send(self, request_id: int, body: bytes, *, is_opening: bool) -> None:
        for part in [] if is_opening else self._device.before_each_answer:
            self._send_chunk(b"MSGC", request_id, part)
        self._send_chunk(b"OPNF" if is_opening else b"MSGF", request_id, body)

    def _send_chunk(self, kind: bytes, request_id: int, body: bytes) -> None:
        self._sequence += 1
        security = struct_to_binary(_OPENING) if kind == b"OPNF" else struct.pack("<I", 13)
        payload = struct.pack("<I", _CHANNEL) + security + struct.pack("<II", self._sequence, request_id) + body
        self.write(kind + struct.pack("<I", 8 + len(payload)) + payload)

    # --- services -----------------------------------------------------------------------------------------------------

    def _OpenSecureChannel(self, request: Any) -> Any:
        answer = ua.OpenSecureChannelResponse()
        token: Any = answer.Parameters.SecurityToken
        token.ChannelId, token.TokenId, token.RevisedLifetime = _CHANNEL, 13, request.Parameters.RequestedLifetime
        return answer

    def _CreateSession(self, request: Any) -> Any:
        answer = ua.CreateSessionResponse()
        result: Any = answer.Parameters
        result.SessionId = result.AuthenticationToken = ua.NodeId(_any(99))
        result.RevisedSessionTimeout = request.Parameters.RequestedSessionTimeout
        result.ServerEndpoints = [self._endpoint()]
        return answer

    def _endpoint(self) -> ua.EndpointDescription:
        endpoint: Any = ua.EndpointDescription()
        endpoint.EndpointUrl = self._device.url
        endpoint.Server.ApplicationName = ua.LocalizedText("device")
        endpoint.SecurityMode = ua.MessageSecurityMode.None_
        endpoint.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"
        return endpoint

    def _GetEndpoints(self, request: Any) -> Any:
        answer: Any = ua.GetEndpointsResponse()
        answer.Endpoints = [self._endpoint()]
        return answer

    def _ActivateSession(self, request: Any) -> Any:
        return _fault(self._device.activation) if self._device.activation else ua.ActivateSessionResponse()

    def _CloseSession(self, request: Any) -> Any:
        return ua.CloseSessionResponse()

    def _Read(self, request: Any) -> Any:
        nodes: Sequence[ua.ReadValueId] = request.Parameters.NodesToRead
        most = self._device.limits.get("read")
        if most is not None and len(nodes) > most:
            return _fault("BadTooManyOperations")
        answer: Any = ua.ReadResponse()
        answer.Results = [self._device.read(node) for node in nodes]
        return answer

    def _Write(self, request: Any) -> Any:
        answer: Any = ua.WriteResponse()
        answer.Results = [self._device.write(wish) for wish in request.Parameters.NodesToWrite]
        return answer

    def _Browse(self, request: Any) -> Any:
        """One reference a page."""
        answer: Any = ua.BrowseResponse()
        answer.Results = [self._page(each.NodeId.to_string(), 0) for each in request.Parameters.NodesToBrowse]
        return answer

    def _BrowseNext(self, request: Any) -> Any:
        answer: Any = ua.BrowseNextResponse()
        for point in request.Parameters.ContinuationPoints:
            node, _, number = point.decode().rpartition(" ")
            answer.Parameters.Results.append(self._page(node, int(number)))
        return answer

    def _page(self, node: str, number: int) -> ua.BrowseResult:
        if node in self._device.refused_browsing:
            return ua.BrowseResult(_status("BadUserAccessDenied"))
        children = self._device.children.get(node, [])
        page: Any = ua.BrowseResult(References=[_reference(child) for child in children[number : number + 1]])
        if number + 1 < len(children):
            page.ContinuationPoint = f"{node} {number + 1}".encode()
        return page

    def _CreateSubscription(self, request: Any) -> Any:
        answer: Any = ua.CreateSubscriptionResponse()
        result, wish = answer.Parameters, request.Parameters
        if len(self.subscriptions) >= self._device.most_subscriptions:
            return _fault("BadTooManySubscriptions")
        subscription = _Subscription(len(self.subscriptions) + 1, wish.RequestedPublishingInterval)
        self.subscriptions[subscription.id] = subscription
        result.SubscriptionId = subscription.id
        result.RevisedPublishingInterval = wish.RequestedPublishingInterval
        result.RevisedLifetimeCount = wish.RequestedLifetimeCount
        result.RevisedMaxKeepAliveCount = self._device.keepalive_count or wish.RequestedMaxKeepAliveCount
        return answer

    def _CreateMonitoredItems(self, request: Any) -> Any:
        parameters = request.Parameters
        items = parameters.ItemsToCreate
        most = self._device.limits.get("items")
        if most is not None and len(items) > most:
            return _fault("BadTooManyOperations")
        subscription = self.subscriptions[parameters.SubscriptionId]
        answer: Any = ua.CreateMonitoredItemsResponse()
        for item in items:
            result: Any = ua.MonitoredItemCreateResult()
            node = item.ItemToMonitor.NodeId.to_string()
            if node in self._device.refused_items:
                result.StatusCode = _status("BadMonitoredItemFilterUnsupported")
            else:
                subscription.items[item.RequestedParameters.ClientHandle] = node
            result.RevisedSamplingInterval = item.RequestedParameters.SamplingInterval
            answer.Results.append(result)
        return answer

    def _DeleteSubscriptions(self, request: Any) -> Any:
        answer: Any = ua.DeleteSubscriptionsResponse()
        for id in request.Parameters.SubscriptionIds:
            known = self.subscriptions.pop(id, None) is not None
            answer.Results.append(ua.StatusCode() if known else _status("BadSubscriptionIdInvalid"))
        return answer

    # --- publishing ---------------------------------------------------------------------------------------------------

    def publish(self, nodes: Sequence[str]) -> None:
        for subscription in self.subscriptions.values():
            told = [(handle, node) for handle, node in subscription.items.items() if node in nodes]
            items = [
                ua.MonitoredItemNotification(_any(handle), self._device.cells[node].answer()) for handle, node in told
            ]
            self._owe(subscription, [ua.DataChangeNotification(items)] if items else [])

    def end_subscriptions(self, status: str) -> None:
        for subscription in self.subscriptions.values():
            self._owe(subscription, [ua.StatusChangeNotification(_status(status))])

    def _owe(self, subscription: _Subscription, data: list[Any]) -> None:
        message = ua.NotificationMessage(_any(subscription.sequence), self._device.now(), data)
        subscription.sequence += bool(data)
        self._owed.append(ua.PublishResult(_any(subscription.id), NotificationMessage=message))
        self._send_owed()

    def _send_owed(self) -> None:
        while self._owed and self._publishes:
            request_id, header = self._publishes.pop(0)
            self._answer(request_id, header, ua.PublishResponse(Parameters=self._owed.pop(0)))


_OPENING: Final = ua.AsymmetricAlgorithmHeader(
    SecurityPolicyURI="http://opcfoundation.org/UA/SecurityPolicy#None"  # pyright: ignore[reportArgumentType]
)


def _reference(child: Child) -> ua.ReferenceDescription:
    node = ua.NodeId.from_string(child.node)
    reference: Any = ua.ReferenceDescription()
    reference.ReferenceTypeId = ua.NodeId(_any(child.reference))
    reference.NodeId = ua.ExpandedNodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)
    reference.BrowseName = ua.QualifiedName(_any(child.name), node.NamespaceIndex)
    reference.NodeClass = ua.NodeClass.Variable if child.is_variable else ua.NodeClass.Object
    return reference


def _subject(request: Any) -> tuple[str, ...]:
    """The nodes that a request reads or writes."""
    parameters = getattr(request, "Parameters", None)
    nodes = getattr(parameters, "NodesToRead", None) or getattr(parameters, "NodesToWrite", None) or ()
    return tuple(each.NodeId.to_string() for each in nodes)


def _fault(status: str) -> Any:
    fault = ua.ServiceFault()
    fault.ResponseHeader.ServiceResult = _status(status)
    return fault


def _status(name: str) -> ua.StatusCode:
    return ua.StatusCode(_any(name))


def _any(value: object) -> Any:
    """The library's annotations want its own number types; its code takes Python's."""
    return value
