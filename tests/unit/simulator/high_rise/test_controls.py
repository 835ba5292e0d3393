"""The high-rise's old controls, which are frozen, and the competent baseline beside them."""

import pytest

import simulator.high_rise.original as old
from simulator.civil import LocalTime
from simulator.high_rise import air_side
from simulator.high_rise.air_controls import Reset
from simulator.high_rise.building import HighRise, Served
from simulator.high_rise.competent import Competent
from simulator.high_rise.controls import Controls
from simulator.high_rise.lighting import LIGHTING
from simulator.high_rise.model import HighRiseModel
from simulator.high_rise.names import DECKS, HANDLERS, UNITS
from tests.frozen import digest
from tests.hot_days import MONDAY, SUN, WEATHER, served

MODEL = HighRiseModel()
FLOOR = MODEL.floors[0]
STATE = air_side.resting([FLOOR])[0]
NOON = LocalTime(0, 0, 12.0 * 3600.0, 12.0)


def worked(controls: Controls | None) -> HighRise:
    """From the start of the air handlers into the afternoon."""
    site = HighRise(MODEL, MONDAY + 6.0 * 3600.0, WEATHER, SUN, controls=controls)
    while site.now < MONDAY + 15.0 * 3600.0:
        site.advance(site.now + 150.0, Served(served(site.demand)))
    return site


def energy(site: HighRise, machines: tuple[str, ...]) -> float:
    return sum(site.energy(machine) for machine in machines)


@pytest.fixture(scope="module")
def original() -> HighRise:
    return worked(None)


@pytest.fixture(scope="module")
def competent() -> HighRise:
    return worked(Competent())


def test_the_old_controls_are_frozen() -> None:
    """Savings are told against them: who must change them makes every comparison anew."""
    assert digest(old) == "ccc0ba8afd5d22b8"


def test_the_baseline_gives_better_air_in_rooms_that_stay_cool(original: HighRise, competent: HighRise) -> None:
    def worst(site: HighRise) -> tuple[float, float]:
        zones = [zone for state in site.floors for zone in state.zones]
        return max(zone.co2 for zone in zones), max(zone.air for zone in zones)

    (old_co2, old_air), (new_co2, new_air) = worst(original), worst(competent)
    assert old_co2 > 1000.0 > new_co2
    assert max(old_air, new_air) < 25.5


def test_the_baseline_moves_air_with_less_power(original: HighRise, competent: HighRise) -> None:
    assert energy(competent, HANDLERS) < 0.9 * energy(original, HANDLERS)
    assert energy(competent, UNITS) < 0.97 * energy(original, UNITS)
    assert energy(competent, DECKS) == energy(original, DECKS)  # by day they are lit alike


def test_setpoints_are_trimmed_until_boxes_ask() -> None:
    running = STATE._replace(openings=(0.5,) * 5)
    reset, commands = Competent().air(Reset(14.0, 0.2), FLOOR, running, NOON, 120.0)
    cool = tuple(zone._replace(air=24.0) for zone in STATE.zones)
    assert (commands.fan, reset.duct_pressure) == (True, pytest.approx(0.188))
    assert reset.supply_air == pytest.approx(13.4)  # five rooms of 27 degC ask for all that there is
    reset, _ = Competent().air(Reset(14.0, 0.2), FLOOR, running._replace(zones=cool), NOON, 120.0)
    assert reset.supply_air == pytest.approx(14.1)
    wide = running._replace(openings=(1.0, 1.0, 1.0, 0.5, 0.5))
    reset, _ = Competent().air(Reset(14.0, 0.2), FLOOR, wide, NOON, 120.0)
    assert reset.duct_pressure == pytest.approx(0.23)


def test_timed_lights_follow_the_sun_and_the_night() -> None:
    late = LocalTime(0, 0, 23.0 * 3600.0, 23.0)
    lamps = Competent().lamps(LIGHTING, late, dark=True)
    assert (lamps.brightness, lamps.outdoor, lamps.facade) == ((0.5,) * 3, True, False)
    evening = Competent().lamps(LIGHTING, late._replace(second=20.0 * 3600.0), dark=True)
    assert (evening.brightness, evening.facade) == ((1.0,) * 3, True)
    assert not Competent().lamps(LIGHTING, NOON, dark=False).outdoor
    assert not Competent().boiler(late).enable
