"""BOPTEST: addresses, units of a test case, and what every error of the library becomes."""

from __future__ import annotations

import http.client
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from controller.core.errors import ConnectFailed, DeviceTimeout, ProtocolViolation
from controller.core.point import Point, PointId, PointKind, ValueType
from controller.core.units import Unit
from drivers.boptest.address import BoptestAddress, BoptestConnection
from drivers.boptest.client import ours
from drivers.boptest.codec import conversion_of, decoded, encoded, why_clipped
from drivers.boptest.running import Signal


@pytest.mark.parametrize(
    "said, told",
    [
        ({}, "give exactly one"),
        ({"measurement": "reaTZon_y", "input": "oveTSet_u"}, "give exactly one"),
        ({"input": "oveTSet"}, "does not end in _u"),
        ({"measurement": "rea T"}, "is no name of a test case"),
        ({"measurement": "../kpi"}, "is no name of a test case"),
        ({"measurement": "reaTZon_y", "ahead": timedelta(hours=1)}, "only a forecast looks ahead"),
        ({"forecast": "TDryBul", "ahead": timedelta(days=8)}, "out of range"),
    ],
)
def test_an_address_that_cannot_be_says_what_would_be_right(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        BoptestAddress(**said)


@pytest.mark.parametrize(
    "said, told",
    [
        ({"url": "10.0.0.20"}, "write it as http://10.0.0.20:80"),
        ({"url": "http://10.0.0.20:port"}, "cannot be read"),
        ({"url": "http://somebody:word@10.0.0.20"}, "asks for none"),
        ({"url": "http://10.0.0.20/?x=1"}, "goes on behind its path"),
        ({"url": "http://10.0.0.20", "test_case": "a/b"}, "is no name"),
        ({"url": "http://10.0.0.20", "step": timedelta(minutes=7)}, "does not divide the hour"),
        ({"url": "http://10.0.0.20", "timeout": timedelta(0)}, "out of range"),
        ({"url": "http://10.0.0.20", "year": 1}, "out of range"),
    ],
)
def test_a_connection_that_cannot_be_says_what_would_be_right(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        BoptestConnection(**said)


def test_only_inputs_are_written_and_places_are_told_apart() -> None:
    addresses = [
        BoptestAddress(input="oveTSet_u"),
        BoptestAddress(measurement="reaTZon_y"),
        BoptestAddress(forecast="TDryBul"),
        BoptestAddress(forecast="TDryBul", ahead=timedelta(hours=6)),
    ]
    assert [each.can_write for each in addresses] == [True, False, False, False]
    assert len({each.key for each in addresses}) == 4


def point(unit: Unit, type: ValueType = ValueType.NUMBER) -> Point:
    return Point(PointId("home.zone_1.value"), PointKind.SENSOR, unit, type)


@pytest.mark.parametrize(
    "unit, inside, raw, value",
    [
        ("K", Unit.CELSIUS, 294.15, 21.0),
        ("K", Unit.KELVIN, 2.0, 2.0),  # a difference
        ("W", Unit.KILOWATT, 1500.0, 1.5),
        ("Pa", Unit.KILOPASCAL, 101325.0, 101.325),
        ("1", Unit.FRACTION, 0.25, 0.25),
        ("m3/s", Unit.KILOGRAM_PER_SECOND, 0.001, 0.998),
        ("ppm", Unit.PARTS_PER_MILLION, 420.0, 420.0),
        ("rad", Unit.NONE, 3.0, 3.0),
        ("", Unit.CELSIUS, 21.0, 21.0),
    ],
)
def test_the_case_says_its_unit_and_the_point_has_ours(unit: str, inside: Unit, raw: float, value: float) -> None:
    conversion = conversion_of(point(inside), Signal(unit, None, None, ""))
    assert conversion is not None
    there = decoded(point(inside), raw, conversion)
    assert there == pytest.approx(value)
    assert there is not None
    assert encoded(there, conversion) == pytest.approx(raw)


def test_units_that_do_not_fit_are_not_guessed() -> None:
    assert conversion_of(point(Unit.CELSIUS), Signal("W", None, None, "")) is None
    assert conversion_of(point(Unit.KILOWATT), Signal("K", None, None, "")) is None


@pytest.mark.parametrize("raw", [None, "warm", [1.0], {}])
def test_what_is_no_number_is_no_value(raw: object) -> None:
    conversion = conversion_of(point(Unit.NONE), Signal("", None, None, ""))
    assert conversion is not None
    assert decoded(point(Unit.NONE), raw, conversion) is None


def test_switches_and_counts() -> None:
    conversion = conversion_of(point(Unit.NONE), Signal("1", 0.0, 1.0, ""))
    assert conversion is not None
    assert decoded(point(Unit.NONE, ValueType.BOOLEAN), 1.0, conversion) is True
    assert decoded(point(Unit.NONE, ValueType.INTEGER), 6.9999999, conversion) == 7
    assert encoded(True, conversion) == 1.0


def test_what_the_case_would_clip_is_told() -> None:
    setpoint = Signal("K", 278.15, 308.15, "")
    assert why_clipped(295.0, setpoint) == ""
    assert why_clipped(320.0, setpoint) == "320 K lies outside 278.15 to 308.15 and is clipped by the test case"
    assert why_clipped(1e9, Signal("K", None, None, "")) == ""


def library_errors() -> list[type[Exception]]:
    found = [getattr(http.client, name) for name in http.client.__all__]
    return [each for each in found if isinstance(each, type) and issubclass(each, Exception)]


@pytest.mark.parametrize("kind", library_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_library_is_one_of_ours(kind: type[http.client.HTTPException]) -> None:
    error = kind(b"", 1) if kind is http.client.IncompleteRead else kind("x")
    assert isinstance(ours("case", "advance", error), ProtocolViolation | ConnectFailed)


def test_what_the_network_does_is_told_as_such() -> None:
    assert isinstance(ours("case", "advance", TimeoutError("timed out")), DeviceTimeout)
    refused = ours("case", "kpi", ConnectionRefusedError(111, "Connection refused"))
    assert str(refused) == "case: kpi: Connection refused"


def test_naming_boptest_does_not_load_http() -> None:
    program = (
        "import sys; from drivers import driver_kind; driver_kind('boptest'); "
        "sys.exit(any(name in ('http.client', 'ssl', 'pydantic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
