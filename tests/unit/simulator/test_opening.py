"""From files to a running site."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulator.opening import open_engine

ROOT = Path(__file__).resolve().parents[3]
WEATHER = ROOT / "config/weather/hot_humid_tmy3.csv.gz"
START = datetime(2026, 7, 19, 2, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Sunday night


def test_measured_load_takes_the_place_of_the_modelled_one_round_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    hours = (datetime(2025, 7, 1) + timedelta(hours=hour) for hour in range(31 * 24))  # noqa: DTZ001 - clock of no zone
    path.write_text("timestamp,load_kw_th,load_kwh\n" + "\n".join(f"{at},250,80" for at in hours), encoding="utf-8")
    engine, notes = open_engine(START, WEATHER, load_file=path, step_s=10.0)
    engine.advance(START + timedelta(hours=2), 0.0)
    assert engine.read("plant.chiller_1.status")
    assert engine.read("plant.chilled_water_loop_1.cooling_load") == pytest.approx(250.0)
    assert engine.read("building.zone_1.air_temperature") == pytest.approx(24.8, abs=0.3)
    assert engine.plant.wants.electric_load == 80.0
    assert any("load_kw_th, 31 days" in note for note in notes)


def test_load_beyond_the_plant_is_scaled_and_said(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    hours = (datetime(2025, 7, 1) + timedelta(hours=hour) for hour in range(48))  # noqa: DTZ001 - clock of no zone
    path.write_text("timestamp,load_kw_th\n" + "\n".join(f"{at},1200" for at in hours), encoding="utf-8")
    engine, notes = open_engine(START, WEATHER, load_file=path, step_s=60.0)
    engine.advance(START + timedelta(hours=1), 0.0)
    assert any("scaled by 0.500" in note for note in notes)


def test_start_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        open_engine(START.replace(tzinfo=None), WEATHER)


def test_step_has_limits() -> None:
    with pytest.raises(ValueError, match="step of 0"):
        open_engine(START, WEATHER, step_s=0.0)
