"""Battery, chargers, boiler, sensors, meters and photovoltaics against their sources and their own balances."""

import random
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.plant import battery, boiler, demand_meter, ev_charger
from simulator.plant.battery import BatteryModel
from simulator.plant.boiler import BoilerInput, BoilerModel, BoilerState, StoreInput, StoreModel
from simulator.plant.demand_meter import MeterModel, MeterState, register
from simulator.plant.ev_charger import Car, ChargerModel, Connection, Session
from simulator.plant.inclined import at_hour
from simulator.plant.photovoltaics import PvModel, typical_year
from simulator.plant.sensor import lagged, time_constant_of
from simulator.sun import clear_sky_irradiance, solar_elevation
from simulator.weather import HOURS_PER_YEAR, Outdoor, Weather

# --- battery ----------------------------------------------------------------------------------------------------------

BATTERY = BatteryModel(200.0, 100.0, 100.0, rest=0.3)


@settings(max_examples=40, deadline=None)
@given(
    wishes=st.lists(st.floats(-150.0, 150.0), min_size=1, max_size=40),
    dt=st.sampled_from([1.0, 60.0, 900.0]),
    begin=st.floats(20.0, 190.0),
)
def test_a_battery_keeps_energy_and_its_limits(wishes: list[float], dt: float, begin: float) -> None:
    content, metered, lost = begin, 0.0, 0.0
    for wish in wishes:
        content, seen = battery.step(BATTERY, content, wish, dt)
        metered, lost = metered + seen.power * dt / 3600.0, lost + seen.loss * dt / 3600.0
        assert seen.loss >= BATTERY.rest - 1e-9
        assert abs(seen.power - BATTERY.rest) <= min(abs(wish), 100.0) + 1e-9
        assert content <= 0.95 * 200.0 + 1e-9
    assert metered == pytest.approx(content - begin + lost, abs=1e-6)


def test_what_a_battery_gives_back_is_the_product_of_its_efficiencies() -> None:
    model = BatteryModel(200.0, 100.0, 100.0, self_discharge=0.0)
    content, charged, discharged = 20.0, 0.0, 0.0
    for _ in range(60):
        content, seen = battery.step(model, content, 60.0, 60.0)
        charged += seen.power / 60.0
    while content > 20.0 + 1e-9:
        content, seen = battery.step(model, content, -60.0, 60.0)
        discharged -= seen.power / 60.0
    assert discharged / charged == pytest.approx(0.95 * 0.95)


def test_a_full_battery_takes_less_and_less_and_an_empty_one_gives_nothing() -> None:
    assert battery.step(BATTERY, 100.0, 100.0, 60.0)[1].power == pytest.approx(100.3)
    assert battery.step(BATTERY, 180.0, 100.0, 60.0)[1].power == pytest.approx(50.3, rel=0.01)
    assert battery.step(BATTERY, 190.0, 100.0, 60.0)[1].power < 2.0
    assert battery.step(BATTERY, 20.0, -100.0, 60.0)[1].power == pytest.approx(0.3)


def test_a_battery_at_rest_loses_its_self_discharge() -> None:
    content = 100.0
    for _ in range(30 * 24):
        content, _ = battery.step(BATTERY, content, 0.0, 3600.0)
    assert content == pytest.approx(100.0 * exp(-0.02))


# --- chargers ---------------------------------------------------------------------------------------------------------

CHARGER = ChargerModel()
SESSION = Session(8.0 * 3600.0, 17.0 * 3600.0, 10.0, 16.0)


@pytest.mark.parametrize("limit, current", [(0.0, 0.0), (5.9, 0.0), (6.0, 6.0), (12.7, 12.0), (40.0, 32.0)])
def test_the_pilot_offers_whole_amperes_from_six_on(limit: float, current: float) -> None:
    assert ev_charger.offered(CHARGER, limit) == current


def test_a_car_charges_pauses_and_is_full() -> None:
    car = ev_charger.arriving(SESSION, 9.0 * 3600.0)
    assert ev_charger.arriving(SESSION, 7.0 * 3600.0) is None
    car, seen = ev_charger.step(CHARGER, car, 32.0, 60.0)
    assert seen.connection is Connection.C
    assert seen.power == pytest.approx(16.0 * 0.69 + 0.005)
    car, seen = ev_charger.step(CHARGER, car, 4.0, 60.0)
    assert (seen.connection, seen.power) == (Connection.B, 0.005)
    for _ in range(120):
        car, seen = ev_charger.step(CHARGER, car, 32.0, 60.0)
    assert car is not None
    assert car.charged == pytest.approx(10.0)
    assert seen.connection is Connection.B
    assert ev_charger.unmet([car]) == pytest.approx(0.0)
    assert ev_charger.step(CHARGER, None, 32.0, 60.0)[1].connection is Connection.A


@settings(max_examples=30, deadline=None)
@given(limits=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=60), need=st.floats(1.0, 40.0))
def test_a_charger_keeps_energy(limits: list[float], need: float) -> None:
    car: Car | None = Car(SESSION._replace(need=need))
    metered = lost = 0.0
    for limit in limits:
        car, seen = ev_charger.step(CHARGER, car, limit, 300.0)
        metered, lost = metered + seen.power / 12.0, lost + seen.loss / 12.0
        assert seen.power <= max(0.0, limit) * 0.69 + 0.005 + 1e-9
    assert car is not None
    assert car.charged <= need + 1e-9
    assert metered == pytest.approx(car.charged + lost, abs=1e-9)


def test_a_car_takes_the_last_tenth_of_its_need_slower_and_slower_but_never_less_than_six_amperes() -> None:
    def drawn(charged: float) -> float:
        car, _ = ev_charger.step(CHARGER, Car(SESSION._replace(need=20.0), charged), 32.0, 1.0)
        return car.current if car else 0.0

    most = SESSION.current
    assert [drawn(charged) for charged in (0.0, 18.0)] == [most, most]
    assert drawn(19.0) == pytest.approx(0.5 * most)
    assert drawn(19.9) == 6.0


def test_a_day_of_cars_is_the_same_for_the_same_seed() -> None:
    day = ev_charger.sessions(random.Random(7), 400, share=0.8)
    assert day == ev_charger.sessions(random.Random(7), 400, share=0.8)
    came = [session for session in day if session]
    assert 0.7 * 400 < len(came) < 0.9 * 400
    assert 8.4 < sum(session.arrival for session in came) / len(came) / 3600.0 < 9.1
    assert all(session.arrival < session.departure <= 86400.0 for session in came)


# --- boiler and hot water ---------------------------------------------------------------------------------------------

BOILER = BoilerModel(200.0)


def test_a_condensing_boiler_gains_with_cold_water_and_part_load() -> None:
    hot, cold = boiler.efficiency(BOILER, 1.0, 80.0), boiler.efficiency(BOILER, 1.0, 30.0)
    assert hot == pytest.approx(0.89 * 0.9818, abs=0.001)
    assert cold == pytest.approx(0.89 * 1.0666, abs=0.001)
    assert boiler.efficiency(BOILER, 0.3, 30.0) > cold


@settings(max_examples=40, deadline=None)
@given(
    flow=st.floats(0.0, 10.0),
    entering=st.floats(5.0, 95.0),
    setpoint=st.floats(30.0, 110.0),
    on_s=st.sampled_from([0.0, 999.0]),
)
def test_a_boiler_keeps_heat_and_its_limits(flow: float, entering: float, setpoint: float, on_s: float) -> None:
    _, done = boiler.step(BOILER, BoilerState(on_s), BoilerInput(True, setpoint, flow, entering), 60.0)
    assert done.fuel == pytest.approx(done.heat + done.flue)
    assert flow * 4.19 * (done.leaving - entering) == pytest.approx(done.heat, abs=1e-9)
    assert done.gas * 9.9 == pytest.approx(done.fuel)
    assert done.heat == 0.0 or 0.2 * 200.0 - 1e-9 <= done.heat <= 200.0
    assert done.leaving <= max(95.0, entering) + 1e-9


def test_a_boiler_purges_before_its_flame_and_cycles_at_low_load() -> None:
    state, seen = BoilerState(), BoilerInput(True, 60.0, 2.0, 40.0)
    state, done = boiler.step(BOILER, state, seen, 10.0)
    assert (done.heat, done.electric) == (0.0, 0.1)
    for _ in range(3):
        state, done = boiler.step(BOILER, state, seen, 10.0)
    assert done.heat == pytest.approx(2.0 * 4.19 * 20.0)
    state, done = boiler.step(BOILER, state, seen._replace(entering=58.0), 10.0)
    assert done.heat == 0.0
    state, done = boiler.step(BOILER, state, seen._replace(entering=57.0, flow=10.0), 10.0)
    assert state.on_s == 0.0  # above its differential
    assert boiler.step(BOILER, state, seen._replace(enable=False), 10.0)[0].on_s == 0.0
    assert state.starts == 1


def test_a_boiler_never_heats_beyond_its_cut_out() -> None:
    seen = BoilerInput(True, 110.0, 2.0, 89.0)
    state, done = boiler.step(BOILER, BoilerState(999.0), seen, 10.0)
    assert (state.on_s > 0.0, done.leaving) == (True, pytest.approx(95.0))
    state, done = boiler.step(BOILER, state, seen._replace(entering=92.0), 10.0)
    assert (state.on_s, done.heat) == (0.0, 0.0)  # its least flame would


@settings(max_examples=40, deadline=None)
@given(
    flow=st.floats(0.0, 3.0),
    drawn=st.floats(0.0, 1.0),
    begin=st.floats(20.0, 70.0),
    dt=st.sampled_from([1.0, 60.0, 3600.0]),
)
def test_the_hot_water_store_keeps_heat(flow: float, drawn: float, begin: float, dt: float) -> None:
    model = StoreModel(2000.0, 0.01)
    seen = StoreInput(flow, 65.0, drawn, 15.0, 20.0)
    after, mean = boiler.store_step(model, begin, seen, dt)
    gained = (flow * (65.0 - mean) + drawn * (15.0 - mean)) * 4.19 + 0.01 * (20.0 - mean)
    assert 2000.0 * 4.19 * (after - begin) == pytest.approx(gained * dt, rel=1e-9, abs=1e-5)
    half, _ = boiler.store_step(model, begin, seen, 0.5 * dt)
    assert boiler.store_step(model, half, seen, 0.5 * dt)[0] == pytest.approx(after)


# --- sensors and meters -----------------------------------------------------------------------------------------------


def test_a_sensor_reaches_its_share_after_its_response_time() -> None:
    assert lagged(20.0, 30.0, 60.0, 60.0) == pytest.approx(30.0 - 10.0 * exp(-1.0))
    assert lagged(20.0, 30.0, time_constant_of(12.0), 12.0) == pytest.approx(25.0)
    assert lagged(20.0, 30.0, time_constant_of(30.0, 0.9), 30.0) == pytest.approx(29.0)
    assert lagged(20.0, 30.0, 0.0, 1.0) == 30.0
    assert lagged(lagged(20.0, 30.0, 60.0, 5.0), 30.0, 60.0, 5.0) == pytest.approx(lagged(20.0, 30.0, 60.0, 10.0))


@settings(max_examples=40, deadline=None)
@given(
    powers=st.lists(st.floats(-50.0, 500.0), min_size=1, max_size=60),
    at=st.floats(0.0, 86400.0),
    dt=st.sampled_from([1.0, 10.0, 700.0, 2000.0]),
    parts=st.sampled_from([1, 3, 15]),
)
def test_a_meter_counts_every_kilowatt_hour_and_no_demand_above_the_power(
    powers: list[float], at: float, dt: float, parts: int
) -> None:
    model, state = MeterModel(parts=parts, ratio=10.0), MeterState()
    for power in powers:
        state = demand_meter.step(model, state, power, at, dt)
        at += dt
    used = sum(max(0.0, power) for power in powers) * dt / 3600.0
    assert state.energy * 10.0 == pytest.approx(used)
    assert state.largest <= max(0.0, *powers) + 1e-6


def test_demand_is_the_mean_of_a_quarter_of_an_hour_of_the_meters_clock() -> None:
    model, state, at = MeterModel(), MeterState(), 300.0
    for power, seconds in ((400.0, 600.0), (100.0, 450.0), (300.0, 450.0), (0.0, 900.0)):
        state = demand_meter.step(model, state, power, at, seconds)
        at += seconds
        if at == 900.0:
            assert state.demand == pytest.approx(400.0 * 600.0 / 900.0)  # the first period had begun before
        if at == 1800.0:
            assert state.demand == pytest.approx(200.0)
    assert state.demand == 0.0
    assert state.largest == pytest.approx(400.0 * 600.0 / 900.0)
    assert demand_meter.reset(state).largest == 0.0


def test_a_sliding_period_finds_the_peak_that_blocks_halve() -> None:
    largest: list[float] = []
    for parts in (1, 15):
        model, state, at = MeterModel(parts=parts), MeterState(), 0.0
        for minute in range(60):
            state = demand_meter.step(model, state, 300.0 if 22 <= minute < 37 else 0.0, at, 60.0)
            at += 60.0
        largest.append(state.largest)
    assert largest == pytest.approx([300.0 * 8.0 / 15.0, 300.0])


def test_a_part_of_a_period_is_no_demand_yet() -> None:
    model, state = MeterModel(parts=15), MeterState()
    for minute in range(14):
        state = demand_meter.step(model, state, 300.0, 60.0 * minute, 60.0)
    assert state.largest == 0.0
    assert demand_meter.step(model, state, 300.0, 840.0, 60.0).largest == pytest.approx(300.0)


def test_behind_transformers_the_register_counts_less_and_the_demand_is_that_of_the_site() -> None:
    model = MeterModel(ratio=100.0)
    state = demand_meter.step(model, MeterState(), 400.0, 0.0, 900.0)
    assert register(model, state) == pytest.approx(1.0)
    assert state.demand == state.largest == pytest.approx(400.0)


def test_a_register_rolls_over_and_the_energy_does_not() -> None:
    model = MeterModel(digits=3, resolution=0.1)
    state = demand_meter.step(model, MeterState(energy=999.85), 1.0, 0.0, 360.0)
    assert register(model, MeterState(energy=999.85)) == pytest.approx(999.8)
    assert register(model, state) == pytest.approx(999.9)
    state = demand_meter.step(model, state, 1.0, 360.0, 360.0)
    assert register(model, state) == pytest.approx(0.0)
    assert state.energy == pytest.approx(1000.05)


# --- photovoltaics ----------------------------------------------------------------------------------------------------


@pytest.mark.slow  # its first call loads pvlib
def test_a_generator_in_shenzhen_has_a_plausible_year() -> None:
    def hour(index: int) -> Outdoor:
        epoch = 1546300800.0 + (index - 0.5 - 8.0) * 3600.0
        clear = clear_sky_irradiance(solar_elevation(epoch, 22.54, 114.06))
        return Outdoor(25.0, 0.7, 20.0, 60.0, 0.6 * clear, 0.6)

    weather = Weather(tuple(hour(index) for index in range(HOURS_PER_YEAR)), "three fifths of a clear sky")
    model = PvModel(peak=100.0, inverter=90.0, tilt=15.0, azimuth=180.0)
    year = typical_year(model, weather, latitude=22.54, longitude=114.06, utc_offset_h=8.0)
    assert len(year) == HOURS_PER_YEAR
    assert min(year) == 0.0
    assert max(year) <= 90.0
    level = sum(hour.irradiance for hour in weather.hours) / 1000.0
    assert 0.75 < sum(year) / 100.0 / level < 0.90  # performance ratio against level ground
    noon = [year[day * 24 + 13] for day in range(365)]
    assert all(year[day * 24 + 2] == 0.0 for day in range(365))
    assert min(noon) > 20.0
    # an hour's mean belongs to its middle
    assert at_hour(year, 12.5) == pytest.approx(year[13])
    assert min(year[12], year[13]) <= at_hour(year, 12.0) <= max(year[12], year[13])
