"""The simulated site over BACnet/IP: a device at each place that a link's bindings name.

Source: ANSI/ASHRAE 135-2020, clauses 15.9 (writing), 20.1 (APDUs) and annex J. Not here: segments, routers, broadcasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from drivers.bacnet.address import parse_station
from simulator.faults.wire import WELL, Wire
from simulator.servers import bacnet_wire as wire
from simulator.servers.bacnet_changes import Changes, Client
from simulator.servers.bacnet_objects import (
    ACCESS_DENIED,
    INVALID_TYPE,
    PRESENT_VALUE,
    UNKNOWN_OBJECT,
    BacnetPlace,
    Machines,
    Refused,
    ServedObject,
)
from simulator.servers.bacnet_properties import LONGEST_APDU, Properties
from simulator.servers.link import BacnetLink
from simulator.servers.served_site import LOOKED_AT_S, NotServable, ServedSite, places, wire_of

FIRST_INSTANCE = 1001
_CONFIRMED, _UNCONFIRMED = 0, 1
_WHO_IS = 8
_MISSING_PARAMETER, _UNKNOWN_SERVICE = 5, 9  # reasons of Reject (clause 20.1.8)
_TOO_LONG = 4  # of Abort: segmentation not supported (clause 20.1.9)


class Device(asyncio.DatagramProtocol):
    """One device with its objects at one UDP port. heard_at: when somebody asked last, in the loop's time."""

    def __init__(self, instance: int, served: Iterable[BacnetPlace], site: ServedSite) -> None:
        self._site = site
        self._served = [*served]
        objects = [ServedObject(place, site) for place in self._served]
        self._objects = {each.id: each for each in objects}
        self._machines = Machines(objects, site)
        self._properties = Properties(instance, self._objects)
        self._changes = Changes(instance, self._objects, self._send)
        self._transport: asyncio.DatagramTransport | None = None
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
                self._changes.lose()
            self._was_down = True
            return
        self._was_down = False
        self._machines.settle()
        if not self.wire.is_silent and not self.wire.is_refused:
            self._changes.tell(asyncio.get_running_loop().time())

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
            return self._properties.i_am(apdu[2:]) if apdu[1] == _WHO_IS else b""
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

    def _serve(self, service: int, fields: wire.Fields, client: Client) -> bytes | None:
        """What a positive answer carries, empty for a simple one; None for a service that the device has not."""
        match service:
            case 12:
                return self._properties.read_property(fields)
            case 14:
                return self._properties.read_multiple(fields)
            case 15:
                self._write(fields)
                return b""
            case 5:
                self._changes.subscribe(fields, client, asyncio.get_running_loop().time())
                return b""
            case _:
                return None

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
