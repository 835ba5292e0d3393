"""tidewatt scan: findings are told as they come, and become a site that `check` accepts."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.app import main
from controller.cli.scan import register_scan
from controller.cli.site_folder import load_site
from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer, Scan, ScanOption
from controller.core.errors import ConnectFailed, DeviceError, EnvironmentProblem
from controller.core.event import JsonValue
from controller.core.point import PointId, PointKind, ValueType
from controller.core.text import Text
from controller.core.units import Unit
from drivers import driver_kind, driver_names

GATEWAY = FoundDevice("gateway", {"host": "10.0.0.5", "port": 502}, {"unit": 1}, "Acme WX200")
METER = FoundDevice("Meter 2", {"host": "10.0.0.5", "port": 502}, {"unit": 2}, "电表\n二层")
FAR = FoundDevice("far", {"host": "10.0.0.6"}, {"unit": 1}, "")


def point(
    device: str, name: str, register: int, unit: str = "none", title: str = "", type: ValueType = ValueType.NUMBER
) -> FoundPoint:
    address = {"table": "input", "register": register, "type": "uint16"}
    kind = PointKind.SENSOR
    if type is ValueType.BOOLEAN:
        address, kind = {"table": "coil", "register": register}, PointKind.COMMAND
    return FoundPoint(device, name, kind, type, unit, address, title, "21.5")


FOUND: list[Found] = [
    GATEWAY,
    point("gateway", "supply_temperature", 0, "degC", "供水温度"),
    point("gateway", "pump", 1, title="=HYPERLINK(1)", type=ValueType.BOOLEAN),
    NoAnswer("unit 3", "no answer within 1 s"),
    METER,
    point("Meter 2", "Power!", 0, "W", "Feeder 1, north"),
    point("Meter 2", "power", 2, "W"),
    FAR,
    point("far", "power", 0, "kW"),
]


class Fake:
    """A protocol whose scan finds what a test says; `asked` is what it was asked for."""

    def __init__(self, found: Sequence[Found], failure: Exception | None = None, *, hangs: bool = False) -> None:
        self.found, self.failure, self.hangs = found, failure, hangs
        self.asked: tuple[str, Mapping[str, str]] | None = None
        self.closed = False

    async def discover(self, target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
        self.asked = (target, options)
        try:
            for each in self.found:
                yield each
            if self.failure is not None:
                raise self.failure
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.closed = True


def run(fake: Fake, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    option = ScanOption("units", "FIRST-LAST", Text("which units, 100 % of them", "哪些站号"), "1-10")
    scan = Scan(Text("host or host:port", "主机或主机:端口"), "10.0.0.5 --units 1-3", (option,), fake.discover)
    register_scan(parser.add_subparsers(), replace(driver_kind("modbus"), scan=scan), scan)
    given = parser.parse_args(["modbus", *arguments])
    execute: Callable[[argparse.Namespace], int] = given.execute
    return execute(given)


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")


def test_findings_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    fake = Fake(FOUND)
    assert run(fake, "10.0.0.5", "--units", "1-3") == 0
    assert fake.asked == ("10.0.0.5", {"units": "1-3"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "gateway  Acme WX200  host 10.0.0.5, port 502, unit 1"
    assert lines[1].split() == [
        *("supply_temperature", "21.5", "degC", "sensor", "供水温度", "(table", "input,", "register", "0,"),
        *("type", "uint16)"),
    ]
    assert "  no answer: unit 3: no answer within 1 s" in lines
    assert lines[-1] == "3 devices, 5 points, 1 without an answer, after 0 s"


def test_findings_as_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Fake(FOUND), "10.0.0.5", "--json") == 0
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["found"] for each in told] == [
        *("device", "point", "point", "no answer", "device", "point", "point", "device", "point")
    ]
    assert told[1]["address"] == {"table": "input", "register": 0, "type": "uint16"}


def test_it_becomes_a_site_that_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "site"
    assert run(Fake(FOUND), "10.0.0.5", "--output", str(folder)) == 0
    told = capsys.readouterr().out
    assert "3 devices, 5 points, all of them only read" in told
    assert f"check {folder}" in told
    assert main(["check", str(folder)]) == 0
    site = load_site(folder)
    assert [[device.id for device in link.devices] for link in site.links] == [["gateway", "meter_2"], ["far"]]
    assert site.links[0].connection.port == 502
    power = site.points[PointId("found.meter_2.power")]
    assert (power.unit, power.tags) == (Unit.KILOWATT, {"title": "Feeder 1, north"})
    assert PointId("found.meter_2.power_2") in site.points
    assert site.points[PointId("found.gateway.pump")].type is ValueType.BOOLEAN
    assert all(each.writable is None for each in site.points.values())
    assert set(site.equipment.values()) == {"unclassified"}
    assert (folder / "points.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "so that Excel shows Chinese"
    assert "'=HYPERLINK(1)" in (folder / "points.csv").read_text(encoding="utf-8"), "no spreadsheet computes it"


def test_a_site_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("mine", encoding="utf-8")
    assert run(Fake(FOUND), "10.0.0.5", "--output", str(tmp_path)) == 0
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["devices.yaml", "points.csv"])
def test_nothing_is_overwritten(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    fake = Fake(FOUND)
    with pytest.raises(EnvironmentProblem, match="is there already and is not overwritten"):
        run(fake, "10.0.0.5", "--output", str(tmp_path))
    assert fake.asked is None, "refused before anything is asked"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_cannot_stand_in_a_list_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = point("gateway", "x", 5)
    found = [
        GATEWAY,
        point("gateway", "fine", 0),
        hostile._replace(title="twice", address=point("gateway", "fine", 0).address),
        hostile._replace(title="formula", address={**hostile.address, "table": "@SUM(A1)"}),
        hostile._replace(title="control", address={**hostile.address, "table": "a\x07"}),
        hostile._replace(device="nobody", title="lost"),
        FAR,
    ]
    assert run(Fake(found), "10.0.0.5", "--output", str(tmp_path)) == 0
    told = capsys.readouterr().out
    assert "left out: gateway, twice: it has the address of another point" in told
    assert "left out: gateway, formula: address.table would be a formula in a spreadsheet" in told
    assert "left out: gateway, control: address.table has signs that cannot be printed" in told
    assert "left out: nobody, lost: its device was not told" in told
    assert "left out: far: no point was found on it" in told
    assert len(load_site(tmp_path).points) == 1


def test_texts_and_what_is_nested(tmp_path: Path) -> None:
    secret = tmp_path / "a secret"
    secret.write_text("hunter2", encoding="utf-8")
    connection: dict[str, JsonValue] = {"host": "broker", "user": "tidewatt", "password": {"!file": str(secret)}}
    device = FoundDevice("lamp", connection, {"topic": "on"}, "Lamp")
    address: dict[str, JsonValue] = {"state_topic": "{topic}/state", "values": {"ON": "on", "OFF": "off"}}
    found = FoundPoint(
        "lamp", "state", PointKind.STATUS, ValueType.TEXT, "none", address, "", "on", states=("on", "o|f|f")
    )
    parser = argparse.ArgumentParser()
    scan = Scan(Text("broker", "代理"), "broker", (), Fake([device, found]).discover)
    register_scan(parser.add_subparsers(), replace(driver_kind("mqtt"), scan=scan), scan)
    folder = tmp_path / "site"
    given = parser.parse_args(["mqtt", "broker", "--output", str(folder)])
    assert given.execute(given) == 0
    assert f'password: !file "{secret}"' in (folder / "devices.yaml").read_text(encoding="utf-8")
    site = load_site(folder)
    assert site.links[0].connection.password == "hunter2"
    assert site.points[PointId("found.lamp.state")].states == ("on", "o|f|f")
    assert site.links[0].bindings[0].address.values == {"ON": "on", "OFF": "off"}
    assert site.links[0].bindings[0].address.topic == "on"


def test_nothing_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Fake([NoAnswer("10.0.0.5", "no answer")]), "10.0.0.5", "--output", str(tmp_path / "site")) == 3
    assert "nothing to write was found" in capsys.readouterr().out
    assert not (tmp_path / "site").exists()


def test_a_target_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Fake([], ValueError("port 0 does not exist; give 1 to 65535")), "10.0.0.5:0") == 2
    assert capsys.readouterr().err == "tidewatt: port 0 does not exist; give 1 to 65535\n"


def test_a_lost_link_still_writes_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="connection lost"):
        run(Fake(FOUND, ConnectFailed("10.0.0.5", "scan", "connection lost")), "10.0.0.5", "--output", str(tmp_path))
    assert len(load_site(tmp_path).points) == 5


def test_it_ends_after_the_time_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = Fake(FOUND, hangs=True)
    assert run(fake, "10.0.0.5", "--for", "300ms", "--output", str(tmp_path)) == 0
    assert fake.closed
    assert "ended before it was through" in capsys.readouterr().out
    assert len(load_site(tmp_path).points) == 5


@pytest.fixture
def heard_ctrl_c() -> Iterator[None]:
    """Whoever starts the tests in the background of a script has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_ctrl_c")
def test_ctrl_c_keeps_what_was_found(tmp_path: Path) -> None:
    class Interrupted(Fake):
        async def discover(self, target: str, options: Mapping[str, str]) -> AsyncGenerator[Found]:
            async for each in super().discover(target, options):
                yield each
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()

    fake = Interrupted(FOUND)
    assert run(fake, "10.0.0.5", "--output", str(tmp_path)) == 0
    assert fake.closed
    assert len(load_site(tmp_path).points) == 5


def test_the_help_is_in_the_language_of_the_reader(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "zh")
    with pytest.raises(SystemExit):
        run(Fake([]), "--help")
    told = capsys.readouterr().out
    assert "哪些站号 (1-10)" in told
    assert "tidewatt scan modbus 10.0.0.5 --units 1-3" in told


def test_there_is_such_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scan", "--help"])
    assert ended.value.code == 0
    assert "points.csv" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in driver_names() if driver_kind(name).scan is not None])
def test_every_protocol_that_is_scanned_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scan", name, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    scan = driver_kind(name).scan
    assert scan is not None
    assert f"tidewatt scan {name} {scan.example}" in told
    assert all(f"--{option.name}" in told for option in scan.options)
    assert "--for" in told


def test_a_protocol_that_listens_says_itself_for_how_long() -> None:
    fake = Fake(FOUND)
    option = ScanOption("for", "TIME", Text("how long", "时长"), "10s")
    scan = Scan(Text("broker", "代理"), "broker", (option,), fake.discover)
    parser = argparse.ArgumentParser()
    register_scan(parser.add_subparsers(), replace(driver_kind("modbus"), scan=scan), scan)
    given = parser.parse_args(["modbus", "broker", "--for", "3s"])
    assert given.execute(given) == 0
    assert fake.asked == ("broker", {"for": "3s"})
