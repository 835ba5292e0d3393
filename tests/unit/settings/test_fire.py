"""Fire inputs: what follows from the classes, what may be said instead, and what `check` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.equipment import EQUIPMENT
from controller.core.fire import FireInput
from controller.core.point import PointKind
from tests.unit.settings.conftest import Edit, Told, compiled

INPUT = "input: {point: garage.group_1.motion, is: true}"
LAMPS = ("garage.group_1.brightness_command", "garage.group_2.brightness_command")
CHILLER = ("plant.chiller_1.enable_command", "plant.chiller_1.chilled_water_temperature_setpoint")


REMOTE = """\
      remote:
        address: {table: coil, register: 0}
        writable: {range: [0, 1], release: {safe_value: false}, on_silence: {device_timeout: 30s}}
"""
PUMP = """\
  sump:
    class: pump
    points:
      command:
        address: {table: coil, register: 1}
        writable: {range: [0, 1], release: {remote_bit: lamps.remote}, on_silence: {device_timeout: 30s}}
"""


def _declare(site: Path, *entries: str) -> None:
    with (site / "site.yaml").open("a", encoding="utf-8") as file:
        file.write("fire:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))


def _of(site: Path) -> FireInput:
    (found,) = compiled(site).fire
    return found


def test_lamps_and_chillers_follow_from_their_classes(site: Path) -> None:
    """Remote bits and heartbeats follow what they hand over and are in no list."""
    _declare(site, INPUT)
    found = _of(site)
    assert (found.point, found.active) == ("garage.group_1.motion", True)
    assert (found.lights, found.ventilation) == (LAMPS, ())
    assert sorted(found.plant) == sorted(CHILLER)


def test_what_is_said_counts_instead(site: Path) -> None:
    _declare(site, INPUT + ", lights: [garage.group_2], ventilation: [plant.chiller_1.enable_command], plant: []")
    found = _of(site)
    assert (found.lights, found.ventilation, found.plant) == (LAMPS[1:], CHILLER[:1], ())


def test_what_is_listed_is_not_derived_a_second_time(site: Path) -> None:
    _declare(site, INPUT + ", ventilation: [plant.chiller_1.enable_command]")
    assert _of(site).plant == CHILLER[1:]


def test_an_input_may_stand_for_a_part_of_the_building(site: Path) -> None:
    _declare(site, INPUT + ", systems: [garage]")
    found = _of(site)
    assert (found.lights, found.plant) == (LAMPS, ())


def test_fans_and_dampers_are_ventilation(site: Path, edit: Edit) -> None:
    edit("templates/test/lamps.yaml", "class: lighting_group", "class: fan")
    path = site / "templates/test/lamps.yaml"
    text = path.read_text(encoding="utf-8").partition("      illuminance")[0]
    path.write_text(text.replace("brightness", "speed").replace("motion", "status"), encoding="utf-8")
    (site / "strategies.yaml").unlink()
    _declare(site, "input: {point: garage.group_1.status, is: false}")
    found = _of(site)
    assert found.lights == ()
    assert found.ventilation == ("garage.group_1.speed_command", "garage.group_2.speed_command")


@pytest.mark.parametrize(
    "entry, wrong",
    [
        ("input: {point: garage.group_9.motion, is: true}", "there is no point 'garage.group_9.motion'"),
        ("input: {point: garage.group_1.motion, is: 1}", "'garage.group_1.motion' is never 1; write true or false"),
        ("input: {point: garage.group_1.motion}", "'is' is missing"),
        (
            "input: {point: garage.group_1.brightness_command, is: 1.0}",
            "'garage.group_1.brightness_command' is a command; name a status",
        ),
        (
            "input: {point: plant.chiller_1.tripped, is: true}",
            "'plant.chiller_1.tripped' is not urgent, and a fire would wait for the next scan; write 'urgent: true'",
        ),
        (INPUT + ", systems: [garag]", "there is no system 'garag'; did you mean 'garage'?"),
        (INPUT + ", lights: [garage.group_7]", "there is no 'garage.group_7' in devices.yaml"),
        (INPUT + ", plant: [plant.gateway_1]", "nothing of 'plant.gateway_1' is ever commanded"),
        (
            INPUT + ", lights: [plant.chiller_1.chilled_water_temperature_setpoint]",
            "'plant.chiller_1.chilled_water_temperature_setpoint' is neither on/off nor a fraction",
        ),
        (
            INPUT + ", lights: [garage.group_1], ventilation: [garage.group_1]",
            "'garage.group_1.brightness_command' is among 'lights', too",
        ),
    ],
)
def test_what_is_refused(entry: str, wrong: str, site: Path, told: Told) -> None:
    _declare(site, entry)
    problems = told()
    assert any(wrong in each for each in problems), problems
    assert all(each.startswith("site.yaml:2") for each in problems)


def test_a_light_goes_up_only_with_all_that_its_remote_bit_hands_over(site: Path, edit: Edit, told: Told) -> None:
    """A machine is taken as a whole: a lamp whose neighbour nobody commands would stay with its own controls."""
    edit("templates/test/lamps.yaml", "release: {safe_value: 100}", "release: {remote_bit: lamps.remote}")
    edit("templates/test/lamps.yaml", "      motion:", REMOTE + "      motion:")
    edit("templates/test/lamps.yaml", "equipment:\n", "equipment:\n" + PUMP)
    edit("devices.yaml", "{lamps: garage.group_1}", "{lamps: garage.group_1, sump: garage.pump_1}")
    edit("devices.yaml", "{lamps: garage.group_2}", "{lamps: garage.group_2, sump: none}")
    edit("site.yaml", "[garage.group_1,", "[garage.group_1, garage.pump_1,")
    assert told() == []
    _declare(site, INPUT)
    assert told() == [
        "site.yaml:25: 'garage.group_1.brightness_command' would not go up: 'garage.group_1.remote' hands over "
        "'garage.pump_1.command', too; add 'garage.pump_1.command' to 'lights', or leave "
        "'garage.group_1.brightness_command' out"
    ]


def test_an_input_is_named_once(site: Path, told: Told) -> None:
    _declare(site, INPUT, INPUT)
    assert told() == [
        "site.yaml:26: 'garage.group_1.motion' is a fire input already, by line 25; remove one of the two"
    ]


def test_an_input_is_read_every_second(site: Path, edit: Edit, told: Told) -> None:
    edit(
        "devices.yaml",
        "address: {unit: 1}\n        equipment: {lamps",
        "address: {unit: 1}\n        poll_every: 5s\n        equipment: {lamps",
    )
    _declare(site, INPUT)
    assert told() == [
        "site.yaml:25: 'garage.group_1.motion' is read every 5 s only; write 'urgent_every: 1s' at its device 'ramp'"
    ]
    edit("devices.yaml", "poll_every: 5s", "poll_every: 5s\n        urgent_every: 500ms")
    assert told() == []


# --- evacuation lighting is never ours --------------------------------------------------------------------------------


def test_evacuation_lighting_has_nothing_that_can_be_written() -> None:
    kinds = {quantity.kind for quantity in EQUIPMENT["evacuation_lighting"].quantities.values()}
    assert kinds <= {PointKind.STATUS, PointKind.SENSOR}


@pytest.mark.parametrize(
    "quantity, wrong",
    [
        ("brightness_command", "a evacuation_lighting has no quantity 'brightness_command'"),
        ("status", "'status' is a status and only read; remove 'writable'"),
    ],
)
def test_check_refuses_to_write_evacuation_lighting(quantity: str, wrong: str, edit: Edit, told: Told) -> None:
    edit("templates/test/lamps.yaml", "class: lighting_group", "class: evacuation_lighting")
    edit("templates/test/lamps.yaml", "brightness_command", quantity)
    assert any(wrong in each for each in told()), told()
