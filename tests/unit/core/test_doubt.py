"""A sensor that repeats itself or jumps is not believed; one that merely measures is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.doubt import Doubt, Past, doubted
from controller.core.sample import Quality, Sample, Scalar, bad, good

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
FLAT = Doubt(frozen_after=timedelta(minutes=10))
STEP = Doubt(plausible_rate=0.5)


def believed(doubt: Doubt, *readings: tuple[float, Scalar | None]) -> list[Sample]:
    """What becomes of readings (seconds, value; None: the device did not answer)."""
    past: Past | None = None
    samples: list[Sample] = []
    for seconds, value in readings:
        sample = bad("device lost", NOW, seconds) if value is None else good(value, NOW, seconds)
        sample, past = doubted(sample, doubt, past)
        samples.append(sample)
    return samples


def are_good(doubt: Doubt, *readings: tuple[float, Scalar | None]) -> list[bool]:
    return [sample.is_good for sample in believed(doubt, *readings)]


def test_a_value_may_stand_still_for_its_time_and_not_longer() -> None:
    assert are_good(FLAT, (0, 7.0), (600, 7.0), (601, 7.0), (602, 7.1)) == [True, True, False, True]
    frozen = believed(FLAT, (0, 7.0), (601, 7.0))[-1]
    assert (frozen.value, frozen.quality) == (7.0, Quality.BAD)
    assert frozen.reason == "frozen: has not changed for more than 0:10:00"


def test_nobody_knows_whether_it_stood_still_while_it_was_away() -> None:
    assert are_good(FLAT, (0, 7.0), (500, None), (700, 7.0), (1300, 7.0), (1301, 7.0)) == [
        True,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("value", [True, "direct", 3])
def test_every_kind_of_value_can_stand_still(value: Scalar) -> None:
    assert are_good(FLAT, (0, value), (601, value)) == [True, False]


def test_a_spike_is_not_believed_and_hides_nothing() -> None:
    assert are_good(STEP, (0, 20.0), (1, 60.0), (2, 20.1)) == [True, False, True]
    spike = believed(STEP, (0, 20.0), (1, 60.0))[-1]
    assert spike.reason == "jumped from 20.0 to 60.0, more than 0.5 per second"


def test_what_stays_at_its_new_value_is_believed() -> None:
    assert are_good(STEP, (0, 20.0), (1, 60.0), (2, 60.2), (3, 60.1)) == [True, False, True, True]


def test_two_spikes_in_a_row_are_two_spikes() -> None:
    assert are_good(STEP, (0, 20.0), (1, 60.0), (2, -40.0), (3, 20.0)) == [True, False, False, True]


def test_what_was_read_long_ago_may_have_gone_far() -> None:
    assert are_good(STEP, (0, 20.0), (100, 60.0)) == [True, True]


def test_readings_within_one_second_are_not_divided_by_next_to_nothing() -> None:
    assert are_good(STEP, (0, 20.0), (0.01, 20.4)) == [True, True]


def test_what_the_device_calls_bad_stays_as_it_says() -> None:
    assert believed(STEP, (0, 20.0), (1, None))[-1].reason == "device lost"


@given(
    rate=st.floats(0.01, 10),
    shares=st.lists(st.floats(-1, 1), min_size=1, max_size=30),
)
def test_what_moves_within_its_rate_is_always_believed(rate: float, shares: list[float]) -> None:
    value, readings = 20.0, [(0.0, 20.0)]
    for second, share in enumerate(shares, start=1):
        value += 0.999 * share * rate
        readings.append((float(second), value))
    assert all(are_good(Doubt(plausible_rate=rate), *readings))


@given(level=st.floats(-50, 50), jump=st.floats(1, 100), at=st.integers(1, 20))
def test_one_reading_off_is_never_acted_on(level: float, jump: float, at: int) -> None:
    readings = [(float(second), level + (jump if second == at else 0.0)) for second in range(25)]
    assert [second for second, is_good in enumerate(are_good(STEP, *readings)) if not is_good] == [at]
