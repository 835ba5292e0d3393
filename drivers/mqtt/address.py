"""Where a value lives behind an MQTT broker: the topic that tells it, the place in its message, what sets it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import PurePath
from typing import ClassVar, Final, Literal, Self, TypeAlias

from controller.core.sample import Scalar
from controller.core.units import Linear
from drivers.mqtt.path import parse_path

Qos: TypeAlias = Literal[0, 1, 2]

BASE: Final = "{topic}"
PLACEHOLDER: Final = "{value}"

# A topic is a UTF-8 string with a length of two bytes (MQTT 5.0, 1.5.4).
_LONGEST_TOPIC: Final = 65535


@dataclass(frozen=True, slots=True)
class Availability:
    """A topic that says whether a device is there, usually a last will. path: into the message, where it is JSON."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    topic: str
    online: str = "online"
    offline: str = "offline"
    path: str = ""

    def __post_init__(self) -> None:
        _raise_first(_topic_problem("topic", self.topic))
        _raise_first(_path_problem("path", self.path))
        if self.online == self.offline:
            raise ValueError(f"online and offline are both {self.online!r}; give the two texts that the device sends")


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """value = raw * scale + offset, where the raw value is a number.

    topic: the device's base topic, said once for the device; it stands for `{topic}` in every topic of the template.
    state_topic, path: the message and the place in it; without a path the whole message is the value.
    values: texts of the wire that stand for values. command_values: the same for commands, if they differ.
    retained: what a message counts for whose age nobody knows. timestamp: path to the message's own time.
    reports: a device that speaks on change only is believed while its availability says that it is there.
    command_payload: what is sent, with the value in place of `{value}`. decimals: of a number that is sent.
    request_topic, request_payload: what makes the device tell its state, asked at most every `request_every`.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    state_topic: str
    topic: str = ""
    path: str = ""
    values: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    scale: float = 1.0
    offset: float = 0.0
    retained: Literal["doubted", "good", "ignored"] = "doubted"
    timestamp: str = ""
    reports: Literal["regularly", "on_change"] = "regularly"
    availability: tuple[Availability, ...] = ()
    qos: Qos = 1
    command_topic: str = ""
    command_payload: str = PLACEHOLDER
    command_values: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    command_qos: Qos = 1
    retain_command: bool = False
    decimals: int | None = None
    request_topic: str = ""
    request_payload: str = ""
    request_every: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        _raise_first(
            _path_problem("path", self.path),
            _path_problem("timestamp", self.timestamp),
            _topic_problem("topic", self.topic or "unsaid"),
            *(_topic_problem(name, topic) for name, topic in self._topics()),
            *(_base_problem(name, topic, self.topic) for name, topic in self._topics()),
            _values_problem(self.values),
            _values_problem(self.command_values),
            _scaling_problem(self.scale, self.offset),
            _command_problem(self),
            _silence_problem(self),
        )

    def _topics(self) -> list[tuple[str, str]]:
        optional = (("command_topic", self.command_topic), ("request_topic", self.request_topic))
        return [
            ("state_topic", self.state_topic),
            *((name, topic) for name, topic in optional if topic),
            *(("availability", each.topic) for each in self.availability),
        ]

    def at(self, topic: str) -> str:
        """A topic of the template as it is on the wire."""
        return topic.replace(BASE, self.topic)

    @property
    def can_write(self) -> bool:
        return bool(self.command_topic)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two addresses that are the same place on one device: what tells it and what sets it."""
        return (self.at(self.state_topic), parse_path(self.path), self.at(self.command_topic), self.command_payload)

    def converted(self, conversion: Linear) -> Self:
        """The same place, its values turned into the inside unit."""
        factor, offset = conversion
        if factor == 1.0 and offset == 0.0:
            return self
        return replace(self, scale=self.scale * factor, offset=self.offset * factor + offset)


# --- the connection ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tls:
    """ca_file: who signed the broker's certificate; the system's list if left out. The broker is always verified."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        for name, path in (
            ("ca_file", self.ca_file),
            ("certificate_file", self.certificate_file),
            ("key_file", self.key_file),
        ):
            if path and not PurePath(path).is_absolute():
                raise ValueError(f"{name} {path!r} begins nowhere; give an absolute path")
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("a certificate goes with its key; give both certificate_file and key_file, or neither")


@dataclass(frozen=True, slots=True)
class Presence:
    """A topic of ours that says whether we are there: retained, and the broker's last word when we vanish."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    topic: str
    online: str = "online"
    offline: str = "offline"

    def __post_init__(self) -> None:
        _raise_first(_topic_problem("topic", self.topic))


@dataclass(frozen=True, slots=True)
class MqttConnection:
    """timeout: what the broker may take to answer, and a device that is asked for its state.

    keepalive: a broker that falls silent is noticed within twice this time. session: how long the broker keeps what
    comes for us while we are away; nothing is kept by default.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    host: str
    port: int | None = None
    tls: Tls | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    protocol: Literal[5, "3.1.1"] = 5
    timeout: timedelta = timedelta(seconds=1)
    keepalive: timedelta = timedelta(seconds=10)
    session: timedelta = timedelta(0)
    presence: Presence | None = None

    def __post_init__(self) -> None:
        if not self.host or self.host != self.host.strip():
            raise ValueError(f"host {self.host!r} is no host name; give a name or an IP address")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError(f"port {self.port} does not exist; give 1 to 65535 (MQTT: 1883, with TLS 8883)")
        if self.password and not self.user:
            raise ValueError("a password needs a user; give user too")
        _raise_first(
            _time_problem("timeout", self.timeout, timedelta(milliseconds=50), timedelta(seconds=60)),
            _time_problem("keepalive", self.keepalive, timedelta(seconds=1), timedelta(minutes=10)),
            _time_problem("session", self.session, timedelta(0), timedelta(days=7)),
        )
        if self.session and not self.client_id:
            raise ValueError("a session is kept by its client_id; give one that no other client of the broker has")

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port or (8883 if self.tls else 1883)


# --- what can be wrong ------------------------------------------------------------------------------------------------


def _raise_first(*problems: str) -> None:
    for problem in problems:
        if problem:
            raise ValueError(problem)


def _topic_problem(name: str, topic: str) -> str:
    if not topic:
        return f"{name} is empty; give the topic, or leave it out where it is optional"
    if "+" in topic or "#" in topic:
        return f"{name} {topic!r} holds a wildcard; name one topic without + and #"
    if not topic.isprintable() or len(topic.encode(errors="replace")) > _LONGEST_TOPIC:
        return f"{name} is no topic; give printable text of at most {_LONGEST_TOPIC} bytes"
    return ""


def _path_problem(name: str, path: str) -> str:
    try:
        parse_path(path)
    except ValueError as error:
        return f"{name} {error}"
    return ""


def _base_problem(name: str, topic: str, base: str) -> str:
    if BASE in topic and not base:
        return f"{name} {topic!r} needs the device's base topic; give topic in the device's address"
    return ""


def _values_problem(values: Mapping[str, Scalar]) -> str:
    for text, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f"{text!r} stands for {value}, which is no value; give a number, true, false or a text"
    return ""


def _scaling_problem(scale: float, offset: float) -> str:
    if not math.isfinite(scale) or scale == 0.0:
        return f"scale {scale} makes every value the same or none; give a finite number other than 0"
    if not math.isfinite(offset):
        return f"offset {offset} is no number; give a finite number"
    return ""


def _command_problem(address: MqttAddress) -> str:
    if address.decimals is not None and not 0 <= address.decimals <= 9:
        return f"decimals {address.decimals} is out of range; give 0 to 9"
    if PLACEHOLDER not in address.command_payload:
        return f"command_payload {address.command_payload!r} sends no value; put {PLACEHOLDER} where it belongs"
    if is_json(address.command_payload) and not (holds_text(address.command_payload) or _holds_number(address)):
        return f"command_payload {address.command_payload!r} is no JSON; mend it, or do not begin it with {{ or ["
    if not address.command_topic and (address.command_values or address.retain_command):
        return "commands need a command_topic; give one, or leave out what is said of commands"
    return ""


def _silence_problem(address: MqttAddress) -> str:
    if address.reports == "on_change" and not address.availability:
        return "reports: on_change leans on availability; name its topic, or leave reports out"
    if not timedelta(0) <= address.request_every <= timedelta(days=1):
        return f"request_every {address.request_every} is out of range; give 0s to 1d"
    if not address.request_topic and (address.request_payload or address.request_every):
        return "requests need a request_topic; give one, or leave out what is said of requests"
    return ""


def _time_problem(name: str, time: timedelta, least: timedelta, most: timedelta) -> str:
    if least <= time <= most:
        return ""
    seconds = (each.total_seconds() for each in (time, least, most))
    return "{} {:g} s is out of range; give {:g}s to {:g}s".format(name, *seconds)


def is_json(payload: str) -> bool:
    """Whether a payload to fill in is meant as JSON."""
    start = payload.lstrip()
    return start[:1] in ("{", "[") and not start.startswith(PLACEHOLDER)


def holds_text(payload: str) -> bool:
    """Whether a JSON payload has its placeholder inside quotes."""
    return _reads(payload.replace(PLACEHOLDER, "x"))


def _holds_number(address: MqttAddress) -> bool:
    return _reads(address.command_payload.replace(PLACEHOLDER, "0"))


def _reads(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
