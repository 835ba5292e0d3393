"""Tidal lighting, told as cycle tables; then what must hold whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from controller.core.strategy import Role
from strategies.blocks.timetable import Period
from strategies.tidal_lighting import GroupState, Parameters, State, TidalLighting
from tests.sweep import examples
from tests.unit.strategies.cycles import Cycles, Substituted

LAMPS = [Role("groups", ordinal, "brightness_command") for ordinal in range(4)]
MOTION = [Role("groups", ordinal, "motion") for ordinal in range(4)]
LUX = [Role("groups", ordinal, "illuminance") for ordinal in range(4)]
MEASURED = [Role("groups", ordinal, "brightness") for ordinal in range(4)]

NO_LUX = Parameters(illuminance_floor=None)
FRIDAY_NIGHT = "2026-03-20 23:00"


def vacant(parameters: Parameters, groups: int = 3, start: str = FRIDAY_NIGHT) -> Cycles[State]:
    """A garage in which nobody has moved for an hour, its lamps steady at the band."""
    cycles = Cycles(TidalLighting(parameters, groups), start)
    cycles.step(0, dict.fromkeys(MOTION[:groups], False) if parameters.illuminance_floor is None else {})
    cycles.step(3600)
    return cycles


# --- bands ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "local, expected",
    [
        ("2026-03-20 06:59:59", 0.25),  # Friday
        ("2026-03-20 07:00:00", 0.5),
        ("2026-03-20 09:30:00", 0.25),
        ("2026-03-20 17:00:00", 0.5),
        ("2026-03-20 20:00:00", 0.25),
        ("2026-03-21 08:00:00", 0.25),  # Saturday
        ("2026-03-21 10:00:00", 0.5),
        ("2026-03-21 20:00:00", 0.25),
    ],
)
def test_brightness_follows_the_tide(local: str, expected: float) -> None:
    cycles = vacant(NO_LUX, start=local)
    cycles.now -= timedelta(hours=2)
    assert cycles.step(3600).requests == dict.fromkeys(LAMPS[:3], expected)


def test_a_peak_period_reaches_past_midnight() -> None:
    parameters = replace(NO_LUX, weekday_peaks=(Period(time(22), time(1)),), weekend_peaks=())
    cycles = vacant(parameters, start="2026-03-20 22:59")
    cycles.run(
        [
            (0, {}, {LAMPS[0]: 0.5}),
            (3600 + 59, {}, {LAMPS[0]: 0.5}),
            (1, {}, {LAMPS[0]: 0.45}),
        ]
    )


# --- motion -----------------------------------------------------------------------------------------------------------


def test_motion_raises_at_once_holds_and_fades() -> None:
    vacant(NO_LUX).run(
        [
            (1, {}, {LAMPS[0]: 0.25, LAMPS[1]: 0.25, LAMPS[2]: 0.25}),
            (1, {MOTION[1]: True}, {LAMPS[0]: 0.25, LAMPS[1]: 0.75, LAMPS[2]: 0.25}),
            (30, {}, {LAMPS[1]: 0.75}),
            (1, {MOTION[1]: False}, {LAMPS[1]: 0.75}),
            (58, {}, {LAMPS[1]: 0.75}),
            (1, {}, {LAMPS[1]: 0.7}),
            (1, {}, {LAMPS[1]: 0.65}),
            (5, {}, {LAMPS[1]: 0.4}),
            (10, {}, {LAMPS[1]: 0.25}),
        ]
    )


def test_motion_while_fading_raises_again() -> None:
    vacant(NO_LUX).run(
        [
            (1, {MOTION[0]: True}, {LAMPS[0]: 0.75}),
            (1, {MOTION[0]: False}, {LAMPS[0]: 0.75}),
            (61, {}, {LAMPS[0]: 0.25}),
            (1, {MOTION[0]: True}, {LAMPS[0]: 0.75}),
        ]
    )


def test_neighbours_follow_in_both_directions_and_no_further() -> None:
    vacant(replace(NO_LUX, neighbours=((1, 2), (2, 3))), groups=4).run(
        [
            (1, {MOTION[0]: True}, {LAMPS[0]: 0.75, LAMPS[1]: 0.75, LAMPS[2]: 0.25, LAMPS[3]: 0.25}),
            (1, {MOTION[0]: False, MOTION[2]: True}, {LAMPS[0]: 0.75, LAMPS[1]: 0.75, LAMPS[2]: 0.75, LAMPS[3]: 0.25}),
            (100, {}, {LAMPS[0]: 0.25, LAMPS[1]: 0.75, LAMPS[2]: 0.75}),
            (1, {MOTION[2]: False}, {LAMPS[1]: 0.75, LAMPS[2]: 0.75}),
            (100, {}, {LAMPS[1]: 0.25, LAMPS[2]: 0.25}),
        ]
    )


def test_a_silent_motion_sensor_counts_as_occupied() -> None:
    cycles = vacant(NO_LUX)
    assert cycles.strategy.inputs[MOTION[1]].substitute is True
    cycles.run(
        [
            (1, {MOTION[1]: Substituted(False)}, {LAMPS[1]: 0.25}),  # held: the last good value for a short while
            (9, {MOTION[1]: Substituted(True)}, {LAMPS[1]: 0.75}),
            (86400, {}, {LAMPS[1]: 0.75}),
            (1, {MOTION[1]: None}, {LAMPS[1]: 0.75}),
            (1, {MOTION[1]: False}, {LAMPS[1]: 0.75}),
            (100, {}, {LAMPS[1]: 0.25}),
        ]
    )


def test_everybody_counts_as_there_when_it_begins() -> None:
    cycles = Cycles(TidalLighting(NO_LUX, 2), FRIDAY_NIGHT)
    cycles.run(
        [
            (0, {MOTION[0]: False, MOTION[1]: False}, {LAMPS[0]: 0.75, LAMPS[1]: 0.75}),
            (59, {}, {LAMPS[0]: 0.75, LAMPS[1]: 0.75}),
            (11, {}, {LAMPS[0]: 0.25, LAMPS[1]: 0.25}),
        ]
    )


def test_a_group_without_motion_sensor_follows_bands_and_neighbours() -> None:
    parameters = replace(NO_LUX, groups_without_motion_sensor=(2,), neighbours=((1, 2),))
    cycles = Cycles(TidalLighting(parameters, 2), FRIDAY_NIGHT)
    assert MOTION[1] not in cycles.strategy.inputs
    cycles.step(0, {MOTION[0]: False})
    cycles.run(
        [
            (3600, {}, {LAMPS[1]: 0.25}),
            (1, {MOTION[0]: True}, {LAMPS[1]: 0.75}),
        ]
    )


def test_another_number_of_groups_than_remembered_begins_anew() -> None:
    cycles = vacant(NO_LUX)
    cycles.state = State((GroupState(0.25, 0.0),))
    assert cycles.step(1).requests == dict.fromkeys(LAMPS[:3], 0.75 - 0.0)


# --- the lux floor ----------------------------------------------------------------------------------------------------

FLOOR = Parameters(illuminance_floor=50.0, settle_time=timedelta(seconds=3))


def lux_cycles(measured: float, lux: float, parameters: Parameters = FLOOR) -> Cycles[State]:
    """One group, nobody there for an hour, its lamps steady."""
    cycles = Cycles(TidalLighting(parameters, 1), FRIDAY_NIGHT)
    cycles.step(0, {MOTION[0]: False, LUX[0]: lux, MEASURED[0]: measured})
    cycles.step(3600)
    return cycles


def test_the_floor_is_known_before_brightness_falls_to_it() -> None:
    """60 lx at 50 % are 30 lx at 25 %: the group stays at 44 %, 5 % above what just meets 50 lx."""
    cycles = lux_cycles(0.5, 60.0)
    decision = cycles.step(1)
    assert decision.requests[LAMPS[0]] == pytest.approx(0.44)
    assert decision.reason.en == "off-peak 25 %; group 1 at 44 %: lux floor"


def test_a_floor_that_is_not_met_raises_in_proportion_within_bounds() -> None:
    lux_cycles(0.25, 100.0).run(
        [
            (1, {}, {LAMPS[0]: 0.25}),
            (1, {LUX[0]: 49.0}, {LAMPS[0]: 0.27}),  # lamps age: 0.25 x 50 / 49 x 1.05, in whole percent
            (1, {LUX[0]: 25.0}, {LAMPS[0]: 0.53}),
            (1, {LUX[0]: 5.0}, {LAMPS[0]: 1.0}),
            (1, {LUX[0]: 0.0}, {LAMPS[0]: 1.0}),
        ]
    )


def test_light_that_belongs_to_another_brightness_teaches_nothing() -> None:
    """The lux sensor shows the old light for two scans after the lamps have risen."""
    lux_cycles(0.25, 60.0).run(
        [
            (1, {MOTION[0]: True}, {LAMPS[0]: 0.75}),
            (1, {MEASURED[0]: 0.75}, {LAMPS[0]: 0.75}),
            (1, {}, {LAMPS[0]: 0.75}),
            (1, {LUX[0]: 180.0}, {LAMPS[0]: 0.75}),
            (1, {}, {LAMPS[0]: 0.75}),
        ]
    )


def test_noise_within_the_hysteresis_writes_nothing() -> None:
    cycles = lux_cycles(0.44, 52.5)
    wished = [cycles.step(1, {LUX[0]: lux}).requests[LAMPS[0]] for lux in (52.5, 51.0, 54.5, 50.1, 55.0, 52.0)]
    assert len(set(wished)) == 1


def test_more_light_lowers_the_floor_slowly_and_only_while_nobody_is_there() -> None:
    cycles = lux_cycles(0.5, 50.0)
    cycles.run(
        [
            (1, {}, {LAMPS[0]: 0.53}),
            (1, {MOTION[0]: True, LUX[0]: 200.0}, {LAMPS[0]: 0.75}),
            (1, {MOTION[0]: False}, {LAMPS[0]: 0.75}),
            (58, {}, {LAMPS[0]: 0.75}),
        ]
    )
    assert cycles.state.groups[0].floor.brightness == pytest.approx(0.53)
    cycles.run(
        [
            (1, {LUX[0]: 50.0}, {LAMPS[0]: 0.7}),
            (10, {}, {LAMPS[0]: 0.53}),
            (1, {LUX[0]: 200.0}, {LAMPS[0]: 0.48}),
            (1, {}, {LAMPS[0]: 0.43}),
            (10, {}, {LAMPS[0]: 0.25}),
        ]
    )


@pytest.mark.parametrize("silent", [LUX[0], MEASURED[0]])
def test_a_silent_lux_sensor_means_safe_brightness(silent: Role) -> None:
    cycles = lux_cycles(0.25, 100.0)
    cycles.run([(1, {silent: None}, {LAMPS[0]: 1.0})])
    assert cycles.step(1).reason.en == "off-peak 25 %; group 1 at 100 %: illuminance unknown, safe brightness"
    cycles.run([(86400, {}, {LAMPS[0]: 1.0})])


@pytest.mark.parametrize("lux", [float("nan"), -1.0])
def test_a_reading_that_is_none_counts_as_silence(lux: float) -> None:
    lux_cycles(0.25, 100.0).run([(1, {LUX[0]: lux}, {LAMPS[0]: 1.0})])


def test_lamps_that_are_off_teach_nothing() -> None:
    lux_cycles(0.0, 0.0).run([(1, {}, {LAMPS[0]: 1.0})])


def test_after_silence_the_floor_is_measured_again() -> None:
    lux_cycles(0.25, 100.0).run(
        [
            (1, {LUX[0]: None}, {LAMPS[0]: 1.0}),
            (60, {MEASURED[0]: 1.0}, {LAMPS[0]: 1.0}),
            (1, {LUX[0]: 400.0}, {LAMPS[0]: 0.95}),
            (20, {}, {LAMPS[0]: 0.25}),
        ]
    )


def test_a_group_without_lux_sensor_asks_for_none() -> None:
    strategy = TidalLighting(replace(FLOOR, groups_without_illuminance_sensor=(2,)), 2)
    assert LUX[0] in strategy.inputs
    assert not {LUX[1], MEASURED[1]} & set(strategy.inputs)


# --- the sentence -----------------------------------------------------------------------------------------------------


def test_the_sentence_says_what_and_why() -> None:
    cycles = vacant(replace(NO_LUX, neighbours=((1, 2),)), groups=4)
    assert cycles.step(1).reason == ("off-peak 25 %", "低峰 25%")
    reason = cycles.step(1, {MOTION[0]: True, MOTION[2]: Substituted(True), MOTION[3]: None}).reason
    assert reason.en == (
        "off-peak 25 %; group 1 at 75 %: motion; group 2 at 75 %: motion in a neighbouring group; "
        "groups 3-4 at 75 %: motion sensor silent, taken as occupied"
    )
    assert reason.zh == (
        "低峰 25%；第 1 组 75%：有人移动；第 2 组 75%：相邻组有人移动；第 3-4 组 75%：移动传感器无信号，按有人处理"
    )
    reason = cycles.step(1, dict.fromkeys(MOTION, False)).reason
    assert "groups 1, 3-4 at 75 %: hold time after motion" in reason.en
    assert cycles.step(61).reason.en == "off-peak 25 %"
    cycles.step(1, {MOTION[0]: True})
    cycles.step(1, {MOTION[0]: False})
    cycles.step(58)
    assert cycles.step(1).reason == ("off-peak 25 %; groups 1-2 at 70 %: fading", "低峰 25%；第 1-2 组 70%：渐暗")


def test_when_nothing_changes_nothing_is_made_anew() -> None:
    cycles = lux_cycles(0.25, 100.0)
    first, second = cycles.step(1), cycles.step(1)
    assert second.state is first.state
    assert second.reason is first.reason


# --- parameters -------------------------------------------------------------------------------------------------------


def test_parameters_come_from_plain_text() -> None:
    given_text = {
        "peak_brightness": 0.6,
        "weekday_peaks": [{"start": "18:30", "end": "02:00"}],
        "hold_time": "PT90S",
        "neighbours": [[1, 2], [2, 3]],
    }
    parameters = TypeAdapter(Parameters).validate_python(given_text)
    assert parameters.weekday_peaks == (Period(time(18, 30), time(2)),)
    assert parameters.hold_time == timedelta(seconds=90)
    assert parameters.neighbours == ((1, 2), (2, 3))


@pytest.mark.parametrize(
    "text, told",
    [
        ({"minimum_brightness": 0.0}, "greater than 0"),
        ({"peak_brightness": 1.5}, "less than or equal to 1"),
        ({"off_peak_brightness": 0.6}, "off_peak_brightness is 0.6; it must be at most peak_brightness, 0.5"),
        ({"minimum_brightness": 0.3}, "minimum_brightness is 0.3; it must be at most off_peak_brightness, 0.25"),
        ({"occupied_brightness": 0.4}, "peak_brightness is 0.5; it must be at most occupied_brightness, 0.4"),
        ({"safe_brightness": 0.2}, "safe_brightness is 0.2; it must be at least off_peak_brightness, 0.25"),
        ({"neighbours": [[2, 2]]}, "group 2 is paired with itself"),
        ({"neighbours": [[0, 2]]}, "greater than or equal to 1"),
        ({"hold_time": timedelta(0)}, "greater than or equal to 1 second"),
        ({"illuminance_floor": 0}, "greater than 0"),
        ({"weekday_peaks": [{"start": "18:30", "end": "19:00", "brightness": 1}]}, "brightness"),
    ],
)
def test_wrong_parameters_are_told(text: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TypeAdapter(Parameters).validate_python(text)


def test_groups_that_are_not_bound_are_told() -> None:
    with pytest.raises(ValueError, match="neighbours: group 4 is not there; 3 groups are bound, from 1"):
        TidalLighting(Parameters(neighbours=((1, 4),)), 3)


# --- whatever happens -------------------------------------------------------------------------------------------------

SAMPLES = st.one_of(st.none(), st.booleans(), st.booleans().map(Substituted))
READINGS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 500))
ROWS = st.lists(
    st.tuples(
        st.floats(0, 4000),
        st.fixed_dictionaries({}, optional={role: SAMPLES for role in MOTION[:3]}),
        st.fixed_dictionaries({}, optional={role: READINGS for role in (*LUX[:3], *MEASURED[:3])}),
    ),
    max_size=30,
)


@given(ROWS, st.sampled_from([0.0, 20.0]))
def test_never_dark_never_above_full_and_motion_raises_in_the_same_scan(rows: Any, fade: float) -> None:
    """Cycles.step asserts besides that the same question has the same answer, and that only outputs are requested."""
    parameters = replace(FLOOR, neighbours=((1, 2),), fade_time=timedelta(seconds=fade))
    cycles = Cycles(TidalLighting(parameters, 3), "2026-03-20 05:00")
    for later, motion, readings in rows:
        requests = cycles.step(later, {**motion, **readings}).requests
        assert set(requests) == set(LAMPS[:3])
        for ordinal, role in enumerate(MOTION[:3]):
            brightness = float(requests[LAMPS[ordinal]])
            assert parameters.off_peak_brightness <= brightness <= 1.0
            sample = cycles.samples.get(role)
            if sample is None or sample.value:
                assert brightness >= parameters.occupied_brightness
                if ordinal == 0:
                    assert float(requests[LAMPS[1]]) >= parameters.occupied_brightness


@given(
    full=st.floats(55.0, 400.0),
    noise=st.lists(st.floats(-0.02, 0.02), min_size=10, max_size=10),
    motion=st.lists(st.booleans(), min_size=1, max_size=20),
    delay=st.integers(1, 3),
)
@examples(60)
def test_lamps_never_leave_the_lux_floor(full: float, noise: list[float], motion: list[bool], delay: int) -> None:
    """Lamps that give `full` lx at 100 %, seen with noise, follow a scan later; the lux sensor `delay` scans later."""
    parameters = replace(FLOOR, settle_time=timedelta(seconds=5), hold_time=timedelta(seconds=5))
    cycles = Cycles(TidalLighting(parameters, 1), "2026-03-20 09:20")  # off-peak begins in the middle
    light = [1.0] * (delay + 1)
    for second in range(1200):
        there = motion[second // 60 % len(motion)]
        lux = full * light[-1 - delay] * (1 + noise[second % len(noise)])
        requests = cycles.step(1.0, {MOTION[0]: there, MEASURED[0]: light[-1], LUX[0]: lux}).requests
        light.append(float(requests[LAMPS[0]]))
        assert full * light[-1] >= min(50.0, full * 0.999) - 1e-9
