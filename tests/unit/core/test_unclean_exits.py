"""Three unclean exits within an hour of running."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.core.unclean_exits import TOO_MANY, WITHIN_S, UncleanExits


@given(st.lists(st.floats(0.0, 2 * WITHIN_S), max_size=12))
def test_too_many_are_three_of_which_the_first_is_younger_than_an_hour(pauses: list[float]) -> None:
    """Against the naive reading: the times of all exits, and how many lie within the hour that ends with the last."""
    exits, now, times = UncleanExits(), 0.0, list[float]()
    for pause in pauses:
        exits, now = exits.after(pause).with_another(), now + pause
        times.append(now)
        within = sum(now - time < WITHIN_S - 1e-6 for time in times)
        nearly = sum(now - time < WITHIN_S + 1e-6 for time in times)
        assert within <= len(exits.ages) <= nearly
        assert exits.are_too_many is (len(exits.ages) >= TOO_MANY)
