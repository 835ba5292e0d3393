"""What the simulator's own encoders say, the drivers' codecs understand, and the other way round."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.units import Unit
from drivers.bacnet.address import ObjectId, Reference
from drivers.bacnet.wire import Kind, Raw, values_of, write_property_request
from drivers.mqtt.address import MqttAddress
from drivers.mqtt.codec import Payload, encode, value_of
from drivers.mqtt.path import parse_path
from simulator.servers import bacnet_wire as wire
from simulator.servers.mqtt_messages import MqttPlace, commanded, message, steps_of
from simulator.tags import TAGS

MOMENT = datetime(2026, 7, 6, tzinfo=UTC)
BRIGHTNESS, REMOTE = "garage.group_1.brightness_command", "garage.group_1.remote"
PATHS = ("level", "lamps[2].level", '["a.b"].level', "phases[0]")
FORMS = ("{value}", "level={value};", '{"level": {value}}', '{"lamp": {"level": "{value}"}}', "[0, {value}]")


def bound(name: str, **address: Any) -> tuple[Binding[MqttAddress], MqttPlace]:
    tag = TAGS[name]
    said = MqttAddress("state", command_topic="set", **address)
    type = ValueType.BOOLEAN if tag.kind is bool else ValueType.NUMBER
    binding = Binding(Point(PointId(name), PointKind.COMMAND, Unit.NONE, type), "gateway", said)
    return binding, MqttPlace(name, tag, "gateway", said, 0.0)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0, 1.0), st.sampled_from(PATHS), st.sampled_from([1.0, 0.01, 0.001]))
def test_the_driver_reads_what_a_gateway_tells(value: float, path: str, scale: float) -> None:
    binding, place = bound(BRIGHTNESS, path=path, scale=scale)
    assert steps_of(path) == parse_path(path)
    raw: Any = Payload(message([(place, value)], MOMENT)).raw(parse_path(path))
    assert value_of(raw, binding) == pytest.approx(value, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0, 1.0), st.sampled_from(FORMS), st.sampled_from([1.0, 0.01]))
def test_a_gateway_understands_what_the_driver_commands(value: float, form: str, scale: float) -> None:
    binding, place = bound(BRIGHTNESS, command_payload=form, scale=scale)
    assert commanded(place.tag, place.address, encode(value, binding)) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("values", [{}, {"ON": True, "OFF": False}])
@pytest.mark.parametrize("value", [True, False])
def test_a_gateway_understands_switches(form: str, values: dict[str, bool], value: bool) -> None:
    binding, place = bound(REMOTE, command_payload=form, values=values)
    assert commanded(place.tag, place.address, encode(value, binding)) is value


def test_a_command_to_another_place_of_the_same_topic_says_nothing() -> None:
    _, place = bound(REMOTE, command_payload='{"remote": {value}}')
    assert commanded(place.tag, place.address, json.dumps({"level": 40}).encode()) is None
    for nonsense in (b"\xff", b"[", b'{"remote": "perhaps"}', b'{"remote": 7}'):
        with pytest.raises(ValueError, match=r"."):
            commanded(place.tag, place.address, nonsense)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(-(2**31), 2**31 - 1), st.floats(width=32, allow_nan=False))
def test_the_driver_reads_what_a_bacnet_device_spells(whole: int, signed: int, number: float) -> None:
    spelt = [
        (wire.unsigned(whole), Kind.UNSIGNED, whole),
        (wire.enumerated(whole), Kind.ENUMERATED, whole),
        (wire.integer(signed), Kind.INTEGER, signed),
        (wire.real(number), Kind.REAL, number),
        (wire.double(number), Kind.DOUBLE, number),
        (wire.text("冷水机组"), Kind.TEXT, "冷水机组"),
        (wire.bits(False, True, False, True), Kind.BITS, (False, True, False, True)),
        (wire.boolean(True), Kind.BOOLEAN, True),
        (wire.null(), Kind.NULL, None),
        (wire.object_id((8, 1001)), Kind.OBJECT, ObjectId(8, 1001)),
    ]
    assert values_of(b"".join(each for each, _, _ in spelt)) == tuple(Raw(kind, value) for _, kind, value in spelt)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 4_194_302), st.sampled_from([None, 9, 16]), st.floats(width=32, allow_nan=False))
def test_a_bacnet_device_reads_what_the_driver_writes(number: int, slot: int | None, value: float) -> None:
    reference = Reference(ObjectId(2, number), 85)
    fields = wire.Fields(write_property_request(reference, Raw(Kind.REAL, value), slot))
    assert (fields.place(0), fields.whole(1), fields.optional(2)) == ((2, number), 85, None)
    (tag,) = fields.bracketed(3)
    assert wire.number_of(tag) == value
    assert (fields.optional(4), fields.at_end) == (slot, True)
