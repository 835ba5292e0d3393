"""What InfluxDB gets to read: one line a record, that says the same whatever stands in it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from controller.core.event import Event, EventKind
from controller.core.point import Point, PointId, PointKind
from controller.core.sample import Quality, Sample, Scalar, bad, good
from controller.core.units import Unit
from controller.historian.line_protocol import LONGEST_TEXT, LineProtocol

FLOW = PointId("plant.chiller_1.evaporator_flow")
POINTS = {FLOW: Point(FLOW, PointKind.SENSOR, Unit.KILOGRAM_PER_SECOND)}
AT = datetime(2026, 7, 6, 4, 0, 0, 123456, tzinfo=UTC)
TIME = "1783310400123456"


def line(sample: Sample, site: str = "tower") -> str:
    (only,) = LineProtocol(site, POINTS).lines([(FLOW, sample)])
    return only


def fields(value: Scalar) -> str:
    return line(good(value, AT, 0.0)).rpartition("kg/s ")[2].removesuffix(f" {TIME}")


def event_line(subject: str, text: str = "") -> str:
    (only,) = LineProtocol("tower", POINTS).lines([Event(AT, EventKind.ALARM, subject, {"text": text})])
    return only


def test_a_sample_carries_what_its_point_means() -> None:
    assert line(good(12.5, AT, 0.0)) == (
        "tidewatt,area=plant,equipment=chiller_1,kind=sensor,point=plant.chiller_1.evaporator_flow,"
        f"quantity=evaporator_flow,site=tower,unit=kg/s value=12.5,quality=0i {TIME}"
    )


@pytest.mark.parametrize(
    "value, told",
    [
        (0.1, "value=0.1,quality=0i"),
        (-1e-7, "value=-1e-07,quality=0i"),
        (1e22, "value=1e+22,quality=0i"),
        (7, "value=7.0,quality=0i"),
        (True, "value=1.0,quality=0i"),
        (False, "value=0.0,quality=0i"),
        (math.nan, "quality=0i"),
        (math.inf, "quality=0i"),
        (-math.inf, "quality=0i"),
        ("charge", 'text="charge",quality=0i'),
        ('a "b" \\', 'text="a \\"b\\" \\\\",quality=0i'),
        ("two\nlines", 'text="two lines",quality=0i'),
        ("蓄冷", 'text="蓄冷",quality=0i'),
    ],
)
def test_values(value: Scalar, told: str) -> None:
    assert fields(value) == told


def test_a_gap_has_a_quality_and_a_reason_and_no_value() -> None:
    assert line(bad("device lost: no answer", AT, 0.0)).endswith(f' quality=2i,reason="device lost: no answer" {TIME}')


def test_a_doubtful_value_keeps_both() -> None:
    doubtful = good(3.0, AT, 0.0).worsened(Quality.UNCERTAIN, "frozen")
    assert line(doubtful).endswith(f' value=3.0,quality=1i,reason="frozen" {TIME}')


@pytest.mark.parametrize(
    "site, tag",
    [
        ("Riverside tower, A=1", "site=Riverside\\ tower\\,\\ A\\=1,"),
        ("河畔大厦", "site=河畔大厦,"),
        ("two\nlines", "site=two\\ lines,"),
        ("ends with \\", "site=ends\\ with\\ /,"),
    ],
)
def test_names_of_sites(site: str, tag: str) -> None:
    assert tag in line(good(1.0, AT, 0.0), site)


def test_an_event_keeps_its_body_as_json() -> None:
    assert event_line(FLOW, 'says "no"') == (
        f'tidewatt_event,kind=alarm,site=tower,subject={FLOW} body="{{\\"text\\":\\"says \\\\\\"no\\\\\\"\\"}}" {TIME}'
    )


def test_an_event_about_the_site_itself() -> None:
    assert "subject=Riverside\\ tower " in event_line("Riverside tower")
    assert "subject=none " in event_line("")


def test_a_long_body_is_cut_where_a_field_ends() -> None:
    told = event_line("tower", "冷" * 100_000)
    assert len(told.encode()) < 64_000
    assert told.endswith(f'" {TIME}')
    assert told.count("冷") < LONGEST_TEXT


def test_a_time_that_no_database_can_store_is_left_out() -> None:
    rows = [(FLOW, good(1.0, moment, 0.0)) for moment in (datetime.max.replace(tzinfo=UTC), AT)]
    assert len(LineProtocol("tower", POINTS).lines(rows)) == 1


def test_samples_of_different_times_keep_them() -> None:
    rows = [(FLOW, good(1.0, AT + timedelta(microseconds=n), 0.0)) for n in (0, 0, 1)]
    assert [told[-1] for told in LineProtocol("tower", POINTS).lines(rows)] == ["6", "6", "7"]
