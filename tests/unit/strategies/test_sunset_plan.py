"""Sunset lighting: plans on awkward days and at awkward places."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.state_codec import decode, encode
from controller.core.strategy import Plans, Position
from controller.core.twilight import elevation_of
from strategies.blocks.sun import CIVIL, spans_below
from strategies.sunset_lighting import Parameters, SunPlan, SunsetLighting
from tests.sweep import examples
from tests.unit.strategies.sun_days import DAYS
from tests.unit.strategies.sunset import (
    PEOPLE_SQUARE,
    TROMSO,
    planned,
    utc,
)


def test_a_plan_is_a_capability_with_a_limit() -> None:
    strategy = SunsetLighting(Parameters(), 1, has_sensor=True)
    assert isinstance(strategy, Plans)
    assert strategy.plan_every == timedelta(hours=6)
    assert strategy.plan_limit == timedelta(hours=60)


def test_a_plan_travels_and_is_stored() -> None:
    plan = planned(utc("2026-03-20 04:00"), PEOPLE_SQUARE)
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert len(pickle.dumps(plan)) < 2000
    assert decode(SunPlan, encode(plan)) == plan


def test_at_the_end_of_its_limit_a_plan_still_shows_the_next_night() -> None:
    now = utc("2026-06-21 23:59")
    plan = planned(now, PEOPLE_SQUARE)
    assert plan.start <= now - timedelta(days=1)
    assert any(night.on > now + timedelta(hours=60) for night in plan.nights)
    assert plan.end > now + timedelta(hours=60 + 24)


@pytest.mark.parametrize("city", ["Chengdu", "Auckland", "New York"])
def test_nights_are_those_of_a_clear_sky_under_30_lx(city: str) -> None:
    """Among the dates are a leap day and both days on which New York's clocks change."""
    limit = elevation_of(30.0)
    assert limit == pytest.approx(-4.0, abs=0.01)
    for day in [day for day in DAYS if day.city == city][::3]:
        if day.sunset and day.sunrise:
            plan = planned(day.window[0], day.position)
            dark = spans_below(day.position, plan.start, plan.end, limit)[0]
            for start, end in dark:
                assert start is None or any(abs((night.on - start).total_seconds()) <= 1 for night in plan.nights)
                assert end is None or any(abs((night.off - end).total_seconds()) <= 1 for night in plan.nights)
            told = [edge for night in plan.nights for edge in (night.sunset, night.sunrise) if edge]
            for reference in (day.sunset, day.sunrise):
                assert min(abs((edge - reference).total_seconds()) for edge in told) <= 2.0, day


@pytest.mark.parametrize(
    "place, latitude, longitude, day",
    [
        ("Chengdu", 30.5728, 104.0668, "2026-01-23"),
        ("Urumqi", 43.8256, 87.6168, "2026-03-28"),
        ("Lhasa", 29.6500, 91.1000, "2026-03-20"),
    ],
)
def test_a_sunrise_at_midnight_utc_is_nothing_special(place: str, latitude: float, longitude: float, day: str) -> None:
    midnight = utc(day)
    sunrises: list[datetime] = []
    for hours in (-30, -6, 0, 6, 30):
        plan = planned(midnight + timedelta(hours=hours), Position(latitude, longitude))
        rises = [night.sunrise for night in plan.nights if night.sunrise]
        near = [sunrise for sunrise in rises if abs(sunrise - midnight) < timedelta(minutes=5)]
        assert len(near) == 1, place
        sunrises += near
        lengths = [(night.off - night.on) / timedelta(hours=1) for night in plan.nights[1:-1]]
        assert all(8 < length < 16 for length in lengths)
    assert len(set(sunrises)) == 1


def test_the_polar_night_is_one_night_and_the_polar_day_has_none() -> None:
    dark = planned(utc("2026-12-21 12:00"), Position(78.2232, 15.6267))  # Longyearbyen
    assert len(dark.nights) == 1
    assert dark.nights[0].on <= dark.start
    assert dark.nights[0].off >= dark.end
    assert (dark.nights[0].sunset, dark.nights[0].sunrise) == (None, None)
    assert planned(utc("2026-06-21 12:00"), TROMSO).nights == ()


def test_offsets_move_the_switching() -> None:
    plain = planned(utc("2026-03-20 04:00"), PEOPLE_SQUARE)
    moved = planned(utc("2026-03-20 04:00"), PEOPLE_SQUARE, Parameters(-30.0, 20.0))
    for night, other in zip(plain.nights[1:-1], moved.nights[1:-1], strict=True):
        assert other.on == night.on - timedelta(minutes=30)
        assert other.off == night.off + timedelta(minutes=20)
        assert (other.sunset, other.sunrise) == (night.sunset, night.sunrise)


def test_a_sensor_may_shorten_a_night_by_ten_minutes_and_never_the_civil_one() -> None:
    day = next(day for day in DAYS if day.city == "Shanghai" and day.day == date(2026, 3, 8))
    plain, early = planned(day.window[0], day.position), planned(day.window[0], day.position, Parameters(-30.0, 30.0))
    assert day.dusk is not None
    assert day.dawn is not None
    assert min(abs((night.latest_on - day.dusk).total_seconds()) for night in plain.nights) <= 2.0
    assert min(abs((night.earliest_off - day.dawn).total_seconds()) for night in plain.nights) <= 2.0
    for night in early.nights[1:-1]:
        assert night.latest_on - night.on == night.off - night.earliest_off == timedelta(minutes=10)


def test_a_white_night_has_its_lamps() -> None:
    """Saint Petersburg in June: the sun is below -4° for some hours, below -6° for less."""
    nights = planned(utc("2026-06-21 12:00"), Position(59.94, 30.31)).nights
    assert len(nights) >= 5
    assert all(night.on < night.latest_on < night.earliest_off < night.off for night in nights[1:-1])


def test_long_offsets_join_nights() -> None:
    """Tromso in the polar night: the twilight of its noons vanishes between the lit times."""
    plan = planned(utc("2026-12-21 12:00"), TROMSO, Parameters(-120.0, 120.0))
    assert all(one.off < other.on for one, other in zip(plan.nights, plan.nights[1:], strict=False))
    assert len(plan.nights) == 1


@given(
    st.floats(-89.9, 89.9),
    st.floats(-180.0, 180.0),
    st.integers(0, 70 * 365 * 86400).map(lambda seconds: utc("1990-01-01") + timedelta(seconds=seconds)),
    st.integers(-120, 0),
    st.integers(0, 120),
)
@examples(30)  # its first example loads pvlib
def test_every_place_and_day_has_a_plan(
    latitude: float, longitude: float, now: datetime, sunset_offset: float, sunrise_offset: float
) -> None:
    position = Position(latitude, longitude)
    plan = planned(now, position, Parameters(sunset_offset, sunrise_offset))
    assert plan.start <= now < plan.end
    edges = [edge for night in plan.nights for edge in (night.on, night.off)]
    assert edges == sorted(edges)
    for start, end in spans_below(position, plan.start, plan.end, CIVIL)[0]:
        first, last = start or plan.start, end or plan.end
        held = [night for night in plan.nights if night.on <= first and last <= night.off]
        assert held
        assert all(night.latest_on <= max(first, night.on) for night in held[:1] if start)
