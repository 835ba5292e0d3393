"""Sunset lighting: decisions as cycle tables, curfew and festivals, the sentence, parameters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from controller.core.errors import BadInput
from controller.core.strategy import Position, Role
from strategies.blocks.timers import Delayed
from strategies.sunset_lighting import KIND, Parameters, State, SunsetLighting
from tests.unit.strategies.cycles import SHANGHAI, Cycles
from tests.unit.strategies.sunset import (
    LAMP,
    LUX,
    OFF,
    ON,
    OSLO_TIME,
    OTHER,
    PEOPLE_SQUARE,
    TROMSO,
    cycles,
    planned,
)


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
