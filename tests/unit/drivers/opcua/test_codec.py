"""What a server says of a value, what becomes of it, and back."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from controller.core.point import Point, PointId, PointKind, Range, ValueType
from controller.core.sample import LOCAL_OVERRIDE, Quality, Scalar
from controller.core.units import DEVICE_UNITS, Unit
from drivers.opcua.address import OpcuaAddress, parsed_node
from drivers.opcua.codec import NodeName, built_in_type, decode, encode, node_id, quality_of, status_name
from drivers.opcua.scan import snake_case
from drivers.opcua.units import unit_of

T = ua.VariantType


def point(type: ValueType = ValueType.NUMBER, **more: Any) -> Point:
    return Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE, type, **more)


def value_of(raw: object, wire: ua.VariantType, said: Point, **address: Any) -> Scalar | None:
    return decode(ua.DataValue(ua.Variant(raw, wire)), OpcuaAddress("i=1", **address), said).value


@pytest.mark.parametrize(
    "raw, wire, type, address, value",
    [
        (215, T.Int16, ValueType.NUMBER, {"scale": 0.1}, 21.5),
        (3, T.Byte, ValueType.NUMBER, {"scale": 0.1}, 0.3),
        (50.0, T.Float, ValueType.NUMBER, {"scale": 2.0, "offset": -1.0}, 99.0),
        (2**63, T.UInt64, ValueType.NUMBER, {}, 2**63),
        (2.6, T.Double, ValueType.INTEGER, {}, 3),
        (2, T.UInt16, ValueType.BOOLEAN, {}, True),
        (0.0, T.Double, ValueType.BOOLEAN, {}, False),
        (True, T.Boolean, ValueType.NUMBER, {}, 1),
        (True, T.Boolean, ValueType.BOOLEAN, {}, True),
        (True, T.Boolean, ValueType.TEXT, {"states": ("off", "on")}, "on"),
        ("north", T.String, ValueType.TEXT, {}, "north"),
        (ua.LocalizedText("süd", "de"), T.LocalizedText, ValueType.TEXT, {}, "süd"),
        (2.5, T.Double, ValueType.TEXT, {"states": ("a", "b", "c")}, None),
        (7, T.Int32, ValueType.TEXT, {}, None),
        (None, T.String, ValueType.TEXT, {}, None),
    ],
)
def test_a_value_becomes_what_the_point_holds(
    raw: object, wire: ua.VariantType, type: ValueType, address: dict[str, Any], value: Scalar | None
) -> None:
    found = value_of(raw, wire, point(type), **address)
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)


def test_a_text_must_be_one_of_the_points_own() -> None:
    said = point(ValueType.TEXT, states=("heat", "cool"))
    assert value_of("cool", T.String, said) == "cool"
    assert value_of("dry", T.String, said) is None


def test_what_is_implausible_is_bad() -> None:
    reading = decode(
        ua.DataValue(ua.Variant(151.0, T.Double)), OpcuaAddress("i=1"), point(plausible=Range(-50.0, 150.0))
    )
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert reading.reason.startswith("implausible")


@pytest.mark.parametrize(
    "code, quality, name",
    [
        (0x00000000, Quality.GOOD, "Good"),
        (0x00000480, Quality.GOOD, "Good"),
        (0x00960000, Quality.GOOD, "GoodLocalOverride"),
        (0x40900000, Quality.UNCERTAIN, "UncertainLastUsableValue"),
        (0x808C0400, Quality.BAD, "BadSensorFailure"),
        (0xC0000000, Quality.BAD, "status 0xC0000000"),
        (0x8FFF0000, Quality.BAD, "status 0x8FFF0000"),
    ],
)
def test_the_status_says_how_good_a_value_is(code: int, quality: Quality, name: str) -> None:
    assert (quality_of(code), status_name(code)) == (quality, name)


def test_a_person_at_the_device_is_told_as_by_every_protocol() -> None:
    data = ua.DataValue(ua.Variant(21.5, T.Double), StatusCode=ua.StatusCode(ua.UInt32(0x00960000)))
    reading = decode(data, OpcuaAddress("i=1"), point())
    assert (reading.value, reading.quality, reading.reason) == (21.5, Quality.GOOD, LOCAL_OVERRIDE)


def test_only_the_value_is_sent() -> None:
    """Mask 1: no status, no time. Many servers refuse a write with more (Bad_WriteNotSupported)."""
    from asyncua.ua.ua_binary import struct_to_binary

    assert struct_to_binary(encode(21.5, T.Int16, OpcuaAddress("i=1", scale=0.1))) == b"\x01\x04\xd7\x00"


@pytest.mark.parametrize(
    "text, node",
    [
        ("i=85", ua.NodeId(85, 0)),  # pyright: ignore[reportArgumentType]
        ("ns=2;s=0xAB", ua.NodeId("0xAB", 2)),  # pyright: ignore[reportArgumentType]
        ("nsu=urn:plant;i=70000", ua.NodeId(70000, 1)),  # pyright: ignore[reportArgumentType]
        ("ns=1;b=MHhhYg==", ua.NodeId(b"0xab", 1, ua.NodeIdType.ByteString)),  # pyright: ignore[reportArgumentType]
        ("nsu=urn:elsewhere;i=1", None),
    ],
)
def test_node_ids_are_the_librarys(text: str, node: ua.NodeId | None) -> None:
    name = parsed_node(text)
    assert isinstance(name, NodeName)
    assert node_id(name, ["http://opcfoundation.org/UA/", "urn:plant"]) == node


def test_declared_types() -> None:
    assert [built_in_type(number) for number in (1, 11, 12, 29, 24, 26, 0)] == [
        T.Boolean,
        T.Double,
        T.String,
        T.Int32,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "unit_id, name, unit",
    [
        (4408652, "°C", "degC"),
        (0, "°C", "degC"),
        (0, " kWh ", "kWh"),
        (4937544, "", "kWh"),
        (20529, "%", "%"),
        (-1, "furlong", "none"),
        (2**31 - 1, "", "none"),
    ],
)
def test_engineering_units(unit_id: int, name: str, unit: str) -> None:
    assert unit_of(unit_id, name) == unit
    assert unit in DEVICE_UNITS


@pytest.mark.parametrize(
    "shown, name",
    [
        ("SupplyTemp", "supply_temp"),
        ("CHWSupplyTemp2", "chw_supply_temp2"),
        ("Chiller #1 / kW", "chiller_1_k_w"),
        ("12", "n_12"),
        ("温度", "n"),
        ("x" * 300, "x" * 60),
    ],
)
def test_names_become_ours(shown: str, name: str) -> None:
    assert snake_case(shown) == name
