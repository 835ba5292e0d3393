"""The numbers that the forecast promises, on measured buildings."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from controller.app import main

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.reference
BESIDE_PLAIN = "cam_b14"


@cache
def measured(reference: Path) -> Mapping[str, dict[str, Any]]:
    """By series: all of them once, one of them beside plain gradient boosting."""
    command = [sys.executable, "benchmarks/forecast.py", "--json", "--plain", BESIDE_PLAIN]
    environment = {**os.environ, "TIDEWATT_REFERENCE": str(reference), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return {row["series"]: row for row in json.loads(done.stdout)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, least, options",
    [
        ("elec_cam_b14", 0.30, ["--zone", "Europe/London", "--utc"]),
        ("elec_bdg2_panther_hannah", 0.15, []),
    ],
)
def test_the_last_two_months(
    reference: Path, capsys: pytest.CaptureFixture[str], name: str, least: float, options: list[str]
) -> None:
    path = reference / "electricity" / f"{name}.csv.gz"
    assert main(["forecast", str(path), "--weeks", "8", "--json", *options]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["score"]["days"] == 56
    assert answer["score"]["skill"] > least
    assert all(value >= 0 for value in answer["forecast"]["values"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_building(reference: Path) -> None:
    """A whole year of midnights of one building: about fifteen fits."""
    row = measured(reference)[BESIDE_PLAIN]
    assert row["days"] == 365
    assert row["skill"] >= 0.35
    assert row["root_mean_square_skill"] > 0.25
    assert abs(row["normalised_bias"]) < 0.05
    assert row["skill"] > row["plain_skill"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thirteen_buildings(reference: Path) -> None:
    rows = measured(reference).values()
    assert len(rows) == 13
    assert statistics.median(row["skill"] for row in rows) >= 0.30
    assert min(row["skill"] for row in rows) >= 0.0
    assert max(row["train_s"] for row in rows) <= 2.0
    assert max(row["predict_s"] for row in rows) <= 0.020
