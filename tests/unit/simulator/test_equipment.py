"""Equipment functions against their sources and against their own limits."""

from math import isclose

import pytest

from simulator.plant import coil, pump, tower
from simulator.plant.chiller import biquadratic, generic_centrifugal, operate
from simulator.plant.hydronics import distribute, mixed
from simulator.plant.lamps import LampGroupModel, group_power
from simulator.plant.occupancy import building_use

CHILLER = generic_centrifugal(600.0)


def test_chiller_curves_are_one_at_their_reference_point() -> None:
    assert biquadratic(CHILLER.capacity_curve, 6.67, 29.4) == pytest.approx(1.0, abs=0.01)
    assert biquadratic(CHILLER.input_curve, 6.67, 29.4) == pytest.approx(1.0, abs=0.01)
    assert sum(CHILLER.part_load_curve) == pytest.approx(1.0, abs=1e-5)


def test_chiller_at_full_load_has_its_reference_cop() -> None:
    full = operate(CHILLER, 1e6, 1.0, 6.67, 29.4)
    assert full.cooling == pytest.approx(600.0, rel=0.01)
    assert full.cooling / full.power == pytest.approx(5.5, rel=0.01)


@pytest.mark.parametrize("wanted", [-50.0, 0.0, 100.0, 300.0, 590.0, 2000.0])
def test_condenser_takes_evaporator_and_compressor(wanted: float) -> None:
    operation = operate(CHILLER, wanted, 1.0, 7.0, 27.0)
    assert operation.heat_rejection == operation.cooling + operation.power


def test_chiller_does_not_unload_below_its_minimum_and_loads_falsely_before() -> None:
    least, low = operate(CHILLER, 0.0, 1.0, 7.0, 27.0), operate(CHILLER, 90.0, 1.0, 7.0, 27.0)
    assert least.cooling == pytest.approx(0.1 * 600.0, rel=0.1)
    assert least.power == low.power
    assert low.cooling == 90.0


def test_colder_condenser_water_saves_power_and_colder_chilled_water_costs_it() -> None:
    usual = operate(CHILLER, 300.0, 1.0, 7.0, 29.0).power
    assert operate(CHILLER, 300.0, 1.0, 7.0, 26.0).power < usual < operate(CHILLER, 300.0, 1.0, 5.0, 29.0).power


def test_pump_follows_the_affinity_laws() -> None:
    model = pump.PumpModel(24.0, 6.6, 0.4, 0.93, 0.1)
    assert pump.pump_flow(model, 0.5) == 12.0
    assert pump.pump_power(model, 0.5) == pytest.approx(6.6 / 8.0)
    assert pump.wanted_speed(model, True, 0.1) == 0.4
    assert pump.wanted_speed(model, False, 1.0) == 0.0


@pytest.mark.parametrize("primary", [0.0, 10.0, 24.0])
@pytest.mark.parametrize("secondary", [0.0, 10.0, 24.0])
@pytest.mark.parametrize("charge", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("discharge", [0.0, 0.4, 1.0])
def test_every_combination_of_pumps_and_valves_balances(
    primary: float, secondary: float, charge: float, discharge: float
) -> None:
    flows = distribute(primary, secondary, charge, discharge)
    assert all(flow >= 0.0 for flow in flows)
    assert isclose(primary + flows.discharge + flows.backward, secondary + flows.charge + flows.forward, abs_tol=1e-12)
    assert flows.charge == 0.0 or flows.discharge == 0.0


def test_streams_mix_by_their_flows() -> None:
    assert mixed((1.0, 6.0), (3.0, 10.0), otherwise=0.0) == 9.0
    assert mixed((0.0, 6.0), otherwise=12.0) == 12.0


def test_coils_ask_for_more_water_where_it_is_warm_and_never_more_than_the_pump_gives() -> None:
    model = coil.CoilModel(effectiveness=0.35, air_temperature=24.5, flow=24.0, least_flow=2.4)
    assert coil.wanted_flow(model, 300.0, 7.0) < coil.wanted_flow(model, 300.0, 10.0) <= 24.0
    assert coil.wanted_flow(model, 300.0, 25.0) == 24.0
    assert coil.wanted_flow(model, 0.0, 7.0) == 2.4
    flow = coil.wanted_flow(model, 300.0, 7.0)
    assert coil.capability(model, flow, 7.0) == pytest.approx(300.0)
    assert coil.capability(model, 5.0, 26.0) < 0.0


def test_tower_cools_towards_the_wet_bulb_and_more_with_more_air() -> None:
    model = tower.TowerModel(air_flow=24.0, fan_power=9.0)
    air = tower.saturated_air_enthalpy(25.6)
    high = tower.reject(model, tower.Fan.HIGH, 34.0, 34.5, air)
    low = tower.reject(model, tower.Fan.LOW, 34.0, 34.5, air)
    still = tower.reject(model, tower.Fan.OFF, 34.0, 34.5, air)
    assert 25.6 < high.leaving < low.leaving < still.leaving < 34.5
    assert high.heat == pytest.approx(34.0 * 4.19 * (34.5 - high.leaving))
    assert 3.0 < high.leaving - 25.6 < 6.0  # approach of a usual tower at its design wet bulb
    assert tower.reject(model, tower.Fan.HIGH, 0.0, 30.0, air).heat == 0.0
    assert tower.reject(model, tower.Fan.HIGH, 1e-15, 30.0, air).leaving == pytest.approx(25.6, abs=0.6)


def test_fan_at_half_speed_takes_an_eighth() -> None:
    model = tower.TowerModel(air_flow=30.0, fan_power=8.0)
    assert tower.fan_power(model, tower.Fan.LOW) == 1.0
    assert tower.fan_power(model, tower.Fan.OFF) == 0.0


def test_dimmed_lamps_keep_their_standby_power() -> None:
    model = LampGroupModel(100, 0.018, 0.0006, 80.0, 0.5)
    assert group_power(model, 1.0) == pytest.approx(1.8)
    assert group_power(model, 0.0) == pytest.approx(0.06)


def test_office_is_used_on_working_days() -> None:
    assert building_use(0, 10).people > building_use(5, 10).people > building_use(6, 10).people
    assert building_use(2, 12).people < building_use(2, 11).people
    assert not building_use(6, 10).air_handlers
    assert building_use(4, 21).air_handlers
