"""Property values to samples and back."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.core.point import Point, PointId, PointKind, Range, ValueType
from controller.core.sample import Quality, Scalar
from controller.core.units import DEVICE_UNITS, Unit
from drivers.bacnet.address import BacnetAddress, ObjectId, Reference
from drivers.bacnet.answers import refusal
from drivers.bacnet.codec import CannotDecode, CannotEncode, Slots, belief, decode, encode, sample_of, slots
from drivers.bacnet.names import OUT_OF_SERVICE, RELIABILITY, STATUS_FLAGS
from drivers.bacnet.units import ENGINEERING_UNITS, unit_of
from drivers.bacnet.wire import Kind, Raw, Refusal, Refused, Value

NOW = datetime(2024, 7, 1, tzinfo=UTC)
NULL = Raw(Kind.NULL, None)


def point(type: ValueType = ValueType.NUMBER) -> Point:
    return Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE, type, plausible=Range(-100.0, 100.0))


def at(object: str, **more: Any) -> BacnetAddress:
    return BacnetAddress(object, "10.0.0.1", **more)


@pytest.mark.parametrize(
    "object, raw, type, value",
    [
        ("analog-input,1", Raw(Kind.REAL, 21.5), ValueType.NUMBER, 21.5),
        ("analog-input,1", Raw(Kind.REAL, 21.6), ValueType.INTEGER, 22),
        ("analog-input,1", Raw(Kind.REAL, 0.0), ValueType.BOOLEAN, False),
        ("binary-input,1", Raw(Kind.ENUMERATED, 1), ValueType.BOOLEAN, True),
        ("binary-input,1", Raw(Kind.ENUMERATED, 1), ValueType.NUMBER, 1),
        ("multi-state-input,1", Raw(Kind.UNSIGNED, 3), ValueType.INTEGER, 3),
        ("accumulator,1", Raw(Kind.UNSIGNED, 2**40), ValueType.INTEGER, 2**40),
        ("characterstring-value,1", Raw(Kind.TEXT, "auto"), ValueType.TEXT, "auto"),
        ("device,1", Raw(Kind.BOOLEAN, True), ValueType.NUMBER, 1.0),
    ],
)
def test_a_value_is_what_the_point_is(object: str, raw: Raw, type: ValueType, value: Scalar) -> None:
    decoded = decode((raw,), point(type), at(object))
    assert decoded == value
    assert isinstance(decoded, bool) == isinstance(value, bool)


@pytest.mark.parametrize(
    "object, states, number, text",
    [
        ("multi-state-value,1", ("off", "on"), 1, "off"),
        ("multi-state-value,1", ("off", "on"), 2, "on"),
        ("binary-value,1", ("off", "on"), 0, "off"),
        ("binary-value,1", ("off", "on"), 1, "on"),
    ],
)
def test_states_are_texts_both_ways(object: str, states: tuple[str, ...], number: int, text: str) -> None:
    address = at(object, states=states)
    kind = Kind.ENUMERATED if object.startswith("binary") else Kind.UNSIGNED
    assert decode((Raw(kind, number),), point(ValueType.TEXT), address) == text
    assert encode(text, address, None) == Raw(kind, number)


@pytest.mark.parametrize(
    "value, type, wrong",
    [
        ((), ValueType.NUMBER, "no value"),
        ((NULL, NULL), ValueType.NUMBER, "2 values where one was expected"),
        ((NULL,), ValueType.NUMBER, "null"),
        ((Raw(Kind.REAL, math.nan),), ValueType.NUMBER, "not a number"),
        ((Raw(Kind.REAL, math.inf),), ValueType.INTEGER, "not a number"),
        ((Raw(Kind.TEXT, "21.5"),), ValueType.NUMBER, "not a number: text 21.5"),
        ((Raw(Kind.BITS, (True,)),), ValueType.BOOLEAN, "not a number: bits 1"),
        ((Raw(Kind.UNSIGNED, 0),), ValueType.TEXT, "state 0 has no text"),
        ((Raw(Kind.REAL, 1.0),), ValueType.TEXT, "no text: real 1.0"),
    ],
)
def test_what_is_no_value_of_the_point_says_why(value: Value, type: ValueType, wrong: str) -> None:
    with pytest.raises(CannotDecode, match=f"^{wrong}$"):
        decode(value, point(type), at("multi-state-value,1", states=("off", "on")))


def test_a_value_outside_the_plausible_is_bad() -> None:
    sample = sample_of(point(), at("analog-input,1"), (Raw(Kind.REAL, 1e9),), belief(ObjectId(0, 1), {}), NOW, 0.0)
    assert (sample.quality, sample.value) == (Quality.BAD, None)
    assert sample.reason.startswith("implausible")


@pytest.mark.parametrize(
    "object, value, raw",
    [
        ("analog-value,1", 21.5, Raw(Kind.REAL, 21.5)),
        ("analog-value,1", 0.1, Raw(Kind.REAL, 0.10000000149011612)),
        ("large-analog-value,1", 0.1, Raw(Kind.DOUBLE, 0.1)),
        ("integer-value,1", -3.4, Raw(Kind.INTEGER, -3)),
        ("positive-integer-value,1", 7, Raw(Kind.UNSIGNED, 7)),
        ("multi-state-output,1", 2, Raw(Kind.UNSIGNED, 2)),
        ("binary-output,1", True, Raw(Kind.ENUMERATED, 1)),
        ("lighting-output,1", 80.0, Raw(Kind.REAL, 80.0)),
    ],
)
def test_a_value_is_spelt_as_the_object_has_it(object: str, value: Scalar, raw: Raw) -> None:
    assert encode(value, at(object), None) == raw


def test_other_properties_are_spelt_as_they_were_read() -> None:
    address = at("analog-value,1", property="high-limit", scale=0.5)
    assert encode(10.0, address, Kind.REAL) == Raw(Kind.REAL, 20.0)
    assert encode(True, at("binary-value,1", property="out-of-service"), Kind.BOOLEAN) == Raw(Kind.BOOLEAN, True)
    with pytest.raises(CannotEncode, match="not read yet"):
        encode(10.0, address, None)


@pytest.mark.parametrize(
    "object, value, wrong",
    [
        ("analog-value,1", math.nan, "is not a number"),
        ("analog-value,1", 1e39, "more than a real can hold"),
        ("analog-value,1", "warm", "none of the states"),
        ("binary-output,1", 0.5, "neither on nor off"),
        ("positive-integer-value,1", -1, "which cannot hold it"),
        ("multi-state-value,1", "heat", "none of the states off, on"),
        ("characterstring-value,1", 5.0, "holds a text"),
    ],
)
def test_what_cannot_be_spelt_says_why(object: str, value: Scalar, wrong: str) -> None:
    states = ("off", "on") if object.startswith("multi") else ()
    with pytest.raises(CannotEncode, match=wrong):
        encode(value, at(object, states=states), None)


def test_the_worst_that_an_object_says_counts() -> None:
    object = ObjectId(0, 1)
    answers: dict[Reference, Value | Refusal] = {
        Reference(object, STATUS_FLAGS): (Raw(Kind.BITS, (False, False, True, True)),),
        Reference(object, OUT_OF_SERVICE): (Raw(Kind.BOOLEAN, True),),
        Reference(object, RELIABILITY): (Raw(Kind.ENUMERATED, 0),),
    }
    assert belief(object, answers) == (Quality.UNCERTAIN, "out of service")
    answers[Reference(object, RELIABILITY)] = (Raw(Kind.ENUMERATED, 5),)
    assert belief(object, answers) == (Quality.BAD, "unreliable: shorted loop")
    nothing_said = dict.fromkeys(answers, refusal(Refused(2, 32)))
    assert belief(object, nothing_said) == (Quality.GOOD, "")


@pytest.mark.parametrize(
    "flags", [refusal(Refused(0, 3)), refusal(Refused(2, 27)), Refusal("aborted: out-of-resources"), Refusal("garbled")]
)
def test_flags_that_are_there_and_not_told_leave_the_value_in_doubt(flags: Refusal) -> None:
    object = ObjectId(0, 1)
    answers: dict[Reference, Value | Refusal] = {Reference(object, STATUS_FLAGS): flags}
    assert belief(object, answers) == (Quality.BAD, flags.reason)
    answers[Reference(object, RELIABILITY)] = (Raw(Kind.ENUMERATED, 5),)
    assert belief(object, answers) == (Quality.BAD, "unreliable: shorted loop")


def test_what_an_object_says_strangely_does_not_count_but_for_its_flags() -> None:
    object = ObjectId(0, 1)
    for value in ((), (NULL,), (Raw(Kind.TEXT, "x"),), (Raw(Kind.BITS, ()),), (NULL, NULL)):
        assert belief(object, {Reference(object, RELIABILITY): value}) == (Quality.GOOD, "")
        assert belief(object, {Reference(object, STATUS_FLAGS): value}) == (Quality.BAD, "garbled status flags")


def test_a_priority_array_says_who_holds_the_object() -> None:
    real = Raw(Kind.REAL, 1.0)
    assert slots((NULL,) * 16, 10) == Slots(0, None)
    assert slots((NULL,) * 9 + (real,) + (NULL,) * 6, 10) == Slots(0, real)
    assert slots((NULL,) * 7 + (real,) * 9, 10) == Slots(8, real)
    assert slots((real,) + (NULL,) * 15, 16) == Slots(1, None)
    for no_array in (None, Refusal("x"), (NULL,) * 15):
        assert slots(no_array, 10) is None


def test_engineering_units_are_known_by_number_and_name() -> None:
    assert all(each.unit in DEVICE_UNITS for each in ENGINEERING_UNITS.values())
    for number, (name, unit) in ENGINEERING_UNITS.items():
        assert unit_of(number) == unit_of(str(number)) == unit_of(name) == unit
    assert unit_of("DEGREES_CELSIUS") == unit_of("degreesCelsius") == unit_of("degC") == "degC"
    assert unit_of(9999) == unit_of("furlongs") == unit_of("") == "none"
