"""Least squares that a few wild hours do not spoil. Pure, and small: hundreds of rows, a handful of columns.

Huber's estimator by iteratively re-weighted least squares, its scale from the median absolute deviation (P. J. Huber,
"Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964; the constants are the usual
ones for 95 % efficiency where errors are normal).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

_TURNING_POINT = 1.345
_MAD_TO_SIGMA = 1.4826
_ITERATIONS = 20
_SINGULAR = 1e-9


class Fit(NamedTuple):
    """scale: of the residuals, as a standard deviation that wild rows do not widen."""

    coefficients: tuple[float, ...]
    scale: float


def robust_fit(rows: Sequence[Sequence[float]], values: Sequence[float]) -> Fit | None:
    """None where the rows do not tell the columns apart."""
    weights = [1.0] * len(values)
    fit: Fit | None = None
    for _ in range(_ITERATIONS):
        coefficients = _weighted(rows, values, weights)
        if coefficients is None:
            return None
        residuals = [abs(value - predicted(coefficients, row)) for row, value in zip(rows, values, strict=True)]
        fit = Fit(coefficients, _MAD_TO_SIGMA * median(residuals))
        limit = _TURNING_POINT * fit.scale
        weights = [1.0 if each <= limit else limit / each for each in residuals]
    return fit


def predicted(coefficients: Sequence[float], row: Sequence[float]) -> float:
    return sum(each * column for each, column in zip(coefficients, row, strict=True))


def _weighted(
    rows: Sequence[Sequence[float]], values: Sequence[float], weights: Sequence[float]
) -> tuple[float, ...] | None:
    """The normal equations, their columns scaled to one, by elimination with pivots."""
    columns = range(len(rows[0]))
    sizes = [max(abs(row[column]) for row in rows) or 1.0 for column in columns]
    scaled = [[row[column] / sizes[column] for column in columns] for row in rows]
    matrix = [
        [sum(weight * row[i] * row[j] for weight, row in zip(weights, scaled, strict=True)) for j in columns]
        + [sum(weight * row[i] * value for weight, row, value in zip(weights, scaled, values, strict=True))]
        for i in columns
    ]
    greatest = max(abs(matrix[column][column]) for column in columns)
    for column in columns:
        pivot = max(range(column, len(matrix)), key=lambda row, column=column: abs(matrix[row][column]))
        if abs(matrix[pivot][column]) <= _SINGULAR * greatest:
            return None
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        for row in columns:
            if row != column:
                factor = matrix[row][column] / matrix[column][column]
                matrix[row] = [each - factor * above for each, above in zip(matrix[row], matrix[column], strict=True)]
    return tuple(matrix[column][-1] / matrix[column][column] / sizes[column] for column in columns)
