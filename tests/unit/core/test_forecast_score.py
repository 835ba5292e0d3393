from __future__ import annotations

import math

import pytest

from controller.core.forecast_score import score

NAN = math.nan


def test_errors_and_skills_by_hand() -> None:
    result = score([10.0, 20.0, 30.0], [12.0, 19.0, 30.0], [14.0, 18.0, 33.0])
    assert result.hours == 3
    assert result.mean_absolute_error == pytest.approx(1.0)
    assert result.baseline_mean_absolute_error == pytest.approx(3.0)
    assert result.skill == pytest.approx(1 - 1 / 3)
    assert result.root_mean_square_error == pytest.approx(math.sqrt(5 / 3))
    assert result.root_mean_square_skill == pytest.approx(1 - math.sqrt(5 / 29))
    assert result.normalised_bias == pytest.approx((1 / 3) / 20)


@pytest.mark.parametrize("column", range(3))
def test_an_hour_that_one_does_not_know_counts_for_none(column: int) -> None:
    columns = [[10.0, 20.0], [12.0, 21.0], [14.0, 23.0]]
    columns[column][0] = NAN
    assert score(*columns) == score([20.0], [21.0], [23.0])


def test_nothing_to_score() -> None:
    result = score([NAN], [1.0], [1.0])
    assert result.hours == 0
    assert math.isnan(result.skill)


def test_a_load_that_never_changes_has_no_skill_to_win() -> None:
    assert math.isnan(score([5.0, 5.0], [5.0, 5.0], [5.0, 5.0]).skill)
