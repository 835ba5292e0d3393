"""The high-rise's cooling plant: heat is kept whatever is commanded, machines start, stop and fail as real ones do."""

import pickle
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.chilled_water import CoilDemand
from simulator.cooling_plant import original
from simulator.cooling_plant.accounts import chilled_water_error, condenser_water_error, plant_cop
from simulator.cooling_plant.guideline_36 import guideline_36, stages
from simulator.cooling_plant.high_rise import FLOOR_AREA, high_rise_plant
from simulator.cooling_plant.original import Original
from simulator.cooling_plant.points import points
from simulator.cooling_plant.running import RunningPlant
from simulator.cooling_plant.signals import Actuators, Commands, Controls, at_rest
from simulator.cooling_plant.state import (
    ALL_WELL,
    PlantInputs,
    PlantState,
    Trouble,
    electric_power,
    initial,
    served,
    stored,
    stored_cold,
)
from simulator.cooling_plant.step import step
from simulator.cooling_plant.trial import Instant, office_load, run
from simulator.plant.chiller_control import Mode, Trip
from simulator.plant.zone import ROOM_ENTHALPY
from simulator.weather import HOURS_PER_YEAR, Outdoor, Weather
from tests.frozen import digest
from tests.sweep import examples

SHENZHEN = ZoneInfo("Asia/Shanghai")
PLANT = high_rise_plant()
HOT = Outdoor(32.0, 0.62, 26.0, ROOM_ENTHALPY + 25.0, 300.0, 0.7)
COLD = Outdoor(4.0, 0.70, 1.9, 12.8, 0.0, 0.7)
REST = at_rest(PLANT)
STEP_S = 10.0
COILS = CoilDemand(conductance=12.0, heat=1500.0, requests=0, calls=True)


def hot_hours(controls: Controls[Any], begin: float, hours: float) -> Iterator[Instant]:
    """A Monday in July under steady heat, from an hour of the day on."""
    start = datetime(2026, 7, 20, tzinfo=SHENZHEN) + timedelta(hours=begin)
    weather = Weather((HOT,) * HOURS_PER_YEAR, "steady")
    return run(PLANT, controls, office_load(PLANT, FLOOR_AREA), weather, start, timedelta(hours=hours), zone=SHENZHEN)


def one_large(**changes: tuple[float, ...]) -> Actuators:
    """The first chiller with its pumps, a cell and a secondary pump."""
    return REST._replace(
        chilled_valves=(1.0, 0.0, 0.0, 0.0),
        condenser_valves=(1.0, 0.0, 0.0, 0.0),
        cell_valves=(1.0, 0.0, 0.0),
        primary=(1.0, 0.0, 0.0),
        secondary=(1.0, 0.0, 0.0),
        condenser=(1.0, 0.0, 0.0),
        fans=(1.0, 0.0, 0.0),
    )._replace(**changes)


def passed(
    state: PlantState,
    seconds: float,
    actuators: Actuators,
    enable: tuple[bool, bool, bool] = (False, False, False),
    *,
    air: Outdoor = HOT,
    coils: CoilDemand = COILS,
    trouble: Trouble = ALL_WELL,
) -> PlantState:
    inputs = PlantInputs(Commands(enable, (7.0, 7.0, 7.0), actuators), coils, air, trouble)
    for _ in range(round(seconds / STEP_S)):
        state = step(PLANT, state, inputs, STEP_S)
    return state


def errors(begin: PlantState, end: PlantState) -> tuple[float, float]:
    pair = (begin.accounts, stored(PLANT, begin)), (end.accounts, stored(PLANT, end))
    return chilled_water_error(*pair), condenser_water_error(*pair)


@pytest.fixture(scope="module")
def morning() -> list[Instant]:
    """Five to nine of a hot Monday under the old controls."""
    return list(hot_hours(Original(PLANT), 5.0, 4.0))


def test_a_morning_at_load_keeps_its_heat(morning: list[Instant]) -> None:
    end = morning[-1].state
    assert end.accounts.coils > 4000.0
    assert max(map(abs, errors(initial(PLANT), end))) < 1e-6 * end.accounts.coils


SHARE = st.sampled_from((0.0, 0.3, 1.0))


def shares(count: int) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*[SHARE] * count)


@examples(25)
@given(
    acts=st.lists(
        st.tuples(
            st.builds(Actuators, *[shares(len(group)) for group in REST]),
            st.tuples(*[st.booleans()] * 3),
            st.floats(0.0, 25.0),
            st.integers(1, 40),
            st.sampled_from((HOT, COLD)),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_heat_is_kept_whatever_is_commanded(
    acts: list[tuple[Actuators, tuple[bool, bool, bool], float, int, Outdoor]],
) -> None:
    state = begin = initial(PLANT)
    for actuators, enable, conductance, steps, air in acts:
        coils = CoilDemand(conductance, 20.0 * conductance, 0, True)
        state = passed(state, steps * STEP_S, actuators, enable, air=air, coils=coils)
        flows = state.rates.flows
        assert flows.primary.flow == pytest.approx(sum(flows.primary.branches))
        assert flows.condenser.flow == pytest.approx(sum(flows.condenser.branches))
        assert 0.0 <= electric_power(state) < 5000.0
        rates = state.rates
        waters = (rates.entering, rates.condenser_entering, rates.condenser_leaving, rates.tower_leaving)
        assert -10.0 < min(waters) <= max(waters) < 150.0
        assert max(map(abs, errors(begin, state))) < 1e-5
        assert 0.0 < min(state.supply, state.returning, *state.tank.layers if state.tank else ()) < 60.0


def test_the_plant_comes_on_in_order_and_trips_nothing(morning: list[Instant]) -> None:
    states = [each.state for each in morning]
    opens = next(index for index, state in enumerate(states) if state.actuators.chilled_valves[0] > 0.0)
    flows = next(index for index, state in enumerate(states) if state.rates.flows.primary.flow > 0.0)
    cools = next(index for index, state in enumerate(states) if state.chillers[0].control.mode is Mode.RUNNING)
    assert opens < flows < cools
    assert morning[opens].local.second >= 6 * 3600.0 - STEP_S
    assert all(chiller.control.trips == 0 for each in morning for chiller in each.state.chillers)


def test_the_old_controls_know_one_setpoint_and_one_speed(morning: list[Instant]) -> None:
    assert {each.inputs.commands.setpoints for each in morning} == {(7.0, 7.0, 7.0)}
    groups = ("primary", "secondary", "condenser", "fans")
    speeds = {speed for each in morning for group in groups for speed in getattr(each.inputs.commands.actuators, group)}
    assert speeds == {0.0, 1.0}
    running = [sum(chiller.control.mode is Mode.RUNNING for chiller in each.state.chillers) for each in morning]
    assert max(running) > running[-1] >= 1  # the warm water of the night is cooled by more machines than the day needs
    assert not any(morning[-1].state.actuators.storage)


def test_the_old_controls_are_frozen() -> None:
    """See docs/plant-models.md: whoever must change them makes every comparison anew, and then this digest."""
    assert digest(original) == "5d5089324cc46091"


def test_a_pump_that_trips_takes_its_chiller_with_it() -> None:
    on = (True, False, False)
    state = passed(initial(PLANT), 900.0, one_large(), on)
    assert state.chillers[0].control.mode is Mode.RUNNING
    tripped = Trouble(tripped=frozenset({("condenser", 0)}))
    state = passed(state, 60.0, one_large(), on, trouble=tripped)
    assert (state.chillers[0].control.mode, state.chillers[0].control.trip) == (Mode.TRIPPED, Trip.CONDENSER_FLOW)
    mended = passed(state, 1800.0, one_large(), on)
    assert mended.chillers[0].control.mode is Mode.TRIPPED  # until a person resets it


def test_a_stuck_header_valve_starves_its_chiller() -> None:
    stuck = Trouble(stuck=frozenset({("chilled_valves", 0)}))
    state = passed(initial(PLANT), 300.0, one_large(), (True, False, False), trouble=stuck)
    assert state.actuators.chilled_valves[0] == 0.0
    assert state.chillers[0].control.trip is Trip.EVAPORATOR_FLOW


def test_a_plant_that_is_taken_up_again_goes_on_to_the_bit() -> None:
    """At rest, and then water begins to flow through the towers and to evaporate."""
    state = passed(initial(PLANT), 10.0, one_large())
    again: PlantState = pickle.loads(pickle.dumps(state))
    assert passed(again, 40.0, one_large()) == passed(state, 40.0, one_large())


def test_valves_take_their_stroke() -> None:
    state = passed(initial(PLANT), 40.0, one_large())
    assert 0.3 < state.actuators.chilled_valves[0] < 0.7
    assert passed(state, 60.0, one_large()).actuators.chilled_valves[0] == 1.0


def test_sensors_lag_behind_the_water(morning: list[Instant]) -> None:
    falling = [each.state for each in morning if each.state.rates.cooling > 1500.0][:60]
    assert all(state.sensors.supply > state.supply for state in falling[5:])


def test_charging_stores_cold_through_the_pressure_sustaining_valve_and_discharging_serves_it() -> None:
    charging = one_large(
        chilled_valves=(1.0, 1.0, 0.0, 0.0),
        condenser_valves=(1.0, 1.0, 0.0, 0.0),
        primary=(1.0, 1.0, 0.0),
        condenser=(1.0, 1.0, 0.0),
        secondary=(0.0, 0.0, 0.0),
        cell_valves=(1.0, 1.0, 0.0),
        fans=(1.0, 1.0, 0.0),
        storage=(1.0, 0.0),
        transfer=(1.0, 1.0),
    )
    idle = CoilDemand(0.0, 0.0, 0, False)
    begin = initial(PLANT)
    state = passed(begin, 30.0, charging, (True, True, False), coils=idle)
    assert state.rates.flows.storage.upward < 100.0  # its valve is still opening
    state = passed(state, 4 * 3600.0, charging, (True, True, False), coils=idle)
    charged = stored_cold(PLANT, state)
    assert charged > stored_cold(PLANT, begin) + 6000.0
    storage = state.rates.flows.storage
    assert storage.upward > 120.0
    assert storage.throttling == pytest.approx(storage.upward * 0.5)  # 500 kPa lost in a kilogram are 0.5 kJ
    assert storage.electric > storage.throttling  # and are lifted again
    discharging = REST._replace(secondary=(1.0, 0.0, 0.0), storage=(0.0, 1.0), transfer=(1.0, 1.0))
    served_cold = passed(state, 3600.0, discharging)
    assert served(served_cold).temperature < 9.0
    assert served_cold.accounts.evaporators == pytest.approx(passed(state, 60.0, discharging).accounts.evaporators)
    assert stored_cold(PLANT, served_cold) < charged - 1000.0
    shut = passed(state, 600.0, REST._replace(transfer=(1.0, 1.0)), coils=idle)
    assert shut.rates.flows.storage.upward == 0.0
    assert max(map(abs, errors(begin, served_cold))) < 1e-5


def test_plates_cool_the_building_in_the_cold_without_a_chiller() -> None:
    free = REST._replace(
        chilled_valves=(0.0, 0.0, 0.0, 1.0),
        condenser_valves=(0.0, 0.0, 0.0, 1.0),
        cell_valves=(1.0, 1.0, 1.0),
        primary=(1.0, 0.0, 0.0),
        secondary=(1.0, 0.0, 0.0),
        condenser=(1.0, 0.0, 0.0),
        fans=(1.0, 1.0, 1.0),
    )
    state = passed(initial(PLANT), 3 * 3600.0, free, air=COLD, coils=COILS._replace(heat=800.0))
    assert state.rates.power == 0.0
    assert state.rates.free_cooling == pytest.approx(800.0, rel=0.1)
    assert served(state).temperature < 14.0


def test_stages_rise_by_capacity() -> None:
    small, large, both, two, all_three = stages(PLANT)
    assert (small, large) == ((False, False, True), (True, False, False))
    assert (both, two, all_three) == ((True, False, True), (True, True, False), (True, True, True))


@pytest.mark.slow
@pytest.mark.parametrize("make", [Original, guideline_36])
def test_two_hot_days_close_and_trip_nothing(make: Callable[..., Controls[Any]]) -> None:
    end = initial(PLANT)
    for each in hot_hours(make(PLANT), 0.0, 48.0):
        end = each.state
    assert sum(chiller.control.trips for chiller in end.chillers) == 0
    assert max(map(abs, errors(initial(PLANT), end))) < 1e-6 * end.accounts.coils


@pytest.mark.slow
def test_the_baseline_needs_less_for_the_same_cold() -> None:
    cop: list[float] = []
    cold: list[float] = []
    for controls in (Original(PLANT), guideline_36(PLANT)):
        *_, last = hot_hours(controls, 5.0, 17.0)
        cop.append(plant_cop(initial(PLANT).accounts, last.state.accounts))
        cold.append(last.state.accounts.coils)
    assert cop[1] > 1.1 * cop[0]
    assert cold[1] == pytest.approx(cold[0], rel=0.02)


# --- behind tags ------------------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> RunningPlant:
    start = datetime(2026, 7, 20, 5, 50, tzinfo=SHENZHEN).timestamp()
    return RunningPlant(PLANT, start, Weather((HOT,) * HOURS_PER_YEAR, "steady"), SHENZHEN)


def test_tags_show_the_plant_and_take_commands_point_by_point(site: RunningPlant) -> None:
    table = points(PLANT)
    site.advance(site.now + 9000.0, COILS)  # the warm water of the night is cold by now
    shown = {name: read(site) for name, (_, read) in table.items()}
    assert all(type(shown[name]) is tag.kind for name, (tag, _) in table.items())
    assert [shown[f"plant.chiller_{number}.status"] for number in (1, 2, 3)] == [True, False, False]
    site.command("plant.chiller_3.enable_command", True)
    site.command("plant.chiller_3.chilled_water_temperature_setpoint", 9.0)
    site.advance(site.now + 600.0, COILS)
    # The old controls give the machine its valves and pumps, whoever enabled it.
    assert table["plant.chiller_3.status"][1](site) is True
    assert table["plant.chilled_water_pump_3.status"][1](site) is True
    assert site.commands.setpoints == (7.0, 7.0, 9.0)
    site.command("plant.chiller_3.enable_command", None)
    site.advance(site.now + 1800.0, COILS)
    assert table["plant.chiller_3.status"][1](site) is False
    meters = [table[f"plant.chiller_{number}.energy"][1](site) for number in (1, 2, 3)]
    assert sum(map(float, meters)) == pytest.approx(float(table["meter.chillers_1.energy"][1](site)))


def test_advancing_in_pieces_is_the_same_to_the_bit(site: RunningPlant) -> None:
    other = RunningPlant(PLANT, site.now, Weather((HOT,) * HOURS_PER_YEAR, "steady"), SHENZHEN)
    site.advance(site.now + 1200.0, COILS)
    begin = other.now
    for piece in (3.0, 10.0, 25.0, 333.0, 1200.0):
        other.advance(begin + piece, COILS)
    assert other.state == site.state


def test_the_old_controls_replace_a_machine_that_has_tripped(site: RunningPlant) -> None:
    site.advance(site.now + 9000.0, COILS)
    assert [chiller.control.mode for chiller in site.state.chillers] == [Mode.RUNNING, Mode.OFF, Mode.OFF]
    site.trouble = Trouble(open_chains=frozenset({0}))
    site.advance(site.now + 3600.0, COILS)
    assert [chiller.control.mode for chiller in site.state.chillers[:2]] == [Mode.TRIPPED, Mode.RUNNING]
    assert site.state.sensors.supply < 9.0  # the tripped one's pumps go on, and mix return water into the supply


def test_the_plant_runs_under_the_baseline_too(site: RunningPlant) -> None:
    weather = Weather((HOT,) * HOURS_PER_YEAR, "steady")
    other = RunningPlant(PLANT, site.now, weather, SHENZHEN, controls=guideline_36(PLANT))
    other.advance(other.now + 9000.0, COILS)
    assert other.commands.setpoints[0] > 7.0
    assert min(other.commands.actuators.secondary) == 0.0 < max(other.commands.actuators.secondary) < 1.0


def test_a_person_resets_a_trip(site: RunningPlant) -> None:
    site.advance(site.now + 1800.0, COILS)
    site.trouble = Trouble(open_chains=frozenset({0}))
    site.advance(site.now + 10.0, COILS)
    site.trouble = ALL_WELL
    site.advance(site.now + 600.0, COILS)
    assert site.state.chillers[0].control.mode is Mode.TRIPPED
    site.reset_trip(0)
    site.advance(site.now + 600.0, COILS)
    assert site.state.chillers[0].control.mode is Mode.RUNNING
