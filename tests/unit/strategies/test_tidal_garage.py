"""Tidal lighting of a whole garage: ways, places, lamp tables, stuck sensors, circuits that only switch, sensor lamps,
and a tide that is learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from controller.core.ports import Aggregate
from controller.core.state_codec import decode, encode
from controller.core.strategy import LooksBack, Observation, PlanInput, Plans, Position, Role
from strategies.blocks.garage import LampRow, Place, brightness_for
from strategies.blocks.tide import HOLIDAY, Counted, Tide, counted_entries, learned_tide
from strategies.tidal_lighting import KIND, Parameters, State, TidalLighting
from tests.unit.strategies.cycles import SHANGHAI, Cycles

LAMPS = [Role("groups", ordinal, "brightness_command") for ordinal in range(6)]
MOTION = [Role("groups", ordinal, "motion") for ordinal in range(6)]
CIRCUITS = [Role("circuits", ordinal, "command") for ordinal in range(2)]
SEEN_THERE = [Role("circuits", ordinal, "motion") for ordinal in range(2)]

NO_LUX = Parameters(illuminance_floor=None)
NIGHT = "2026-03-20 23:00"
NOON = "2026-03-20 12:00"


def vacant(strategy: TidalLighting, start: str = NIGHT) -> Cycles[State]:
    """A garage in which nobody has moved for an hour."""
    cycles = Cycles(strategy, start)
    cycles.step(0, dict.fromkeys(strategy.inputs, False))
    cycles.step(3600)
    return cycles


def build(text: dict[str, Any], **counts: int) -> TidalLighting:
    strategy = KIND.build(TypeAdapter(Parameters).validate_python(text), counts)
    assert isinstance(strategy, TidalLighting)
    return strategy


# --- ways -------------------------------------------------------------------------------------------------------------


def test_light_goes_ahead_of_a_car_by_two_groups_and_of_a_walker_by_one() -> None:
    parameters = replace(NO_LUX, driving_paths=((1, 2, 3, 4),), walking_paths=((3, 5, 6),))
    vacant(TidalLighting(parameters, 6)).run(
        [
            (1, {MOTION[0]: True}, dict(zip(LAMPS, (0.75, 0.75, 0.75, 0.25, 0.25, 0.25), strict=True))),
            (100, {MOTION[0]: False, MOTION[4]: True}, {LAMPS[2]: 0.75, LAMPS[3]: 0.25, LAMPS[5]: 0.75}),
        ]
    )


def test_the_place_of_a_missing_group_is_told() -> None:
    with pytest.raises(ValueError, match=r"driving_paths\.2: group 9 is not there; 3 groups are bound, from 1"):
        TidalLighting(Parameters(driving_paths=((1, 2), (2, 9))), 3)


@pytest.mark.parametrize(
    "text, told",
    [
        ({"places": [{"kind": "ramp", "groups": [1]}]}, "the ramp has no floor"),
        ({"places": [{"kind": "cellar", "groups": [1], "brightness": 0.5}]}, "entrance"),
        ({"lamp_table": [{"groups": [1], "full_illuminance": 0}]}, "greater than 0"),
        ({"tide": "guessed"}, "learned"),
    ],
)
def test_wrong_parameters_are_told(text: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TypeAdapter(Parameters).validate_python(text)


# --- places and the light that people need ----------------------------------------------------------------------------


def test_a_place_keeps_its_own_floor_and_says_so() -> None:
    ramp = Place("ramp", (1,), brightness=0.6)
    cycles = vacant(TidalLighting(replace(NO_LUX, places=(ramp,)), 2))
    decision = cycles.step(1)
    assert decision.requests == {LAMPS[0]: 0.6, LAMPS[1]: 0.25}
    assert decision.reason == (
        "off-peak 25 %; group 1 at 60 %: a ramp keeps its own floor",
        "低峰 25%；第 1 组 60%：坡道保持自身下限",
    )


def test_the_floor_of_a_place_in_lux_comes_from_the_lamp_table() -> None:
    stairs, table = Place("stairs", (1,), illuminance=75.0), LampRow((1, 2), 150.0)
    parameters = replace(NO_LUX, places=(stairs,), lamp_table=(table,))
    assert vacant(TidalLighting(parameters, 2)).step(1).requests[LAMPS[0]] == pytest.approx(0.525)
    with pytest.raises(ValueError, match="group 1 is to keep 75 lx, and nothing tells its light"):
        TidalLighting(replace(parameters, lamp_table=()), 2)


def test_occupied_means_65_lx_by_the_lamp_table() -> None:
    parameters = replace(NO_LUX, occupied_brightness=0.5, lamp_table=(LampRow((1,), 100.0),))
    cycles = vacant(TidalLighting(parameters, 2))
    requests = cycles.step(1, dict.fromkeys(MOTION[:2], True)).requests
    assert requests == {LAMPS[0]: brightness_for(65.0, 100.0), LAMPS[1]: 0.5}
    assert 100.0 * float(requests[LAMPS[0]]) >= 65.0


def test_occupied_means_65_lx_by_the_lux_sensor() -> None:
    """Lamps that give 80 lx at 100 %: 75 % would be 60 lx."""
    cycles = Cycles(TidalLighting(Parameters(), 1), NIGHT)
    lux, measured = Role("groups", 0, "illuminance"), Role("groups", 0, "brightness")
    cycles.step(0, {MOTION[0]: False, lux: 40.0, measured: 0.5})
    cycles.step(3600)
    requests = cycles.step(1, {MOTION[0]: True}).requests
    assert 80.0 * float(requests[LAMPS[0]]) >= 65.0


# --- a sensor that sees nobody ----------------------------------------------------------------------------------------


def test_a_sensor_that_never_sees_whom_its_neighbour_sees_counts_as_occupied() -> None:
    parameters = replace(NO_LUX, neighbours=((1, 2),), stuck_after_motions=10)
    cycles = vacant(TidalLighting(parameters, 3))
    for _ in range(10):
        assert cycles.step(600, {MOTION[0]: True}).requests[LAMPS[2]] == 0.25
        cycles.step(1, {MOTION[0]: False})
    decision = cycles.step(600)
    assert decision.requests[LAMPS[1]] == 0.75
    assert "group 2 at 75 %: motion sensor stuck, taken as occupied" in decision.reason.en
    assert decision.requests[LAMPS[0]] == 0.75, "its neighbours rise with it"
    cycles.step(1, {MOTION[1]: True})
    cycles.step(1, {MOTION[1]: False})
    assert cycles.step(600).requests == dict.fromkeys(LAMPS[:3], 0.25)


def test_an_empty_garage_has_no_stuck_sensors() -> None:
    cycles = vacant(TidalLighting(replace(NO_LUX, neighbours=((1, 2),), stuck_after_motions=10), 2))
    for _ in range(30):
        assert cycles.step(86400).reason.en.endswith("25 %")


# --- circuits that only switch ----------------------------------------------------------------------------------------


def test_circuits_that_only_switch_follow_the_tide_and_the_people() -> None:
    parameters = replace(NO_LUX, neighbours=((1, 2),))
    cycles = vacant(TidalLighting(parameters, 1, 1))
    assert cycles.step(1).reason.en == "off-peak 25 %; group 2 at 0 %: it only switches, and nobody is there"
    cycles.run(
        [
            (1, {}, {LAMPS[0]: 0.25, CIRCUITS[0]: False}),
            (1, {MOTION[0]: True}, {CIRCUITS[0]: True}),
            (1, {MOTION[0]: False}, {CIRCUITS[0]: True}),
            (61, {}, {CIRCUITS[0]: False}),
            (1, {SEEN_THERE[0]: True}, {LAMPS[0]: 0.75, CIRCUITS[0]: True}),
            (1, {SEEN_THERE[0]: None}, {CIRCUITS[0]: True}),
        ]
    )
    morning = vacant(TidalLighting(parameters, 1, 1), "2026-03-20 07:00")
    assert morning.step(1).requests[CIRCUITS[0]] is True


def test_a_circuit_that_nobody_would_light_is_told() -> None:
    with pytest.raises(ValueError, match="group 1 only switches and would stay dark with somebody there"):
        TidalLighting(replace(NO_LUX, groups_without_motion_sensor=(1,)), 0, 1)
    stairs = replace(NO_LUX, groups_without_motion_sensor=(1,), places=(Place("stairs", (1,), illuminance=50.0),))
    assert vacant(TidalLighting(stairs, 0, 1)).step(1).requests[CIRCUITS[0]] is True


def test_nothing_bound_is_told() -> None:
    with pytest.raises(ValueError, match="nothing is bound; bind groups, circuits or sensor_lamps"):
        TidalLighting(Parameters(), 0)


# --- lamps that see for themselves ------------------------------------------------------------------------------------

ALONE = {
    "illuminance_floor": 10.0,
    "occupied_brightness": 0.5,
    "hold_time": "PT30S",
    "off_peak_hold_time": "PT15S",
    "peak_idle_brightness": 0.2,
    "driving_paths": [[1, 2, 3]],
    "driving_ahead": 1,
    "lamp_table": [{"groups": [1, 2, 3], "full_illuminance": 140}],
    "places": [{"kind": "entrance", "groups": [1], "illuminance": 30}],
}


def settings(decision: Any, ordinal: int) -> tuple[Any, ...]:
    names = ("idle_brightness", "active_brightness", "hold_time", "linked_groups")
    return tuple(decision.requests[Role("sensor_lamps", ordinal, name)] for name in names)


def test_sensor_lamps_get_their_settings_by_the_tide() -> None:
    strategy = build(ALONE, sensor_lamps=3)
    assert not strategy.inputs, "nothing of theirs is waited for"
    night, peak = Cycles(strategy, NIGHT).step(0), Cycles(strategy, "2026-03-20 07:00").step(0)
    assert settings(night, 0) == (0.225, 0.5, 15.0, 0b011)
    assert settings(night, 1) == (0.075, 0.5, 15.0, 0b111)
    assert settings(night, 2) == (0.075, 0.5, 15.0, 0b110)
    assert settings(peak, 1) == (0.2, 0.5, 30.0, 0b111)
    assert night.reason == (
        "off-peak 25 %; lamps of group 1 idle at 22.5 %, 50 % on their own motion for 15 s; "
        "lamps of groups 2-3 idle at 7.5 %, 50 % on their own motion for 15 s",
        "低峰 25%；第 1 组灯具自感应：待机 22.5%，有人 50%，保持 15 秒；"
        "第 2-3 组灯具自感应：待机 7.5%，有人 50%，保持 15 秒",
    )


def test_sensor_lamps_idle_at_most_a_tenth_above_their_floor() -> None:
    for floor in (5.0, 10.0, 20.0):
        idle = settings(Cycles(build({**ALONE, "illuminance_floor": floor}, sensor_lamps=3), NIGHT).step(0), 1)[0]
        assert floor <= 140.0 * idle <= 1.1 * floor


def test_all_three_kinds_are_numbered_on() -> None:
    strategy = build({"illuminance_floor": None, "neighbours": [[1, 2], [3, 4]]}, groups=1, circuits=1, sensor_lamps=2)
    requests = vacant(strategy).step(1, {MOTION[0]: True}).requests
    assert requests[CIRCUITS[0]] is True
    assert requests[Role("sensor_lamps", 0, "linked_groups")] == 0b11


# --- a tide that is learned -------------------------------------------------------------------------------------------

MONDAY = datetime(2026, 3, 2, tzinfo=SHANGHAI)
HOLIDAY_DATE = date(2026, 3, 18)


def four_weeks(*, until: int = 28) -> list[Counted]:
    """Working days are busy from eight to ten, weekends at noon, a holiday all day; one night there is an event."""
    hours: list[Counted] = []
    for hour in range(until * 24):
        start = MONDAY + timedelta(hours=hour)
        busy = 8 <= start.hour < 10 if start.weekday() < 5 else start.hour == 12
        busy = busy or start.date() == HOLIDAY_DATE or (start.day, start.hour) == (10, 22)
        hours.append(Counted(start, 0.6 if busy else 0.02))
    return hours


def peak_hours(tide: Tide, kind: int) -> list[int]:
    peaks = tide.days[kind]
    assert peaks is not None
    return [hour for hour, peak in enumerate(peaks) if peak]


def test_the_tide_is_learned_by_weekday_and_hour_and_no_single_day_makes_one() -> None:
    tide = learned_tide(four_weeks(), {HOLIDAY_DATE}, 0.5)
    assert [peak_hours(tide, day) for day in range(7)] == [[8, 9]] * 5 + [[12]] * 2
    assert peak_hours(tide, HOLIDAY) == [12], "a holiday seen once is taken for a weekend"


def test_an_empty_garage_has_no_peaks_and_an_unknown_one_no_tide() -> None:
    quiet = learned_tide([replace(each, traffic=0.0) for each in four_weeks()], (), 0.5)
    assert [peak_hours(quiet, day) for day in range(7)] == [[]] * 7
    assert learned_tide(four_weeks(until=1), (), 0.5).days == (None,) * 8


def test_entries_are_what_a_counter_has_grown_by_and_a_reset_is_none() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    counts = ((100.0, 130.0, 130.0), (130.0, 131.0, 131.0), (0.0, 132.0, 0.0))
    window = [
        Aggregate(start + timedelta(hours=hour), 60, least, most, most, last, 1.0)
        for hour, (least, most, last) in enumerate(counts)
    ]
    assert [each.traffic for each in counted_entries([window], lambda at: at)] == [30.0, 1.0, 0.0]


def test_the_strategy_learns_and_follows() -> None:
    strategy = build({"illuminance_floor": None, "tide": "learned"}, groups=2)
    assert isinstance(strategy, Plans)
    assert isinstance(strategy, LooksBack)
    assert strategy.history == frozenset(MOTION[:2])
    now = datetime(2026, 3, 29, 16, tzinfo=UTC)
    window = [Aggregate(each.start.astimezone(UTC), 60, 0.0, each.traffic, 1.0, 0.0, 1.0) for each in four_weeks()]
    seen = Observation(now, now.astimezone(SHANGHAI), 0.0, {})
    given = PlanInput(now, SHANGHAI, Position(31.2, 121.5), seen, None, None, history={MOTION[0]: window})
    plan = strategy.plan(given)
    assert decode(Tide, encode(plan)) == plan
    for local, expected in (("08:00", 0.5), ("10:00", 0.25), ("17:30", 0.25)):
        cycles = vacant(strategy, f"2026-03-30 {local}")
        cycles.now -= timedelta(hours=1)
        cycles.plan = plan
        decision = cycles.step(3600)
        assert decision.requests[LAMPS[0]] == expected, local
        assert decision.reason.en.endswith("as learned")
    assert vacant(strategy, "2026-03-30 17:30").step(1).requests[LAMPS[0]] == 0.5, "nothing learned: as given"


def test_entry_counters_are_what_is_learned_from_where_there_are_any() -> None:
    strategy = build({"illuminance_floor": None, "tide": "learned"}, groups=1, entry_counters=2)
    assert isinstance(strategy, LooksBack)
    assert strategy.history == {Role("entry_counters", ordinal, "entries") for ordinal in range(2)}
    assert strategy.history <= set(strategy.inputs)
