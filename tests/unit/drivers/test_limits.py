"""The fence that all drivers share."""

from __future__ import annotations

import math

import pytest

from controller.core.point import NothingHappens, Point, PointId, PointKind, Range, SafeValue, ValueType, Writable
from controller.core.sample import Scalar
from controller.core.units import Unit
from drivers.limits import why_doubted, why_refused

WRITABLE = Writable(Range(5.0, 15.0), SafeValue(7.0), NothingHappens(), readback=PointId("a.b.c"))


def point(type: ValueType = ValueType.NUMBER, writable: Writable | None = WRITABLE) -> Point:
    return Point(PointId("a.b.c"), PointKind.SETPOINT, Unit.CELSIUS, type, writable=writable)


@pytest.mark.parametrize("value", [5.0, 15, 7.25, None])
def test_lets_pass(value: Scalar | None) -> None:
    assert why_refused(point(), value) == ""


@pytest.mark.parametrize(
    "value, reason",
    [
        (4.999, "4.999 lies outside 5 to 15"),
        (16, "16 lies outside 5 to 15"),
        (True, "1 lies outside 5 to 15"),
        (math.nan, "nan is not a number"),
        (-math.inf, "-inf is not a number"),
        ("7", "'7' is not a number"),
    ],
)
def test_refuses(value: Scalar, reason: str) -> None:
    assert why_refused(point(), value) == reason


def test_text_goes_to_text_points_only() -> None:
    assert why_refused(point(ValueType.TEXT), "hello") == ""
    assert why_refused(point(ValueType.TEXT), 7.0) == "7.0 is no text"


def test_a_whole_number_beyond_all_floats_is_no_number_either() -> None:
    """JSON has no bound for its numbers."""
    assert why_refused(point(ValueType.INTEGER), -(10**400)).endswith("is not a number")
    assert why_doubted(10**400, Range(0, 1)) == "not a number"


@pytest.mark.parametrize("value", [7.0, None])
def test_what_is_not_declared_writable_is_neither_written_nor_relinquished(value: Scalar | None) -> None:
    assert why_refused(point(writable=None), value) == "not writable"


@pytest.mark.parametrize(
    "value, plausible, doubt",
    [
        (20.0, Range(0, 50), ""),
        (20.0, None, ""),
        ("text", Range(0, 50), ""),
        (True, Range(0, 1), ""),
        (50.1, Range(0, 50), "implausible: 50.1 lies outside 0 to 50"),
        (math.nan, None, "not a number"),
        (math.inf, None, "not a number"),
        (math.nan, Range(0, 50), "not a number"),
    ],
)
def test_doubts(value: Scalar, plausible: Range | None, doubt: str) -> None:
    assert why_doubted(value, plausible) == doubt
