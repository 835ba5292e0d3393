"""Zones are set back while nobody is there, and warm again when people come."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from controller.core.strategy import Role
from strategies.blocks.timetable import Period
from strategies.zone_setback import KIND
from tests.unit.strategies.cycles import Cycles, Row

ZONE, OTHER = (Role("zones", ordinal, "air_temperature_setpoint") for ordinal in range(2))
HOUR = 3600


def cycles(begin: str, **parameters: Any) -> Cycles[object]:
    return Cycles(KIND.build(KIND.parameters(**parameters), {"zones": 2}), begin)


def test_a_working_day() -> None:
    warm, cold = dict.fromkeys((ZONE, OTHER), 21.0), dict.fromkeys((ZONE, OTHER), 16.0)
    monday = "2026-03-16 05:59"
    rows: list[Row] = [
        (0, {}, cold),
        (60, {}, warm),  # 06:00, an hour ahead
        (HOUR, {}, warm),
        (12 * HOUR - 60, {}, warm),
        (60, {}, cold),  # 19:00
    ]
    cycles(monday).run(rows)


def test_a_weekend_has_its_own_periods_and_one_over_midnight_warms_the_next_morning() -> None:
    night = (Period(time(20), time(7)),)
    told = {"weekday_periods": (), "weekend_periods": night, "warm_up": timedelta(0), "occupied_setpoint": 20.5}
    saturday = cycles("2026-03-21 19:59", **told)
    saturday.run(
        [
            (0, {}, {ZONE: 16.0, OTHER: 16.0}),
            (60, {}, {ZONE: 20.5, OTHER: 20.5}),
            (10 * HOUR, {}, {ZONE: 20.5, OTHER: 20.5}),
            (HOUR, {}, {ZONE: 16.0, OTHER: 16.0}),
        ]
    )


@pytest.mark.parametrize("begin", ["2026-03-16 05:59:30", "2026-03-16 06:59:30", "2026-03-16 18:59:30"])
def test_a_decision_stands_no_longer_than_until_it_may_change(begin: str) -> None:
    zones = cycles(begin)
    decision = zones.step(0)
    assert decision.steady_until == zones.now + timedelta(seconds=30)
