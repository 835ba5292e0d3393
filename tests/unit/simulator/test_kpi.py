"""What a day cost and brought, counted from readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.cli.site_folder import load_site
from controller.core.sample import Scalar
from simulator.kpi import DEMO as COUNTED
from simulator.kpi import Account, Figures, Quarter, Room
from tests.virtual_demo import DEMO

MIDNIGHT = datetime(2026, 7, 5, 16, 0, tzinfo=UTC)  # in Shenzhen
MINUTE = timedelta(minutes=1)
TARIFF = load_site(DEMO).tariff
assert COUNTED.lamps is not None
LAMPS = COUNTED.lamps


def readings(**values: Scalar) -> dict[str, Scalar]:
    zero = {
        "meter.main_1.energy": 0.0,
        "plant.chiller_1.energy": 0.0,
        "plant.chiller_1.status": False,
        "plant.chilled_water_pump_1.energy": 0.0,
        "plant.condenser_water_pump_1.energy": 0.0,
        "plant.secondary_pump_1.energy": 0.0,
        "plant.secondary_pump_1.status": False,
        "plant.cooling_tower_1.energy": 0.0,
        "plant.chilled_water_loop_1.cooling_energy": 0.0,
        "plant.tank_1.stored_energy": 0.0,
        "building.zone_1.air_temperature": 24.0,
        **{f"garage.group_{number}.illuminance": 60.0 for number in (1, 2, 3)},
        **dict.fromkeys((*LAMPS.garage, *LAMPS.outdoors, *LAMPS.office), 0.0),
        LAMPS.lit: False,
        LAMPS.sky: 5000.0,
        **{point: value for desk in LAMPS.desks for point, value in zip(desk, (400.0, True), strict=True)},
    }
    return {**zero, **{name.replace("__", "."): value for name, value in values.items()}}


def counted(*looks: tuple[float, dict[str, Scalar]], tariff: bool = True) -> Figures:
    account = Account(TARIFF if tariff else None)
    for minutes, values in looks:
        account.look(MIDNIGHT + minutes * MINUTE, values.get)
    return account.figures


def test_energy_is_priced_by_the_hour_at_which_it_was_used() -> None:
    assert TARIFF is not None
    night = TARIFF.price_at(MIDNIGHT)
    later = TARIFF.price_at(MIDNIGHT + timedelta(hours=10, minutes=30))
    assert night is not None
    assert later is not None
    assert night < later
    figures = counted(
        (0, readings()),
        (60, readings(meter__main_1__energy=10.0)),
        (630, readings(meter__main_1__energy=10.0)),
        (660, readings(meter__main_1__energy=30.0)),
    )
    assert figures.energy == 30.0
    assert figures.money == pytest.approx(10.0 * night + 20.0 * later)


def test_energy_of_a_time_without_a_price_is_told_and_costs_nothing() -> None:
    account = Account(TARIFF)
    for minute, energy in enumerate((0.0, 4.0)):
        account.look(datetime(2015, 1, 1, tzinfo=UTC) + minute * MINUTE, readings(meter__main_1__energy=energy).get)
    assert (account.figures.energy, account.figures.money, account.figures.unpriced) == (4.0, 0.0, 4.0)


def test_the_peak_is_a_quarter_of_an_hour_and_not_a_moment() -> None:
    rising = [(float(minute), readings(meter__main_1__energy=2.0 * minute)) for minute in range(16)]
    burst = [
        (float(minute), readings(meter__main_1__energy=30.0 + (10.0 if minute > 20 else 0.0)))
        for minute in range(16, 31)
    ]
    assert counted(*rising[1:]).peak == 0.0, "no whole quarter has been seen from one edge to the next"
    assert counted(*rising).peak == pytest.approx(30.0 / 0.25)
    figures = counted(*rising[1:], *burst, (45.0, readings(meter__main_1__energy=40.0)))
    assert figures.peak == pytest.approx(10.0 / 0.25)


def test_what_was_used_while_nobody_looked_is_no_peak() -> None:
    """Three quarters of an hour between two looks: nobody knows in which of them the 100 kWh were used."""
    looks = [(0.0, readings()), (15.0, readings(meter__main_1__energy=10.0))]
    assert counted(*looks, (60.0, readings(meter__main_1__energy=110.0))).peak == pytest.approx(10.0 / 0.25)


def test_quarters_are_kept_with_what_they_end_in() -> None:
    account = Account(None, keeps_quarters=True)
    for minute in range(31):
        values = readings(meter__main_1__energy=2.0 * minute, plant__tank_1__stored_energy=10.0 * minute)
        account.look(MIDNIGHT + minute * MINUTE, values.get)
    assert account.quarters == [
        Quarter(MIDNIGHT.timestamp(), 120.0, 24.0, 150.0),
        Quarter(MIDNIGHT.timestamp() + 900.0, 120.0, 24.0, 300.0),
    ]


def test_a_machine_that_goes_on_has_not_started_again() -> None:
    account = Account(None, replace(COUNTED, chillers=("plant.chiller_1.status", "plant.chiller_2.status")))
    for minute, running in enumerate(((True, False), (True, True), (False, True), (True, True))):
        first, second = running
        values = readings(plant__chiller_1__status=first, plant__chiller_2__status=second)
        account.look(MIDNIGHT + minute * MINUTE, values.get)
    assert account.figures.starts == 2, "the second once, and the first again"


def test_travel_is_what_valves_and_drives_move_and_nothing_where_they_do_not_tell() -> None:
    shut = readings(plant__tank_1__charge_valve_position=0.0, plant__chilled_water_pump_1__speed=1.0)
    half = readings(plant__tank_1__charge_valve_position=0.5, plant__chilled_water_pump_1__speed=0.8)
    assert counted((0, shut), (1, half), (2, half), (3, shut)).travel == pytest.approx(2 * (0.5 + 0.2))
    assert counted((0, shut), (1, readings()), (2, half)).travel == 0.0


def test_warmth_counts_only_while_cooling_is_called_for() -> None:
    warm = {"building__zone_1__air_temperature": 28.0}
    called = readings(**warm, plant__secondary_pump_1__status=True)
    assert counted((0, called), (30, called)).unmet_cooling == pytest.approx(1.0)
    assert counted((0, called), (30, readings())).unmet_cooling == pytest.approx(1.0), "until somebody looks again"
    assert counted((0, readings()), (30, called)).unmet_cooling == 0.0
    assert counted((0, readings(**warm)), (30, readings(**warm))).unmet_cooling == 0.0


def test_a_building_of_many_rooms_counts_each_by_its_floor_while_it_calls() -> None:
    rooms = (Room("a.air", "a.fan", 0.2), Room("b.air", "b.fan", 0.3), Room("c.air", "c.fan", 0.5))
    account = Account(None, replace(COUNTED, rooms=rooms, gas="meter.gas_1.volume"), keeps_quarters=True)
    warm: dict[str, Scalar] = {
        "a.air": 28.0,
        "a.fan": True,
        "b.air": 27.0,
        "b.fan": True,
        "c.air": 30.0,
        "c.fan": False,
    }
    for minute in range(16):
        account.look(MIDNIGHT + minute * MINUTE, {**readings(), **warm, "meter.gas_1.volume": 2.0 * minute}.get)
    assert account.figures.unmet_cooling == pytest.approx((0.2 * 2.0 + 0.3 * 1.0) / 4)
    assert account.figures.gas == 30.0
    assert account.quarters[0].air == 30.0


def test_what_the_battery_gained_and_what_was_drawn_is_counted_where_there_are_meters() -> None:
    meters = {"battery": "battery.content", "water": "mains.volume", "plant_water": "basin.volume"}
    account = Account(None, replace(COUNTED, **meters))
    for at, content, mains, basin in ((0, 400.0, 10.0, 3.0), (30, 250.0, 14.0, 5.0), (60, 300.0, 18.0, 6.5)):
        shown: dict[str, Scalar] = {"battery.content": content, "mains.volume": mains, "basin.volume": basin}
        account.look(MIDNIGHT + at * MINUTE, {**readings(), **shown}.get)
    figures = account.figures
    assert (figures.battery, figures.water, figures.plant_water, figures.gas) == (-100.0, 8.0, 3.5, 0.0)


def test_a_dark_deck_counts_for_each_group() -> None:
    dark = readings(garage__group_1__illuminance=20.0, garage__group_3__illuminance=25.0)
    assert counted((0, dark), (60, dark)).light_shortfall == pytest.approx(15.0)


def test_starts_are_counted_once_each() -> None:
    states = [False, True, True, False, True]
    looks = [(float(minute), readings(plant__chiller_1__status=on)) for minute, on in enumerate(states)]
    assert counted(*looks).starts == 2


def test_the_account_begins_when_everything_is_known() -> None:
    unknown = {**readings(meter__main_1__energy=5.0)}
    del unknown["plant.tank_1.stored_energy"]
    figures = counted((0, unknown), (1, readings(meter__main_1__energy=7.0)), (2, readings(meter__main_1__energy=8.0)))
    assert figures.energy == 1.0


# --- lamps ------------------------------------------------------------------------------------------------------------


def test_lamps_are_counted_by_trade_and_a_counter_that_is_not_read_is_made_up_for() -> None:
    begin = readings(garage__group_1__energy=10.0)
    used = readings(
        garage__group_1__energy=10.0,
        garage__group_2__energy=3.0,
        garage__sensor_lamps_1__energy=0.5,
        outdoor__lighting_2__energy=2.0,
        office__row_3__energy=1.0,
    )
    silent = {point: value for point, value in begin.items() if point != "garage.group_1.energy"}
    assert counted((0, begin), (30, silent)).garage_energy == 0.0
    figures = counted((0, begin), (30, silent), (60, used))
    assert (figures.garage_energy, figures.outdoor_energy, figures.office_energy) == (3.5, 2.0, 1.0)


def test_lit_hours_are_those_of_the_outdoor_lamps() -> None:
    lit = readings(outdoor__lighting_1__status=True)
    assert counted((0, lit), (90, readings()), (120, readings())).lit_hours == pytest.approx(1.5)


@pytest.mark.parametrize(
    "place, minutes",
    [
        ({"garage__group_2__illuminance": 29.0}, 20.0),
        ({"outdoor__daylight_sensor_1__illuminance": 19.0}, 20.0),
        ({"office__row_2__illuminance": 100.0}, 10.0),
    ],
    ids=["deck", "outdoors", "desk"],
)
def test_minutes_below_a_floor_are_counted_by_place(place: dict[str, Scalar], minutes: float) -> None:
    dark = readings(**place)
    assert counted((0, dark), (10, dark), (20, readings())).dark_minutes == pytest.approx(minutes)
    assert counted((0, readings()), (10, readings())).dark_minutes == 0.0


def test_lamps_that_are_lit_or_a_desk_that_is_left_are_not_dark() -> None:
    lit = readings(outdoor__daylight_sensor_1__illuminance=1.0, outdoor__lighting_1__status=True)
    left = readings(office__row_2__illuminance=0.0, office__row_2__motion=False)
    come = readings(office__row_2__illuminance=0.0)
    for looks in (((0, lit), (10, lit)), ((0, left), (10, left)), ((0, left), (10, come), (20, readings()))):
        assert counted(*looks).dark_minutes == 0.0
