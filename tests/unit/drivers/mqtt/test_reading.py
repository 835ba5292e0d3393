"""How good a message is, and how old."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.core.point import Binding, Point, PointId, PointKind, Range
from controller.core.sample import Quality, Sample
from controller.core.units import Unit
from drivers.mqtt.address import Availability, MqttAddress
from drivers.mqtt.codec import Payload
from drivers.mqtt.reading import Arrival, is_online, route_of, sample_of

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
RECEIVED = 1000.0
POINT = Point(PointId("hall.meter_1.power"), PointKind.SENSOR, Unit.KILOWATT, plausible=Range(0, 100))
GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def read(body: dict[str, Any], doubt: str = "", **said: Any) -> Sample | None:
    binding = Binding(POINT, "meter", MqttAddress("meter", path="kw", **said))
    return sample_of(route_of(binding), Payload(json.dumps(body).encode()), Arrival(doubt, NOW, RECEIVED))


def seconds_ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def test_a_new_message_is_as_old_as_its_arrival() -> None:
    assert read({"kw": 5}) == (5, GOOD, "", NOW, RECEIVED)


def test_implausible_is_bad() -> None:
    sample = read({"kw": 500})
    assert sample is not None
    assert sample[:3] == (None, BAD, "implausible: 500 lies outside 0 to 100")


@pytest.mark.parametrize(
    "retained, expected", [("doubted", (5, UNCERTAIN, "retained")), ("good", (5, GOOD, "")), ("ignored", None)]
)
def test_a_message_of_unknown_age(retained: Any, expected: tuple[object, ...] | None) -> None:
    sample = read({"kw": 5}, "retained", retained=retained)
    assert (sample and sample[:3]) == expected


@pytest.mark.parametrize("retained", ["doubted", "good"])
def test_a_retained_message_is_as_old_as_it_says(retained: Any) -> None:
    sample = read({"kw": 5, "at": seconds_ago(3600)}, "retained", retained=retained, timestamp="at")
    assert sample == (5, GOOD, "", NOW - timedelta(hours=1), RECEIVED - 3600)


@pytest.mark.parametrize("seconds, age", [(4, 4), (-4, 0)])
def test_a_clock_may_be_a_little_off(seconds: float, age: float) -> None:
    sample = read({"kw": 5, "at": seconds_ago(seconds)}, timestamp="at")
    assert sample == (5, GOOD, "", NOW - timedelta(seconds=age), RECEIVED - age)


@pytest.mark.parametrize("seconds, doubt", [(60, ""), (-60, ""), (-60, "retained")])
def test_a_clock_that_is_far_off_is_not_believed(seconds: float, doubt: str) -> None:
    sample = read({"kw": 5, "at": seconds_ago(seconds)}, doubt, timestamp="at")
    assert sample == (5, UNCERTAIN, "device clock is off by 60 s", NOW, RECEIVED)


def test_a_timestamp_that_is_missing_or_unreadable() -> None:
    assert read({"kw": 5}, timestamp="at") == (5, UNCERTAIN, "no timestamp", NOW, RECEIVED)
    assert read({"kw": 5, "at": "noon"}, "retained", timestamp="at") == (5, UNCERTAIN, "retained", NOW, RECEIVED)


def test_a_message_that_does_not_speak_of_the_point() -> None:
    assert read({"other": 5}) is None


@pytest.mark.parametrize(
    "body, said",
    [
        (b'{"state": "online"}', True),
        (b'{"state": "offline"}', False),
        (b"online", True),
        (b"offline", False),
        (b'{"state": "asleep"}', None),
        (b'{"other": "online"}', None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_whether_a_device_is_there(body: bytes, said: bool | None) -> None:
    assert is_online(Availability("there", path="state"), Payload(body)) is said
