"""tidewatt tariff: the picture that an engineer checks, in both languages, and the same for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit

ROOT = Path(__file__).resolve().parents[3]
DEMO = str(ROOT / "config" / "sites" / "demo")

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")


def test_a_site(capsys: Output) -> None:
    assert main(["tariff", DEMO]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert "  October to June    every day  ················░░░░▓▓▓▓░░░░▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░" in lines
    assert "  July to September  every day  ················░░░░▓▓██░░░░▓▓████▓▓▓▓░░░░░░░░░░" in lines
    assert "  October to June    —               1.1043          0.6610          0.2684" in lines
    ruler, picture = lines[4], lines[5]
    assert ruler[picture.index("·") + 24 : picture.index("·") + 26] == "12"


def test_a_day_of_a_site(capsys: Output) -> None:
    assert main(["tariff", DEMO, "--date", "2026-07-06"]) == Exit.OK
    told = capsys.readouterr().out
    assert "2026-07-06 weekdays" in told
    assert "11:00-12:00  █ super peak      1.3735" in told
    assert "19:00-24:00  ░ flat            0.6610" in told


def test_in_chinese(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "zh")
    assert main(["tariff", "shanghai"]) == Exit.OK
    told = capsys.readouterr().out
    for words in ("上海工商业峰谷分时", "7月至8月", "每天", "尖峰", "低谷", "需量电费 40.8 CNY/千瓦·月", "二手资料"):
        assert words in told


def test_a_file_shows_ratios_and_what_the_site_gives(capsys: Output) -> None:
    assert main(["tariff", str(ROOT / "config" / "tariffs" / "jiangsu.yaml")]) == Exit.OK
    told = capsys.readouterr().out
    assert "×1.8" in told
    assert "demand or capacity charge: given by the site" in told
    assert main(["tariff", "pge_b19"]) == Exit.OK
    told = capsys.readouterr().out
    assert "_ super off-peak" in told
    assert "demand charge 46.16 USD per kW and month (15 min; June to September; peak)" in told
    assert "SECONDARY" in told


def test_a_table_of_one_month_shows_that_month(capsys: Output) -> None:
    assert main(["tariff", "guangdong", "--date", "2026-08-01"]) == Exit.OK
    assert "nothing is in force on 2026-08-01" in capsys.readouterr().out


def test_for_scripts(capsys: Output) -> None:
    assert main(["tariff", DEMO, "--date", "2026-07-06", "--json"]) == Exit.OK
    data = json.loads(capsys.readouterr().out)
    assert (data["currency"], data["day_type"]) == ("CNY", "weekday")
    assert data["bands"][0]["start"] == "2026-07-06T00:00:00+08:00"
    assert data["bands"][0]["band"] == "valley"
    assert data["bands"][-1]["end"] == "2026-07-07T00:00:00+08:00"
    assert main(["tariff", "jiangsu", "--json"]) == Exit.OK
    season = json.loads(capsys.readouterr().out)["rates"][0]["versions"][0]["seasons"][0]
    assert season["prices"]["peak"] == {"ratio": 1.8}


def test_the_day_without_its_hour(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "tidewatt: 1\nname: Test\nposition: {latitude: 37.8, longitude: -122.4}\ntime_zone: America/Los_Angeles\n"
        "systems: []\n"
        "tariff:\n  file: pge_b19\n  prices:\n"
        "    - {months: [6, 7, 8, 9], peak: 0.3, flat: 0.2, valley: 0.1}\n"
        "    - {months: [1, 2, 3, 4, 5, 10, 11, 12], valley: 0.1}\n",
        encoding="utf-8",
    )
    (tmp_path / "devices.yaml").write_text("links: []\n", encoding="utf-8")
    assert main(["tariff", str(tmp_path), "--date", "2026-03-08"]) == Exit.OK
    told = capsys.readouterr().out
    assert "00:00-0800-09:00-0700" in told
    assert "21:00-0700-24:00-0700" in told


@pytest.mark.parametrize(
    "what, words",
    [("guangdon", "did you mean 'guangdong'?"), ("no/such.yaml", "no/such.yaml:1: the file is missing")],
)
def test_what_is_not_there(what: str, words: str, capsys: Output) -> None:
    assert main(["tariff", what]) in (Exit.CONFIGURATION, Exit.ENVIRONMENT)
    assert words in capsys.readouterr().err


def test_a_site_without_one(capsys: Output, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "tidewatt: 1\nname: Test\nposition: {latitude: 0, longitude: 0}\ntime_zone: Etc/UTC\nsystems: []\n",
        encoding="utf-8",
    )
    (tmp_path / "devices.yaml").write_text("links: []\n", encoding="utf-8")
    assert main(["tariff", str(tmp_path)]) == Exit.ENVIRONMENT
    assert "has no tariff; name one in site.yaml" in capsys.readouterr().err


def test_help_ends_with_an_example(capsys: Output) -> None:
    with pytest.raises(SystemExit):
        main(["tariff", "--help"])
    assert "tidewatt tariff config/sites/demo --date 2026-07-06" in capsys.readouterr().out
