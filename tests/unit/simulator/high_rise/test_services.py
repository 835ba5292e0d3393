"""Computer rooms, electric side, hot water and lamps of the high-rise: balances, and what their old controls do."""

import pytest

from simulator.civil import LocalTime
from simulator.high_rise import computer_rooms, electric_side, hot_water, lighting, original
from simulator.high_rise.computer_rooms import RoomState, UnitCommands, two_rooms
from simulator.high_rise.electric_side import ROOF_AND_GARAGE, ElectricInput
from simulator.high_rise.hot_water import BOILER_ROOM, HotWaterState
from simulator.high_rise.lighting import LIGHTING, TRAFFIC, TUBES, FixedClock, LightingCommands, LightingModel
from simulator.high_rise.names import CHARGERS, DECKS, UNITS
from simulator.plant import garage_traffic, rc_zone
from simulator.plant.ev_charger import Car, Session
from simulator.plant.occupancy import building_use
from tests.hot_days import DAY, MONDAY, outdoor

ROOM = two_rooms()[0]


def day_of_room(first: UnitCommands, second: UnitCommands) -> tuple[list[RoomState], dict[str, float]]:
    """States of a hot day and its heat [kWh]."""
    state, states = computer_rooms.resting(ROOM), list[RoomState]()
    sums: dict[str, float] = dict.fromkeys(("computers", "envelope", "cooling", "electric", "rejected"), 0.0)
    for minute in range(1440):
        state, done = computer_rooms.step(ROOM, state, (first, second), outdoor(minute / 60.0).temperature, 1.0, 60.0)
        states.append(state)
        for name in ("computers", "envelope", "cooling", "electric"):
            sums[name] += getattr(done, name) / 60.0
        sums["rejected"] += sum(unit.rejected for unit in done.units) / 60.0
    return states, sums


def test_a_computer_rooms_heat_closes_and_breaks_with_a_hundredth() -> None:
    states, sums = day_of_room(*original.BOTH_UNITS)
    stored = rc_zone.stored(ROOM.zone, states[-1].zone) - rc_zone.stored(ROOM.zone, computer_rooms.resting(ROOM).zone)

    def gap(computers: float, cooling: float) -> float:
        return abs(computers + sums["envelope"] - cooling - stored / 3600.0) / sums["cooling"]

    assert gap(sums["computers"], sums["cooling"]) < 1e-3
    assert gap(1.01 * sums["computers"], sums["cooling"]) > 1e-3
    assert gap(sums["computers"], 1.01 * sums["cooling"]) > 1e-3
    assert sums["rejected"] == pytest.approx(sums["cooling"] + sums["electric"], rel=1e-3)


def test_old_controls_run_both_units_colder_than_computers_need() -> None:
    states, old = day_of_room(*original.BOTH_UNITS)
    assert all(state.units[0].starts > 10 and state.units[1].starts > 10 for state in states[-1:])
    assert 20.0 < min(state.zone.air for state in states) < 22.0
    wide, rest = UnitCommands(True, 26.0, 24.0), UnitCommands(False, 26.0, 24.0)
    states, one = day_of_room(wide, rest)
    assert max(state.zone.air for state in states) < 27.0  # one unit holds the room on a hot day
    assert one["electric"] < 0.97 * old["electric"]


def test_the_battery_and_the_chargers_keep_energy_over_a_day() -> None:
    model, state = ROOF_AND_GARAGE, electric_side.resting(ROOF_AND_GARAGE)
    sessions = electric_side.day_of_cars(1, 739817, 0, model.points)
    begun, metered, lost, charged, charging, into = state.content, 0.0, 0.0, 0.0, 0.0, 0.0
    for minute in range(1440):
        wanted = -60.0 if 10 * 60 <= minute < 12 * 60 else 40.0 if minute < 6 * 60 else 0.0
        seen = ElectricInput(0.0, sessions, minute * 60.0, wanted)
        before = {car.session: car.charged for car in state.cars if car is not None}
        state, done = electric_side.step(model, state, seen, 60.0)
        metered, lost = metered + done.battery.power / 60.0, lost + done.battery.loss / 60.0
        charging, into = charging + done.charging / 60.0, into + sum(point.loss for point in done.points) / 60.0
        charged += sum(car.charged - before.get(car.session, 0.0) for car in state.cars if car is not None)
        assert sum(car.current for car in state.cars if car is not None) <= model.feeder
    assert charged > 30.0
    assert charging == pytest.approx(charged + into, rel=1e-6)
    assert charging != pytest.approx(1.01 * charged + into, rel=1e-3)
    assert metered == pytest.approx(state.content - begun + lost, abs=1e-6)


def test_who_comes_first_charges_first_and_the_last_waits() -> None:
    model = ROOF_AND_GARAGE
    cars = [Car(Session(8.0 * 3600.0 + place, 17.0 * 3600.0, 20.0, 32.0)) for place in (7, 6, 5, 4, 3, 2, 1, 0)]
    limits = electric_side.first_come_first_served(model, cars)
    assert limits == (0.0, 0.0, 0.0, 32.0, 32.0, 32.0, 32.0, 32.0)
    full = [*cars[:7], cars[7]._replace(charged=20.0)]
    assert electric_side.first_come_first_served(model, full)[2] == 32.0


def test_a_car_that_leaves_early_leaves_without_what_it_missed() -> None:
    model, state = ROOF_AND_GARAGE, electric_side.resting(ROOF_AND_GARAGE)
    sessions = [Session(8.0 * 3600.0, 8.5 * 3600.0, 30.0, 16.0), *[None] * 7]
    for minute in range(7 * 60, 9 * 60):
        state, _ = electric_side.step(model, state, ElectricInput(0.0, sessions, minute * 60.0, 0.0), 60.0)
    assert state.cars[0] is None
    assert state.unmet == pytest.approx(30.0 - 0.5 * 16.0 * 0.69 * 0.9, abs=0.3)


def test_hot_waters_heat_closes_over_a_day() -> None:
    model, state = BOILER_ROOM, HotWaterState()
    made = given = gas = coldest = 0.0
    coldest = state.store
    for minute in range(1440):
        people = hot_water.people_of(60000.0, building_use(1, minute // 60).people)
        state, done = hot_water.step(model, state, original.DAY_AND_NIGHT, people, 22.0, 60.0)
        made, gas = made + done.boiler.heat / 60.0, gas + done.boiler.gas / 60.0
        given += (done.delivered + done.lost) / 60.0
        coldest = min(coldest, state.store)
    stored = model.store.mass * 4.19 * (state.store - HotWaterState().store) / 3600.0
    assert 800.0 < made < 2000.0
    assert abs(made - given - stored) < 1e-3 * made
    assert abs(1.01 * made - given - stored) > 1e-3 * made
    assert coldest > 55.0
    assert 0.8 < made / (gas * model.boiler.heating_value) < 1.0


def old_lamps(model: LightingModel, clock: FixedClock, second: float) -> LightingCommands:
    return original.Original(clock).lamps(model, LocalTime(0, 0, second, 0.0), dark=False)


def test_tubes_that_are_always_on_take_what_was_measured() -> None:
    clock = lighting.FixedClock(18.0 * 3600.0, 6.0 * 3600.0)
    model = lighting.LightingModel(TUBES, TRAFFIC, 0.0, 0.0, 0.0)
    energy = sum(sum(lighting.lit(model, old_lamps(model, clock, hour * 3600.0)).decks) for hour in range(24))
    assert energy == pytest.approx(276.03)
    assert lighting.lit(model, old_lamps(model, clock, 0.0)).illuminance == pytest.approx((58.9,) * 3)


def test_sensor_lamps_take_standby_power_in_the_dark() -> None:
    dark = lighting.lit(LIGHTING, LightingCommands((0.0, 0.0, 0.0), False, False))
    assert sum(dark.decks) == pytest.approx(458 * 0.0006)
    assert dark.outdoor == dark.facade == 0.0


def test_the_fixed_clock_is_never_late_and_no_longer_than_that() -> None:
    place = (22.54, 114.06)
    clock = lighting.never_late(*place, 8.0, 1767225600.0)
    late = 0
    for day in range(0, 365, 3):
        midnight = 1767225600.0 + day * DAY - 8.0 * 3600.0
        assert not lighting.is_dark(midnight + clock.on, *place)
        assert not lighting.is_dark(midnight + clock.off, *place)
        late += lighting.is_dark(midnight + clock.on + 180.0, *place)
    assert 0 < late < 60
    dusk = MONDAY + 19.0 * 3600.0  # in Shenzhen the sun sets at ten past seven in July
    assert not lighting.is_dark(dusk, *place)
    assert lighting.is_dark(dusk + 3600.0, *place)
    assert clock.is_on(22.0 * 3600.0)
    assert clock.is_on(4.0 * 3600.0)
    assert not clock.is_on(12.0 * 3600.0)
    facade = old_lamps(LIGHTING, clock, 23.0 * 3600.0)
    assert (facade.outdoor, facade.facade) == (True, False)


def test_traffic_comes_in_the_morning_goes_in_the_evening_and_walks_at_night() -> None:
    def busy(hour: int) -> list[float]:
        index = int(MONDAY // 3600.0) + hour
        seen = garage_traffic.motion(garage_traffic.passages(TRAFFIC, 3, index, 0, hour), TRAFFIC)
        return [sum(until - begin for begin, until in deck) / 3600.0 for deck in seen]

    morning, night = busy(8), busy(2)
    assert morning[0] > 0.8  # the ramp sees every car
    assert morning[1] > morning[2] > 0.3
    assert sum(night) < 0.3
    assert busy(8) == morning
    arriving = garage_traffic.passages(TRAFFIC, 3, int(MONDAY // 3600.0) + 8, 0, 8)
    lower = [each for each in arriving if each.deck == 2]
    assert all(each.begin < each.end for each in arriving)
    assert len([each for each in arriving if each.deck == 0]) > len(lower)


def test_sensors_see_from_the_passage_until_their_hold_time_is_over() -> None:
    deck = garage_traffic.motion(
        [garage_traffic.Passage(1, 100.0, 120.0), garage_traffic.Passage(1, 140.0, 150.0)], TRAFFIC
    )[1]
    assert deck == ((100.0, 180.0),)
    assert [garage_traffic.is_seen(deck, at) for at in (99.0, 100.0, 179.0, 180.0)] == [False, True, True, False]


def test_names_and_sizes_agree() -> None:
    assert (len(CHARGERS), len(DECKS), len(UNITS)) == (
        ROOF_AND_GARAGE.points,
        len(LIGHTING.decks),
        2 * len(two_rooms()),
    )
