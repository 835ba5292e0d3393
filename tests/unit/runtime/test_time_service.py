"""What the machine says of its clock."""

from __future__ import annotations

from controller.runtime.time_service import synchronization


def test_a_clock_that_is_kept_has_been_set() -> None:
    """Whatever this machine answers, it answers, and changes nothing."""
    answer = synchronization()
    assert answer.was or not answer.is_now
    assert synchronization() == answer
