"""Weather files: what is read, what is filled, what is refused."""

import gzip
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from simulator.weather import HOURS_PER_YEAR, Weather, hour_of_year, read_weather

ROOT = Path(__file__).resolve().parents[3]
HEADER = "month,day,hour_ending,temp_c,dewpoint_c,rh_pct,pressure_pa,ghi_wh_m2,dni_wh_m2,dhi_wh_m2"


def read(path: Path) -> Weather:
    return read_weather(path, latitude=22.54, longitude=114.06, utc_offset_h=8.0)


def typical_lines(temperature: Callable[[datetime], float], *, clock_hours: bool = False) -> Iterable[str]:
    for hour in range(HOURS_PER_YEAR):
        at = datetime(2019, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001 - local standard time of no zone
        number = at.hour if clock_hours else at.hour + 1
        instant = at if clock_hours else at + timedelta(hours=1)
        yield f"{at.month},{at.day},{number},{temperature(instant)},20,60,101300,0,0,0"


def write(path: Path, lines: Iterable[str]) -> Path:
    text = "\n".join((HEADER, *lines)) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def test_bundled_year_is_hot_and_humid() -> None:
    weather = read(ROOT / "config/weather/hot_humid_tmy3.csv.gz")
    assert len(weather.hours) == HOURS_PER_YEAR
    assert weather.temperatures() == [hour.temperature for hour in weather.hours]
    assert weather.irradiances() == [hour.irradiance for hour in weather.hours]
    mean = sum(hour.temperature for hour in weather.hours) / HOURS_PER_YEAR
    assert mean == pytest.approx(24.5, abs=0.2)
    assert max(hour.wet_bulb for hour in weather.hours) < 28.0
    assert all(hour.wet_bulb <= hour.temperature + 1e-6 and 0.1 <= hour.sky <= 1.0 for hour in weather.hours)
    noon = hour_of_year(date(2019, 7, 1)) + 12
    assert weather.hours[noon].irradiance > 300.0
    assert weather.hours[noon - 12].irradiance == 0.0


@pytest.mark.parametrize("name", ["year.csv", "year.csv.gz"])
@pytest.mark.parametrize("clock_hours", [False, True])
def test_hours_1_to_24_and_0_to_23_mean_the_same_instants(tmp_path: Path, name: str, clock_hours: bool) -> None:
    weather = read(write(tmp_path / name, typical_lines(lambda at: float(at.hour), clock_hours=clock_hours)))
    assert weather.at(24.0 * 10 + 15.0).temperature == 15.0
    assert weather.at(24.0 * 10 + 15.25).temperature == pytest.approx(15.25)


def test_year_joins_its_end(tmp_path: Path) -> None:
    weather = read(write(tmp_path / "year.csv", typical_lines(lambda at: 20.0 + at.month)))
    assert weather.at(HOURS_PER_YEAR - 0.5).temperature == pytest.approx(0.5 * (32.0 + 21.0))
    assert hour_of_year(date(2028, 2, 29)) == hour_of_year(date(2028, 2, 28))


def test_dated_record_is_folded_and_its_gaps_filled(tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    lines = ["timestamp,temp_c,rh_pct,ghi_w_m2"]
    for hour in range(60 * 24):
        at = datetime(2020, 6, 1) + timedelta(hours=hour)  # noqa: DTZ001 - local standard time of no zone
        lines.append(f"{at},{'' if hour == 30 else 10 + at.hour},70,0")
    path.write_text("\n".join(lines), encoding="utf-8")
    weather = read(path)
    assert weather.at(hour_of_year(date(2019, 6, 2)) + 6.0).temperature == 16.0  # the gap: same hour, nearest day
    assert weather.at(hour_of_year(date(2019, 12, 2)) + 5.0).temperature == 15.0


@pytest.mark.parametrize(
    "line,text",
    [
        ("1,1,10,warm,20,60,101300,0,0,0", r":10: temp_c is 'warm'; expected a number"),
        ("13,1,10,20,20,60,101300,0,0,0", r":10: month is 13; expected a value from 1 to 12"),
        ("2,30,10,20,20,60,101300,0,0,0", r":10: day is 30 in month 2; expected a day"),
        ("1,1.5,10,20,20,60,101300,0,0,0", r":10: day is '1.5'; expected a whole number"),
        ("1,1,10,200,20,60,101300,0,0,0", r":10: temp_c is 200; expected a value from -60 to 60"),
        ("1,1,10,20", r":10: 4 fields; expected 10 fields"),
        ("1,1,10,20,20,60,101300,0,0,0", r":1: 9 complete hours; expected at least 24 hours"),
    ],
)
def test_bad_line_says_its_number_and_what_would_be_right(tmp_path: Path, line: str, text: str) -> None:
    path = write(tmp_path / "bad.csv", [*list(typical_lines(lambda at: 20.0))[:8], line])
    with pytest.raises(ValueError, match=text):
        read(path)


@pytest.mark.parametrize(
    "header,text",
    [
        ("a,b", r":1: no column timestamp, or month, day and hour_ending; expected the columns found \(a, b\)"),
        ("month,day,hour_ending,temp_c,rh_pct", r"no column ghi_wh_m2 or ghi_w_m2"),
        ("hour_ending,temp_c,rh_pct,ghi_wh_m2", r"no columns month and day"),
        ("", r":1: the file is empty; expected a header line"),
        ("timestamp;temp_c;rh_pct", r":1: the columns are separated by semicolons; expected commas"),
    ],
)
def test_bad_header_says_what_is_missing(tmp_path: Path, header: str, text: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(header, encoding="utf-8")
    with pytest.raises(ValueError, match=text):
        read(path)


def dated(*changed: tuple[int, str], humidity: str = "70") -> list[str]:
    """Two days; some lines otherwise, by their number in the file."""
    lines = ["timestamp,temp_c,rh_pct,ghi_w_m2"]
    lines += [f"2020-06-0{1 + hour // 24} {hour % 24:02}:00,{20 + hour % 24},{humidity},0" for hour in range(48)]
    for number, line in changed:
        lines[number - 1] = line
    return lines


@pytest.mark.parametrize(
    "lines,text",
    [
        (dated((10, "2020-06-01 07:00,5,70,0")), r":10: timestamp 2020-06-01 07:00 stands on line 9 with other read"),
        (dated((10, "2020-06-01T08:00Z,28,70,0")), r":10: timestamp '2020-06-01T08:00Z' names a zone; expected local"),
        (dated(humidity="0.7"), r":1: rh_pct is never above 1; expected relative humidity in percent"),
    ],
)
def test_what_no_single_reading_betrays_is_told(tmp_path: Path, lines: list[str], text: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=text):
        read(path)


def test_a_line_that_is_there_twice_alike_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("\n".join([*dated(), dated()[8]]), encoding="utf-8")
    assert read(path).at(hour_of_year(date(2019, 6, 1)) + 7.0).temperature == 27.0


@pytest.mark.parametrize(
    "name,data,text",
    [
        (
            "gbk.csv",
            "timestamp,temp_c\n2020-06-01,温度\n".encode("gbk"),
            ":2: is not UTF-8; expected a file that was sav",
        ),
        ("half.csv.gz", gzip.compress(b"timestamp,temp_c\n" * 99)[:40], "a gzip file that is not whole"),
        ("no.csv.gz", b"timestamp,temp_c\n", "cannot be read"),
    ],
)
def test_bytes_that_are_no_text_are_told(tmp_path: Path, name: str, data: bytes, text: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=text):
        read(tmp_path / name)


def test_missing_file_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path / "none.csv")
