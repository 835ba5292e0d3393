"""BACnet bytes to values and back, against bacpypes3's own encoders and decoders; and bytes of no meaning."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

import math
import struct
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from bacpypes3 import apdu as library
from bacpypes3.basetypes import (
    ErrorType,
    PropertyReference,
    ReadAccessResult,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    ReadAccessSpecification,
    StatusFlags,
)
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.pdu import Address as LibraryAddress
from bacpypes3.primitivedata import (
    Boolean,
    CharacterString,
    Double,
    Enumerated,
    Integer,
    Null,
    ObjectIdentifier,
    Real,
    TagList,
    Unsigned,
)
from hypothesis import given
from hypothesis import strategies as st

from controller.core.point import Point, PointId, PointKind, ValueType
from controller.core.sample import Quality
from controller.core.units import Unit
from drivers.bacnet.address import BacnetAddress, ObjectId, Reference
from drivers.bacnet.codec import CannotEncode, belief, encode, sample_of
from drivers.bacnet.plan import blocks, halves
from drivers.bacnet.wire import (
    Garbled,
    Kind,
    Raw,
    Refused,
    constructed_values,
    read_multiple_answer,
    read_multiple_request,
    read_property_answer,
    read_property_request,
    subscribe_request,
    unsubscribe_request,
    values_of,
    write_property_request,
)

OBJECTS = st.builds(ObjectId, st.integers(0, 1023), st.integers(0, 4194303))
REFERENCES = st.builds(Reference, OBJECTS, st.integers(0, 4194303), st.none() | st.integers(0, 2**32 - 1))
NOW = datetime(2024, 7, 1, tzinfo=UTC)
TYPES = st.sampled_from(ValueType)
FLOATS = st.floats(width=32, allow_nan=False)
RAWS: st.SearchStrategy[Raw] = st.one_of(
    st.just(Raw(Kind.NULL, None)),
    st.builds(Raw, st.just(Kind.BOOLEAN), st.booleans()),
    st.builds(Raw, st.sampled_from((Kind.UNSIGNED, Kind.ENUMERATED)), st.integers(0, 2**32 - 1)),
    st.builds(Raw, st.just(Kind.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.builds(Raw, st.just(Kind.REAL), FLOATS),
    st.builds(Raw, st.just(Kind.DOUBLE), st.floats(allow_nan=False)),
    st.builds(Raw, st.just(Kind.TEXT), st.text(max_size=300)),
)
ATOMS: dict[Kind, Any] = {
    Kind.NULL: Null,
    Kind.BOOLEAN: Boolean,
    Kind.UNSIGNED: Unsigned,
    Kind.INTEGER: Integer,
    Kind.REAL: Real,
    Kind.DOUBLE: Double,
    Kind.TEXT: CharacterString,
    Kind.ENUMERATED: Enumerated,
}


def atom(raw: Raw) -> Any:
    return ATOMS[raw.kind](() if raw.value is None else raw.value)


def content(request: Any) -> bytes:
    return bytes(request.encode().pduData)


def identifier(object: ObjectId) -> Any:
    return ObjectIdentifier((object.type, object.instance))


# --- what we say is what the library would say ------------------------------------------------------------------------


@given(REFERENCES, RAWS, st.none() | st.integers(1, 16))
def test_writes_are_spelt_as_the_library_spells_them(reference: Reference, raw: Raw, priority: int | None) -> None:
    theirs = library.WritePropertyRequest(
        objectIdentifier=identifier(reference.object),
        propertyIdentifier=reference.property,
        propertyArrayIndex=reference.element,
        propertyValue=AnyValue(atom(raw).encode()),
        priority=priority,
        destination=LibraryAddress("10.0.0.1"),
    )
    assert write_property_request(reference, raw, priority) == content(theirs)


@given(REFERENCES)
def test_reads_are_spelt_as_the_library_spells_them(reference: Reference) -> None:
    theirs = library.ReadPropertyRequest(
        objectIdentifier=identifier(reference.object),
        propertyIdentifier=reference.property,
        propertyArrayIndex=reference.element,
        destination=LibraryAddress("10.0.0.1"),
    )
    assert read_property_request(reference) == content(theirs)


@given(st.lists(st.tuples(OBJECTS, st.lists(st.integers(0, 4194303), min_size=1, max_size=5)), min_size=1, max_size=8))
def test_multiple_reads_are_spelt_as_the_library_spells_them(asked: list[tuple[ObjectId, list[int]]]) -> None:
    neighbours = {(one[0], other[0]) for one, other in pairwise(asked)}
    if any(one == other for one, other in neighbours):
        return  # we would ask for both together
    theirs = library.ReadPropertyMultipleRequest(
        listOfReadAccessSpecs=[
            ReadAccessSpecification(
                objectIdentifier=identifier(object),
                listOfPropertyReferences=[PropertyReference(propertyIdentifier=each) for each in properties],
            )
            for object, properties in asked
        ],
        destination=LibraryAddress("10.0.0.1"),
    )
    references = [Reference(object, each) for object, properties in asked for each in properties]
    assert read_multiple_request(references) == content(theirs)


@given(OBJECTS, st.integers(0, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_subscriptions_are_spelt_as_the_library_spells_them(object: ObjectId, process: int, lifetime: int) -> None:
    theirs = library.SubscribeCOVRequest(
        subscriberProcessIdentifier=process,
        monitoredObjectIdentifier=identifier(object),
        issueConfirmedNotifications=True,
        lifetime=lifetime,
        destination=LibraryAddress("10.0.0.1"),
    )
    assert subscribe_request(process, object, lifetime) == content(theirs)
    ending = library.SubscribeCOVRequest(
        subscriberProcessIdentifier=process,
        monitoredObjectIdentifier=identifier(object),
        destination=LibraryAddress("10.0.0.1"),
    )
    assert unsubscribe_request(process, object) == content(ending)


# --- what the library says, we hear -----------------------------------------------------------------------------------


@given(REFERENCES, st.lists(RAWS, max_size=20))
def test_an_answer_is_what_the_library_put_into_it(reference: Reference, raws: list[Raw]) -> None:
    tags = TagList()
    for raw in raws:
        tags.extend(atom(raw).encode())
    answer = library.ReadPropertyACK(
        objectIdentifier=identifier(reference.object),
        propertyIdentifier=reference.property,
        propertyArrayIndex=reference.element,
        propertyValue=AnyValue(tags),
    )
    assert read_property_answer(content(answer)) == (reference, tuple(raws))


@given(st.lists(st.tuples(REFERENCES, RAWS | st.builds(Refused, st.integers(0, 7), st.integers(0, 200))), max_size=20))
def test_an_answer_of_many_is_what_the_library_put_into_it(items: list[tuple[Reference, Raw | Refused]]) -> None:
    def choice(item: Raw | Refused) -> Any:
        if isinstance(item, Refused):
            error = ErrorType(errorClass=item.error_class, errorCode=item.error_code)
            return ReadAccessResultElementChoice(propertyAccessError=error)
        return ReadAccessResultElementChoice(propertyValue=AnyValue(atom(item).encode()))

    answer = library.ReadPropertyMultipleACK(
        listOfReadAccessResults=[
            ReadAccessResult(
                objectIdentifier=identifier(reference.object),
                listOfResults=[
                    ReadAccessResultElement(
                        propertyIdentifier=reference.property,
                        propertyArrayIndex=reference.element,
                        readResult=choice(item),
                    )
                ],
            )
            for reference, item in items
        ]
    )
    told = {reference: item if isinstance(item, Refused) else (item,) for reference, item in items}
    assert read_multiple_answer(content(answer)) == told


@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_status_flags_keep_their_order(flags: list[bool]) -> None:
    theirs: Any = StatusFlags([int(flag) for flag in flags])
    data = bytes(theirs.encode().encode().pduData)
    assert values_of(data) == (Raw(Kind.BITS, tuple(flags)),)


def test_texts_come_in_every_character_set() -> None:
    for code, encoding in ((0, "utf-8"), (4, "utf-16-be"), (3, "utf-32-be")):
        data = bytes([code]) + "冷机".encode(encoding)
        assert values_of(bytes([0x75, len(data)]) + data) == (Raw(Kind.TEXT, "冷机"),)
    assert values_of(b"\x73\x05\xe9\xe8") == (Raw(Kind.TEXT, "éè"),)
    assert values_of(b"\x73\x00\xff\xfe") == (Raw(Kind.TEXT, "��"),)


# --- plans ------------------------------------------------------------------------------------------------------------


@given(st.lists(REFERENCES, unique=True), st.integers(50, 1476), st.none() | st.integers(1, 30))
def test_a_plan_asks_for_everything_once(references: list[Reference], longest: int, most: int | None) -> None:
    plan = blocks(references, longest, most)
    assert [reference for block in plan for reference in block] == references
    assert all(block and (most is None or len(block) <= most) for block in plan)
    for block in plan:
        if len(block) > 1:
            assert sum(halves(block), ()) == block
            assert all(halves(block))


@given(st.lists(st.tuples(OBJECTS, FLOATS), min_size=1, unique_by=lambda item: item[0]), st.integers(50, 1476))
def test_what_a_plan_asks_for_fits_into_an_answer(items: list[tuple[ObjectId, float]], longest: int) -> None:
    values = {Reference(object, 85): value for object, value in items}
    for block in blocks([*values], longest):
        answer = library.ReadPropertyMultipleACK(
            listOfReadAccessResults=[
                ReadAccessResult(
                    objectIdentifier=identifier(each.object),
                    listOfResults=[
                        ReadAccessResultElement(
                            propertyIdentifier=each.property,
                            readResult=ReadAccessResultElementChoice(
                                propertyValue=AnyValue(atom(Raw(Kind.DOUBLE, values[each])).encode())
                            ),
                        )
                    ],
                )
                for each in block
            ]
        )
        assert len(content(answer)) + 3 <= longest


# --- values of no meaning ---------------------------------------------------------------------------------------------

ANYTHING: st.SearchStrategy[Raw] = st.builds(
    Raw,
    st.sampled_from(Kind),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | OBJECTS
    | st.lists(st.booleans(), max_size=9).map(lambda bits: tuple(bits)),
)


def address(kind: str, property: str, states: tuple[str, ...]) -> BacnetAddress:
    states = () if kind.startswith("analog") else states
    return BacnetAddress(f"{kind},1", "10.0.0.1", property=property, states=states)


ADDRESSES = st.builds(
    address,
    st.sampled_from(("analog-value", "binary-value", "multi-state-value", "characterstring-value", "integer-value")),
    st.sampled_from(("present-value", "high-limit")),
    st.sampled_from(((), ("off", "on"))),
)


@given(st.lists(ANYTHING, max_size=3), st.dictionaries(REFERENCES, st.lists(ANYTHING, max_size=3)), ADDRESSES, TYPES)
def test_whatever_a_property_holds_becomes_a_sample(
    raws: list[Raw], said: dict[Reference, list[Raw]], place: BacnetAddress, type: ValueType
) -> None:
    point = Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE, type)
    object = place.reference.object
    answers = {Reference(object, reference.property): tuple(own) for reference, own in said.items()}
    sample = sample_of(point, place, tuple(raws), belief(object, answers), NOW, 0.0)
    assert (sample.value is None) == (sample.quality is Quality.BAD) == (sample.value is None and sample.reason != "")
    assert not isinstance(sample.value, float) or math.isfinite(sample.value)


@given(st.booleans() | st.integers() | st.floats() | st.text(), ADDRESSES, st.none() | st.sampled_from(Kind))
def test_whatever_is_wished_can_be_sent_or_is_refused(
    value: float | bool | str, place: BacnetAddress, seen: Kind | None
) -> None:
    with suppress(CannotEncode):
        assert len(write_property_request(place.reference, encode(value, place, seen), 10)) < 480


# --- bytes of no meaning ----------------------------------------------------------------------------------------------

READERS = (read_property_answer, read_multiple_answer, constructed_values, values_of)


@given(st.binary(max_size=200))
def test_garbage_is_garbled_and_nothing_else(data: bytes) -> None:
    for reader in READERS:
        with suppress(Garbled):
            reader(data)


def feed_garbage(count: int) -> int:
    """How many of `count` changed or random answers could not be read; nothing else may come of them."""
    random = Random(2)
    object = b"\x0c\x00\x00\x00\x03"
    value = b"\x29\x55\x4e\x44" + struct.pack(">f", 21.5) + b"\x4f"
    flags = b"\x29\x6f\x4e\x82\x04\x00\x4f"
    error = b"\x29\x67\x5e\x91\x02\x91\x20\x5f"
    seeds = (object + b"\x1e" + value + flags + error + b"\x1f", object + b"\x19\x55\x3e\x44\x41\xac\x00\x00\x3f")
    garbled = 0
    for number in range(count):
        if number % 4 == 0:
            data = random.randbytes(random.randrange(40))
        else:
            changed = bytearray(seeds[number & 1])
            for _ in range(random.randrange(1, 4)):
                changed[random.randrange(len(changed))] = random.getrandbits(8)
            data = bytes(changed[: random.randrange(len(changed) + 1)] if number % 5 == 0 else changed)
        try:
            READERS[number & 1](data)
        except Garbled:
            garbled += 1
    return garbled


def test_ten_thousand_changed_answers() -> None:
    assert 0 < feed_garbage(10_000) < 10_000


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_million_changed_answers() -> None:
    assert 0 < feed_garbage(1_000_000) < 1_000_000


def test_brackets_that_never_close_end() -> None:
    for data in (b"\x3e" * 5000, b"\x0e" * 5000 + b"\x0f" * 5000, b"\x1e" + b"\x00" * 90_000):
        for reader in READERS:
            with suppress(Garbled):
                reader(data)
