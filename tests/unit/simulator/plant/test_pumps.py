"""Pumps on system curves, bridge and valves, against catalogue pumps and against their own balances."""

import csv
from collections import defaultdict
from math import inf, sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.plant import valve
from simulator.plant.drive import drive_power, standard_drive
from simulator.plant.primary_secondary import loops, pressure_at, split, together
from simulator.plant.pump_curve import Unit, duty, flow_against, head_at, pump_for
from simulator.plant.valve import Characteristic, ValveModel
from tests.sweep import examples

PUMP = pump_for(30.0, 200.0, 0.75)
SMALL = pump_for(15.0, 180.0, 0.70)
SYSTEM = 200.0 / 30.0**2
"""Resistance of a system for which one pump was chosen."""

speeds = st.floats(0.0, 1.0)
units = st.lists(st.builds(Unit, st.sampled_from([PUMP, SMALL]), speeds, st.sampled_from([0.0, 0.01, inf])), max_size=4)


def test_a_pump_at_its_point_draws_what_its_efficiencies_say() -> None:
    done = duty([Unit(PUMP, 1.0)], static=0.0, resistance=SYSTEM)
    pump = done.pumps[0]
    assert (pump.flow, pump.head) == pytest.approx((30.0, 200.0))
    assert pump.shaft == pytest.approx(30.0 * 200.0 / 1000.0 / 0.75)
    assert 0.75 * 0.82 < 6.0 / pump.electric < 0.75 * 0.90  # motor and converter lose a tenth to a sixth


@pytest.mark.parametrize("speed", [0.3, 0.6, 0.9])
def test_affinity_laws_hold_without_static_head(speed: float) -> None:
    full = duty([Unit(PUMP, 1.0)], static=0.0, resistance=SYSTEM).pumps[0]
    slow = duty([Unit(PUMP, speed)], static=0.0, resistance=SYSTEM).pumps[0]
    assert slow.flow == pytest.approx(speed * full.flow)
    assert slow.head == pytest.approx(speed**2 * full.head)
    assert slow.shaft == pytest.approx(speed**3 * full.shaft)
    assert slow.electric > speed**3 * full.electric  # the drive's losses do not follow the cube


def test_a_second_pump_brings_less_than_twice_the_flow() -> None:
    one = duty([Unit(PUMP, 1.0)], static=0.0, resistance=SYSTEM)
    two = duty([Unit(PUMP, 1.0)] * 2, static=0.0, resistance=SYSTEM)
    assert 1.02 * one.flow < two.flow < 1.3 * one.flow
    assert duty([Unit(PUMP, 1.0)] * 2, static=0.0, resistance=SYSTEM / 4.0).flow == pytest.approx(60.0)


@examples(60)
@given(running=units, static=st.floats(0.0, 150.0), resistance=st.floats(0.0, 2.0))
def test_flows_meet_the_system_and_power_ends_somewhere(running: list[Unit], static: float, resistance: float) -> None:
    done = duty(running, static=static, resistance=resistance)
    assert done.flow == pytest.approx(sum(pump.flow for pump in done.pumps))
    if done.flow > 1e-3:
        assert done.pressure == pytest.approx(static + resistance * done.flow**2, rel=1e-6, abs=1e-6)
    assert done.to_water + sum(pump.motor_loss + pump.converter_loss for pump in done.pumps) == pytest.approx(
        done.electric
    )
    for unit, pump in zip(running, done.pumps, strict=True):
        assert pump.flow >= 0.0
        assert min(pump.shaft, pump.motor_loss, pump.converter_loss) >= 0.0
        assert (pump.electric > 0.0) == (unit.speed > 0.0)
        if pump.flow > 0.0:
            left = pump.head - unit.branch * pump.flow**2
            assert left == pytest.approx(done.pressure, rel=1e-6, abs=1e-6)
            assert pump.shaft >= pump.flow * pump.head / 1000.0 - 1e-9  # no more work in the water than at the shaft


def test_alike_pumps_give_the_answer_of_the_general_way() -> None:
    alike = duty([Unit(PUMP, 0.8), Unit(PUMP, 0.8)], static=20.0, resistance=0.05)
    nearly = duty([Unit(PUMP, 0.8), Unit(PUMP, 0.8 + 1e-12)], static=20.0, resistance=0.05)
    assert alike.flow == pytest.approx(nearly.flow, rel=1e-9)


def test_a_slow_pump_cannot_open_its_check_valve() -> None:
    done = duty([Unit(PUMP, 1.0), Unit(PUMP, 0.5)], static=0.0, resistance=SYSTEM)
    fast, slow = done.pumps
    assert slow.flow == 0.0
    assert slow.shaft > 0.0  # it churns
    assert fast.flow == pytest.approx(30.0)


def test_static_head_stops_a_slow_pump_and_a_shut_valve_any() -> None:
    assert duty([Unit(PUMP, 0.6)], static=100.0, resistance=SYSTEM).flow == 0.0
    shut = duty([Unit(PUMP, 1.0)], static=0.0, resistance=inf)
    assert shut.flow == 0.0
    assert shut.pressure == pytest.approx(250.0)
    assert 0.4 * 8.0 < shut.pumps[0].shaft < 0.7 * 8.0  # a centrifugal pump against a shut valve
    assert duty([Unit(PUMP, 1.0, inf)], static=0.0, resistance=SYSTEM).flow == 0.0


def misfit(first: list[float], second: list[float], measured: list[float]) -> float:
    """Root mean square of what is left of a measured quantity after the best a x first + b x second."""
    aa, bb, ab = (
        sum(x * y for x, y in zip(*pair, strict=True)) for pair in ((first,) * 2, (second,) * 2, (first, second))
    )
    am, bm = (sum(x * y for x, y in zip(each, measured, strict=True)) for each in (first, second))
    a, b = (am * bb - bm * ab) / (aa * bb - ab * ab), (bm * aa - am * ab) / (aa * bb - ab * ab)
    left = [m - a * x - b * y for x, y, m in zip(first, second, measured, strict=True)]
    return sqrt(sum(each * each for each in left) / len(left))


@pytest.mark.reference
def test_the_shapes_of_the_curves_fit_eighteen_catalogue_pumps(reference: Path) -> None:
    """Wilo catalogue data from the Modelica Buildings Library: head h0 - h2 m^2, efficiency a parabola through zero."""
    points: defaultdict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with (reference / "chillers" / "pump_curves.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            points[row["pump"]].append((float(row["flow_m3_s"]), float(row["dp_pa"]), float(row["power_w"])))
    assert len(points) == 18
    for rows in points.values():
        flows, heads, powers = (list(column) for column in zip(*rows, strict=True))
        squares = [flow * flow for flow in flows]
        assert misfit([1.0] * len(flows), squares, heads) < 0.07 * sum(heads) / len(heads)
        efficiencies = [flow * head / power for flow, head, power in rows]
        assert misfit(flows, squares, efficiencies) < 0.03
        assert 0.30 < powers[0] / max(powers) < 0.70  # against a shut valve


@examples(40)
@given(
    first=st.lists(st.floats(0.3, 1.0), min_size=1, max_size=3),
    second=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3),
    building=st.floats(0.01, 5.0),
    check_valve=st.booleans(),
)
def test_the_bridge_carries_the_difference(
    first: list[float], second: list[float], building: float, check_valve: bool
) -> None:
    primary, secondary = [Unit(PUMP, speed) for speed in first], [Unit(SMALL, speed) for speed in second]
    done = loops(primary, secondary, primary_resistance=0.03, secondary_resistance=building, check_valve=check_valve)
    assert done.primary.flow == pytest.approx(done.secondary.flow + done.bridge, abs=1e-6)
    if check_valve:
        assert done.bridge >= -1e-6
    if check_valve and done.bridge < 1e-6 and done.primary.flow > 1e-3:
        lost = (0.03 + building) * done.primary.flow**2
        assert done.primary.pressure + done.secondary.pressure == pytest.approx(lost, rel=1e-3, abs=1e-3)


def test_a_check_valve_in_the_bridge_pulls_more_water_through_the_chillers() -> None:
    primary, secondary = [Unit(PUMP, 0.5)], [Unit(PUMP, 1.0)] * 2
    open_bridge = loops(primary, secondary, primary_resistance=SYSTEM, secondary_resistance=SYSTEM)
    checked = loops(primary, secondary, primary_resistance=SYSTEM, secondary_resistance=SYSTEM, check_valve=True)
    assert open_bridge.bridge < -10.0
    assert open_bridge.primary.flow < checked.primary.flow < open_bridge.secondary.flow


def test_pressure_and_flow_of_a_station_are_each_others_inverse() -> None:
    running = [Unit(PUMP, 0.9), Unit(SMALL, 1.0)]
    pressure = pressure_at(running, 25.0)
    assert sum(flow_against(unit, pressure) for unit in running) == pytest.approx(25.0, abs=1e-6)


def test_branches_share_a_flow_by_their_conductance() -> None:
    two, one = valve.conductance_of(20.0, 50.0), valve.conductance_of(10.0, 50.0)
    assert split(30.0, [two, one, 0.0]) == pytest.approx((20.0, 10.0, 0.0))
    assert together([two, one]) * 30.0**2 == pytest.approx(50.0)
    assert split(30.0, [0.0]) == (0.0,)
    assert together([0.0]) == inf


def test_a_valve_passes_its_kv_at_one_bar() -> None:
    model = ValveModel(kv=100.0, travel_s=60.0)
    assert valve.conductance(model, 1.0) * sqrt(100.0) * 3.6 == pytest.approx(100.0)
    assert valve.resistance([valve.conductance(model, 0.0)]) == inf
    assert valve.resistance([2.0, 2.0]) == pytest.approx(0.5)
    worn = ValveModel(kv=100.0, travel_s=60.0, leakage=0.01)
    assert [valve.relative_flow(worn, position) for position in (0.0, 0.5)] == [0.01, 0.5]


def test_an_equal_percentage_valve_gains_the_same_share_for_the_same_stroke() -> None:
    model = ValveModel(100.0, 60.0, Characteristic.EQUAL_PERCENTAGE)
    shares = [valve.relative_flow(model, position) for position in (0.25, 0.5, 0.75, 1.0)]
    assert shares[-1] == pytest.approx(1.0)
    assert shares[1] / shares[0] == pytest.approx(shares[3] / shares[2])
    assert valve.relative_flow(model, 0.0) == 0.0


def test_a_valve_needs_its_time() -> None:
    model = ValveModel(kv=100.0, travel_s=60.0)
    position = 0.0
    for _ in range(3):
        position = valve.step(model, position, 1.0, 10.0)
    assert position == pytest.approx(0.5)
    assert valve.step(model, position, 0.45, 10.0) == pytest.approx(0.45)
    assert valve.step(model, 0.95, 2.0, 10.0) == 1.0


def test_a_pressure_sustaining_valve_shuts_before_the_top_of_the_building_runs_dry() -> None:
    assert valve.sustaining_target(390.0, 400.0, 50.0) == 0.0
    assert valve.sustaining_target(425.0, 400.0, 50.0) == 0.5
    assert valve.sustaining_target(600.0, 400.0, 50.0) == 1.0
    assert valve.throttling_heat(50.0, 400.0) == 20.0  # what the pump lifted the water with ends in it as heat


@examples(40)
@given(rated=st.floats(0.5, 250.0), load=st.floats(0.01, 1.1), variable=st.booleans())
def test_drives_lose_and_lose_relatively_less_at_load(rated: float, load: float, variable: bool) -> None:
    model = standard_drive(rated, variable_speed=variable)
    power = drive_power(model, load * rated)
    assert power.electric == pytest.approx(load * rated + power.motor_loss + power.converter_loss)
    assert power.motor_loss > 0.0
    assert (power.converter_loss > 0.0) == variable
    assert 0.0 < load * rated / power.electric < 0.96
    assert 0.0 < drive_power(model, 0.0).electric < 0.2 * rated  # magnetised, turning nothing


def test_head_falls_with_the_flow() -> None:
    assert head_at(PUMP, 0.0, 1.0) > head_at(PUMP, 20.0, 1.0) > head_at(PUMP, 40.0, 1.0)
