"""What a person reads of the equipment log, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from controller.cli.equipment import told
from controller.core.text import Language

CHILLER: dict[str, Any] = {
    "id": "plant.chiller_1",
    "is_running": True,
    "run_hours": 2043.24,
    "unknown_hours": 1.3,
    "starts": 612,
    "starts_last_hour": 3,
    "last_start": "2026-07-06T00:02:11+00:00",
    "limits": {"starts_per_hour": 2, "shortest_run_s": 600.0},
    "short_cycling": {"en": "more than 2 starts within an hour", "zh": "一小时内启动超过 2 次"},
    "efficiency": {
        "hours_known": 160,
        "hours_to_learn": 200,
        "baseline": {"first": "2026-05-01", "last": "2026-05-20", "is_declared": False, "hours": 210},
        "power": {"cop": 5.12, "kw_per_rt": 0.6869, "clean_cop": 5.6, "clean_kw_per_rt": 0.628},
        "approach": {"approach": 4.61, "clean": 1.62},
        "advice": {"en": "clean the condenser tubes", "zh": "清洗冷凝器铜管"},
        "trouble": "",
    },
    "maintenance": [
        {"what": "oil", "run_hours_left": -43.2, "days_left": None, "is_overdue": True},
        {"what": "overhaul", "run_hours_left": 17957.0, "days_left": 1403.2, "is_overdue": False},
    ],
}
LAMP: dict[str, Any] = {
    **CHILLER,
    "id": "outdoor.circuit_1",
    "is_running": None,
    "last_start": None,
    "limits": None,
    "short_cycling": None,
    "efficiency": None,
    "maintenance": [],
}
SHOWN: dict[str, Any] = {
    "now": "2026-07-06T04:00:00+00:00",
    "time_zone": "Asia/Shanghai",
    "equipment": [CHILLER, LAMP],
}


@pytest.mark.parametrize(
    "language, lines",
    [
        (
            "en",
            [
                "equipment          now      run hours  unknown  starts  last hour  last start",
                "plant.chiller_1    on       2043.2     1.3      612     3 / 2      08:02:11",
                "    more than 2 starts within an hour",
                "    COP 5.12 (0.687 kW/RT), when clean 5.60 (0.628)",
                "    condenser approach 4.6 K, when clean 1.6 K",
                "    → clean the condenser tubes",
                "    overdue: oil, 43 run hours over",
                "    overhaul: 17957 run hours left, 1403 days left",
                "outdoor.circuit_1  unknown  2043.2     1.3      612     3          —",
            ],
        ),
        (
            "zh",
            [
                "设备               当前  运行小时  未知小时  启动次数  近一小时  最近启动",
                "plant.chiller_1    开    2043.2    1.3       612       3 / 2     08:02:11",
                "    一小时内启动超过 2 次",
                "    COP 5.12（0.687 kW/RT），清洁时 5.60（0.628）",
                "    冷凝器趋近温差 4.6 K，清洁时 1.6 K",
                "    → 清洗冷凝器铜管",
                "    超期：oil，超出 43 运行小时",
                "    overhaul：剩余 17957 运行小时，剩余 1403 天",
                "outdoor.circuit_1  未知  2043.2    1.3       612       3         —",
            ],
        ),
    ],
)
def test_a_table_with_what_is_to_be_said_below_each(language: Language, lines: list[str]) -> None:
    assert list(told(SHOWN, language)) == lines


@pytest.mark.parametrize(
    "known, line",
    [
        ({"baseline": None}, "    learns its clean baseline: 160 of 200 hours"),
        ({}, "    too few hours of the last 7 days are like those of its clean baseline"),
        ({"trouble": "the disk is gone"}, "    the disk is gone"),
    ],
)
def test_what_is_not_known_yet_is_said(known: dict[str, Any], line: str) -> None:
    efficiency = {**CHILLER["efficiency"], "power": None, "approach": None, "advice": None, **known}
    assert line in list(told({**SHOWN, "equipment": [{**LAMP, "efficiency": efficiency}]}, "en"))


def test_a_site_without_running_equipment_says_so() -> None:
    assert list(told({**SHOWN, "equipment": []}, "en")) == ["no equipment of this site tells whether it runs"]
