"""tidewatt forecast CSV: what a person sees, of good files and of bad ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.app import main
from tests.unit.forecasting.support import BERLIN, START, building

Lines = list[str]


def lines_of(days: int = 84, step: timedelta = timedelta(hours=1)) -> Lines:
    """A file as an integrator would deliver it; rows beyond the last load hold the weather forecast."""
    history = building(days, step=step)
    stamps = [datetime.fromtimestamp(at / 1e6, UTC) for at in history.temperature.starts]
    loads = [f"{value:.3f}" for value in history.load.values]
    loads += [""] * (len(stamps) - len(loads))
    rows = zip(stamps, loads, history.temperature.values, strict=True)
    return ["time,load_kw,temp_c", *(f"{at:%Y-%m-%d %H:%M},{load},{degrees:.2f}" for at, load, degrees in rows)]


GOOD = lines_of()
# Too short for the model, which takes a second to learn.
SHORT = GOOD[: 1 + 35 * 24]


class Told:
    def __init__(self, code: int, out: str, error: str) -> None:
        self.code, self.out, self.error = code, out, error


@pytest.fixture
def forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    def run(lines: Sequence[str], *options: str, name: str = "load.csv") -> Told:
        path = tmp_path / name
        text = "\n".join(lines) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        code = main(["forecast", str(path), *options])
        told = capsys.readouterr()
        return Told(code, told.out.replace(str(tmp_path) + "/", ""), told.err.replace(str(tmp_path) + "/", ""))

    return run


# --- what is printed --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_for_people(forecast: Callable[..., Told]) -> None:
    told = forecast(GOOD, "--weeks", "2")
    assert (told.code, told.error) == (0, "")
    assert told.out.startswith("load.csv: load_kw, 2,016 readings 60 min apart, 2026-01-05 00:00 to 2026-03-29 23:00\n")
    assert "temperature: temp_c" in told.out
    assert "scored on 14 days from 2026-03-16" in told.out
    assert "next 24 h from 2026-03-30 00:00, by the model" in told.out
    chart = [line for line in told.out.splitlines() if "█" in line]
    assert len(chart) == 24
    assert max(chart, key=lambda line: line.count("█")).strip().startswith(("08", "09", "1"))


def test_for_scripts(forecast: Callable[..., Told]) -> None:
    told = forecast(GOOD, "--weeks", "2", "--json", name="load.csv.gz")
    answer: dict[str, Any] = json.loads(told.out)
    assert answer["forecast"]["start"] == "2026-03-30T00:00:00+00:00"
    assert answer["forecast"]["source"] == "model"
    assert len(answer["forecast"]["values"]) == 96
    assert answer["score"]["days"] == 14
    assert answer["score"]["skill"] > 0.3
    assert answer["readings"]["used"] == 2016


@pytest.mark.slow
def test_half_the_file_is_scored_unless_told_otherwise(forecast: Callable[..., Told]) -> None:
    assert json.loads(forecast(GOOD, "--json").out)["score"]["days"] == 42


def test_quarters_semicolons_and_a_chosen_column(forecast: Callable[..., Told]) -> None:
    lines = [line.replace(",", ";") for line in lines_of(20, timedelta(minutes=15))]
    lines[0] = "\ufeffwhen;site;roof"
    told = forecast(lines, "--column", "site", "--temperature", "roof", "--json")
    answer = json.loads(told.out)
    assert (answer["column"], answer["temperature"]) == ("site", "roof")
    assert answer["readings"]["step_s"] == 900
    assert answer["forecast"]["source"] == "same_hour_last_week"
    assert answer["score"] is None


def test_too_short_to_score_says_so(forecast: Callable[..., Told]) -> None:
    told = forecast(lines_of(20))
    assert told.code == 0
    assert "too short to score" in told.error
    assert "20 of the 70 days that the model needs" in told.out


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["forecast", "--help"])
    assert ended.value.code == 0
    assert "tidewatt forecast load.csv.gz" in capsys.readouterr().out


# --- files with faults ------------------------------------------------------------------------------------------------


def changed(line: int, text: str) -> Lines:
    """The good file with one line, counted as editors do, written otherwise."""
    return [text if number == line else each for number, each in enumerate(GOOD, start=1)]


@pytest.mark.parametrize(
    "lines, expected",
    [
        (changed(7, "2026-01-05 05:00,broken,3.0"), "load.csv:7: load_kw is 'broken'; a number, or nothing where it"),
        (changed(7, "2026-01-05 05:00,inf,3.0"), "load.csv:7: load_kw is 'inf'; a number"),
        (changed(7, "2026-01-05 05:00,21.0,mild"), "load.csv:7: temp_c is 'mild'; a number"),
        (changed(9, "05/01/2026 07:00,21.0,3.0"), "load.csv:9: '05/01/2026 07:00' is no time; write 2026-07-06 14:00"),
        (lines_of(5), "load.csv:1: load_kw: only 5 days with readings; a forecast needs at least 8, its model 70"),
        (GOOD[:2], "load.csv:1: load_kw: only one reading"),
        (GOOD[:1], "load.csv:1: load_kw: there are no readings of the load; give at least eight days"),
        (
            GOOD[0:1] + GOOD[1::24],
            "load.csv:1: load_kw: readings are 1 day, 0:00:00 apart; give readings of every hour",
        ),
        ([""], "load.csv:1: the header names nothing; a column of times and one of loads"),
        (
            [GOOD[0], *(line.replace(",", ",-", 1) if ",," not in line else line for line in GOOD[1:])],
            "load.csv:1: load_kw: 100% of the readings are negative: this meter also counts what is fed in",
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_line(forecast: Callable[..., Told], lines: Lines, expected: str) -> None:
    told = forecast(lines)
    assert told.code == 2
    assert told.out == ""
    assert told.error.startswith(expected)


def test_every_bad_line_is_told_at_once(forecast: Callable[..., Told]) -> None:
    lines = [*GOOD[:5], "yesterday,1,1", *GOOD[6:8], "2026-01-05 07:00,many,1", *GOOD[9:]]
    told = forecast(lines)
    assert [line.split(":")[1] for line in told.error.splitlines()[:2]] == ["6", "9"]
    assert told.error.splitlines()[2].startswith("2 problems")


@pytest.mark.parametrize(
    "options, expected",
    [
        (["--column", "kW"], "there is no column 'kW'; --column takes one of: time, load_kw, temp_c"),
        (["--temperature", "t"], "there is no column 't'; --temperature takes one of: time, load_kw, temp_c"),
    ],
)
def test_a_column_that_is_not_there(forecast: Callable[..., Told], options: list[str], expected: str) -> None:
    assert forecast(GOOD, *options).error.startswith(f"load.csv:1: {expected}")


def test_which_of_several_columns_is_asked(forecast: Callable[..., Told]) -> None:
    told = forecast(["when,north,south", *GOOD[1:]])
    assert told.error.startswith("load.csv:1: which column is the load?; --column takes one of: when, north, south")


@pytest.mark.parametrize("name, content", [("load.csv.gz", b"no gzip"), ("load.csv", b"time,load\n\xff\xfe,1\n")])
def test_a_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["forecast", str(tmp_path / name)]) == 3
    assert name in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", str(tmp_path / "none.csv")]) == 3
    assert "none.csv: No such file" in capsys.readouterr().err


def numbered(change: Callable[[int, str], str]) -> Lines:
    return [SHORT[0], *(change(number, line) for number, line in enumerate(SHORT[1:]))]


def valued(line: str, value: str) -> str:
    time, _, degrees = line.split(",")
    return f"{time},{value},{degrees}"


@pytest.mark.parametrize(
    "lines, expected",
    [
        (numbered(lambda n, line: valued(line, "") if n % 50 == 7 else line), "17 without a value"),
        ([line for n, line in enumerate(SHORT) if not 300 <= n < 348], "48 missing in all, 5.7%"),
        (numbered(lambda n, line: valued(line, "0") if 300 <= n < 330 else line), "30 zero, left out"),
        ([*SHORT[:100], *SHORT[90:]], "10 repeat a time, left out"),
        (numbered(lambda n, line: valued(line, "-4") if n in (50, 60) else line), "2 negative, left out"),
        (numbered(lambda n, line: valued(line, "9e5") if n == 700 else line), "1 far beyond all others, left out"),
        ([SHORT[0], *SHORT[101:200], *SHORT[1:101], *SHORT[200:]], "1 out of order, put in order"),
    ],
    ids=["holes", "missing rows", "zeros", "duplicates", "negative", "spike", "unordered"],
)
def test_what_was_put_right_is_told(forecast: Callable[..., Told], lines: Lines, expected: str) -> None:
    told = forecast(lines, "--weeks", "1")
    assert told.code == 0
    assert f"  {expected}" in told.out
    assert told.out.count("█") > 24


def test_a_constant_load_is_told(forecast: Callable[..., Told]) -> None:
    lines = [GOOD[0], *(valued(line, "5") if ",," not in line else line for line in GOOD[1:])]
    told = forecast(lines, "--weeks", "1")
    assert told.code == 0
    assert "is the meter stuck?" in told.out


# --- clocks -----------------------------------------------------------------------------------------------------------


def local_lines(start: datetime, days: int) -> Lines:
    """Written by a logger that follows summer time, without offsets."""
    history = building(days, zone=BERLIN, start=start)
    rows = zip(history.load.starts, history.load.values, strict=True)
    return [
        "time,load",
        *(
            f"{datetime.fromtimestamp(at / 1e6, UTC).astimezone(BERLIN):%Y-%m-%dT%H:%M},{value:.3f}"
            for at, value in rows
        ),
    ]


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_a_logger_that_follows_summer_time_loses_no_hour(forecast: Callable[..., Told], change: datetime) -> None:
    told = forecast(local_lines(change - timedelta(days=10), 20), "--zone", "Europe/Berlin", "--json")
    readings = json.loads(told.out)["readings"]
    assert readings == {
        "used": 480,
        "step_s": 3600.0,
        "missing": 0,
        "unknown": 0,
        "duplicates": 0,
        "negative": 0,
        "zeros": 0,
        "spikes": 0,
        "out_of_order": 0,
        "skipped_by_the_clock": 0,
    }


@pytest.mark.slow
def test_a_logger_that_stays_on_standard_time_is_found_out(forecast: Callable[..., Told]) -> None:
    told = forecast(GOOD, "--zone", "Europe/Berlin", "--weeks", "1")
    assert "1 at times that the clock skips when summer time begins, left out" in told.out
    assert "leave out --zone" in told.out


@pytest.mark.slow
def test_times_in_utc_are_shown_on_the_clock_of_the_zone(forecast: Callable[..., Told]) -> None:
    told = forecast(GOOD, "--zone", "Asia/Shanghai", "--utc", "--json")
    assert json.loads(told.out)["forecast"]["start"] == "2026-03-30T08:00:00+08:00"


def test_times_with_an_offset_need_no_zone(forecast: Callable[..., Told]) -> None:
    lines = numbered(lambda n, line: line.replace(",", "+08:00,", 1))
    answer = json.loads(forecast(lines, "--json").out)
    assert answer["forecast"]["start"] == (START + timedelta(days=35, hours=-8)).isoformat()


@pytest.mark.parametrize("options", [["--zone", "Mars/Olympus"], ["--weeks", "0"], ["--weeks", "two"]])
def test_options_that_make_no_sense(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["forecast", "load.csv", *options])
    assert ended.value.code == 2
    assert repr(options[1]) in capsys.readouterr().err
