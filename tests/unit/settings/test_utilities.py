"""Gas and water of site.yaml: what a cubic metre costs and emits, or what is wrong with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from controller.cli.site_folder import config_folder
from tests.unit.settings.conftest import Edit, Told, compiled

TARIFF = "tariff: {file: guangdong, rate: northern_single_part_2026_07}\n"
GAS = 'gas: {price: {per_m3: 4.5, source: "bill of June"}, heating_value: {mj_per_m3: 36, source: "bill of June"}}\n'
WATER = 'water: {price: {per_m3: 5, source: "bill of June"}}\n'


@pytest.fixture(autouse=True)
def has_tariffs(site: Path) -> None:
    shutil.copytree(config_folder() / "tariffs", site / "tariffs")


def test_gas_emits_by_its_net_heat_and_the_panels_factor_for_natural_gas(site: Path, edit: Edit) -> None:
    edit("site.yaml", "systems:\n", TARIFF + GAS + WATER + "systems:\n")
    found = compiled(site)
    assert found.gas is not None
    assert found.water is not None
    assert (found.gas.price.value, found.water.price.value) == (4.5, 5.0)
    assert found.gas.carbon == pytest.approx(0.036 * 56.1)
    assert "IPCC 2006" in found.gas.carbon_factor.source


def test_a_site_may_know_another_factor(site: Path, edit: Edit) -> None:
    own = GAS.replace("}}\n", '}, carbon_factor: {kg_per_gj: 63.1, source: "supplier"}}\n')
    edit("site.yaml", "systems:\n", TARIFF + own + "systems:\n")
    gas = compiled(site).gas
    assert gas is not None
    assert gas.carbon == pytest.approx(0.036 * 63.1)


def test_a_price_without_a_currency_is_refused(site: Path, edit: Edit, told: Told) -> None:
    edit("site.yaml", "systems:\n", GAS + WATER + "systems:\n")
    assert told() == [
        "site.yaml:7: 'gas' has a price, and no tariff says its currency; add 'tariff', or remove 'gas'",
        "site.yaml:8: 'water' has a price, and no tariff says its currency; add 'tariff', or remove 'water'",
    ]


def test_a_number_without_its_source_is_refused(site: Path, edit: Edit, told: Told) -> None:
    edit("site.yaml", "systems:\n", TARIFF + "water: {price: {per_m3: 5}}\nsystems:\n")
    assert told() == ["site.yaml:8: 'source' is missing; add it: a text that is not empty"]
