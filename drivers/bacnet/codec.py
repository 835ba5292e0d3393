"""Property values to samples and back. Pure.

A value is only as good as its object says: out of service, an unreliable input, a hand on the device (ANSI/ASHRAE
135-2020, clauses 12.1.7 to 12.1.10 and their like in every object type).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from controller.core import sample as said_of
from controller.core.point import Point, ValueType
from controller.core.sample import Quality, Sample, Scalar, as_number, bad
from drivers.bacnet.address import BacnetAddress, ObjectId, Reference
from drivers.bacnet.names import (
    BINARY,
    EVENT_STATE,
    MULTI_STATE,
    OBJECT_TYPES,
    OUT_OF_SERVICE,
    PRESENT_VALUE,
    RELIABILITY,
    STATUS_FLAGS,
)
from drivers.bacnet.wire import Kind, Raw, Refusal, Value
from drivers.limits import why_doubted

# BACnetReliability (clause 21).
_RELIABILITIES: Final = {
    1: "no sensor",
    2: "over range",
    3: "under range",
    4: "open loop",
    5: "shorted loop",
    6: "no output",
    7: "unreliable",
    8: "process error",
    9: "multi-state fault",
    10: "configuration error",
    12: "communication failure",
    13: "member fault",
    14: "monitored object fault",
    15: "tripped",
    16: "lamp failure",
    17: "activation failure",
    18: "renew DHCP failure",
    19: "renew FD registration failure",
    20: "restart auto-negotiation failure",
    21: "restart failure",
    22: "proprietary command failure",
    23: "faults listed",
    24: "referenced object fault",
}
_EVENT_STATE_FAULT: Final = 1
_NO_FLAGS: Final = (False, False, False, False)
_FAULT, _OVERRIDDEN, _OUT_OF_SERVICE = 1, 2, 3  # places in BACnetStatusFlags

# What the present value of an object type is spelt as when it is written.
_SPELLINGS: Final = {
    **dict.fromkeys((0, 1, 2, 12, 54), Kind.REAL),
    **dict.fromkeys(BINARY, Kind.ENUMERATED),
    **dict.fromkeys(MULTI_STATE, Kind.UNSIGNED),
    OBJECT_TYPES["characterstring-value"]: Kind.TEXT,
    OBJECT_TYPES["integer-value"]: Kind.INTEGER,
    OBJECT_TYPES["large-analog-value"]: Kind.DOUBLE,
    OBJECT_TYPES["positive-integer-value"]: Kind.UNSIGNED,
}
# A request is sent whole: this leaves room for the rest of it in the shortest answers that are common (480 bytes).
LONGEST_TEXT: Final = 400
_NUMBERS: Final = frozenset({Kind.BOOLEAN, Kind.UNSIGNED, Kind.INTEGER, Kind.REAL, Kind.DOUBLE, Kind.ENUMERATED})
_WHOLE: Final = {Kind.UNSIGNED: (0, 2**32 - 1), Kind.ENUMERATED: (0, 2**32 - 1), Kind.INTEGER: (-(2**31), 2**31 - 1)}


Answer: TypeAlias = Value | Refusal


class CannotEncode(ValueError):
    """The wished value cannot be spelt at this address; the text says why."""


class CannotDecode(ValueError):
    """What was read is no value of the point; the text says why."""


# --- how far a value may be believed ----------------------------------------------------------------------------------


class Belief(NamedTuple):
    quality: Quality
    reason: str


_BELIEVED: Final = Belief(Quality.GOOD, "")


def belief(object: ObjectId, answers: Mapping[Reference, Answer]) -> Belief:
    """What the object says of its present value; a property that it lacks does not count against it.

    Where it has Status_Flags and does not give them now, nobody knows whether the value is in fault.
    """

    def number(property: int) -> int:
        match answers.get(Reference(object, property)):
            case (Raw(_, int(value)),):
                return value
            case _:
                return 0

    said = answers.get(Reference(object, STATUS_FLAGS))
    flags = _flags(said)
    reliability = number(RELIABILITY)
    if reliability:
        return Belief(Quality.BAD, f"unreliable: {_RELIABILITIES.get(reliability, f'reason {reliability}')}")
    if flags[_FAULT] or number(EVENT_STATE) == _EVENT_STATE_FAULT:
        return Belief(Quality.BAD, "unreliable: fault")
    if reason := _why_unsaid(said):
        return Belief(Quality.BAD, reason)
    if flags[_OUT_OF_SERVICE] or number(OUT_OF_SERVICE):
        return Belief(Quality.UNCERTAIN, said_of.OUT_OF_SERVICE)
    if flags[_OVERRIDDEN]:
        return Belief(Quality.UNCERTAIN, said_of.LOCAL_OVERRIDE)
    return _BELIEVED


def is_said_by_flags(reference: Reference, answers: Mapping[Reference, Answer]) -> bool:
    """Whether the object's Status_Flags, read before, leave nothing for this property to add.

    The flags follow from the others (clause 12.1.7 and its like); of a fault, Reliability has the reason.
    """
    if reference.property not in {RELIABILITY, EVENT_STATE, OUT_OF_SERVICE}:
        return False
    answer = answers.get(Reference(reference.object, STATUS_FLAGS))
    if answer is None or isinstance(answer, Refusal) or _why_unsaid(answer):
        return False
    return not (reference.property == RELIABILITY and _flags(answer)[_FAULT])


def _flags(answer: Answer | None) -> tuple[bool, ...]:
    match answer:
        case (Raw(Kind.BITS, (bool(), bool(), bool(), bool()) as bits),):
            return bits
        case _:
            return _NO_FLAGS


def _why_unsaid(flags: Answer | None) -> str:
    """Why an object that has Status_Flags did not say them; empty where it did, or has none."""
    match flags:
        case None | (Raw(Kind.BITS, (bool(), bool(), bool(), bool())),):
            return ""
        case Refusal():
            return "" if flags.error is not None and flags.error.is_unknown_property else flags.reason
        case _:
            return "garbled status flags"


# --- reading ----------------------------------------------------------------------------------------------------------


def sample_of(
    point: Point, address: BacnetAddress, value: Value, belief: Belief, timestamp: datetime, received: float
) -> Sample:
    """The sample that a property's value is, given what its object says of it."""
    if belief.quality is Quality.BAD:
        return bad(belief.reason, timestamp, received)
    try:
        scalar = decode(value, point, address)
    except CannotDecode as error:
        return bad(str(error), timestamp, received)
    if doubt := why_doubted(scalar, point.plausible):
        return bad(doubt, timestamp, received)
    return Sample(scalar, belief.quality, belief.reason, timestamp, received)


def decode(value: Value, point: Point, address: BacnetAddress) -> Scalar:
    """A property's value as the point has it. Raises CannotDecode."""
    if len(value) != 1:
        raise CannotDecode("no value" if not value else f"{len(value)} values where one was expected")
    raw = value[0]
    if point.type is ValueType.TEXT:
        return _text_of(raw, address)
    if raw.kind not in _NUMBERS or not isinstance(raw.value, (int, float)):
        raise CannotDecode("null" if raw.kind is Kind.NULL else f"not a number: {str(raw)[:60]}")
    if not math.isfinite(raw.value):
        raise CannotDecode("not a number")
    try:
        return _number_of(raw.value, point.type, address)
    except OverflowError:
        raise CannotDecode("not a number") from None


def _number_of(raw: float, type: ValueType, address: BacnetAddress) -> Scalar:
    scaled = raw if address.scale == 1.0 and address.offset == 0.0 else raw * address.scale + address.offset
    match type:
        case ValueType.BOOLEAN:
            return bool(scaled)
        case ValueType.INTEGER:
            return round(scaled)
        case _:
            return float(scaled) if isinstance(scaled, bool) else scaled


def _text_of(raw: Raw, address: BacnetAddress) -> str:
    if isinstance(raw.value, str) and raw.kind is Kind.TEXT:
        return raw.value
    if not isinstance(raw.value, int):
        raise CannotDecode(f"no text: {str(raw)[:60]}")
    place = raw.value - first_state(address)
    if not 0 <= place < len(address.states):
        raise CannotDecode(f"state {raw.value} has no text")
    return address.states[place]


def first_state(address: BacnetAddress) -> int:
    """Multi-state objects count from 1, binary ones and enumerations from 0."""
    reference = address.reference
    return 1 if reference.object.type in MULTI_STATE and reference.property == PRESENT_VALUE else 0


# --- writing ----------------------------------------------------------------------------------------------------------


def encode(value: Scalar, address: BacnetAddress, seen: Kind | None) -> Raw:
    """The value as the device has it. `seen`: how it spelt what was last read there. Raises CannotEncode."""
    reference = address.reference
    kind = _SPELLINGS.get(reference.object.type) if reference.property == PRESENT_VALUE else None
    kind = kind or seen
    if kind is None:
        raise CannotEncode("not read yet: nobody knows how the device spells it")
    if isinstance(value, str):
        return _raw_of_text(value, address, kind)
    number = as_number(value)
    if number is None or not math.isfinite(number):
        raise CannotEncode(f"{value!r} is not a number")
    raw = (number - address.offset) / address.scale
    if kind is Kind.BOOLEAN or (kind is Kind.ENUMERATED and reference.object.type in BINARY):
        if raw not in (0, 1):
            raise CannotEncode(f"{value!r} is neither on nor off")
        return Raw(kind, bool(raw) if kind is Kind.BOOLEAN else int(raw))
    return _raw_of_number(value, raw, kind)


def _raw_of_text(value: str, address: BacnetAddress, kind: Kind) -> Raw:
    if kind is Kind.TEXT:
        if not value.isprintable() or len(value.encode(errors="replace")) > LONGEST_TEXT:
            raise CannotEncode(
                f"a text of {len(value)} characters: give up to {LONGEST_TEXT} bytes that can be printed"
            )
        return Raw(kind, value)
    if value not in address.states:
        raise CannotEncode(f"{value!r} is none of the states {', '.join(address.states)}")
    return Raw(kind, address.states.index(value) + first_state(address))


def _raw_of_number(value: Scalar, raw: float, kind: Kind) -> Raw:
    if kind in _WHOLE:
        low, high = _WHOLE[kind]
        if not low <= round(raw) <= high:
            raise CannotEncode(f"{value!r} is {round(raw)} in the device, which cannot hold it")
        return Raw(kind, round(raw))
    if kind is Kind.DOUBLE:
        return Raw(kind, raw)
    if kind is not Kind.REAL:
        raise CannotEncode(f"{value!r} is a number, and the device holds a {kind.name.lower()}")
    try:
        return Raw(kind, struct.unpack(">f", struct.pack(">f", raw))[0])
    except OverflowError:
        raise CannotEncode(f"{value!r} is more than a real can hold") from None


# --- the priority array -----------------------------------------------------------------------------------------------


class Slots(NamedTuple):
    """holder: the first slot above ours that holds a value, 0 if none does. own: what ours holds."""

    holder: int
    own: Raw | None


def slots(array: Answer | None, priority: int) -> Slots | None:
    """What a priority array says of our slot; None where it is no priority array."""
    if array is None or isinstance(array, Refusal) or len(array) != 16:
        return None
    above = (number for number, raw in enumerate(array[: priority - 1], start=1) if raw.kind is not Kind.NULL)
    own = array[priority - 1]
    return Slots(next(above, 0), None if own.kind is Kind.NULL else own)
