"""The list of alarms as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.app import parser
from controller.cli.alarms import told, told_order

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": "plant.pump_1.command:effect_missing",
    "alarm": "effect missing",
    "state": "shelved",
    "priority": "high",
    "raised": "2026-07-06T03:58:00+00:00",
    "wrong": {"en": "it does not run", "zh": "未运行"},
    "advice": {"en": "look at the breaker", "zh": "检查断路器"},
    "cause": {"en": "no flow", "zh": "无水流"},
    "value": False,
    "value_then": True,
    "unit": "none",
    "who": "Li Na",
    "why": "being serviced",
    "shelved_for_s": 5400.0,
    "suppressed_by": None,
}


def test_in_english() -> None:
    assert told(ROW, SHANGHAI, NOW, "en") == [
        "high    shelved         11:58:00  plant.pump_1.command:effect_missing",
        "        it does not run: no flow",
        "        value off (when it was raised: on)",
        "        → look at the breaker",
        "        by Li Na, being serviced, for another 90 min",
        "",
    ]


def test_in_chinese() -> None:
    lines = told(ROW, SHANGHAI, NOW, "zh")
    assert lines[0].split() == ["高", "搁置", "11:58:00", "plant.pump_1.command:effect_missing"]
    assert [line.strip() for line in lines[1:-1]] == [
        "未运行：无水流",
        "当前值 关（报警时：开）",
        "→ 检查断路器",
        "操作者 Li Na，being serviced，剩余 90 min",
    ]


def test_what_is_not_known_is_left_out() -> None:
    bare = {**ROW, "unit": None, "who": "", "cause": {"en": "", "zh": ""}, "advice": {"en": "", "zh": ""}}
    lines = told({**bare, "raised": "2026-07-05T03:58:00+00:00"}, SHANGHAI, NOW, "en")
    assert lines == [
        "high    shelved         07-05 11:58  plant.pump_1.command:effect_missing",
        "        it does not run",
        "",
    ]


@pytest.mark.parametrize(
    "words",
    [
        "site",
        "site list --all",
        "site silence",
        "site order x --text y",
        "site close 1 --text y --even-so z",
        "site acknowledge x --who me",
        "site shelve x --for 2h",
    ],
)
def test_the_command_takes_its_words(words: str) -> None:
    assert parser("alarms").parse_args(["alarms", *words.split()]).site.name == "site"


def test_a_work_order_is_one_line() -> None:
    order = {"number": 12, "alarm": "a.b:c", "opened": ROW["raised"], "opened_by": "Li Na", "text": "Wang: look"}
    closed = {"closed": "2026-07-06T03:59:00+00:00", "closed_by": "Wang", "done": "replaced"}
    assert told_order({**order, "closed": None}, SHANGHAI, NOW, "en") == (
        "work order 12  11:58:00  a.b:c, Li Na: Wang: look"
    )
    assert told_order({**order, **closed}, SHANGHAI, NOW, "zh") == (
        "工单 12  11:58:00  a.b:c，Li Na：Wang: look；11:59:00 关闭，Wang：replaced"
    )
