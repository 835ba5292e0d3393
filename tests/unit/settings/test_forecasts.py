"""The forecasts of site.yaml: measured loads with their weather, or what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.point import PointId
from controller.core.site import ForecastTarget
from tests.unit.settings.conftest import Edit, Told, compiled

POWER = "plant.chiller_1.power"
WATER = "plant.chiller_1.chilled_water_temperature_setpoint"


def forecasts(edit: Edit, *entries: str) -> None:
    """They stand on line 7 and below."""
    edit("site.yaml", "systems:\n", "forecasts:\n" + "".join(f"  - {entry}\n" for entry in entries) + "systems:\n")


def test_a_load_without_weather(site: Path, edit: Edit) -> None:
    forecasts(edit, f"{{point: {POWER}}}")
    assert compiled(site).forecasts == (ForecastTarget(PointId(POWER), None),)


def test_a_site_may_forecast_nothing(site: Path) -> None:
    assert compiled(site).forecasts == ()


@pytest.mark.parametrize(
    "entries, expected",
    [
        (
            [f"{{point: {POWER}}}", f"{{point: {POWER}}}"],
            f"site.yaml:9: '{POWER}' is forecast already, by line 8; remove one of the two",
        ),
        (
            ["{point: plant.chiller_1.powr}"],
            f"site.yaml:8: there is no 'plant.chiller_1.powr' in devices.yaml; did you mean '{POWER}'?",
        ),
        (
            ["{point: plant.chiller_1.status}"],
            "site.yaml:8: 'plant.chiller_1.status' is a status with the unit none; name a measured point in kW",
        ),
        (
            [f"{{point: {POWER}, temperature: {WATER}}}"],
            f"site.yaml:8: '{WATER}' is a setpoint with the unit degC; name a measured point in degC",
        ),
        (
            [f"{{point: {POWER}, temperatur: {WATER}}}"],
            "site.yaml:8: the key 'temperatur' is unknown; did you mean 'temperature'?",
        ),
        (["{temperature: a.b.c}"], "site.yaml:8: 'point' is missing; add it: area, equipment and quantity, like"),
    ],
)
def test_what_is_wrong_is_told(edit: Edit, told: Told, entries: list[str], expected: str) -> None:
    forecasts(edit, *entries)
    (problem,) = told()
    assert problem.startswith(expected)
