"""What every historian promises, whatever is behind it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind, JsonValue
from controller.core.event_chain import ChainHead
from controller.core.point import PointId
from controller.core.ports import Aggregate, Historian, HistoryInterval
from controller.core.sample import Quality, Sample, Scalar
from controller.historian.memory import MemoryHistorian
from controller.historian.sqlite import SqliteHistorian
from tests.unit.historian.support import (
    BEGINNING,
    END_OF_TIME,
    POWER,
    START,
    TEMPERATURE,
    StillClock,
    at,
    recorded,
    sample,
)

MINUTE, HOUR, DAY = HistoryInterval.MINUTE, HistoryInterval.HOUR, HistoryInterval.DAY


@pytest.fixture(params=["memory", "sqlite", "sqlite sealing after every few rows"])
async def historian(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Historian]:
    if request.param == "memory":
        made: Historian = MemoryHistorian()
    elif request.param == "sqlite":
        made = SqliteHistorian(tmp_path / "state" / "history.db", StillClock())
    else:
        made = SqliteHistorian(tmp_path / "state" / "history.db", StillClock(), hot_rows=3)
    yield made
    await made.close()


async def append(historian: Historian, *samples: Sample, point: PointId = POWER) -> None:
    """One batch each, as a recorder does it once a second."""
    for each in samples:
        await historian.append_samples([(point, each)])


async def everything(historian: Historian, point: PointId = POWER) -> list[Sample]:
    return list(await historian.read_samples(point, BEGINNING, END_OF_TIME))


async def minutes(historian: Historian, first: float, last: float) -> list[Aggregate]:
    return list(await historian.read_aggregates(POWER, at(first), at(last), MINUTE))


class TestSamples:
    async def test_nothing_is_there_before_anything_was_recorded(self, historian: Historian) -> None:
        assert await everything(historian) == []
        assert await minutes(historian, 0, 3600) == []

    async def test_an_empty_batch_is_fine(self, historian: Historian) -> None:
        await historian.append_samples([])
        await historian.append_events([])
        assert await everything(historian) == []

    @pytest.mark.parametrize(
        "value",
        [
            0.1 + 0.2, 21.35, -0.0, 1e300, 5e-324, math.inf, 7, -7, 0, 2**53 + 1, 2**64 - 1, -(2**70),
            True, False, "", "cooling", "冷却", "a\x00b",
        ],
    )  # fmt: skip
    async def test_a_value_comes_back_exactly_and_of_its_type(self, historian: Historian, value: Scalar) -> None:
        await append(historian, *(sample(second, value) for second in range(8)))
        values = [each.value for each in await everything(historian)]
        assert list(map(repr, values)) == [repr(value)] * 8

    async def test_not_a_number_comes_back(self, historian: Historian) -> None:
        await append(historian, *(sample(second, math.nan) for second in range(8)))
        values = [each.value for each in await everything(historian)]
        assert all(isinstance(value, float) and math.isnan(value) for value in values)

    async def test_types_and_qualities_may_alternate(self, historian: Historian) -> None:
        samples = [
            sample(0, 1.5),
            sample(1, 1),
            sample(2, True),
            sample(3, "off"),
            sample(4, None, Quality.BAD, "device lost: 连接被拒绝"),
            sample(5, 2.5, Quality.UNCERTAIN, "clock of the device is off"),
            sample(6, 1e9, Quality.BAD, "implausible"),
            sample(7, 3.5),
        ]
        await append(historian, *samples)
        assert await everything(historian) == samples

    async def test_timestamps_keep_their_microseconds(self, historian: Historian) -> None:
        moments = [START + timedelta(microseconds=step) for step in (1, 2, 999_999, 1_000_001, 59_999_999)]
        samples = [Sample(1.0, Quality.GOOD, "", moment, 0.0) for moment in moments]
        await append(historian, *samples)
        assert await everything(historian) == samples

    async def test_when_a_sample_was_received_belongs_to_one_life_and_is_not_kept(self, historian: Historian) -> None:
        await append(historian, sample(0, 1.0, received=1234.5))
        assert [each.received for each in await everything(historian)] == [0.0]

    async def test_a_range_includes_its_start_and_not_its_end(self, historian: Historian) -> None:
        await append(historian, *(sample(second, float(second)) for second in range(10)))
        found = await historian.read_samples(POWER, at(3), at(6))
        assert [each.value for each in found] == [3.0, 4.0, 5.0]

    async def test_points_are_apart(self, historian: Historian) -> None:
        await historian.append_samples([recorded(0, 1.0), recorded(0, 2.0, TEMPERATURE)])
        assert [each.value for each in await everything(historian)] == [1.0]
        assert [each.value for each in await everything(historian, TEMPERATURE)] == [2.0]

    async def test_a_repeated_source_time_is_dropped_and_the_first_stays(self, historian: Historian) -> None:
        await historian.append_samples([recorded(0, 1.0), recorded(0, 2.0), recorded(1, 3.0)])
        await append(historian, sample(1, 4.0), sample(0, 5.0), sample(2, 6.0), sample(1, 7.0))
        assert [each.value for each in await everything(historian)] == [1.0, 3.0, 6.0]

    async def test_a_batch_sent_twice_is_there_once(self, historian: Historian) -> None:
        batch = [recorded(second, float(second), point) for second in range(20) for point in (POWER, TEMPERATURE)]
        await historian.append_samples(batch)
        await historian.append_samples(batch)
        assert len(await everything(historian)) == 20
        assert len(await everything(historian, TEMPERATURE)) == 20

    @pytest.mark.parametrize("large", [2**53, 2**53 + 1])
    async def test_batches_that_are_alike_come_back_as_they_were(self, historian: Historian, large: int) -> None:
        kinds: dict[PointId, Scalar] = dict(zip(map(PointId, "abcde"), (1.5, True, -7, large, "cooling"), strict=True))
        told: dict[PointId, list[Sample]] = {point: [] for point in kinds}
        for second in (*range(9), 20, 9, 9, *range(21, 30)):
            quality = Quality.UNCERTAIN if 5 < second < 24 else Quality.GOOD
            batch = [(point, sample(second, value, quality)) for point, value in kinds.items()]
            await historian.append_samples(batch)
            for point, each in batch:
                told[point].append(each)
        for point, samples in told.items():
            first_of_its_time = list({each.timestamp: each for each in reversed(samples)}.values())
            assert await everything(historian, point) == sorted(first_of_its_time, key=lambda it: it.timestamp)

    async def test_what_was_read_between_two_batches_is_not_read_twice(self, historian: Historian) -> None:
        for second in range(5):
            await historian.append_samples([recorded(second, float(second)), recorded(second, 0.5, TEMPERATURE)])
            assert [each.value for each in await everything(historian)] == [float(each) for each in range(second + 1)]

    async def test_stragglers_are_put_in_order(self, historian: Historian) -> None:
        await append(historian, *(sample(second, float(second)) for second in (5, 1, 9, 3, 7, 0)))
        assert [each.value for each in await everything(historian)] == [0.0, 1.0, 3.0, 5.0, 7.0, 9.0]

    async def test_a_clock_that_jumps_ahead_and_back_loses_nothing(self, historian: Historian) -> None:
        moments = [START, datetime(2099, 1, 1, tzinfo=UTC), at(1), datetime(1970, 1, 1, tzinfo=UTC), at(2)]
        moments.append(datetime(1960, 2, 29, 12, 30, 15, tzinfo=UTC))
        await append(historian, *(Sample(1.0, Quality.GOOD, "", moment, 0.0) for moment in moments))
        assert [each.timestamp for each in await everything(historian)] == sorted(moments)


class TestAggregates:
    async def test_the_last_value_holds_and_weighs_as_long_as_it_held(self, historian: Historian) -> None:
        await append(historian, sample(0, 10.0), sample(45, 20.0), sample(60, 0.0))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 2, 10.0, 12.5, 20.0, 20.0, 1.0)]

    async def test_a_value_from_before_holds_into_an_interval(self, historian: Historian) -> None:
        await append(historian, sample(30, 10.0), sample(150, 20.0))
        assert (await minutes(historian, 60, 120)) == [Aggregate(at(60), 0, 10.0, 10.0, 10.0, 10.0, 1.0)]

    async def test_the_newest_value_holds_to_the_end_of_its_minute(self, historian: Historian) -> None:
        await append(historian, sample(0, 10.0), sample(30, 20.0))
        assert (await minutes(historian, 0, 600)) == [Aggregate(START, 2, 10.0, 15.0, 20.0, 20.0, 1.0)]

    async def test_an_outage_is_not_filled(self, historian: Historian) -> None:
        await append(historian, sample(30, 10.0), sample(3600, 20.0))
        found = await minutes(historian, 0, 3660)
        assert [(each.start, each.mean, each.good_share) for each in found] == [
            (START, 10.0, 0.5),
            (at(3600), 20.0, 1.0),
        ]

    async def test_a_gap_is_a_bad_row_and_its_time_is_not_known(self, historian: Historian) -> None:
        await append(historian, sample(0, 10.0), sample(15, None, Quality.BAD, "device lost"), sample(45, 30.0))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 2, 10.0, 20.0, 30.0, 30.0, 0.5)]

    async def test_a_minute_of_nothing_but_trouble_says_so(self, historian: Historian) -> None:
        await append(historian, *(sample(second, None, Quality.BAD, "device lost") for second in (0, 30, 60)))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 0, None, None, None, None, 0.0)]

    async def test_uncertain_values_are_known_but_not_good(self, historian: Historian) -> None:
        await append(historian, sample(0, 10.0), sample(30, 20.0, Quality.UNCERTAIN, "clock"), sample(60, 0.0))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 1, 10.0, 15.0, 20.0, 20.0, 0.5)]

    async def test_the_mean_of_a_switch_is_its_share_of_time_on(self, historian: Historian) -> None:
        await append(historian, sample(0, True), sample(15, False), sample(60, False))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 2, 0.0, 0.25, 1.0, 0.0, 1.0)]

    async def test_texts_have_a_quality_and_no_mean(self, historian: Historian) -> None:
        await append(historian, sample(0, "auto"), sample(60, "auto"))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 1, None, None, None, None, 1.0)]

    async def test_a_constant_has_itself_as_mean_exactly(self, historian: Historian) -> None:
        await append(historian, *(sample(second, 0.1) for second in range(0, 60, 7)))
        assert [each.mean for each in await minutes(historian, 0, 60)] == [0.1]

    async def test_whole_intervals_are_answered(self, historian: Historian) -> None:
        await append(historian, *(sample(second, 1.0) for second in range(0, 300, 30)))
        found = await minutes(historian, 90, 181)
        assert [each.start for each in found] == [at(60), at(120), at(180)]
        assert [each.samples for each in found] == [2, 2, 2]

    async def test_hours_and_days_come_from_minutes(self, historian: Historian) -> None:
        await append(historian, *(sample(minute * 60, float(minute)) for minute in range(121)))
        hours = await historian.read_aggregates(POWER, START, at(7200), HOUR)
        assert [(each.start, each.samples, each.minimum, each.maximum, each.last) for each in hours] == [
            (START, 60, 0.0, 59.0, 59.0),
            (at(3600), 60, 60.0, 119.0, 119.0),
        ]
        assert [each.mean for each in hours] == [pytest.approx(29.5), pytest.approx(89.5)]
        (day,) = await historian.read_aggregates(POWER, START, at(1), DAY)
        assert (day.samples, day.minimum, day.maximum, day.last) == (121, 0.0, 120.0, 120.0)
        assert day.mean == pytest.approx(60.0)
        assert day.good_share == pytest.approx(121 / 1440)

    async def test_a_value_holds_over_midnight(self, historian: Historian) -> None:
        await append(historian, sample(-20, 5.0), sample(70, 6.0))
        assert (await minutes(historian, 0, 60)) == [Aggregate(START, 0, 5.0, 5.0, 5.0, 5.0, 1.0)]
        days = await historian.read_aggregates(POWER, at(-1), at(1), DAY)
        assert [(each.samples, each.good_share) for each in days] == [
            (1, pytest.approx(20 / 86400)),
            (1, pytest.approx(120 / 86400)),
        ]


class TestEvents:
    def event(self, second: float, kind: EventKind = EventKind.COMMAND, subject: str = POWER) -> Event:
        return Event(at(second), kind, subject, {"second": second})

    async def test_they_come_back_in_order_of_time_as_they_were(self, historian: Historian) -> None:
        body: dict[str, JsonValue] = {
            "was": None,
            "values": [1, 2.5, True, "雨"],
            "why": {"strategy": "tidal_lighting"},
        }
        events = [Event(at(5), EventKind.VERDICT, POWER, body), self.event(1), self.event(3)]
        await historian.append_events(events)
        assert list(await historian.read_events(START, END_OF_TIME)) == [events[1], events[2], events[0]]

    async def test_a_range_includes_its_start_and_not_its_end(self, historian: Historian) -> None:
        await historian.append_events([self.event(second) for second in range(10)])
        found = await historian.read_events(at(3), at(6))
        assert [each.at for each in found] == [at(3), at(4), at(5)]

    async def test_they_are_found_by_kind_and_subject(self, historian: Historian) -> None:
        events = [
            self.event(1, EventKind.ALARM, POWER),
            self.event(2, EventKind.MODE, "tidal_lighting"),
            self.event(3, EventKind.ALARM, "plant"),
        ]
        await historian.append_events(events)
        assert list(await historian.read_events(START, END_OF_TIME, [EventKind.ALARM])) == [events[0], events[2]]
        assert list(await historian.read_events(START, END_OF_TIME, subject="plant")) == [events[2]]
        alarms_of_modes = await historian.read_events(START, END_OF_TIME, {EventKind.ALARM}, "tidal_lighting")
        assert list(alarms_of_modes) == []

    async def test_a_batch_sent_twice_is_there_once(self, historian: Historian) -> None:
        batch = [self.event(1), self.event(2)]
        await historian.append_events(batch)
        await historian.append_events(batch)
        assert list(await historian.read_events(START, END_OF_TIME)) == batch

    async def test_different_events_of_one_moment_all_stay(self, historian: Historian) -> None:
        events = [Event(START, EventKind.COMMAND, POWER, {"number": number}) for number in range(3)]
        await historian.append_events(events)
        assert list(await historian.read_events(START, END_OF_TIME)) == events


class TestChain:
    """docs/audit.md: what anybody can work out again."""

    BODY: Mapping[str, JsonValue] = {"alarm": "过热", "value": 31.5}

    async def test_there_is_no_head_before_the_first_event(self, historian: Historian) -> None:
        assert await historian.chain_head() is None
        assert await historian.chain_at(1) is None

    async def test_each_event_is_chained_to_the_one_before(self, historian: Historian) -> None:
        await historian.append_events([Event(START, EventKind.ALARM, "plant", self.BODY)])
        await historian.append_events([Event(at(-1.5), EventKind.MODE, "a\nb", {})])
        first = hashlib.sha256(
            bytes(32) + b"1:1,16:1785542400000000,5:alarm,5:plant," + '34:{"alarm": "过热", "value": 31.5},'.encode()
        ).digest()
        second = hashlib.sha256(first + b"1:2,16:1785542398500000,4:mode,3:a\nb,2:{},").digest()
        assert await historian.chain_at(1) == ChainHead(1, 1785542400000000, first)
        assert await historian.chain_at(2) == ChainHead(2, 1785542398500000, second)
        assert await historian.chain_head() == await historian.chain_at(2)
        assert await historian.chain_at(3) is None

    async def test_an_event_sent_twice_is_one_line(self, historian: Historian) -> None:
        events = [Event(at(second), EventKind.ALARM, "plant", self.BODY) for second in range(3)]
        await historian.append_events(events[:2])
        await historian.append_events(events)
        head = await historian.chain_head()
        assert head is not None
        assert head.number == 3


class TestClosing:
    async def test_closing_twice_is_fine_and_nothing_is_taken_afterwards(self, historian: Historian) -> None:
        await append(historian, sample(0, 1.0))
        await historian.close()
        await historian.close()
        with pytest.raises(HistorianError):
            await append(historian, sample(1, 1.0))
        with pytest.raises(HistorianError):
            await everything(historian)
