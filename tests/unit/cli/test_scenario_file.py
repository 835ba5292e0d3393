"""A scenario's file: what it asks for, and everything that is wrong with it at once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.cli.scenario_bounds import Bound
from controller.cli.scenario_file import Scenario, read_scenarios
from controller.core.errors import ConfigError
from simulator.design_day import DesignDay
from simulator.variation import Variation
from tests.virtual_demo import DEMO

SCENARIOS = DEMO.parents[1] / "scenarios"
HEAD = f"""\
scenario: tried
title: {{en: Tried, zh: 试}}
site: {DEMO}
from: 2026-07-06
to: 2026-07-08
"""
BOUNDS = "bounds: [{kpi: money, at_most: 1, times: original}]\n"


def scenario(folder: Path, text: str) -> Scenario:
    file = folder / "tried.yaml"
    file.write_text(HEAD + dedent(text), encoding="utf-8")
    return read_scenarios([file])[0]


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        scenario(folder, text)
    return [str(each).removeprefix(f"{folder}/") for each in raised.value.problems]


def test_it_is_a_backtest_with_bounds(tmp_path: Path) -> None:
    found = scenario(
        tmp_path,
        """\
        scan_every: 30s
        seed: 3
        seeds: 2
        position: {latitude: 31.17, longitude: 121.43}
        design_day: {highest: 33.7, daily_range: 6.2, relative_humidity: 0.62}
        variation: {load: 1.1, tank: 0.5}
        plant:
          tank: {volume: 300}
          secondary_pump: {flow: 24, curve: [[0, 300], [30, 220]], efficiency: 0.7}
        holidays: [2026-07-07]
        faults: [{kind: trip, target: plant.chiller_1, start: 14h, duration: 90min}]
        bounds:
          - {kpi: peak, hours: 14:00-16:00, at_most: 0.75, times: original}
          - {kpi: money_saved, at_least: 100}
          - {kpi: energy_saved, at_least: 0, compared_with: competent}
          - {kpi: starts, at_most: 9, side: competent}
        """,
    )
    backtest = found.backtest
    assert [case.seed for case in backtest.cases] == [3, 4]
    assert {case.variation for case in backtest.cases} == {Variation(load=1.1, tank=0.5)}
    assert backtest.period.scan_every == timedelta(seconds=30)
    assert backtest.period.weather == DesignDay(33.7, 6.2, 0.62)
    assert backtest.period.holidays == (date(2026, 7, 7),)
    assert [fault.kind for fault in backtest.period.faults] == ["trip"]
    assert backtest.period.sizes is not None
    assert backtest.period.sizes.tank_volume == 300.0
    assert backtest.period.sizes.pumps["secondary_pump"].head == pytest.approx(236.0)
    assert backtest.site.position.latitude == 31.17
    assert found.bounds == (
        Bound("peak", "tidewatt", 0.75, None, "original", "14:00-16:00"),
        Bound("money_saved", "tidewatt", None, 100.0),
        Bound("energy_saved", "tidewatt", None, 0.0, compared_with="competent"),
        Bound("starts", "competent", 9.0, None),
    )
    assert [side.name for side in backtest.sides] == ["original", "competent", "tidewatt"]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        """\
        plant:
          tank: {volume: 0}
          chilled_water_pump: {flow: 24, efficiency: 0.65}
        faults:
          - {kind: drift, target: plant.chiller_1.pwer, rate: 1}
          - {kind: trip, target: plant.chiller_7}
        bounds: [{kpi: mony, at_most: 1}]
        """,
    )
    assert told[0].startswith("tried.yaml:7: 'volume' is 0; write a number, above 0")
    assert told[1].startswith("tried.yaml:8: 'curve' is missing; add it: flows and heads, like [[0, 225], [24, 180]]")
    assert "tried.yaml:10: 'plant.chiller_1.pwer' is none of the measured numbers" in told[2]
    assert "did you mean 'plant.chiller_1.power'?" in told[2]
    assert "tried.yaml:11: 'plant.chiller_7' is none of the machines that can trip" in told[3]
    assert "tried.yaml:12: 'kpi' is the text 'mony'" in told[4]
    assert len(told) == 5


@pytest.mark.parametrize(
    "text, told",
    [
        (
            BOUNDS + "plant: {secondary_pump: {flow: 24, curve: [[0, 200], [20, 220]], efficiency: 0.7}}",
            "7: the head of a pump's curve does not fall with the flow",
        ),
        (
            BOUNDS + "plant: {secondary_pump: {flow: 24, curve: [[0, 200], [20, 150]], efficiency: 0.7}}",
            "7: the flow of 24 kg/s is not on the pump's curve, which goes from 0 to 20",
        ),
        (BOUNDS + "weather: nowhere.csv", "7: there is no file 'nowhere.csv'; its path begins at the scenario's own"),
        (BOUNDS + "load: own.csv", "own.csv:3: load_kw_th is 'x'; expected a number or an empty field"),
        (BOUNDS + "tariff: shangai", "7: there is no tariff 'shangai'; did you mean 'shanghai'?"),
        (
            "bounds: [{kpi: money, at_most: 1, side: tidewat}]",
            "6: there is no side 'tidewat'; did you mean 'tidewatt'?",
        ),
        ("bounds: [{kpi: money}]", "6: a bound is either 'at_most' or 'at_least'; write one of the two"),
        ("bounds: [{kpi: money, at_most: 1, hours: 14:00-16:00}]", "6: 'money' is not counted by the hour"),
        (
            "bounds: [{kpi: money_saved, at_least: 0, side: competent, compared_with: competent}]",
            "6: 'money_saved' is what a side saved against competent; give it a number, of another side",
        ),
        ("bounds: [{kpi: money, at_most: 1, compared_with: competent}]", "6: 'money' is compared with nobody"),
        ("bounds: [{kpi: demand_charge, at_most: 1}]", "6: no demand charge is in force on these days; add a 'tariff'"),
        ("bounds: []", "6: 'bounds' is an empty list; write a list of at least 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "own.csv").write_text("timestamp,load_kw_th\n2026-07-06 00:00:00,100\n2026-07-06 01:00:00,x\n")
    assert told in problems(tmp_path, text)[0]


def test_nothing_is_run_of_scenarios_of_which_one_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(HEAD.replace("to: 2026-07-08", "to: 2026-07-06") + BOUNDS)
    assert main(["scenario", str(SCENARIOS / "design_day.yaml"), str(wrong)]) == Exit.CONFIGURATION
    assert "'to' 2026-07-06 is not after 'from' 2026-07-06; it is the day after the last one" in capsys.readouterr().err
