"""What a person reads of an event, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from controller.cli.view import event_words
from controller.core.text import Language

POINTS = {"meter.main_1.power": {"unit": "kW"}}
MADE = {"step": "made", "start": "2026-07-06T00:00:00+08:00", "source": "same_hour_last_week", "values": [10.0, 30.0]}
SCORED = {"step": "scored", "hours": 24, "mean_absolute_error": 4.04, "baseline_mean_absolute_error": 8.0}
UNSCORED = {"step": "scored", "hours": 0, "mean_absolute_error": None, "baseline_mean_absolute_error": None}
TRAINED = {"step": "trained", "reason": "errors 40 % smaller", "reason_zh": "误差小 40 %"}
FAILED = {"step": "failed", "of": "training", "cause": "no answer within 120 s"}


@pytest.mark.parametrize(
    "body, language, words",
    [
        (MADE, "en", "next 24 h: mean 20.0 kW, peak 30.0 kW, by the same hour last week"),
        (MADE, "zh", "未来 24 小时：平均 20.0 kW，峰值 30.0 kW，依据上周同一时刻"),
        (SCORED, "en", "was off by 4.0 kW on average; the same hour of last week by 8.0 kW"),
        (UNSCORED, "en", "step=scored  hours=0"),
        (TRAINED, "zh", "已训练：误差小 40 %"),
        (FAILED, "en", "step=failed  of=training  cause=no answer within 120 s"),
    ],
)
def test_a_forecast(body: dict[str, Any], language: Language, words: str) -> None:
    event = {"kind": "forecast", "subject": "meter.main_1.power", "body": {**body, "configuration": "abc"}}
    assert event_words(event, POINTS, language) == words


FOUND = {
    "item": "garage.group_1.illuminance:reading",
    "result": "passed",
    "who": "Li Na",
    "measured": "52 lx",
    "note": "",
    "tested_configuration": "0b1834d2bde2",
}


@pytest.mark.parametrize(
    "language, words",
    [
        ("en", "garage.group_1.illuminance:reading: passed  52 lx  Li Na"),
        ("zh", "garage.group_1.illuminance:reading: 通过  52 lx  Li Na"),
    ],
)
def test_what_was_found_on_site(language: Language, words: str) -> None:
    event = {"kind": "commissioning", "subject": "garage.group_1.illuminance", "body": FOUND}
    assert event_words(event, POINTS, language) == words


@pytest.mark.parametrize("language, words", [("en", "tripped"), ("zh", "已跳闸")])
def test_what_left_auto(language: Language, words: str) -> None:
    body = {"before": "auto", "availability": "tripped", "reason": "tripped", "reason_zh": "已跳闸"}
    assert event_words({"kind": "availability", "subject": "plant.pump_1", "body": body}, POINTS, language) == words


SWITCHED = {"step": "switched", "block": 4, "side": "tidewatt", "equal": True}
DISTURBED = {"step": "disturbed", "block": 4, "side": "tidewatt", "reason": "latched", "reason_zh": "锁定"}


@pytest.mark.parametrize(
    "body, language, words",
    [
        (SWITCHED, "en", "block 4: tidewatt"),
        ({**SWITCHED, "equal": False}, "en", "block 4: tidewatt, the tank is not equal"),
        ({**SWITCHED, "equal": None}, "en", "block 4: tidewatt"),
        (DISTURBED, "en", "disturbed  latched"),
        (DISTURBED, "zh", "受干扰  锁定"),
        ({"step": "suspended", "who": "Li Na", "authority": "original"}, "zh", "暂停  Li Na"),
    ],
)
def test_ab_days(body: dict[str, Any], language: Language, words: str) -> None:
    assert event_words({"kind": "ab_days", "subject": "plant", "body": body}, POINTS, language) == words


@pytest.mark.parametrize(
    "language, words",
    [("en", "input meter.main_1.power: held  link lost"), ("zh", "输入 meter.main_1.power：保持  link lost")],
)
def test_an_input_on_another_rung(language: Language, words: str) -> None:
    body = {"step": "input", "point": "meter.main_1.power", "before": "good", "now": "held", "cause": "link lost"}
    assert event_words({"kind": "strategy", "subject": "storage", "body": body}, POINTS, language) == words
