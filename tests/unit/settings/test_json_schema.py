"""The schemas that editors use are those of the code. Run this file to write them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.settings.json_schema import schemas, text, write
from drivers import DRIVERS, driver_kind
from simulator.faults.kinds import KINDS
from strategies import STRATEGIES, strategy_kind

FOLDER = Path(__file__).resolve().parents[3] / "config" / "schema"
DRIVER_KINDS = [driver_kind(name) for name in DRIVERS]
STRATEGY_KINDS = [strategy_kind(name) for name in STRATEGIES]
CURRENT = schemas(DRIVER_KINDS, STRATEGY_KINDS, KINDS)


@pytest.mark.parametrize("name", CURRENT)
def test_the_committed_schema_is_the_current_one(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert committed == text(CURRENT[name]), f"write it anew: python {Path(__file__).name}"


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(CURRENT)


def test_it_knows_the_parameters_of_every_strategy() -> None:
    entry = CURRENT["strategies.json"]["$defs"]["StrategyEntry"]
    assert entry["properties"]["strategy"]["enum"] == sorted(STRATEGIES)
    parameters = {each["if"]["properties"]["strategy"]["const"]: each["then"] for each in entry["allOf"]}
    assert "peak_brightness" in parameters["tidal_lighting"]["properties"]["parameters"]["properties"]


def test_it_tells_durations_as_people_write_them() -> None:
    assert CURRENT["site.json"]["properties"]["scan_every"]["default"] == "1s"
    assert "PT" not in "".join(text(schema) for schema in CURRENT.values()).replace("PTH", "")


def test_a_device_says_only_what_is_common_to_its_points() -> None:
    devices, template = CURRENT["devices.json"], CURRENT["template.json"]
    links = {
        each["if"]["properties"]["driver"]["const"]: each["then"]["properties"]
        for each in devices["$defs"]["LinkEntry"]["allOf"]
    }
    assert set(links["modbus"]["devices"]["items"]["properties"]["address"]["properties"]) == {
        "unit",
        "gap",
        "rate",
        "maximum_registers",
    }
    for address in template["$defs"]["PointEntry"]["properties"]["address"]["anyOf"]:
        assert "unit" not in address["properties"]


if __name__ == "__main__":
    write(FOLDER, DRIVER_KINDS, STRATEGY_KINDS, KINDS)
