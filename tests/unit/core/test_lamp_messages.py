"""When the day's lamp times are sent, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.lamp_messages import day_to_send, next_sending, sending_time

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.mark.parametrize(
    "day, at, expected",
    [
        (date(2026, 7, 6), time(8), "2026-07-06T06:00+00:00"),
        (SPRING, time(2, 30), "2026-03-29T01:30+00:00"),
        (SPRING, time(8), "2026-03-29T06:00+00:00"),
        (AUTUMN, time(2, 30), "2026-10-25T00:30+00:00"),
        (AUTUMN, time(8), "2026-10-25T07:00+00:00"),
    ],
)
def test_the_time_of_a_day(day: date, at: time, expected: str) -> None:
    assert sending_time(day, at, BERLIN) == datetime.fromisoformat(expected)


@given(
    zone=st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]),
    at=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    hours=st.integers(0, 334 * 24),
)
def test_each_day_is_sent_once_and_never_before_its_time(zone: str, at: time, hours: int) -> None:
    """Looked at every half hour for four days, and at the very times at which something is due."""
    place, now = ZoneInfo(zone), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    end, whole = now + timedelta(days=4), None
    sent: list[date] = []
    while now < end:
        due = day_to_send(at, place, now, whole)
        if due is not None:
            assert sending_time(due, at, place) <= now
            sent.append(due)
            whole = due
        assert day_to_send(at, place, now, whole) is None
        now = min(now + timedelta(minutes=30), next_sending(at, place, now))
    assert sent == sorted(set(sent))
    assert [one + timedelta(days=1) for one in sent[:-1]] == sent[1:]
    assert len(sent) in (4, 5)


def test_a_day_that_is_over_is_not_made_up_for() -> None:
    at, noon = time(8), datetime(2026, 7, 6, 10, tzinfo=UTC)
    assert day_to_send(at, BERLIN, noon, date(2026, 7, 2)) == date(2026, 7, 6)
    assert day_to_send(at, BERLIN, datetime(2026, 7, 6, 3, tzinfo=UTC), date(2026, 7, 2)) is None
    assert day_to_send(at, BERLIN, noon, date(2027, 1, 1)) is None
