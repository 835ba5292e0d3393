"""Zones, coils, air handlers and split units against their sources and their own balances."""

from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.physics import humidity_ratio, moist_air_enthalpy, saturation_humidity_ratio
from simulator.plant import rc_zone, split_unit
from simulator.plant.air_handler import (
    AirHandlerInput,
    AirHandlerModel,
    FilterModel,
    fan_for,
    filter_resistance,
    filter_step,
    handle,
    mix,
)
from simulator.plant.cooling_coil import coil_for, cool
from simulator.plant.moist_air import specific_heat
from simulator.plant.rc_zone import RcZone, Stream, ZoneInput, ZoneState, medium_zone, stored
from simulator.plant.split_unit import SplitInput, SplitModel, SplitOutput, SplitState

ZONE = medium_zone(500.0, opaque=0.4, glazing=0.5)
NOTHING = Stream(0.0, 20.0, 0.008, 420.0)
OUTDOOR = Stream(1.0, 33.0, humidity_ratio(33.0, 0.65), 420.0)
RETURNING = Stream(1.0, 25.0, humidity_ratio(25.0, 0.55), 800.0)


def still(outdoor: float = 30.0, **changes: float) -> ZoneInput:
    return ZoneInput(outdoor, NOTHING, NOTHING, people=0.0, solar=0.0, equipment=0.0)._replace(**changes)


# --- zones ------------------------------------------------------------------------------------------------------------


def iso_13790(
    model: RcZone, mass: float, outdoor: float, supply: float, kg_s: float, inner: float, solar: float
) -> float:
    """Mean air temperature of an hour, by the equations of annex C as printed."""
    ve, glazing = kg_s * specific_heat(0.008), model.glazing
    inner_air, ms = 3.45e-3 * model.surface, 9.1e-3 * model.mass_area
    em = 1.0 / (1.0 / model.opaque - 1.0 / ms)
    share = model.mass_area / model.surface
    phi_ia, phi_m = 0.5 * inner, share * (0.5 * inner + solar)
    phi_st = (1.0 - share - glazing / (9.1e-3 * model.surface)) * (0.5 * inner + solar)
    h1 = 1.0 / (1.0 / ve + 1.0 / inner_air)
    h2 = h1 + glazing
    h3 = 1.0 / (1.0 / h2 + 1.0 / ms)
    total = phi_m + em * outdoor + h3 * (phi_st + glazing * outdoor + h1 * (phi_ia / ve + supply)) / h2
    capacity = model.mass_capacity / 3600.0
    after = (mass * (capacity - 0.5 * (h3 + em)) + total) / (capacity + 0.5 * (h3 + em))
    mean = 0.5 * (mass + after)
    surface = (ms * mean + phi_st + glazing * outdoor + h1 * (supply + phi_ia / ve)) / (ms + glazing + h1)
    return (inner_air * surface + ve * supply + phi_ia) / (inner_air + ve)


@pytest.mark.parametrize(
    "outdoor, supply, flow, inner, solar", [(35.0, 14.0, 3.0, 12.0, 8.0), (-5.0, 20.0, 0.5, 2.0, 0.0)]
)
def test_without_heat_in_the_air_it_is_the_standards_simple_hourly_method(
    outdoor: float, supply: float, flow: float, inner: float, solar: float
) -> None:
    model = RcZone(500.0, 3.0, 0.4, 0.5, 165.0 * 500.0, 2.5 * 500.0, air_capacity=1e-9)
    stream = Stream(flow, supply, 0.008, 420.0)
    seen = still(outdoor, equipment=inner, solar=solar)._replace(supply=stream)
    expected = iso_13790(model, 24.0, outdoor, supply, flow, inner, solar)
    after, _ = rc_zone.step(model, ZoneState(expected, 24.0), seen, 3600.0)
    assert after.air == pytest.approx(expected, abs=1e-6)


zone_inputs = st.builds(
    ZoneInput,
    outdoor=st.floats(-10.0, 40.0),
    supply=st.builds(Stream, st.floats(0.0, 10.0), st.floats(10.0, 35.0), st.floats(0.004, 0.02), st.floats(400, 2000)),
    infiltration=st.just(Stream(0.2, 33.0, 0.018, 420.0)),
    people=st.floats(0.0, 60.0),
    solar=st.floats(0.0, 40.0),
    equipment=st.floats(0.0, 20.0),
    plant=st.floats(-40.0, 20.0),
)


@settings(max_examples=40, deadline=None)
@given(
    seen=zone_inputs,
    air=st.floats(10.0, 35.0),
    mass=st.floats(10.0, 35.0),
    dt=st.sampled_from([1.0, 10.0, 60.0, 900.0]),
)
def test_a_zone_keeps_heat_moisture_and_carbon_dioxide(seen: ZoneInput, air: float, mass: float, dt: float) -> None:
    before = ZoneState(air, mass, 0.010, 600.0)
    after, flows = rc_zone.step(ZONE, before, seen, dt)
    assert stored(ZONE, after) - stored(ZONE, before) == pytest.approx(sum(flows) * dt, rel=1e-9, abs=1e-4)
    halves = before
    for _ in range(2):
        halves, _ = rc_zone.step(ZONE, halves, seen, 0.5 * dt)
    assert halves.humidity_ratio == pytest.approx(after.humidity_ratio)  # exact in time
    assert halves.co2 == pytest.approx(after.co2)


def test_a_zone_left_alone_comes_to_the_outdoor_temperature() -> None:
    state = ZoneState(20.0, 20.0)
    for _ in range(24 * 60):
        state, _ = rc_zone.step(ZONE, state, still(30.0), 900.0)
    assert state.air == pytest.approx(30.0, abs=0.01)
    assert state.mass == pytest.approx(30.0, abs=0.01)


def test_air_answers_in_minutes_and_the_building_in_hours() -> None:
    state = ZoneState(25.0, 25.0)
    for _ in range(10):
        state, _ = rc_zone.step(ZONE, state, still(25.0, plant=-20.0), 60.0)
    assert state.air < 23.5
    assert state.mass > 24.8


def test_ten_litres_a_second_a_person_hold_520_ppm_above_the_outdoors() -> None:
    """ASHRAE 62.1: C - C_o = G / Q = 0.0052 / 0.010 L/L."""
    people = 40.0
    seen = still(people=people)._replace(supply=Stream(people * 0.010 * 1.2, 20.0, 0.008, 420.0))
    state = ZoneState(24.0, 24.0)
    for _ in range(200):
        state, _ = rc_zone.step(ZONE, state, seen, 600.0)
    assert state.co2 == pytest.approx(940.0, abs=0.5)
    hour = ZONE.air_mass / (people * 0.012)  # one air change
    half, _ = rc_zone.step(ZONE, ZoneState(24.0, 24.0), seen, hour)
    assert half.co2 == pytest.approx(420.0 + 520.0 * (1.0 - exp(-1.0)))


# --- coil -------------------------------------------------------------------------------------------------------------

COIL = coil_for(60.0, 2.5, 27.0, 0.55, 2.5, 7.0)


def test_a_coil_takes_its_design_heat_and_dries_the_air() -> None:
    done = cool(COIL, 2.5, 27.0, humidity_ratio(27.0, 0.55), 2.5, 7.0)
    assert done.heat == pytest.approx(60.0, rel=1e-6)
    assert done.condensate > 0.005
    assert 0.6 < done.sensible / done.heat < 0.85
    assert 11.0 < done.temperature < 15.0


@settings(max_examples=60, deadline=None)
@given(
    air=st.floats(0.0, 4.0),
    temperature=st.floats(5.0, 38.0),
    humid=st.floats(0.1, 1.0),
    water=st.floats(0.0, 4.0),
    entering=st.floats(4.0, 20.0),
)
def test_a_coil_keeps_heat_and_water(
    air: float, temperature: float, humid: float, water: float, entering: float
) -> None:
    ratio = humidity_ratio(temperature, humid)
    done = cool(COIL, air, temperature, ratio, water, entering)
    assert water * 4.19 * (done.water_leaving - entering) == pytest.approx(done.heat, abs=1e-6)
    assert air * (ratio - done.humidity_ratio) == pytest.approx(done.condensate, abs=1e-12)
    fallen = moist_air_enthalpy(temperature, ratio) - moist_air_enthalpy(done.temperature, done.humidity_ratio)
    assert air * fallen == pytest.approx(done.heat + done.condensate * 4.19 * done.drip, abs=1e-6)
    assert min(entering, temperature) - 1e-6 <= done.temperature <= max(entering, temperature) + 1e-6
    assert done.humidity_ratio <= 1.05 * max(saturation_humidity_ratio(done.temperature), 1e-9)


def test_dry_air_stays_dry() -> None:
    done = cool(COIL, 2.5, 27.0, humidity_ratio(27.0, 0.2), 2.5, 12.0)
    assert done.condensate == 0.0
    assert done.sensible == done.heat


# --- air handler ------------------------------------------------------------------------------------------------------

HANDLER = AirHandlerModel(
    fan_for(2.5, 0.9, 0.65), COIL, FilterModel(2.5, 0.08, 0.25, 2.5 * 3600.0 * 4000.0), 0.25 / 2.5**2, 0.2
)
DESIGN = AirHandlerInput(
    OUTDOOR,
    RETURNING,
    damper=0.0,
    fan_speed=1.0,
    duct=0.57 / 2.5**2,
    duct_static=0.0,
    loading=0.0,
    water_flow=2.5,
    water_entering=7.0,
)


def enthalpy(air: Stream) -> float:
    return moist_air_enthalpy(air.temperature, air.humidity_ratio)


def contents(air: Stream) -> tuple[float, float, float]:
    return enthalpy(air), air.humidity_ratio, air.co2


def test_an_air_handler_at_its_design() -> None:
    done = handle(HANDLER, DESIGN)
    assert done.supply.flow == pytest.approx(2.5)
    assert done.outdoor_flow == pytest.approx(0.5)
    assert done.mixed.co2 == pytest.approx(0.2 * 420.0 + 0.8 * 800.0)
    assert done.fan_heat == pytest.approx(2.5 * 0.9 / 1.2 / 0.65, rel=0.25)
    taken = done.coil.heat + done.coil.condensate * 4.19 * done.coil.drip
    assert 2.5 * enthalpy(done.supply) == pytest.approx(2.5 * enthalpy(done.mixed) - taken + done.fan_heat, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(damper=st.floats(0.0, 1.0), speed=st.floats(0.0, 1.0), loading=st.floats(0.0, 2.0), static=st.floats(0.0, 0.4))
def test_mixing_keeps_mass_heat_and_moisture(damper: float, speed: float, loading: float, static: float) -> None:
    done = handle(HANDLER, DESIGN._replace(damper=damper, fan_speed=speed, loading=loading, duct_static=static))
    outdoor, returned = done.outdoor_flow, done.supply.flow - done.outdoor_flow
    assert 0.0 <= outdoor <= done.supply.flow + 1e-12
    for mixed, fresh, back in zip(contents(done.mixed), contents(OUTDOOR), contents(RETURNING), strict=True):
        assert done.supply.flow * mixed == pytest.approx(outdoor * fresh + returned * back, rel=1e-9, abs=1e-9)


def test_a_dirty_filter_costs_air() -> None:
    model, loading = HANDLER.filter, 0.0
    for _ in range(4000):
        loading = filter_step(model, loading, 2.5, 3600.0)
    assert loading == pytest.approx(1.0)
    assert filter_resistance(model, loading) * 2.5**2 == pytest.approx(0.25)
    assert handle(HANDLER, DESIGN._replace(loading=1.0)).supply.flow < 0.95 * 2.5


def test_a_standing_fan_supplies_nothing() -> None:
    done = handle(HANDLER, DESIGN._replace(fan_speed=0.0))
    assert done.supply.flow == done.coil.heat == done.fan_heat == 0.0
    assert mix([NOTHING, NOTHING]).flow == 0.0


# --- split units of a computer room -----------------------------------------------------------------------------------

SPLIT = SplitModel(capacity=12.0, cop=3.0, fan=0.4)


def run(seen: SplitInput, seconds: int, state: SplitState | None = None) -> tuple[SplitState, list[SplitOutput]]:
    state, outputs = state or SplitState(), list[SplitOutput]()
    for _ in range(seconds // 10):
        state, output = split_unit.step(SPLIT, state, seen, 10.0)
        outputs.append(output)
    return state, outputs


def test_a_split_unit_at_its_rating() -> None:
    seen = SplitInput(True, room=28.0, wet_bulb=19.44, outdoor=35.0, on_above=26.0, off_below=24.0)
    _, outputs = run(seen, 1200)
    assert outputs[-1].cooling == pytest.approx(12.0 - 0.4, rel=0.01)
    assert outputs[-1].power == pytest.approx(4.0 + 0.4, rel=0.01)
    assert outputs[0].cooling < 0.2 * outputs[-1].cooling  # its coil is still warm
    assert all(each.rejected == pytest.approx(each.cooling + each.power) for each in outputs)
    hot = run(seen._replace(outdoor=43.0), 1200)[1][-1]
    assert hot.cooling < outputs[-1].cooling
    assert hot.power > outputs[-1].power


def test_it_obeys_its_thermostat_and_spares_its_compressor() -> None:
    warm = SplitInput(True, room=26.5, wet_bulb=18.0, outdoor=30.0, on_above=26.0, off_below=24.0)
    state, _ = run(warm, 60)
    assert state.compressor
    cold = warm._replace(room=23.0)
    state, _ = run(cold, 60, state)
    assert state.compressor  # least running time
    state, outputs = run(cold, 120, state)
    assert not state.compressor
    assert outputs[-1] == SplitOutput(-0.4, 0.0, 0.4)  # its fan goes on, and warms the room
    state, _ = run(warm, 60, state)
    assert not state.compressor  # least rest
    state, _ = run(warm, 200, state)
    assert state.compressor
    assert state.starts == 2
    state, outputs = run(warm._replace(enable=False), 10, state)
    assert not state.compressor
    assert outputs[-1] == SplitOutput(0.0, 0.0, 0.0)


def test_the_second_unit_of_a_pair_comes_when_one_is_not_enough() -> None:
    """A room of 15 kW of computers; 12 kW units, the second one's thermostat 2 K above the first's."""
    room, states = 25.0, [SplitState(), SplitState()]
    ran = [0.0, 0.0]
    for _ in range(6 * 360):
        cooling = 0.0
        for index in range(2):
            seen = SplitInput(True, room, 17.0, 32.0, 26.0 + 2.0 * index, 24.0 + 2.0 * index)
            states[index], output = split_unit.step(SPLIT, states[index], seen, 10.0)
            cooling += output.cooling
            ran[index] += states[index].compressor
        room += (15.0 - cooling) * 10.0 / 900.0
        assert 20.0 < room < 32.0
    assert ran[0] > 2.0 * ran[1] > 0.0
