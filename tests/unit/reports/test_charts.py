"""Charts and what becomes of them: page and picture."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.reports.charts import Course, Panel, Span, Strip, courses, heading, strips, time_ticks, value_ticks
from controller.reports.drawing import Drawing, Line, Words, as_png, as_svg, stacked

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 7, 6, tzinfo=ZONE).timestamp()


def drawing() -> Drawing:
    times = [BEGIN + 900.0 * number for number in range(96)]
    panel = Panel("power [kW]", [Course("ours", times, [100.0 + number for number in range(96)])])
    strip = Strip("money <saved>", ["Tidewatt"], [[1.0, 2.0, 9.0]], 0, ["#0072b2"], ["seed 0", "seed 1", "seed 2"])
    return stacked(
        [
            heading("A week", ["original", "Tidewatt"]),
            *courses([panel], [Span(BEGIN + 3600.0, BEGIN + 7200.0, "trip")], ZONE),
            *strips([strip], "a dot for each case"),
        ]
    )


def texts(of: Drawing) -> list[str]:
    return [shape.text for shape in of.shapes if isinstance(shape, Words)]


def test_a_page_has_all_that_was_drawn_and_nothing_from_elsewhere() -> None:
    svg = as_svg(drawing(), "a <week>")
    root = ElementTree.fromstring(svg)
    found = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert found == texts(drawing())
    assert "money <saved>" in found
    assert "<title>seed 2: 9</title>" in svg
    assert svg.count("http") == 1, "the name of the format, and no address"


def test_a_picture_is_as_large_as_the_drawing_at_double_sharpness() -> None:
    of = drawing()
    png = as_png(of, "en")
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (round(2 * of.width), round(2 * of.height))
    assert len(png) > 5000


def test_what_happened_is_named_and_the_median_told() -> None:
    assert "trip" in texts(drawing())
    assert "2" in texts(drawing())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_round_numbers_enclose_the_values(values: list[float]) -> None:
    ticks = value_ticks(values)
    assert 2 <= len(ticks) <= 12
    slack = 1e-6 * (ticks[-1] - ticks[0])
    assert ticks[0] - slack <= min(values)
    assert max(values) <= ticks[-1] + slack


@pytest.mark.parametrize(
    "days, labels",
    [
        (1, ["07-06", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "07-07"]),
        (7, ["07-06", "07-07", "07-08", "07-09", "07-10", "07-11", "07-12", "07-13"]),
    ],
)
def test_time_is_told_in_hours_or_in_days(days: int, labels: list[str]) -> None:
    assert [label for _, label in time_ticks(BEGIN, BEGIN + days * 86400.0, ZONE)] == labels


def test_means_are_steps_as_long_as_they_last_and_instants_are_joined() -> None:
    times = [BEGIN, BEGIN + 900.0]
    of = courses(
        [Panel("power", [Course("mean", times, [0.0, 1.0], 900.0), Course("at", times, [0.0, 1.0])])], [], ZONE
    )
    steps, joined = [shape.points for shape in of[1].shapes if isinstance(shape, Line) and shape.width == 1.5]
    assert [y for _, y in steps] == [steps[0][1], steps[0][1], steps[-1][1], steps[-1][1]]
    assert steps[1][0] == steps[2][0] == joined[-1][0], "half of the axis"
    assert steps[-1][0] - steps[1][0] == pytest.approx(steps[1][0] - steps[0][0])
