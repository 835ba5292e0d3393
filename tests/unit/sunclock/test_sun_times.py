"""Days of lamps and sun: against the reference, on awkward days and at awkward places, and only ever lit for longer."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.strategy import Position
from controller.core.terrain import dark_limit, read_terrain
from controller.sunclock.local_days import local_days
from controller.sunclock.places import Place
from controller.sunclock.sun_times import Day, Event, Season, day, timelines
from tests.sweep import examples

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "sun_reference.csv"
COLUMNS = {
    Event.DAWN: "dawn_civil_utc",
    Event.SUNRISE: "sunrise_utc",
    Event.SUNSET: "sunset_utc",
    Event.DUSK: "dusk_civil_utc",
}


def place(latitude: float, longitude: float, zone: str, *, earlier: float = 0.0, later: float = 0.0) -> Place:
    return Place("a", "甲", ZoneInfo(zone), Position(latitude, longitude), dark_limit(30.0), None, earlier, later)


def days(where: Place, first: str, count: int = 1) -> list[Day]:
    (timeline,) = timelines([where], date.fromisoformat(first), count + 1)
    return [day(timeline, nth) for nth in range(len(timeline.days.dates) - 1)]


def clock(each: Day, event: Event) -> list[str]:
    return [f"{each.local(moment):%H:%M}" for moment in each.times[event]]


def misses() -> Iterator[float]:
    """Seconds between each time of the reference and ours; fails where an event, season or local date differs."""
    rows = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))
    for text in sorted({row["date"] for row in rows}):
        chosen = [row for row in rows if row["date"] == text]
        places = [place(float(row["lat"]), float(row["lon"]), row["tz"]) for row in chosen]
        for row, timeline in zip(chosen, timelines(places, date.fromisoformat(text), 2), strict=True):
            ours = day(timeline, 0)
            assert ours.season.value == row["state"], row
            for event, column in COLUMNS.items():
                moments = ours.times[event]
                assert len(moments) == bool(row[column]), row
                assert all(ours.local(moment).date() == ours.date for moment in moments), row
                for moment in moments:
                    yield abs((moment - datetime.fromisoformat(row[column])).total_seconds())


def test_every_time_season_and_date_of_the_reference() -> None:
    found = list(misses())
    assert len(found) > 1200
    assert median(found) <= 1.0
    assert max(found) <= 5.0


def test_lamps_go_by_thirty_lux_within_civil_twilight() -> None:
    (shanghai,) = days(place(31.2304, 121.4737, "Asia/Shanghai"), "2026-03-20")
    order = [moment for event in Event for moment in shanghai.times[event]]
    assert order == sorted(order)
    assert len(order) == 6
    on, sunset = shanghai.times[Event.LAMPS_ON][0], shanghai.times[Event.SUNSET][0]
    assert timedelta(minutes=13) < on - sunset < timedelta(minutes=17)
    assert shanghai.lit_hours == pytest.approx(11.39, abs=0.1)


@pytest.mark.parametrize("first, hours", [("2026-03-28", (24, 23, 24)), ("2026-10-24", (24, 25, 24))])
def test_the_days_of_clock_change_have_their_own_length(first: str, hours: tuple[int, ...]) -> None:
    found = days(place(52.52, 13.405, "Europe/Berlin"), first, 3)
    assert tuple((each.end - each.start) / timedelta(hours=1) for each in found) == hours
    assert all(len(each.times[event]) == 1 for each in found for event in Event)
    evenings = [clock(each, Event.LAMPS_ON)[0] for each in found]
    assert abs(int(evenings[1][:2]) - int(evenings[0][:2])) == 1
    # The clock's own jump is told, for people set clocks by the clock.
    shift = found[0].on_later_tomorrow
    assert shift is not None
    assert 3400 < abs(shift) < 3800


def test_a_zone_that_skips_midnight_and_one_that_skips_a_day() -> None:
    (beirut,) = days(place(33.9, 35.5, "Asia/Beirut"), "2026-03-29")
    assert (beirut.end - beirut.start) == timedelta(hours=23)
    assert beirut.local(beirut.start).hour == 1
    samoa = local_days(ZoneInfo("Pacific/Apia"), date(2011, 12, 29), 3)
    assert samoa.dates == (date(2011, 12, 29), date(2011, 12, 31))


@pytest.mark.parametrize(
    "latitude, longitude, zone", [(1.87, -157.4, "Pacific/Kiritimati"), (-14.28, -170.7, "Pacific/Pago_Pago")]
)
def test_on_both_sides_of_the_date_line_the_sun_rises_in_the_morning(
    latitude: float, longitude: float, zone: str
) -> None:
    (each,) = days(place(latitude, longitude, zone), "2026-06-15")
    assert clock(each, Event.SUNRISE)[0][:2] in ("05", "06")
    assert clock(each, Event.SUNSET)[0][:2] in ("17", "18")


@pytest.mark.parametrize(
    "latitude, longitude, first",
    [(30.5728, 104.0668, "2026-01-22"), (43.8256, 87.6168, "2026-03-27"), (29.65, 91.1, "2026-03-19")],
)
def test_a_sunrise_at_midnight_utc_is_nothing_special(latitude: float, longitude: float, first: str) -> None:
    found = days(place(latitude, longitude, "Asia/Shanghai"), first, 3)
    assert all(len(each.times[event]) == 1 for each in found for event in Event)
    assert all(clock(each, Event.SUNRISE)[0][:2] in ("07", "08") for each in found)


@pytest.mark.parametrize(
    "first, season, lit", [("2026-06-21", Season.POLAR_DAY, 0.0), ("2026-12-21", Season.POLAR_NIGHT, 21.6)]
)
def test_polar_day_and_night(first: str, season: Season, lit: float) -> None:
    (tromso,) = days(place(69.6492, 18.9553, "Europe/Oslo"), first)
    assert (tromso.season, tromso.times[Event.SUNRISE], tromso.times[Event.SUNSET]) == (season, (), ())
    assert tromso.lit_hours == pytest.approx(lit, abs=0.7)
    (pole,) = days(place(90.0, 0.0, "UTC"), first)
    assert pole.season == season
    assert pole.lit_hours in (0.0, 24.0)
    assert not any(pole.times.values())


@given(
    st.floats(-89.0, 89.0),
    st.floats(-180.0, 180.0),
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    st.floats(0.0, 7200.0),
    st.floats(0.0, 7200.0),
)
@examples(30)
def test_offsets_only_ever_lengthen(
    latitude: float, longitude: float, first: date, earlier: float, later: float
) -> None:
    (plain,) = days(place(latitude, longitude, "UTC"), first.isoformat())
    (moved,) = days(place(latitude, longitude, "UTC", earlier=earlier, later=later), first.isoformat())
    for start, end in plain.lit:
        assert any(first <= start and end <= last for first, last in moved.lit)
    assert moved.lit_hours <= plain.lit_hours + (earlier + later) / 3600.0 * (len(plain.lit) + 2)


def test_terrain_hides_the_sun_and_lights_lamps_earlier() -> None:
    terrain = read_terrain("\n".join(f"{azimuth} 20" for azimuth in range(0, 360, 15)))
    level = place(31.2304, 121.4737, "Asia/Shanghai")
    valley = Place("b", "b", level.zone, level.position, dark_limit(30.0, 0.0, terrain), terrain)
    one, other = (day(timeline, 0) for timeline in timelines([level, valley], date(2026, 3, 20), 2))
    for event, least in ((Event.SUNSET, 80), (Event.LAMPS_ON, 0.3)):
        assert one.times[event][0] - other.times[event][0] > timedelta(minutes=least)
    assert other.times[Event.LAMPS_OFF][0] > one.times[Event.LAMPS_OFF][0]
    assert other.times[Event.DUSK] == one.times[Event.DUSK]
    assert other.season == Season.NORMAL
