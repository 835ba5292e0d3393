"""The live view: tariff, forecast, tank and the day's difference, in both languages and all widths."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from controller.cli.frame import Frame
from controller.cli.view import draw
from controller.core.text import Language
from controller.runtime import point_status, status
from tests.storage_demo import START, storage_alone
from tests.virtual_demo import Run, live

SAVED = {
    "since": (START + timedelta(minutes=30)).isoformat(),
    "until": (START + timedelta(hours=1)).isoformat(),
    "currency": "CNY",
    "energy": {"with_us": 100.0, "without_us": 112.3, "saved": 12.3},
    "money": {"with_us": 50.0, "without_us": 37.5, "saved": -12.5},
    "carbon": {"with_us": 44.2, "without_us": 44.16, "saved": -0.04},
}


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """Status and points of the demo a few minutes after 01:30 on a Monday, while the tank is charged."""
    shown: dict[str, Any] = {}

    async def life(run: Run) -> None:
        await run.wait(timedelta(hours=2, minutes=7).total_seconds())
        shown.update(status=status.status(run.daemon), points=point_status.points(run.daemon))

    live(START, life, change=storage_alone())
    return json.loads(json.dumps(shown, allow_nan=False))


def drawn(seen: dict[str, Any], language: Language, width: int, today: dict[str, Any] | None = SAVED) -> list[str]:
    console = Console(width=width, file=StringIO(), record=True)
    console.print(draw(Frame(seen["status"], seen["points"], 600.0, language, today), width))
    return console.export_text().splitlines()


def line_with(lines: list[str], words: str) -> str:
    (found,) = [line for line in lines if words in line]
    return found


def forecast(seen: dict[str, Any], **changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(seen)
    changed["status"]["forecasts"][0].update(changes)
    return changed


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 100, 180])
def test_nothing_is_wider_than_the_terminal_and_what_matters_is_on_its_first_screen(
    seen: dict[str, Any], language: Language, width: int
) -> None:
    lines = drawn(seen, language, width)
    assert max(map(cell_len, lines)) <= width
    screen = "\n".join(lines[:24])
    for words in ("+12.3", "-12.50", *(("kWh", "costs more") if language == "en" else ("千瓦时", "多花"))):
        assert words in screen
    assert ("at equal cooling, stores credited at valley price" if language == "en" else "按谷价计") in screen
    assert ("charge to 3500 kWh" if language == "en" else "充冷") in screen


def test_a_loss_is_said_and_what_rounds_to_nothing_is_none(seen: dict[str, Any]) -> None:
    lines = drawn(seen, "en", 80)
    assert "37.50" in line_with(lines, "costs more")
    assert line_with(lines, "carbon").split()[2:6] == ["44.2", "44.2", "0.0", "kg"]


def test_without_a_price_there_is_no_sum_of_money(seen: dict[str, Any]) -> None:
    assert line_with(drawn(seen, "en", 80, {**SAVED, "money": None}), "│ money").count("—") == 3


def test_without_a_twin_nothing_is_said_of_savings(seen: dict[str, Any]) -> None:
    assert not [line for line in drawn(seen, "en", 80, None) if "saved" in line]


def test_the_tariff_shows_price_next_band_and_where_we_are(seen: dict[str, Any]) -> None:
    lines = drawn(seen, "en", 80)
    assert "valley 0.2684 CNY/kWh until 08:00, then flat" in line_with(lines, "tariff ")
    strip = line_with(lines, "0-24 h")
    day = strip[strip.index("·") :][:48]
    assert day == "···┃" + "·" * 12 + "░" * 4 + "▓▓██" + "░" * 4 + "▓▓████▓▓▓▓" + "░" * 10
    assert "低谷 0.2684 CNY/千瓦时 至 08:00，之后平段" in line_with(drawn(seen, "zh", 80), "CNY/千瓦时")


def test_a_site_without_a_tariff_has_no_strip(seen: dict[str, Any]) -> None:
    without = {**seen, "status": {**seen["status"], "tariff": None}}
    assert not [line for line in drawn(without, "en", 80) if "0-24 h" in line]


def test_a_forecast_that_is_not_there_yet_says_why(seen: dict[str, Any]) -> None:
    assert "cooling load: none yet (only 1 day with readings" in line_with(drawn(seen, "en", 100), "none yet")


def test_a_forecast_is_drawn_from_now_on(seen: dict[str, Any]) -> None:
    """Two hours of the forecast are over; the highest of what is left comes at its end."""
    values = [900.0] * 8 + [float(quarter) for quarter in range(88)]
    score = {"mean_absolute_error": 40.04}
    shown = forecast(seen, start=START.isoformat(), values=values, source="model", score=score)
    lines = drawn(shown, "en", 100)
    assert "cooling load: peak 87.0 kW at 23:15 (model), mean error 40.0 kW" in line_with(lines, "cooling load:")
    spark = line_with(lines, "01:30 +").split("+")[1].strip(" │")
    assert len(spark) == 44
    assert (spark[0], spark[-1]) == ("▁", "█")
    assert list(spark) == sorted(spark)
    assert "依据模型" in line_with(drawn(shown, "zh", 100), "冷负荷：")


def test_a_forecast_of_nothing_is_drawn_flat(seen: dict[str, Any]) -> None:
    shown = forecast(seen, start=seen["status"]["now"], values=[0.0] * 96, source="same_hour_last_week", score=None)
    lines = drawn(shown, "en", 100)
    assert "peak 0.0 kW at 01:37 (same hour last week)" in line_with(lines, "cooling load:")
    assert "▁" * 48 in line_with(lines, "01:37 +")


def test_the_tank_is_drawn_from_top_to_bottom(seen: dict[str, Any]) -> None:
    tank = line_with(drawn(seen, "en", 80), "kWh  upper")
    water = [sign for sign in tank if sign in "░▒▓█"]
    assert len(water) == 12
    assert water == sorted(water, key="░▒▓█".index)
    assert "°C" in tank


def test_active_alarms_are_counted_in_the_first_line(seen: dict[str, Any]) -> None:
    assert not any("alarms: " in line for line in drawn(seen, "en", 200))
    alarming = copy.deepcopy(seen)
    alarming["status"]["alarms"].update(active=2, unacknowledged=1)
    assert "alarms: 2" in drawn(alarming, "en", 120)[0]
    assert "报警：2" in drawn(alarming, "zh", 120)[0]


def test_a_link_that_is_down_has_its_name_everywhere(seen: dict[str, Any]) -> None:
    changed = copy.deepcopy(seen)
    changed["status"]["links"][0]["up"] = False
    assert "○ plant" in drawn(changed, "en", 80)[0]
    assert "○ plant" in drawn(changed, "en", 180)[0]
    assert "○" not in drawn(seen, "en", 80)[0]


def test_a_fire_stands_in_the_head(seen: dict[str, Any]) -> None:
    assert not any("fire" in line for line in drawn(seen, "en", 80)[:6])
    changed = copy.deepcopy(seen)
    panel = {"input": "garage.panel_1.fire_alarm", "is_latched": True, "since": None}
    changed["status"]["fire"] = [{**panel, "state": "fire"}, {**panel, "state": "normal"}]
    assert "fire input garage.panel_1.fire_alarm: fire" in drawn(changed, "en", 80)[0]
    changed["status"]["fire"][0]["state"] = "waiting for reset"
    assert "火警输入 garage.panel_1.fire_alarm：待复位" in drawn(changed, "zh", 80)[0]


def test_ab_days_stand_in_the_head_where_there_are_any(seen: dict[str, Any]) -> None:
    words = "A/B day 3: original until 2026-12-04 05:00"
    assert not any("A/B" in line for line in drawn(seen, "en", 100))
    first, *others = seen["status"]["systems"]
    systems = [{**first, "ab_days": {"en": words, "zh": ""}}, *others]
    lines = drawn({**seen, "status": {**seen["status"], "systems": systems}}, "en", 100)
    assert line_with(lines, "A/B").startswith(f"{first['name']['en']}: {words}")


@pytest.mark.parametrize("equipment", ["garage.group_3", "plant.chilled_water_plant_1"])
def test_what_is_not_in_auto_stands_on_top_of_the_equipment(seen: dict[str, Any], equipment: str) -> None:
    changed = copy.deepcopy(seen)
    why = {"en": "locked out by Li: new drivers", "zh": "由 Li 锁定：new drivers"}
    changed["status"]["unavailable"] = [{"equipment": equipment, "availability": "locked_out", "reason": why}]
    assert why["zh"] in "".join(drawn(changed, "zh", 180))
    lines = drawn(changed, "en", 120)
    assert equipment in line_with(lines, why["en"])
    assert not [line for line in drawn(seen, "en", 120) if "locked out" in line]
