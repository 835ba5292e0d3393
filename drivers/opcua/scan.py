"""What a server is and has: its endpoints with their security, then every variable below its Objects folder."""

# The library's generated structures name their types in a way that pyright cannot follow.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import DeviceError
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from drivers.opcua.address import OpcuaConnection, Security, parsed_node
from drivers.opcua.certificates import make_identity
from drivers.opcua.client import Session, offered_endpoints
from drivers.opcua.codec import INTEGERS, node_id, quality_of, status_name
from drivers.opcua.errors import Garbled, Refused
from drivers.opcua.requests import (
    HAS_PROPERTY,
    HIERARCHICAL,
    attribute,
    browsing,
    declared_type,
    held,
    limit_in,
    read_each,
    standard,
    texts_in,
    value_of,
)
from drivers.opcua.units import NO_UNIT, unit_of

# More is no plant but a fault or an attack; what is cut off is told.
_MOST_NODES: Final = 20_000
_MOST_VARIABLES: Final = 5_000
_DEEPEST: Final = 12
_MOST_PAGES: Final = 100
# Nodes that are looked at together, so that results come while the rest is asked for.
_AT_ONCE: Final = 10
_LONGEST_NAME: Final = 60
_LONGEST_VALUE: Final = 60
_LONGEST_TITLE: Final = 200

_OBJECTS: Final = 85
_NAMESPACES: Final = 2255
_MOST_PER_READ: Final = 11705

_NUMBERS: Final = INTEGERS | {ua.VariantType.Float, ua.VariantType.Double}
_TEXTS: Final = frozenset({ua.VariantType.String, ua.VariantType.LocalizedText})
_CAN_WRITE: Final = 2  # bit 1 of an access level, OPC UA Part 3, 8.57
_SECURITY: Final[Mapping[ua.MessageSecurityMode, Security]] = {
    ua.MessageSecurityMode.None_: "none",
    ua.MessageSecurityMode.Sign: "sign",
    ua.MessageSecurityMode.SignAndEncrypt: "sign_and_encrypt",
}


class _MachineClock:
    """A scan is started by hand, outside any daemon: no clock is injected."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251

    def wire_time(self) -> float:
        return asyncio.get_running_loop().time()


class _Place(NamedTuple):
    """A node on the way down. device: the id of the top-level object above it; names: from there, as they are shown."""

    node: ua.NodeId
    device: str
    names: tuple[str, ...]


@dataclass
class _Server:
    """What was asked for and what is known of the server; `told` are the ids of devices that were told."""

    session: Session
    connection: Mapping[str, JsonValue]
    title: str
    namespaces: Sequence[str] = ()
    most: int = 1
    told: set[str] = field(default_factory=set[str])
    titles: dict[str, str] = field(default_factory=dict[str, str])
    names: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    variables: int = 0


async def scan(target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
    """As controller.core.discovery.Discover. The options are those of drivers.opcua.SCAN."""
    wished = _wished(target, options)
    endpoints = await offered_endpoints("scan", wished)
    said = _said(wished, options)
    title = _server_title(endpoints)
    session = Session("scan", wished, _MachineClock())
    try:
        await session.open()
    except DeviceError as error:
        yield FoundDevice("server", said, {}, title)
        yield NoAnswer("its nodes", error.cause)
        return
    try:
        server = _Server(session, said, title)
        start = await _learn(server, options["from"])
        async for found in _walk(server, start):
            yield found
    except DeviceError as error:
        yield NoAnswer("the rest", error.cause)
    finally:
        await session.close()


# --- what was asked for -----------------------------------------------------------------------------------------------


def _wished(target: str, options: Mapping[str, str]) -> OpcuaConnection:
    """Raises ValueError, saying what would be right."""
    url = target if "://" in target else f"opc.tcp://{target}"
    if re.fullmatch(r"opc\.tcp://[^/:]+(/.*)?", url):
        host, slash, path = url.removeprefix("opc.tcp://").partition("/")
        url = f"opc.tcp://{host}:4840{slash}{path}"
    if options["from"] and isinstance(problem := parsed_node(options["from"]), str):
        raise ValueError(problem)
    security = options["security"]
    if security and security not in _SECURITY.values():
        raise ValueError(f"security {security!r} is none; give {', '.join(_SECURITY.values())}")
    _make_missing_identity(options["certificate"], options["private-key"])
    return OpcuaConnection(
        url,
        timeout=timedelta(seconds=4),
        security=cast("Security", security) or None,
        certificate=_text_of(options["certificate"]),
        private_key=_text_of(options["private-key"]),
        trusted=str(Path(options["trusted"]).resolve()) if options["trusted"] else "",
        user=options["user"],
        password=_text_of(options["password-file"]),
    )


def _make_missing_identity(certificate: str, key: str) -> None:
    """Our own certificate is made where neither it nor its key is there yet."""
    if not certificate or not key or Path(certificate).exists() or Path(key).exists():
        return
    try:
        make_identity(Path(certificate), Path(key), socket.gethostname(), _MachineClock().now())
    except OSError as error:
        raise ValueError(f"{certificate} cannot be made ({error.strerror}); name files in a folder of yours") from error


def _text_of(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read ({error}); give a text file") from error


def _said(connection: OpcuaConnection, options: Mapping[str, str]) -> Mapping[str, JsonValue]:
    """What devices.yaml says of the link; certificates, keys and passwords stay in their files."""
    said: dict[str, JsonValue] = {"url": connection.url}
    if connection.channel != "none":
        said |= {"security": connection.channel, "trusted": connection.trusted}
    if connection.user:
        said["user"] = connection.user
    for word in ("certificate", "private-key", "password-file"):
        if options[word]:
            said[word.removesuffix("-file").replace("-", "_")] = {"!file": str(Path(options[word]).resolve())}
    return said


def _server_title(endpoints: Sequence[ua.EndpointDescription]) -> str:
    """Its name and what its endpoints offer: "PLC 7: none; sign with Basic256Sha256"."""
    if not endpoints:
        return "no endpoints"
    modes: dict[str, list[str]] = {}
    for endpoint in endpoints:
        policy = (endpoint.SecurityPolicyUri or "").rpartition("#")[2]
        modes.setdefault(_SECURITY.get(endpoint.SecurityMode, "unknown"), []).append(policy)
    offers = [
        mode if mode == "none" else f"{mode} with {', '.join(dict.fromkeys(policies))}"
        for mode, policies in modes.items()
    ]
    name = endpoints[0].Server.ApplicationName.Text or endpoints[0].Server.ApplicationUri or "OPC UA server"
    return f"{name[:_LONGEST_NAME]}: {'; '.join(offers)}"


# --- the way down -----------------------------------------------------------------------------------------------------


async def _learn(server: _Server, start: str) -> ua.NodeId:
    """The server's namespaces and limits; the node to start from."""
    asked = [value_of(standard(number)) for number in (_NAMESPACES, _MOST_PER_READ)]
    namespaces, most = await read_each(server.session, asked, 1)
    server.namespaces, server.most = texts_in(namespaces), limit_in(most)
    name = parsed_node(start) if start else None
    if name is None or isinstance(name, str):
        return standard(_OBJECTS)
    node = node_id(name, server.namespaces)
    if node is None:
        raise ValueError(f"the server has no namespace {name.uri}; it has {', '.join(server.namespaces[1:])}")
    return node


async def _walk(server: _Server, start: ua.NodeId) -> AsyncGenerator[Found]:
    """Breadth first, every node once, however often and in whatever circles it is referred to."""
    waiting = deque([_Place(start, "", ())])
    seen = {_key(start)}
    while waiting:
        places = [waiting.popleft() for _ in range(min(_AT_ONCE, len(waiting)))]
        variables: list[_Place] = []
        for place in places:
            try:
                children = await _children(server.session, place.node)
            except (Refused, Garbled) as error:
                yield NoAnswer(_path(server, place), str(error))
                continue
            for reference in children:
                below = _below(server, place, reference)
                if below is None or _key(below.node) in seen or len(below.names) > _DEEPEST:
                    continue
                seen.add(_key(below.node))
                waiting.append(below)
                if reference.NodeClass == ua.NodeClass.Variable:
                    variables.append(below)
        async for found in _points(server, variables):
            yield found
        if len(seen) > _MOST_NODES or server.variables >= _MOST_VARIABLES:
            yield NoAnswer("the rest", f"more than {len(seen)} nodes; start further down with --from")
            return


def _path(server: _Server, place: _Place) -> str:
    above = server.titles.get(place.device)
    return "/".join((above, *place.names) if above else place.names) or "Objects"


def _below(server: _Server, place: _Place, reference: ua.ReferenceDescription) -> _Place | None:
    """The child as a place; None for what is no value of the plant: properties, methods, the server's own nodes."""
    node: Any = reference.NodeId
    is_kept = reference.NodeClass in (ua.NodeClass.Object, ua.NodeClass.Variable)
    if not is_kept or _is_property(reference) or node.NamespaceIndex == 0 or getattr(node, "ServerIndex", None):
        return None
    shown = reference.BrowseName.Name or reference.DisplayName.Text or "node"
    if place.device:
        return _Place(_plain(node), place.device, (*place.names, shown))
    if reference.NodeClass == ua.NodeClass.Variable:
        return _Place(_plain(node), "server", (shown,))
    device = _unused(snake_case(shown), server.titles)
    server.titles[device] = shown[:_LONGEST_NAME]
    return _Place(_plain(node), device, ())


async def _children(session: Session, node: ua.NodeId) -> Sequence[ua.ReferenceDescription]:
    """All that it refers to, page by page. Raises Refused, Garbled, DeviceError."""
    (page,) = await session.browse(ua.BrowseParameters(NodesToBrowse=[browsing(node, HIERARCHICAL)]))
    if page.StatusCode is not None and quality_of(page.StatusCode.value):
        raise Refused(status_name(page.StatusCode.value))
    children = list(page.References or ())
    for _ in range(_MOST_PAGES):
        if not page.ContinuationPoint:
            break
        wish: Any = {"ReleaseContinuationPoints": False, "ContinuationPoints": [page.ContinuationPoint]}
        (page,) = await session.browse_next(ua.BrowseNextParameters(**wish))
        children += page.References or ()
    return children


def _is_property(reference: ua.ReferenceDescription) -> bool:
    type = reference.ReferenceTypeId
    return type.NamespaceIndex == 0 and type.Identifier == HAS_PROPERTY


def _plain(node: Any) -> ua.NodeId:
    return ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)


def _key(node: ua.NodeId) -> tuple[object, object]:
    return node.NamespaceIndex, node.Identifier


# --- variables --------------------------------------------------------------------------------------------------------


class _Look(NamedTuple):
    """What a variable says of itself."""

    value: ua.DataValue
    type: ua.VariantType | None
    writable: bool
    unit: str
    shown_unit: str
    states: tuple[str, ...]


async def _points(server: _Server, places: Sequence[_Place]) -> AsyncGenerator[Found]:
    """Those that hold one number, switch or text, each after its device."""
    for place in places:
        look = await _look(server, place.node)
        found = _point(server, place, look)
        if found is None:
            continue
        if place.device not in server.told:
            server.told.add(place.device)
            shown = server.titles.get(place.device)
            title = f"{shown} on {server.title}" if shown else server.title
            yield FoundDevice(place.device, server.connection, {}, title)
        server.variables += 1
        yield found


async def _look(server: _Server, node: ua.NodeId) -> _Look:
    session = server.session
    asked = [value_of(node), attribute(node, AttributeIds.DataType), attribute(node, AttributeIds.UserAccessLevel)]
    value, declared, access = await read_each(session, asked, server.most)
    try:
        type = _type_of(value) or await declared_type(session, declared)
        properties = [each for each in await _children(session, node) if _is_property(each)]
    except (Refused, Garbled):
        type, properties = _type_of(value), []
    named = {str(each.BrowseName.Name): _plain(each.NodeId) for each in properties}
    wanted = [named[name] for name in ("EngineeringUnits", "EnumStrings", "TrueState", "FalseState") if name in named]
    answers = await read_each(session, [value_of(each) for each in wanted], server.most)
    held_by = {_key(each): answer for each, answer in zip(wanted, answers, strict=True)}
    said = {name: held_by[_key(each)] for name, each in named.items() if _key(each) in held_by}
    unit, shown_unit = _unit(said.get("EngineeringUnits"))
    level = held(access)
    return _Look(value, type, isinstance(level, int) and bool(level & _CAN_WRITE), unit, shown_unit, _states(said))


def _type_of(data: ua.DataValue) -> ua.VariantType | None:
    variant = data.Value
    if variant is None or variant.is_array or variant.VariantType is ua.VariantType.Null:
        return None
    return variant.VariantType


def _unit(data: ua.DataValue | None) -> tuple[str, str]:
    """The unit as templates know it and as the server shows it."""
    information = None if data is None else held(data)
    if not isinstance(information, ua.EUInformation):
        return NO_UNIT, ""
    shown = information.DisplayName.Text or ""
    return unit_of(information.UnitId, shown), shown[:20]


def _states(said: Mapping[str, ua.DataValue]) -> tuple[str, ...]:
    """Of a MultiStateDiscrete or TwoStateDiscrete item (OPC UA Part 8, 5.3.3)."""
    if "EnumStrings" in said:
        return tuple(texts_in(said["EnumStrings"]))
    both = [held(said[name]) for name in ("FalseState", "TrueState") if name in said]
    texts = tuple(each.Text or "" for each in both if isinstance(each, ua.LocalizedText))
    return texts if len(texts) == 2 and all(texts) else ()


def _point(server: _Server, place: _Place, look: _Look) -> FoundPoint | None:
    type = _value_type(look)
    if type is None or (look.value.Value is not None and look.value.Value.is_array):
        return None
    address: dict[str, JsonValue] = {"node": _node_text(place.node, server.namespaces)}
    states = look.states if type is ValueType.TEXT else ()
    if states and look.type not in _TEXTS:
        address["states"] = [*states]
    name = _unused_name(server, place)
    title = "/".join(place.names)[-_LONGEST_TITLE:] + (f" [{look.shown_unit}]" if look.shown_unit else "")
    unit = look.unit if type in (ValueType.NUMBER, ValueType.INTEGER) else NO_UNIT
    shown = _shown(look)
    return FoundPoint(
        place.device,
        name,
        _kind(type, writable=look.writable),
        type,
        unit,
        address,
        title,
        shown,
        tuple(filter(None, states)),
    )


def _value_type(look: _Look) -> ValueType | None:
    """None for what is no value of a point: times, structures, bytes."""
    if look.type is ua.VariantType.Boolean:
        return ValueType.BOOLEAN
    if look.states and look.type in INTEGERS:
        return ValueType.TEXT
    if look.type in INTEGERS:
        return ValueType.INTEGER
    if look.type in _NUMBERS:
        return ValueType.NUMBER
    return ValueType.TEXT if look.type in _TEXTS else None


def _kind(type: ValueType, *, writable: bool) -> PointKind:
    if type is ValueType.BOOLEAN:
        return PointKind.COMMAND if writable else PointKind.STATUS
    return PointKind.SETPOINT if writable else PointKind.SENSOR


def _shown(look: _Look) -> str:
    status = 0 if look.value.StatusCode is None else look.value.StatusCode.value
    if quality_of(status):
        return status_name(status)
    raw = held(look.value)
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < len(look.states):
        return look.states[raw]
    text = raw.Text or "" if isinstance(raw, ua.LocalizedText) else f"{raw:g}" if isinstance(raw, float) else str(raw)
    return text[:_LONGEST_VALUE]


def _node_text(node: ua.NodeId, namespaces: Sequence[str]) -> str:
    """By the namespace's URI: its number may be another after the next start of the server (OPC UA Part 3, 8.2.2)."""
    text = node.to_string()
    index = node.NamespaceIndex
    uri = namespaces[index] if 0 < index < len(namespaces) else ""
    return text.replace(f"ns={index};", f"nsu={uri};", 1) if uri and ";" not in uri else text


# --- names ------------------------------------------------------------------------------------------------------------


def snake_case(shown: str) -> str:
    """A name of ours for what a device shows: SupplyTemp -> supply_temp, "12 kW" -> n_12_k_w."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", shown)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:_LONGEST_NAME].strip("_")
    return name if name[:1].isalpha() else f"n_{name}".strip("_")


def _unused(name: str, taken: Iterable[str]) -> str:
    known = {*taken, "server"}
    number = 1
    while (tried := name if number == 1 else f"{name}_{number}") in known:
        number += 1
    return tried


def _unused_name(server: _Server, place: _Place) -> str:
    name = "_".join(map(snake_case, place.names))[-_LONGEST_NAME:].lstrip("_0123456789") or "value"
    name = _unused(name, [other for device, other in server.names if device == place.device])
    server.names.add((place.device, name))
    return name
