"""tidewatt scan ede: an EDE file becomes a site that `check` accepts, whatever its writer made of the layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.app import main
from controller.cli.site_folder import load_site
from controller.core.point import PointId, PointKind, ValueType
from controller.core.units import Unit

TITLES = (
    *("# keyname", "device obj.-instance", "object-name", "object-type", "object-instance", "description"),
    *("present-value-default", "min-present-value", "max-present-value", "settable", "supports COV"),
    *("hi-limit", "low-limit", "state-text-reference", "unit-code", "vendor-specific-address"),
)
EDE = f"""\
# Proposal_Engineering-Data-Exchange - B.I.G.-EU
PROJECT_NAME;Tower
VERSION_OF_REFERENCEFILE;1
TIMESTAMP_OF_LAST_CHANGE;19. Dec 2005
AUTHOR_OF_LAST_CHANGE;G. Sampler
VERSION_OF_LAYOUT;2.2
#mandatory;mandatory;mandatory;mandatory;mandatory;optional;optional;optional;optional;optional
{";".join(TITLES)}
1;2001;Tower;8;2001;controller;;;;N;N;;;;;
2;2001;Ahu01'SupT;0;3;Supply air temperature;21,5;-50;150;N;Y;;;;62;AI03
3;2001;Ahu01'SupTSp;2;1;送风温度设定;;;;Y;N;;;;62;
4;2001;Ahu01'Fan;4;1;Supply fan;;;;Y;Y;;;2;;
5;2001;Ahu01'Mode;19;1;;;;;Y;Y;;;7;;
6;2001;Ahu01'Twice;19;2;;;;;Y;Y;;;8;;
7;2001;Ahu01'Trend;20;1;;;;;;;;;;;
8;2001;Broken;AnalogThing;1;;;;;;;;;;;
9;;Nowhere;0;1;;;;;;;;;;;
10;2002;Meter;23;1;;;;;N;N;;;;19;
"""
TEXTS = """\
#State Text Reference
#Reference Number;Text 1 or Inactive-Text;Text 2 or Active-Text;Text 3
2;Off;On
7;Aus;Ein;Automatik
8;On;On
"""


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")


def scan(folder: Path, ede: bytes, *more: str, texts: bytes = TEXTS.encode()) -> int:
    (folder / "Tower_EDE.csv").write_bytes(ede)
    (folder / "Tower_StateTexts.csv").write_bytes(texts)
    files = [str(folder / "Tower_EDE.csv"), "--state-texts", str(folder / "Tower_StateTexts.csv")]
    return main(["scan", "ede", *files, "--interface", "10.0.0.4/24", "--output", str(folder / "site"), *more])


def test_it_becomes_a_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(tmp_path, EDE.encode()) == 0
    told = capsys.readouterr().out
    assert main(["check", str(tmp_path / "site")]) == 0
    site = load_site(tmp_path / "site")
    points = site.points
    supply = points[PointId("found.device_2001.ahu01_supt")]
    assert (supply.kind, supply.unit) == (PointKind.SENSOR, Unit.CELSIUS)
    assert supply.tags == {"title": "Ahu01'SupT: Supply air temperature"}
    assert points[PointId("found.device_2001.ahu01_suptsp")].kind is PointKind.SETPOINT
    assert points[PointId("found.device_2001.ahu01_suptsp")].tags == {"title": "Ahu01'SupTSp: 送风温度设定"}
    fan = points[PointId("found.device_2001.ahu01_fan")]
    assert (fan.kind, fan.type) == (PointKind.COMMAND, ValueType.BOOLEAN)
    assert points[PointId("found.device_2001.ahu01_mode")].states == ("Aus", "Ein", "Automatik")
    assert points[PointId("found.device_2001.ahu01_twice")].type is ValueType.INTEGER, "its texts tell nothing apart"
    assert len(points) == 6, "a trend has no value"
    addresses = {binding.point.id: binding.address for binding in site.links[0].bindings}
    assert (addresses[supply.id].object, addresses[supply.id].instance) == ("analog-input,3", 2001)
    assert all(point.writable is None for point in points.values())
    assert "no answer: Tower_EDE.csv:16: object-type is 'AnalogThing'" in told
    assert "no answer: Tower_EDE.csv:17: device-obj-instance is ''; write a number from 0 to" in told


@pytest.mark.parametrize(
    "ede",
    [
        EDE.replace(";", ",").replace("21,5", "21.5").encode(),
        EDE.encode("gbk"),
        EDE.encode("utf-8-sig").replace(b"\n", b"\r\n"),
        EDE.replace("settable", "commandable").replace("supports COV", "supports-COV").encode(),
        "".join(line + "\n" for line in EDE.splitlines() if "keyname" not in line).encode(),
        EDE.replace(";4;1;", ";binary-output;1;").replace(";0;3;", ";Analog Input;3;").encode(),
    ],
    ids=["commas", "GBK", "Excel", "other titles", "no titles", "types by name"],
)
def test_every_way_of_writing_it(ede: bytes, tmp_path: Path) -> None:
    assert scan(tmp_path, ede) == 0
    site = load_site(tmp_path / "site")
    assert len(site.points) == 6
    assert site.points[PointId("found.device_2001.ahu01_fan")].kind is PointKind.COMMAND
    assert site.points[PointId("found.device_2001.ahu01_supt")].unit is Unit.CELSIUS


def test_an_old_western_encoding_is_named(tmp_path: Path) -> None:
    assert (
        scan(tmp_path, EDE.replace("送风温度设定", "Zuluft für Büro").encode("cp1252"), "--encoding", "windows-1252")
        == 0
    )
    point = load_site(tmp_path / "site").points[PointId("found.device_2001.ahu01_suptsp")]
    assert point.tags["title"].endswith("Zuluft für Büro")


def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(tmp_path, b"") == 2
    assert "Tower_EDE.csv:1: the file is empty (0 bytes)" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_an_interface_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text(EDE, encoding="utf-8")
    assert main(["scan", "ede", str(tmp_path / "a.csv"), "--interface", "eth0"]) == 2
    assert "interface 'eth0' is no IPv4 address; give our own address" in capsys.readouterr().err
