"""A straight line is found again, also where some rows lie; rows that tell nothing give no line."""

from __future__ import annotations

import random

import pytest

from controller.core.robust_fit import predicted, robust_fit

ROWS = [(1.0, x / 50, (x * 37 % 50) / 5) for x in range(1, 101)]
TRUE = (3.0, -0.5, 0.25)


def test_it_finds_what_is_there() -> None:
    fit = robust_fit(ROWS, [predicted(TRUE, row) for row in ROWS])
    assert fit is not None
    assert fit.coefficients == pytest.approx(TRUE, abs=1e-6)
    assert fit.scale == pytest.approx(0.0, abs=1e-6)


def test_a_tenth_of_wild_rows_moves_it_less_than_their_neighbours_scatter() -> None:
    noise = random.Random(1)
    values = [predicted(TRUE, row) + noise.gauss(0.0, 0.05) for row in ROWS]
    for wild in range(0, 100, 10):
        values[wild] += 40.0
    fit = robust_fit(ROWS, values)
    assert fit is not None
    middle = (1.0, 1.0, 5.0)
    assert predicted(fit.coefficients, middle) == pytest.approx(predicted(TRUE, middle), abs=0.05)
    assert fit.scale == pytest.approx(0.05, rel=0.4)


def test_columns_that_are_one_and_the_same_give_no_line() -> None:
    assert robust_fit([(1.0, 2.0, 4.0)] * 30, [1.0] * 30) is None
