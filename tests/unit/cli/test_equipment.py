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
                "    超期：oil，超出 43 运行小时",
                "    overhaul：剩余 17957 运行小时，剩余 1403 天",
                "outdoor.circuit_1  未知  2043.2    1.3       612       3         —",
            ],
        ),
    ],
)
def test_a_table_with_what_is_to_be_said_below_each(language: Language, lines: list[str]) -> None:
    assert list(told(SHOWN, language)) == lines


def test_a_site_without_running_equipment_says_so() -> None:
    assert list(told({**SHOWN, "equipment": []}, "en")) == ["no equipment of this site tells whether it runs"]
