"""What one side saved against another: nobody wins by empty stores, and gas and water are paid, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.cli.site_folder import load_site
from controller.core.utilities import Gas, Stated, Water
from simulator.kpi import Figures
from simulator.saving import Terms, carbon, money, saving, saving_at_equal_cooling, valley_price
from tests.virtual_demo import DEMO

MIDNIGHT = datetime(2026, 7, 5, 16, 0, tzinfo=UTC)  # in Shenzhen
TARIFF = load_site(DEMO).tariff
assert TARIFF is not None
assert TARIFF.carbon_factor is not None
FACTOR = TARIFF.carbon_factor
GAS = Gas(Stated(4.0, "bill"), Stated(36.0, "bill"))
TERMS = Terms(TARIFF, GAS, Water(Stated(5.0, "bill")), 0.2)
OURS = Figures(energy=100.0, plant_energy=60.0, money=40.0, plant_money=20.0, cooling=300.0)


def test_the_reference_is_scaled_to_the_cooling_that_we_delivered() -> None:
    reference = replace(OURS, cooling=150.0, water=4.0, plant_water=2.0)
    saved = saving_at_equal_cooling(replace(OURS, water=4.0, plant_water=2.0), reference, TERMS)
    assert saved.energy == pytest.approx(60.0)
    assert saved.money == pytest.approx(20.0 + 2.0 * 5.0)


def test_as_lived_who_needs_less_cold_has_saved_it() -> None:
    frugal = replace(OURS, energy=90.0, plant_energy=50.0, money=36.0, plant_money=16.0, cooling=250.0)
    assert saving(frugal, OURS, TERMS).energy == pytest.approx(10.0)
    assert saving_at_equal_cooling(frugal, OURS, TERMS).energy == pytest.approx(0.0)


def test_cold_left_in_the_tank_counts_at_the_valley_price() -> None:
    electricity = 100.0 * 60.0 / 400.0
    for saved in (saving, saving_at_equal_cooling):
        found = saved(replace(OURS, stored=100.0), OURS, TERMS)
        assert found.energy == pytest.approx(electricity)
        assert found.money == pytest.approx(electricity * 0.2)


def test_who_made_no_cold_pays_for_what_is_gone_from_the_tank_as_the_reference_makes_it() -> None:
    idle = replace(OURS, energy=40.0, plant_energy=0.0, cooling=0.0, stored=-50.0)
    assert saving(idle, OURS, TERMS).energy == pytest.approx(60.0 - 50.0 * 60.0 / 300.0)


def test_nobody_wins_by_an_empty_battery() -> None:
    """It gave 95 of its 100 kWh at a high price: the difference of the prices is kept, energy and carbon are lost."""
    emptied = replace(OURS, energy=OURS.energy - 95.0, money=OURS.money - 95.0, battery=-100.0)
    found = saving(emptied, OURS, TERMS)
    assert found.energy == pytest.approx(-5.0)
    assert found.money == pytest.approx(95.0 - 100.0 * 0.2)
    assert found.carbon == pytest.approx(-5.0 * FACTOR)
    by_night = replace(emptied, money=OURS.money - 95.0 * 0.2)
    assert saving(by_night, OURS, TERMS).money < 0.0


def test_nobody_wins_by_a_battery_that_was_filled() -> None:
    filled = replace(OURS, energy=OURS.energy + 100.0 / 0.95, money=OURS.money + 100.0 / 0.95 * 0.2, battery=100.0)
    found = saving(filled, OURS, TERMS)
    assert found.energy < 0.0
    assert found.money < 0.0


def test_gas_costs_and_emits_by_its_net_heat() -> None:
    found = saving(replace(OURS, gas=30.0), replace(OURS, gas=50.0), TERMS)
    assert found.energy == 0.0
    assert found.money == pytest.approx(20.0 * 4.0)
    assert found.carbon == pytest.approx(20.0 * 0.036 * 56.1)
    assert carbon(replace(OURS, gas=30.0), TERMS) == pytest.approx(100.0 * FACTOR + 30.0 * 0.036 * 56.1)
    assert money(replace(OURS, gas=30.0, water=2.0), TERMS) == pytest.approx(40.0 + 120.0 + 10.0)


def test_what_has_no_price_costs_nothing_and_without_a_factor_there_is_no_carbon() -> None:
    assert money(replace(OURS, gas=30.0, water=2.0), Terms(TARIFF)) == 40.0
    assert carbon(OURS, Terms()) is None
    assert saving(OURS, OURS, Terms()).carbon is None


def test_who_costs_more_saves_less_than_nothing() -> None:
    saved = saving(replace(OURS, energy=110.0, money=44.0), OURS, TERMS)
    assert (saved.energy, saved.money) == (pytest.approx(-10.0), pytest.approx(-4.0))


def test_the_valley_price_is_the_lowest_of_the_day() -> None:
    assert valley_price(TARIFF, MIDNIGHT) == TARIFF.price_at(MIDNIGHT + timedelta(hours=3)) if TARIFF else False
    assert valley_price(None, MIDNIGHT) == 0.0
