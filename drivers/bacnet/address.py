"""Where a value lives in a BACnet device, and the local socket through which devices are reached."""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface
from typing import ClassVar, Final, NamedTuple, Self

from controller.core.units import Linear
from drivers.bacnet.names import (
    ANALOG,
    ANY_INSTANCE,
    BINARY,
    INPUTS,
    LAST_INSTANCE,
    LAST_PROPERTY,
    LAST_TYPE,
    OBJECT_TYPES,
    PRESENT_VALUE,
    PROPERTIES,
    object_name,
    property_name,
)

# ANSI/ASHRAE 135-2020, J.1.2.
PORT: Final = 47808
# Clause 19.2: 16 levels. 1 to 8 belong to life safety, critical equipment, minimum times and the operator.
FIRST_PRIORITY: Final = 9
LAST_PRIORITY: Final = 16
# Clause 6.2.2: 65535 is the global broadcast.
LAST_NETWORK: Final = 65534
_LAST_UDP_PORT: Final = 65535
# Clause 6.2.2: MAC addresses of MS/TP have one byte, of BACnet/IP six; the longest are allowed seven (LonTalk).
_LONGEST_MAC: Final = 7


class Station(NamedTuple):
    """One device on the wire. host, port: of the device itself, or of the router to `network` where one is named.

    network, mac: of a device behind a router, None and b"" otherwise. Without a host the router is looked for.
    """

    host: str
    port: int
    network: int | None = None
    mac: bytes = b""


def parse_station(text: str) -> Station:
    """`10.0.0.20`, `10.0.0.20:47809`, `5:12` (net:mac), `5:12@10.0.0.2` (by that router).

    A mac is a number of one byte (MS/TP) or hexadecimal: `5:0x0A00000FBAC0`.
    """
    place, at, router = text.partition("@")
    head, colon, tail = place.partition(":")
    if "." in head and not at:
        return Station(_ipv4(head), _udp_port(tail) if colon else PORT)
    if not colon or "." in place:
        raise ValueError(
            f"device {text!r} is no BACnet address; give an IP address such as 10.0.0.20 or 10.0.0.20:47809, "
            f"or 'net:mac' such as '5:12' for a device behind a router"
        )
    if not head.isascii() or not head.isdecimal() or not 1 <= int(head) <= LAST_NETWORK:
        raise ValueError(f"network {head!r} does not exist; give 1 to {LAST_NETWORK}, as in '5:12'")
    mac = _mac(tail)
    if not at:
        return Station("", 0, int(head), mac)
    host, colon, port = router.partition(":")
    return Station(_ipv4(host), _udp_port(port) if colon else PORT, int(head), mac)


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no IPv4 address; give one such as 10.0.0.20") from None


def _udp_port(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= _LAST_UDP_PORT:
        return int(text)
    raise ValueError(f"port {text!r} does not exist; give 1 to {_LAST_UDP_PORT} (BACnet/IP: {PORT})")


def _mac(text: str) -> bytes:
    if text.isascii() and text.isdecimal() and int(text) <= 255:
        return bytes([int(text)])
    digits = text[2:] if text[:2].lower() == "0x" else ""
    try:
        mac = bytes.fromhex(digits)
    except ValueError:
        mac = b""
    if not 1 <= len(mac) <= _LONGEST_MAC:
        raise ValueError(f"mac {text!r} cannot be; give 0 to 255 (MS/TP) or hexadecimal such as 0x0A000014BAC0")
    return mac


class ObjectId(NamedTuple):
    type: int
    instance: int

    def __str__(self) -> str:
        return object_name(*self)


def parse_object(text: str) -> ObjectId:
    """`analog-input,3`; a vendor's own type by its number: `300,1`."""
    kind, _, number = text.partition(",")
    type = int(kind) if kind.isascii() and kind.isdecimal() else OBJECT_TYPES.get(kind, -1)
    if not 0 <= type <= LAST_TYPE:
        raise ValueError(f"{kind!r} is no type of object; give one such as analog-input, or its number")
    number = number.strip()
    if not number.isascii() or not number.isdecimal() or int(number) > ANY_INSTANCE:
        raise ValueError(f"object {text!r} has no number; write it as in 'analog-input,3' (0 to {LAST_INSTANCE})")
    return ObjectId(type, int(number))


def parse_property(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= LAST_PROPERTY:
        return int(text)
    try:
        return PROPERTIES[text]
    except KeyError:
        raise ValueError(
            f"property {text!r} is not known here; give its number, or one such as present-value"
        ) from None


class Reference(NamedTuple):
    """One value of one object, as a request asks for it."""

    object: ObjectId
    property: int
    element: int | None = None

    def __str__(self) -> str:
        place = "" if self.element is None else f"[{self.element}]"
        return f"{self.object} {property_name(self.property)}{place}"


@lru_cache(maxsize=10_000)  # looked at with every value
def _reference(object: str, property: str, element: int | None) -> Reference:
    return Reference(parse_object(object), parse_property(property), element)


@dataclass(frozen=True, slots=True)
class BacnetAddress:
    """value = raw * scale + offset.

    device or instance: where the device is ("10.0.0.20", "5:12"), or the number of its device object, to be looked for;
    said once for the device. object, property, index: the place in it.
    states: what a point that is a text calls the states of a multi-state object from 1, of a binary one from 0.
    cov: have changes told (SubscribeCOV), beside slower polling.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    object: str
    device: str = ""
    instance: int | None = None
    property: str = "present-value"
    index: int | None = None
    scale: float = 1.0
    offset: float = 0.0
    states: tuple[str, ...] = ()
    cov: bool = False

    def __post_init__(self) -> None:
        if (self.device == "") == (self.instance is None):
            raise ValueError("a device has one address; say device: 10.0.0.20, device: '5:12' or instance: 2001")
        if self.device:
            parse_station(self.device)
        if self.instance is not None and not 0 <= self.instance <= LAST_INSTANCE:
            raise ValueError(f"device instance {self.instance} does not exist; give 0 to {LAST_INSTANCE}")
        if problem := _place_problem(self) or _scaling_problem(self):
            raise ValueError(problem)

    @builtins.property
    def station(self) -> Station | None:
        """Where the device is; None where its instance number has to be looked for."""
        return parse_station(self.device) if self.device else None

    @builtins.property
    def reference(self) -> Reference:
        return _reference(self.object, self.property, self.index)

    @builtins.property
    def can_write(self) -> bool:
        """Inputs can be written while they are out of service only, and that is for people at the device."""
        return self.reference.property != PRESENT_VALUE or self.reference.object.type not in INPUTS

    @builtins.property
    def key(self) -> tuple[object, ...]:
        return (self.device, self.instance, self.reference)

    def converted(self, conversion: Linear) -> Self:
        factor, offset = conversion
        if factor == 1.0 and offset == 0.0:
            return self
        return replace(self, scale=self.scale * factor, offset=self.offset * factor + offset)


def _place_problem(address: BacnetAddress) -> str:
    type, property = parse_object(address.object).type, parse_property(address.property)
    if address.index is not None and address.index < 0:
        return f"index {address.index} does not exist; an array's elements count from 1, and 0 is how many there are"
    if address.cov and (property != PRESENT_VALUE or address.index is not None):
        return "only a present-value tells its changes; leave cov out"
    if len(set(address.states)) < len(address.states):
        return f"states {', '.join(address.states)} are not all different; give each state a text of its own"
    if address.states and type in BINARY and len(address.states) != 2:
        return f"a binary object has two states, not {len(address.states)}; give inactive first, then active"
    if address.states and type in ANALOG:
        return f"{address.object} has no states; leave them out"
    return ""


def _scaling_problem(address: BacnetAddress) -> str:
    if not math.isfinite(address.scale) or address.scale == 0.0:
        return f"scale {address.scale} makes every value the same or none; give a finite number other than 0"
    if not math.isfinite(address.offset):
        return f"offset {address.offset} is no number; give a finite number"
    type = parse_object(address.object).type
    scaled = address.scale != 1.0 or address.offset != 0.0
    if scaled and (address.states or (type in BINARY and address.property == "present-value")):
        return "a state has neither scale, offset nor unit; leave them out"
    return ""


@dataclass(frozen=True, slots=True)
class BacnetConnection:
    """One UDP socket of ours.

    interface: our own address with the length of its subnet, for broadcasts: 10.0.0.4/24. port: 0 takes any free one.
    priority: the slot of the devices' priority arrays that we write. timeout: what a device may take to answer; within
    it a request is sent twice. instance: the number of our own device object; None announces none.
    bbmd, ttl: register as a foreign device with this BBMD ("10.1.0.2" or "10.1.0.2:47808"), anew within this time.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    interface: str
    port: int = PORT
    priority: int = 10
    timeout: timedelta = timedelta(seconds=3)
    bbmd: str = ""
    ttl: timedelta = timedelta(seconds=60)
    instance: int | None = None

    def __post_init__(self) -> None:
        if problem := _connection_problem(self):
            raise ValueError(problem)

    @property
    def local(self) -> IPv4Interface:
        return IPv4Interface(self.interface)

    @property
    def bbmd_station(self) -> Station | None:
        return parse_station(self.bbmd) if self.bbmd else None


def _connection_problem(connection: BacnetConnection) -> str:
    return (
        _interface_problem(connection.interface)
        or _numbers_problem(connection)
        or _priority_problem(connection.priority)
        or _times_problem(connection)
        or _bbmd_problem(connection.bbmd)
    )


def _interface_problem(interface: str) -> str:
    right = "give our own address with the length of its subnet, such as 10.0.0.4/24"
    try:
        local = IPv4Interface(interface)
    except ValueError:
        return f"interface {interface!r} is no IPv4 address; {right}"
    return f"interface {interface!r} is no one address; {right}" if local.ip.is_unspecified else ""


def _numbers_problem(connection: BacnetConnection) -> str:
    if not 0 <= connection.port <= _LAST_UDP_PORT:
        return f"port {connection.port} does not exist; give 1 to {_LAST_UDP_PORT} (BACnet/IP: {PORT})"
    instance = connection.instance
    if instance is not None and not 0 <= instance <= LAST_INSTANCE:
        return f"device instance {instance} does not exist; give 0 to {LAST_INSTANCE}, no other device's"
    return ""


def _priority_problem(priority: int) -> str:
    if FIRST_PRIORITY <= priority <= LAST_PRIORITY:
        return ""
    right = f"give {FIRST_PRIORITY} to {LAST_PRIORITY}, commonly 10"
    if 1 <= priority < FIRST_PRIORITY:
        return f"priority {priority} is kept for life safety, critical equipment and the operator; {right}"
    return f"priority {priority} does not exist; {right}"


def _times_problem(connection: BacnetConnection) -> str:
    if not timedelta(0) < connection.timeout <= timedelta(seconds=20):
        return f"timeout {connection.timeout.total_seconds():g} s is out of range; give more than 0 and at most 20s"
    if not timedelta(seconds=30) <= connection.ttl <= timedelta(seconds=65535):
        return f"ttl {connection.ttl.total_seconds():g} s is out of range; give 30s to 65535s"
    return ""


def _bbmd_problem(bbmd: str) -> str:
    if not bbmd:
        return ""
    try:
        routed = parse_station(bbmd).network is not None
    except ValueError:
        routed = True
    return f"bbmd {bbmd!r} is no IP address; give one such as 10.1.0.2 or 10.1.0.2:47808" if routed else ""
