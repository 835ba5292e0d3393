"""What a simulated BACnet device answers when it is asked who it is, and for its objects' properties. Pure.

Source: ANSI/ASHRAE 135-2020, clauses 12.11 (the device object), 15.5, 15.7 (reading), 16.10 (Who-Is).
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.servers import bacnet_wire as wire
from simulator.servers.bacnet_objects import (
    DEVICE,
    INVALID_INDEX,
    NO_ARRAY,
    PRESENT_VALUE,
    UNKNOWN_OBJECT,
    UNKNOWN_PROPERTY,
    Refused,
    ServedObject,
)

LONGEST_APDU = 1476
_ANY_INSTANCE = 4194303
_VENDOR = 0  # ASHRAE itself, in the absence of one of our own
_NO_SEGMENTS = 3
_UNCONFIRMED, _I_AM = 0x10, 0
_ALL, _REQUIRED, _OPTIONAL = 8, 105, 80


class Properties:
    """Of a device and its objects."""

    def __init__(self, instance: int, objects: Mapping[wire.Place, ServedObject]) -> None:
        self._instance = instance
        self._objects = objects

    def i_am(self, content: bytes) -> bytes:
        """The answer to Who-Is; empty where somebody else is asked for."""
        fields = wire.Fields(content)
        low, high = (0, _ANY_INSTANCE) if fields.at_end else (fields.whole(0), fields.whole(1))
        if not low <= self._instance <= high:
            return b""
        own = wire.object_id((DEVICE, self._instance)), wire.unsigned(LONGEST_APDU)
        return bytes([_UNCONFIRMED, _I_AM]) + b"".join(own) + wire.enumerated(_NO_SEGMENTS) + wire.unsigned(_VENDOR)

    def read_property(self, fields: wire.Fields) -> bytes:
        place, number, index = fields.place(0), fields.whole(1), fields.optional(2)
        value = self._property(place, number, index)
        element = b"" if index is None else wire.context(2, index)
        return wire.context(0, self._own(place)) + wire.context(1, number) + element + wire.between(3, value)

    def read_multiple(self, fields: wire.Fields) -> bytes:
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
