"""Virtual points: declared like any other, on a link that needs no connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controller.core.command import Command, Priority
from controller.core.guard import UNKNOWN, guard
from controller.core.point import PointId, ReleaseNull
from controller.core.text import NO_TEXT
from controller.runtime.clock import RealClock
from tests.unit.settings.conftest import Edit, Told, compiled

MODE = PointId("plant.chilled_water_plant_1.mode")

TEMPLATE = """\
template: test/virtual
title: {en: Virtual points, zh: 虚拟点}
source: generic
driver: memory
equipment:
  plant:
    class: chilled_water_plant
    points:
      mode:
        address: {default: direct}
        writable:
          release: write_null
          on_silence: none
"""
LINK = """\
links:
  - id: virtual
    driver: memory
    connection: {}
    devices:
      - id: virtual_plant
        template: test/virtual
        equipment: {plant: plant.chilled_water_plant_1}
"""


@pytest.fixture(autouse=True)
def with_virtual_points(site: Path, edit: Edit) -> None:
    (site / "templates" / "test" / "virtual.yaml").write_text(TEMPLATE, encoding="utf-8")
    edit("devices.yaml", "links:\n", LINK)
    edit(
        "site.yaml",
        "points: [plant.chiller_1, plant.gateway_1]",
        "points: [plant.chiller_1, plant.gateway_1, " + MODE + "]",
    )
    edit(
        "site.yaml",
        "      - points: [plant.gateway_1]",
        "      - points: [plant.gateway_1, plant.chilled_water_plant_1]",
    )


def test_a_mode_is_one_of_its_states_and_let_go_to_its_default(site: Path) -> None:
    made = compiled(site)
    point = made.points[MODE]
    assert point.states == ("direct", "charge", "discharge")
    assert point.writable is not None
    assert point.writable.release == ReleaseNull()

    async def life() -> list[object]:
        link = made.links[0]
        found: list[object] = []
        for value in ("charge", "rubbish", None):
            async with link.driver.open(link.id, link.connection, link.bindings, RealClock()) as driver:
                await driver.write({MODE: value})
            async with link.driver.open(link.id, link.connection, link.bindings, RealClock()) as driver:
                found.append((await driver.read([MODE]))[MODE].value)
        return found

    assert asyncio.run(life()) == ["charge", "charge", "direct"], "a value outlives the connection"


def test_the_guard_hands_back_a_state_that_there_is_not(site: Path) -> None:
    point = compiled(site).points[MODE]
    for value, allowed in (("discharge", "discharge"), ("rubbish", None), (1.0, None)):
        command = Command(MODE, value, Priority.STRATEGY, "strategy:test", 60.0, NO_TEXT)
        assert guard(command, point, UNKNOWN, [], 0.0).value == allowed


@pytest.mark.parametrize(
    "old, new, wrong",
    [
        ("default: direct", "default: rubbish", "'plant.mode' is never rubbish; write direct or charge or discharge"),
        ("default: direct", "default: 1", "'plant.mode' is never 1; write direct or charge or discharge"),
        ("release: write_null", "release: write_null\n          range: [0, 2]", "a text has no range"),
        ("release: write_null", "release: {safe_value: direct}", "let it go by write_null"),
        ("      mode:", "      mod:", "a chilled_water_plant has no quantity 'mod'"),
    ],
)
def test_rubbish_is_refused(edit: Edit, told: Told, old: str, new: str, wrong: str) -> None:
    edit("templates/test/virtual.yaml", old, new)
    assert any(wrong in problem for problem in told()), told()


def test_a_condition_on_a_state_that_there_is_not_is_refused(edit: Edit, told: Told) -> None:
    edit("site.yaml", "needs: {point: plant.chiller_1.tripped, is: false}", f"needs: {{point: {MODE}, is: melting}}")
    assert any("is never melting; write direct or charge or discharge" in problem for problem in told())


def test_a_wire_carries_no_text(site: Path, edit: Edit, told: Told) -> None:
    edit("templates/test/virtual.yaml", "driver: memory", "driver: modbus")
    edit(
        "templates/test/virtual.yaml",
        "address: {default: direct}",
        "address: {table: holding, register: 0, type: uint16}",
    )
    edit("devices.yaml", "driver: memory\n    connection: {}", "driver: modbus\n    connection: {host: 10.0.0.7}")
    edit("devices.yaml", "template: test/virtual\n", "template: test/virtual\n        address: {unit: 1}\n")
    problems = told()
    assert any("'plant.mode' is a text, and modbus carries none" in problem for problem in problems)
    assert any("a command that nothing would end if we fell silent" in problem for problem in problems)
