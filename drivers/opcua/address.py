"""Where a value lives in an OPC UA server, and how the server is reached."""

from __future__ import annotations

import base64
import binascii
import math
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import PurePath
from typing import ClassVar, Final, Literal, NamedTuple, Self, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from controller.core.units import Linear

Security: TypeAlias = Literal["none", "sign", "sign_and_encrypt"]
Policy: TypeAlias = Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"]

LAST_NAMESPACE: Final = 65535
LAST_NUMBER: Final = 2**32 - 1
# OPC UA Part 3, 8.2.4: the longest string identifier.
_LONGEST_NODE: Final = 4096

# How PEM begins (RFC 7468).
_PEM: Final = "-----BEGIN "

# The text form of a node id, OPC UA Part 6, 5.3.1.10.
_NODE: Final = re.compile(
    r"(?:ns=(?P<space>[0-9]{1,6});|nsu=(?P<uri>[^;]+);)?(?P<kind>[isgb])=(?P<identifier>.+)", re.DOTALL
)


class NodeName(NamedTuple):
    """A node id in text, taken apart. space: the namespace's index; where there is a uri instead, only the server knows
    it. kind: i (number), s (text), g (GUID) or b (bytes, in base64)."""

    space: int
    uri: str
    kind: str
    identifier: str


def parsed_node(text: str) -> NodeName | str:
    """The node's name, or why it is none."""
    found = _NODE.fullmatch(text) if len(text) <= _LONGEST_NODE else None
    if found is None:
        return f"node {text[:80]!r} is no node id; write it as ns=2;s=Chiller1.SupplyTemp, ns=2;i=1001 or nsu=URI;s=..."
    name = NodeName(int(found["space"] or 0), found["uri"] or "", found["kind"], found["identifier"])
    if name.space > LAST_NAMESPACE:
        return f"namespace {name.space} does not exist; give 0 to {LAST_NAMESPACE}"
    return _identifier_problem(name.kind, name.identifier) or name


def _identifier_problem(kind: str, identifier: str) -> str:
    try:
        match kind:
            case "i":
                if not identifier.isascii() or not identifier.isdecimal() or int(identifier) > LAST_NUMBER:
                    return f"i={identifier[:80]} is no number of a node; give 0 to {LAST_NUMBER}, or s= for a text"
            case "g":
                UUID(identifier)
            case "b":
                base64.b64decode(identifier, validate=True)
            case _:
                pass
    except (ValueError, binascii.Error):
        form = "a GUID such as 09087e75-8e5e-499b-954f-f2a9603db28a" if kind == "g" else "bytes in base64"
        return f"{kind}={identifier[:80]} cannot be read; give {form}"
    return ""


@dataclass(frozen=True, slots=True)
class OpcuaAddress:
    """value = raw * scale + offset.

    node: the node id of a variable; prefix: what comes before it, said once for a device that is one of many alike.
    subscribe: whether the server is asked to tell changes; without, the value is asked for in every poll.
    states: the texts of an enumeration's 0, 1, 2 ...; an empty one where a number has no meaning.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    node: str
    prefix: str = ""
    scale: float = 1.0
    offset: float = 0.0
    subscribe: bool = True
    states: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problem = (
            self._node_problem()
            or _scaling_problem(self.scale, self.offset, bool(self.states))
            or _states_problem(self.states)
        )
        if problem:
            raise ValueError(problem)

    def _node_problem(self) -> str:
        if self.prefix and not isinstance(parsed_node(self.node), str):
            return f"node {self.node[:80]!r} is whole by itself; leave out the prefix, or give only what follows it"
        name = parsed_node(self.prefix + self.node)
        return name if isinstance(name, str) else ""

    @property
    def name(self) -> NodeName:
        name = parsed_node(self.prefix + self.node)
        assert isinstance(name, NodeName)
        return name

    @property
    def can_write(self) -> bool:
        return True

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two addresses that are the same place on one server."""
        return self.name

    def converted(self, conversion: Linear) -> Self:
        """The same place, its values turned into the inside unit."""
        factor, offset = conversion
        if factor == 1.0 and offset == 0.0:
            return self
        return replace(self, scale=self.scale * factor, offset=self.offset * factor + offset)


@dataclass(frozen=True, slots=True)
class OpcuaConnection:
    """One session with one server.

    timeout: what the server may take to answer one request. publish_every: how often it tells what changed.
    security, policy: how the channel is protected; left out, it is encrypted where there is a certificate.
    certificate, private_key: our own, as PEM text. application_uri: left out, the one that the certificate names.
    server_certificate: PEM text with the server's certificate, or the authority's that issued it; trusted: a folder
    with such files. user, password: left out, the session is anonymous. plain_password: the word that it takes to send
    a password over a channel that does not encrypt it.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    url: str
    timeout: timedelta = timedelta(seconds=4)
    publish_every: timedelta = timedelta(seconds=1)
    security: Security | None = None
    policy: Policy = "Basic256Sha256"
    certificate: str = ""
    private_key: str = field(default="", repr=False)
    server_certificate: str = ""
    trusted: str = ""
    application_uri: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    plain_password: bool = False

    def __post_init__(self) -> None:
        problem = (
            _url_problem(self.url)
            or _duration_problem("timeout", self.timeout, timedelta(seconds=60))
            or _duration_problem("publish_every", self.publish_every, timedelta(seconds=10))
            or self._pem_problem()
            or self._certificate_problem()
            or self._user_problem()
        )
        if problem:
            raise ValueError(problem)

    @property
    def channel(self) -> Security:
        return self.security or ("sign_and_encrypt" if self.certificate else "none")

    def _pem_problem(self) -> str:
        texts = {name: getattr(self, name) for name in ("certificate", "private_key", "server_certificate")}
        for name, text in texts.items():
            if text and _PEM not in text:
                return f"{name} is no PEM text; name its file by reference: !file opcua/{name}.pem"
        return ""

    def _certificate_problem(self) -> str:
        if bool(self.certificate) != bool(self.private_key):
            present, missing = ("certificate", "private_key") if self.certificate else ("private_key", "certificate")
            return f"a {present} alone protects nothing; give the {missing} that belongs to it"
        if self.channel == "none":
            if not self.certificate and not self.server_certificate and not self.trusted:
                return ""
            return "security none uses no certificate; leave the certificates out, or say sign_and_encrypt"
        if not self.certificate:
            return f"security {self.channel} needs our own certificate; give certificate and private_key, see the docs"
        if not self.server_certificate and not self.trusted:
            return "nothing says which server is the right one; give server_certificate, or a folder as trusted"
        if self.trusted and not PurePath(self.trusted).is_absolute():
            return f"trusted {self.trusted!r} depends on where the daemon starts; give the folder's whole path from /"
        return ""

    def _user_problem(self) -> str:
        if self.password and not self.user:
            return "a password without a user opens nothing; give the user too"
        if self.password and self.channel == "none" and not self.plain_password:
            return (
                "the password would be sent over an unprotected channel; give a certificate and private_key, or say "
                "plain_password: true if everybody on this network may know it"
            )
        return ""


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return f"url {url[:80]!r} cannot be read; write it as opc.tcp://10.0.0.9:4840/path"
    if parts.scheme != "opc.tcp" or not host:
        return f"url {url[:80]!r} is no OPC UA address; write it as opc.tcp://10.0.0.9:4840/path"
    if parts.username is not None or parts.password is not None:
        return "the url has a user in it; give user and password by themselves"
    if port is None:
        return f"url {url[:80]!r} names no port; OPC UA's own is 4840: opc.tcp://{host}:4840"
    return ""


def _duration_problem(what: str, duration: timedelta, longest: timedelta) -> str:
    if timedelta(milliseconds=10) <= duration <= longest:
        return ""
    return (
        f"{what} {duration.total_seconds():g} s is out of range; give at least 0.01s and at most "
        f"{longest.total_seconds():g}s"
    )


def _scaling_problem(scale: float, offset: float, has_states: bool) -> str:
    if not math.isfinite(scale) or scale == 0.0:
        return f"scale {scale} makes every value the same or none; give a finite number other than 0"
    if not math.isfinite(offset):
        return f"offset {offset} is no number; give a finite number"
    if has_states and (scale != 1.0 or offset != 0.0):
        return "a value with states has neither scale, offset nor unit; leave them out"
    return ""


def _states_problem(states: tuple[str, ...]) -> str:
    named = [state for state in states if state]
    for state in named:
        if named.count(state) > 1:
            return f"two numbers are called {state!r}; give each its own text"
    return ""
