"""What site.yaml says of A/B days."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from controller.core.ab_days import ABDays, EqualTank
from controller.core.point import PointId
from tests.unit.settings.conftest import Edit, Told, compiled

TEMPERATURE = "plant.chiller_1.leaving_chilled_water_temperature"
GIVEN = {
    "systems": "[garage]",
    "block": "2",
    "begins": "2026-12-01",
    "at": "05:00",
    "tank": f"{{point: {TEMPERATURE}, equal_within: 1.5, wait: 3h}}",
}


def ab_days(edit: Edit, **changes: str) -> None:
    """It stands on line 7 and below."""
    measured = (
        "leaving_chilled_water_temperature: {address: {table: input, register: 4, type: int16, scale: 0.1}, unit: degC}"
    )
    edit("templates/test/plant.yaml", "      tripped:", f"      {measured}\n      tripped:")
    lines = "".join(f"  {name}: {value}\n" for name, value in {**GIVEN, **changes}.items() if value)
    edit("site.yaml", "systems:\n", f"ab_days:\n{lines}systems:\n")


def test_it_is_what_the_file_says(site: Path, edit: Edit) -> None:
    assert compiled(site).ab_days is None
    ab_days(edit)
    tank = EqualTank(PointId(TEMPERATURE), 1.5, timedelta(hours=3))
    assert compiled(site).ab_days == ABDays(("garage",), 2, date(2026, 12, 1), time(5, 0), tank)


def test_a_site_may_have_no_tank(site: Path, edit: Edit) -> None:
    ab_days(edit, tank="")
    schedule = compiled(site).ab_days
    assert schedule is not None
    assert schedule.tank is None


def tank(point: str = TEMPERATURE, equal_within: str = "1.5", wait: str = "3h") -> dict[str, str]:
    return {"tank": f"{{point: {point}, equal_within: {equal_within}, wait: {wait}}}"}


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"systems": "[garrage]"}, "site.yaml:8: there is no system 'garrage'; did you mean 'garage'?"),
        ({"systems": "[garage, garage]"}, "site.yaml:8: 'garage' is named twice; name it once"),
        (
            {"systems": "[garage, plant]"},
            "site.yaml:8: no strategy in auto commands system 'plant': its days would all be the same; write",
        ),
        ({"block": "0"}, "site.yaml:9: "),
        ({"block": "8"}, "site.yaml:9: 'block' is 8; write a whole number from 1 to 7"),
        ({"begins": "soon"}, "site.yaml:10: "),
        ({"at": '"25:00"'}, "a time of day like 05:00"),
        (tank(point="plant.chiller_1.status"), "'plant.chiller_1.status' is neither an energy nor a temperature; name"),
        (
            tank(point="plant.chiller_1.chilled_water_temperature_setpoint"),
            "'plant.chiller_1.chilled_water_temperature_setpoint' is not measured in a tank: its kind is setpoint",
        ),
        (tank(point="plant.tank_1.stored_energy"), "there is no point 'plant.tank_1.stored_energy'"),
        (tank(equal_within="0"), "site.yaml:12: "),
        (tank(wait="13h"), "a time of 46800 s is too long; write at most 12h"),
    ],
)
def test_what_is_wrong_is_told(edit: Edit, told: Told, changes: dict[str, str], expected: str) -> None:
    ab_days(edit, **changes)
    [problem] = told()
    assert expected in problem


def test_a_strategy_in_shadow_changes_nothing_by_turns(edit: Edit, told: Told) -> None:
    ab_days(edit)
    edit("strategies.yaml", "mode: auto", "mode: shadow")
    assert "no strategy in auto commands system 'garage'" in told()[0]


def test_what_does_not_compile_is_told_once(edit: Edit, told: Told) -> None:
    ab_days(edit)
    edit("strategies.yaml", "strategy: tidal_lighting", "strategy: tidel_lighting")
    assert not any("no strategy in auto" in each for each in told())
