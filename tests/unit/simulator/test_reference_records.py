"""Measured loads and published typical years are read as they come."""

from pathlib import Path

import pytest

from simulator.load import read_loads
from simulator.weather import read_weather

pytestmark = pytest.mark.reference


@pytest.mark.parametrize("name", ["tmy_shenzhen", "tmy_shanghai"])
def test_typical_years(reference: Path, name: str) -> None:
    weather = read_weather(reference / f"weather/{name}.csv.gz", latitude=22.5, longitude=114.1, utc_offset_h=8.0)
    noon = [weather.at(24.0 * day + 12.0).irradiance for day in range(365)]
    assert sum(noon) / 365 > 300.0
    assert weather.at(24.0 * 200 + 2.0).irradiance == 0.0


@pytest.mark.parametrize("name,peak", [("cool_singapore_30min", 3827.7), ("cool_hsinchu_60min", 2757.0)])
def test_cooling_loads(reference: Path, name: str, peak: float) -> None:
    loads = read_loads(reference / f"cooling/{name}.csv.gz")
    assert loads.cooling is not None
    assert loads.electricity is None
    assert loads.cooling.peak() == peak


def test_electricity_and_weather_of_one_record(reference: Path) -> None:
    path = reference / "electricity/elec_cam_b112.csv.gz"
    loads = read_loads(path)
    assert loads.cooling is None
    assert loads.electricity is not None
    assert loads.electricity.peak() == 90.0
    weather = read_weather(path, latitude=52.2, longitude=0.1, utc_offset_h=0.0)
    mean = sum(hour.temperature for hour in weather.hours) / len(weather.hours)
    assert 8.0 < mean < 14.0
