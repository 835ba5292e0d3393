"""Points that nobody has assigned yet: they say themselves what they are, are read, and no strategy gets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.point import PointId, PointKind, Range, Restore, ValueType
from controller.core.units import Unit
from tests.unit.settings.conftest import Edit, Told, compiled

TEMPLATE = """\
template: test/box
title: {en: Box, zh: 盒子}
source: generic
driver: modbus
equipment:
  box:
    class: unclassified
    points:
      analog_input_1:
        address: {table: input, register: 0, type: int16, scale: 0.1}
        kind: sensor
        unit: degF
      binary_input_1:
        address: {table: discrete, register: 0}
        kind: status
        type: boolean
      counter: {address: {table: input, register: 1, type: uint32}, kind: sensor, type: integer}
      limit:
        address: {table: holding, register: 0, type: uint16}
        kind: setpoint
        unit: kW
        writable: {range: [10, 90], release: {restore: [20, 80]}, on_silence: none}
"""
LINK = """\
links:
  - id: found
    driver: modbus
    connection: {host: 10.0.0.9}
    devices:
      - id: box
        template: test/box
        address: {unit: 1}
        equipment: {box: found.box}
"""
BOX = "templates/test/box.yaml"


@pytest.fixture(autouse=True)
def with_a_box(site: Path, edit: Edit) -> None:
    (site / BOX).write_text(TEMPLATE, encoding="utf-8")
    edit("devices.yaml", "links:\n", LINK)
    edit("site.yaml", "points: [plant.chiller_1, ", "points: [found.box, plant.chiller_1, ")
    edit("site.yaml", "      - points: [plant.chiller_1]", "      - points: [found.box, plant.chiller_1]")


def test_its_points_are_what_they_say(site: Path) -> None:
    points = compiled(site).points
    temperature = points[PointId("found.box.analog_input_1")]
    assert (temperature.kind, temperature.unit, temperature.type) == (PointKind.SENSOR, Unit.CELSIUS, ValueType.NUMBER)
    assert points[PointId("found.box.binary_input_1")].type is ValueType.BOOLEAN
    assert points[PointId("found.box.counter")].type is ValueType.INTEGER
    writable = points[PointId("found.box.limit")].writable
    assert writable is not None
    assert writable.release == Restore(Range(20, 80))


@pytest.mark.parametrize(
    "old, new, wrong",
    [
        (
            "        kind: status\n",
            "",
            "13: 'binary_input_1' is unclassified and says no kind; add kind: sensor, status, setpoint or command",
        ),
        (
            "        type: boolean",
            "        type: boolean\n        unit: kW",
            "17: 'binary_input_1' is a boolean and has no unit; leave the unit out, or write type: number",
        ),
        ("unit: degF", "unit: degf", "12: the unit 'degf' is unknown; did you mean 'degF'?"),
        (
            "unit: degF",
            "states: [cold, warm]",
            "12: 'analog_input_1' is a number and has no states; leave them out, or write type: text",
        ),
        (
            "counter: {",
            "Counter 1: {",
            "17: 'Counter 1' is no name of a quantity; lower snake case, like supply_temperature, of at most 64 signs",
        ),
        (
            "kind: setpoint\n        unit: kW",
            "kind: command\n        unit: kW",
            "22: 'limit' is a command that nothing would end if we fell silent; "
            "name the device_timeout or heartbeat of the device; only setpoints may have none",
        ),
        (
            "unit: kW\n        writable: {range: [10, 90],",
            "type: text\n        writable: {",
            "18: 'limit' is a text that is written; add states: the words that may be written",
        ),
        (
            "class: unclassified",
            "class: electric_meter",
            "9: a electric_meter has no quantity 'analog_input_1'",
        ),
    ],
)
def test_what_it_may_not_say(edit: Edit, told: Told, old: str, new: str, wrong: str) -> None:
    edit(BOX, old, new)
    assert any(f"{BOX}:{wrong}" in problem for problem in told()), told()


def test_a_classified_point_leaves_it_to_its_class(edit: Edit, told: Told) -> None:
    edit(
        "templates/test/lamps.yaml",
        "motion: {address: {table: discrete, register: 0}",
        "motion: {kind: status, type: boolean, address: {table: discrete, register: 0}",
    )
    assert told() == [
        "templates/test/lamps.yaml:21: the kind of 'motion' is that of its class, lighting_group; "
        "remove it; only points of class unclassified say it themselves",
        "templates/test/lamps.yaml:21: the type of 'motion' is that of its class, lighting_group; "
        "remove it; only points of class unclassified say it themselves",
    ]


def test_no_strategy_gets_it(edit: Edit, told: Told) -> None:
    edit("strategies.yaml", "garage.group_2]", "found.box]")
    assert told() == [
        "strategies.yaml:7: 'found.box' is unclassified: nobody has said yet what it is; "
        "'tidal_lighting' needs a lighting_group here: give the equipment that class"
    ]
