"""OPC UA values there and back, and whatever else may come."""

# The library annotates loosely.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import gc
import math
import random
import struct
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from controller.core.point import Point, PointId, PointKind, ValueType
from controller.core.sample import Quality
from controller.core.units import Unit
from drivers.opcua.address import NodeName, OpcuaAddress, parsed_node
from drivers.opcua.codec import INTEGERS, CannotEncode, decode, encode, shortest, spelt
from drivers.opcua.errors import GARBLED

NUMBERS = [*sorted(INTEGERS), ua.VariantType.Float, ua.VariantType.Double]
SCALES = st.sampled_from([1.0, 0.1, 0.01, 10.0, -0.5, 1 / 3])
POINTS = st.sampled_from([Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE, type) for type in ValueType])


NOW = datetime(2024, 7, 1, tzinfo=UTC)


def number_point() -> Point:
    return Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE)


def holds(raw: float, type: ua.VariantType) -> bool:
    """Whether the type has room for a raw value with something to spare."""
    bits, is_signed = int("".join(filter(str.isdigit, type.name)) or 8), not type.name.startswith(("U", "B"))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if is_signed else (0, 2**bits)
    return low + 1 <= raw <= high - 2


@given(st.sampled_from(NUMBERS), st.floats(-200, 200), SCALES, st.floats(-50, 50))
def test_what_is_written_reads_back(type: ua.VariantType, value: float, scale: float, offset: float) -> None:
    """To half a step of an integer, to seven digits of a Float; or it is refused in words."""
    address = OpcuaAddress("i=1", scale=scale, offset=offset)
    try:
        sent = struct_to_binary(encode(value, type, address))
    except CannotEncode:
        assert not holds((value - offset) / scale, type)
        return
    reading = decode(struct_from_binary(ua.DataValue, Buffer(sent)), address, number_point())
    assert reading.quality is Quality.GOOD
    assert isinstance(reading.value, int | float)
    # A Float is rounded to 24 bits on its way out, and to the shortest decimal on its way in.
    step = abs(scale) / 2 if type in INTEGERS else 2 * 2**-24 * abs(value - offset)
    assert abs(reading.value - value) <= step * 1.000001 + 1e-9


@given(st.sampled_from(sorted(INTEGERS)), st.integers(-(2**70), 2**70))
def test_an_integer_fits_or_is_refused(type: ua.VariantType, value: int) -> None:
    address = OpcuaAddress("i=1")
    try:
        sent = struct_to_binary(encode(value, type, address))
    except CannotEncode:
        return
    reading = decode(struct_from_binary(ua.DataValue, Buffer(sent)), address, number_point())
    assert reading.value == value


@given(st.floats(width=32, allow_nan=False))
def test_the_shortest_decimal_is_the_same_float(raw: float) -> None:
    assert struct.pack("<f", shortest(raw)) == struct.pack("<f", raw)


@given(st.decimals(-9999, 9999, places=2))
def test_what_people_write_to_a_float_reads_back_to_the_letter(value: Decimal) -> None:
    """Six digits are always safe in 32 bits."""
    address = OpcuaAddress("i=1")
    sent = struct_to_binary(encode(float(value), ua.VariantType.Float, address))
    assert decode(struct_from_binary(ua.DataValue, Buffer(sent)), address, number_point()).value == float(value)


@given(st.binary(max_size=60), POINTS, st.sampled_from([(), ("a", "", "b")]))
def test_whatever_comes_is_a_reading(data: bytes, point: Point, states: tuple[str, ...]) -> None:
    """Bytes that are a value become one that can be used, or BAD and a reason; others raise what the client expects."""
    try:
        found = struct_from_binary(ua.DataValue, Buffer(data))
    except (*GARBLED, ua.UaError):
        return
    reading = decode(found, OpcuaAddress("i=1", states=states), point)
    assert (reading.value is None) == (reading.quality is Quality.BAD)
    assert reading.reason or reading.quality is not Quality.BAD
    if isinstance(reading.value, float):
        assert math.isfinite(reading.value)
    assert len(spelt(found)) < 300


@given(st.binary(min_size=1, max_size=8), st.sampled_from(NUMBERS), POINTS)
def test_every_number_that_there_is_becomes_a_reading(raw: bytes, type: ua.VariantType, point: Point) -> None:
    data = struct.pack("BB", 1, type) + raw.ljust(8, b"\0")
    reading = decode(struct_from_binary(ua.DataValue, Buffer(data)), OpcuaAddress("i=1", scale=1e300), point)
    assert (reading.value is None) == (reading.quality is Quality.BAD)


@given(st.text(max_size=80))
def test_a_node_id_is_read_or_refused_in_words(text: str) -> None:
    for tried in (text, f"ns=2;s={text}", f"ns=2;i={text}", f"nsu={text};g={text}", f"b={text}"):
        name = parsed_node(tried)
        assert isinstance(name, NodeName) or ";" in name


def test_an_array_of_nothing_costs_nothing() -> None:
    with pytest.raises(ua.UaError):
        struct_from_binary(ua.DataValue, Buffer(struct.pack("<BBi", 1, 0x80, 2**31 - 1)))


# --- a million answers ------------------------------------------------------------------------------------------------


def seeds() -> list[tuple[type[Any], bytes]]:
    """A read's answer and a subscription's message: with a number, a bad status, texts, and with all of them."""
    values = [
        ua.DataValue(ua.Variant(21.5, ua.VariantType.Double), SourceTimestamp=cast("Any", NOW)),
        ua.DataValue(ua.Variant(3, ua.VariantType.UInt16), ua.StatusCode(cast("Any", "BadSensorFailure"))),
        ua.DataValue(ua.Variant([ua.LocalizedText("off")], ua.VariantType.LocalizedText)),
    ]
    answers = [each for told in (*([value] for value in values), values) for each in (read_of(told), change_to(told))]
    return [(type(each), struct_to_binary(each)) for each in answers]


def read_of(values: list[ua.DataValue]) -> ua.ReadResponse:
    return ua.ReadResponse(Results=values)


def change_to(values: list[ua.DataValue]) -> ua.PublishResponse:
    items = [ua.MonitoredItemNotification(cast("Any", number), value) for number, value in enumerate(values)]
    message = ua.NotificationMessage(NotificationData=[cast("Any", ua.DataChangeNotification(items))])
    return ua.PublishResponse(Parameters=ua.PublishResult(NotificationMessage=message))


def feed_garbage(count: int) -> int:
    """How many of so many changed answers cannot be read; of the others every value becomes a reading."""
    chance, known, garbled = random.Random(6), seeds(), 0
    address, points = OpcuaAddress("i=1"), [Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE, t) for t in ValueType]
    for number in range(count):
        kind, data = chance.choice(known)
        changed = bytearray(data)
        for _ in range(1 + number % 3):
            changed[chance.randrange(4, len(changed))] = chance.getrandbits(8)
        end = chance.randrange(len(changed)) if number % 5 == 0 else len(changed)
        try:
            answer: Any = struct_from_binary(kind, Buffer(bytes(changed[:end])))
        except (*GARBLED, ua.UaError):
            garbled += 1
            continue
        for value in values_in(answer):
            reading = decode(value, address, chance.choice(points))
            assert (reading.value is None) == (reading.quality is Quality.BAD)
    return garbled


def values_in(answer: Any) -> list[ua.DataValue]:
    if isinstance(answer, ua.ReadResponse):
        return list(answer.Results or ())
    parts: list[Any] = answer.Parameters.NotificationMessage.NotificationData or []
    told = [item.Value for part in parts if isinstance(part, ua.DataChangeNotification) for item in part.MonitoredItems]
    return [value for value in told if value is not None]


def test_thousands_of_changed_answers() -> None:
    assert 0 < feed_garbage(3_000) < 3_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_million_changed_answers() -> None:
    feed_garbage(10_000)
    gc.collect()
    before = sys.getallocatedblocks()
    assert 0 < feed_garbage(1_000_000) < 1_000_000
    gc.collect()
    assert sys.getallocatedblocks() - before < 10_000  # a hundredth of a piece an answer: the library's own caches
