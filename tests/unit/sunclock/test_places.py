"""Lists of places as people deliver them: what is read, and what is told of the rest."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.errors import ConfigError
from controller.sunclock.places import Places, read_places
from tests.sweep import examples

HEADER = "name,latitude,longitude,time_zone\n"


def places(folder: Path, text: str | bytes) -> Places:
    file = folder / "places.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_places(file, 2026)


def told(found: Places) -> list[str]:
    return [f"{problem.line}: {problem.wrong}; {problem.right}" for problem in found.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_from_excel_is_read(tmp_path: Path, encoding: str) -> None:
    text = "名称;纬度;经度;时区;海拔;关灯延后\r\n人民广场;31.2304;121.4737;Asia/Shanghai;4;10\r\n"
    (place,) = places(tmp_path, text.encode(encoding)).found
    assert (place.name, place.position.latitude, place.position.elevation) == ("人民广场", 31.2304, 4.0)
    assert (place.off_later, place.on_earlier) == (600.0, 0.0)


@pytest.mark.parametrize(
    "line, expected",
    [
        ("A,121.47,31.23,Asia/Shanghai", "they look swapped; write latitude 31.23, longitude 121.47"),
        ("A,91,120,Asia/Shanghai", "latitude 91 is out of range; degrees from -90 to 90"),
        ("A,31,181,Asia/Shanghai", "longitude 181 is out of range; degrees from -180 to 180"),
        ("A,31°,121,Asia/Shanghai", "latitude '31°' is no number"),
        ("A,,121,Asia/Shanghai", "the latitude is missing"),
        ("A,nan,121,Asia/Shanghai", "latitude 'nan' is no number"),
        ("A,31,121,Asia/Shangai", "the time zone 'Asia/Shangai' does not exist; did you mean 'Asia/Shanghai'?"),
        ("A,31,121,../etc/passwd", "does not exist; write a name of the IANA time zone database"),
        ("A,31,121", "the time zone is missing"),
        (",31,121,Asia/Shanghai", "the name is missing"),
        ("Good,31,121,Asia/Shanghai", "the name 'Good' stands twice; see line 2"),
        (f"{'A' * 81},31,121,Asia/Shanghai", "is too long"),
    ],
)
def test_a_bad_line_is_told_and_the_rest_is_done(tmp_path: Path, line: str, expected: str) -> None:
    found = places(tmp_path, f"{HEADER}Good,31,121,Asia/Shanghai\n{line}\nLast,31,122,Asia/Shanghai\n")
    assert [place.name for place in found.found] == ["Good", "Last"]
    (problem,) = told(found)
    assert problem.startswith("3: ")
    assert expected in problem


@pytest.mark.parametrize("cells, column", [("20000,0,0", "altitude"), ("0,-5,0", "on_earlier"), ("0,0,x", "off_later")])
def test_offsets_may_only_lengthen(tmp_path: Path, cells: str, column: str) -> None:
    header = "name,latitude,longitude,time_zone,altitude,on_earlier,off_later\n"
    (problem,) = told(places(tmp_path, f"{header}A,31,121,Asia/Shanghai,{cells}\n"))
    assert column in problem


@pytest.mark.parametrize(
    "line, warned",
    [
        ("A,52.52,13.405,Europe/Berlin", None),
        ("A,13.405,52.52,Europe/Berlin", "Europe/Berlin is UTC+1 h, but longitude 52.52 lies at UTC+3.5 h"),
        ("A,43.8,87.6,Asia/Shanghai", None),
        ("A,43.8,-87.6,Asia/Shanghai", "Asia/Shanghai is UTC+8 h, but longitude -87.6 lies at UTC-5.8 h"),
        ("A,1.87,-157.4,Pacific/Kiritimati", None),
        ("A,-13.8,-171.8,Pacific/Apia", None),
        ("A,42.2,-8.7,Europe/Madrid", None),
    ],
)
def test_a_zone_beside_its_longitude_is_warned_of_with_both(tmp_path: Path, line: str, warned: str | None) -> None:
    found = places(tmp_path, f"{HEADER}{line}\n")
    assert len(found.found) == 1
    assert [warned in problem.wrong for problem in found.warnings if warned] == [True] * (warned is not None)
    assert len(found.warnings) == (warned is not None)


def test_twelve_bad_lines_of_ten_thousand_are_told_and_the_rest_is_done(tmp_path: Path) -> None:
    lines = [f"P{nth},{nth % 60},{nth % 170},{f'Etc/GMT-{round(nth % 170 / 15)}'}" for nth in range(10_000)]
    for nth in range(12):
        lines[nth * 800 + 5] = f"X{nth},100,200,Asia/Shanghai"
    found = places(tmp_path, HEADER + "\n".join(lines))
    assert len(found.found) == 9988
    assert [problem.line for problem in found.problems] == [nth * 800 + 7 for nth in range(12)]


def test_a_column_of_nothing_but_unknown_zones_is_told_soon(tmp_path: Path) -> None:
    found = places(tmp_path, HEADER + "".join(f"A{nth},1,2,Asia/Shanghay{nth}\n" for nth in range(2000)))
    assert len(found.problems) == 2000
    assert found.problems[0].right == "did you mean 'Asia/Shanghai'?"
    assert found.problems[-1].right.startswith("write a name of the IANA time zone database")


def test_a_horizon_is_read_beside_the_list_and_its_gaps_are_told(tmp_path: Path) -> None:
    (tmp_path / "hills.txt").write_text("\n".join(f"{azimuth} 12" for azimuth in range(0, 360, 15)))
    (tmp_path / "gap.txt").write_text("0 1\n90 2\n180 3\n270 4\n")
    header = "name,latitude,longitude,time_zone,horizon\n"
    lines = [f"{name},31,121,Asia/Shanghai,{name}.txt\n" for name in ("hills", "gap", "missing")]
    found = places(tmp_path, header + "".join(lines))
    (place,) = found.found
    assert place.terrain is not None
    assert place.terrain.angles == (12.0,) * 360
    assert isinstance(place.dark, tuple)
    gap, missing = told(found)
    assert gap.startswith("3: horizon gap.txt:")
    assert "gap between azimuth 270° and 0°; give an angle every 15°" in gap
    assert missing.startswith("4: the horizon 'missing.txt' is no file")


@given(st.lists(st.text(max_size=12), max_size=6).map(",".join), st.binary(max_size=30))
@examples(40)
def test_whatever_stands_in_a_list_is_told_or_read(line: str, rest: bytes) -> None:
    with TemporaryDirectory() as folder:
        raw = f"{HEADER}Good,31,121,Asia/Shanghai\n{line}\n".encode("utf-8", "ignore") + rest
        found = Places()
        with suppress(ConfigError):
            found = places(Path(folder), raw)
        assert all(math.isfinite(place.position.latitude) for place in found.found)
        assert all(problem.wrong and problem.right for problem in found.problems)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("name,latitude,longitude\nA,1,2\n", "the column time_zone is missing"),
        ("name,latitude,longitude,time_zone,hight\nA,1,2,UTC,3\n", "there is no column 'hight'"),
        (HEADER, "there is no place below the header"),
        ("name,name,latitude,longitude,time_zone\nA,B,1,2,UTC\n", "the column name stands twice"),
    ],
)
def test_a_bad_header_is_told(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        places(tmp_path, text)
