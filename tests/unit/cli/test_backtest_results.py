"""What is told of many cases: medians and worst, of what was lived so far; and whether bounds hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.cli.backtest import as_data
from controller.cli.backtest_cases import Backtest, Case, Result, cases, result_of, run_backtest
from controller.cli.backtest_files import leave, page
from controller.cli.backtest_plot import plot
from controller.cli.backtest_sides import COMPETENT, ORIGINAL, TIDEWATT, Lived, against
from controller.cli.backtest_table import remarks, tables
from controller.cli.records_check import own_loads
from controller.cli.scenario_bounds import Bound, judged
from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Period, midnight, plant_step
from controller.core.site import Site
from controller.core.tariff import DemandCharge, Form, Tariff
from controller.core.utilities import Gas, Stated, Water
from controller.reports.drawing import Words
from controller.settings.problems import Problems
from simulator.kpi import Figures, Quarter
from simulator.site import Site as SimulatedSite
from simulator.variation import NOMINAL, Variation
from tests.virtual_demo import DEMO

SITE = load_site(DEMO)
MONDAY = date(2026, 7, 6)
BEGIN = midnight(SITE, MONDAY).timestamp()
OTHER = against(Path("night_only.yaml"))
CASES = cases(0, 3, ["tank"])


def days(*money: float, warm: float = 0.0) -> Lived:
    """A day for each bill; power is ten times it from 14:00 to 15:00, else as it."""
    figures = tuple(
        Figures(energy=each, plant_energy=each, money=each, cooling=1.0, peak=each, unmet_cooling=warm, starts=2)
        for each in money
    )
    quarters = tuple(
        Quarter(BEGIN + 86400.0 * day + 900.0 * number, each * (10.0 if 56 <= number < 60 else 1.0), 24.0, 0.0)
        for day, each in enumerate(money)
        for number in range(96)
    )
    return Lived(figures, quarters, tuple(0.5 for _ in money))


def result(lived: Sequence[Lived], given: Sequence[Case] = CASES) -> Result:
    period = Period(MONDAY, MONDAY + timedelta(days=2), timedelta(minutes=1))
    backtest = Backtest(SITE, period, SIDES, given, {Path("night_only.yaml"): SITE})
    found = result_of(backtest, lived)
    assert found is not None
    return found


SIDES = [ORIGINAL, COMPETENT, TIDEWATT, OTHER]
# by case: original, competent, Tidewatt and the other strategies
WHOLE = [
    lived
    for number in range(9)
    for lived in (
        *(days(100.0, 100.0), days(90.0, 85.0 + number)),
        *(days(80.0 + number, 80.0), days(90.0, 90.0 + 2 * number, warm=1.0)),
    )
]


def test_cases_are_seeds_times_variations_and_the_site_as_it_is_comes_first() -> None:
    assert CASES[:3] == [Case(0), Case(1), Case(2)]
    assert [case.variation for case in CASES[3::3]] == [Variation(tank=0.5), Variation(tank=1.5)]
    assert Case(3, Variation(tank=0.5)).title().en == "seed 3, tank -50%"
    assert len(cases(7, 5, ["load", "traffic", "tank"])) == 35


def test_median_and_worst_are_those_of_all_cases() -> None:
    data = as_data(result(WHOLE))
    assert data["complete"]
    assert data["spread"]["tidewatt"]["money"] == {"median": 164.0, "worst": 168.0}
    assert data["spread"]["tidewatt"]["saved"]["money"] == {"median": 36.0, "worst": 32.0}
    assert data["spread"]["tidewatt"]["saved_against"]["competent"]["money"] == {"median": 15.0, "worst": 15.0}
    assert data["spread"]["competent"]["saved"]["money"] == {"median": 21.0, "worst": 17.0}
    assert data["saved_against"]["competent"]["money"] == 15.0
    assert data["spread"]["night_only"]["unmet_cooling"] == {"median": 2.0, "worst": 2.0}
    assert data["totals"]["tidewatt"]["money"] == 160.0
    assert [case["tank"] for case in data["cases"]] == [1.0] * 3 + [0.5] * 3 + [1.5] * 3
    assert data["cases"][0]["sides"]["tidewatt"]["carbon"] == pytest.approx(160.0 * 0.4419)
    assert data["cases"][0]["sides"]["tidewatt"]["computing"] == 0.5


@pytest.mark.parametrize(
    "language, words", [("en", "median and worst of 9 cases, 3 seeds, tank ±50 %"), ("zh", "9 个工况的中位数与最差值")]
)
def test_tables_page_and_picture_tell_the_spread(language: str, words: str) -> None:
    chosen = "zh" if language == "zh" else "en"
    found = result(WHOLE)
    first, second = tables(found, chosen)
    assert words in second.title
    money = next(row for row in second.rows if "[CNY]" in row[0])
    assert money[1:] == ["200", "200", "179", "183", "164", "168", "188", "196"]
    whole = page(found, chosen)
    assert all(cell in whole for cell in (*money[1:], "night_only", "<svg", SITE.digest, 'name="viewport"'))
    assert len(first.rows) == 14
    assert "night_only" in [shape.text for shape in plot(found, chosen, "").shapes if isinstance(shape, Words)]


def test_tidewatt_is_told_against_both_baselines_and_they_against_each_other() -> None:
    found = result(WHOLE)
    headings = tables(found, "en")[0].headings
    assert [each for each in headings if "against" in each] == [
        *("Tidewatt against original", "Tidewatt against competent"),
        *("night_only against original", "night_only against competent"),
    ]
    told = [line for line in remarks(found, "en") if " saves " in line or " COSTS " in line]
    as_lived, equal = told[:5], told[5:]
    assert as_lived[:2] == [
        "Tidewatt saves 40 kWh, 40 CNY (20.0%), 18 kg CO2 against original.",
        "Tidewatt saves 15 kWh, 15 CNY (8.6%), 7 kg CO2 against competent.",
    ]
    assert equal[:2] == [
        "Tidewatt saves 40 kWh, 40 CNY (20.0%), 18 kg CO2 against original.",
        "Tidewatt saves 15 kWh, 15 CNY (8.6%), 7 kg CO2 against competent.",
    ]
    assert equal[3] == "night_only COSTS 5 kWh, 5 CNY (2.9%), 2 kg CO2 more than competent."
    assert equal[4] == "competent saves 25 kWh, 25 CNY (12.5%), 11 kg CO2 against original."


def test_a_loss_beside_something_saved_is_called_one() -> None:
    def spent(energy: float, money: float) -> Lived:
        return Lived((Figures(energy=energy, plant_energy=energy, money=money, cooling=1.0),), (), (0.5,))

    found = result([spent(100.0, 100.0), spent(60.0, 90.0), spent(70.0, 80.0), spent(70.0, 80.0)], CASES[:1])
    told = remarks(found, "en")
    assert "Tidewatt saves 10 CNY (11.1%) against competent, but takes 10 kWh, 4 kg CO2 more." in told
    assert "Tidewatt 节省 10 CNY (11.1%)（对比规范控制），但多用 10 kWh, 4 kg CO2。" in remarks(found, "zh")


def test_nothing_is_told_as_less_than_nothing_and_no_machine_is_compared_with_itself() -> None:
    def spent(energy: float) -> Lived:
        return Lived((Figures(energy=energy, cooling=-0.01),), (), (0.5,))

    rows = {
        row[0]: row[1:]
        for row in tables(result([spent(100.0), spent(99.9), spent(99.8), spent(9.0)], CASES[:1]), "en")[0].rows
    }
    assert rows["cooling delivered [kWh]"][:3] == ["0", "0", "0"]
    assert rows["electricity, whole site [kWh]"][4:6] == ["+0", "-0.2%"]
    assert rows["computing time for a day [s]"][:6] == ["0.50", "0.50", "0.50", "0.50", "", ""]


def test_a_load_of_ones_own_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    hours = [f"2026-07-06 {hour:02}:00,{4000 if hour == 14 else 1000},{hour}" for hour in range(24)]
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["timestamp,load_kw_th,load_kwh", *hours]))
    found = result(WHOLE[:4], CASES[:1])
    loads = own_loads(file, NOMINAL, Problems())
    told = remarks(replace(found, backtest=replace(found.backtest, loads=loads)), "en")[-2:]
    capacity, lacks = f"{SimulatedSite().plant.chiller.capacity:,.0f}", "1 of the 2 days are not in it"
    assert f"own.csv: load_kw_th: 1 days, at most {capacity} kW, multiplied by" in told[0]
    assert "its own peak is 4,000 kW" in told[0]
    assert "own.csv: load_kwh: 1 days, at most 23 kW;" in told[1]
    assert all(lacks in line for line in told)
    data = as_data(replace(found, backtest=replace(found.backtest, loads=loads)))["basis"]
    assert data["loads"][0]["factor"] == pytest.approx(SimulatedSite().plant.chiller.capacity / 4000.0)
    assert (data["loads"][1]["peak_kw"], data["weather"], data["faults"]) == (23.0, None, [])


def test_a_demand_charge_is_a_row_where_the_tariff_has_one() -> None:
    charged = replace(SITE, tariff=two_part(SITE))
    backtest = Backtest(charged, Period(MONDAY, MONDAY + timedelta(days=2), timedelta(minutes=1)), SIDES, [Case(0)], {})
    found = result_of(backtest, WHOLE[:4])
    assert found is not None
    row = next(row for row in tables(found, "en")[0].rows if "demand charge" in row[0])
    assert row[1:3] == [f"{1000.0 * 31.0 * 2 / 31:,.0f}", f"{900.0 * 31.0 * 2 / 31:,.0f}"]
    assert all("demand charge" not in row[0] for row in tables(result(WHOLE), "en")[0].rows)


def two_part(site: Site) -> Tariff:
    """31 of the tariff's money for a kilowatt and month."""
    assert site.tariff is not None
    versions = tuple(replace(each, demand_charges=(DemandCharge(31.0),)) for each in site.tariff.versions)
    return replace(site.tariff, form=Form.TWO_PART, versions=versions)


def test_lamps_are_told_where_they_are_counted_with_the_share_that_is_saved() -> None:
    def lit(garage: float, hours: float) -> Lived:
        return Lived((Figures(garage_energy=garage, lit_hours=hours),), (), (0.5,))

    first_seed = [lit(100.0, 12.0), lit(80.0, 11.0), lit(60.0, 9.0), lit(50.0, 12.0)]
    found = result([*first_seed, lit(90.0, 12.0), lit(80.0, 11.0), lit(63.0, 9.0), lit(90.0, 12.0)], CASES[:2])
    saved = as_data(found)["spread"]["tidewatt"]["saved"]
    assert saved["garage_energy_share"] == {"median": 35.0, "worst": 30.0}
    assert saved["lit_hours_share"] == {"median": 25.0, "worst": 25.0}
    first, second = tables(found, "en")
    assert next(row for row in first.rows if row[0] == "lamps of the garage [kWh]")[1:4] == ["100", "80", "60"]
    told = next(row for row in second.rows if row[0].startswith("garage lamps: saved") and "original" in row[0])
    assert [cell for cell in told[1:] if cell][-4:] == ["35.0", "30.0", "25.0", "0.0"]


def test_gas_and_water_are_told_in_money_and_carbon_and_both_ways_of_comparing_are_said() -> None:
    def lived(energy: float, gas: float, cooling: float) -> Lived:
        figures = Figures(
            energy=energy, plant_energy=60.0, money=energy, plant_money=60.0, cooling=cooling, gas=gas, water=10.0
        )
        return Lived((replace(figures, battery=-5.0),), (), (0.5,))

    sides = [lived(100.0, 20.0, 300.0), lived(95.0, 20.0, 300.0), lived(80.0, 15.0, 200.0), lived(90.0, 20.0, 300.0)]
    priced = replace(SITE, gas=Gas(Stated(4.0, "bill"), Stated(36.0, "bill")), water=Water(Stated(5.0, "bill")))
    period = Period(MONDAY, MONDAY + timedelta(days=1), timedelta(minutes=1))
    found = result_of(Backtest(priced, period, SIDES, [Case(0)], {Path("night_only.yaml"): priced}), sides)
    assert found is not None
    rows = {row[0]: row[1:4] for row in tables(found, "en")[0].rows}
    assert rows["gas, what it costs [CNY]"] == ["80", "80", "60"]
    assert rows["energy charge, gas and water together [CNY]"] == ["230", "225", "190"]
    assert rows["energy added to the battery [kWh]"] == ["-5", "-5", "-5"]
    assert rows["carbon, whole site [kg CO2]"][0] == f"{100.0 * 0.4419 + 20.0 * 0.036 * 56.1:.0f}"
    told = remarks(found, "en")
    assert any(line.startswith("Gas: 2.020 kg CO2 for a m³, 56.1 kg for a GJ (IPCC 2006") for line in told)
    data = as_data(found)
    assert data["saved_as_lived"]["original"]["money"] == pytest.approx(20.0 + 5.0 * 4.0)
    assert data["saved_against"]["original"]["money"] == pytest.approx(20.0 + 5.0 * 4.0 - 60.0 / 3)
    assert data["gas"]["carbon_kg_per_m3"] == pytest.approx(0.036 * 56.1)
    for way in ("saved_as_lived", "saved_against"):
        assert data["meaning"][way]["en"] in page(found, "en")
        assert data["meaning"][way]["zh"] in page(found, "zh")
    unpriced = result_of(Backtest(SITE, period, SIDES, [Case(0)], {}), sides)
    assert unpriced is not None
    assert any(line.startswith("Gas is burnt, and site.yaml") for line in remarks(unpriced, "en"))
    assert any("site.yaml 未给出水价" in line for line in remarks(unpriced, "zh"))


def test_what_was_stopped_is_compared_over_the_days_that_all_sides_have_lived() -> None:
    found = result(
        [
            *(days(100.0, 100.0), days(95.0, 95.0), days(80.0), days(90.0, 90.0)),
            *(days(100.0), days(95.0), days(70.0), Lived()),
            *[Lived()] * 28,
        ]
    )
    assert not found.is_complete
    assert [outcome.days for outcome in found.outcomes] == [1]
    assert found.nominal.totals["original"].money == 100.0
    assert len(found.nominal.lived["original"].quarters) == 96
    assert "Stopped: 1 of 2 days, 0 of 9 cases." in remarks(found, "en")


def test_nothing_is_told_before_a_day_is_over_on_every_side() -> None:
    backtest = Backtest(SITE, Period(MONDAY, MONDAY + timedelta(days=2), timedelta(minutes=1)), SIDES, CASES, {})
    assert result_of(backtest, [days(100.0), days(95.0), Lived(), days(90.0), *[Lived()] * 32]) is None


@pytest.mark.parametrize(
    "bound, value, limit, holds",
    [
        (Bound("money", "tidewatt", 167.0, None), 168.0, 167.0, False),
        (Bound("money", "tidewatt", 0.84, None, "original"), 168.0, 168.0, True),
        (Bound("money_saved", "tidewatt", None, 32.5), 32.0, 32.5, False),
        (Bound("money_saved", "tidewatt", None, 14.0, compared_with="competent"), 15.0, 14.0, True),
        (Bound("unmet_cooling", "night_only", 2.0, None), 2.0, 2.0, True),
        (Bound("peak", "tidewatt", 1000.0, None, hours="14:00-16:00"), 880.0, 1000.0, True),
        (Bound("peak", "tidewatt", 87.0, None, hours="20:00-06:00"), 88.0, 87.0, False),
    ],
)
def test_a_bound_must_hold_in_every_case(bound: Bound, value: float, limit: float, holds: bool) -> None:
    found = judged(bound, result(WHOLE))
    assert found.value == pytest.approx(value)
    assert found.limit == pytest.approx(limit)
    assert found.holds is holds


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    span = ["--from", "2026-01-01", "--to", "2027-01-01"]
    code = main(["backtest", str(DEMO), *span, "--output", str(tmp_path / "file" / "results")])
    assert code == Exit.ENVIRONMENT
    told = capsys.readouterr().err
    assert "file/results cannot be written" in told
    assert "nothing was run" in told


@pytest.mark.slow
def test_what_was_lived_is_compared_where_a_checkpoint_finds_no_room(tmp_path: Path) -> None:
    (tmp_path / "original.new").mkdir()  # in its way, as a full disk is
    period = Period(MONDAY, MONDAY + timedelta(days=9), timedelta(minutes=1))
    backtest = Backtest(SITE, period, [ORIGINAL, COMPETENT], [Case(0)], {})
    found = run_backtest(backtest, tmp_path, lambda _: None, lambda: False)
    assert found is not None
    assert "original.checkpoint cannot be written" in str(found.trouble)
    assert found.nominal.days == 1
    assert not found.is_complete
    assert found.nominal.totals["original"].energy > 1000.0


def test_what_cannot_be_left_in_a_folder_is_told_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "plot.png").mkdir()  # in its way, as a full disk is
    told = leave(tmp_path, result(WHOLE[:4], CASES[:1]), {}, "en")
    assert str(told) == f"the results cannot be left in {tmp_path}: Is a directory"
    assert (tmp_path / "result.json").is_file()


def test_a_missing_hour_of_weather_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"2026-07-0{6 + hour // 24} {hour % 24:02}:00:00,30,70,0" for hour in range(48)]
    rows[30] = rows[30].replace(",70,", ",,")
    del rows[10:12]
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["timestamp,temp_c,rh_pct,ghi_w_m2", *rows]) + "\n")
    code = main(["backtest", str(DEMO), "--from", "2026-07-06", "--to", "2026-07-08", "--weather", str(file)])
    assert code == Exit.CONFIGURATION
    told = capsys.readouterr().err.splitlines()
    assert "own.csv:11: no complete reading of 07-06 10:00 to 07-06 11:00, which the period needs" in told[0]
    assert "own.csv:30: no complete reading of 07-07 06:00" in told[1]
    assert len(told) == 3


def test_strategies_that_are_called_like_a_side_get_another_name() -> None:
    assert against(Path("a/original.yaml")).name == "original_2"
    assert against(Path("a/competent.yaml")).name == "competent_2"
    assert replace(OTHER, strategies=None).name == "night_only"


@pytest.mark.parametrize("scan, step", [(60, 30.0), (45, 15.0), (20, 20.0), (1, 1.0), (7, 1.0)])
def test_the_plant_steps_with_scan_and_minute(scan: int, step: float) -> None:
    assert plant_step(timedelta(seconds=scan)) == step
