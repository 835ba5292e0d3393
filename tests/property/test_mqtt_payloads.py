"""Whatever a broker delivers, it becomes a sample or a few words; nothing is raised, hangs or grows."""

from __future__ import annotations

import gc
import json
import math
import random
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.discovery import FoundDevice, FoundPoint
from controller.core.point import Binding, Point, PointId, PointKind, Range, ValueType
from controller.core.sample import Quality, Sample, Scalar
from controller.core.units import DEVICE_UNITS, Unit
from drivers.mqtt.address import MqttAddress
from drivers.mqtt.codec import Payload, encode
from drivers.mqtt.finder import Finder
from drivers.mqtt.path import parse_path, spelt
from drivers.mqtt.reading import Arrival, Route, route_of, sample_of
from tests.sweep import examples

NOW: Final = datetime(2024, 7, 1, 12, tzinfo=UTC)
ARRIVAL: Final = Arrival("", NOW, 0.0)
LONGEST_REASON: Final = 400
ID: Final = re.compile(r"[a-z][a-z0-9_]*")


def _route(type: ValueType, path: str, **said: Any) -> Route:
    plausible = Range(-100, 1e6) if type is ValueType.NUMBER else None
    point = Point(PointId("hall.lamp_1.value"), PointKind.SENSOR, Unit.NONE, type, plausible=plausible)
    return route_of(Binding(point, "lamp", MqttAddress("t", path=path, **said)))


ROUTES: Final = tuple(
    _route(type, path, **said)
    for type in ValueType
    for path, said in (
        ("", {}),
        ("a", {"timestamp": "at"}),
        ("a.b[1]", {"scale": 0.1, "offset": 3}),
        ("a", {"values": {"ON": 1, "OFF": 0, "1": 1}}),
    )
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "at"]), inner, max_size=3),
    max_leaves=8,
)

# A setpoint has a range; far beyond any, a scale may make infinity of it, which is refused.
numbers = st.floats(-1e250, 1e250) | st.integers(-(2**63), 2**63)


def check(sample: Sample | None) -> None:
    if sample is None:
        return
    assert sample.timestamp.utcoffset() is not None
    assert len(sample.reason) <= LONGEST_REASON
    if sample.quality is Quality.BAD:
        assert sample.value is None
        assert sample.reason
    elif isinstance(sample.value, str):
        assert sample.value.isprintable()
    else:
        assert sample.value is not None
        assert math.isfinite(sample.value)


@given(st.sampled_from(ROUTES), st.binary(max_size=200))
def test_any_bytes(route: Route, data: bytes) -> None:
    check(sample_of(route, Payload(data), ARRIVAL))
    Payload(data).spelling(route.path).encode("utf-8", "replace")


@given(st.sampled_from(ROUTES), json_values)
def test_any_json(route: Route, tree: Any) -> None:
    check(sample_of(route, Payload(json.dumps(tree).encode()), ARRIVAL))


_WORDS: Final = (
    *(
        "state_topic",
        "stat_t",
        "cmd_t",
        "command_topic",
        "cmps",
        "dev",
        "ids",
        "name",
        "p",
        "~",
        "availability",
        "topic",
    ),
    *(
        "value_template",
        "schema",
        "brightness",
        "brightness_scale",
        "brightness_command_topic",
        "options",
        "payload_on",
    ),
    *("friendly_name", "type", "definition", "exposes", "features", "property", "access", "unit", "values", "value_on"),
    *("Time", "POWER", "Dimmer", "ENERGY", "TempUnit", "timestamp", "unit_of_measurement"),
)
_TEXTS: Final = (
    "json",
    "light",
    "binary",
    "numeric",
    "enum",
    "composite",
    "a/b",
    "~/x",
    "#",
    "{{ value_json.a }}",
    "°C",
    "",
)
descriptions = st.recursive(
    st.sampled_from(_TEXTS) | st.integers(0, 300) | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=6),
    max_leaves=30,
)
_COMPONENTS: Final = ("sensor", "binary_sensor", "switch", "light", "number", "select", "device", "climate")


@examples(40)
@given(
    st.sampled_from(_COMPONENTS).map(lambda name: f"homeassistant/{name}/a/config")
    | st.sampled_from(["z/bridge/devices", "tele/a/STATE", "tele/a/SENSOR", "", "a", "a/b", "/"]),
    descriptions | st.lists(st.dictionaries(st.sampled_from(_WORDS), descriptions), max_size=2),
)
def test_a_scan_survives_any_description(topic: str, tree: Any) -> None:
    finder = Finder({"host": "broker"})
    finder.hear("a/b", b"1")
    finder.hear(topic, json.dumps(tree).encode())
    for found in finder.found():
        if isinstance(found, FoundPoint):
            assert found.unit in DEVICE_UNITS
            assert ID.fullmatch(found.name)
        elif isinstance(found, FoundDevice):
            assert ID.fullmatch(found.id)


@given(st.lists(st.text("ab.[]0 -", min_size=1).filter(lambda key: '"' not in key) | st.integers(0, 999_999)))
def test_a_path_is_read_as_it_is_written(path: list[str | int]) -> None:
    assert parse_path(spelt(tuple(path))) == tuple(path)


@given(
    numbers, st.floats(1e-6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["{value}", '{"v": {value}}', '["{value}"]'])
)
def test_what_is_sent_is_what_would_be_read(value: float, scale: float, offset: float, payload: str) -> None:
    address = MqttAddress("t", scale=scale, offset=offset, command_topic="c", command_payload=payload)
    point = Point(PointId("hall.lamp_1.value"), PointKind.SETPOINT, Unit.NONE)
    sent = encode(value, Binding(point, "lamp", address))
    path = {"{value}": "", '{"v": {value}}': "v", '["{value}"]': "[0]"}[payload]
    reading = MqttAddress("t", path=path, scale=scale, offset=offset)
    sample = sample_of(route_of(Binding(point, "lamp", reading)), Payload(sent), ARRIVAL)
    assert sample is not None
    assert isinstance(sample.value, float | int)
    assert math.isclose(sample.value, value, rel_tol=1e-9, abs_tol=1e-9 * max(scale, abs(offset), 1.0))


@given(st.booleans(), st.dictionaries(st.text(min_size=1, max_size=9), st.booleans(), min_size=1))
def test_a_switch_is_read_as_it_was_sent(value: bool, extra: dict[str, bool]) -> None:
    values: dict[str, Scalar] = {**extra, "ON": True, "OFF": False}
    address = MqttAddress("t", path="s", values=values, command_topic="c", command_payload='{"s": "{value}"}')
    point = Point(PointId("hall.lamp_1.value"), PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN)
    binding = Binding(point, "lamp", address)
    sample = sample_of(route_of(binding), Payload(encode(value, binding)), ARRIVAL)
    assert sample is not None
    # A text of the wire is taken without the blanks around it.
    assert sample.value is value or any(text != text.strip() for text in extra)


# --- a million messages -----------------------------------------------------------------------------------------------

_SEEDS: Final = (
    b'{"a": 21.5, "at": 1719835200}',
    b'{"a": {"b": [1, "ON", null]}, "at": "2024-07-01T12:00:00Z"}',
    b'{"a": "OFF"}',
    b"21.5",
    b"ON",
    '{"a": "夜间"}'.encode(),
)
_BITS: Final = (
    b"{",
    b"[",
    b'"',
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"\\ud800",
    b"\xff",
    b"null",
    b"[[[[",
    b"9" * 30,
    b",",
)


def _mutations(count: int) -> Iterator[bytes]:
    chance = random.Random(4)
    for number in range(count):
        data = bytearray(_SEEDS[number % len(_SEEDS)])
        for _ in range(1 + number % 3):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[at:at] = chance.choice(_BITS)
                case 1:
                    del data[at : at + chance.randrange(5)]
                case 2 if at < len(data):
                    data[at] = chance.randrange(256)
                case _:
                    data[at:] = data[: chance.randrange(len(data) + 1)]
        yield bytes(data)


@pytest.mark.slow
def test_a_million_messages() -> None:
    before = 0
    for number, data in enumerate(_mutations(1_000_000)):
        route = ROUTES[number % len(ROUTES)]
        check(sample_of(route, Payload(data), ARRIVAL))
        if number == 100_000:
            before = _blocks()
    assert _blocks() - before < 1000


def _blocks() -> int:
    """Pieces of memory that Python has out."""
    gc.collect()
    return sys.getallocatedblocks()


def test_a_nesting_bomb() -> None:
    for bomb in (b"[" * 200_000, b'{"a":' * 50_000, b'{"a": ' + b"[" * 90_000 + b"]" * 90_000 + b"}"):
        sample = sample_of(ROUTES[1], Payload(bomb), ARRIVAL)
        assert sample is not None
        assert sample.reason == "message is nested too deeply"
