"""The variable-speed tower against published points of its correlation, and its balances of heat and water."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.core.physics import (
    humidity_ratio,
    moist_air_enthalpy,
    saturated_air_enthalpy,
    saturation_humidity_ratio,
    wet_bulb,
)
from simulator.plant import tower_water, york_calc
from simulator.plant.moist_air import saturated_at
from simulator.plant.tower_water import Basin, BasinInput, Losses, WaterModel
from simulator.plant.variable_speed_tower import Air, basin_heater_power, fan_power, rated_cell, tower
from tests.sweep import examples

CELL = rated_cell(60.0, 45.0, 15.0, wet_bulb=25.55, cooling_range=5.56, approach=3.89)


def air_at(dry: float, humidity: float) -> Air:
    ratio = humidity_ratio(dry, humidity)
    return Air(wet_bulb(dry, humidity), moist_air_enthalpy(dry, ratio), ratio)


# Modelica Buildings Library, ReferenceResults/Dymola, CoolingTowers_Correlations_Examples_YorkCalc: range 5.56 K at a
# wet bulb of 25.55 degC; water or air at a quarter to five quarters of its design flow.
@pytest.mark.parametrize(
    "liquid_to_gas, published",
    [
        (1.0 / 0.25, 18.333336),
        (1.0 / 0.5, 8.682718),
        (1.0 / 0.75, 5.458205),
        (1.0 / 1.25, 2.875843),
        (0.25, 0.210221),
        (0.5, 1.422190),
        (0.75, 2.633621),
        (1.0, 3.844515),
        (1.25, 5.054872),
    ],
)
def test_the_approach_is_the_published_one(liquid_to_gas: float, published: float) -> None:
    assert york_calc.approach(5.56, 25.55, liquid_to_gas) == pytest.approx(published, abs=1e-6)


@examples(60)
@given(excess=st.floats(0.0, 60.0), wet=st.floats(-40.0, 32.0), ratio=st.floats(0.2, 12.0))
def test_the_range_grows_with_the_excess_and_never_eats_it_up(excess: float, wet: float, ratio: float) -> None:
    found = york_calc.range_of(excess, wet, ratio)
    assert 0.0 <= found <= excess
    assert york_calc.range_of(excess + 0.5, wet, ratio) > found


@examples(60)
@given(fall=st.floats(1.2, 15.0), wet=st.floats(0.0, 26.7), ratio=st.floats(0.75, 2.0))
def test_the_range_solves_the_correlation(fall: float, wet: float, ratio: float) -> None:
    excess = fall + york_calc.approach(fall, wet, ratio)
    assert york_calc.range_of(excess, wet, ratio) == pytest.approx(fall, abs=1e-9)


def test_a_cell_does_what_its_nameplate_says() -> None:
    cell = rated_cell(60.0, 45.0, 15.0, wet_bulb=24.0, cooling_range=5.0, approach=4.0)
    done = tower(cell, [1.0], 60.0, 33.0, air_at(30.0, 0.6)._replace(wet_bulb=24.0))
    assert done.leaving == pytest.approx(28.0, abs=1e-6)
    assert done.heat == pytest.approx(60.0 * 4.19 * 5.0)


# The formulas of vapour over ice and over water do not meet at 0 °C: no temperature has an enthalpy [kJ/kg] in between.
STEP_AT_FREEZING = saturated_air_enthalpy(0.0) - saturated_air_enthalpy(-1e-9)


@example(speeds=[0.25], flow=163.0, entering=45.0, dry=0.0, humid=1.0)
@example(speeds=[0.0], flow=6e-8, entering=5.0, dry=0.0, humid=0.99999)
@examples(60)
@given(
    speeds=st.lists(st.none() | st.floats(0.0, 1.0), min_size=1, max_size=3),
    flow=st.floats(0.0, 240.0),
    entering=st.floats(5.0, 45.0),
    dry=st.floats(-10.0, 38.0),
    humid=st.floats(0.2, 1.0),
)
def test_heat_and_water_close(
    speeds: list[float | None], flow: float, entering: float, dry: float, humid: float
) -> None:
    air = air_at(dry, humid)
    done = tower(CELL, speeds, flow, entering, air)
    assert done.heat == pytest.approx(flow * 4.19 * (entering - done.leaving), abs=1e-9)
    assert min(entering, air.wet_bulb) - 1e-9 <= done.leaving <= max(entering, air.wet_bulb) + 1e-9
    assert done.leaving >= min(CELL.low_limit, entering) - 1e-9
    evaporated = tower_water.evaporation(done.heat, done.air_flow, air)
    if evaporated > 0.0:
        leaving = saturated_at(air.enthalpy + done.heat / done.air_flow, dry)
        unheld = 1e-6 + done.air_flow * STEP_AT_FREEZING
        assert done.air_flow * (saturated_air_enthalpy(leaving) - air.enthalpy) == pytest.approx(
            done.heat, rel=1e-4, abs=unheld
        )
        carried = done.air_flow * (saturation_humidity_ratio(leaving) - air.humidity_ratio)
        assert evaporated == pytest.approx(carried, rel=1e-4, abs=1e-6 + unheld / 2501.0)


def test_less_water_less_wet_bulb_or_more_air_brings_colder_water() -> None:
    air = air_at(32.0, 0.6)
    usual = tower(CELL, [0.7], 60.0, 35.0, air).leaving
    assert tower(CELL, [0.9], 60.0, 35.0, air).leaving < usual
    assert tower(CELL, [0.7], 50.0, 35.0, air).leaving < usual
    assert tower(CELL, [0.7], 60.0, 35.0, air_at(28.0, 0.6)).leaving < usual
    assert tower(CELL, [0.7, 0.0], 60.0, 35.0, air).leaving != usual


def test_without_fan_an_eighth_of_the_capacity_is_left() -> None:
    air = air_at(32.0, 0.6)
    still, full = tower(CELL, [0.0], 60.0, 35.0, air), tower(CELL, [1.0], 60.0, 35.0, air)
    assert still.heat == pytest.approx(full.heat / 8.0)
    assert still.fans.electric == 0.0
    assert tower(CELL, [0.1], 60.0, 35.0, air) == still  # below the converter's least speed


def test_a_cell_with_its_valve_shut_takes_no_water_and_no_heat() -> None:
    air = air_at(32.0, 0.6)
    assert tower(CELL, [None, 0.8], 60.0, 35.0, air) == tower(CELL, [0.8], 60.0, 35.0, air)
    assert tower(CELL, [None], 60.0, 35.0, air).heat == 0.0
    dry = tower(CELL, [0.8], 0.0, 35.0, air)
    assert dry.leaving == 35.0
    assert dry.fans.electric > 0.0  # its fan turns for nothing


def test_three_fans_at_two_thirds_beat_two_at_full_speed() -> None:
    air = air_at(32.0, 0.6)
    spread, few = tower(CELL, [0.7] * 3, 150.0, 35.0, air), tower(CELL, [1.0, 1.0, 0.0], 150.0, 35.0, air)
    assert spread.leaving < few.leaving + 0.1
    assert spread.fans.electric < 0.6 * few.fans.electric


def test_fans_draw_more_than_the_cube_of_their_speed_since_drives_lose() -> None:
    full, half = fan_power(CELL, [1.0]), fan_power(CELL, [0.5])
    assert full.electric - full.motor_loss - full.converter_loss == pytest.approx(15.0)
    assert half.electric - half.motor_loss - half.converter_loss == pytest.approx(15.0 / 8.0)
    assert 0.80 < 15.0 / full.electric < 0.90
    assert full.electric / 8.0 < half.electric < full.electric / 5.0


def test_in_the_frost_water_bypasses_the_fill() -> None:
    frost = air_at(-8.0, 0.8)
    done = tower(CELL, [1.0], 60.0, 8.0, frost)
    assert done.leaving == pytest.approx(CELL.low_limit)
    assert 0.0 < done.bypass < 1.0
    assert tower(CELL, [0.0], 60.0, 3.0, frost).bypass == 1.0
    assert tower(CELL, [1.0], 60.0, 30.0, air_at(20.0, 0.5)).bypass == 0.0
    assert basin_heater_power(capacity=0.5, setpoint=4.0, outdoor=-8.0, water_flows=False) == 6.0
    assert basin_heater_power(capacity=0.5, setpoint=4.0, outdoor=-8.0, water_flows=True) == 0.0


def test_evaporation_is_about_a_hundredth_of_the_flow_for_seven_kelvin() -> None:
    """ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40, "Water treatment"."""
    air = air_at(32.0, 0.6)
    done = tower(CELL, [1.0], 60.0, air.wet_bulb + 11.0, air)
    lost = tower_water.evaporation(done.heat, done.air_flow, air)
    assert lost / 60.0 / (done.heat / 60.0 / 4.19 / 7.0) == pytest.approx(0.01, rel=0.2)


def test_blow_down_keeps_the_salts() -> None:
    model = WaterModel(cycles=4.0)
    lost = tower_water.losses(model, 0.9, 60.0)
    assert lost.drift == pytest.approx(60.0 * 0.00005)
    assert (lost.drift + lost.blow_down) * 4.0 == pytest.approx(sum(lost))  # salts out = salts in with the make-up
    assert tower_water.losses(model, 0.0, 60.0).blow_down == 0.0  # drift alone takes out more than comes in


@examples(40)
@given(
    flow=st.floats(1.0, 100.0),
    returning=st.floats(10.0, 40.0),
    evaporated=st.floats(0.0, 1.0),
    heater=st.floats(0.0, 20.0),
    mass=st.floats(4000.0, 6200.0),
)
def test_the_basin_keeps_mass_and_heat(
    flow: float, returning: float, evaporated: float, heater: float, mass: float
) -> None:
    model, begin = WaterModel(), Basin(mass, 25.0)
    seen = BasinInput(flow, returning, Losses(evaporated, 0.003, 0.2), mains=18.0, heater=heater)
    after = tower_water.step(model, begin, seen, 10.0)
    assert after.mass - begin.mass == pytest.approx(after.made_up - sum(seen.losses) * 10.0, abs=1e-6)
    leaving = flow + seen.losses.drift + seen.losses.blow_down
    gained = (
        4.19 * 10.0 * ((flow - evaporated) * returning - leaving * 25.0) + 4.19 * after.made_up * 18.0 + heater * 10.0
    )
    held = 4.19 * (after.mass * after.temperature - begin.mass * 25.0)
    assert held == pytest.approx(gained, rel=1e-9, abs=1e-4)


def test_the_float_valve_holds_the_level() -> None:
    model, basin = WaterModel(), Basin(5000.0, 25.0)
    for _ in range(2000):
        basin = tower_water.step(model, basin, BasinInput(60.0, 27.0, Losses(0.9, 0.003, 0.3)), 10.0)
    assert model.basin - model.band < basin.mass < model.basin
    lost = 1.203 * 20000.0
    assert basin.made_up == pytest.approx(lost + basin.mass - 5000.0)


def test_a_basin_without_a_main_runs_dry_and_no_further() -> None:
    dry = tower_water.step(
        WaterModel(make_up=0.0), Basin(3.0, 25.0), BasinInput(60.0, 27.0, Losses(0.9, 0.0, 0.3)), 10.0
    )
    assert dry.mass == 0.0
