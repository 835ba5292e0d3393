"""Sunset lighting under test: places, plans, decisions as cycle tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from controller.core.strategy import Observation, PlanInput, Position, Role
from strategies.sunset_lighting import Parameters, State, SunPlan, SunsetLighting
from tests.unit.strategies.cycles import SHANGHAI, Cycles

LAMP, OTHER = Role("circuits", 0, "command"), Role("circuits", 1, "command")
LUX = Role("daylight_sensor", 0, "illuminance")
ON, OFF = {LAMP: True, OTHER: True}, {LAMP: False, OTHER: False}
PEOPLE_SQUARE = Position(31.2304, 121.4737)
PLAIN = Parameters()
DAY = "2026-03-20 12:00"
TROMSO, OSLO_TIME = Position(69.6492, 18.9553), ZoneInfo("Europe/Oslo")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def planned(now: datetime, position: Position, parameters: Parameters = PLAIN) -> SunPlan:
    strategy = SunsetLighting(parameters, 1, has_sensor=False)
    seen = Observation(now, now, 0.0, {})
    return strategy.plan(PlanInput(now, SHANGHAI, position, seen, None, None))


def cycles(start: str = DAY, **parameters: Any) -> Cycles[State]:
    limits: dict[str, Any] = {"dark_illuminance": 30.0, "bright_illuminance": 60.0, "dark_delay": timedelta(seconds=30)}
    made = Cycles(SunsetLighting(Parameters(**{**limits, **parameters}), 2, has_sensor=True), start)
    made.plan = planned(made.now, PEOPLE_SQUARE, Parameters(**parameters))
    return made
