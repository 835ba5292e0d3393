"""Who is out there, and what each device has: Who-Is, object lists, names, units, state texts, present values."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any, Final

from bacpypes3.pdu import Address

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import ConnectFailed, DeviceError
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from drivers.bacnet.address import PORT, BacnetConnection, ObjectId, Reference, Station, parse_station
from drivers.bacnet.client import Client, address_of
from drivers.bacnet.codec import Answer
from drivers.bacnet.device import RemoteDevice
from drivers.bacnet.names import (
    ANALOG,
    ANY_INSTANCE,
    BINARY,
    DEVICE,
    INPUTS,
    LAST_INSTANCE,
    MULTI_STATE,
    OBJECT_TYPES,
    PRESENT_VALUE,
    TYPE_NAMES,
)
from drivers.bacnet.units import NO_UNIT, unit_of
from drivers.bacnet.wire import Kind, Refusal

# More is no building's network but a fault or an attack.
_MOST_DEVICES: Final = 5000
_MOST_OBJECTS: Final = 20_000
# Objects that are looked at together, so that results come while the rest is asked for.
_OBJECTS_AT_ONCE: Final = 10
_LONGEST_NAME: Final = 40

_OBJECT_IDENTIFIER, _OBJECT_LIST, _OBJECT_NAME = 75, 76, 77
_VENDOR_NAME, _MODEL_NAME, _UNITS, _RELINQUISH_DEFAULT = 121, 70, 117, 104
_STATE_TEXT, _INACTIVE_TEXT, _ACTIVE_TEXT = 110, 46, 4

_NUMBERS: Final = ANALOG | {
    OBJECT_TYPES[name]
    for name in ("accumulator", "pulse-converter", "large-analog-value", "lighting-output", "loop", "averaging")
}
_WHOLE: Final = {OBJECT_TYPES["integer-value"], OBJECT_TYPES["positive-integer-value"]}
_TEXTS: Final = {OBJECT_TYPES["characterstring-value"]}


@dataclass
class _Heard:
    """Who said that he is there; told once, in the order of arrival."""

    devices: dict[int, Address] = field(default_factory=dict[int, Address])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, apdu: Any) -> None:
        instance = int(apdu.iAmDeviceIdentifier[1])
        if len(self.devices) < _MOST_DEVICES and instance not in self.devices:
            self.devices[instance] = apdu.pduSource
            self.news.set()


@dataclass(frozen=True)
class _Target:
    """to: the one device that is asked, None for all of a subnet."""

    to: Station | None
    subnet: IPv4Network | None


async def scan(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    """As controller.core.discovery.Discover. options: port, range, bbmd, wait."""
    place = _parse_target(target)
    low, high = _parse_range(options["range"])
    wait = _parse_wait(options["wait"])
    connection = _connection(place, options)
    client = Client("scan", connection)
    heard = _Heard()
    client.heard_device = heard
    await client.open()
    try:
        async with aclosing(_devices(client, heard, place, (low, high), wait)) as devices:
            names: set[str] = set()
            async for instance, address in devices:
                # A device behind a named router is reached by that name, where no router could be looked for.
                where = target if place.to is not None and place.to.network is not None else place_of(address)
                async with aclosing(_device(client, connection, (instance, where), address, names)) as found:
                    async for each in found:
                        yield each
        if not heard.devices:
            yield NoAnswer(target, f"no device answers within {wait.total_seconds():g} s")
    finally:
        client.close()


# --- what was asked for -----------------------------------------------------------------------------------------------


def _parse_target(target: str) -> _Target:
    if "/" not in target:
        return _Target(parse_station(target), None)
    try:
        return _Target(None, IPv4Network(target, strict=False))
    except ValueError:
        raise ValueError(f"{target!r} is no subnet; give one such as 10.0.0.0/24, or a device: 10.0.0.20") from None


def _parse_range(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    found = re.fullmatch(r"(\d{1,7})-(\d{1,7})", text, re.ASCII)
    if found is None or not int(found[1]) <= int(found[2]) <= LAST_INSTANCE:
        raise ValueError(f"range {text!r} is none; give two device numbers such as 1000-1999 (0 to {LAST_INSTANCE})")
    return int(found[1]), int(found[2])


def _parse_wait(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,2}(?:\.\d{1,3})?)s?", text, re.ASCII)
    if found is None or not 0 < float(found[1]) <= 60:
        raise ValueError(f"wait {text!r} is no time; give seconds, more than 0 and at most 60")
    return timedelta(seconds=float(found[1]))


def _connection(place: _Target, options: Mapping[str, str]) -> BacnetConnection:
    """The socket to ask from: of the interface through which the target is reached."""
    port = options["port"]
    if not (port.isascii() and port.isdecimal()):
        raise ValueError(f"port {port!r} is no number; give 1 to 65535 (BACnet/IP: {PORT}), or 0 for any free one")
    host = _own_host(place)
    prefix = 32 if place.subnet is None else place.subnet.prefixlen
    return BacnetConnection(f"{host}/{prefix}", int(port), bbmd=options["bbmd"], timeout=_parse_wait(options["wait"]))


def _own_host(place: _Target) -> str:
    """Our address on the way to the target; asking the kernel for it sends nothing."""
    to = str(place.subnet.network_address + 1) if place.subnet is not None else place.to.host if place.to else ""
    if not to:
        raise ValueError(
            "a device behind a router is reached by that router; give 'net:mac@router', as in 5:12@10.0.0.2"
        )
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((to, PORT))
            return str(probe.getsockname()[0])
    except OSError as error:
        raise ConnectFailed("scan", "connect", error.strerror or str(error)) from error


# --- who is there -----------------------------------------------------------------------------------------------------


async def _devices(
    client: Client, heard: _Heard, place: _Target, limits: tuple[int | None, int | None], wait: timedelta
) -> AsyncGenerator[tuple[int, Address]]:
    """Each device once, as it answers; asked twice, since datagrams are lost."""
    to = None if place.to is None else address_of(place.to)
    if place.to is not None:
        await client.know_route(place.to)
    told: set[int] = set()
    for _ in range(2):
        heard.news.clear()
        await client.who_is(*limits, to)
        async with aclosing(_new(heard, told, wait / 2)) as new:
            async for each in new:
                yield each
                if to is not None:
                    return
    if to is not None and limits == (None, None):
        # It may have said so to everybody, where we do not hear it.
        instance = await _instance_of(client, to)
        if instance is not None and instance not in told:
            heard.devices[instance] = to
            yield instance, to


async def _new(heard: _Heard, told: set[int], wait: timedelta) -> AsyncGenerator[tuple[int, Address]]:
    deadline = asyncio.get_running_loop().time() + wait.total_seconds()
    while True:
        for instance, address in [*heard.devices.items()]:
            if instance not in told:
                told.add(instance)
                yield instance, address
        try:
            async with asyncio.timeout_at(deadline):
                await heard.news.wait()
        except TimeoutError:
            return
        heard.news.clear()


async def _instance_of(client: Client, to: Address) -> int | None:
    device = _remote(client, to)
    reference = Reference(ObjectId(DEVICE, ANY_INSTANCE), _OBJECT_IDENTIFIER)
    answers: dict[Reference, Answer] = {}
    try:
        await device.read_each([reference], answers)
    except DeviceError:
        return None
    match answers.get(reference):
        case (raw,) if isinstance(raw.value, ObjectId):
            return raw.value.instance
        case _:
            return None


def _remote(client: Client, to: Address) -> RemoteDevice:
    device = RemoteDevice(None, None, client, asyncio.get_running_loop().time)
    device.address = to
    return device


# --- one device -------------------------------------------------------------------------------------------------------


async def _device(
    client: Client, connection: BacnetConnection, said: tuple[int, str], address: Address, taken: set[str]
) -> AsyncGenerator[Found]:
    """`said`: its number, and how devices.yaml says where it is."""
    device = _remote(client, address)
    instance, where = said
    own = ObjectId(DEVICE, instance)
    answers: dict[Reference, Answer] = {}
    try:
        await device.read(tuple(Reference(own, each) for each in (_OBJECT_NAME, _VENDOR_NAME, _MODEL_NAME)), answers)
        name, vendor, model = (
            _text(answers, Reference(own, each)) for each in (_OBJECT_NAME, _VENDOR_NAME, _MODEL_NAME)
        )
        id = _unique(_snake(name) or f"device_{instance}", taken)
        title = ", ".join(each for each in (f"{vendor} {model}".strip(), name) if each) or f"device {instance}"
        yield FoundDevice(id, _link(connection), {"device": where}, title)
        objects = await _object_list(device, own)
    except DeviceError as error:
        yield NoAnswer(f"device {instance} at {where}", error.cause)
        return
    names: set[str] = set()
    for start in range(0, len(objects), _OBJECTS_AT_ONCE):
        some = objects[start : start + _OBJECTS_AT_ONCE]
        try:
            points = await _points(device, id, some, names)
        except DeviceError as error:
            yield NoAnswer(f"{id}: {some[0]} and what comes after it", error.cause)
            return
        for point in points:
            yield point


def _link(connection: BacnetConnection) -> Mapping[str, JsonValue]:
    said: dict[str, JsonValue] = {"interface": connection.interface}
    if connection.port != PORT:
        said["port"] = connection.port
    if connection.bbmd:
        said["bbmd"] = connection.bbmd
    return said


async def _object_list(device: RemoteDevice, own: ObjectId) -> Sequence[ObjectId]:
    """Read whole, else element by element: a long list does not fit into the answers of small devices."""
    whole = Reference(own, _OBJECT_LIST)
    answers: dict[Reference, Answer] = {}
    await device.read_each([whole], answers)
    answer = answers[whole]
    if isinstance(answer, Refusal):
        count = Reference(own, _OBJECT_LIST, 0)
        await device.read_each([count], answers)
        total = min(int(_number(answers, count) or 0), _MOST_OBJECTS)
        places = tuple(Reference(own, _OBJECT_LIST, element) for element in range(1, total + 1))
        await device.read(places, answers)
        answer = tuple(raw for place in places for raw in _values(answers, place))
    listed = dict.fromkeys(raw.value for raw in answer if isinstance(raw.value, ObjectId))
    return [object for object in listed if object.type in _READABLE][:_MOST_OBJECTS]


_READABLE: Final = _NUMBERS | _WHOLE | _TEXTS | BINARY | MULTI_STATE


async def _points(device: RemoteDevice, id: str, objects: Sequence[ObjectId], taken: set[str]) -> Iterable[FoundPoint]:
    answers: dict[Reference, Answer] = {}
    await device.read(tuple(reference for object in objects for reference in _described(object)), answers)
    return [_point(id, object, answers, taken) for object in objects]


def _described(object: ObjectId) -> Iterable[Reference]:
    properties = [_OBJECT_NAME, PRESENT_VALUE]
    if object.type in MULTI_STATE:
        properties.append(_STATE_TEXT)
    elif object.type in BINARY:
        properties += [_INACTIVE_TEXT, _ACTIVE_TEXT]
    elif object.type not in _TEXTS:
        properties.append(_UNITS)
    if object.type not in INPUTS:
        properties.append(_RELINQUISH_DEFAULT)
    return [Reference(object, each) for each in properties]


def _point(id: str, object: ObjectId, answers: Mapping[Reference, Answer], taken: set[str]) -> FoundPoint:
    title = _text(answers, Reference(object, _OBJECT_NAME))
    kind_name = TYPE_NAMES[object.type].replace("-", "_")
    name = _unique(_snake(title) or f"{kind_name}_{object.instance}", taken)
    states = _states(object, answers)
    type = _type(object, states)
    unit = unit_of(int(_number(answers, Reference(object, _UNITS)) or -1)) if type is ValueType.NUMBER else NO_UNIT
    address: dict[str, JsonValue] = {"object": str(object)}
    if type is ValueType.TEXT and states:
        address["states"] = list(states)
    commandable = bool(_values(answers, Reference(object, _RELINQUISH_DEFAULT)))
    value = _shown(object, answers, states)
    return FoundPoint(id, name, _kind(object, commandable), type, unit, address, title, value, states)


def _type(object: ObjectId, states: tuple[str, ...]) -> ValueType:
    if object.type in BINARY:
        return ValueType.BOOLEAN
    if object.type in _TEXTS:
        return ValueType.TEXT
    if object.type in MULTI_STATE:
        return ValueType.TEXT if states and len(set(states)) == len(states) else ValueType.INTEGER
    return ValueType.INTEGER if object.type in _WHOLE else ValueType.NUMBER


def _kind(object: ObjectId, commandable: bool) -> PointKind:
    switches = object.type in BINARY or object.type in MULTI_STATE
    if commandable:
        return PointKind.COMMAND if switches else PointKind.SETPOINT
    return PointKind.STATUS if switches else PointKind.SENSOR


def _states(object: ObjectId, answers: Mapping[Reference, Answer]) -> tuple[str, ...]:
    if object.type in MULTI_STATE:
        return tuple(str(raw.value) for raw in _values(answers, Reference(object, _STATE_TEXT)))
    if object.type in BINARY:
        texts = tuple(_text(answers, Reference(object, each)) for each in (_INACTIVE_TEXT, _ACTIVE_TEXT))
        return texts if all(texts) else ()
    return ()


def _shown(object: ObjectId, answers: Mapping[Reference, Answer], states: tuple[str, ...]) -> str:
    answer = answers.get(Reference(object, PRESENT_VALUE))
    if answer is None or isinstance(answer, Refusal):
        return "" if answer is None else answer.reason
    if len(answer) != 1:
        return ""
    value = answer[0].value
    if isinstance(value, int) and states:
        place = value - (1 if object.type in MULTI_STATE else 0)
        return states[place] if 0 <= place < len(states) else str(value)
    if object.type in BINARY:
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- answers ----------------------------------------------------------------------------------------------------------


def _values(answers: Mapping[Reference, Answer], reference: Reference) -> tuple[Any, ...]:
    answer = answers.get(reference)
    return () if answer is None or isinstance(answer, Refusal) else answer


def _text(answers: Mapping[Reference, Answer], reference: Reference) -> str:
    """A name without control characters, so that it can be shown and written to a file."""
    for raw in _values(answers, reference):
        if raw.kind is Kind.TEXT:
            return "".join(each for each in str(raw.value) if each.isprintable())[:200].strip()
    return ""


def _number(answers: Mapping[Reference, Answer], reference: Reference) -> int | None:
    for raw in _values(answers, reference):
        if raw.kind in {Kind.UNSIGNED, Kind.ENUMERATED}:
            return int(raw.value)
    return None


# --- names ------------------------------------------------------------------------------------------------------------


def place_of(address: Address) -> str:
    """As devices.yaml says where a device is."""
    mac = bytes(address.addrAddr or b"")
    if address.addrNet is not None:
        return f"{address.addrNet}:{mac[0] if len(mac) == 1 else '0x' + mac.hex()}"
    port = int.from_bytes(mac[4:], "big")
    return socket.inet_ntoa(mac[:4]) + ("" if port == PORT else f":{port}")


def _snake(text: str) -> str:
    """ "AHU-1 Supply Temp" as ahu_1_supply_temp; empty where too little of it is left."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text)
    words = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:_LONGEST_NAME].strip("_")
    return words if re.fullmatch(r"[a-z][a-z0-9_]+", words) and text.isascii() else ""


def _unique(name: str, taken: set[str]) -> str:
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    taken.add(unique)
    return unique
