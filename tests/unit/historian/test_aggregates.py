"""Aggregates against a reference that looks at every single second."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.sample import Quality, Scalar
from controller.historian.aggregates import Bucket, merged, minutes, renewed
from controller.historian.rows import Row
from controller.historian.timeline import HOUR, MINUTE

SECOND = 1_000_000
HOLD = 180 * SECOND


def holds(rows: Sequence[Row], time: int) -> Row | None:
    """The row in force at a moment: the newest one before it, unless nobody recorded for too long."""
    before = [row for row in rows if row[0] <= time]
    if not before:
        return None
    row = before[-1]
    following = [later[0] for later in rows if later[0] > row[0]]
    if following and following[0] - row[0] <= HOLD:
        return row
    return row if time < row[0] - row[0] % MINUTE + MINUTE else None


def number_of(row: Row) -> float | None:
    _, value, quality, _ = row
    return None if isinstance(value, str) or value is None or quality == Quality.BAD else float(value)


def naive(rows: Sequence[Row], start: int, step: int) -> Bucket | None:
    inside = [row for row in rows if start <= row[0] < start + step]
    in_force = [holds(rows, start + second * SECOND) for second in range(step // SECOND)]
    known = [number for row in in_force if row is not None and (number := number_of(row)) is not None]
    good = sum(row is not None and row[2] == Quality.GOOD for row in in_force)
    samples = sum(row[2] == Quality.GOOD for row in inside)
    if not inside and not known and not good:
        return None
    if not known:
        return Bucket(start, samples, None, None, None, None, 0, good * SECOND)
    mean = sum(known) / len(known)
    return Bucket(start, samples, min(known), mean, max(known), known[-1], len(known) * SECOND, good * SECOND)


def close(bucket: Bucket | None) -> object:
    """Equal but for the rounding of the mean."""
    if bucket is None or bucket.mean is None:
        return bucket
    return bucket._replace(mean=pytest.approx(bucket.mean, rel=1e-9, abs=1e-9))


VALUES: st.SearchStrategy[Scalar | None] = (
    st.integers(-50, 50) | st.booleans() | st.sampled_from(["auto", None]) | st.floats(-1e3, 1e3)
)
ROWS: st.SearchStrategy[list[Row]] = st.lists(
    st.tuples(st.integers(0, 1500).map(lambda second: second * SECOND), VALUES, st.integers(0, 2), st.just("")),
    max_size=30,
    unique_by=lambda row: row[0],
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


@given(ROWS)
def test_minutes_are_what_a_look_at_every_second_says(rows: list[Row]) -> None:
    computed = {bucket.start: bucket for bucket in minutes(rows, HOLD)}
    for start in range(0, 1800 * SECOND, MINUTE):
        assert computed.get(start) == close(naive(rows, start, MINUTE))


@given(ROWS)
def test_longer_intervals_are_what_a_look_at_every_second_says(rows: list[Row]) -> None:
    step = 10 * MINUTE
    computed = {bucket.start: bucket for bucket in merged(minutes(rows, HOLD), step)}
    for start in range(0, 1800 * SECOND, step):
        assert computed.get(start) == close(naive(rows, start, step))


@given(ROWS)
def test_the_mean_lies_between_the_least_and_the_greatest(rows: list[Row]) -> None:
    for bucket in merged(minutes(rows, HOLD), HOUR):
        if bucket.minimum is not None and bucket.mean is not None and bucket.maximum is not None:
            assert bucket.minimum <= bucket.mean <= bucket.maximum


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400])
def test_what_has_no_mean_is_left_out(value: Scalar) -> None:
    (bucket,) = minutes([(0, value, 0, ""), (30 * SECOND, 1.0, 0, "")], HOLD)
    assert (bucket.minimum, bucket.mean, bucket.maximum, bucket.known) == (1.0, 1.0, 1.0, 30 * SECOND)


def test_great_numbers_do_not_overflow() -> None:
    (bucket,) = minutes([(second * SECOND, 1.7e308, 0, "") for second in range(60)], HOLD)
    assert bucket.mean == 1.7e308


def test_stored_minutes_yield_to_those_that_rest_on_as_many_samples() -> None:
    stored = [Bucket(0, 2, 1.0, 1.0, 1.0, 1.0, MINUTE, MINUTE), Bucket(MINUTE, 2, 1.0, 1.0, 1.0, 1.0, MINUTE, MINUTE)]
    computed = [
        Bucket(0, 2, 5.0, 5.0, 5.0, 5.0, MINUTE, MINUTE),
        Bucket(MINUTE, 1, 5.0, 5.0, 5.0, 5.0, MINUTE, MINUTE),
        Bucket(2 * MINUTE, 1, 5.0, 5.0, 5.0, 5.0, MINUTE, MINUTE),
    ]
    assert [bucket.mean for bucket in renewed(stored, computed)] == [5.0, 1.0, 5.0]
