"""What the model looks at: nothing that the origin did not know, and holes are no reason to give up."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from controller.forecasting.baseline import same_hour_last_week
from controller.forecasting.clock_hours import ClockHours, clock_hours
from controller.forecasting.features import features
from tests.unit.forecasting.support import START, building, end_of

ORIGINS = np.array([35 * 24, 36 * 24 + 10, 40 * 24 + 23])


@pytest.fixture(scope="module")
def hours() -> ClockHours:
    history = building(50)
    return clock_hours(history, end_of(history), 100)


@pytest.mark.parametrize("horizon", [24, 26])
def test_no_load_from_the_origin_on_is_read(hours: ClockHours, horizon: int) -> None:
    for origin in ORIGINS:
        changed = hours.load.copy()
        changed[origin:] = 1e9
        elsewhere = hours._replace(load=changed)
        one = np.array([origin])
        for before, after in zip(features(hours, one, horizon), features(elsewhere, one, horizon), strict=True):
            assert np.array_equal(before, after, equal_nan=True)
        assert np.array_equal(same_hour_last_week(hours, one, horizon), same_hour_last_week(elsewhere, one, horizon))


def test_loads_are_shares_of_the_level(hours: ClockHours) -> None:
    doubled = hours._replace(load=hours.load * 2)
    once, twice = features(hours, ORIGINS), features(doubled, ORIGINS)
    assert np.allclose(twice.level, once.level * 2)
    assert np.allclose(twice.shapes, once.shapes, equal_nan=True)
    assert np.allclose(twice.recent, once.recent, equal_nan=True)


def test_the_calendar_of_a_row(hours: ClockHours) -> None:
    monday_ten = (START + timedelta(days=42, hours=10)).astimezone(hours.zone)
    given = features(hours, np.array([hours.row(monday_ten)]))
    assert given.hour[0].tolist() == [*range(10, 24), *range(10)]
    # Monday to Sunday, holiday, working, day before working, day after working
    assert given.calendar[0, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    assert given.calendar[0, -1].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1]


def test_same_hour_last_week(hours: ClockHours) -> None:
    assert np.array_equal(same_hour_last_week(hours, ORIGINS[:1])[0], hours.load[28 * 24 : 29 * 24])


@pytest.mark.parametrize(
    "holes, instead",
    [
        ([7], 14),
        ([7, 14, 21], 28),
        ([7, 14, 21, 28], 1),
        ([7, 14, 21, 28, 1, 2], 3),
    ],
)
def test_a_hole_takes_the_nearest_hour_like_it(hours: ClockHours, holes: list[int], instead: int) -> None:
    load = hours.load.copy()
    for day in holes:
        load[(35 - day) * 24 : (36 - day) * 24] = np.nan
    found = same_hour_last_week(hours._replace(load=load), ORIGINS[:1])[0]
    assert np.array_equal(found, load[(35 - instead) * 24 : (36 - instead) * 24])


def test_an_hour_never_known_takes_the_mean_of_the_last_week_known(hours: ClockHours) -> None:
    load = hours.load.copy()
    load[3::24] = np.nan
    found = same_hour_last_week(hours._replace(load=load), ORIGINS[:1])[0]
    before = load[: 35 * 24]
    assert found[3] == pytest.approx(before[~np.isnan(before)][-168:].mean())
    assert not np.isnan(found).any()
