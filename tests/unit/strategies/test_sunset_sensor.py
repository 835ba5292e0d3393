"""Sunset lighting: a sensor that may delay the lamps, and one that cannot be believed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from strategies.sunset_lighting import State
from tests.unit.strategies.cycles import SHANGHAI, Cycles
from tests.unit.strategies.sunset import (
    LUX,
    OFF,
    ON,
    cycles,
)


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
