"""The scenarios of config/scenarios hold their bounds, and a bound that does not hold is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from controller.cli.arguments import Exit
from tests.virtual_demo import DEMO

SCENARIOS = sorted((DEMO.parents[1] / "scenarios").glob("*.yaml"))
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TIDEWATT_LANGUAGE": "en", "PYTHONHASHSEED": "random"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "controller.app", *arguments]


def tidewatt(*arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    environment = {**ENVIRONMENT, "TIDEWATT_LANGUAGE": language}
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment, timeout=600, check=False
    )


@pytest.fixture(scope="module")
def results() -> Mapping[str, Any]:
    """By name; all of them share the cores."""
    told = tidewatt("scenario", *map(str, SCENARIOS), "--json")
    assert told.stdout, told.stderr
    return {each["scenario"]: each for each in json.loads(told.stdout)}


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda each: each.stem)
def test_every_bound_holds(results: Mapping[str, Any], file: Path) -> None:
    found = results[file.stem]
    assert found["complete"]
    broken = [bound for bound in found["bounds"] if not bound["held"]]
    assert broken == []


def test_a_bound_that_does_not_hold_is_told_in_table_page_and_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "tripped.yaml"
    file.write_text(
        f"scenario: tripped\ntitle: {{en: Tripped, zh: 跳闸}}\nsite: {DEMO}\nfrom: 2026-07-08\nto: 2026-07-09\n"
        "faults: [{kind: trip, target: plant.chiller_1, start: 14h, duration: 90min}]\n"
        "bounds:\n  - {kpi: unmet_cooling, side: original, at_most: 0.1}\n  - {kpi: light_shortfall, at_most: 0}\n",
        encoding="utf-8",
    )
    told = tidewatt("scenario", str(file), "--output", str(tmp_path / "results"))
    assert told.returncode == Exit.NOT_HELD, told.stderr
    rows = [line.split() for line in told.stdout.splitlines() if "at most" in line]
    assert [row[-1] for row in rows] == ["NO", "yes"]
    assert "1 of 2 bounds did NOT hold: tripped." in told.stdout
    left = tmp_path / "results" / "tripped"
    assert json.loads((left / "result.json").read_text())["held"] is False
    assert (left / "plot.png").read_bytes().startswith(b"\x89PNG")
    page = (left / "report.html").read_text(encoding="utf-8")
    assert ">plant.chiller_1: trips<" in page
    assert ">NO<" in page


def test_whoever_stops_a_backtest_gets_what_is_there_so_far(tmp_path: Path) -> None:
    kept, left = tmp_path / "kept", tmp_path / "results"
    span = ["--from", "2026-07-06", "--to", "2026-07-16", "--scan", "60s", "--keep", str(kept), "--output", str(left)]
    asked = command("backtest", str(DEMO), *span)
    with subprocess.Popen(asked, env=ENVIRONMENT, stderr=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None and len(list(kept.glob("*.checkpoint"))) < 3:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        os.killpg(process.pid, signal.SIGTERM)  # as `timeout` and a terminal do it
        _, told = process.communicate(timeout=60)
    assert process.returncode == Exit.OK, told.decode()
    result = json.loads((left / "result.json").read_text())
    assert result["complete"] is False
    assert len(result["days"]["tidewatt"]) == len(result["days"]["original"]) == len(result["days"]["competent"]) >= 1
    assert f"goes on from the last midnight in {kept}" in told.decode()


def test_other_strategies_and_other_seeds_stand_beside_ours(tmp_path: Path) -> None:
    """Strategies that are off cost what the old controls cost; another seed brings other cars."""
    other = tmp_path / "nothing.yaml"
    other.write_text((DEMO / "strategies.yaml").read_text().replace("mode: auto", "mode: 'off'"))
    span = ["--from", "2026-07-06", "--to", "2026-07-07", "--scan", "60s"]
    told = tidewatt("backtest", str(DEMO), *span, "--seeds", "2", "--against", str(other), "--json")
    assert told.returncode == Exit.OK, told.stderr
    first, second = (case["sides"] for case in json.loads(told.stdout)["cases"])
    for sides in (first, second):
        assert without_time(sides["nothing"]) == without_time(sides["original"])
        assert sides["tidewatt"]["money"] < sides["original"]["money"]
    same = pytest.approx(first["original"]["plant_energy"], rel=1e-9)
    assert second["original"]["plant_energy"] == same, "cars do not matter to the cooling plant"
    assert first["original"]["garage_energy"] != second["original"]["garage_energy"]
    assert first["tidewatt"]["energy"] != second["tidewatt"]["energy"]


def without_time(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if name != "computing"}
