"""A whole day of the demo site on virtual time, judged as the real one is (see benchmarks/demo_day.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from benchmarks.demo_day import (
    GROUPS,
    JUDGED,
    LAMPS,
    Circumstances,
    Record,
    Series,
    circumstances,
    failures,
    series_of,
    sun_times,
)
from controller.core.event import Event
from controller.core.point import PointId
from controller.core.sample import Sample
from controller.core.strategy import Mode
from controller.historian import export
from tests.virtual_demo import Run, live

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    # The reference times of the sun have nanoseconds, which no clock of ours has.
    pytest.mark.filterwarnings("ignore:Discarding nonzero nanoseconds"),
]

# Midnight of a Monday in Shenzhen.
START = datetime(2026, 7, 5, 16, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


class Lived(NamedTuple):
    """Everything that a run recorded, and its last event, which says how the scans came out."""

    run: Run
    samples: dict[PointId, Sequence[Sample]]
    events: Sequence[Event]

    @property
    def series(self) -> Series:
        rows = [(point, sample) for point in map(PointId, JUDGED) for sample in self.samples[point]]
        return series_of([*export.sample_records(rows, self.run.site.zone)])

    @property
    def circumstances(self) -> Circumstances:
        events = [*export.event_records(self.events, self.run.site.zone)]
        position = self.run.site.position
        return circumstances(events, position.latitude, position.longitude)


def lived(lasting: timedelta, *, mode: Mode | None = None) -> Lived:
    samples: dict[PointId, Sequence[Sample]] = {}
    events: list[Event] = []

    async def life(run: Run) -> None:
        await run.wait(lasting.total_seconds())
        await run.daemon.recorder.flush()
        for point in run.historian.points():
            samples[point] = await run.historian.read_samples(point, START, START + 2 * DAY)
        events.extend(await run.historian.read_events(START, START + 2 * DAY))

    run = live(START, life, mode=mode, speed=60.0)
    return Lived(run, samples, [*events, run.daemon.journal.recent[-1]])


@pytest.fixture(scope="module")
def day() -> Lived:
    return lived(DAY)


def test_the_day_is_as_it_should_be(day: Lived) -> None:
    assert failures(day.series, day.circumstances) == []
    alarms = [event for event in day.events if event.kind == "alarm"]
    assert alarms == []
    assert day.run.daemon.writer.holdings == {}


@pytest.mark.parametrize("after_sunrise_s", [-300, -90, -30, 0, 30, 90, 300])
def test_a_day_may_end_at_any_time_around_sunrise(day: Lived, after_sunrise_s: int) -> None:
    """What the lamps do once they are the original controls' again is not ours."""
    position = day.run.site.position
    noon = (START + timedelta(hours=12)).astimezone(day.run.site.zone)
    sunrise, _ = sun_times(noon, position.latitude, position.longitude)
    end = sunrise + timedelta(seconds=after_sunrise_s)
    until_then = {point: [each for each in records if each.at < end] for point, records in day.series.items()}
    lamps = [*until_then[LAMPS], Record(end, value=True), Record(end + timedelta(seconds=1), value=False)]
    found = failures({**until_then, LAMPS: lamps}, replace(day.circumstances, given_back=end))
    # The plant's midnight has neither sunset nor, before its time, sunrise, and its façade is dark already.
    beyond = ("neither a sunset nor a sunrise", "the façade was never lit")
    assert [failure for failure in found if not any(each in failure for each in beyond)] == []


def test_the_same_day_without_strategies_fails_by_lamps_and_motion() -> None:
    without = lived(DAY, mode=Mode.OFF)
    # Nothing is taken over, so the whole day is judged.
    position = without.run.site.position
    given = Circumstances(position.latitude, position.longitude, START, 1.0)
    found = failures(without.series, given)
    assert without.run.daemon.writer.writes == 0
    for why in ("outdoor lamps were not switched on", "outdoor lamps were not switched off", "for no sun"):
        assert any(why in failure for failure in found), why
    for group in GROUPS:
        assert any(failure.startswith(f"{group} was not raised by the motion") for failure in found), group
    for why in ("the façade was lit at", "garage.sensor_lamps_1.idle_brightness was [0.3]"):
        assert any(failure.startswith(why) for failure in found), why


def test_the_same_seed_is_the_same_day_to_the_bit(day: Lived) -> None:
    """The first seven hours once more: the night and the beginning of the morning's traffic."""
    lasting = timedelta(hours=7)
    again = lived(lasting)
    assert again.samples.keys() == day.samples.keys()
    for point, samples in again.samples.items():
        first = [_told(sample) for sample in day.samples[point] if sample.timestamp < START + lasting]
        assert [_told(sample) for sample in samples if sample.timestamp < START + lasting] == first, point
    count = sum(event.at < START + lasting for event in day.events)
    assert [event for event in again.events if event.at < START + lasting] == [*day.events[:count]]
    assert count > 1000


def _told(sample: Sample) -> tuple[object, ...]:
    """To the bit: repr tells 0.1 from what only looks like it, and True from 1."""
    return repr(sample.value), sample.quality, sample.reason, sample.timestamp
