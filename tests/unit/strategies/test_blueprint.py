"""The smallest strategy that works; its table is the one to copy, too."""

from __future__ import annotations

import pytest

from controller.core.errors import BadInput
from controller.core.strategy import Role
from strategies._blueprint import KIND
from tests.unit.strategies.cycles import Cycles

LUX = Role("daylight_sensor", 0, "illuminance")
LAMP, OTHER = Role("circuits", 0, "command"), Role("circuits", 1, "command")


def cycles(**parameters: float) -> Cycles[object]:
    counts = {"daylight_sensor": 1, "circuits": 2}
    return Cycles(KIND.build(KIND.parameters(**parameters), counts), "2026-03-20 12:00")


def test_lights_while_it_is_dark() -> None:
    cycles().run(
        [
            (0, {LUX: 500.0}, {LAMP: False, OTHER: False}),
            (60, {LUX: 30.0}, {LAMP: False, OTHER: False}),
            (60, {LUX: 19.0}, {LAMP: True, OTHER: True}),
            (60, {LUX: 40.0}, {LAMP: True, OTHER: True}),
            (60, {LUX: 41.0}, {LAMP: False, OTHER: False}),
        ]
    )


def test_lets_go_without_its_sensor() -> None:
    with pytest.raises(BadInput):
        cycles().step(0)


def test_refuses_limits_that_would_chatter() -> None:
    with pytest.raises(ValueError, match="bright is 20 lx; it must lie above dark, 20 lx"):
        cycles(bright=20.0)
