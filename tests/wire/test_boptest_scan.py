"""What a BOPTEST server offers is found, and neither begun nor kept; a site of it runs as it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from controller import app
from controller.cli.arguments import Exit
from tests.boptest_case import Room
from tests.boptest_server import BoptestServer

pytestmark = pytest.mark.wire


@pytest.mark.slow
def test_a_site_is_found_in_a_case_and_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "found", tmp_path / "out"
    with BoptestServer(Room("one_room"), has_many=True) as server:
        assert app.main(["scan", "boptest", server.url]) == Exit.OK
        assert "test_case one_room" in capsys.readouterr().out
        case = ("--case", "one_room", "--output", str(folder))
        assert app.main(["scan", "boptest", server.url, *case]) == Exit.OK
        assert "ove_t_set_u" in capsys.readouterr().out
        assert not any(path.startswith(("initialize", "scenario")) for _, path, _ in server.requests)
        assert server.test_id == ""
        run = ("--days", "1", "--only", "original", "--output", str(out))
        assert app.main(["boptest", str(folder), *run]) == Exit.OK
    with (out / "original.csv").open(encoding="utf-8", newline="") as file:
        steps = list(csv.DictReader(file))
    (name,) = [name for name in steps[0] if name.endswith("rea_t_zon_y")]
    assert 0.0 < float(steps[-1][name]) < 40.0
    assert len(steps) == 24 * 12 + 1


def test_a_server_that_is_one_case_is_only_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    with BoptestServer(Room()) as server:
        assert app.main(["scan", "boptest", server.url]) == Exit.OK
        printed = capsys.readouterr().out
        assert "278.15 to 308.15 K" in printed
        assert "degC" in printed
        assert {method for method, _, _ in server.requests} == {"GET"}


def test_a_case_that_the_server_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    with BoptestServer(Room(), has_many=True) as server:
        assert app.main(["scan", "boptest", server.url, "--case", "another"]) == Exit.ENVIRONMENT
    assert "Not Found" in capsys.readouterr().err
