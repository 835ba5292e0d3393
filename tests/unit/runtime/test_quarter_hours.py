"""What is read from history once and then continued."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from controller.core.forecast import LEARNED_FROM
from controller.core.point import PointId
from controller.core.ports import Aggregate, HistoryInterval
from controller.core.sample import Quality, Sample
from controller.historian.memory import MemoryHistorian
from controller.runtime.quarter_hours import LATE, QuarterHours

POINT = PointId("meter.main_1.power")
NOON = datetime(2026, 7, 6, 12, 0, tzinfo=UTC)
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


class Counted(MemoryHistorian):
    """Knows of how much time it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = timedelta(0)

    async def read_aggregates(
        self, point: PointId, start: datetime, end: datetime, interval: HistoryInterval
    ) -> Sequence[Aggregate]:
        self.asked += end - start
        return await super().read_aggregates(point, start, end, interval)

    async def record(self, *told: tuple[datetime, float]) -> None:
        await self.append_samples([(POINT, Sample(value, Quality.GOOD, "", at, 0.0)) for at, value in told])


async def test_only_what_is_new_is_read_again() -> None:
    history = Counted()
    await history.record((NOON - 2 * DAY, 1.0), (NOON - HOUR, 2.0))
    quarter_hours = QuarterHours(history)
    assert (await quarter_hours.read(POINT, NOON - DAY, NOON)).values.tolist() == [2.0]
    assert history.asked == LEARNED_FROM
    assert (await quarter_hours.read(POINT, NOON - 3 * DAY, NOON)).values.tolist() == [1.0, 2.0]
    assert history.asked == LEARNED_FROM, "what two forecasts of an hour lean on is read for the first"
    await history.record((NOON + QUARTER, 3.0))
    assert (await quarter_hours.read(POINT, NOON - 3 * DAY, NOON + HOUR)).values.tolist() == [1.0, 2.0, 3.0]
    assert history.asked == LEARNED_FROM + HOUR + LATE


async def test_what_comes_late_and_out_of_order_is_still_read() -> None:
    history = Counted()
    await history.record((NOON - HOUR, 2.0))
    quarter_hours = QuarterHours(history)
    assert len((await quarter_hours.read(POINT, NOON - DAY, NOON)).values) == 1
    await history.record((NOON - 5 * HOUR, 7.0), (NOON - HOUR + timedelta(minutes=5), 4.0))
    again = await quarter_hours.read(POINT, NOON - DAY, NOON + HOUR)
    assert len(again.values) == 2
    assert again.values[0] == 7.0
    assert 2.0 < again.values[1] < 4.0, "the quarter is worked out anew"


async def test_what_is_older_than_a_model_learns_from_is_forgotten() -> None:
    history = Counted()
    await history.record((NOON - LEARNED_FROM, 1.0), (NOON, 2.0))
    quarter_hours = QuarterHours(history)
    assert (await quarter_hours.read(POINT, NOON - 2 * LEARNED_FROM, NOON)).values.tolist() == [1.0]
    later = await quarter_hours.read(POINT, NOON - 2 * LEARNED_FROM, NOON + HOUR)
    assert later.values.tolist() == [2.0]
