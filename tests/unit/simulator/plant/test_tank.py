"""The stratified tank: balances, and its thermocline against analytic solutions."""

from dataclasses import replace
from math import erf, exp, inf, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.cooling_plant.high_rise import high_rise_plant
from simulator.plant import tank
from simulator.plant.heat_exchanger import conductance, counterflow, exchange, plate_for
from simulator.plant.tank import Diffuser, TankInput, TankModel, TankState, cold_content, filled, pushed, settled, step
from simulator.site import PlantModel

TANK = TankModel(volume=400.0, height=9.0, u_value=0.3e-3, layers=20)
FINE = TankModel(volume=400.0, height=9.0, u_value=0.0, layers=180)
DIFFUSIVITY = 0.60e-3 / (999.70 * 4.19)  # [m2/s]


def heights(model: TankModel, state: TankState) -> list[float]:
    """Of the middle of each layer [m]."""
    thickness = model.height / model.layers
    return [
        thickness * (0.5 + 0.5 * state.shift),
        *(thickness * (index + 0.5 + state.shift) for index in range(1, model.layers - 1)),
        model.height - thickness * (0.5 - 0.5 * state.shift),
    ]


def test_a_thermocline_travels_as_conduction_alone_would_have_it() -> None:
    """H. S. Carslaw, J. C. Jaeger, "Conduction of Heat in Solids" (1959), chapter 2: a step in an infinite body becomes
    (1 + erf(z / sqrt(4 a t))) / 2; J. Yoo, E.-T. Pak, Solar Energy 51(6), 1993: so does a thermocline in plug flow.
    """
    begin = 2.0
    state = TankState((5.0,) * 40 + (13.0,) * 140)
    flow, dt, hours = 5.0, 60.0, 12
    for _ in range(hours * 60):
        state = step(FINE, state, TankInput(flow, 5.0, 20.0), dt)
    travelled = flow * hours * 3600.0 / 999.70 / FINE.section
    width = sqrt(4.0 * DIFFUSIVITY * hours * 3600.0)
    for height, here in zip(heights(FINE, state), state.layers, strict=True):
        assert here == pytest.approx(9.0 + 4.0 * erf((height - begin - travelled) / width), abs=0.1)


def test_turning_the_flow_a_hundred_times_does_not_smear_it() -> None:
    state = TankState((5.0,) * 10 + (13.0,) * 10)
    for _ in range(100):
        for share in (0.3, 0.3, 0.3, -0.3, -0.3, -0.3):
            state = pushed(state, share, 5.0 if share > 0.0 else 13.0)
    assert state.layers == pytest.approx((5.0,) * 10 + (13.0,) * 10)
    assert state.shift == pytest.approx(0.0, abs=1e-9)


def test_small_and_large_steps_move_it_alike() -> None:
    ends: list[float] = []
    for dt in (2.0, 10.0, 60.0):
        state = filled(TANK, 13.0)
        for _ in range(int(4 * 3600 / dt)):
            state = step(TANK, state, TankInput(14.0, 5.0, 30.0), dt)
        ends.append(cold_content(TANK, state, 13.0))
    assert ends == pytest.approx([ends[0]] * 3, rel=1e-3)


def test_what_the_inlet_mixes_leaves_it_as_from_a_stirred_vessel() -> None:
    """Mixing model of Nakahara, Sagara and Tsujimoto (ASHRAE Transactions 94(2), 1988): the region at the inlet follows
    exp(-m t / M), and piston flow carries that away.
    """
    model = TankModel(400.0, 9.0, 0.0, 180, Diffuser(length=6.0, height=0.15, mixing_depth=1.0))
    assert model.diffuser is not None
    flow, dt = 14.0, 10.0
    depth = round(tank.froude(model.diffuser, flow, 5.0, 13.0) * 180 / 9.0) * model.layer_mass
    state = filled(model, 13.0)
    for index in range(1, 601):
        state = step(model, state, TankInput(flow, 5.0, 20.0), dt)
        if index % 120 == 0:
            expected = 5.0 + 8.0 * exp(-flow * index * dt / depth)
            assert state.layers[0] == pytest.approx(expected, abs=0.25)


def test_a_quick_inlet_mixes_more() -> None:
    diffuser = Diffuser(length=6.0, height=0.15, mixing_depth=1.5)
    assert tank.froude(diffuser, 20.0, 5.0, 13.0) == pytest.approx(2.0 * tank.froude(diffuser, 10.0, 5.0, 13.0))
    # Slot of 6 m, 0.15 m above the floor, 20 L/s, 0.6 per mille of density: q / sqrt(g' h^3).
    assert tank.froude(diffuser, 20.0, 5.0, 13.0) == pytest.approx(0.76, abs=0.02)
    assert tank.froude(diffuser, 20.0, 5.0, 5.0) == inf
    merits = [merit(TankModel(400.0, 9.0, 0.3e-3, 40, diffuser), flow) for flow in (10.0, 20.0)]
    assert merits[1] < merits[0] - 0.02


def merit(model: TankModel, flow: float, supplied: float = 5.0, returned: float = 13.0) -> float:
    """Figure of merit of the second full cycle, one volume in, one volume out."""
    state, dt = filled(model, returned), 60.0
    steps = round(model.layer_mass * model.layers / flow / dt)
    discharged = 0.0
    for _ in range(2):
        discharged = 0.0
        for _ in range(steps):
            state = step(model, state, TankInput(flow, supplied, 28.0), dt)
        for _ in range(steps):
            discharged += flow * 4.19 * (returned - tank.outlet(state, -flow)) * dt / 3600.0
            state = step(model, state, TankInput(-flow, returned, 28.0), dt)
    return tank.figure_of_merit(model, discharged, returned, supplied)


@pytest.mark.parametrize("flow", [14.0, 18.0, 24.0])
def test_the_demonstration_tank_is_as_good_as_tanks_in_the_field(flow: float) -> None:
    """Tran, Kreider and Brothers (ASHRAE Transactions 95(1), 1989) measured 0.8 to 0.9 on full cycles."""
    assert 0.80 < merit(PlantModel().tank, flow) < 0.90


@pytest.mark.parametrize("flow", [90.0, 130.0])
def test_the_high_rises_tank_is_as_good_as_tanks_in_the_field(flow: float) -> None:
    storage = high_rise_plant().storage
    assert storage is not None
    assert 0.80 < merit(storage.tank, flow, 7.0, 13.0) < 0.90


shifts = st.floats(-0.5, 0.5)
states = st.builds(TankState, st.lists(st.floats(4.0, 15.0), min_size=6, max_size=6).map(tuple), shifts)


def heat(state: TankState) -> float:
    """In layers times kelvin."""
    return sum(state.layers) + state.shift * (state.layers[0] - state.layers[-1])


@settings(max_examples=50, deadline=None)
@given(state=states, share=st.floats(-0.5, 0.5), inlet=st.floats(4.0, 15.0))
def test_pushing_keeps_heat_and_makes_no_new_extremes(state: TankState, share: float, inlet: float) -> None:
    after = pushed(state, share, inlet)
    entered = abs(share) * (inlet - tank.outlet(state, share))
    assert heat(after) == pytest.approx(heat(state) + entered, abs=1e-9)
    assert -0.5 <= after.shift <= 0.5
    assert min(*state.layers, inlet) - 1e-9 <= min(after.layers)
    assert max(after.layers) <= max(*state.layers, inlet) + 1e-9


@settings(max_examples=50, deadline=None)
@given(state=states, count=st.integers(1, 3), at_bottom=st.booleans())
def test_mixing_conduction_and_buoyancy_keep_heat(state: TankState, count: int, at_bottom: bool) -> None:
    assert heat(tank.mixed_at_inlet(state, count, at_bottom=at_bottom)) == pytest.approx(heat(state))
    assert heat(tank.conducted(state, 0.1)) == pytest.approx(heat(state))
    assert heat(tank.stirred(state, 0.4)) == pytest.approx(heat(state))
    still = settled(state)
    assert heat(still) == pytest.approx(heat(state))
    assert list(still.layers) == sorted(still.layers)


@settings(max_examples=30, deadline=None)
@given(
    flows=st.lists(st.floats(-24.0, 24.0), min_size=1, max_size=40),
    inlet=st.floats(4.0, 15.0),
    depth=st.floats(0.0, 3.0),
)
def test_the_tank_keeps_every_kilojoule(flows: list[float], inlet: float, depth: float) -> None:
    model = TankModel(400.0, 9.0, 0.3e-3, 20, Diffuser(6.0, 0.15, depth))
    state, brought = filled(model, 9.0), 0.0
    for flow in flows:
        brought += abs(flow) * 4.19 * (tank.outlet(state, flow) - inlet) * 60.0
        brought -= tank.heat_gain(model, state, 30.0) * 60.0
        state = step(model, state, TankInput(flow, inlet, 30.0), 60.0)
    assert cold_content(model, state, 9.0) * 3600.0 == pytest.approx(brought, abs=1e-3)


def test_a_tank_left_alone_gains_through_wall_and_roof() -> None:
    area = 3.141592653589793 * (4.0 * TANK.section / 3.141592653589793) ** 0.5 * 9.0 + TANK.section
    assert tank.heat_gain(TANK, filled(TANK, 5.0), 30.0) == pytest.approx(0.3e-3 * area * 25.0)
    state = filled(TANK, 5.0)
    for _ in range(24 * 60):
        state = step(TANK, state, TankInput(0.0, 5.0, 30.0), 60.0)
    lost = 1.0 - cold_content(TANK, state, 13.0) / cold_content(TANK, filled(TANK, 5.0), 13.0)
    assert 0.005 < lost < 0.03  # ASHRAE Handbook, chapter 51: 1 to 3 % a day
    assert list(state.layers) == sorted(state.layers)


@pytest.mark.parametrize("depth", [0.0, 2.5])
def test_water_like_that_in_the_tank_changes_nothing(depth: float) -> None:
    model = TankModel(400.0, 9.0, 0.0, 20, Diffuser(6.0, 0.15, depth))
    state = step(model, filled(model, 9.0), TankInput(10.0, 9.0, 30.0), 60.0)
    assert state.layers == pytest.approx((9.0,) * 20)


def test_sensors_see_the_layer_at_their_height() -> None:
    state = TankState((5.0,) * 10 + (13.0,) * 10, 0.0)
    assert tank.at_height(state, 0.49) == 5.0
    assert tank.at_height(state, 0.51) == 13.0
    assert tank.at_height(state._replace(shift=0.4), 0.51) == 5.0
    assert tank.at_height(state, 1.0) == 13.0


def test_warm_water_let_in_below_rises() -> None:
    state = filled(TANK, 5.0)
    for _ in range(60):
        state = step(TANK, state, TankInput(14.0, 12.0, 30.0), 60.0)
    assert list(state.layers) == pytest.approx(sorted(state.layers))
    assert state.layers[0] > 5.5  # it stirs what it rises through


# --- plate heat exchanger beside the tank ---------------------------------------------------------------------------


def test_a_plate_heat_exchanger_meets_its_design() -> None:
    done = exchange(plate_for(30.0, 1.0, 6.0), 30.0, 13.0, 30.0, 6.0)
    assert done.warm_leaving == pytest.approx(7.0)
    assert done.cold_leaving == pytest.approx(12.0)
    assert done.heat == pytest.approx(30.0 * 4.19 * 6.0)


def test_a_plate_heat_exchanger_passes_less_heat_with_little_flow_and_with_fouled_plates() -> None:
    clean = plate_for(30.0, 1.0, 6.0)
    assert conductance(clean, 30.0, 30.0) == pytest.approx(clean.conductance)
    assert conductance(clean, 15.0, 15.0) == pytest.approx(0.5**0.7 * clean.conductance)
    fouled = replace(clean, fouling=0.25 / clean.conductance)
    assert conductance(fouled, 30.0, 30.0) == pytest.approx(0.8 * clean.conductance)


@pytest.mark.parametrize(
    "units, ratio, effectiveness", [(1.0, 0.0, 0.632), (1.0, 0.5, 0.565), (2.0, 1.0, 0.667), (3.0, 0.75, 0.817)]
)
def test_effectiveness_is_the_tabulated_one(units: float, ratio: float, effectiveness: float) -> None:
    """W. M. Kays, A. L. London, "Compact Heat Exchangers", table of counterflow effectiveness."""
    assert counterflow(units, ratio) == pytest.approx(effectiveness, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(warm=st.floats(0.0, 40.0), cold=st.floats(0.0, 40.0), entering=st.floats(6.0, 20.0), other=st.floats(4.0, 20.0))
def test_what_one_side_loses_the_other_gains(warm: float, cold: float, entering: float, other: float) -> None:
    done = exchange(plate_for(30.0, 1.0, 6.0), warm, entering, cold, other)
    assert warm * 4.19 * (entering - done.warm_leaving) == pytest.approx(done.heat, abs=1e-6)
    assert cold * 4.19 * (done.cold_leaving - other) == pytest.approx(done.heat, abs=1e-6)
    assert abs(done.heat) <= min(warm, cold) * 4.19 * abs(entering - other) + 1e-9
