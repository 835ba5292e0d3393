"""The check sheet as people get it: complete, in both languages, harmless to open."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controller.core.commissioning import Item, Record, Result, Standing, Status, standings
from controller.core.commissioning_items import items_of
from controller.core.text import Language
from controller.reports.commissioning_sheet import Head, as_csv, as_html, counted
from tests.real_bench import RealBench

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = Head("Tower <A> & co", "e4b9d405f002", SHANGHAI, datetime(2026, 11, 21, 2, 0, tzinfo=UTC))


def found(item: Item, result: Result, note: str = "", configuration: str | None = None) -> Record:
    at = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    return Record(at, item.id, result, "李娜", "6.9 degC", note, configuration or item.configuration)


@pytest.fixture
def sheet(tmp_path: Path) -> list[Standing]:
    items = items_of(RealBench(tmp_path).site())
    return standings(
        items,
        [
            found(items[0], Result.PASSED),
            found(items[1], Result.FAILED, "<script>alert(1)</script>"),
            found(items[2], Result.PASSED, configuration="another"),
            found(items[3], Result.PASSED, '=HYPERLINK("http://elsewhere")'),
        ],
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_item_is_on_the_page_with_what_was_found(sheet: list[Standing], language: Language) -> None:
    page = as_html(HEAD, sheet, language).replace("<wbr>", "")
    assert all(each.item.id in page for each in sheet)
    assert "李娜" in page
    assert "2026-11-20 18:00" in page, "in the site's time"
    assert page.count('class="line"') == 3, "lines to sign on"
    assert f'class="{Status.CHANGED}"' in page


def test_the_page_comes_from_nowhere_else_and_runs_nothing(sheet: list[Standing]) -> None:
    page = as_html(HEAD, sheet, "en")
    assert "A4 landscape" in page
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", page)
    assert "Tower &lt;A&gt; &amp; co" in page


def test_the_page_speaks_one_language(sheet: list[Standing]) -> None:
    english = as_html(HEAD, sheet, "en").replace("李娜", "")
    style, _, body = english.partition("</style>")
    assert not re.search(r"[\u4e00-\u9fff]", body)
    chinese = as_html(HEAD, sheet, "zh")
    assert '<html lang="zh-CN">' in chinese
    assert "联锁检查表" in chinese
    assert style


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_opens_in_a_spreadsheet(sheet: list[Standing], language: Language) -> None:
    text = as_csv(sheet, SHANGHAI, language)
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(sheet) + 1
    assert {len(row) for row in rows} == {8}
    assert [row[0] for row in rows[1:]] == [each.item.id for each in sheet]
    assert rows[4][7].startswith("'="), "a note is no formula"
    assert rows[1][4] == "6.9 degC"


def test_what_is_open_is_counted(sheet: list[Standing]) -> None:
    total = len(sheet)
    assert counted(sheet, "en") == f"2 of {total} items passed, 1 failed, {total - 3} open"
    assert counted(sheet, "zh") == f"共 {total} 项：通过 2，未通过 1，待测 {total - 3}"
