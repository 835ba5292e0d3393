"""Load records: how any day finds its load, when it is scaled, what is refused."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from simulator.load import LoadRecord, fitted, read_loads


def lines(start: str, days: int, *, minutes: int = 60) -> Iterable[str]:
    """Load: day of the month times 10, plus the hour."""
    at = datetime.fromisoformat(start)
    for _ in range(days * 24 * 60 // minutes):
        yield f"{at},{at.day * 10 + at.hour}"
        at += timedelta(minutes=minutes)


def record(tmp_path: Path, start: str, days: int, *, column: str = "load_kw_th", minutes: int = 60) -> LoadRecord:
    path = tmp_path / "load.csv"
    path.write_text("\n".join((f"timestamp,{column}", *lines(start, days, minutes=minutes))), encoding="utf-8")
    loads = read_loads(path)
    found = loads.cooling if column == "load_kw_th" else loads.electricity
    assert found is not None
    return found


def at(load: LoadRecord, day: str, hour: float) -> float:
    return load.at(date.fromisoformat(day).toordinal(), hour * 3600.0)


def test_recorded_day_is_taken_as_it_was(tmp_path: Path) -> None:
    load = record(tmp_path, "2019-08-01", 20)
    assert at(load, "2019-08-05", 14.9) == 64.0


def test_other_year_takes_the_same_season_and_weekday(tmp_path: Path) -> None:
    load = record(tmp_path, "2019-08-01", 20)
    # Wednesday 2026-08-12; 2019-08-12 was a Monday, the Wednesday near it the 14th
    assert at(load, "2026-08-12", 3.0) == 143.0


def test_season_without_record_takes_the_mean_of_its_kind_of_day(tmp_path: Path) -> None:
    load = record(tmp_path, "2019-08-05", 14)  # two whole weeks, Monday the 5th to Sunday the 18th
    assert at(load, "2026-01-10", 3.0) == (100 + 170) / 2 + 3.0  # a Saturday: the 10th and the 17th


def test_electricity_in_the_interval_becomes_power(tmp_path: Path) -> None:
    load = record(tmp_path, "2019-08-01", 10, column="load_kwh", minutes=30)
    assert at(load, "2019-08-05", 14.0) == 2 * 64.0
    assert at(load, "2019-08-05", 14.6) == 2 * 64.0


def test_scaled_only_where_the_peak_exceeds_the_plant_and_says_so(tmp_path: Path) -> None:
    load = record(tmp_path, "2019-08-01", 20)
    assert load.peak() == 223.0
    assert fitted(load, 223.0) is load
    smaller = fitted(load, 111.5)
    assert smaller.peak() == pytest.approx(111.5)
    assert "scaled by 0.500" in smaller.note


@pytest.mark.parametrize(
    "text,problem",
    [
        ("timestamp,load\n2019-01-01,1", ":1: columns are timestamp, load; expected timestamp with load_kw_th"),
        ("timestamp,load_kwh\nyesterday,1", ":2: timestamp is 'yesterday'; expected local standard time"),
        ("timestamp,load_kwh\n2019-01-01,-5", ":2: load_kwh is -5; expected a value from 0"),
        ("timestamp,load_kwh\n2019-01-01,5", "1 readings of load_kwh; expected at least 24"),
        (
            "timestamp,load_kwh\n2019-10-27 02:00,5\n2019-10-27 03:00,5\n2019-10-27 02:00,6",
            ":4: timestamp 2019-10-27 02:00 stands on line 2 with other readings; expected each time once",
        ),
        (
            "timestamp,load_kwh\n" + "\n".join(f"2019-01-{day:02},5" for day in range(1, 31)),
            "one reading every 86400 s; expected readings at most an hour apart",
        ),
        (
            "timestamp,load_kwh\n"
            + "\n".join(f"2019-01-{day:02} {hour:02}:00,5" for day in (1, 2, 3) for hour in range(12)),
            "no complete day",
        ),
    ],
)
def test_bad_file_says_line_and_what_would_be_right(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        read_loads(path)
