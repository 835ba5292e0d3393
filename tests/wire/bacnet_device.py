"""A BACnet/IP device on loopback with the faults that real ones have. It shares the library's codecs with the driver,
and nothing of the driver's own; an independent stack is in test_bacnet_node.py."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from bacpypes3 import apdu as library
from bacpypes3.basetypes import (
    ErrorType,
    EventState,
    PropertyValue,
    ReadAccessResult,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    Reliability,
    StatusFlags,
)
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.pdu import PDU
from bacpypes3.primitivedata import (
    Boolean,
    CharacterString,
    Double,
    Enumerated,
    Integer,
    Null,
    ObjectIdentifier,
    Real,
    TagList,
    Unsigned,
)

Place: TypeAlias = tuple[str, int]
Address: TypeAlias = tuple[str, int]

PRESENT_VALUE, PRIORITY_ARRAY, RELINQUISH_DEFAULT = 85, 87, 104
STATUS_FLAGS, RELIABILITY, EVENT_STATE, OUT_OF_SERVICE = 111, 103, 36, 81
OBJECT_IDENTIFIER, OBJECT_LIST, OBJECT_NAME, UNITS, MAX_APDU, SEGMENTATION = 75, 76, 77, 117, 62, 107
VENDOR_NAME, MODEL_NAME, STATE_TEXT, NUMBER_OF_STATES = 121, 70, 110, 74
INACTIVE_TEXT, ACTIVE_TEXT, DESCRIPTION = 46, 4, 28

_UNKNOWN_OBJECT: Final = ("object", "unknown-object")
_UNKNOWN_PROPERTY: Final = ("property", "unknown-property")
_BROADCAST_NETWORK: Final = 0xFFFF


@dataclass
class BacnetObject:
    """properties: what each number holds, as the library's atoms; a list is an array. slots: a priority array."""

    properties: dict[int, Any]
    slots: list[Any] | None = None
    refused: tuple[str, str] | None = None

    def value(self) -> Any:
        for held in self.slots or ():
            if held is not None:
                return held
        return self.properties[RELINQUISH_DEFAULT if self.slots is not None else PRESENT_VALUE]


def measured(value: Any, **more: Any) -> BacnetObject:
    """An object with everything that qualifies its present value."""
    return BacnetObject({PRESENT_VALUE: value, **_well(), **{int(key[1:]): each for key, each in more.items()}})


def commandable(default: Any) -> BacnetObject:
    return BacnetObject({RELINQUISH_DEFAULT: default, **_well()}, slots=[None] * 16)


def _well() -> dict[int, Any]:
    return {
        STATUS_FLAGS: StatusFlags([0, 0, 0, 0]),
        RELIABILITY: Reliability(0),
        EVENT_STATE: EventState(0),
        OUT_OF_SERVICE: Boolean(False),
    }


@dataclass
class Request:
    """What was asked: the service's number, and object and property of each value."""

    service: int
    wanted: list[tuple[Place, int]] = field(default_factory=list[tuple[Place, int]])


class BacnetDevice(asyncio.DatagramProtocol):
    """longest: its maximum APDU, and too_long what it aborts a longer answer with. lose: so many datagrams are lost.
    hangs_after: it answers so many more. delay: so many seconds pass before each answer.

    without: services that it rejects. fault: called with each request's name; a class and code answer with that error,
    a string with that abort. refuse_blocks_with: an object that makes it refuse whole requests. keeps_quiet: says
    I-Am where we do not hear it. broadcast: the address to which others say what is for everybody. network, mac:
    answers as a device behind a router, which this is too. mangle: changes each answer's bytes.
    """

    def __init__(self, instance: int = 1, host: str = "127.0.0.1") -> None:
        self.instance = instance
        self.host = host
        self.port = 0
        self.longest = 1476
        self.too_long = "segmentation-not-supported"
        self.without: set[int] = set()
        self.fault: Callable[[str], tuple[str, str] | str | None] = lambda name: None
        self.mangle: Callable[[bytes], bytes] = lambda answer: answer
        self.lose = 0
        self.hangs_after: int | None = None
        self.delay = 0.0
        self.refuse_blocks_with: Place | None = None
        self.forgets_writes = False
        self.keeps_quiet = False
        self.network: int | None = None
        self.mac = b"\x0c"
        self.broadcast = ""
        self.requests: list[Request] = []
        self.subscribed: dict[tuple[Address, int, Place], int] = {}
        self.unsubscribed = asyncio.Event()
        self.told: list[str] = []
        self.hung = False
        self.asked = asyncio.Event()
        self.asker: Address | None = None
        self.objects: dict[Place, BacnetObject] = {("device", instance): BacnetObject({})}
        self._late: list[tuple[bytes, Address]] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._listener: asyncio.DatagramTransport | None = None
        self._invoke_id = 0

    # --- the port -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """On any free port the first time, on the same one ever after."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self.host, self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        if self.broadcast:
            everybody = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            everybody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            everybody.bind((self.broadcast, self.port))
            self._listener, _ = await loop.create_datagram_endpoint(lambda: _Listener(self), sock=everybody)

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if self._listener is not None:
            self._listener.abort()
            self._listener = None
        self._late.clear()
        self.subscribed.clear()

    def hang(self) -> None:
        self.hung = True
        self.asked.clear()

    def resume(self) -> None:
        self.hung = False
        late, self._late = self._late, []
        for data, source in late:
            self.datagram_received(data, source)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    # --- datagrams ----------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.asker = addr
        if self.hangs_after is not None:
            self.hangs_after -= 1
            self.hung = self.hung or self.hangs_after < 0
        if self.hung:
            self._late.append((data, addr))
            self.asked.set()
            return
        if self.lose:
            self.lose -= 1
            return
        npdu, control = data[4:], data[5]
        position, is_ours = 2, self.network is None
        if control & 0x20:
            network, length = int.from_bytes(npdu[2:4], "big"), npdu[4]
            is_ours = network == _BROADCAST_NETWORK or (network == self.network and npdu[5 : 5 + length] == self.mac)
            position = 5 + length + 1
        if control & 0x80:
            self._route(npdu[position:], addr)
        elif is_ours:
            self._serve(npdu[position:], addr)

    def _route(self, message: bytes, to: Address) -> None:
        """Who-Is-Router-To-Network is answered by I-Am-Router-To-Network."""
        if message[0] == 0:
            self.claim_network(to)

    def claim_network(self, to: Address) -> None:
        """I-Am-Router-To-Network."""
        if self.network is not None:
            self._send(b"\x01\x80\x01" + self.network.to_bytes(2, "big"), to)

    def announce(self, to: Address) -> None:
        """I-Am, which comes from behind the router where there is one."""
        self._reply(self._i_am(), to)

    def _reply(self, answer: Any, to: Address) -> None:
        encoded = _unsegmented(answer)
        header = b"\x01\x00"
        if self.network is not None:
            header = b"\x01\x08" + self.network.to_bytes(2, "big") + bytes([len(self.mac)]) + self.mac
        npdu = header + bytes(encoded.encode().pduData)
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._send, npdu, to)
        else:
            self._send(npdu, to)

    def _send(self, npdu: bytes, to: Address) -> None:
        if self._transport is None:  # stopped before it could answer
            return
        data = self.mangle(npdu)
        self._transport.sendto(b"\x81\x0a" + (len(data) + 4).to_bytes(2, "big") + data, to)

    # --- services -----------------------------------------------------------------------------------------------------

    def _serve(self, data: bytes, to: Address) -> None:
        generic = library.APDU.decode(PDU(data))
        if isinstance(generic, library.SimpleAckPDU):
            self.told.append("acknowledged")
            return
        if isinstance(generic, library.ErrorPDU):
            self.told.append("refused")
            return
        request: Any = library.APCISequence.decode(generic)
        if isinstance(request, library.WhoIsRequest):
            low: Any = request.deviceInstanceRangeLowLimit
            high: Any = request.deviceInstanceRangeHighLimit
            if not self.keeps_quiet and (low is None or low <= self.instance <= high):
                self._reply(self._i_am(), to)
            return
        if not isinstance(generic, library.ConfirmedRequestPDU):
            return
        name = type(request).__name__.removesuffix("Request")
        answer: Any
        fault = self.fault(name)
        if generic.apduService in self.without:
            answer = library.RejectPDU(reason="unrecognized-service", context=request)
        elif isinstance(fault, str):
            answer = library.AbortPDU(True, reason=fault, context=request)
        elif fault is not None:
            answer = _error(request, fault)
        else:
            answer = getattr(self, f"_{name}")(request, to)
        self._reply(answer, to)

    def _i_am(self) -> Any:
        return library.IAmRequest(
            iAmDeviceIdentifier=("device", self.instance),
            maxAPDULengthAccepted=self.longest,
            segmentationSupported="no-segmentation",
            vendorID=999,
        )

    def _ReadProperty(self, request: Any, to: Address) -> Any:
        place, property = _place(request.objectIdentifier), int(request.propertyIdentifier)
        self.requests.append(Request(12, [(place, property)]))
        found = self._find(place, property, request.propertyArrayIndex)
        if isinstance(found, tuple):
            return _error(request, found)
        place = ("device", self.instance) if place[0] == "device" else place
        answer = library.ReadPropertyACK(
            objectIdentifier=ObjectIdentifier(place),
            propertyIdentifier=property,
            propertyArrayIndex=request.propertyArrayIndex,
            propertyValue=AnyValue(found),
            context=request,
        )
        return self._if_it_fits(answer, request)

    def _ReadPropertyMultiple(self, request: Any, to: Address) -> Any:
        asked = Request(14)
        self.requests.append(asked)
        results: list[Any] = []
        for each in request.listOfReadAccessSpecs:
            place = _place(each.objectIdentifier)
            elements: list[Any] = []
            for reference in each.listOfPropertyReferences:
                property = int(reference.propertyIdentifier)
                asked.wanted.append((place, property))
                elements.append(self._element(place, property, reference.propertyArrayIndex))
            results.append(ReadAccessResult(objectIdentifier=each.objectIdentifier, listOfResults=elements))
        if self.refuse_blocks_with in {place for place, _ in asked.wanted}:
            return _error(request, _UNKNOWN_OBJECT)
        answer = library.ReadPropertyMultipleACK(listOfReadAccessResults=results, context=request)
        return self._if_it_fits(answer, request)

    def _element(self, place: Place, property: int, index: int | None) -> Any:
        found = self._find(place, property, index)
        if isinstance(found, tuple):
            choice = ReadAccessResultElementChoice(
                propertyAccessError=ErrorType(errorClass=found[0], errorCode=found[1])
            )
        else:
            choice = ReadAccessResultElementChoice(propertyValue=AnyValue(found))
        return ReadAccessResultElement(propertyIdentifier=property, propertyArrayIndex=index, readResult=choice)

    def _find(self, place: Place, property: int, index: int | None) -> Any:
        """A list of tags, or why there is none."""
        if place[0] == "device":
            place = ("device", self.instance)
        object = self.objects.get(place)
        if object is None or object.refused:
            return (object and object.refused) or _UNKNOWN_OBJECT
        value = self._property(place, object, property)
        if value is None:
            return _UNKNOWN_PROPERTY
        if type(value) is list:  # a bit string is a list too
            if index is not None:
                if index > len(value):
                    return ("property", "invalid-array-index")
                value = [Unsigned(len(value))] if index == 0 else [value[index - 1]]
            tags = TagList()
            element: Any
            for element in value:
                tags.extend(element.encode())
            return tags
        return value.encode()

    def _property(self, place: Place, object: BacnetObject, property: int) -> Any:
        if property == PRESENT_VALUE and place[0] != "device":
            return object.value()
        if property == PRIORITY_ARRAY:
            return None if object.slots is None else [Null(()) if each is None else each for each in object.slots]
        if place[0] == "device":
            own = {
                OBJECT_IDENTIFIER: ObjectIdentifier(place),
                MAX_APDU: Unsigned(self.longest),
                SEGMENTATION: Enumerated(3),
                OBJECT_LIST: [ObjectIdentifier(each) for each in self.objects],
            }
            if property in own:
                return own[property]
        return object.properties.get(property)

    def _if_it_fits(self, answer: Any, request: Any) -> Any:
        if len(_unsegmented(answer).encode().pduData) > self.longest:
            return library.AbortPDU(True, reason=self.too_long, context=request)
        return answer

    def _WriteProperty(self, request: Any, to: Address) -> Any:
        place, property = _place(request.objectIdentifier), int(request.propertyIdentifier)
        self.requests.append(Request(15, [(place, property)]))
        object = self.objects.get(place)
        if object is None or object.refused:
            return _error(request, (object and object.refused) or _UNKNOWN_OBJECT)
        value = _atom(request.propertyValue.tagList)
        if self.forgets_writes:
            return library.SimpleAckPDU(context=request)
        held = object.value()
        if property == PRESENT_VALUE and object.slots is not None:
            object.slots[(request.priority or 16) - 1] = None if value is None else type(held)(value)
        elif value is None:
            return _error(request, ("property", "invalid-data-type"))
        elif property not in object.properties:
            return _error(request, _UNKNOWN_PROPERTY)
        else:
            object.properties[property] = type(object.properties[property])(value)
        self.tell(place)
        return library.SimpleAckPDU(context=request)

    def _SubscribeCOV(self, request: Any, to: Address) -> Any:
        place = _place(request.monitoredObjectIdentifier)
        self.requests.append(Request(5, [(place, PRESENT_VALUE)]))
        if place not in self.objects:
            return _error(request, _UNKNOWN_OBJECT)
        subscription = to, int(request.subscriberProcessIdentifier), place
        if request.lifetime is None:
            self.subscribed.pop(subscription, None)
            self.unsubscribed.set()
            return library.SimpleAckPDU(context=request)
        self.subscribed[subscription] = int(request.lifetime)
        asyncio.get_running_loop().call_soon(self.tell, place)
        return library.SimpleAckPDU(context=request)

    # --- changes ------------------------------------------------------------------------------------------------------

    def tell(self, place: Place) -> None:
        """A confirmed notification to everyone who subscribed to the object."""
        for to, process, subscribed in self.subscribed:
            if subscribed == place and self._transport is not None:
                self.notify(to, process, place)

    def notify(self, to: Address, process: int, place: Place) -> None:
        object = self.objects[place]
        values = [
            PropertyValue(propertyIdentifier=property, value=AnyValue(value.encode()))
            for property, value in (
                (PRESENT_VALUE, object.value()),
                (STATUS_FLAGS, object.properties.get(STATUS_FLAGS, StatusFlags([0, 0, 0, 0]))),
            )
        ]
        self._invoke_id = (self._invoke_id + 1) % 256
        note = library.ConfirmedCOVNotificationRequest(
            subscriberProcessIdentifier=process,
            initiatingDeviceIdentifier=("device", self.instance),
            monitoredObjectIdentifier=place,
            timeRemaining=60,
            listOfValues=values,
        )
        encoded = _unsegmented(note)
        encoded.apduInvokeID = self._invoke_id
        encoded.apduMaxSegs = encoded.apduMaxResp = 5
        self._reply(encoded, to)

    # --- a hand on it -------------------------------------------------------------------------------------------------

    def put(self, place: Place, value: Any) -> None:
        object = self.objects[place]
        held = object.value()
        property = PRESENT_VALUE if object.slots is None else RELINQUISH_DEFAULT
        object.properties[property] = type(held)(value)
        self.tell(place)


class _Listener(asyncio.DatagramProtocol):
    """What is for everybody, is for this device, too."""

    def __init__(self, device: BacnetDevice) -> None:
        self.datagram_received = device.datagram_received


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unsegmented(answer: Any) -> Any:
    encoded = answer.encode() if isinstance(answer, library.APCISequence) else answer
    encoded.apduSeg = encoded.apduMor = encoded.apduSA = False
    return encoded


def _place(identifier: Any) -> Place:
    return str(identifier[0]), int(identifier[1])


def _error(request: Any, error: tuple[str, str]) -> Any:
    return library.Error(service_choice=request.apduService, errorClass=error[0], errorCode=error[1], context=request)


def _atom(tags: TagList) -> Any:
    """The value between the brackets; None for Null."""
    tag = tags[1]
    number = int(tag.tag_number)
    kinds: dict[int, Any] = {1: Boolean, 2: Unsigned, 3: Integer, 4: Real, 5: Double, 7: CharacterString, 9: Enumerated}
    return None if number == 0 else kinds[number].decode(TagList([tag]))


def datagram(npdu: bytes) -> bytes:
    """As an Original-Unicast-NPDU."""
    return b"\x81\x0a" + (len(npdu) + 4).to_bytes(2, "big") + npdu
