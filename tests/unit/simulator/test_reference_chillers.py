"""The catalogue of chillers in the reference records: every machine loads and behaves, or its traits say where not."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.chillers import CatalogueChiller, read_chillers
from simulator.plant.chiller import CondenserSide, operate, reference_factors
from simulator.plant.chiller_traits import entering_range, traits

pytestmark = pytest.mark.reference


@pytest.fixture
def catalogue(reference: Path) -> dict[str, CatalogueChiller]:
    return read_chillers(reference / "chillers/chiller_curves.csv.gz")


def test_every_machine_loads_and_is_normalised(catalogue: dict[str, CatalogueChiller]) -> None:
    assert len(catalogue) == 238
    sides = [chiller.model.condenser_side for chiller in catalogue.values()]
    assert (sides.count(CondenserSide.ENTERING), sides.count(CondenserSide.LEAVING)) == (120, 118)
    for chiller in catalogue.values():
        assert reference_factors(chiller.model) == pytest.approx((1.0, 1.0, 1.0), abs=1e-9)
    off = [max(abs(factor - 1.0) for factor in chiller.factors) for chiller in catalogue.values()]
    assert 0.2 < max(off) < 0.3
    assert sum(each > 0.02 for each in off) == 86


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_every_machine_closes_its_balance_within_its_ranges(
    catalogue: dict[str, CatalogueChiller], share: float
) -> None:
    for chiller in catalogue.values():
        model = chiller.model
        low, high = entering_range(model)
        capacity_rate = share * model.condenser_flow * WATER_SPECIFIC_HEAT
        for entering in (low, 0.5 * (low + high), high):
            for leaving in model.leaving_range:
                for load in (0.0, 0.5, 2.0):
                    state = operate(
                        model,
                        load * model.capacity,
                        1.0,
                        leaving,
                        entering,
                        condenser_flow=share * model.condenser_flow,
                    )
                    assert state.cooling > 0.0, chiller.name
                    assert state.power > 0.0, chiller.name
                    assert state.heat_rejection == pytest.approx(state.cooling + state.power, rel=1e-3), chiller.name
                    # A machine that goes by its leaving water was worked out at what its own heat makes of it.
                    by_leaving = model.condenser_side is CondenserSide.LEAVING
                    condenser = entering + by_leaving * state.heat_rejection / capacity_rate
                    twin = replace(model, condenser_side=CondenserSide.ENTERING)
                    again = operate(twin, load * model.capacity, 1.0, leaving, condenser)
                    assert again == pytest.approx(state, rel=1e-4), chiller.name


def test_a_running_machine_unloads_to_a_power_limit(catalogue: dict[str, CatalogueChiller]) -> None:
    for chiller in catalogue.values():
        model = chiller.model
        entering = entering_range(model)[1]
        full = operate(model, model.capacity, 1.0, model.leaving_reference, entering)
        limited = operate(model, model.capacity, 1.0, model.leaving_reference, entering, power_limit=0.6 * full.power)
        assert limited.power <= 0.6 * full.power * (1.0 + 1e-6) or limited.cooling == pytest.approx(
            model.minimum_part_load_ratio * model.capacity, rel=0.4
        ), chiller.name
        assert limited.cooling < full.cooling


def test_traits_say_which_machines_do_not_behave(catalogue: dict[str, CatalogueChiller]) -> None:
    found = {name: traits(chiller.model) for name, chiller in catalogue.items()}
    rising = [name for name, each in found.items() if each.rises_with_load]
    assert 190 <= len(rising) <= 210
    for name in rising:  # between the points of the grid, too
        model = catalogue[name].model
        entering = sum(entering_range(model)) / 2.0 + 1.0
        leaving = sum(model.leaving_range) / 2.0 + 0.3
        shares = (0.35, 0.5, 0.65, 0.8)
        powers = [operate(model, share * model.capacity, 1.0, leaving, entering).power for share in shares]
        assert powers == sorted(powers), name
    held = {name: each.held_up for name, each in found.items() if each.held_up > 0.0}
    assert 15 <= len(held) <= 30
    assert max(held.values()) < 0.75
