"""Days on virtual time: to the bit the same, resumed or not, and nothing where nothing is done."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import pytest

from controller.cli.arguments import Exit
from controller.cli.backtest_cases import total
from controller.cli.backtest_sides import ORIGINAL, TIDEWATT, Task, one_side
from controller.cli.simulate import engine_of
from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Period, beginning, midnight, old_days, our_days
from controller.core.strategy import Mode
from simulator.faults.fault import Fault
from simulator.kpi import Account, Figures
from simulator.own_controls import Baseline
from tests.virtual_demo import DEMO

MONDAY = date(2026, 7, 6)
COARSE = timedelta(minutes=1)


def period(days: int, seed: int = 0, faults: tuple[Fault, ...] = ()) -> Period:
    return Period(MONDAY, MONDAY + timedelta(days=days), COARSE, seed, faults=faults)


def tidewatt(*arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "controller.app", "backtest", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "TIDEWATT_LANGUAGE": language, "PYTHONHASHSEED": "random"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


# --- the numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whoever_goes_on_from_a_checkpoint_gets_the_same_numbers_to_the_bit(tmp_path: Path) -> None:
    site = load_site(DEMO)
    straight = one_side(Task(site, period(2), TIDEWATT))
    one_side(Task(site, period(1), TIDEWATT, tmp_path))
    resumed = one_side(Task(site, period(2), TIDEWATT, tmp_path))
    assert (resumed.figures, resumed.quarters) == (straight.figures, straight.quarters)
    assert straight.figures[0] != straight.figures[1]
    assert len(straight.quarters) == 2 * 96


@pytest.mark.slow
def test_a_plant_that_nobody_commands_costs_what_its_old_controls_cost() -> None:
    site = load_site(DEMO)
    idle = replace(site, mounts=tuple(replace(mount, mode=Mode.OFF) for mount in site.mounts))
    ours, theirs = (next(live(idle, period(1), beginning(idle, period(1)))).by_day[0] for live in (our_days, old_days))
    assert ours == theirs


@pytest.mark.slow
def test_what_goes_wrong_with_the_plant_counts_and_what_its_meters_show_does_not() -> None:
    site = load_site(DEMO)
    begins = midnight(site, MONDAY).timestamp()
    noon, hour = begins + 12 * 3600.0, 3600.0
    meter = Fault("stuck", "meter.main_1.energy", noon)
    trip = Fault("trip", "plant.chiller_1", noon, noon + hour)

    def lived(*faults: Fault) -> Figures:
        given = period(1, faults=faults)
        return next(old_days(site, given, beginning(site, given))).by_day[0]

    assert lived(meter) == lived()
    assert lived(trip).starts > lived().starts
    assert lived(trip).cooling < lived().cooling


@pytest.mark.slow
def test_a_fault_outlasts_a_checkpoint() -> None:
    site = load_site(DEMO)
    begins = midnight(site, MONDAY).timestamp()
    given = period(2, faults=(Fault("trip", "plant.chiller_1", begins + 22 * 3600.0, begins + 36 * 3600.0),))
    days = old_days(site, given, beginning(site, given))
    kept = pickle.dumps(next(days))
    assert next(old_days(site, given, pickle.loads(kept))).by_day == next(days).by_day


@pytest.mark.slow
def test_old_days_go_on_from_a_midnight() -> None:
    site, three = load_site(DEMO), period(3)
    straight = list(old_days(site, three, beginning(site, three)))[-1].by_day
    half = next(iter(islice(old_days(site, three, beginning(site, three)), 1, 2)))
    assert list(old_days(site, three, half))[-1].by_day == straight
    assert total(straight).energy == pytest.approx(sum(day.energy for day in straight))
    assert total(straight).peak == max(day.peak for day in straight)


@pytest.mark.slow
def test_a_shorter_period_is_part_of_what_was_kept(tmp_path: Path) -> None:
    site = load_site(DEMO)
    days = one_side(Task(site, period(2), ORIGINAL, tmp_path))
    shorter = one_side(Task(site, period(1), ORIGINAL, tmp_path))
    assert (shorter.figures, shorter.quarters) == (days.figures[:1], days.quarters[:96])


@pytest.mark.slow
def test_the_tower_has_both_baselines_and_is_counted_as_the_demo_is() -> None:
    """A working morning: the same rooms with less electricity for a kilowatt-hour of cold."""
    site = load_site(DEMO.parent / "tower")
    start = midnight(site, MONDAY + timedelta(days=1)) + timedelta(hours=5)
    figures: dict[Baseline, Figures] = {}
    for baseline in Baseline:
        engine = engine_of(site, start, None, None, 0, baseline=baseline)
        account = Account(site.tariff, engine.counted)
        for minute in range(7 * 60 + 1):
            engine.advance(start + minute * timedelta(minutes=1), 0.0)
            assert account.look(engine.now, engine.read)
        figures[baseline] = account.figures
    old, competent = figures[Baseline.ORIGINAL], figures[Baseline.COMPETENT]
    assert old.energy > old.plant_energy > 1000.0
    assert competent.specific_energy < 0.97 * old.specific_energy
    assert min(each.money for each in figures.values()) > 0.0
    assert min(each.gas for each in figures.values()) > 0.0
    assert max(each.unmet_cooling for each in figures.values()) < 7.0
    assert competent.light_shortfall == 0.0


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_table_and_the_json_say_the_same(tmp_path: Path) -> None:
    span = ["--from", "2026-07-06", "--to", "2026-07-07", "--scan", "60s", "--keep", str(tmp_path)]
    told = tidewatt(str(DEMO), *span, "--json")
    assert told.returncode == Exit.OK, told.stderr
    result = json.loads(told.stdout)
    assert result["totals"]["original"] == {
        key: value for key, value in result["days"]["original"][0].items() if key != "date"
    }
    assert result["totals"]["tidewatt"]["money"] < result["totals"]["original"]["money"]
    assert result["saved"]["money"] > 0
    # What is kept answers at once; the table is made of the same numbers.
    english = tidewatt(str(DEMO), *span)
    chinese = tidewatt(str(DEMO), *span, language="zh")
    bill = f"{result['totals']['tidewatt']['money']:,.0f}"
    for table, words in ((english, "Tidewatt saves"), (chinese, "Tidewatt 节省")):
        assert table.returncode == Exit.OK
        assert bill in table.stdout
        assert words in table.stdout


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--from", "2026-07-13", "--to", "2026-07-06"], "--to 2026-07-06 is not after --from 2026-07-13"),
        (["--from", "2026-07-06", "--to", "yesterday"], "yesterday is no date; write 2026-07-06"),
        (["--from", "2026-07-06", "--to", "2026-07-07", "--scan", "1h"], "--scan must be from 1s to 1min"),
        (["--from", "2026-07-06", "--to", "2026-07-07", "--seeds", "0"], "--seeds must be from 1 to 1000"),
        (
            ["--from", "2026-07-06", "--to", "2026-07-07", "--vary", "weather"],
            "'weather' cannot be varied; write load, traffic, tank or all",
        ),
    ],
)
@pytest.mark.slow
def test_a_command_that_cannot_be_meant_is_refused(arguments: Sequence[str], words: str) -> None:
    told = tidewatt(str(DEMO), *arguments)
    assert told.returncode == Exit.CONFIGURATION
    assert words in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.slow
def test_a_plant_that_is_not_the_simulators_is_named(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(DEMO, site, ignore=shutil.ignore_patterns("state"))
    for name in ("devices.yaml", "site.yaml"):
        path = site / name
        path.write_text(path.read_text().replace("meter.main_1", "meter.main_2"))
    told = tidewatt(str(site), "--from", "2026-07-06", "--to", "2026-07-07")
    assert told.returncode == Exit.ENVIRONMENT
    assert "meter.main_2" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["another period", "rubbish"])
def test_a_checkpoint_of_something_else_is_refused(spoil: str, tmp_path: Path) -> None:
    other = replace(period(1), first=MONDAY - timedelta(days=1))
    one_side(Task(load_site(DEMO), other, ORIGINAL, tmp_path))
    if spoil == "rubbish":
        (tmp_path / "original.checkpoint").write_bytes(b"\x00\x01")
    told = tidewatt(str(DEMO), "--from", "2026-07-06", "--to", "2026-07-07", "--scan", "60s", "--keep", str(tmp_path))
    assert told.returncode == Exit.ENVIRONMENT
    assert "original.checkpoint" in told.stderr
    assert "choose another folder" in told.stderr
    assert "Traceback" not in told.stderr
