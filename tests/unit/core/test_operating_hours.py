"""Which hours of history say how a chiller runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.core.operating_hours import can_be_compared, operating_hours
from controller.core.ports import Aggregate

START = datetime(2026, 7, 6, 4, tzinfo=UTC)


def figures(*values: float | None, share: float = 1.0) -> list[Aggregate]:
    """Hour by hour, from the one before START."""
    return [
        Aggregate(START + timedelta(hours=index - 1), 60, value, value, value, value, share)
        for index, value in enumerate(values)
    ]


READ = {
    "status": figures(1.0, 1.0),
    "energy": figures(1000.0, 1150.0),
    "cooling_energy": figures(9000.0, 9800.0),
    "leaving_condenser_water_temperature": figures(30.0, 32.0),
    "leaving_chilled_water_temperature": figures(7.0, 7.5),
    "saturated_condensing_temperature": figures(32.0, 33.8),
}


def test_an_hour_of_running() -> None:
    (hour,) = operating_hours(READ)
    assert (hour.start, hour.power, hour.cooling, hour.lift) == (START, 150.0, 800.0, 24.5)
    assert hour.approach == pytest.approx(1.8)


@pytest.mark.parametrize(
    "quantity, rows",
    [
        ("status", figures(1.0, 0.8)),
        ("status", figures(1.0, 1.0, share=0.5)),
        ("cooling_energy", figures(9000.0, 10.0)),
        ("cooling_energy", figures(9000.0, 9800.0)[1:]),
        ("cooling_energy", figures(9000.0, 9000.0)),
        ("cooling_energy", figures(9000.0, None)),
        ("energy", figures(1000.0, 1000.0)),
    ],
    ids=["switched", "out of sight", "counter reset", "no hour before", "no cold", "no reading", "no power"],
)
def test_hours_that_say_nothing_are_left_out(quantity: str, rows: list[Aggregate]) -> None:
    assert operating_hours({**READ, quantity: rows}) == []


def test_mean_power_stands_for_a_counter_that_is_not_there() -> None:
    (hour, *_) = operating_hours({**READ, "energy": [], "power": figures(140.0, 149.0)})
    assert hour.power == 149.0


def test_without_the_refrigerant_there_is_no_approach() -> None:
    (hour,) = operating_hours({**READ, "saturated_condensing_temperature": []})
    assert hour.approach is None


@pytest.mark.parametrize(
    "quantities, can",
    [
        ({"power", "cooling_energy"}, True),
        ({"energy", "saturated_condensing_temperature", "leaving_condenser_water_temperature"}, True),
        ({"energy", "leaving_condenser_water_temperature"}, False),
        ({"cooling_energy"}, False),
    ],
)
def test_what_must_be_measured(quantities: set[str], can: bool) -> None:
    assert can_be_compared(quantities) is can
