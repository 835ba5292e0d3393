"""What is recorded of many points, against a naive reference: differences at once, and everything once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from controller.core.point import Point, PointId, PointKind
from controller.core.ports import RecordedSample
from controller.core.sample import Sample, good
from controller.core.units import Unit
from controller.historian.memory import MemoryHistorian
from controller.runtime.image import FrozenImage, Image
from controller.runtime.journal import Journal
from controller.runtime.recorder import LONGEST_PAUSE_S, Recorder
from tests.hand_clock import HandClock

IDS = tuple(PointId(f"plant.tank_{number}.temperature") for number in range(4))
POINTS = {id_: Point(id_, PointKind.SENSOR, Unit.CELSIUS) for id_ in IDS}
SCANS = st.lists(
    st.tuples(st.sampled_from([1.0, 19.0, 60.0]), st.dictionaries(st.sampled_from(IDS), st.integers(0, 1))),
    max_size=40,
)


class Naive:
    def __init__(self) -> None:
        self.told: dict[PointId, tuple[float, Sample]] = {}

    def rows(self, image: FrozenImage) -> list[RecordedSample]:
        rows: list[RecordedSample] = []
        for point, sample in image.samples.items():
            at, before = self.told.get(point, (image.monotonic, None))
            is_due = image.monotonic - at >= LONGEST_PAUSE_S
            is_other = before is None or (before.value, before.quality) != (sample.value, sample.quality)
            if is_due or is_other:
                self.told[point] = image.monotonic, sample
            if is_other or (is_due and before is not sample):
                rows.append((point, sample))
        return rows


class Keeping(MemoryHistorian):
    """Keeps what it is handed, as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[RecordedSample] = []

    async def append_samples(self, rows: Sequence[RecordedSample]) -> None:
        self.rows.extend(rows)


@given(SCANS)
def test_each_scan_records_what_a_look_at_every_point_would(scans: list[tuple[float, dict[PointId, int]]]) -> None:
    asyncio.run(compare(scans))


async def compare(scans: list[tuple[float, dict[PointId, int]]]) -> None:
    clock, historian, naive = HandClock(), Keeping(), Naive()
    image = Image(POINTS, ZoneInfo("UTC"), clock, lambda: None)
    recorder = Recorder(POINTS, historian, Journal(clock, "digest"))
    for pause, values in scans:
        clock.advance(pause)
        now, monotonic = clock.now(), clock.monotonic()
        image.put({point: good(float(value), now, monotonic) for point, value in values.items()})
        frozen = image.freeze()
        recorder.record(frozen)
        await recorder.flush()
        assert sorted(historian.rows) == sorted(naive.rows(frozen))
        historian.rows.clear()
