"""The equipment log over the control socket: shown, noted as done, or refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.core.equipment_log import EquipmentLogging
from controller.core.maintenance import MaintenanceTask
from controller.core.site import Site
from tests.bench import Bench
from tests.unit.runtime.test_control_socket import serving

UNIT, PUMP = "plant.chiller_1", "plant.pump_1"
TASKS = tuple(MaintenanceTask(UNIT, what, every_run_hours=100.0) for what in ("oil", "tubes"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    equipment = {UNIT: "chiller", PUMP: "pump", "plant.gateway_1": "gateway"}
    return replace(Bench(tmp_path).site(), equipment=equipment, equipment_log=EquipmentLogging(TASKS))


async def test_it_shows_what_tells_whether_it_runs(tmp_path: Path, site: Site) -> None:
    async with serving(tmp_path, site) as client:
        shown: Any = (await client.ask(command="equipment"))["answer"]
        assert [each["id"] for each in shown["equipment"]] == [UNIT, PUMP]
        (row,) = (await client.ask(command="equipment", equipment=UNIT))["answer"]["equipment"]
        assert (row["is_running"], row["limits"]["starts_per_hour"]) == (None, 2)
        assert [task["run_hours_left"] for task in row["maintenance"]] == [100.0, 100.0]


async def test_what_was_done_is_noted_with_the_name_of_whoever_did_it(tmp_path: Path, site: Site) -> None:
    async with serving(tmp_path, site) as client:
        answer = await client.ask(command="equipment_done", equipment=UNIT, what="tubes", who="Li Na")
        (row,) = answer["answer"]["equipment"]
        assert [task["done_by"] for task in row["maintenance"]] == [None, "Li Na"]


@pytest.mark.parametrize(
    "request_, words",
    [
        ({"command": "equipment", "equipment": "plant.gateway_1"}, f"there are {UNIT}, {PUMP}"),
        ({"command": "equipment", "equipment": ["x"]}, "in the log"),
        ({"command": "equipment_done", "equipment": "no.such"}, f"there are {UNIT}, {PUMP}"),
        ({"command": "equipment_done", "equipment": UNIT}, "say which with --what: 'oil', 'tubes'"),
        ({"command": "equipment_done", "equipment": UNIT, "what": "paint"}, "no task 'paint'"),
        ({"command": "equipment_done", "equipment": PUMP}, "site.yaml names no maintenance"),
    ],
)
async def test_what_is_not_there_is_refused(tmp_path: Path, site: Site, request_: dict[str, Any], words: str) -> None:
    async with serving(tmp_path, site) as client:
        answer = await client.ask(**request_)
        assert answer["ok"] is False
        assert words in answer["error"]
