"""Sunset lighting: the sun against its reference, plans on awkward days, decisions as cycle tables."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from controller.core.errors import BadInput
from controller.core.state_codec import decode, encode
from controller.core.strategy import Observation, PlanInput, Plans, Position, Role
from controller.core.twilight import elevation_of
from strategies.blocks.sun import CIVIL, HORIZON, Span, spans_below
from strategies.blocks.timers import Delayed
from strategies.sunset_lighting import KIND, Parameters, State, SunPlan, SunsetLighting
from tests.sweep import examples
from tests.unit.strategies.cycles import SHANGHAI, Cycles

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "sun_reference.csv"
LAMP, OTHER = Role("circuits", 0, "command"), Role("circuits", 1, "command")
LUX = Role("daylight_sensor", 0, "illuminance")
ON, OFF = {LAMP: True, OTHER: True}, {LAMP: False, OTHER: False}
PEOPLE_SQUARE = Position(31.2304, 121.4737)
TROMSO, OSLO_TIME = Position(69.6492, 18.9553), ZoneInfo("Europe/Oslo")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- the sun against its reference ------------------------------------------------------------------------------------


class SunDay(NamedTuple):
    city: str
    position: Position
    zone: ZoneInfo
    day: date
    state: str
    sunrise: datetime | None
    sunset: datetime | None
    dawn: datetime | None
    dusk: datetime | None

    @property
    def window(self) -> tuple[datetime, datetime]:
        """From local midnight to local midnight."""
        first, last = (
            datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
            for day in (self.day, self.day + timedelta(days=1))
        )
        return first, last


def reference_days() -> Iterator[SunDay]:
    with REFERENCE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rise, sunset, dawn, dusk = (
                datetime.fromisoformat(row[f"{name}_utc"]) if row[f"{name}_utc"] else None
                for name in ("sunrise", "sunset", "dawn_civil", "dusk_civil")
            )
            position = Position(float(row["lat"]), float(row["lon"]))
            day = date.fromisoformat(row["date"])
            yield SunDay(row["city"], position, ZoneInfo(row["tz"]), day, row["state"], rise, sunset, dawn, dusk)


DAYS = list(reference_days())
CITIES = sorted({day.city for day in DAYS})


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


# --- plans ------------------------------------------------------------------------------------------------------------


PLAIN = Parameters()


@cache
def planned(now: datetime, position: Position, parameters: Parameters = PLAIN) -> SunPlan:
    strategy = SunsetLighting(parameters, 1, has_sensor=False)
    seen = Observation(now, now, 0.0, {})
    return strategy.plan(PlanInput(now, SHANGHAI, position, seen, None, None))


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


# --- decisions --------------------------------------------------------------------------------------------------------

DAY = "2026-03-20 12:00"


def cycles(start: str = DAY, **parameters: Any) -> Cycles[State]:
    limits: dict[str, Any] = {"dark_illuminance": 30.0, "bright_illuminance": 60.0, "dark_delay": timedelta(seconds=30)}
    made = Cycles(SunsetLighting(Parameters(**{**limits, **parameters}), 2, has_sensor=True), start)
    made.plan = planned(made.now, PEOPLE_SQUARE, Parameters(**parameters))
    return made


def sun_on(local_day: str) -> tuple[datetime, datetime]:
    """Sunset of that local day and the sunrise after it, by the plan."""
    now = datetime.fromisoformat(local_day).replace(hour=12, tzinfo=SHANGHAI).astimezone(UTC)
    night = next(night for night in planned(now, PEOPLE_SQUARE).nights if night.on > now)
    return night.on, night.off


def test_lamps_are_on_from_sunset_to_sunrise() -> None:
    table = cycles()
    sunset, sunrise = sun_on("2026-03-20")
    dusk = (sunset - table.now).total_seconds()
    table.run(
        [
            (0, {}, OFF),
            (dusk - 1, {}, OFF),
            (1, {}, ON),
            ((sunrise - sunset).total_seconds() - 1, {}, ON),
            (1, {}, OFF),
        ]
    )


def test_a_storm_lights_the_day_after_its_delay_and_hysteresis() -> None:
    cycles().run(
        [
            (0, {LUX: 20000.0}, OFF),
            (1, {LUX: 15.0}, OFF),
            (29, {}, OFF),
            (1, {}, ON),
            (60, {LUX: 30.0}, ON),
            (600, {}, ON),
            (1, {LUX: 500.0}, ON),
            (299, {}, ON),
            (1, {}, OFF),
        ]
    )


def test_a_passing_shadow_lights_nothing() -> None:
    cycles().run([(0, {LUX: 15.0}, OFF), (20, {LUX: 500.0}, OFF), (1, {LUX: 15.0}, OFF), (29, {}, OFF)])


def test_a_passing_flash_darkens_nothing() -> None:
    cycles().run([(0, {LUX: 5.0}, OFF), (30, {}, ON), (1, {LUX: 5000.0}, ON), (10, {LUX: 5.0}, ON), (300, {}, ON)])


def test_the_sensor_never_switches_lamps_off_at_night() -> None:
    table = cycles("2026-03-20 22:00")
    table.run([(0, {LUX: 5000.0}, ON), (3600, {}, ON), (3600, {LUX: 0.0}, ON), (3600, {LUX: 5000.0}, ON)])


def test_a_storm_at_sunrise_does_not_blink_the_lamps() -> None:
    _, sunrise = sun_on("2026-03-20")
    table = cycles("2026-03-21 05:00")
    until = (sunrise - table.now).total_seconds()
    table.run([(0, {LUX: 0.0}, ON), (until - 1, {}, ON), (1, {}, ON), (600, {LUX: 300.0}, ON), (300, {}, OFF)])


def test_a_silent_sensor_changes_nothing_by_day_and_is_forgotten_by_night() -> None:
    sunset, sunrise = sun_on("2026-03-20")
    table = cycles("2026-03-20 15:00")
    table.run(
        [
            (0, {LUX: 5.0}, OFF),
            (30, {}, ON),
            (60, {LUX: None}, ON),
            (3600, {}, ON),
            ((sunset - table.now).total_seconds(), {}, ON),
        ]
    )
    assert table.state.daylight.dark == Delayed()
    table.run([((sunrise - table.now).total_seconds() - 1, {}, ON), (1, {}, OFF)])


def test_without_a_sensor_nothing_is_asked_of_it() -> None:
    strategy = SunsetLighting(Parameters(), 1, has_sensor=False)
    assert not strategy.inputs


@pytest.mark.parametrize("later", [timedelta(days=7), timedelta(days=-3)])
def test_without_the_suns_times_it_lets_go(later: timedelta) -> None:
    table = cycles()
    plan, table.plan = table.plan, None
    with pytest.raises(BadInput, match="sunset"):
        table.step(0, {LUX: 0.0})
    table.plan = plan
    table.now += later
    with pytest.raises(BadInput):
        table.step(0)


def test_both_days_on_which_clocks_change_have_one_night_each() -> None:
    """Through 48 h around each change, minute by minute: on and off once a day, at the sun's time."""
    berlin, position = ZoneInfo("Europe/Berlin"), Position(52.52, 13.405)
    for start in ("2026-03-28 12:00", "2026-10-24 12:00"):
        table = Cycles(SunsetLighting(Parameters(), 2, has_sensor=False), start, berlin)
        table.plan = planned(table.now, position)
        lit = [table.step(60).requests[LAMP] for _ in range(48 * 60)]
        changes = [minute for minute in range(1, len(lit)) if lit[minute] != lit[minute - 1]]
        assert len(changes) == 4
        assert lit[0] is False
        assert abs(changes[2] - changes[0] - 1440) <= 3
        assert abs(changes[3] - changes[1] - 1440) <= 3


# --- a sensor that may wait, and one that cannot be believed ----------------------------------------------------------


def at_dusk(**parameters: Any) -> tuple[Cycles[State], Any]:
    """A minute before lamps would go on a quarter of an hour early, the sky still light; and that night."""
    table = cycles("2026-03-20 15:00", sunset_offset_minutes=-15.0, sunrise_offset_minutes=15.0, **parameters)
    night = next(night for night in table.plan.nights if night.on > table.now)
    table.step(0, {LUX: 9000.0})
    table.step((night.on - table.now).total_seconds() - 600.0, {LUX: 700.0})
    table.step(540.0, {LUX: 600.0})
    return table, night


def test_a_light_sky_delays_the_lamps_by_ten_minutes_at_most() -> None:
    table, night = at_dusk()
    table.run([(61, {LUX: 400.0}, OFF)])
    assert night.latest_on - night.on == timedelta(minutes=10)
    latest = night.latest_on.astimezone(SHANGHAI).strftime("%H:%M")
    assert table.step(1).reason.en == f"off: the sky is still light, on at {latest} at the latest"
    table.run([(597, {LUX: 350.0}, OFF), (1, {LUX: 340.0}, ON), (600, {LUX: 300.0}, ON)])


def test_a_sky_that_darkens_ends_the_delay_and_headlights_do_not_bring_it_back() -> None:
    table, _ = at_dusk()
    table.run(
        [
            (61, {LUX: 400.0}, OFF),
            (60, {LUX: 45.0}, OFF),
            (30, {LUX: 44.0}, ON),
            (60, {LUX: 900.0}, ON),
            (299, {LUX: 43.0}, ON),
        ]
    )


def test_headlights_at_the_sensor_delay_nothing() -> None:
    table, night = at_dusk()
    table.step(1, {LUX: 45.0})
    table.step(30, {LUX: 44.0})
    table.run([((night.on - table.now).total_seconds() - 5, {LUX: 900.0}, OFF), (5, {}, ON)])


def test_a_light_morning_ends_the_night_by_ten_minutes_at_most_and_it_stays_ended() -> None:
    table = cycles("2026-03-20 22:00", sunset_offset_minutes=-15.0, sunrise_offset_minutes=15.0)
    night = table.plan.nights[1]
    table.step(0, {LUX: 0.5})
    table.run(
        [
            ((night.earliest_off - table.now).total_seconds() - 900, {LUX: 100.0}, ON),
            (600, {LUX: 200.0}, ON),
            (299, {LUX: 300.0}, ON),
            (1, {LUX: 310.0}, OFF),
            (60, {LUX: 45.0}, OFF),
            (31, {LUX: 45.0}, OFF),
            (60, {LUX: 15.0}, OFF),
            (31, {LUX: 14.0}, ON),
        ]
    )


def test_a_restart_at_dusk_puts_nothing_out() -> None:
    _, night = at_dusk()
    fresh = cycles("2026-03-20 15:00", sunset_offset_minutes=-15.0, sunrise_offset_minutes=15.0)
    fresh.now = night.on + timedelta(minutes=2)
    fresh.run([(0, {LUX: 400.0}, ON), (400, {LUX: 390.0}, ON)])


def test_a_sensor_that_jumps_with_our_own_switching_is_not_believed() -> None:
    table = cycles()
    table.run([(0, {LUX: 2000.0}, OFF), (60, {LUX: 10.0}, OFF), (30, {}, ON), (5, {LUX: 80.0}, ON)])
    reason = table.step(600).reason
    assert reason.en.endswith("daylight sensor sees our own lamps, not used")
    assert reason.zh.endswith("日光传感器受自身灯光影响，不采用")
    table.run([(3600, {LUX: 90.0}, ON)])


def test_a_switching_without_a_jump_makes_it_believed_again() -> None:
    table = cycles()
    table.run([(0, {LUX: 2000.0}, OFF), (60, {LUX: 10.0}, OFF), (30, {}, ON), (5, {LUX: 80.0}, ON)])
    assert table.state.daylight.sees_lamps
    night = next(night for night in table.plan.nights if night.on > table.now)
    assert night.sunrise is not None
    table.step((night.off - table.now).total_seconds() - 1, {LUX: 31.0})
    table.run([((night.sunrise - table.now).total_seconds() - 1, {}, ON)])
    table.run([(2, {}, OFF), (10, {LUX: 31.0}, OFF), (15, {LUX: 33.0}, OFF)])
    assert not table.state.daylight.sees_lamps


def test_what_looked_like_our_lamps_may_have_been_a_cloud_and_leaves_nobody_in_the_dark() -> None:
    """Off in the morning by a light sky, which then darkens at once: lit until sunrise, without a blink."""
    table = cycles("2026-03-20 22:00")
    night = table.plan.nights[1]
    assert night.sunset is not None
    assert night.sunrise is not None
    table.step(0, {LUX: 0.5})
    table.step((night.earliest_off - table.now).total_seconds() - 301, {LUX: 150.0})
    table.run([(302, {LUX: 151.0}, OFF), (10, {LUX: 60.0}, ON)])
    assert table.state.daylight.sees_lamps
    table.run([((night.off - table.now).total_seconds() + 1, {LUX: 200.0}, ON)])
    assert table.step(1).reason.en.startswith("on while the sun is down, for it may have been a cloud; by the sun off")
    table.run([((night.sunrise - table.now).total_seconds() - 1, {LUX: 300.0}, ON), (1, {LUX: 301.0}, OFF)])
    table.run([(25, {LUX: 310.0}, OFF)])
    assert not table.state.daylight.sees_lamps


def test_a_sensor_that_sees_our_lamps_has_them_on_from_sunset() -> None:
    table = cycles()
    table.run([(0, {LUX: 2000.0}, OFF), (60, {LUX: 10.0}, OFF), (30, {}, ON), (5, {LUX: 80.0}, ON)])
    nights = [night for night in table.plan.nights if night.on > table.now]
    assert nights[0].sunrise is not None
    assert nights[1].sunset is not None
    table.step((nights[0].off - table.now).total_seconds() - 1, {LUX: 150.0})
    table.run([((nights[0].sunrise - table.now).total_seconds() - 1, {}, ON), (1, {}, OFF), (5, {LUX: 80.0}, OFF)])
    table.run([((nights[1].sunset - table.now).total_seconds() - 1, {LUX: 500.0}, OFF), (1, {LUX: 501.0}, ON)])


def test_a_register_that_is_full_and_one_that_stands_still_are_not_believed() -> None:
    table, night = at_dusk()
    table.run([(60, {LUX: 65535.0}, ON)])
    assert "daylight sensor at 65535 lx, not used" in table.step(1).reason.en
    still, night = at_dusk()
    still.now = night.on - timedelta(hours=2)
    still.step(0, {LUX: 800.0})
    assert "not used" not in still.step(3599).reason.en
    assert "daylight sensor stuck, not used" in still.step(1).reason.en
    still.run([((night.on - still.now).total_seconds(), {}, ON)])


# --- curfew, part night, festivals ------------------------------------------------------------------------------------

DIMMED = Role("groups", 0, "brightness_command")
LATE = {
    "curfew": {"start": "23:00", "end": "05:00"},
    "curfew_brightness": 0.4,
    "part_night": {"start": "00:30", "end": "05:00"},
    "part_night_circuits": [2],
    "festivals": [{"name": "Qingming", "first": "2026-03-21", "last": "2026-03-21"}],
}


def late(start: str, **more: Any) -> Cycles[State]:
    parameters = TypeAdapter(Parameters).validate_python({**LATE, **more})
    strategy = KIND.build(parameters, {"circuits": 2, "groups": 1})
    made = Cycles(strategy, start)
    made.plan = planned(made.now, PEOPLE_SQUARE)
    return made


def test_the_depth_of_the_night_is_dimmed_and_some_circuits_are_out() -> None:
    table = late("2026-03-20 22:59")
    table.run(
        [
            (0, {}, {LAMP: True, OTHER: True, DIMMED: 1.0}),
            (60, {}, {LAMP: True, OTHER: True, DIMMED: 0.4}),
            (5400, {}, {LAMP: True, OTHER: False, DIMMED: 0.4}),
        ]
    )
    reason = table.step(1).reason
    assert reason.en.endswith("; circuit 2 out: part night; groups at 40 %: curfew")
    assert reason.zh.endswith("；第 2 路关：半夜灯；灯组 40%：深夜调光")
    table.run([(4.5 * 3600, {}, {LAMP: True, OTHER: True, DIMMED: 1.0}), (3600, {}, {LAMP: False, DIMMED: 0.0})])


def test_festivals_have_their_nights_to_themselves() -> None:
    """The night that begins on the 21st, through its morning; the circuit of the festival is dark in other nights."""
    table = late("2026-03-22 01:00", festival_circuits=[1])
    decision = table.step(0)
    assert decision.requests == {LAMP: True, OTHER: True, DIMMED: 1.0}
    assert decision.reason.en.endswith("; festival Qingming")
    assert late("2026-03-21 01:00", festival_circuits=[1]).step(0).requests[LAMP] is False
    assert late("2026-03-22 13:00").step(0).reason.en.startswith("off until")


def test_circuits_that_are_not_bound_are_told() -> None:
    with pytest.raises(ValueError, match="part_night_circuits: circuit 2 is not there; 1 are bound, from 1"):
        SunsetLighting(TypeAdapter(Parameters).validate_python(LATE), 1, has_sensor=False)


# --- the sentence -----------------------------------------------------------------------------------------------------


def test_the_sentence_says_until_when_and_why() -> None:
    table = cycles(sunset_offset_minutes=-10.0)
    assert table.step(0).reason == ("off until 18:10 (sunset 18:05)", "关，至 18:10（日落 18:05）")
    table.step(1, {LUX: 5.0})
    assert table.step(30).reason.en == (
        "on by day: the sky is darker than 30 lx; by the sun off until 18:10 (sunset 18:05)"
    )
    reason = table.step(7 * 3600).reason
    assert reason.en == "on until 05:42 (sunset 18:05, sunrise 05:57)"
    assert reason.zh == "开，至 05:42（日落 18:05，日出 05:57）"
    assert table.step(1).reason is reason


@pytest.mark.parametrize(
    "local, expected",
    [
        ("2026-12-21 12:00", "off until 12:54 (twilight, the sun stays down)"),
        ("2026-12-21 18:00", "on until 10:30 (twilight, the sun stays down)"),
        ("2026-06-21 00:00", "off: the sun does not set in the coming days"),
        ("2026-11-25 18:00", "on until 09:11 (sunset 12:17, sunrise 10:57)"),
    ],
)
def test_the_sentence_knows_the_polar_seasons(local: str, expected: str) -> None:
    table = Cycles(SunsetLighting(Parameters(), 2, has_sensor=False), local, OSLO_TIME)
    table.plan = planned(table.now, TROMSO)
    assert table.step(0).reason.en == expected


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, told",
    [
        ({"sunset_offset_minutes": 5}, "less than or equal to 0"),
        ({"sunrise_offset_minutes": -5}, "greater than or equal to 0"),
        ({"sensor_delay": timedelta(minutes=11)}, "less than or equal to"),
        ({"switching_illuminance": 1}, "greater than or equal to 5"),
        ({"bright_illuminance": 10}, "bright_illuminance is 10 lx; it must lie above dark_illuminance, 50 lx"),
        ({"part_night_circuits": [1]}, "part_night_circuits are named, and no part_night"),
        ({"festival_circuits": [1]}, "festival_circuits are named, and no festivals"),
        ({"festivals": [{"name": "May", "first": "2026-05-05", "last": "2026-05-01"}]}, "before it begins"),
        ({"dark_delay": timedelta(seconds=-1)}, "greater than or equal to 0"),
        ({"offset": 1}, "offset"),
    ],
)
def test_wrong_parameters_are_told(text: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TypeAdapter(Parameters).validate_python(text)
