"""When the wall clock is believed: a table of looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.core.wall_clock import Synchronization, WallClock, looked_at

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
KEPT, ONCE, NEVER = Synchronization(True, True), Synchronization(False, True), Synchronization(False, False)

# Each look: seconds since the first, by how much the clock has been set altogether, what the machine says, believed?
Look = tuple[float, float, Synchronization, bool]


def believed(looks: list[Look], *, is_free_running: bool, latest: datetime = NOW) -> list[bool]:
    clock: WallClock | None = None
    answers: list[bool] = []
    for at, shift, says, _ in looks:
        now = NOW + timedelta(seconds=at + shift)
        clock = looked_at(clock, now, 1000.0 + at, latest, says, is_free_running=is_free_running)
        answers.append(clock.doubt is None)
    return answers


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([(0, 0, NEVER, False), (50, 0, NEVER, False), (60, 3, KEPT, True)], id="until it is set"),
        pytest.param([(0, 0, ONCE, True), (50_000, 0, NEVER, True)], id="a time server that is away makes no doubt"),
        pytest.param([(0, 0, KEPT, True), (10, 50, NEVER, True)], id="a small correction"),
        pytest.param([(0, 0, KEPT, True), (10, 3600, NEVER, False), (9999, 3600, NEVER, False)], id="set by hand"),
        pytest.param([(0, 0, KEPT, True), (10, -3600, KEPT, True), (11, -3600, NEVER, True)], id="set by its server"),
        pytest.param([(0, -86400, ONCE, False), (10, -86400, NEVER, False), (20, 0, KEPT, True)], id="went backwards"),
        pytest.param([(0, -86400, KEPT, True), (1, -86400, NEVER, True)], id="what was stored was wrong"),
        pytest.param([(0, 0, NEVER, False), (10, 3600, NEVER, False), (700, 3600, NEVER, False)], id="by hand, unkept"),
    ],
)
def test_a_clock_that_a_time_server_keeps(looks: list[Look]) -> None:
    assert believed(looks, is_free_running=False) == [expected for *_, expected in looks]


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param([(0, 0, NEVER, True)], id="people vouch for it"),
        pytest.param(
            [(0, 0, NEVER, True), (10, 3600, NEVER, False), (600, 3600, NEVER, False), (611, 3600, NEVER, True)],
            id="set",
        ),
        pytest.param(
            [(0, -7200, NEVER, False), (9000, -7200, NEVER, False)], id="an hour behind is not made right by an hour"
        ),
        pytest.param([(0, -7200, NEVER, False), (60, 0, NEVER, False), (661, 0, NEVER, True)], id="mended"),
    ],
)
def test_a_free_running_clock(looks: list[Look]) -> None:
    assert believed(looks, is_free_running=True) == [expected for *_, expected in looks]


def test_no_clock_is_right_before_the_program_was_made() -> None:
    clock = looked_at(
        None, datetime(1970, 1, 1, tzinfo=UTC), 3.0, datetime(1970, 1, 1, tzinfo=UTC), ONCE, is_free_running=True
    )
    assert clock.doubt is not None
    assert "2026-01-01" in clock.doubt.en
