"""How often a register that wears may be written, by the local day and from one write to the next."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from controller.core.point import Wear
from controller.core.wear import UNSPENT, Spent, held_back

MONDAY = date(2026, 7, 6)
TUESDAY = MONDAY + timedelta(days=1)
EEPROM = Wear(writes_per_day=2, minimum_interval=timedelta(minutes=10), source="Drive manual, p. 31")


def test_a_day_has_so_many_writes_and_the_next_as_many() -> None:
    spent = UNSPENT
    for time in (0.0, 1000.0):
        assert held_back(EEPROM, spent, MONDAY, time) is None
        spent = spent.written(MONDAY, time)
    told = held_back(EEPROM, spent, MONDAY, 5000.0)
    assert told is not None
    assert told.en == "not written: the day's 2 writes of this register are spent (sheet: Drive manual, p. 31)"
    assert "2 次写入已用完 (厂家资料: Drive manual, p. 31)" in told.zh
    assert held_back(EEPROM, spent, TUESDAY, 5000.0) is None


@pytest.mark.parametrize("seconds, is_held", [(599.0, True), (600.0, False)])
def test_from_one_write_to_the_next(seconds: float, *, is_held: bool) -> None:
    assert (held_back(EEPROM, UNSPENT.written(MONDAY, 0.0), MONDAY, seconds) is not None) is is_held


def test_a_clock_set_back_over_midnight_gives_no_second_day() -> None:
    spent = Spent(TUESDAY, 2, 0.0)
    assert held_back(EEPROM, spent, MONDAY, 1e6) is not None
    assert spent.written(MONDAY, 1.0) == Spent(TUESDAY, 3, 1.0)


def test_a_clock_that_was_wrong_by_years_does_not_lock_the_register_for_years() -> None:
    spent = Spent(date(2036, 1, 1), 2, 0.0)
    assert held_back(EEPROM, spent, MONDAY, 1e6) is None
    assert spent.written(MONDAY, 1.0) == Spent(MONDAY, 1, 1.0)
