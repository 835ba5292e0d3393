"""Values as gateways spell them, and commands as they want them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from controller.core.event import JsonValue
from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.units import Linear, Unit
from drivers.mqtt.address import MqttAddress
from drivers.mqtt.codec import CannotDecode, CannotEncode, Payload, encode, moment_of, value_of
from drivers.mqtt.path import MISSING, parse_path, spelt

NUMBER, WHOLE, SWITCH, TEXT = ValueType.NUMBER, ValueType.INTEGER, ValueType.BOOLEAN, ValueType.TEXT


def bound(type: ValueType, states: tuple[str, ...] = (), **said: Any) -> Binding[MqttAddress]:
    point = Point(PointId("hall.lamp_1.value"), PointKind.SENSOR, Unit.NONE, type, states=states)
    return Binding(point, "lamp", MqttAddress("lamp", **said))


@pytest.mark.parametrize(
    "type, raw, value",
    [
        (NUMBER, 21.5, 21.5),
        (NUMBER, 7, 7),
        (NUMBER, "21.5", 21.5),
        (NUMBER, " -3e2 ", -300.0),
        (NUMBER, ".5", 0.5),
        (WHOLE, 7.6, 8),
        (WHOLE, "9007199254740993", 9007199254740993),
        (SWITCH, True, True),
        (SWITCH, "ON", True),
        (SWITCH, "off", False),
        (SWITCH, 0, False),
        (SWITCH, 1.0, True),
        (SWITCH, "true", True),
        (TEXT, "eco", "eco"),
        (TEXT, 3, "3"),
        (TEXT, "夜间", "夜间"),
    ],
)
def test_what_is_a_value(type: ValueType, raw: JsonValue, value: object) -> None:
    found = value_of(raw, bound(type))
    assert (found, found.__class__) == (value, value.__class__)


@pytest.mark.parametrize(
    "type, raw, reason",
    [
        (NUMBER, "21,5", "'21,5' is not a number"),
        (NUMBER, "21.5 °C", "'21.5 °C' is not a number"),
        (NUMBER, "", "'' is not a number"),
        (NUMBER, "nan", "'nan' is not a number"),
        (NUMBER, "1_000", "'1_000' is not a number"),
        (NUMBER, "٣", "'٣' is not a number"),
        (NUMBER, "0x10", "'0x10' is not a number"),
        (NUMBER, False, "false is not a number"),
        (NUMBER, 10**400, "number is too large"),
        (NUMBER, "9" * 1000, f"'{'9' * 40}'... is not a number"),
        (WHOLE, 1e30, "number is too large"),
        (SWITCH, "perhaps", "'perhaps' is neither on nor off"),
        (SWITCH, 2, "'2' is neither on nor off"),
        (TEXT, "a\x1b[31m", "text with unprintable characters"),
        (TEXT, "\ud800", "text with unprintable characters"),
        (TEXT, "x" * 300, "text of 300 characters is too long"),
        (TEXT, None, "no value (null)"),
        (TEXT, ["a"], "a list is no value"),
        (TEXT, {"a": 1}, "an object is no value"),
    ],
)
def test_what_is_none(type: ValueType, raw: JsonValue, reason: str) -> None:
    with pytest.raises(CannotDecode) as caught:
        value_of(raw, bound(type))
    assert str(caught.value) == reason


def test_a_text_that_has_states_is_one_of_them() -> None:
    assert value_of("eco", bound(TEXT, ("eco", "day"))) == "eco"
    with pytest.raises(CannotDecode, match="'x' is none of eco, day"):
        value_of("x", bound(TEXT, ("eco", "day")))


def test_texts_of_the_wire_that_stand_for_values() -> None:
    speeds = bound(NUMBER, values={"low": 1, "high": 3, "2": 2, "true": 9}, scale=0.1)
    assert [value_of(raw, speeds) for raw in ("low", "high", 2, True)] == [0.1, 0.3, 0.2, 0.9]
    with pytest.raises(CannotDecode, match="'off' is none of low, high"):
        value_of("off", speeds)


def test_a_scale_of_a_tenth_is_exact() -> None:
    assert value_of(3, bound(NUMBER, scale=0.1)) == 0.3
    assert encode(0.3, bound(NUMBER, scale=0.1)) == b"3"
    address = MqttAddress("t", scale=0.1, offset=-10).converted(Linear(0.001, 5))
    assert (address.scale, address.offset) == (pytest.approx(0.0001), pytest.approx(4.99))


@pytest.mark.parametrize(
    "type, said, value, payload",
    [
        (NUMBER, {}, 21.5, b"21.5"),
        (NUMBER, {}, 21.0, b"21"),
        (NUMBER, {"scale": 1 / 254, "decimals": 0}, 0.333, b"85"),
        (NUMBER, {"scale": 0.01}, 0.57, b"57"),
        (NUMBER, {"scale": 1.8, "offset": 32}, 68.0, b"20"),
        (SWITCH, {}, True, b"true"),
        (SWITCH, {"values": {"ON": True, "OFF": False}}, 0, b"OFF"),
        (SWITCH, {"values": {"on": True}, "command_values": {"1": True, "0": False}}, False, b"0"),
        (SWITCH, {"values": {"ON": True}, "command_payload": '{"state": "{value}"}'}, 1, b'{"state": "ON"}'),
        (SWITCH, {"values": {"ON": True}, "command_payload": '{"state": {value}}'}, 1, b'{"state": "ON"}'),
        (SWITCH, {"command_payload": '{"state": {value}}'}, True, b'{"state": true}'),
        (NUMBER, {"command_payload": '{"b": {value}, "transition": 2}'}, 127.0, b'{"b": 127, "transition": 2}'),
        (NUMBER, {"command_payload": "SET {value};"}, 3, b"SET 3;"),
        (TEXT, {"command_payload": '["{value}"]'}, 'a"b', b'["a\\"b"]'),
        (TEXT, {}, "夜间", "夜间".encode()),
    ],
)
def test_commands(type: ValueType, said: dict[str, Any], value: Any, payload: bytes) -> None:
    assert encode(value, bound(type, command_topic="lamp/set", **said)) == payload


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.5])
def test_what_cannot_be_commanded(value: float) -> None:
    with pytest.raises(CannotEncode):
        encode(value, bound(SWITCH, values={"ON": True, "OFF": False}, command_topic="x"))


def test_a_number_that_its_scale_makes_infinite() -> None:
    with pytest.raises(CannotEncode, match="is inf in the device"):
        encode(1e308, bound(NUMBER, scale=1e-6, command_topic="x"))


def test_a_text_that_no_wire_carries() -> None:
    with pytest.raises(CannotEncode):
        encode("\ud800", bound(TEXT, command_topic="x"))


@pytest.mark.parametrize(
    "raw",
    [
        1719835200,
        1719835200.0,
        1719835200000,
        "1719835200",
        "2024-07-01T12:00:00Z",
        "2024-07-01T20:00:00+08:00",
        "2024-07-01 12:00:00.000+00:00",
    ],
)
def test_when_a_message_says_it_was(raw: JsonValue) -> None:
    assert moment_of(raw) == datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw, reason",
    [
        ("2024-07-01T12:00:00", "timestamp without a time zone"),
        ("noon", "timestamp cannot be read"),
        (1e300, "timestamp cannot be read"),
        ("9" * 400, "timestamp cannot be read"),
        (float("nan"), "timestamp cannot be read"),
        (None, "no timestamp"),
        (True, "no timestamp"),
        (MISSING, "no timestamp"),
    ],
)
def test_when_it_does_not(raw: Any, reason: str) -> None:
    with pytest.raises(CannotDecode) as caught:
        moment_of(raw)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "text", ["", "a", "data.items[2].value", "[0].x", '["a.b"][3]', "DS18B20-1.Temperature", "a b"]
)
def test_paths_are_read_as_they_are_written(text: str) -> None:
    assert spelt(parse_path(text)) == text


@pytest.mark.parametrize("text", [".", "a.", "a..b", "a[", "a[x]", "a[-1]", 'a[""]', "a]b", ".a", "a[0]b", "$['a']"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="is no place in a message; write "):
        parse_path(text)


def test_where_a_path_leads() -> None:
    payload = Payload(b'{"a": [{"b.c": 1}], "n": null}')
    assert payload.raw(parse_path('a[0]["b.c"]')) == 1
    assert payload.raw(parse_path("n")) is None
    for nowhere in ("a[1]", "a.b", "x", "n.x", "[0]"):
        assert payload.raw(parse_path(nowhere)) is MISSING
    assert payload.spelling(parse_path("a[0]")) == '{"b.c": 1}'
    assert payload.spelling(parse_path("x")) == "no x"
    assert Payload(b"\xffON").spelling(()) == "\\xffON"
