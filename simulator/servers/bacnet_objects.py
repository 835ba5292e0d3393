"""The objects of a simulated BACnet device: properties with live values, and priority arrays.

A command holds until its slot is emptied (ANSI/ASHRAE 135-2020, clause 19.2); nothing in BACnet ends it by itself. The
gateway's own program does: once a machine's remote bit is cleared, by whomever, the slots of its commands are emptied,
and where its watchdog cleared the bit, those of the bit as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from drivers.bacnet.address import BacnetAddress
from simulator.gateway import Value
from simulator.servers import bacnet_wire as wire
from simulator.servers.raw import raw_of, value_of
from simulator.servers.served_site import NotServable, Place, ServedSite

BacnetPlace: TypeAlias = Place[BacnetAddress]

# Object types (clause 21) and how each spells its present value.
DEVICE = 8
_BINARY = (3, 4, 5)
_MULTI_STATE = (13, 14, 19)
_INPUTS = (0, 3, 13, 23)
_SPELLINGS: Mapping[int, Callable[[Value], bytes]] = {
    **dict.fromkeys((0, 1, 2), lambda raw: wire.real(float(raw))),
    **dict.fromkeys(_BINARY, lambda raw: wire.enumerated(int(bool(raw)))),
    **dict.fromkeys((*_MULTI_STATE, 23, 48), lambda raw: wire.unsigned(max(0, round(raw)))),
    45: lambda raw: wire.integer(round(raw)),
    46: lambda raw: wire.double(float(raw)),
}
# Properties (clause 21).
(COV_INCREMENT, DESCRIPTION, EVENT_STATE, IDENTIFIER, NAME, TYPE, OUT_OF_SERVICE, PRESENT_VALUE) = (
    22, 28, 36, 75, 77, 79, 81, 85,
)  # fmt: skip
(PRIORITY_ARRAY, RELIABILITY, DEFAULT, FLAGS, UNITS) = (87, 103, 104, 111, 117)
_NO_SENSOR = 1
_SLOTS = 16
_LAST_SLOT = 16
_MINIMUM_TIMES = 6  # the slot of minimum on and off (clause 19.2.3), which nobody may write
# Engineering units (clause 21) of the inside units, as far as the site has them.
_NO_UNITS = 95
_UNITS = {"degC": 62, "kW": 48, "kWh": 19, "lx": 37, "kg/s": 42, "s": 73, "Pa": 53, "kPa": 54, "ppm": 96}
_SCALED_UNITS = {("1", 0.01): 98, ("kW", 0.001): 47, ("kWh", 0.001): 18, ("kPa", 0.001): 53}


class Refused(Exception):
    """Error class and code (clause 18)."""

    def __init__(self, error_class: int, error_code: int) -> None:
        super().__init__(error_class, error_code)
        self.codes = error_class, error_code


UNKNOWN_OBJECT = (1, 31)
UNKNOWN_PROPERTY, INVALID_INDEX, NO_ARRAY = (2, 32), (2, 42), (2, 50)
INVALID_TYPE, ACCESS_DENIED, OUT_OF_RANGE = (2, 9), (2, 40), (2, 37)


class ServedObject:
    """One tag of the site as an object."""

    def __init__(self, place: BacnetPlace, site: ServedSite) -> None:
        """Raises NotServable for an address that the simulated device has not."""
        reference = place.address.reference
        self.id: wire.Place = (reference.object.type, reference.object.instance)
        if reference.property != PRESENT_VALUE or reference.element is not None:
            raise NotServable(f"{place.name}: the simulated device shows present values, not {reference}")
        if self.id[0] not in _SPELLINGS or place.address.states:
            raise NotServable(f"{place.name}: the simulated device has no {reference.object} with such a value")
        self.name = place.name
        self._place = place
        self._site = site
        self._spell = _SPELLINGS[self.id[0]]
        is_commandable = place.tag.writable and self.id[0] not in _INPUTS
        self.slots: list[Value | None] | None = _empty() if is_commandable else None

    @property
    def is_held(self) -> bool:
        return self.slots is not None and any(slot is not None for slot in self.slots)

    def number(self) -> Value | None:
        """The present value as the wire has it; None where the instrument gives no reading."""
        value = self._site.read(self.name)
        return None if value is None else raw_of(value, self._place.address.scale, self._place.address.offset)

    @property
    def worth_telling(self) -> float:
        """A change of the present value by less is not told, in the unit of the wire."""
        return self._place.cov_increment / abs(self._place.address.scale)

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def properties(self) -> list[int]:
        found = [IDENTIFIER, NAME, TYPE, DESCRIPTION, PRESENT_VALUE, FLAGS, EVENT_STATE, RELIABILITY, OUT_OF_SERVICE]
        if self.id[0] in (0, 1, 2):
            found += [UNITS, COV_INCREMENT]
        return found if self.slots is None else [*found, PRIORITY_ARRAY, DEFAULT]

    def shown(self, number: int) -> bytes | list[bytes]:
        """A property, encoded; an array as its elements. Raises Refused."""
        match number:
            case 85:
                return self.present_value()
            case 111:
                return self.flags()
            case 36:
                return wire.enumerated(0)
            case 103:
                return wire.enumerated(0 if self._has_reading else _NO_SENSOR)
            case 81:
                return wire.boolean(False)
            case 87 if self.slots is not None:
                return [wire.null() if slot is None else self._spell(slot) for slot in self.slots]
            case _:
                return self._fact(number)

    def _fact(self, number: int) -> bytes:
        """What does not change from moment to moment."""
        match number:
            case 75:
                return wire.object_id(self.id)
            case 77 | 28:
                return wire.text(self.name)
            case 79:
                return wire.enumerated(self.id[0])
            case 117 if self.id[0] in (0, 1, 2):
                return wire.enumerated(self._units())
            case 22 if self.id[0] in (0, 1, 2):
                return wire.real(self.worth_telling)
            case 104 if self.slots is not None:
                return self.present_value()  # what the original controls would have it be, once nobody commands it
            case _:
                raise Refused(*UNKNOWN_PROPERTY)

    def _units(self) -> int:
        address, unit = self._place.address, self._place.tag.unit
        if address.scale == 1.0 and address.offset == 0.0:
            return _UNITS.get(unit, _NO_UNITS)
        return _SCALED_UNITS.get((unit, round(address.scale, 6)), _NO_UNITS)

    @property
    def _has_reading(self) -> bool:
        return not self._site.has_reading_faults or self._site.read(self.name) is not None

    def present_value(self) -> bytes:
        return self._spell(self.number() or 0)

    def flags(self) -> bytes:
        return wire.bits(False, not self._has_reading, False, False)

    # --- writing ------------------------------------------------------------------------------------------------------

    def command(self, raw: float | int | bool | None, slot: int | None) -> None:
        """Fill or empty a slot of the priority array; the highest that is full has its way. Raises Refused."""
        number = _LAST_SLOT if slot is None else slot
        if self.slots is None or number == _MINIMUM_TIMES:
            raise Refused(*ACCESS_DENIED)
        if not 1 <= number <= _SLOTS:
            raise Refused(*OUT_OF_RANGE)
        if raw is not None:
            self._meant(raw)
        self.slots[number - 1] = raw
        highest = next((each for each in self.slots if each is not None), None)
        if highest is None:
            self._site.release(self.name)
        else:
            self._site.write(self.name, self._meant(highest))

    def _meant(self, raw: Value) -> Value:
        address = self._place.address
        try:
            return value_of(self._place.tag, raw, address.scale, address.offset)
        except ValueError:
            raise Refused(*OUT_OF_RANGE) from None

    def empty(self) -> None:
        """All slots, without a word to the site."""
        if self.slots is not None:
            self.slots = _empty()


class Machines:
    """Which objects are commands of one machine, and what its remote bit was when it was last looked at.

    Where the device shows the remote bit as an object, that is commanded like any other. Where it does not, commanding
    a machine takes it over, and emptying its slots gives it back.
    """

    def __init__(self, objects: Sequence[ServedObject], site: ServedSite) -> None:
        self._site = site
        self._objects: dict[str, list[ServedObject]] = {}
        for each in objects:
            if each.slots is not None:
                self._objects.setdefault(_machine(each), []).append(each)
        self._bits = {machine: f"{machine}.remote" for machine in self._objects if _has(site, f"{machine}.remote")}
        self._shown = {each.name for each in objects}
        self._was_set = dict.fromkeys(self._bits, False)

    def command(self, target: ServedObject, raw: Value | None, slot: int | None) -> None:
        """Fill or empty a slot. Raises Refused."""
        target.command(raw, slot)
        machine = _machine(target)
        bit = self._bits.get(machine)
        if bit is not None and bit not in self._shown:
            self._site.write(bit, any(each.is_held for each in self._objects[machine]))
        self.settle(target)

    def settle(self, written: ServedObject | None = None) -> None:
        """Empty the slots of machines whose remote bit has cleared since the last look. written: by a client, now."""
        for machine, bit in self._bits.items():
            is_set = self._site.read(bit) is True
            if self._was_set[machine] and not is_set:
                for each in self._objects[machine]:
                    if written is None or each is not written:
                        each.empty()
            self._was_set[machine] = is_set

    def lose(self) -> None:
        """The device has started anew."""
        for own in self._objects.values():
            for each in own:
                each.empty()


def _has(site: ServedSite, name: str) -> bool:
    try:
        site.tag(name)
    except KeyError:
        return False
    return True


def _empty() -> list[Value | None]:
    return [None for _ in range(_SLOTS)]


def _machine(object: ServedObject) -> str:
    return object.name.rpartition(".")[0]
