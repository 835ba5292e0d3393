"""Desks of an office floor: daylight that falls off with the distance from the window, and who sits there."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import pytest

from simulator.civil import LocalTime
from simulator.plant.desk_daylight import GLARE, SideLitRoom, daylight_factor, desk_daylight
from simulator.plant.desk_users import WallSwitch, sits_there

ROOM = SideLitRoom()
FACTORS = tuple(daylight_factor(ROOM, distance) for distance in (1.5, 4.0, 6.5))
MONDAY = 739_801  # a proleptic ordinal


def at(hour: float, weekday: int = 0, day: int = MONDAY) -> LocalTime:
    return LocalTime(day, weekday, hour * 3600.0, 0.0)


def test_daylight_falls_off_from_the_window_and_its_mean_is_that_of_the_room() -> None:
    """The average daylight factor of BRE: T W 90 / (A (1 - R^2)) [%] for a sky without obstructions."""
    across = [daylight_factor(ROOM, 0.5 + distance) for distance in range(8)]
    assert all(near > far for near, far in pairwise(across))
    surfaces = 2.0 * (ROOM.depth + ROOM.height)
    average = ROOM.transmittance * ROOM.head * 90.0 / (surfaces * (1.0 - ROOM.walls**2)) / 100.0
    assert fmean(across) == pytest.approx(average, rel=0.3)


def test_an_overcast_noon_lights_the_first_row_and_not_the_last() -> None:
    near, middle, far = desk_daylight(FACTORS, 10_000.0)
    assert near > 400.0 > middle > 300.0 > far > 100.0
    assert desk_daylight(FACTORS, 0.0) == (0.0, 0.0, 0.0)


def test_blinds_come_down_against_glare() -> None:
    near, middle, far = desk_daylight(FACTORS, 80_000.0)
    assert near == pytest.approx(GLARE)
    assert 400.0 < far < middle < near


def test_people_come_in_the_morning_and_rows_are_empty_at_night() -> None:
    def share(hour: float) -> float:
        return fmean(sits_there(0, row, quarter, at(hour)) for row in (1, 2, 3) for quarter in range(100))

    assert share(10.0) == 1.0
    assert share(3.0) == 0.0
    assert 0.1 < share(19.0) < 0.6


def test_somebody_turns_the_dimmer_or_stays_on_some_working_days_only() -> None:
    switch, wishes, stayed = WallSwitch(0), set[float](), 0
    for day in range(28):
        pressed = False
        for minute in range(24 * 60):
            switch.evaluate(at(minute / 60.0, day % 7, MONDAY + day))
            pressed |= switch.stay
            assert not switch.stay or day % 7 < 5
        wishes.add(switch.wish)
        stayed += pressed
    assert 4 <= stayed <= 14
    assert len(wishes) > 1
