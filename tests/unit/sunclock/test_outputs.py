"""What people and programs get: CSV, calendar, pictures, the page for the wall, and the words of a message."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from controller.app import main
from controller.core.strategy import Position
from controller.core.terrain import dark_limit
from controller.sunclock import calendar_file, messages, times_csv
from controller.sunclock.picture import board, site_picture
from controller.sunclock.places import Place
from controller.sunclock.robot import parts
from controller.sunclock.sun_times import Day, Event, day, timelines
from controller.sunclock.wall_page import as_html

NOW = datetime(2026, 3, 19, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def place(name: str, name_zh: str, latitude: float, longitude: float, zone: str) -> Place:
    return Place(name, name_zh, ZoneInfo(zone), Position(latitude, longitude), dark_limit(30.0))


SHANGHAI = place("Shanghai <A> & B", "上海", 31.2304, 121.4737, "Asia/Shanghai")
TROMSO = place("Tromso, north", "特罗姆瑟", 69.6492, 18.9553, "Europe/Oslo")
SYDNEY = place("Sydney", "Sydney", -33.87, 151.21, "Australia/Sydney")


def days(*places: Place, on: str = "2026-03-20") -> list[Day]:
    return [day(timeline, 0) for timeline in timelines(places, date.fromisoformat(on), 2)]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


# --- CSV --------------------------------------------------------------------------------------------------------------


def rows(places: Sequence[Place], first: str, count: int) -> list[dict[str, str]]:
    found = timelines(places, date.fromisoformat(first), count)
    return list(csv.DictReader(io.StringIO("".join(times_csv.lines(found)))))


def test_csv_has_a_line_a_place_and_day_in_local_time() -> None:
    found = rows([SHANGHAI, TROMSO], "2026-03-28", 3)
    assert [(row["name"], row["date"]) for row in found][2:4] == [
        ("Shanghai <A> & B", "2026-03-30"),
        ("Tromso, north", "2026-03-28"),
    ]
    for row, (each,) in zip(found, (days(SHANGHAI, on=f"2026-03-{nth}") for nth in (28, 29, 30)), strict=False):
        for event, moments in each.times.items():
            assert row[event] == " ".join(f"{each.local(moment):%H:%M:%S}" for moment in moments)
        assert float(row["lit_hours"]) == pytest.approx(each.lit_hours, abs=0.001)
    # Across the change of clocks, too.
    (changed,) = days(TROMSO, on="2026-03-29")
    assert found[4]["sunset"] == f"{changed.local(changed.times[Event.SUNSET][0]):%H:%M:%S}"


def test_csv_of_the_polar_seasons_leaves_cells_empty() -> None:
    (night,) = rows([TROMSO], "2026-12-21", 1)
    assert (night["season"], night["sunrise"], night["sunset"]) == ("polar_night", "", "")
    (midsummer,) = rows([TROMSO], "2026-06-21", 1)
    assert (midsummer["season"], midsummer["lit_hours"]) == ("polar_day", "0.000")


def test_an_event_that_falls_twice_on_a_date_stands_twice() -> None:
    """Where the summer sun sets around midnight there is a date with two sunsets."""
    found = rows([TROMSO], "2026-05-01", 100)
    doubles = [row for row in found for name in ("sunset", "lamps_on", "dusk") if " " in row[name]]
    assert doubles


def test_a_name_is_no_formula() -> None:
    (row,) = rows([place("=1+1", "x", 31.0, 121.0, "Asia/Shanghai")], "2026-03-20", 1)
    assert row["name"] == "'=1+1"


# --- calendar ---------------------------------------------------------------------------------------------------------


def test_the_calendar_has_every_night_once_with_both_alarms() -> None:
    text = "".join(calendar_file.lines(timelines([SHANGHAI, SYDNEY], date(2026, 1, 1), 365), NOW, "zh"))
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    identities = re.findall(r"UID:(\S+)", unfolded)
    assert len(identities) == len(set(identities)) == 2 * 365
    assert unfolded.count("TRIGGER;RELATED=END:PT0S") == 2 * 365
    assert "SUMMARY:亮灯：上海" in unfolded
    starts, ends = (re.findall(rf"DT{name}:(\d{{8}}T\d{{6}}Z)", unfolded) for name in ("START", "END"))
    (each,) = days(SHANGHAI)
    assert f"{each.times[Event.LAMPS_ON][0]:%Y%m%dT%H%M%SZ}" in starts
    assert f"{each.times[Event.LAMPS_OFF][0]:%Y%m%dT%H%M%SZ}" in ends


def test_a_calendar_made_again_replaces_its_nights() -> None:
    made = [
        re.findall(r"UID:(\S+)", "".join(calendar_file.lines(timelines([SHANGHAI], date(2026, 1, day), 30), NOW, "en")))
        for day in (1, 2)
    ]
    assert made[0][1:] == made[1][:-1]


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_a_picture_tells_both_switchings_and_how_they_shift() -> None:
    (each,) = days(SHANGHAI)
    told = texts(site_picture(each, 30.0))
    on, off = each.local(each.times[Event.LAMPS_ON][0]), each.local(each.times[Event.LAMPS_OFF][0])
    assert "Shanghai <A> & B" in told
    assert "上海" in told
    assert f"{on:%H:%M}" in told
    # To the minute, lamps go off after their time, never before.
    assert any(shown >= f"{off:%H:%M}" for shown in told if re.fullmatch(r"0[56]:\d\d", shown))
    assert "tomorrow: 1 min earlier" in told
    assert "明天：早 1 分钟" in told
    assert any(text.startswith("sunset 日落 18:") for text in told)


def test_a_picture_of_the_polar_day_says_that_lamps_stay_off() -> None:
    (each,) = days(TROMSO, on="2026-06-21")
    told = texts(site_picture(each, 30.0))
    assert told.count("off all day 全天不亮") == 2
    assert any("polar day" in text and "极昼" in text for text in told)


def test_the_page_for_the_wall_has_thirty_places_a_sheet_in_both_languages() -> None:
    places = [place(f"Estate {nth}", f"小区{nth}", 31.0 + nth / 10, 121.0, "Asia/Shanghai") for nth in range(31)]
    page = as_html(days(*places), 30.0, "en")
    assert page.count("<section>") == 2
    for words in ("Outdoor lamps: when they go on and off", "室外灯开关时刻", "Estate 30", "小区30", "星期五"):
        assert words in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_long_name_is_cut() -> None:
    (each,) = days(place("很长的名字" * 10, "x", 31.0, 121.0, "Asia/Shanghai"))
    assert "很长的名字很长的名字很长的名字…" in texts(board([each], 30.0))


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_message_has_a_line_a_place_with_its_link() -> None:
    found = days(SHANGHAI, SYDNEY)
    (content,) = messages.times(found, {"Sydney": "https://lamps.example.org/done/abc"}, is_markdown=True)
    lines = content["markdown"]["content"].splitlines()
    assert len(lines) == 3
    assert "[完成 done](https://lamps.example.org/done/abc)" in lines[2]
    assert "(A)" in lines[1]
    assert "开灯 lamps on 18:" in lines[1]


def test_many_places_are_several_messages_within_the_robots_limit() -> None:
    places = [place(f"Estate {nth}", f"小区{nth}", 31.0, 121.0, "Asia/Shanghai") for nth in range(60)]
    found = days(*places)
    for is_markdown, most in ((True, 4096), (False, 2048)):
        contents = messages.times(found, {}, is_markdown=is_markdown)
        assert len(contents) > 1
        kind = "markdown" if is_markdown else "text"
        assert all(len(each[kind]["content"].encode()) <= most for each in contents)
        assert sum(each[kind]["content"].count("Estate ") for each in contents) == 60
    assert parts("h", [], 10) == []


# --- the command ------------------------------------------------------------------------------------------------------


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["sunclock", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    file = tmp_path / "places.csv"
    file.write_text(
        "name,latitude,longitude,time_zone\nShanghai,31.2304,121.4737,Asia/Shanghai\nX,121,31,Asia/Shanghai\n"
    )
    return file


def test_the_command_prints_writes_and_tells_what_it_left_out(
    listed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    outputs = ("--csv", f"{tmp_path}/t.csv", "--calendar", f"{tmp_path}/t.ics", "--page", f"{tmp_path}/t.html")
    code, out, err = command(capsys, str(listed), "--date", "2026-03-20", "--pictures", f"{tmp_path}/p", *outputs)
    assert code == 2
    assert out.splitlines() == [f"{tmp_path}/{name}" for name in ("t.csv", "t.ics", "p", "t.html")]
    assert err.startswith(f"{listed}:3: latitude 121 is beyond 90")
    assert err.splitlines()[-1] == "left out: 1 line; done: 1 place"
    assert (tmp_path / "p" / "00001_Shanghai.svg").is_file()
    assert "Shanghai,2026-03-20,normal,05:3" in (tmp_path / "t.csv").read_text()


def test_the_command_prints_a_table_or_json(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = command(capsys, str(listed), "--date", "2026-03-20", "--days", "2", "--json")
    first, second = json.loads(out)
    assert first["lamps_on"][0].startswith("2026-03-20T18:2")
    assert second["date"] == "2026-03-21"
    assert first["off_later_tomorrow_s"] < 0
    _, out, _ = command(capsys, str(listed), "--date", "2026-03-20")
    assert "Shanghai" in out


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--date", "2026-13-01"], "'2026-13-01' is no date"),
        (["--date", "1492-10-12"], "1492 is out of range"),
        (["--days", "0"], "'0' is no number of days from 1 to 3660"),
        (["--light", "dim"], "'dim' is no light from 5 to 200 lx"),
    ],
)
def test_a_wrong_option_is_told(
    listed: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sunclock", str(listed), *arguments])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_list_of_nothing_but_bad_lines_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "places.csv"
    file.write_text("name,latitude,longitude,time_zone\n" + "".join(f"A{nth},1,2,Mars\n" for nth in range(300)))
    code, out, err = command(capsys, str(file), "--date", "2026-03-20")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 101


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--tasks", "t.db"], "--tasks and --answers belong together"),
        (["--tasks", "t.db", "--answers", "http://a"], "--tasks asks people by --push"),
        (["--tasks", "t.db", "--answers", "lamps", "--push", "env:X"], "--answers: 'lamps' begins neither with http"),
        (["--push", "env:TIDEWATT_NO_ROBOT"], "the environment variable TIDEWATT_NO_ROBOT is not set"),
        (["--push", "file:/nowhere/robot"], "/nowhere/robot cannot be read"),
        (["--push", "https://robot.example.org/?key=secret"], "env:NAME or file:PATH, never by itself"),
        (["--png"], "--png is for --pictures"),
    ],
)
def test_what_does_not_fit_together_is_told(
    listed: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, _, err = command(capsys, str(listed), "--date", "2026-03-20", *arguments)
    assert code == 3
    assert told in err
    assert "secret" not in err.replace("a secret is", "")


def test_without_its_program_png_is_told_and_everything_else_works(
    listed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pictures = (str(listed), "--date", "2026-03-20", "--pictures", f"{tmp_path}/p")
    code, _, err = command(capsys, *pictures, "--png")
    assert (code, "rsvg-convert is not installed; on Debian: apt-get install librsvg2-bin" in err) == (3, True)
    assert command(capsys, *pictures)[0] == 2
    assert (tmp_path / "p" / "00001_Shanghai.svg").is_file()
