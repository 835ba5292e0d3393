"""Pauses grow to a cap, differ between links, and start anew."""

from __future__ import annotations

from controller.runtime.backoff import FIRST_S, JITTER, LONGEST_S, Backoff


def test_pauses_double_up_to_the_cap() -> None:
    backoff = Backoff("link")
    pauses = [backoff.next_pause() for _ in range(20)]
    for attempt, pause in enumerate(pauses):
        full = min(FIRST_S * 2**attempt, LONGEST_S)
        assert (1 - JITTER) * full <= pause <= full


def test_every_one_of_a_thousand_links_is_asked_again_within_a_minute_and_not_all_at_once() -> None:
    late = list[float]()
    for number in range(1000):
        backoff = Backoff(f"link {number}")
        for _ in range(10):
            backoff.next_pause()
        late.append(backoff.next_pause())
    assert max(late) <= 60.0
    assert len({round(pause, 2) for pause in late}) > 500


def test_an_answer_starts_the_pauses_anew() -> None:
    backoff = Backoff("link")
    for _ in range(10):
        backoff.next_pause()
    backoff.reset()
    assert backoff.next_pause() <= FIRST_S


def test_the_same_link_pauses_the_same_every_time() -> None:
    one, other = Backoff("link"), Backoff("link")
    assert [one.next_pause() for _ in range(9)] == [other.next_pause() for _ in range(9)]
