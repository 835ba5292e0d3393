"""Every kind of bad input is told as `file:line: what is wrong; what would be right`, all of it at once."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

import pytest
import yaml

from controller.core.errors import ConfigError
from controller.settings.compile import compile_site
from drivers import DRIVERS, driver_kind
from strategies import strategy_kind
from tests.unit.settings.conftest import Edit, Told


class Case(TypedDict):
    case: str
    file: str
    instead_of: str
    write: str
    told: list[str]


CASES = cast("list[Case]", yaml.safe_load((Path(__file__).parent / "bad_input.yaml").read_text(encoding="utf-8")))


def test_the_site_itself_is_right(told: Told) -> None:
    assert told() == []


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_bad_input(case: Case, edit: Edit, told: Told) -> None:
    edit(case["file"], case["instead_of"], case["write"])
    assert told() == [each.replace("{drivers}", ", ".join(sorted(DRIVERS))) for each in case["told"]]


def test_all_of_it_is_told_at_once(edit: Edit, told: Told) -> None:
    edit("site.yaml", "scan_every:", "scan_evry:")
    edit("site.yaml", "Asia/Shanghai", "Asia/Shanghi")
    edit("site.yaml", "longitude: 114.1", "longitude: 214.1")
    edit("site.yaml", "      - points: [plant.gateway_1]\n", "      - points: [plant.gateway_2]\n")
    edit("devices.yaml", "id: deck", "id: ramp")
    edit("devices.yaml", "address: {unit: 2}", "address: {unit: 300}")
    edit("strategies.yaml", "garage.group_2]", "garage.group_7]")
    edit("strategies.yaml", "peak_brightness: 0.5", "peak_brightness: 50")
    edit("templates/test/plant.yaml", "unit: W", "unit: lx")
    edit("templates/test/plant.yaml", "register: 0, type: uint16", "register: 70000, type: uint16")
    edit("templates/test/plant.yaml", "          range: [41, 59]\n", "")
    edit("templates/test/lamps.yaml", "          release: {safe_value: 100}\n", "")
    edit("templates/test/lamps.yaml", "urgent: true", "urgnt: true")
    places = [problem.split(": ")[0] for problem in told()]
    assert places == [
        "devices.yaml:21",
        "devices.yaml:23",
        "site.yaml:3",
        "site.yaml:4",
        "site.yaml:5",
        "site.yaml:12",
        "site.yaml:14",
        "strategies.yaml:7",
        "strategies.yaml:9",
        "templates/test/lamps.yaml:13",
        "templates/test/lamps.yaml:20",
        "templates/test/plant.yaml:10",
        "templates/test/plant.yaml:37",
        "templates/test/plant.yaml:46",
    ]


# --- one defect is told once, and not again by everybody who leans on it ----------------------------------------------


@pytest.mark.parametrize("file", ["site.yaml", "devices.yaml", "strategies.yaml", "templates/test/plant.yaml"])
def test_a_file_that_cannot_be_read_is_one_problem(file: str, site: Path, told: Told) -> None:
    (site / file).write_bytes(b"")
    assert [problem.split(": ")[0] for problem in told()] == [f"{file}:1"]


def test_a_file_that_cannot_be_read_hides_nothing_in_the_others(site: Path, edit: Edit, told: Told) -> None:
    (site / "devices.yaml").write_bytes(b"")
    edit("site.yaml", "Asia/Shanghai", "Asia/Shanghi")
    edit("strategies.yaml", "peak_brightness: 0.5", "peak_brightness: 50")
    assert [problem.split(": ")[0] for problem in told()] == ["devices.yaml:1", "site.yaml:4", "strategies.yaml:9"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("template: test/plant", "template: [1]"),
        ("id: plant_gateway", "id: Plant Gateway"),
        ("poll_every: 2s", "poll_every: often"),
        ("poll_every: 2s", "urgent_every: 5s"),
        ("driver: modbus", "driver: [modbus]"),
        ("connection: {host: 10.0.0.5, port: 502}", "connection: 10.0.0.5"),
    ],
)
def test_a_defective_entry_is_one_problem(old: str, new: str, edit: Edit, told: Told) -> None:
    edit("devices.yaml", old, new)
    assert len(told()) == 1


# --- between entries ----------------------------------------------------------------------------------------------


SECOND = """
  - id: second
    strategy: tidal_lighting
    mode: {mode}
    priority: {priority}
    bind: {{groups: garage.group_2}}
"""


@pytest.mark.parametrize(
    "mode, priority, conflicts",
    [
        ("auto", "strategy", True),
        ("auto", "schedule", False),
        ("shadow", "strategy", False),
        ("off", "strategy", False),
    ],
)
def test_one_owner_for_an_output_at_one_level(
    mode: str, priority: str, conflicts: bool, site: Path, told: Told
) -> None:
    with (site / "strategies.yaml").open("a", encoding="utf-8") as file:
        file.write(SECOND.format(mode=mode, priority=priority))
    expected = (
        "strategies.yaml:19: 'garage.group_2.brightness_command' is commanded by 'garage' already, in mode auto at "
        "priority strategy; bind one of them to something else, or give it another priority"
    )
    assert told() == ([expected] if conflicts else [])


def test_what_hands_a_point_over_or_keeps_it_alive_is_in_its_system(edit: Edit, told: Told) -> None:
    rest = "plant.chiller_1.remote, plant.chiller_1.chilled_water_temperature_setpoint"
    edit("site.yaml", "points: [plant.chiller_1, plant.gateway_1]", f"points: [{rest}, plant.gateway_1]")
    edit("site.yaml", "      - points: [plant.chiller_1]\n", f"      - points: [{rest}]\n")
    edit("site.yaml", "garage.group_2]", "garage.group_2, plant.chiller_1.enable_command]")
    edit("site.yaml", "start: plant.chiller_1.enable_command", f"start: {rest.rpartition(' ')[2]}")
    assert told() == [
        "site.yaml:22: 'plant.chiller_1.enable_command' is let go by 'plant.chiller_1.remote', which belongs to "
        "another system; put both into one system",
        "site.yaml:22: 'plant.chiller_1.enable_command' is kept alive by 'plant.gateway_1.heartbeat', which belongs to "
        "another system; put both into one system",
    ]


# --- the folder -------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(site: Path) -> None:
    nowhere = site / "nowhere"
    with pytest.raises(ConfigError, match="nowhere:1: the site folder cannot be read") as raised:
        compile_site(nowhere, site / "templates", driver_kind, strategy_kind)
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize("name", ["users.yaml"])
def test_a_file_that_is_not_supported_yet(name: str, site: Path, told: Told) -> None:
    (site / name).touch()
    assert told() == [f"{name}:1: is not supported yet; remove it, or keep it outside the site folder"]


def test_a_point_list_that_nobody_reads(site: Path, told: Told) -> None:
    (site / "points.csv").touch()
    assert told() == [
        "points.csv:1: no device takes its points from this file; "
        "write 'points: points.csv' at the devices whose points it lists, or remove it"
    ]


def test_a_file_under_another_name(site: Path, told: Told) -> None:
    (site / "strategies.yaml").rename(site / "strategy.yml")
    assert told() == ["strategy.yml:1: no file of this name is read; did you mean 'strategies.yaml'?"]


def test_a_site_may_have_no_strategies(site: Path, told: Told) -> None:
    (site / "strategies.yaml").unlink()
    assert told() == []


def test_a_site_has_devices(site: Path, told: Told) -> None:
    (site / "devices.yaml").unlink()
    assert told() == ["devices.yaml:1: the file is missing; create it; docs/configuration.md shows one"]


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_that_is_not_there(edit: Edit, told: Told) -> None:
    edit("devices.yaml", "host: 10.0.0.5", "host: !env NO_SUCH")
    edit("devices.yaml", "host: 10.0.0.6", "host: !file no/such")
    assert told() == [
        "devices.yaml:4: the environment variable 'NO_SUCH' is not set; set it where the daemon starts",
        "devices.yaml:15: 'no/such' is no file with a secret; name a text file, its path begins at the site folder",
    ]


def test_a_secret_stands_in_a_connection_only(edit: Edit, told: Told) -> None:
    edit("site.yaml", "name: Small site", "name: !env SECRET")
    edit("strategies.yaml", "peak_brightness: 0.5", "peak_brightness: !env SECRET")
    assert told() == [
        "site.yaml:2: 'name' is a reference to a secret (!env SECRET); write a text that is not empty",
        "strategies.yaml:9: 'peak_brightness' is a reference to a secret (!env SECRET); "
        "write a number, above 0 and at most 1",
    ]


@pytest.mark.parametrize("old, new", [("port: 502", "port: !env SECRET"), ("host: 10.0.0.5", "host: !file secret")])
def test_a_secret_that_does_not_fit_is_not_shown(old: str, new: str, site: Path, edit: Edit, told: Told) -> None:
    (site / "secret").write_text(" hunter2 with spaces around ")
    edit("devices.yaml", old, new)
    assert told() == ["devices.yaml:4: a value taken from a secret does not fit; check what the secret holds"]


@pytest.mark.parametrize("content", [b"\xb3\xb5", b"x" * 70_000], ids=["GBK", "too long"])
def test_a_secret_that_is_no_text(content: bytes, site: Path, edit: Edit, told: Told) -> None:
    (site / "secret").write_bytes(content)
    edit("devices.yaml", "host: 10.0.0.5", "host: !file secret")
    assert len(told()) == 1
    assert "'secret' is n" in told()[0]


def test_a_strategy_twice(site: Path, told: Told) -> None:
    with (site / "strategies.yaml").open("a", encoding="utf-8") as file:
        file.write(SECOND.format(mode="shadow", priority="strategy").replace("id: second", "id: garage"))
    assert told() == ["strategies.yaml:15: the strategy 'garage' is there already, on line 2; give one another id"]
