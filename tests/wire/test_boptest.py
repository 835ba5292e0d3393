"""A BOPTEST test from its command to its results, against a server with the same API."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller import app
from controller.cli.arguments import Exit
from tests.boptest_case import DAY, Listed, Room
from tests.boptest_server import BoptestServer

pytestmark = pytest.mark.wire

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config" / "sites" / "boptest_heat_pump"
STEPS_A_DAY = 24 * 4
SETPOINT = "home.zone_1.air_temperature_setpoint"


def the_case() -> Room:
    return Room("bestest_hydronic_heat_pump")


@pytest.fixture
def server() -> Iterator[BoptestServer]:
    with BoptestServer(the_case()) as server:
        yield server


def site_at(server: BoptestServer, folder: Path) -> Path:
    """The example site, its address put in as the guide says."""
    shutil.copytree(EXAMPLE, folder)
    devices = folder / "devices.yaml"
    text = devices.read_text(encoding="utf-8").replace("http://127.0.0.1:80", server.url)
    if not server.has_many:
        text = re.sub(r" *test_case: .*\n", "", text)
    devices.write_text(text, encoding="utf-8")
    return folder


def edited(site: Path, file: str, before: str, after: str) -> None:
    path = site / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def run(site: Path, *options: str, output: Path | None = None) -> int:
    kept = () if output is None else ("--output", str(output))
    return app.main(["boptest", str(site), *options, *kept])


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def advances(server: BoptestServer) -> list[dict[str, Any]]:
    return [body for method, path, body in server.requests if (method, path.partition("/")[0]) == ("POST", "advance")]


def test_what_the_strategies_bring_stands_beside_the_cases_own_controls(
    server: BoptestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = site_at(server, tmp_path / "site")
    assert run(site, "--days", "1", "--start", "10", "--price", "dynamic", output=tmp_path / "out") == Exit.OK
    printed = capsys.readouterr().out
    assert "bestest_hydronic_heat_pump, day 10 to 11 of its year" in printed
    kept = results(tmp_path / "out")
    original, ours = kept["sides"]["original"], kept["sides"]["tidewatt"]
    assert original["complete"]
    assert ours["complete"]
    assert (kept["start_s"], kept["step_s"], kept["boptest"]) == (10 * DAY, 900.0, "0.9.0")
    assert ours["kpis"]["ener_tot"] != original["kpis"]["ener_tot"]
    assert f"{ours['kpis']['ener_tot']:.4g}" in printed
    assert [each["time"] for each in ours["by_day"]] == [11 * DAY]
    assert ours["verdicts"][SETPOINT]["verdict"] == "owned"
    # Under its own controls the case is told nothing at all; under ours every step, from the first decision on.
    told = advances(server)
    assert all(body == {} for body in told[:STEPS_A_DAY])
    assert all(body["oveTSet_activate"] == 1 for body in told[STEPS_A_DAY:])
    assert len(told) == 2 * STEPS_A_DAY
    steps = rows(tmp_path / "out" / "tidewatt.csv")
    assert len(steps) == STEPS_A_DAY + 1
    assert steps[0]["time"] == "2009-01-11T00:00:00+01:00"
    assert float(steps[-1]["home.zone_1.air_temperature"]) == pytest.approx(server.case.value("reaTZon_y") - 273.15)
    stored = rows(tmp_path / "out" / "tidewatt.stored.csv")
    assert [float(row["time"]) for row in stored] == [10 * DAY + 900.0 * step for step in range(STEPS_A_DAY + 1)]
    assert float(stored[-1]["oveTSet_u"]) == pytest.approx(273.15 + float(steps[-1][SETPOINT]))
    # The forecast of 6 h ahead is what came 6 h later.
    assert float(steps[0]["case.limits_1.outdoor_air_temperature_in_6_h"]) == pytest.approx(5.0, abs=1e-6)


@pytest.mark.slow
def test_strategies_in_shadow_change_nothing(server: BoptestServer, tmp_path: Path) -> None:
    site = site_at(server, tmp_path / "site")
    edited(site, "strategies.yaml", "mode: auto", "mode: shadow")
    assert run(site, "--days", "1", output=tmp_path / "out") == Exit.OK
    sides = results(tmp_path / "out")["sides"]
    assert sides["tidewatt"]["kpis"] == sides["original"]["kpis"]
    assert sides["tidewatt"]["verdicts"] == {}


@pytest.mark.slow
def test_a_scenario_on_a_server_with_many_cases(tmp_path: Path) -> None:
    with BoptestServer(the_case(), has_many=True) as server:
        site = site_at(server, tmp_path / "site")
        assert run(site, "--scenario", "peak_heat_day", "--days", "1", "--only", "tidewatt") == Exit.OK
        paths = [path for _, path, _ in server.requests]
        assert paths[0] == "testcases/bestest_hydronic_heat_pump/select"
        assert paths[-1] == "stop/6f0c-test"
        assert "initialize/6f0c-test" not in paths
        assert server.time == 15 * DAY


@pytest.mark.slow
def test_a_wish_that_the_case_clips_is_seen_to_be_ignored(
    server: BoptestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.case.inputs["oveTSet_u"] = Listed("K", 278.15, 273.15 + 17.0)
    site = site_at(server, tmp_path / "site")
    assert run(site, "--days", "1", "--only", "tidewatt", output=tmp_path / "out") == Exit.OK
    (judged,) = results(tmp_path / "out")["sides"]["tidewatt"]["verdicts"].values()
    assert judged["verdict"] == "ignored"
    assert (judged["written"], judged["read"]) == (21.3, pytest.approx(17.0))
    assert "air_temperature_setpoint: ignored: written 21.3" in capsys.readouterr().out


def _hang_up(server: BoptestServer) -> tuple[int, bytes] | None:
    del server
    return None


def _fail(server: BoptestServer) -> tuple[int, bytes]:
    del server
    message = "Failed to advance simulation: Traceback:\n  File x\nCVodeError: step size too small."
    return 500, json.dumps({"status": 500, "message": message, "payload": None}).encode()


def _refuse(server: BoptestServer) -> tuple[int, bytes]:
    del server
    return 400, b'{"status": 400, "message": "Bad Request", "payload": "\'oveTSet_u\' is gone"}'


def _page(server: BoptestServer) -> tuple[int, bytes]:
    del server
    return 502, b"<html><h1>Bad Gateway</h1></html>"


def _over(server: BoptestServer) -> tuple[int, bytes]:
    del server
    return 200, b'{"status": 200, "message": "", "payload": {}}'


def _timeless(server: BoptestServer) -> tuple[int, bytes]:
    del server
    return 200, b'{"status": 200, "message": "", "payload": {"time": NaN}}'


def _begun_anew(server: BoptestServer) -> tuple[int, bytes]:
    del server
    return 200, b'{"status": 200, "message": "", "payload": {"time": 900.0}}'


@pytest.mark.parametrize(
    "answer, told",
    [
        pytest.param(_hang_up, "the server hung up without an answer", marks=pytest.mark.slow),
        (_fail, "CVodeError: step size too small"),
        pytest.param(_refuse, "advance: refused with 400: 'oveTSet_u' is gone", marks=pytest.mark.slow),
        pytest.param(_page, "Bad Gateway", marks=pytest.mark.slow),
        pytest.param(_over, "the scenario's time period is over", marks=pytest.mark.slow),
        pytest.param(_timeless, "has no time", marks=pytest.mark.slow),
        pytest.param(_begun_anew, "somebody began it anew", marks=pytest.mark.slow),
    ],
)
def test_a_server_that_fails_in_a_step_stops_the_test_with_what_it_brought(
    server: BoptestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: Any, told: str
) -> None:
    site = site_at(server, tmp_path / "site")
    left = STEPS_A_DAY + 10

    def die_later() -> tuple[int, bytes] | None:
        nonlocal left
        left -= 1
        if left >= 0:
            return server.answered("POST advance", server.requests[-1][2])
        return answer(server)

    server.odd["advance"] = die_later
    assert run(site, "--days", "3", "--only", "tidewatt", output=tmp_path / "out") == Exit.ENVIRONMENT
    complaint = capsys.readouterr().err
    assert told in complaint
    assert str(tmp_path / "out" / "results.json") in complaint
    ours = results(tmp_path / "out")["sides"]["tidewatt"]
    assert not ours["complete"]
    assert told in ours["trouble"]
    assert [each["time"] for each in ours["by_day"]] == [DAY]
    assert len(rows(tmp_path / "out" / "tidewatt.csv")) == STEPS_A_DAY + 11


@pytest.mark.slow
def test_a_step_that_takes_too_long_is_told(
    server: BoptestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = site_at(server, tmp_path / "site")
    edited(site, "devices.yaml", "step: 15min", "step: 15min\n      timeout: 2s")

    def hang_from_now_on() -> tuple[int, bytes] | None:
        server.hang()
        server.wait()
        return None

    server.odd["advance"] = hang_from_now_on
    assert run(site, "--days", "1", "--only", "tidewatt") == Exit.ENVIRONMENT
    assert "advance: no answer" in capsys.readouterr().err


@pytest.mark.slow
def test_a_value_that_is_no_number_is_bad_and_the_test_goes_on(server: BoptestServer, tmp_path: Path) -> None:
    site = site_at(server, tmp_path / "site")
    room = server.case
    assert isinstance(room, Room)
    room.mean_outdoors = math.nan
    assert run(site, "--days", "1", "--only", "tidewatt", output=tmp_path / "out") == Exit.OK
    steps = rows(tmp_path / "out" / "tidewatt.csv")
    assert {row["home.weather_station_1.outdoor_air_temperature"] for row in steps} == {""}
    assert float(steps[-1]["home.zone_1.air_temperature_setpoint"]) > 10.0


@pytest.mark.parametrize(
    "options, told",
    [
        (("--scenario", "hottest_day"), "should be one of: peak_heat_day"),
        (("--days", "1", "--output", "{file}/results"), "nothing can be written into"),
    ],
)
def test_what_cannot_be_is_told_before_the_run(
    server: BoptestServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    told: str,
) -> None:
    site = site_at(server, tmp_path / "site")
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert run(site, *(each.format(file=file) for each in options)) == Exit.ENVIRONMENT
    assert told in capsys.readouterr().err
    assert advances(server) == []


def test_a_point_that_the_case_does_not_have_is_told_before_the_run(
    server: BoptestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del server.case.measurements["reaPHeaPum_y"]
    server.case.measurements["weaSta_reaWeaTDryBul_y"] = Listed("rad")
    assert run(site_at(server, tmp_path / "site"), "--days", "1") == Exit.ENVIRONMENT
    complaint = capsys.readouterr().err
    assert "home.heat_pump_meter_1.power: the test case" in complaint
    assert "has no measurement reaPHeaPum_y" in complaint
    assert "weaSta_reaWeaTDryBul_y in rad, which is no degC" in complaint


def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with BoptestServer(the_case()) as server:
        site = site_at(server, tmp_path / "site")
    assert run(site, "--days", "1") == Exit.ENVIRONMENT
    assert f"the test at {server.url} did not begin: case: name: Connection refused" in capsys.readouterr().err


def test_a_case_is_not_run_as_if_it_were_a_plant(
    server: BoptestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = site_at(server, tmp_path / "site")
    assert app.main(["run", str(site), "--for", "2s"]) == Exit.ENVIRONMENT
    assert f"boptest {site}" in capsys.readouterr().err
    assert server.requests == []
