"""Water and moist air against published values and psychrolib, an independent form of the ASHRAE equations."""

from importlib import import_module
from typing import Any

import pytest

from controller.core import physics

psychrolib: Any = import_module("psychrolib")
psychrolib.SetUnitSystem(psychrolib.SI)

AIR = [(30.0, 0.5), (35.0, 0.3), (26.0, 0.95), (10.0, 0.9), (-5.0, 0.5), (-15.0, 0.8), (25.0, 1.0)]


@pytest.mark.parametrize("temperature,humidity", AIR)
def test_moist_air_agrees_with_psychrolib(temperature: float, humidity: float) -> None:
    pressure = psychrolib.GetSatVapPres(temperature) / 1000.0
    assert physics.saturation_pressure(temperature) == pytest.approx(pressure, rel=1e-9)
    ratio = psychrolib.GetHumRatioFromRelHum(temperature, humidity, 101325.0)
    assert physics.humidity_ratio(temperature, humidity) == pytest.approx(ratio, rel=1e-9)
    enthalpy = psychrolib.GetMoistAirEnthalpy(temperature, ratio) / 1000.0
    assert physics.moist_air_enthalpy(temperature, ratio) == pytest.approx(enthalpy, abs=1e-9)


@pytest.mark.parametrize("temperature,humidity", AIR)
def test_wet_bulb_agrees_with_psychrolib(temperature: float, humidity: float) -> None:
    expected = psychrolib.GetTWetBulbFromRelHum(temperature, humidity, 101325.0)
    assert physics.wet_bulb(temperature, humidity) == pytest.approx(expected, abs=1e-3)


def test_dew_point_gives_the_relative_humidity_back() -> None:
    dew_point = psychrolib.GetTDewPointFromRelHum(30.0, 0.6)
    assert physics.relative_humidity_from_dew_point(30.0, dew_point) == pytest.approx(0.6, abs=1e-4)


@pytest.mark.parametrize("temperature,density", [(4.0, 999.972), (10.0, 999.700), (25.0, 997.045), (60.0, 983.191)])
def test_water_density_is_kells(temperature: float, density: float) -> None:
    assert physics.water_density(temperature) == pytest.approx(density, abs=0.01)


def test_water_heat_is_flow_times_specific_heat_times_rise() -> None:
    assert physics.water_heat(10.0, 6.0) == pytest.approx(251.4)
