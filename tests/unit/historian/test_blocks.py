"""What goes into a block comes out of it, to the bit."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from operator import itemgetter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.core.sample import Quality, Scalar
from controller.historian import aggregate_block, batch, sample_block
from controller.historian.aggregates import Bucket
from controller.historian.columns import pack_integers, pack_numbers, unpack_integers, unpack_numbers
from controller.historian.rows import Row

MOMENTS = st.integers(-(2**61), 2**61)


def decimal(number: int, places: int) -> float:
    return number / 10**places


DECIMALS = st.builds(decimal, st.integers(-(10**9), 10**9), st.integers(0, 6))
NUMBERS = st.floats() | DECIMALS | st.floats(width=32)
VALUES: st.SearchStrategy[Scalar | None] = st.none() | NUMBERS | st.integers() | st.booleans() | st.text(max_size=20)
QUALITIES = st.sampled_from([int(quality) for quality in Quality])
REASONS = st.sampled_from(["", "", "", "stale", "device lost: 连接被拒绝", 'a "quoted" one'])


def rows_of(values: st.SearchStrategy[Scalar | None]) -> st.SearchStrategy[list[Row]]:
    rows = st.tuples(MOMENTS, values, QUALITIES, REASONS)
    return st.lists(rows, min_size=1, max_size=60, unique_by=lambda row: row[0]).map(sorted_by_time)


def sorted_by_time(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row[0])


def written(values: Sequence[object]) -> list[str]:
    """So that NaN equals itself, 1 is not True and 0.0 is not -0.0."""
    return [repr(value) for value in values]


@given(rows_of(VALUES))
def test_samples_of_any_types(rows: list[Row]) -> None:
    assert written(sample_block.decode(sample_block.encode(rows))) == written(rows)


@given(rows_of(NUMBERS) | rows_of(st.booleans()) | rows_of(st.integers()) | rows_of(st.text(max_size=8)))
def test_samples_of_one_type(rows: list[Row]) -> None:
    assert written(sample_block.decode(sample_block.encode(rows))) == written(rows)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
POINT_ROWS = st.tuples(
    st.integers(1, 9), MOMENTS, st.none() | NUMBERS | st.integers() | st.booleans() | TEXTS, QUALITIES, REASONS
)


@given(st.lists(POINT_ROWS, min_size=1, max_size=60), st.integers(0, 9), st.integers(0, 9))
def test_some_points_of_a_batch(rows: list[batch.PointRow], above: int, up_to: int) -> None:
    found = batch.decode(batch.encode(rows), above, up_to)
    assert written(found) == written(sorted((row for row in rows if above < row[0] <= up_to), key=itemgetter(0)))


@given(st.lists(st.integers() | st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300), max_size=50))
@example([2**63 - 1, -(2**63)])
@example([-(2**63), -(2**63)])
def test_integers(values: list[int]) -> None:
    assert unpack_integers(pack_integers(values)) == values


@given(st.lists(NUMBERS, max_size=50) | st.lists(DECIMALS, max_size=50))
@example([0.0, -0.0])
@example([1e22, 0.1])
@example([float("nan"), float("inf"), float("-inf")])
@example([3.4028235677973366e38, 1.0])
def test_numbers(values: list[float]) -> None:
    assert written(unpack_numbers(pack_numbers(values))) == written(values)


OPTIONAL = st.none() | NUMBERS
BUCKETS = st.builds(
    Bucket, st.integers(0, 2**50), st.integers(0, 10**6), *[OPTIONAL] * 4, st.integers(0, 2**40), st.integers(0, 2**40)
)


@given(st.lists(BUCKETS, min_size=1, max_size=60))
def test_aggregates(buckets: list[Bucket]) -> None:
    block = aggregate_block.encode(buckets)
    assert written(aggregate_block.decode(block)) == written(buckets)
    starts, means = aggregate_block.decode_means(block)
    assert starts == array("q", [bucket.start for bucket in buckets])
    assert written(means) == written([float("nan") if it.mean is None else it.mean for it in buckets])


def test_an_hour_of_decimals_takes_little_more_than_a_byte_a_sample() -> None:
    rows = [(second * 1_000_000, 20 + (second * second % 97) / 100, 0, "") for second in range(3600)]
    assert len(sample_block.encode(rows)) < 1.2 * len(rows)


def test_an_unchanging_hour_takes_next_to_nothing() -> None:
    rows = [(second * 1_000_000, True, 0, "") for second in range(3600)]
    assert len(sample_block.encode(rows)) < 200


GOOD_BLOCK = sample_block.encode([(second, 1.0, 0, "") for second in range(100)])


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x02" + GOOD_BLOCK[1:],
        GOOD_BLOCK[:-9],
        GOOD_BLOCK[:10] + b"?" + GOOD_BLOCK[11:],
        b"\x01" + zlib.compress(b"abc"),
        b"\x01" + zlib.compress(b"\xff\xff\x00\x00"),
    ],
)
def test_a_damaged_block_is_a_gap_and_not_a_crash(block: bytes) -> None:
    ((time, value, quality, reason),) = sample_block.decode_or_gap(block, first=42)
    assert (time, value, quality) == (42, None, Quality.BAD)
    assert reason.startswith("history: ")
    with pytest.raises(ValueError, match="block"):
        aggregate_block.decode(block)
    ((time, value, quality, reason),) = batch.rows_of(block, point=1, first=43)
    assert (time, value, quality) == (43, None, Quality.BAD)
    assert reason.startswith("history: ")
