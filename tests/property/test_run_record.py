"""Run, off and unknown time add up to the time that has passed, whatever a status does and however often we go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.run_record import RunRecord, accounted, after_absence, seen
from controller.core.sample import Quality, Sample

BEGUN = datetime(2026, 7, 6, tzinfo=UTC)


class Step(NamedTuple):
    """After so many seconds: a status, or none at all and a restart."""

    seconds: float
    running: bool
    quality: Quality
    restarts: bool


STEPS = st.lists(
    st.builds(Step, st.floats(0, 5000), st.booleans(), st.sampled_from(Quality), st.sampled_from([False] * 4 + [True]))
)


@given(STEPS)
def test_no_second_is_counted_twice_or_lost(steps: list[Step]) -> None:
    record, wall, monotonic = RunRecord(BEGUN, 100.0), 0.0, 100.0
    could_run, running_seen, was_off, starts = 0.0, False, False, 0
    for step in steps:
        wall += step.seconds
        if running_seen:
            could_run += step.seconds
        before = record
        if step.restarts:
            record = after_absence(record, step.seconds, monotonic, monotonic=7.0)
            monotonic, running_seen = 7.0, False
        else:
            monotonic += step.seconds
            record = seen(record, Sample(step.running, step.quality, "", BEGUN + timedelta(seconds=wall), monotonic))
            if step.quality is Quality.GOOD:
                starts += step.running and was_off
                was_off = not step.running
            running_seen = step.running and step.quality is Quality.GOOD
        now = accounted(record, monotonic)
        assert now.run_s + now.off_s + now.unknown_s == pytest.approx(wall, abs=1e-6)
        assert now.run_s <= could_run + 1e-6, "never more than it can have run"
        assert record.run_s >= before.run_s
        assert record.starts >= before.starts
    assert record.starts == starts


def test_a_clock_that_was_set_back_adds_nothing() -> None:
    record = seen(RunRecord(BEGUN, 0.0), Sample(True, Quality.GOOD, "", BEGUN, 0.0))
    after = after_absence(accounted(record, 60.0), -86400.0, 60.0, 5.0)
    assert (after.run_s, after.unknown_s) == (60.0, 0.0)
    assert accounted(after, 5.0) == after
