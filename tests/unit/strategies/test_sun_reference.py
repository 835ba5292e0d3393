"""The sun against its reference."""

from __future__ import annotations

from datetime import datetime

import pytest

from strategies.blocks.sun import CIVIL, HORIZON, Span, spans_below
from tests.unit.strategies.sun_days import CITIES, DAYS, SunDay


def difference(day: SunDay, start: datetime | None, end: datetime | None, spans: tuple[Span, ...]) -> float:
    """Largest difference [s] to the reference; fails where one has an event that the other lacks."""
    largest = 0.0
    for expected, edges in ((start, [span.start for span in spans]), (end, [span.end for span in spans])):
        present = [edge for edge in edges if edge is not None]
        assert len(present) == (expected is not None), (day, spans)
        if expected is not None:
            largest = max(largest, abs((present[0] - expected).total_seconds()))
    return largest


def test_the_reference_is_complete() -> None:
    assert (len(CITIES), len(DAYS)) == (19, 19 * 18)
    assert {day.state for day in DAYS} == {"normal", "polar_day", "polar_night"}


@pytest.mark.parametrize("city", CITIES)
def test_the_sun_agrees_with_its_reference_within_two_seconds(city: str) -> None:
    for day in DAYS:
        if day.city == city:
            dark, civil = spans_below(day.position, *day.window, HORIZON, CIVIL)
            assert difference(day, day.sunset, day.sunrise, dark) <= 2.0, day
            assert difference(day, day.dusk, day.dawn, civil) <= 2.0, day
            if day.state == "polar_day":
                assert dark == ()
            if day.state == "polar_night":
                assert dark == ((None, None),)
