"""tidewatt check SITE: what is no mistake but will be missed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from controller.app import main
from tests.virtual_demo import DEMO


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("site.yaml", "devices.yaml"):
        shutil.copy(DEMO / name, tmp_path / name)
    return tmp_path


def test_a_tariff_that_ended_is_a_warning(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "zh")
    text = (site / "site.yaml").read_text(encoding="utf-8")
    _, _, given = text.partition("tariff: {file: guangdong, ")
    changed = text.replace(given.partition("}")[0], "rate: northern_single_part_2026_07")
    (site / "site.yaml").write_text(changed, encoding="utf-8")
    assert main(["check", str(site)]) == 0
    told = capsys.readouterr()
    assert told.err == (
        "warning: 电价 guangdong, northern_single_part_2026_07 "
        "已于 2026-07-31 到期且无后续版本：电能无价格；请添加新版本\n"
    )
    assert "no problems" in told.out
    assert main(["check", str(site), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_tariff_without_an_end_is_none(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(site)]) == 0
    assert capsys.readouterr().err == ""


def test_the_places_of_lamp_times_are_judged_line_by_line(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT", "https://robot.example.org/send?key=s3cret")
    (site / "sunclock.yaml").write_text("places: estates.csv\nat: 08:00\nto: !env ROBOT\n")
    estates = site / "estates.csv"
    estates.write_text("name,latitude,longitude,time_zone\nEast,31.2,121.5,Asia/Tokyo\n")
    assert main(["check", str(site)]) == 0
    estates.write_text("name,latitude,longitude,time_zone\nEast,31.2,21.5,Asia/Tokyo\n")
    assert main(["check", str(site)]) == 0
    assert f"warning: {estates}:2: the time zone Asia/Tokyo is UTC+9 h" in capsys.readouterr().err
    estates.write_text("name,latitude,longitude,time_zone\nEast,131.2,21.5,Asia/Tokyo\n")
    assert main(["check", str(site)]) == 2
    told = capsys.readouterr().err
    assert f"{estates}:2: latitude 131.2 is beyond 90" in told
    assert "s3cret" not in told
