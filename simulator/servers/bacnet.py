"""The simulated site over BACnet/IP: a device at each place that a link's bindings name.

Source: ANSI/ASHRAE 135-2020, clauses 13.14 (SubscribeCOV), 15.5, 15.7, 15.9 (reading and writing), 16.10 (Who-Is), 20.1
(APDUs) and annex J. Not here: segments, routers, broadcasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from drivers.bacnet.address import parse_station
from simulator.faults.wire import WELL, Wire
from simulator.gateway import Value
from simulator.servers import bacnet_wire as wire
from simulator.servers.bacnet_objects import (
    ACCESS_DENIED,
    DEVICE,
    FLAGS,
    INVALID_INDEX,
    INVALID_TYPE,
    NO_ARRAY,
    PRESENT_VALUE,
    UNKNOWN_OBJECT,
    UNKNOWN_PROPERTY,
    BacnetPlace,
    Machines,
    Refused,
    ServedObject,
)
from simulator.servers.link import BacnetLink
from simulator.servers.served_site import LOOKED_AT_S, NotServable, ServedSite, places, wire_of

Client: TypeAlias = tuple[str, int]

LONGEST_APDU = 1476
FIRST_INSTANCE = 1001
_ANY_INSTANCE = 4194303
_VENDOR = 0  # ASHRAE itself, in the absence of one of our own
_NO_SEGMENTS = 3
_CONFIRMED, _UNCONFIRMED = 0, 1
_ALL, _REQUIRED, _OPTIONAL = 8, 105, 80
_I_AM, _WHO_IS, _UNCONFIRMED_COV, _CONFIRMED_COV = 0, 8, 2, 1
_MISSING_PARAMETER, _UNKNOWN_SERVICE = 5, 9  # reasons of Reject (clause 20.1.8)
_TOO_LONG = 4  # of Abort: segmentation not supported (clause 20.1.9)
_MOST_SUBSCRIPTIONS = 100
_NO_SPACE = (5, 18)  # class resources, code no-space-to-add-list-element


@dataclass(slots=True)
class _Subscription:
    """ends: when it runs out, in the loop's time. told: what was told last."""

    client: Client
    process: int
    object: ServedObject
    is_confirmed: bool
    ends: float
    told: tuple[Value | None, bytes] | None = None


class Device(asyncio.DatagramProtocol):
    """One device with its objects at one UDP port. heard_at: when somebody asked last, in the loop's time."""

    def __init__(self, instance: int, served: Iterable[BacnetPlace], site: ServedSite) -> None:
        self._site = site
        self._served = [*served]
        self._instance = instance
        objects = [ServedObject(place, site) for place in self._served]
        self._objects = {each.id: each for each in objects}
        self._machines = Machines(objects, site)
        self._subscriptions: dict[tuple[Client, int, wire.Place], _Subscription] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._invoke_id = 0
        self._was_down = False
        self.heard_at = -LOOKED_AT_S

    @property
    def wire(self) -> Wire:
        return wire_of(self._site, self._served) if self._served else WELL

    async def open(self, place: Client) -> int:
        """Raises OSError where the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, place)
        except OSError as error:
            reason = f"choose a free port or end what uses it ({error.strerror})"
            raise OSError(f"cannot listen on {place[0]} UDP port {place[1]}; {reason}") from error
        return int(self._transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def follow(self) -> None:
        """Tell changes; and what a device loses that starts anew."""
        if self.wire.is_down:
            if not self._was_down:
                self._machines.lose()
                self._subscriptions.clear()
            self._was_down = True
            return
        self._was_down = False
        self._machines.settle()
        if not self.wire.is_silent and not self.wire.is_refused:
            now = asyncio.get_running_loop().time()
            self._subscriptions = {key: each for key, each in self._subscriptions.items() if each.ends > now}
            for subscription in self._subscriptions.values():
                self._tell(subscription, now)

    # --- datagrams ----------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        loop = asyncio.get_running_loop()
        self.heard_at = loop.time()
        now = self.wire
        if now.is_silent or now.is_refused:
            return
        if now.delay > 0.0:
            loop.call_later(now.delay, self._hear, data, addr)
        else:
            self._hear(data, addr)

    def _hear(self, data: bytes, client: Client) -> None:
        """BVLL (annex J.2) and NPDU (clause 6.2): original unicast or broadcast, from this network."""
        if len(data) < 8 or data[0] != 0x81 or data[1] not in (0x0A, 0x0B) or data[4] != 1:
            return
        control, position = data[5], 6
        if control & 0x88:  # a network message, or somebody behind a router
            return
        if control & 0x20:
            position += 3 + data[8] + 1
        try:
            answer = self._answer(data[position:], client)
        except (wire.Malformed, IndexError):
            return
        if answer:
            self._send(answer, client)

    def _send(self, apdu: bytes, client: Client, *, wants_answer: bool = False) -> None:
        if self._transport is not None:
            header = b"\x81\x0a" + (len(apdu) + 6).to_bytes(2, "big") + (b"\x01\x04" if wants_answer else b"\x01\x00")
            self._transport.sendto(header + apdu, client)

    def _answer(self, apdu: bytes, client: Client) -> bytes:
        kind = apdu[0] >> 4
        if kind == _UNCONFIRMED:
            return self._who_is(apdu[2:]) if apdu[1] == _WHO_IS else b""
        if kind != _CONFIRMED or apdu[0] & 8:  # an answer to what was told; a request in segments
            return b""
        invoke_id, service = apdu[2], apdu[3]
        self._site.refresh()
        try:
            content = self._serve(service, wire.Fields(apdu[4:]), client)
        except Refused as refused:
            codes = b"".join(map(wire.enumerated, refused.codes))
            return bytes([0x50, invoke_id, service]) + codes
        except wire.Malformed:
            return bytes([0x60, invoke_id, _MISSING_PARAMETER])
        if content is None:
            return bytes([0x60, invoke_id, _UNKNOWN_SERVICE])
        if len(content) + 3 > LONGEST_APDU:
            return bytes([0x71, invoke_id, _TOO_LONG])
        return bytes([0x30, invoke_id, service]) + content if content else bytes([0x20, invoke_id, service])

    # --- services -----------------------------------------------------------------------------------------------------

    def _who_is(self, content: bytes) -> bytes:
        fields = wire.Fields(content)
        low, high = (0, _ANY_INSTANCE) if fields.at_end else (fields.whole(0), fields.whole(1))
        if not low <= self._instance <= high:
            return b""
        own = wire.object_id((DEVICE, self._instance)), wire.unsigned(LONGEST_APDU)
        return bytes([0x10, _I_AM]) + b"".join(own) + wire.enumerated(_NO_SEGMENTS) + wire.unsigned(_VENDOR)

    def _serve(self, service: int, fields: wire.Fields, client: Client) -> bytes | None:
        """What a positive answer carries, empty for a simple one; None for a service that the device has not."""
        match service:
            case 12:
                return self._read_property(fields)
            case 14:
                return self._read_multiple(fields)
            case 15:
                self._write(fields)
                return b""
            case 5:
                self._subscribe(fields, client)
                return b""
            case _:
                return None

    def _read_property(self, fields: wire.Fields) -> bytes:
        place, number, index = fields.place(0), fields.whole(1), fields.optional(2)
        value = self._property(place, number, index)
        element = b"" if index is None else wire.context(2, index)
        return wire.context(0, self._own(place)) + wire.context(1, number) + element + wire.between(3, value)

    def _read_multiple(self, fields: wire.Fields) -> bytes:
        parts: list[bytes] = []
        while not fields.at_end:
            place = fields.place(0)
            results: list[bytes] = []
            fields.expect(1, wire.Form.OPENING)
            while not fields.is_next(1, wire.Form.CLOSING):
                number, index = fields.whole(0), fields.optional(1)
                numbers = self._properties(place) if number in (_ALL, _REQUIRED, _OPTIONAL) else [number]
                results.extend(self._result(place, each, index) for each in numbers)
            fields.take()
            parts += [wire.context(0, self._own(place)), wire.between(1, b"".join(results))]
        return b"".join(parts)

    def _result(self, place: wire.Place, number: int, index: int | None) -> bytes:
        try:
            value = wire.between(4, self._property(place, number, index))
        except Refused as refused:
            value = wire.between(5, b"".join(map(wire.enumerated, refused.codes)))
        return wire.context(2, number) + (b"" if index is None else wire.context(3, index)) + value

    def _own(self, place: wire.Place) -> wire.Place:
        """A device that is asked by the wildcard answers under its own number."""
        return (DEVICE, self._instance) if place == (DEVICE, _ANY_INSTANCE) else place

    def _properties(self, place: wire.Place) -> list[int]:
        if self._own(place) == (DEVICE, self._instance):
            return [*self._device_facts()]
        found = self._objects.get(place)
        return [PRESENT_VALUE] if found is None else found.properties

    def _property(self, place: wire.Place, number: int, index: int | None) -> bytes:
        if self._own(place) == (DEVICE, self._instance):
            value = self._device_facts().get(number)
        else:
            found = self._objects.get(place)
            if found is None:
                raise Refused(*UNKNOWN_OBJECT)
            value = found.shown(number)
        if value is None:
            raise Refused(*UNKNOWN_PROPERTY)
        if isinstance(value, bytes):
            if index is not None:
                raise Refused(*NO_ARRAY)
            return value
        if index is None:
            return b"".join(value)
        if index > len(value):
            raise Refused(*INVALID_INDEX)
        return wire.unsigned(len(value)) if index == 0 else value[index - 1]

    def _device_facts(self) -> dict[int, bytes | list[bytes]]:
        """What a device object has at least (clause 12.11)."""
        own = (DEVICE, self._instance)
        services = [number in (5, 12, 14, 15) for number in range(40)]
        octets = [sum(bit << 7 - place for place, bit in enumerate(services[n : n + 8])) for n in range(0, 40, 8)]
        return {
            75: wire.object_id(own),
            77: wire.text(f"simulator-{self._instance}"),
            79: wire.enumerated(DEVICE),
            112: wire.enumerated(0),
            121: wire.text("Tidewatt"),
            120: wire.unsigned(_VENDOR),
            70: wire.text("simulated gateway"),
            44: wire.text("1"),
            12: wire.text("1"),
            98: wire.unsigned(1),
            139: wire.unsigned(22),
            97: bytes([wire.BITS << 4 | 5, 6, 0, *octets]),
            76: [wire.object_id(each) for each in (own, *self._objects)],
            62: wire.unsigned(LONGEST_APDU),
            107: wire.enumerated(_NO_SEGMENTS),
            11: wire.unsigned(3000),
            73: wire.unsigned(0),
            155: wire.unsigned(1),
        }

    def _write(self, fields: wire.Fields) -> None:
        place, number, index = fields.place(0), fields.whole(1), fields.optional(2)
        value, slot = fields.bracketed(3), fields.optional(4)
        found = self._objects.get(place)
        if found is None:
            raise Refused(*UNKNOWN_OBJECT)
        if number != PRESENT_VALUE or index is not None:
            raise Refused(*ACCESS_DENIED)
        if len(value) != 1 or value[0].form is not wire.Form.APPLICATION:
            raise Refused(*INVALID_TYPE)
        try:
            raw = wire.number_of(value[0])
        except wire.Malformed:
            raise Refused(*INVALID_TYPE) from None
        self._machines.command(found, raw, slot)

    # --- changes ------------------------------------------------------------------------------------------------------

    def _subscribe(self, fields: wire.Fields, client: Client) -> None:
        process, place = fields.whole(0), fields.place(1)
        confirmed, lifetime = fields.optional(2), fields.optional(3)
        found = self._objects.get(place)
        if found is None:
            raise Refused(*UNKNOWN_OBJECT)
        key = (client, process, place)
        if confirmed is None and lifetime is None:
            self._subscriptions.pop(key, None)
            return
        if key not in self._subscriptions and len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            raise Refused(*_NO_SPACE)
        ends = asyncio.get_running_loop().time() + (lifetime or float("inf"))
        self._subscriptions[key] = _Subscription(client, process, found, bool(confirmed), ends)

    def _tell(self, subscription: _Subscription, now: float) -> None:
        found = subscription.object
        value, flags = found.number(), found.flags()
        if subscription.told is not None and not _is_news(subscription.told, value, flags, found.worth_telling):
            return
        subscription.told = (value, flags)
        left = 0 if subscription.ends == float("inf") else round(subscription.ends - now)
        values = ((PRESENT_VALUE, found.present_value()), (FLAGS, flags))
        listed = b"".join(wire.context(0, number) + wire.between(2, each) for number, each in values)
        content = (
            wire.context(0, subscription.process)
            + wire.context(1, (DEVICE, self._instance))
            + wire.context(2, found.id)
            + wire.context(3, left)
            + wire.between(4, listed)
        )
        if not subscription.is_confirmed:
            self._send(bytes([0x10, _UNCONFIRMED_COV]) + content, subscription.client)
            return
        self._invoke_id = (self._invoke_id + 1) % 256
        header = bytes([0x00, 0x05, self._invoke_id, _CONFIRMED_COV])
        self._send(header + content, subscription.client, wants_answer=True)


def _is_news(told: tuple[Value | None, bytes], value: Value | None, flags: bytes, increment: float) -> bool:
    before, flags_before = told
    if flags != flags_before or (before is None) is not (value is None):
        return True
    return before is not None and value is not None and value != before and abs(value - before) >= increment


class BacnetLinkServer:
    """The devices of one link."""

    def __init__(self, site: ServedSite, link: BacnetLink) -> None:
        """Raises NotServable where a binding names what the site does not have, or no place."""
        by_place: dict[Client, list[BacnetPlace]] = {}
        for place in places(site, link.bindings):
            by_place.setdefault(_place_of(place), []).append(place)
        self._devices = {
            place: Device(FIRST_INSTANCE + number, served, site)
            for number, (place, served) in enumerate(by_place.items())
        }

    async def open(self) -> int:
        """The port of the first device. Raises OSError where one cannot be had."""
        ports: list[int] = []
        for place, device in self._devices.items():
            try:
                ports.append(await device.open(place))
            except OSError:
                await self.close()
                raise
        return ports[0] if ports else 0

    @property
    def is_in_use(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(now - device.heard_at < LOOKED_AT_S for device in self._devices.values())

    async def follow(self) -> None:
        for device in self._devices.values():
            device.follow()

    async def close(self) -> None:
        for device in self._devices.values():
            device.close()


def _place_of(place: BacnetPlace) -> Client:
    """Where a device is. Raises NotServable for one that cannot be on this machine by itself."""
    said = place.address.device
    station = parse_station(said) if said else None
    if station is None or station.network is not None:
        where = said or f"instance {place.address.instance}"
        raise NotServable(f"device {place.device} ({where}) has no IP address of its own; give one: device: 127.0.0.2")
    return station.host, station.port
