"""What pollers bring, the scan freezes; old values become bad by themselves."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.point import Point, PointId, PointKind
from controller.core.sample import Quality, bad, good
from controller.core.units import Unit
from controller.runtime.image import Image
from tests.hand_clock import HandClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
SLOW, MOTION = PointId("plant.tank_1.temperature"), PointId("garage.group_1.motion")
POINTS = {
    SLOW: Point(SLOW, PointKind.SENSOR, Unit.CELSIUS, stale_after=timedelta(seconds=30)),
    MOTION: Point(MOTION, PointKind.STATUS, Unit.NONE, urgent=True),
}


class Watched:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.urgent = 0
        self.image = Image(POINTS, SHANGHAI, self.clock, self._on_urgent)

    def _on_urgent(self) -> None:
        self.urgent += 1

    def put(self, point: PointId, value: float | None) -> None:
        now, monotonic = self.clock.now(), self.clock.monotonic()
        self.image.put({point: bad("no value", now, monotonic) if value is None else good(value, now, monotonic)})


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_what_was_never_seen_is_bad_and_says_so(watched: Watched) -> None:
    sample = watched.image.freeze().samples[SLOW]
    assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "never seen")


def test_a_frozen_picture_does_not_change(watched: Watched) -> None:
    watched.put(SLOW, 7.0)
    frozen = watched.image.freeze()
    watched.put(SLOW, 8.0)
    assert frozen.samples[SLOW].value == 7.0
    assert watched.image.freeze().samples[SLOW].value == 8.0


def test_a_value_that_is_too_old_becomes_bad_once(watched: Watched) -> None:
    watched.put(SLOW, 7.0)
    watched.clock.advance(30)
    assert watched.image.freeze().samples[SLOW].is_good
    watched.clock.advance(1)
    frozen = watched.image.freeze()
    assert (frozen.samples[SLOW].quality, frozen.samples[SLOW].reason) == (Quality.BAD, "stale")
    assert SLOW in frozen.fresh
    assert SLOW not in watched.image.freeze().fresh
    watched.put(SLOW, 7.0)
    assert watched.image.freeze().samples[SLOW].is_good


def test_only_what_came_in_since_the_last_scan_is_fresh_and_a_look_takes_nothing(watched: Watched) -> None:
    assert set(watched.image.freeze().fresh) == {SLOW, MOTION}
    watched.put(SLOW, 7.0)
    assert watched.image.present[SLOW].value == 7.0
    assert set(watched.image.freeze().fresh) == {SLOW}
    assert set(watched.image.freeze().fresh) == set()


def test_an_urgent_point_tells_its_changes_of_value_and_quality_only(watched: Watched) -> None:
    told: list[int] = []
    for value in (0.0, 0.0, 1.0, 1.0, None, None, 1.0):
        watched.put(MOTION, value)
        told.append(watched.urgent)
    assert told == [1, 1, 2, 2, 3, 3, 4]
    watched.put(SLOW, 3.0)
    assert watched.urgent == 4


deeds = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 7.0, 29.5, 30.0, 31.0, 400.0]), st.sampled_from(["put", "lose", "look"])),
    max_size=40,
)


@given(deeds)
def test_a_value_is_bad_exactly_while_it_is_older_than_its_point_allows(done: list[tuple[float, str]]) -> None:
    watched = Watched()
    seen_at: float | None = None
    for seconds, deed in done:
        watched.clock.advance(seconds)
        if deed == "put":
            watched.put(SLOW, 7.0)
            seen_at = watched.clock.monotonic()
        elif deed == "lose":
            watched.put(SLOW, None)
            seen_at = None
        is_young = seen_at is not None and watched.clock.monotonic() - seen_at <= 30
        frozen = watched.image.freeze()
        assert frozen.samples[SLOW].is_good is is_young
        assert frozen.local == frozen.now
        assert frozen.local.utcoffset() == timedelta(hours=8)
