"""What a server says of a value, and how a wished value is spelt for it. Pure.

A value arrives as a DataValue: a Variant that knows its own type, a status code and two times (OPC UA Part 4, 7.11).
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from asyncua import ua
from asyncua.common.utils import Buffer, NotEnoughData
from asyncua.ua.status_codes import code_to_name_doc
from asyncua.ua.ua_binary import Primitives1

from controller.core.point import Point, ValueType
from controller.core.sample import LOCAL_OVERRIDE, Quality, Scalar, as_number
from drivers.limits import why_doubted
from drivers.opcua.address import NodeName, OpcuaAddress
from drivers.scaling import scaling_of

# Bounds what a server may write into our texts.
LONGEST_TEXT: Final = 200

_Type: Final = ua.VariantType
_FLOATS: Final = frozenset({_Type.Float, _Type.Double})
_TEXTS: Final = frozenset({_Type.String, _Type.LocalizedText})
# OPC UA Part 6, 5.1.2: the built-in integers and their bits; signed ones come first.
_SIGNED: Final = {_Type.SByte: 8, _Type.Int16: 16, _Type.Int32: 32, _Type.Int64: 64}
_UNSIGNED: Final = {_Type.Byte: 8, _Type.UInt16: 16, _Type.UInt32: 32, _Type.UInt64: 64}
_INTEGER_RANGES: Final = {
    **{type: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for type, bits in _SIGNED.items()},
    **{type: (0, 2**bits - 1) for type, bits in _UNSIGNED.items()},
}
INTEGERS: Final = frozenset(_INTEGER_RANGES)
_NUMBERS: Final = _FLOATS | INTEGERS
_LARGEST_FLOAT: Final = 3.4028234663852886e38  # of 32 bits, IEEE 754

_ENUMERATION: Final = 29

# The low half of a status code holds details such as "limit" and "overflow" (OPC UA Part 4, 7.39).
_WITHOUT_DETAILS: Final = 0xFFFF0000
_GOOD_LOCAL_OVERRIDE: Final = 0x00960000
# Servers without a clock send the beginning of time (Part 6, 5.2.2.5: 1601-01-01).
_FIRST_CREDIBLE_YEAR: Final = 2000


class CannotEncode(ValueError):
    """The wished value cannot be spelt in the node's type; the text says why."""


class Reading(NamedTuple):
    """A value as the server gave it. source_time: when it came to be at its source, where anybody says so."""

    value: Scalar | None
    quality: Quality
    reason: str
    source_time: datetime | None


class _NoArrayOfNothing:
    """Nothing takes no bytes: an array of two thousand million of it would be nine, and stop the daemon for minutes."""

    @staticmethod
    def unpack_array(data: Buffer, length: int) -> Sequence[None]:
        if length > len(data):
            raise NotEnoughData(f"an array of {length} nulls")
        return [None] * length


setattr(Primitives1, ua.VariantType.Null.name, _NoArrayOfNothing)  # where the library looks before it goes one by one


# --- status -----------------------------------------------------------------------------------------------------------


def quality_of(code: int) -> Quality:
    """The two highest bits; what is reserved counts as bad (OPC UA Part 4, 7.39)."""
    match code >> 30 & 3:
        case 0:
            return Quality.GOOD
        case 1:
            return Quality.UNCERTAIN
        case _:
            return Quality.BAD


def status_name(code: int) -> str:
    """The standard's name of a status code: BadSensorFailure."""
    found = code_to_name_doc.get(code & _WITHOUT_DETAILS)
    return found[0] if found else f"status 0x{code:08X}"


# --- reading ----------------------------------------------------------------------------------------------------------


def decode(data: ua.DataValue, address: OpcuaAddress, point: Point) -> Reading:
    """Never raises: what cannot be used is BAD, with the reason."""
    source_time = credible_time(data.SourceTimestamp) or credible_time(data.ServerTimestamp)
    code = 0 if data.StatusCode is None else data.StatusCode.value
    quality = quality_of(code)
    if quality is Quality.BAD:
        return Reading(None, quality, status_name(code), source_time)
    value, reason = _value(data.Value, address, point)
    if value is None:
        return Reading(None, Quality.BAD, reason, source_time)
    if doubt := why_doubted(value, point.plausible):
        return Reading(None, Quality.BAD, doubt, source_time)
    # "Good" has kinds too: GoodLocalOverride tells of a person at the device.
    kind = code & _WITHOUT_DETAILS
    reason = LOCAL_OVERRIDE if kind == _GOOD_LOCAL_OVERRIDE else status_name(code) if kind else ""
    return Reading(value, quality, reason, source_time)


def credible_time(time: datetime | None) -> datetime | None:
    return time if time is not None and time.year >= _FIRST_CREDIBLE_YEAR else None


def spelt(data: ua.DataValue) -> str:
    """The value as the wire has it: "Int32 215, Good"."""
    code = 0 if data.StatusCode is None else data.StatusCode.value
    variant = data.Value
    if variant is None or variant.VariantType is _Type.Null:
        return f"no value, {status_name(code)}"
    raw = variant.Value.Text if isinstance(variant.Value, ua.LocalizedText) else variant.Value
    return f"{_type_name(variant.VariantType)} {raw!r}"[:LONGEST_TEXT] + f", {status_name(code)}"


def _value(variant: ua.Variant | None, address: OpcuaAddress, point: Point) -> tuple[Scalar | None, str]:
    """The value, or None and why there is none."""
    if variant is None or variant.VariantType is _Type.Null or variant.Value is None:
        return None, "no value"
    if variant.is_array:
        return None, "an array, not one value"
    raw, type = variant.Value, variant.VariantType
    if type is _Type.Boolean and isinstance(raw, bool):
        return _of_flag(raw, address, point)
    if type in _NUMBERS and isinstance(raw, int | float):
        return _of_number(shortest(raw) if type is _Type.Float else raw, address, point)
    if type in _TEXTS:
        return _of_text(raw.Text if isinstance(raw, ua.LocalizedText) else raw, point)
    return None, f"a {_type_name(type)} is no value of a point"


def _of_flag(raw: bool, address: OpcuaAddress, point: Point) -> tuple[Scalar | None, str]:
    if point.type is ValueType.TEXT:
        return _of_state(int(raw), address, point)
    return raw if point.type is ValueType.BOOLEAN else int(raw), ""


def _of_number(raw: float, address: OpcuaAddress, point: Point) -> tuple[Scalar | None, str]:
    if not math.isfinite(raw):
        return None, "not a number"
    if point.type is ValueType.TEXT:
        return _of_state(raw, address, point)
    scaling = scaling_of(address.scale, address.offset)
    number = raw if scaling.is_identity else scaling.applied(raw)
    if not math.isfinite(number):
        return None, "not a number"
    match point.type:
        case ValueType.BOOLEAN:
            return bool(number), ""
        case ValueType.INTEGER:
            return round(number), ""
        case _:
            return number, ""


def shortest(raw: float) -> float:
    """The shortest decimal that is this Float of 32 bits: 21.7, not 21.700000762939453. What was written reads back."""
    if not math.isfinite(raw):
        return raw
    packed = struct.pack("<f", raw)
    for digits in (6, 7, 8):
        tried = float(f"{raw:.{digits}g}")
        if abs(tried) <= _LARGEST_FLOAT and struct.pack("<f", tried) == packed:
            return tried
    return raw


def _of_state(raw: float, address: OpcuaAddress, point: Point) -> tuple[Scalar | None, str]:
    if not address.states:
        return None, f"{raw:g} is no text; the address needs states"
    known = raw == int(raw) and 0 <= raw < len(address.states) and address.states[int(raw)]
    if not known:
        return None, f"{raw:g} is none of the states"
    return _of_text(known, point)


def _of_text(text: object, point: Point) -> tuple[Scalar | None, str]:
    if not isinstance(text, str):
        return None, "no value"
    if point.type is not ValueType.TEXT:
        return None, f"{text[:40]!r} is a text, not a number"
    if point.states and text not in point.states:
        return None, f"{text[:40]!r} is none of {', '.join(point.states)}"
    return text[:LONGEST_TEXT], ""


def _type_name(type: object) -> str:
    return type.name if isinstance(type, ua.VariantType) else "value of an unknown type"


# --- writing ----------------------------------------------------------------------------------------------------------


def encode(value: Scalar, type: ua.VariantType, address: OpcuaAddress) -> ua.DataValue:
    """The value in the node's own type, and nothing else: many servers refuse a status or a time. Raises CannotEncode.

    A server takes no other type, not even a narrower one (OPC UA Part 4, 5.11.4: Bad_TypeMismatch).
    """
    return ua.DataValue(ua.Variant(_raw(value, type, address), type), StatusCode=None)


def _raw(value: Scalar, type: ua.VariantType, address: OpcuaAddress) -> object:
    if type is _Type.Boolean:
        return bool(_state_number(value, address) if isinstance(value, str) else _flag(value))
    if type in _TEXTS:
        if not isinstance(value, str):
            raise CannotEncode(f"{value!r} is no text, as {type.name} is")
        return ua.LocalizedText(value) if type is _Type.LocalizedText else value
    if type not in _NUMBERS:
        raise CannotEncode(f"the node holds a {type.name}, which has no number, switch or text")
    if isinstance(value, str):
        return _fitting(_state_number(value, address), type, value)
    scaling = scaling_of(address.scale, address.offset)
    if scaling.is_identity and isinstance(value, int):
        return _fitting(value, type, value)  # whole numbers beyond 2**53 stay exact
    number = as_number(value)
    if number is None or not math.isfinite(number):
        raise CannotEncode(f"{value!r} is not a number")
    raw = scaling.undone(number)
    return _fitting(raw if type in _FLOATS else round(raw), type, value)


def _fitting(raw: float, type: ua.VariantType, value: Scalar) -> float:
    if type in _FLOATS:
        if type is _Type.Float and abs(raw) > _LARGEST_FLOAT:
            raise CannotEncode(f"{value!r} is {raw:g} in the server, which a Float cannot hold")
        return float(raw)
    low, high = _INTEGER_RANGES[type]
    if not low <= raw <= high:
        raise CannotEncode(f"{value!r} is {raw} in the server, and a {type.name} holds {low} to {high}")
    return int(raw)


def _flag(value: float) -> float:
    if value not in (0, 1):
        raise CannotEncode(f"{value!r} is neither on nor off")
    return value


def _state_number(text: str, address: OpcuaAddress) -> int:
    if not text or text not in address.states:
        raise CannotEncode(
            f"{text!r} is none of the states {', '.join(filter(None, address.states)) or '(none given)'}"
        )
    return address.states.index(text)


def built_in_type(number: int) -> ua.VariantType | None:
    """The type of values whose DataType is the node i=`number` of namespace 0, where it is built in or an enumeration.

    OPC UA Part 6, 5.1.2 (numbers 1 to 25) and Part 3, 8.14 (29, Enumeration, is sent as Int32).
    """
    if number == _ENUMERATION:
        return _Type.Int32
    return _Type(number) if 1 <= number <= 23 else None


# --- node ids ---------------------------------------------------------------------------------------------------------


def node_id(name: NodeName, namespaces: Sequence[str]) -> ua.NodeId | None:
    """The node on a server with these namespaces; None where the server lacks the URI."""
    if name.uri and name.uri not in namespaces:
        return None
    space: Any = namespaces.index(name.uri) if name.uri else name.space
    identifier: Any = name.identifier
    match name.kind:
        case "i":
            return ua.NodeId(cast("Any", int(identifier)), space, ua.NodeIdType.Numeric)
        case "g":
            return ua.NodeId(cast("Any", UUID(identifier)), space, ua.NodeIdType.Guid)
        case "b":
            return ua.NodeId(cast("Any", base64.b64decode(identifier)), space, ua.NodeIdType.ByteString)
        case _:
            return ua.NodeId(identifier, space, ua.NodeIdType.String)
