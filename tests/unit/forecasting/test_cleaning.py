from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import pytest

from controller.core.forecast import Readings, UnusableHistory
from controller.forecasting.cleaning import clean

HOUR = 3_600_000_000


def readings(values: Sequence[float], starts: Sequence[int] | None = None) -> Readings:
    chosen = range(len(values)) if starts is None else starts
    return Readings(array("q", [HOUR * start for start in chosen]), array("d", values))


def days(count: int) -> list[float]:
    return [50.0 + 20.0 * (8 <= hour % 24 < 18) for hour in range(count * 24)]


def test_in_the_order_of_time_and_once_each() -> None:
    cleaned = clean(readings([3.0, 1.0, 2.0, 9.0], [3, 1, 2, 1]))
    assert cleaned.starts.tolist() == [HOUR, 2 * HOUR, 3 * HOUR]
    assert cleaned.values.tolist() == [1.0, 2.0, 3.0]
    assert cleaned.duplicates == 1


@pytest.mark.parametrize("unknown", [math.nan, math.inf, -math.inf])
def test_unknown_values_are_no_readings(unknown: float) -> None:
    assert clean(readings([1.0, unknown, 3.0])).values.tolist() == [1.0, 3.0]


def test_zeros_of_a_load_that_never_goes_near_zero_are_a_silent_meter() -> None:
    values = days(20)
    values[30:80] = [0.0] * 50
    cleaned = clean(readings(values))
    assert cleaned.zeros == 50
    assert cleaned.values.min() == 50.0


def test_a_meter_that_often_says_zero_for_a_moment_is_silent_then() -> None:
    values = [value if number % 24 != 5 else 0.0 for number, value in enumerate(days(20))]
    assert clean(readings(values)).zeros == 20


def test_zeros_of_a_plant_that_is_off_at_night_are_its_load() -> None:
    values = [80.0 * (8 <= hour % 24 < 18) for hour in range(480)]
    assert clean(readings(values)).zeros == 0


def test_zeros_beside_tiny_loads_are_believed() -> None:
    values = [float(number % 30 == 0) + 100.0 * (number % 30 > 2) for number in range(600)]
    assert clean(readings(values)).zeros == 0


def test_a_load_that_is_always_zero_stays() -> None:
    assert clean(readings([0.0] * 48)).values.size == 48


def test_a_few_negative_readings_are_left_out() -> None:
    values = days(20)
    values[100] = -3.0
    cleaned = clean(readings(values))
    assert (cleaned.negative, cleaned.values.size) == (1, 479)


def test_a_meter_that_counts_what_is_fed_in_is_refused() -> None:
    values = [value if number % 24 != 12 else -value for number, value in enumerate(days(20))]
    with pytest.raises(UnusableHistory, match=r"4% of the readings are negative.*own load"):
        clean(readings(values))


def test_a_counter_that_catches_up_is_left_out() -> None:
    values = days(20)
    values[200] = 5000.0
    assert clean(readings(values)).spikes == 1


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_no_readings_at_all(values: list[float]) -> None:
    with pytest.raises(UnusableHistory, match="no readings"):
        clean(readings(values))
