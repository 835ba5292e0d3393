"""tidewatt forecast SITE: from the site's own history file, with or without its daemon."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from controller.app import main
from controller.core.point import PointId
from controller.core.sample import Quality, Sample
from controller.historian.sqlite import SqliteHistorian
from controller.runtime.clock import RealClock
from tests.unit.forecasting.support import SHANGHAI, START, load, temperature
from tests.virtual_demo import DEMO

COOLING = PointId("plant.chilled_water_loop_1.cooling_load")
POWER = PointId("meter.main_1.power")
AIR = PointId("site.weather_station_1.outdoor_air_temperature")
QUARTER = timedelta(minutes=15)

Record = Callable[[Sequence[PointId], int], None]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("site.yaml", "devices.yaml"):
        shutil.copy(DEMO / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def record(site: Path) -> Record:
    async def recorded(points: Sequence[PointId], days: int) -> None:
        (site / "state").mkdir(exist_ok=True)
        historian = SqliteHistorian(site / "state" / "history.db", RealClock())
        moments = [START + number * QUARTER for number in range(days * 96)]
        for point in points:
            rows = [
                (point, Sample(value, Quality.GOOD, "", at, 0.0))
                for at in moments
                for value in (temperature(at) if point == AIR else load(at.astimezone(SHANGHAI), temperature(at), 0.0),)
            ]
            await historian.append_samples(rows)
        await historian.close()

    return lambda points, days: asyncio.run(recorded(points, days))


def test_each_load_that_the_site_names(site: Path, record: Record, capsys: pytest.CaptureFixture[str]) -> None:
    record([COOLING, POWER, AIR], 40)
    assert main(["forecast", str(site)]) == 0
    told = capsys.readouterr().out
    for point in (COOLING, POWER):
        assert f"history.db: {point}, 3,840 readings 15 min apart, 2026-01-05 08:00 to 2026-02-14 07:45" in told
    assert told.count(f"temperature: {AIR}") == 2
    assert told.count("next 24 h from 2026-02-14 08:00, by the same hour last week") == 2
    assert "40 of the 70 days that the model needs" in told


def test_a_history_too_short_says_what_is_missing(
    site: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record([COOLING, AIR], 12)
    record([POWER], 3)
    assert main(["forecast", str(site), "--json"]) == 0
    told = capsys.readouterr()
    assert f"{POWER}: only 3 days with readings; a forecast needs at least 8, its model 70" in told.err
    cooling, power = json.loads(told.out)
    assert (cooling["column"], len(cooling["forecast"]["values"]), cooling["score"]) == (COOLING, 96, None)
    assert (power["column"], power["wrong"]) == (POWER, "only 3 days with readings")


def test_a_site_that_never_ran(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", str(site)]) == 3
    assert capsys.readouterr().err.count("run the site first") == 2
    assert not (site / "state").exists()


def test_a_site_that_forecasts_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (site / "site.yaml").read_text(encoding="utf-8")
    before, _, rest = text.partition("forecasts:")
    (site / "site.yaml").write_text(before + rest[rest.index("\nsystems:") :], encoding="utf-8")
    assert main(["forecast", str(site)]) == 2
    assert "site.yaml:1: the site forecasts nothing; name its loads under 'forecasts:'" in capsys.readouterr().err


def test_options_of_files_are_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["forecast", str(site), "--column", "load"])
    assert "--column is for CSV files" in capsys.readouterr().err
