"""Every file of config/tariffs compiles, names its sources, and says what tests/data/tariffs.json says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from controller.core.tariff import Form, SourceStatus
from controller.core.tariff_calendar import Band, DayType, MonthDay
from controller.settings.problems import Problems
from controller.settings.tariffs import RateDraft, TariffDraft, read_tariff

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "config" / "tariffs").iterdir())
REFERENCE: dict[str, Any] = json.loads((ROOT / "tests" / "data" / "tariffs.json").read_text(encoding="utf-8"))
BY_ID: dict[str, Any] = {each["id"]: each for each in REFERENCE["tariffs"]}
CENT = 0.00011
"""Published prices are rounded in the fourth decimal."""

# What the contract calls its bands -> ours.
PGE = {"part_peak": "flat", "off_peak": "valley", "super_off_peak": "deep_valley"}


def draft(name: str) -> TariffDraft:
    problems = Problems()
    found = read_tariff(ROOT / "config" / "tariffs" / f"{name}.yaml", problems)
    problems.raise_if_any()
    assert found is not None
    return found


def rate(tariff: str, id_: str) -> RateDraft:
    return draft(tariff).rates[id_]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_compiles_as_a_whole(file: Path) -> None:
    assert file.suffix == ".yaml"
    found = draft(file.stem)
    assert set(found.rates) == found.declared != set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_its_editor_knows_the_schema(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../schema/tariff.json\n")


# --- against the reference --------------------------------------------------------------------------------------------


def expected_band(reference: dict[str, Any], month: int, minute: int) -> str:
    """As tariffs.json says it: a later entry overrides an earlier one, and what is left is flat (or `fill`)."""

    def inside(window: list[str]) -> bool:
        start, end = (int(each[:2]) * 60 + int(each[3:]) for each in window)
        return start <= minute < end if start < end else minute >= start or minute < end

    found: str = reference.get("fill", "flat")
    for period in reference["periods"]:
        if month in period["months"] and any(inside(window) for window in period["windows"]):
            found = period["period"]
    return PGE.get(found, found)


@pytest.mark.parametrize(
    "tariff, rates, id_",
    [
        ("guangdong", ["single_part", "two_part", "northern_single_part_2026_07"], "cn_guangdong"),
        ("shanghai", ["two_part"], "cn_shanghai_two_part"),
        ("shanghai", ["single_part"], "cn_shanghai_single"),
        ("jiangsu", ["two_part", "single_part_from_100_kva", "single_part_below_100_kva"], "cn_jiangsu"),
        ("pge_b19", ["secondary"], "us_pge_b19_secondary"),
    ],
)
def test_its_bands_are_those_of_the_reference(tariff: str, rates: list[str], id_: str) -> None:
    for name in rates:
        calendar = rate(tariff, name).versions[0].calendar
        for month in range(1, 13):
            for type_ in DayType:
                windows = calendar.windows(MonthDay(month, 15), type_)
                for minute in range(0, 1440, 15):
                    band = next(window.band for window in windows if minute < window.end)
                    assert band.value == expected_band(BY_ID[id_], month, minute), (month, minute)


def ratios(tariff: str, rate_: str, month: int) -> dict[str, float]:
    version = rate(tariff, rate_).versions[0]
    assert version.is_ratios
    season = next(each for each in version.seasons if MonthDay(month, 15) in each.days)
    return {band.value: ratio for band, ratio in season.known.items()}


@pytest.mark.parametrize("rate_", ["single_part", "two_part"])
def test_the_ratios_of_guangdong(rate_: str) -> None:
    rule = BY_ID["cn_guangdong"]["rule"]
    assert ratios("guangdong", rate_, 7) == {band.value: rule[band.value] for band in Band if band.value in rule}


@pytest.mark.parametrize("rate_, id_", [("two_part", "cn_shanghai_two_part"), ("single_part", "cn_shanghai_single")])
def test_the_ratios_of_shanghai(rate_: str, id_: str) -> None:
    for rule in BY_ID[id_]["rule"]["by_months"]:
        for month in rule["months"]:
            found = ratios("shanghai", rate_, month)
            assert found == {band: rule[band] for band in found}


@pytest.mark.parametrize(
    "rate_, rule",
    [
        ("two_part", "two_part"),
        ("single_part_from_100_kva", "single_ge_100kva"),
        ("single_part_below_100_kva", "single_lt_100kva"),
    ],
)
def test_the_ratios_of_jiangsu(rate_: str, rule: str) -> None:
    assert ratios("jiangsu", rate_, 7) == BY_ID["cn_jiangsu"]["rule"][rule]


@pytest.mark.parametrize(
    "rate_, table, status",
    [
        ("northern_single_part_2026_07", 1, SourceStatus.OFFICIAL),
        ("pearl_river_delta_single_part_2026_10", 2, SourceStatus.PROVISIONAL),
    ],
)
def test_the_published_prices_of_guangdong(rate_: str, table: int, status: SourceStatus) -> None:
    reference = BY_ID["cn_guangdong"]["price_tables"][table]
    version = rate("guangdong", rate_).versions[0]
    assert {band.value: price for band, price in version.seasons[0].known.items()} == {
        band.value: reference[band.value] for band in Band if band.value in reference
    }
    assert [source.status for source in version.sources] == [status]
    assert f"{version.entry.first:%Y-%m}" in reference["label"]


@pytest.mark.parametrize(
    "tariff, rate_, month, table, flat, added",
    [
        ("guangdong", "single_part", 7, ("cn_guangdong", 0), 0.6725, 0.0),
        ("guangdong", "single_part", 7, ("cn_guangdong", 1), 0.6333, 0.02766875),
        ("guangdong", "single_part", 7, ("cn_guangdong", 2), 0.773, 0.02766875),
        ("shanghai", "two_part", 6, ("cn_shanghai_two_part", 0), 0.43508 + 0.1456, 0.011863 + 0.040718 + 0.029115),
    ],
)
def test_ratios_give_what_was_published(
    tariff: str, rate_: str, month: int, table: tuple[str, int], flat: float, added: float
) -> None:
    reference = BY_ID[table[0]]["price_tables"][table[1]]
    for band, ratio in ratios(tariff, rate_, month).items():
        assert flat * ratio + added == pytest.approx(reference[band], abs=CENT), band


@pytest.mark.parametrize("tariff, id_", [("guangdong", "cn_guangdong"), ("shanghai", "cn_shanghai_two_part")])
def test_the_basic_charges(tariff: str, id_: str) -> None:
    reference = BY_ID[id_]["basic_charge"]
    version = rate(tariff, "two_part").versions[0]
    assert [each.price for each in version.demand_charges] == [reference["max_demand_yuan_per_kw_month"]]
    assert version.capacity_charge == reference["capacity_yuan_per_kva_month"]


def test_the_prices_of_pge() -> None:
    reference = BY_ID["us_pge_b19_secondary"]
    version = rate("pge_b19", "secondary").versions[0]
    summer, winter = version.seasons
    assert summer.known == {}
    assert winter.known == {
        Band.PEAK: reference["energy_usd_per_kwh"]["winter_peak"],
        Band.DEEP_VALLEY: reference["energy_usd_per_kwh"]["winter_super_off_peak"],
    }
    demand = reference["demand_usd_per_kw_month"]
    assert [each.price for each in version.demand_charges] == [
        demand["maximum_any_hour"],
        demand["summer_peak"],
        demand["summer_part_peak"],
    ]
    assert all(each.months == set(reference["summer_months"]) for each in version.demand_charges[1:])
    assert all(
        each.interval.total_seconds() == 60 * reference["demand_interval_min"] for each in version.demand_charges
    )


def test_carbon_factors_are_published_ones() -> None:
    published = {each["value"] for each in REFERENCE["emission_factors_kgco2_per_kwh"]}
    for file in FILES:
        head = draft(file.stem).head
        assert head is not None
        assert head.carbon_factor is None or head.carbon_factor.kg_per_kwh in published


def test_single_parts_have_no_charge_and_two_parts_have_one() -> None:
    for file in FILES:
        for each in draft(file.stem).rates.values():
            for version in each.versions:
                charged = version.charges_asked or version.demand_charges or version.capacity_charge is not None
                assert bool(charged) == (each.form is Form.TWO_PART)
                assert version.entry.first <= date(2026, 10, 1)
                assert version.sources
