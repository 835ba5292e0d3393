"""Whatever happens to an alarm, in whatever order, what people may rely on holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from controller.core.alarm import (
    HIDDEN,
    NORMAL,
    AlarmState,
    Behaviour,
    Priority,
    Standing,
    acknowledged,
    out_of_service,
    seen,
    shelved,
    suppressed,
    unshelved,
)


class Deed(NamedTuple):
    kind: str
    flag: bool
    pause: float


DEEDS = st.lists(
    st.builds(
        Deed,
        st.sampled_from(["seen", "acknowledge", "shelve", "unshelve", "suppress", "service"]),
        st.booleans(),
        st.floats(0.0, 30.0),
    ),
    max_size=30,
)
DELAY = st.integers(0, 20).map(lambda seconds: timedelta(seconds=seconds))
BEHAVIOURS = st.builds(Behaviour, st.just(Priority.HIGH), DELAY, DELAY, st.booleans())


def after(standing: Standing, behaviour: Behaviour, deed: Deed, now: float) -> Standing:
    match deed.kind:
        case "seen":
            return seen(standing, behaviour, condition=deed.flag, monotonic=now)
        case "acknowledge":
            return acknowledged(standing)
        case "shelve":
            return shelved(standing, now + 10.0)
        case "unshelve":
            return unshelved(standing)
        case "suppress":
            return suppressed(standing, now, by_design=deed.flag)
        case _:
            return out_of_service(standing, is_out=deed.flag)


def lived(behaviour: Behaviour, deeds: Sequence[Deed]) -> tuple[list[Standing], float]:
    now, standings = 0.0, [NORMAL]
    for deed in deeds:
        now += deed.pause
        standing = seen(standings[-1], behaviour, condition=standings[-1].condition, monotonic=now)
        standings.append(after(standing, behaviour, deed, now))
    return standings, now


@given(BEHAVIOURS, DEEDS)
def test_nobody_is_asked_to_acknowledge_what_is_hidden(behaviour: Behaviour, deeds: list[Deed]) -> None:
    standings, _ = lived(behaviour, deeds)
    for standing in standings:
        assert standing.is_acknowledged or standing.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
        assert standing.is_hidden == (standing.state in HIDDEN)


@given(BEHAVIOURS, DEEDS)
def test_what_is_over_ends_and_what_lasts_is_shown(behaviour: Behaviour, deeds: list[Deed]) -> None:
    """However it got there: put back, no longer suppressed, time enough."""
    standings, now = lived(behaviour, deeds)
    for condition in (False, True):
        standing = out_of_service(suppressed(standings[-1], now, by_design=False), is_out=False)
        for later in (now, now + 100.0, now + 200.0):
            standing = seen(standing, behaviour, condition=condition, monotonic=later)
        if condition:
            assert standing.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
        else:
            assert acknowledged(standing) == NORMAL


@given(BEHAVIOURS, DEEDS)
def test_looking_again_at_the_same_moment_changes_nothing(behaviour: Behaviour, deeds: list[Deed]) -> None:
    standings, now = lived(behaviour, deeds)
    once = seen(standings[-1], behaviour, condition=standings[-1].condition, monotonic=now)
    assert seen(once, behaviour, condition=once.condition, monotonic=now) == once
    assert once.next_change(behaviour) > now, "what is due has been done"
