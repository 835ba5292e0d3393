"""From everything that a broker says to devices and points, each told once. Pure: no socket, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.event import JsonValue
from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.sample import Scalar
from controller.core.units import Unit
from drivers.mqtt.address import Availability, MqttAddress
from drivers.mqtt.candidate import Candidate, Leads, snake
from drivers.mqtt.codec import LONGEST_PAYLOAD, CannotDecode, Payload, value_of
from drivers.mqtt.homeassistant import read_home_assistant
from drivers.mqtt.path import JsonPath, Missing, parse_path
from drivers.mqtt.plain import read_plain
from drivers.mqtt.tasmota import read_tasmota
from drivers.mqtt.zigbee2mqtt import read_zigbee2mqtt

# Zigbee2MQTT's list of devices is long; no other message has so much to say.
LONGEST_LIST: Final = 4 * LONGEST_PAYLOAD
_MOST_TOPICS: Final = 20_000
_MOST_POINTS: Final = 20_000
# What is kept of messages, to show present values and to read those that nothing describes.
_MOST_BYTES: Final = 64 * 1024 * 1024

_MAPS: Final = (read_home_assistant, read_zigbee2mqtt, read_tasmota)
# Topics of gateways about themselves, and the ends of topics that carry commands or wills.
_NO_STATE: Final = re.compile(
    r".*/(?:set|get|config|availability|LWT|bridge/.*)|(?:cmnd|tasmota/discovery)/.*", re.DOTALL
)


class Finder:
    """connection: what devices.yaml says of the link."""

    def __init__(self, connection: Mapping[str, JsonValue]) -> None:
        self._connection = connection
        self._messages: dict[str, bytes] = {}
        self._bytes = 0
        self._leads: list[Candidate | NoAnswer] = []
        self._mapped: set[str] = set()
        self._read: set[str] = set()
        self._ids: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self._places: set[tuple[str, JsonPath]] = set()
        self._described: set[str] = set()
        self._told: set[NoAnswer] = set()

    def hear(self, topic: str, data: bytes) -> None:
        known = self._messages.get(topic)
        self._bytes += len(data) - len(known or b"")
        if (known is None and len(self._messages) >= _MOST_TOPICS) or self._bytes > _MOST_BYTES:
            self._bytes -= len(data) - len(known or b"")
            return
        self._messages[topic] = data
        if known != data:
            self._map(topic, data)

    def _map(self, topic: str, data: bytes) -> None:
        """Descriptions are read as they come; what they describe may not have come yet."""
        if data.lstrip()[:1] not in (b"{", b"["):
            return
        payload = Payload(data, LONGEST_LIST)
        try:
            tree = payload.tree()
        except CannotDecode:
            return
        for read in _MAPS:
            leads: Leads | None = read(topic, tree)
            if leads is not None:
                self._mapped.add(topic)
                self._leads.extend(leads)

    def found(self) -> Iterator[Found]:
        """What is new: first what something describes, then the messages that nothing describes."""
        leads, self._leads = self._leads, []
        for lead in leads:
            yield from self._tell(lead)
        for topic in [each for each in self._messages if each not in self._read]:
            self._read.add(topic)
            if self._is_plain(topic):
                for lead in read_plain(topic, Payload(self._messages[topic])):
                    yield from self._tell(lead)

    def _is_plain(self, topic: str) -> bool:
        described = topic in self._mapped or topic in self._described
        return not described and _NO_STATE.fullmatch(topic) is None

    def _tell(self, lead: Candidate | NoAnswer) -> Iterator[Found]:
        if isinstance(lead, NoAnswer):
            if lead not in self._told:
                self._told.add(lead)
                yield lead
            return
        try:
            address = address_of(lead)
        except ValueError as error:
            yield NoAnswer(lead.title, str(error))
            return
        state_topic = address.at(address.state_topic)
        place = (state_topic, parse_path(address.path))
        if place in self._places or len(self._places) >= _MOST_POINTS:
            return  # two descriptions of one value: Zigbee2MQTT describes for Home Assistant too
        self._places.add(place)
        self._described.add(state_topic)
        self._described.update(address.at(each.topic) for each in address.availability)
        device = self._ids.get(lead.device)
        if device is None:
            device = self._ids[lead.device] = _unused(
                snake(lead.base or lead.device_title, "device"), self._ids.values()
            )
            self._names[device] = set()
            said: dict[str, JsonValue] = {"topic": lead.base} if lead.base else {}
            yield FoundDevice(device, self._connection, said, lead.device_title)
        name = _unused(lead.name, self._names[device])
        self._names[device].add(name)
        yield self._point(lead, address, device, name)

    def _point(self, lead: Candidate, address: MqttAddress, device: str, name: str) -> FoundPoint:
        type, value = self._now(lead, address)
        return FoundPoint(device, name, lead.kind, type, lead.unit, lead.address, lead.title, value, lead.states)

    def _now(self, lead: Candidate, address: MqttAddress) -> tuple[ValueType, str]:
        """The point's type and what it holds, as the last message has it."""
        types = (lead.type,) if lead.type else (ValueType.NUMBER, ValueType.BOOLEAN, ValueType.TEXT)
        data = self._messages.get(address.at(address.state_topic))
        for type in types:
            value = None if data is None else _value(lead, address, type, Payload(data))
            if value is not None:
                return type, _shown(value)
        return lead.type or ValueType.TEXT, ""


def address_of(lead: Candidate) -> MqttAddress:
    """The address as the driver has it, but for how often it asks. Raises ValueError where it cannot be."""
    said: dict[str, Any] = dict(lead.address)
    said.pop("request_every", None)
    availability = tuple(Availability(**each) for each in said.pop("availability", ()))
    return MqttAddress(**said, topic=lead.base, availability=availability)


def _value(lead: Candidate, address: MqttAddress, type: ValueType, payload: Payload) -> Scalar | None:
    point = Point(PointId(f"found.device.{lead.name}"), PointKind.SENSOR, Unit.NONE, type, states=lead.states)
    try:
        raw = payload.raw(parse_path(address.path))
        return None if isinstance(raw, Missing) else value_of(raw, Binding(point, "device", address))
    except CannotDecode:
        return None


def _shown(value: Scalar) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _unused(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
