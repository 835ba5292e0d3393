"""What the tests of history share: a clock that stands still, moments, rows."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controller.core.point import PointId
from controller.core.ports import Phase, RecordedSample
from controller.core.sample import Quality, Sample, Scalar
from controller.historian.reading import SqliteHistoryReader
from controller.historian.retention import Retention
from controller.historian.timeline import HOLD, MICROSECOND
from controller.historian.writer import HistoryWriter

START = datetime(2026, 8, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)

TEMPERATURE = PointId("plant.chiller_1.leaving_chilled_water_temperature")
POWER = PointId("site.main_meter.power")


@dataclass
class StillClock:
    """The time is what the test says; counts what works outside."""

    time: datetime = START
    outside_now: int = 0
    outside_total: int = 0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0

    def wire_time(self) -> float:
        return 0.0

    async def sleep_until(self, deadline: float, phase: Phase, name: str) -> None:
        raise AssertionError("history never sleeps")

    def outside(self) -> AbstractContextManager[None]:
        return self._outside()

    @contextmanager
    def _outside(self) -> Generator[None, None, None]:
        self.outside_now += 1
        self.outside_total += 1
        try:
            yield
        finally:
            self.outside_now -= 1


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sample(
    seconds: float, value: Scalar | None, quality: Quality = Quality.GOOD, reason: str = "", *, received: float = 0.0
) -> Sample:
    return Sample(value, quality, reason, at(seconds), received)


def recorded(seconds: float, value: Scalar | None, point: PointId = POWER) -> RecordedSample:
    return (point, sample(seconds, value))


def every_second(first: int, last: int, point: PointId = POWER) -> list[RecordedSample]:
    return [recorded(second, float(second % 100), point) for second in range(first, last)]


def all_samples(reader: SqliteHistoryReader, point: PointId = POWER) -> Sequence[Sample]:
    return reader.read_samples(point, BEGINNING, END_OF_TIME)


def writer(path: Path, hot_rows: int = 1000, keep: Retention | None = None) -> HistoryWriter:
    return HistoryWriter(path, StillClock(), keep or Retention(), HOLD // MICROSECOND, hot_rows)


def maintain(store: HistoryWriter, now: datetime) -> None:
    """What the historian's `maintain` does, without its threads."""
    newest = store.newest_hot()
    while store.seal(newest):
        pass
    for work in store.join_slices(now):
        work()
    for work in store.aggregate_slices(now):
        work()
    if store.may_thin(now):
        while store.thin(now):
            pass
