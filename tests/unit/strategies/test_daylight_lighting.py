"""Daylight lighting of an office, told as cycle tables."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pydantic import TypeAdapter

from controller.core.strategy import Role
from strategies.daylight_lighting import KIND, DaylightLighting, Parameters, State
from tests.unit.strategies.cycles import Cycles, Substituted

ROWS = [Role("rows", ordinal, "brightness_command") for ordinal in range(2)]
MOTION = [Role("rows", ordinal, "motion") for ordinal in range(2)]
LUX = [Role("rows", ordinal, "illuminance") for ordinal in range(2)]
WISH, BUTTON = Role("wall_switch", 0, "brightness_wish"), Role("wall_switch", 0, "stay_button")

FULL = 500.0
MORNING = "2026-03-20 09:00"
TEXT: dict[str, Any] = {
    "lamp_table": [{"groups": [1, 2], "full_illuminance": FULL}],
    "full_illuminance": 300.0,
    "lunch": {"start": "12:00", "end": "13:00"},
    "after_hours": {"start": "20:00", "end": "06:00"},
}


def office(start: str = MORNING, *, rows: int = 2) -> Cycles[State]:
    """With a switch at the wall, somebody in every row."""
    strategy = KIND.build(TypeAdapter(Parameters).validate_python(TEXT), {"rows": rows, "wall_switch": 1})
    assert isinstance(strategy, DaylightLighting)
    cycles = Cycles(strategy, start)
    cycles.step(0, {**dict.fromkeys(MOTION[:rows], True), **dict.fromkeys(LUX[:rows], 700.0), WISH: 0.5, BUTTON: False})
    return cycles


def live(cycles: Cycles[State], seconds: int, daylight: float, row: int = 0) -> list[float]:
    """The desks see daylight and the row's own lamps, a second late; returns the brightness of every second."""
    shown: list[float] = []
    lamps = cycles.state.rows[row].brightness
    for _ in range(seconds):
        lamps = float(cycles.step(1, {LUX[row]: daylight + FULL * lamps}).requests[ROWS[row]])
        shown.append(lamps)
    return shown


def test_the_desks_come_into_the_band_and_stay_there() -> None:
    cycles = office()
    for daylight, lit in ((150.0, 0.4), (0.0, 0.7), (280.0, 0.14), (600.0, 0.0)):
        shown = live(cycles, 600, daylight)
        assert 300.0 <= daylight + FULL * shown[-1] <= 400.0 or not shown[-1]
        assert shown[-1] == pytest.approx(lit, abs=0.11)
        assert len(set(shown[-300:])) == 1, "it comes to rest"


def test_it_says_that_daylight_is_enough() -> None:
    cycles = office()
    live(cycles, 600, 900.0)
    reason = cycles.step(1, {LUX[0]: 100.0, MOTION[1]: False}).reason
    assert reason.en.endswith("; row 1: rising, darker than needed; row 2 at 0 %: daylight is enough")
    reason = cycles.step(1, {LUX[0]: 900.0}).reason
    assert reason.zh.startswith("桌面 300-400 lx；第 1 排：调暗，照度高于需要；")
    reason = cycles.step(1).reason
    assert reason.en.startswith("300-400 lx at the desks; rows 1-2 at 0 %: daylight is enough")
    assert reason.zh.startswith("桌面 300-400 lx；第 1-2 排 0%：日光充足")


def test_nobody_sees_a_step() -> None:
    shown = live(office(), 600, 100.0)
    assert max(abs(later - earlier) for earlier, later in pairwise(shown)) <= 0.0101
    minute = [abs(shown[second + 60] - shown[second]) for second in range(500)]
    assert max(minute) <= 0.21


def test_rows_follow_each_their_own_daylight() -> None:
    cycles = office(rows=2)
    near, far = live(cycles, 600, 250.0, 0)[-1], live(cycles, 600, 50.0, 1)[-1]
    assert near < 0.31 < 0.49 < far


def test_lunch_is_dimmer() -> None:
    cycles = office("2026-03-20 11:40")
    live(cycles, 900, 0.0)
    shown = live(cycles, 1500, 0.0)
    assert 150.0 <= FULL * shown[-1] <= 200.0
    assert cycles.step(1).reason.en.startswith("lunch, 150-200 lx at the desks; row 1")


def test_an_empty_row_goes_out_and_whoever_comes_is_not_kept_waiting() -> None:
    cycles = office()
    live(cycles, 300, 100.0)
    cycles.run(
        [
            (1, {MOTION[0]: False}, {}),
            (899, {}, {ROWS[0]: 0.0}),
            (3600, {LUX[0]: 100.0}, {ROWS[0]: 0.0}),
            (1, {MOTION[0]: True}, {ROWS[0]: 0.5}),
            (1, {MOTION[0]: Substituted(True)}, {}),
            (3600, {}, {}),
        ]
    )
    assert cycles.state.rows[0].brightness > 0.4, "a silent motion sensor is somebody"
    cycles.run([(1, {MOTION[0]: None}, {}), (3600, {}, {})])
    assert cycles.state.rows[0].brightness > 0.4, "and so is one that was never heard"


def test_without_a_desk_sensor_the_lamps_give_the_light_alone() -> None:
    cycles = office()
    for _ in range(600):
        cycles.step(1, {LUX[0]: None, MOTION[1]: False})
    decision = cycles.step(1)
    assert decision.requests[ROWS[0]] == pytest.approx(300.0 / FULL)
    assert decision.reason.en.startswith("300-400 lx at the desks; row 1 at 60 %: desk sensor silent, lamps alone")
    assert decision.reason.zh.startswith("桌面 300-400 lx；第 1 排 60%：桌面传感器无信号，只按灯具")


def test_a_wish_at_the_wall_wins_until_its_end() -> None:
    cycles = office()
    live(cycles, 300, 0.0)
    cycles.run([(1, {WISH: 0.2}, {ROWS[0]: 0.2}), (7199, {LUX[0]: 100.0}, {ROWS[0]: 0.2})])
    assert cycles.step(0).reason.en.endswith("as wished at the wall")
    assert cycles.step(1).requests[ROWS[0]] == pytest.approx(0.2, abs=0.01), "and leaves without a jump"
    assert live(cycles, 600, 0.0)[-1] > 0.5


def test_what_the_switch_shows_at_first_is_no_wish() -> None:
    cycles = office()
    assert cycles.state.manual == 0.0


def test_after_hours_a_flash_warns_and_a_button_stays() -> None:
    cycles = office("2026-03-20 19:50")
    live(cycles, 590, 0.0)
    cycles.step(1, {MOTION[0]: False})
    lit = float(cycles.step(1).requests[ROWS[0]])
    cycles.run([(8, {}, {ROWS[0]: 0.3}), (1, {}, {ROWS[0]: 0.3}), (1, {}, {ROWS[0]: lit})])
    cycles.run([(200, {BUTTON: True}, {ROWS[0]: lit}), (1, {BUTTON: False}, {ROWS[0]: lit})])
    assert cycles.state.stay > 3500.0
    cycles.run([(3600, {MOTION[0]: True}, {ROWS[0]: 0.3}), (3600, {}, {})])
    assert cycles.state.rows[0].brightness > 0.3, "nobody is left in the dark who moves"
    cycles.step(1, {MOTION[0]: False})
    cycles.run([(900, {}, {ROWS[0]: 0.0})])
    assert cycles.step(1).reason.en.startswith("300-400 lx at the desks; row 1 at 0 %: after hours")


def test_a_wish_does_not_outlive_the_sweep_of_an_empty_office() -> None:
    cycles = office("2026-03-20 19:30")
    cycles.step(1, {WISH: 0.9, MOTION[0]: False})
    cycles.run(
        [(1000, {}, {ROWS[0]: 0.9}), (900, {}, {ROWS[0]: 0.3}), (10, {}, {ROWS[0]: 0.9}), (280, {}, {ROWS[0]: 0.9})]
    )
    cycles.run([(10, {}, {ROWS[0]: 0.0})])


@pytest.mark.parametrize(
    "text, told",
    [
        ({"most_illuminance": 250}, "most_illuminance is 250 lx; it must lie above least_illuminance, 300 lx"),
        ({"lunch_illuminance": 350}, "lunch_illuminance is 350 lx; it must be at most least_illuminance, 300 lx"),
        ({"flash": True}, "flash"),
    ],
)
def test_wrong_parameters_are_told(text: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TypeAdapter(Parameters).validate_python({**TEXT, **text})


def test_a_row_that_is_not_bound_is_told() -> None:
    with pytest.raises(ValueError, match=r"lamp_table\.1: group 2 is not there; 1 groups are bound, from 1"):
        KIND.build(TypeAdapter(Parameters).validate_python(TEXT), {"rows": 1})
