"""The check sheet of a site: what is to be tested, what was found, by whom. As a table of texts, as CSV, as a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.commissioning import ItemKind, Standing, Status
from controller.core.text import Language, Text
from controller.reports.page import breakable, document

COLUMNS = (
    Text("item", "项目"),
    Text("required for", "前提"),
    Text("test", "测试内容"),
    Text("status", "状态"),
    Text("measured", "实测"),
    Text("by", "测试人"),
    Text("when", "时间"),
    Text("note", "备注"),
)
KINDS = {
    ItemKind.READING: Text("reading", "读数"),
    ItemKind.COMMAND: Text("command", "命令"),
    ItemKind.RELEASE: Text("release", "释放"),
    ItemKind.SILENCE: Text("silence", "失联"),
    ItemKind.PERMISSIVE: Text("permissive", "联锁"),
    ItemKind.EXCLUSION: Text("exclusion", "互斥"),
    ItemKind.FIRE: Text("fire", "消防联动"),
    ItemKind.HAND_BACK: Text("hand back", "交还"),
}
STATUSES = {
    Status.OPEN: Text("open", "待测"),
    Status.CHANGED: Text("open: changed since", "待测：配置已变"),
    Status.PASSED: Text("passed", "通过"),
    Status.FAILED: Text("failed", "未通过"),
}


class Head(NamedTuple):
    """Of the sheet. digest: of the whole configuration. now: when it was made."""

    site: str
    digest: str
    zone: ZoneInfo
    now: datetime


class Row(NamedTuple):
    item: str
    required_for: str
    test: str
    status: str
    measured: str
    by: str
    when: str
    note: str


def row(standing: Standing, zone: ZoneInfo, language: Language) -> Row:
    item, record = standing.item, standing.record
    when = "" if record is None else f"{record.at.astimezone(zone):%Y-%m-%d %H:%M}"
    return Row(
        item.id,
        " ".join(sorted(item.required_by)),
        item.test.in_language(language),
        STATUSES[standing.status].in_language(language),
        "" if record is None else record.measured,
        "" if record is None else record.who,
        when,
        "" if record is None else record.note,
    )


def counted(standings: Sequence[Standing], language: Language) -> str:
    """12 of 96 items passed, 1 failed, 83 open"""
    of = {status: sum(each.status is status for each in standings) for status in Status}
    still_open = of[Status.OPEN] + of[Status.CHANGED]
    words = Text(
        "{passed} of {all} items passed, {failed} failed, {open} open",
        "共 {all} 项：通过 {passed}，未通过 {failed}，待测 {open}",
    )
    return words.in_language(language).format(
        passed=of[Status.PASSED], all=len(standings), failed=of[Status.FAILED], open=still_open
    )


def as_csv(standings: Sequence[Standing], zone: ZoneInfo, language: Language) -> str:
    """With the mark by which Excel knows UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([each.in_language(language) for each in COLUMNS])
    writer.writerows(map(_defused, (row(each, zone, language) for each in standings)))
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + text.getvalue()


def _defused(cells: Sequence[str]) -> list[str]:
    """A note is never a formula to whoever opens the sheet."""
    return [f"'{cell}" if cell.startswith(("=", "+", "@", "-")) and not _is_number(cell) else cell for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell.split(" ", 1)[0])
    except ValueError:
        return False
    return True


# --- the page ---------------------------------------------------------------------------------------------------------

_TITLE = Text("Point-to-point and interlock check sheet", "点对点及联锁检查表")
_MADE = Text("printed {when}; configuration {digest}", "打印于 {when}；配置摘要 {digest}")
_EXPLAINED = Text(
    "A test counts for the configuration that it was made on; an item whose configuration has changed since is open "
    "again. The tests of a system must have passed before Tidewatt may have it.",
    "测试结果仅对当时的配置有效；配置改变后该项须重新测试。系统所列各项全部通过后，方可交由 Tidewatt 控制。",
)
_OTHERS = Text("Other points", "其他点")
_SYSTEM = Text("System {}", "系统 {}")
_SIGNED = (
    Text("Tested by", "测试人"),
    Text("For the contractor", "施工方"),
    Text("For the operator of the building", "业主方"),
)
_SIGNATURE = Text("name, signature, date", "姓名、签字、日期")

_STYLE = """
@page { size: A4 landscape; margin: 12mm; }
h1 { font-size: 14pt; margin: 0 0 2mm; } h2 { font-size: 11pt; margin: 5mm 0 1mm; break-after: avoid; }
.item { width: 21%; } .test { width: 27%; } .status { width: 9%; } .measured { width: 9%; } .by { width: 9%; }
.when { width: 9%; }
.passed { background: #e4f2e4; } .failed { background: #f8dcdc; font-weight: bold; } .changed { background: #fdf1d8; }
.kind { color: #555; } .signatures { margin-top: 10mm; display: flex; gap: 8mm; break-inside: avoid; }
.signatures div { flex: 1; } .line { border-bottom: 0.6pt solid #000; height: 12mm; }
"""


def as_html(head: Head, standings: Sequence[Standing], language: Language) -> str:
    """A page of its own for A4 landscape, with lines to sign on; nothing in it comes from elsewhere."""

    def say(text: Text) -> str:
        return escape(text.in_language(language))

    when = f"{head.now.astimezone(head.zone):%Y-%m-%d %H:%M}"
    made = _MADE.in_language(language).format(when=when, digest=head.digest)
    sections = "".join(_section(title, part, head.zone, language) for title, part in _parts(standings, language))
    signatures = "".join(
        f'<div>{say(each)}<div class="line"></div><span class="small">{say(_SIGNATURE)}</span></div>'
        for each in _SIGNED
    )
    title = f"{head.site}: {_TITLE.in_language(language)}"
    body = (
        f"<h1>{escape(title)}</h1>\n<p>{escape(counted(standings, language))}</p>\n"
        f'<p class="small">{escape(made)}</p>\n<p class="small">{say(_EXPLAINED)}</p>\n'
        f'{sections}<div class="signatures">{signatures}</div>\n'
    )
    return document(title, language, _STYLE, body)


def _parts(standings: Sequence[Standing], language: Language) -> list[tuple[str, list[Standing]]]:
    """By the systems that require them, in the order of the first; what several require stands under the first."""
    parts: dict[str, list[Standing]] = {}
    for standing in standings:
        first = min(standing.item.required_by, default="")
        parts.setdefault(first, []).append(standing)
    others = parts.pop("", None)
    titled = [(_SYSTEM.in_language(language).format(system), part) for system, part in parts.items()]
    return titled if others is None else [*titled, (_OTHERS.in_language(language), others)]


def _section(title: str, standings: Sequence[Standing], zone: ZoneInfo, language: Language) -> str:
    names = ("item", "test", "status", "measured", "by", "when", "note")
    columns = dict(zip(Row._fields, COLUMNS, strict=True))
    heads = "".join(f'<th class="{name}">{escape(columns[name].in_language(language))}</th>' for name in names)
    lines = "".join(_line(each, row(each, zone, language), language) for each in standings)
    return f"<h2>{escape(title)}</h2>\n<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody></table>\n"


def _line(standing: Standing, cells: Row, language: Language) -> str:
    item = standing.item
    kind = f'<span class="kind">{escape(KINDS[item.kind].in_language(language))}</span>'
    rest = (cells.measured, cells.by, cells.when, cells.note)
    return (
        f"<tr><td>{breakable(item.id)}<br>{kind}</td><td>{breakable(cells.test)}</td>"
        f'<td class="{standing.status}">{escape(cells.status)}</td>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>\n"
    )
