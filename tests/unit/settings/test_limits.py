"""What machines and registers endure, as the files say it, and what may not be on together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.point import Limits, PointId, Range, Wear
from controller.core.system import Condition, Exclusion, Member
from tests.unit.settings.conftest import Edit, Told, compiled

COMMAND = PointId("plant.chiller_1.enable_command")
SECOND = PointId("plant.chiller_2.enable_command")
SETPOINT = PointId("plant.chiller_1.chilled_water_temperature_setpoint")
RATE = "          limits: {maximum_rate: 0.9}\n"
POLLED = "        poll_every: 2s\n"
WEAR = "          wear: {writes_per_day: 24, minimum_interval: 10min, source: EEPROM note 7}\n"
OF_THE_MACHINE = """\
        limits:
          plant.chiller_1.enable_command: {starts_per_hour: 2, minimum_off: 20min, source: "Chiller sheet, p. 12"}
          plant.chiller_1.chilled_water_temperature_setpoint: {range: [42.8, 59], source: "Chiller sheet, p. 3"}
"""
ANOTHER_CHILLER = """\
      - id: second_gateway
        template: test/plant
        address: {unit: 2}
        equipment: {gateway: plant.gateway_2, chiller: plant.chiller_2}
"""
EXCLUSION = """\
    exclusions:
      - [{point: plant.chiller_1.enable_command}, OTHER]
"""
ANOTHER_SYSTEM = """\
  - id: second_plant
    name: {en: Second plant, zh: 二号机房}
    points: [plant.chiller_2, plant.gateway_2]
    release_within: 10min
"""
OTHER = "{point: plant.chiller_2.enable_command, off: {point: plant.chiller_2.status, is: false}}"


def test_a_register_that_wears_says_so(site: Path, edit: Edit) -> None:
    edit("templates/test/plant.yaml", RATE, RATE + WEAR)
    found = compiled(site).points[SETPOINT].writable
    assert found is not None
    wear = found.wear
    assert wear is not None
    assert (wear, wear.source) == (Wear(24, timedelta(minutes=10)), "EEPROM note 7")


def test_a_limit_names_its_own_sheet_or_its_template_s(site: Path, edit: Edit) -> None:
    edit("templates/test/plant.yaml", "{minimum_on: 15min, minimum_off: 10min}", "{minimum_on: 15min, source: Note 3}")
    sheets = [
        writable.limits.source
        for point in (COMMAND, SETPOINT)
        if (writable := compiled(site).points[point].writable) is not None
    ]
    assert sheets == ["Note 3", "Gateway manual, B, 14"]


def test_a_machine_of_its_own_has_limits_of_its_own(site: Path, edit: Edit) -> None:
    """What the device says replaces what its template says, and the rest stays."""
    edit("devices.yaml", POLLED, POLLED + OF_THE_MACHINE)
    found = compiled(site)
    command, setpoint = found.points[COMMAND].writable, found.points[SETPOINT].writable
    assert command is not None
    assert setpoint is not None
    expected = Limits(minimum_on=timedelta(minutes=15), minimum_off=timedelta(minutes=20), starts_per_hour=2)
    assert (command.limits, command.limits.source) == (expected, "Chiller sheet, p. 12; Gateway manual, B, 14")
    assert (setpoint.range, setpoint.limits) == (Range(6, 15), Limits(maximum_rate=0.5)), "43 to 59 degF"
    binding = next(each for each in found.links[0].bindings if each.point.id == SETPOINT)
    assert binding.point == found.points[SETPOINT], "the driver's own fence is the same"


def with_two_chillers(edit: Edit, other: str = OTHER) -> None:
    edit("devices.yaml", "  - id: lighting\n", ANOTHER_CHILLER + "  - id: lighting\n")
    edit("site.yaml", "[plant.chiller_1, plant.gateway_1]", "[plant.chiller_1, plant.chiller_2, plant.gateway_1]")
    edit("site.yaml", "points: [plant.chiller_1]", "points: [plant.chiller_1, plant.chiller_2]")
    edit("site.yaml", "plant.gateway_1]", "plant.gateway_1, plant.gateway_2]")
    edit("site.yaml", "- points: [plant.gateway_1]", "- points: [plant.gateway_1, plant.gateway_2]")
    edit("site.yaml", "    permissives:\n", EXCLUSION.replace("OTHER", other) + "    permissives:\n")


def test_what_may_not_be_on_together(site: Path, edit: Edit) -> None:
    with_two_chillers(edit)
    second = Member(SECOND, Condition(PointId("plant.chiller_2.status"), False))
    assert compiled(site).systems[0].exclusions == (Exclusion((Member(COMMAND), second)),)


@pytest.mark.parametrize(
    "other, wrong",
    [
        (
            "{point: plant.chiller_3.enable_command}",
            "there is no point 'plant.chiller_3.enable_command'; did you mean 'plant.chiller_2.enable_command'?",
        ),
        (
            "{point: plant.chiller_1.enable_command}",
            "'plant.chiller_1.enable_command' would exclude itself; name two different points",
        ),
        (
            "{point: plant.chiller_2.status}",
            "'plant.chiller_2.status' is no on/off command; name the points that start or open what may not be on",
        ),
        (
            "{point: plant.chiller_2.remote}",
            "'plant.chiller_2.remote' is no on/off command; name the points that start or open what may not be on",
        ),
        (
            "{point: plant.chiller_2.enable_command, off: {point: plant.chiller_2.status, is: 0}}",
            "'plant.chiller_2.status' is never 0; write true or false",
        ),
    ],
)
def test_an_exclusion_that_means_nothing(edit: Edit, told: Told, other: str, wrong: str) -> None:
    with_two_chillers(edit, other)
    assert told() == [f"site.yaml:18: {wrong}"]


def test_an_exclusion_whose_off_nothing_proves(edit: Edit, told: Told) -> None:
    with_two_chillers(edit, "{point: plant.chiller_2.enable_command}")
    edit("templates/test/plant.yaml", "          effect: {point: chiller.status, within: 5min}\n", "")
    assert told() == [
        f"site.yaml:18: nothing proves '{point}' off; add off: {{point: ..., is: ...}}, or an effect to its template"
        for point in (COMMAND, SECOND)
    ]


def test_an_exclusion_across_systems(edit: Edit, told: Told) -> None:
    edit("devices.yaml", "  - id: lighting\n", ANOTHER_CHILLER + "  - id: lighting\n")
    edit("site.yaml", "    permissives:\n", EXCLUSION.replace("OTHER", OTHER) + "    permissives:\n")
    edit("site.yaml", "  - id: garage\n", ANOTHER_SYSTEM + "  - id: garage\n")
    assert told() == [
        f"site.yaml:18: '{SECOND}' is not in this system; "
        "exclude points of one system; across systems write a permissive in each"
    ]


@pytest.mark.parametrize(
    "written, wrong",
    [
        ("{}", "43: the wear says no limit; add writes_per_day, minimum_interval or both"),
        ("{writes_per_day: 0}", "43: 'writes_per_day' is 0; write a whole number from 1 to 86400"),
        ("{minimum_interval: 36h}", "43: one write every 36 hours controls nothing; write at most 1d"),
    ],
)
def test_a_wear_that_means_nothing(edit: Edit, told: Told, written: str, wrong: str) -> None:
    edit("templates/test/plant.yaml", RATE, f"{RATE}          wear: {written}\n")
    assert told() == [f"templates/test/plant.yaml:{wrong}"]


def test_what_is_written_again_and_again_cannot_be_spared(edit: Edit, told: Told) -> None:
    spared = "\n          wear: {writes_per_day: 100}"
    for unique in (
        "on_silence: {heartbeat: gateway.heartbeat, after: 60s}",
        "release: {safe_value: false}",
    ):
        edit("templates/test/plant.yaml", unique, unique + spared)
    edit("templates/test/lamps.yaml", "on_silence: {device_timeout: 30s}", "on_silence: {device_timeout: 30s}" + spared)
    assert [each.split(":", 2)[2].strip() for each in told()] == [
        "'brightness_command' is written every 15 s, because the device drops it; "
        "remove 'wear': what the device drops by itself lives in no memory that wears",
        "'heartbeat' takes machines over or keeps them alive, and is never held back; remove 'wear'",
        "'remote' takes machines over or keeps them alive, and is never held back; remove 'wear'",
    ]


@pytest.mark.parametrize(
    "written, wrong",
    [
        (
            "plant.chiller_1.enable_command: {starts_per_hour: 2}",
            "'source' is missing; add it: a text that is not empty",
        ),
        (
            "plant.chiller_1.enable_command: {starts_per_hour: 0, source: Sheet}",
            "'starts_per_hour' is 0; write a whole number from 1 to 60",
        ),
        (
            "plant.chiller_1.enabled_command: {starts_per_hour: 2, source: Sheet}",
            "this device has no 'plant.chiller_1.enabled_command' that is written; "
            "did you mean 'plant.chiller_1.enable_command'?",
        ),
        (
            "plant.chiller_1.enable_command: {maximum_rate: 2, source: Sheet}",
            "an on/off point has no rate; remove 'maximum_rate'",
        ),
        (
            "plant.chiller_1.chilled_water_temperature_setpoint: {starts_per_hour: 2, source: Sheet}",
            "'starts_per_hour' fits on/off points only; remove 'starts_per_hour'",
        ),
        (
            "plant.chiller_1.chilled_water_temperature_setpoint: {range: [32, 59], source: Sheet}",
            "the range is no part of the template's; a machine's range lies inside that of its type",
        ),
        (
            "plant.chiller_1.chilled_water_temperature_setpoint: {range: [46.4, 59], source: Sheet}",
            "what may be restored on letting go lies outside the range; widen the range",
        ),
    ],
)
def test_a_machine_s_limits_that_mean_nothing(edit: Edit, told: Told, written: str, wrong: str) -> None:
    edit("devices.yaml", POLLED, f"{POLLED}        limits:\n          {written}\n")
    assert told() == [f"devices.yaml:11: {wrong}"]
