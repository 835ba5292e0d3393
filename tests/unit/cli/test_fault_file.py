"""A file of faults: what it says, and everything that is wrong with it at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.cli.fault import told
from controller.cli.fault_file import fault_of, read_faults
from controller.cli.site_folder import load_site
from controller.core.errors import ConfigError, EnvironmentProblem
from simulator.faults.fault import Fault
from simulator.faults.kinds import KINDS
from tests.virtual_demo import DEMO

EXAMPLE = DEMO.parents[1] / "faults" / "a_bad_day.yaml"
BEGINNING = datetime(2026, 7, 6, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
SITE = load_site(DEMO)


def faults(folder: Path, text: str, *, has_time_on_wire: bool = False) -> list[Fault]:
    file = folder / "faults.yaml"
    file.write_text("faults:\n" + dedent(text), encoding="utf-8")
    return read_faults(file, SITE, BEGINNING, has_time_on_wire=has_time_on_wire)


def test_the_example_has_every_kind_that_modbus_can_show() -> None:
    assert {each.kind for each in read_faults(EXAMPLE, SITE, BEGINNING)} == KINDS.keys() - {"clock_offset"}


def test_times_count_from_the_beginning_or_are_the_sites(tmp_path: Path) -> None:
    first, second, third = faults(
        tmp_path,
        """
        - {kind: trip, target: plant.chiller_1, start: 2026-07-06T14:00, duration: 20min}
        - {kind: fire, start: 90min, end: 2h}
        - {kind: hang, target: plant}
        """,
    )
    begins = BEGINNING.timestamp()
    assert (first.begins, first.ends) == (begins + 6 * 3600, begins + 6 * 3600 + 1200)
    assert (second.target, second.begins, second.ends) == (
        "building.fire_alarm_panel_1",
        begins + 5400,
        begins + 7200,
    )
    assert (third.begins, third.ends) == (begins, inf)
    assert "plant.chiller_1.status" in third.points
    assert "meter.main_1.power" not in third.points


@pytest.mark.parametrize(
    "line, told",
    [
        ("{kind: tripp, target: plant.chiller_1}", "2: there is no kind of fault 'tripp'; did you mean 'trip'?"),
        (
            "{kind: trip, target: plant.chiler_1}",
            "2: 'plant.chiler_1' is none of the machines that can trip of the simulated site; did you mean"
            " 'plant.chiller_1'?",
        ),
        (
            "{kind: drift, target: plant.chiller_1.pwer, rate: 1}",
            "2: 'plant.chiller_1.pwer' is none of the measured numbers of the simulated site; did you mean"
            " 'plant.chiller_1.power'?",
        ),
        (
            "{kind: hang, target: plant_gatway}",
            "2: 'plant_gatway' is none of the devices of the simulated site; did you mean 'plant_gateway'?",
        ),
        (
            "{kind: refuse}",
            "2: 'target' is missing; a fault 'refuse' is aimed at one; known links: lighting, meters, panel, plant",
        ),
        ("{kind: mains_dip, target: plant}", "2: a mains_dip has no target: it meets the whole site; remove 'target'"),
        ("{kind: fire, start: noon}", "2: 'noon' is no time; write 10min after the simulation begins, or a local time"),
        (
            "{kind: fire, start: 2026-07-05T14:00}",
            "2: 2026-07-05T14:00 is before the simulation begins; write a time after 2026-07-06T08:00",
        ),
        (
            "{kind: fire, start: 2h, end: 1h}",
            "2: the fault ends before it begins; write an end that is after its start",
        ),
        ("{kind: fire, end: 1h, duration: 1h}", "2: 'duration' stands beside 'end'; remove one of the two"),
        (
            "{kind: panel, target: garage.group_1.brightness_command, value: 1, duration: 1h}",
            "2: a panel happens once and has no end; remove 'duration'",
        ),
        (
            "{kind: panel, target: garage.group_1.brightness_command}",
            "2: 'value' is missing; add the value that it takes",
        ),
        (
            "{kind: panel, target: garage.group_1.brightness_command, value: 40}",
            "2: 'value' is 40; expected 0 to 1",
        ),
        (
            "{kind: valve_stuck, target: plant.tank_1.charge_valve_position, value: 7}",
            "2: 'value' is 7; write a number from 0 to 1",
        ),
        ("{kind: stuck, target: garage.group_1.motion, value: 1}", "2: 'value' is 1; write true or false"),
        (
            "{kind: drift, target: meter.main_1.power}",
            "2: 'rate' is missing; write a number [the point's unit per hour]",
        ),
        ("{kind: noise, target: meter.main_1.power, deviation: -1}", "2: 'deviation' is -1.0; write a number from 0"),
        ("{kind: slow, target: plant, delay: 2min}", "2: 'delay' is 120 s; write a duration with its unit, like 2s"),
        ("{kind: slow, target: plant, delay: 2}", "2: 'delay' is 2; write a duration with its unit, like 500ms"),
        (
            "{kind: trip, target: plant.chiller_1, rate: 1}",
            "2: 'rate' means nothing to a fault 'trip'; known keys: kind",
        ),
        (
            "{kind: local, target: garage.group_1, position: auto}",
            "2: 'position' is auto; write one of local, hand, off",
        ),
        ("{kind: trip, target: plant.chiller_1, strt: 1h}", "2: the key 'strt' is unknown; did you mean 'start'?"),
        (
            "{kind: clock_offset, target: plant, offset: 90}",
            "2: Modbus carries no time, and nobody would see a clock that is off; try it in a backtest",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        faults(tmp_path, f"- {line}\n")
    assert f"faults.yaml:{told}" in str(raised.value)


def test_contradictions_and_everything_else_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        faults(
            tmp_path,
            """\
            - {kind: hang, target: plant_gateway, start: 1h}
            - {kind: refuse, target: plant, start: 2h}
            - {kind: stuck, target: meter.main_1.power, duration: 1h}
            - {kind: drift, target: meter.main_1.power, start: 59min, rate: 1}
            - {kind: drift, target: meter.main_1.power, rate: 1, start: soon}
            """,
        )
    told = [str(problem).rpartition("faults.yaml:")[2] for problem in raised.value.problems]
    assert [each.partition(";")[0] for each in told] == [
        "3: 'refuse' contradicts 'hang' of line 2 on the same target at the same time",
        "5: 'drift' contradicts 'stuck' of line 4 on the same target at the same time",
        "6: 'soon' is no time",
    ]


def test_one_after_the_other_is_no_contradiction(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
        - {kind: stuck, target: meter.main_1.power, duration: 1h}
        - {kind: drift, target: meter.main_1.power, start: 1h, rate: 1}
        - {kind: clock_offset, target: plant, offset: 90}
        """,
        has_time_on_wire=True,
    )
    assert [each.kind for each in found] == ["stuck", "drift", "clock_offset"]


@pytest.mark.parametrize(
    "command", [["simulate"], ["demo"], ["backtest", "--from=2026-07-06", "--to=2026-07-07"]], ids=lambda each: each[0]
)
def test_nothing_is_started_with_faults_that_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - {kind: fyre}\n")
    assert main([command[0], str(DEMO), *command[1:], f"--faults={file}"]) == Exit.CONFIGURATION
    assert f"{file}:2: there is no kind of fault 'fyre'; did you mean 'fire'?" in capsys.readouterr().err


def test_a_command_without_a_simulator_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Path(shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("state")))
    assert main(["fault", str(site), "fire"]) == Exit.ENVIRONMENT
    assert "no simulator answers" in capsys.readouterr().err


def test_a_duration_is_told_as_it_could_be_written() -> None:
    data = {"kind": "slow", "target": "plant", "begins": 0.0, "ends": None, "parameters": {"delay": 2.0}}
    told_of = told(data, ZoneInfo("Asia/Shanghai"), "en")
    assert told_of == "plant: answers late (slow delay=2s) from 1970-01-01 08:00:00"


def test_a_fault_of_a_command_is_checked_by_the_same_rules() -> None:
    fault = fault_of({"kind": "trip", "target": "plant.chiller_1", "duration": "600s"}, SITE, BEGINNING)
    assert timedelta(seconds=fault.ends - fault.begins) == timedelta(minutes=10)
    with pytest.raises(EnvironmentProblem, match=r"^there is no kind of fault 'fyre'; did you mean 'fire'\?$"):
        fault_of({"kind": "fyre"}, SITE, BEGINNING)


def test_what_a_protocol_does_not_carry_cannot_be_wrong_on_it() -> None:
    site = load_site(DEMO.with_name("demo_protocols"))
    assert (
        fault_of({"kind": "clock_offset", "target": "building", "offset": 90}, site, BEGINNING).number("offset") == 90
    )
    with pytest.raises(EnvironmentProblem, match="BACnet carries no time"):
        fault_of({"kind": "clock_offset", "target": "outdoor_lamps", "offset": 90}, site, BEGINNING)
    with pytest.raises(EnvironmentProblem, match="only Modbus has values of several registers"):
        fault_of({"kind": "word_order", "target": "lighting"}, site, BEGINNING)


def test_a_kind_that_the_building_cannot_have_is_refused() -> None:
    others = {name: each for name, each in SITE.equipment.items() if name != "building.fire_alarm_panel_1"}
    with pytest.raises(EnvironmentProblem, match="there are no fire alarm panels"):
        fault_of({"kind": "fire"}, replace(SITE, equipment=others), BEGINNING)
