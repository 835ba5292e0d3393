"""The file: what survives, what is thinned, what trouble it stands."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.point import PointId
from controller.core.ports import HistoryInterval
from controller.core.sample import Quality, Sample
from controller.historian.reading import SqliteHistoryReader
from controller.historian.retention import Retention
from controller.historian.sqlite import SqliteHistorian
from tests.sweep import examples
from tests.unit.historian.support import (
    BEGINNING,
    END_OF_TIME,
    POWER,
    START,
    TEMPERATURE,
    StillClock,
    all_samples,
    at,
    every_second,
    maintain,
    recorded,
    sample,
    writer,
)

ROOT = Path(__file__).resolve().parents[3]
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def count(path: Path, question: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute(question).fetchone()
        return int(number)


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)


class TestOrderAndRepetition:
    @examples(60)
    @given(
        st.lists(
            st.lists(st.integers(0, 7300), max_size=12) | st.sampled_from(["seal", "reopen", "join", "maintain"]),
            max_size=14,
        )
    )
    def test_whatever_order_rows_come_in_the_first_of_each_time_stays(self, steps: list[list[int] | str]) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "history.db"
            store = writer(path, hot_rows=5)
            expected: dict[datetime, float] = {}
            number = 0.0
            for step in steps:
                if isinstance(step, list):
                    batch = [recorded(second, number + place) for place, second in enumerate(step)]
                    number += len(step)
                    store.append_samples(batch)
                    for _, each in batch:
                        expected.setdefault(each.timestamp, float(str(each.value)))
                elif step == "seal":
                    store.seal()
                elif step == "join":
                    for work in store.join_slices(at(10_000)):
                        work()
                elif step == "maintain":
                    maintain(store, START + 1.1 * DAY)
                else:
                    store.close()
                    store = writer(path, hot_rows=5)
            store.open()
            store.close()
            found = [(each.timestamp, each.value) for each in all_samples(SqliteHistoryReader(path))]
            assert found == sorted(expected.items())

    def test_a_repetition_is_dropped_after_a_restart_and_across_a_seal(self, path: Path) -> None:
        store = writer(path)
        store.append_samples(every_second(0, 100))
        store.seal()
        store.close()
        store = writer(path)
        store.append_samples([recorded(99, -1.0), recorded(50, -1.0), recorded(100, -1.0)])
        assert [each.value for each in all_samples(SqliteHistoryReader(path))][98:] == [98.0, 99.0, -1.0]
        store.seal()
        maintain(store, at(7200))
        assert [each.value for each in all_samples(SqliteHistoryReader(path))][98:] == [98.0, 99.0, -1.0]
        store.close()

    def test_the_blocks_of_an_hour_are_put_together_when_it_is_over(self, path: Path) -> None:
        store = writer(path, hot_rows=100)
        for first in range(0, 1000, 50):
            store.append_samples(every_second(first, first + 50))
        blocks = "SELECT count(*) FROM sample_block"
        assert count(path, blocks) > 5
        maintain(store, at(3599))
        assert count(path, blocks) > 5
        maintain(store, at(3600))
        assert count(path, blocks) == 1
        assert count(path, "SELECT samples FROM sample_block") == 1000
        store.close()

    def test_the_hot_table_stays_small_by_itself(self, path: Path) -> None:
        store = writer(path, hot_rows=100)
        for first in range(0, 2000, 50):
            store.append_samples(every_second(first, first + 50))
            assert count(path, "SELECT total(samples) FROM hot") <= 100
        store.close()

    def test_a_round_of_sealing_may_be_left_half_way(self, path: Path) -> None:
        points = [PointId(f"main.meter_{number}.power") for number in range(10)]
        batch = [recorded(second, float(second), point) for second in range(40) for point in points]
        store, reader = writer(path, hot_rows=100), SqliteHistoryReader(path)
        store.append_samples(batch)
        assert 0 < count(path, "SELECT count(*) FROM sample_block") < len(points)
        for _ in range(2):
            for point in points:
                assert [each.value for each in all_samples(reader, point)] == [*map(float, range(40))]
            store.close()
            store = writer(path, hot_rows=100)
        while store.seal():
            pass
        assert count(path, "SELECT total(samples) FROM hot") == 0
        maintain(store, at(3600))
        for point in points:
            assert [each.value for each in all_samples(reader, point)] == [*map(float, range(40))]
        assert count(path, "SELECT count(*) FROM sample_block") == len(points)
        store.close()

    def test_what_is_stored_is_not_asked_for_again_because_older_rows_cannot_be_sealed(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = writer(path, hot_rows=100)
        store.open()
        change(path, "CREATE TRIGGER bad_sector BEFORE INSERT ON sample_block BEGIN SELECT RAISE(ABORT, 'no'); END")
        for second in range(0, 200, 20):
            store.append_samples(every_second(second, second + 20))
        assert count(path, "SELECT total(samples) FROM hot") == 200
        assert len(caplog.records) == 1
        with pytest.raises(HistorianError):
            store.seal()
        change(path, "DROP TRIGGER bad_sector")
        store.append_samples(every_second(200, 220))
        assert count(path, "SELECT total(samples) FROM hot") <= 100
        assert all_samples(SqliteHistoryReader(path)) == [each for _, each in every_second(0, 220)]
        store.close()

    def test_rows_that_come_during_a_round_stay_hot_until_the_next(self, path: Path) -> None:
        points = [PointId(f"main.meter_{number}.power") for number in range(10)]
        store, reader = writer(path, hot_rows=100), SqliteHistoryReader(path)
        for second in range(200):
            store.append_samples([recorded(second, float(second), point) for point in points])
            assert count(path, "SELECT total(samples) FROM hot") <= 250
        for point in points:
            assert [each.value for each in all_samples(reader, point)] == [*map(float, range(200))]
        maintain(store, at(300))
        assert count(path, "SELECT total(samples) FROM hot") == 0
        store.close()


class TestThinning:
    def test_samples_live_two_days_minutes_thirteen_months_hours_for_ever(self, path: Path) -> None:
        store, reader = writer(path), SqliteHistoryReader(path)
        store.append_samples(every_second(0, 7200))
        maintain(store, START + 1.05 * DAY)
        maintain(store, START + 2 * DAY)
        assert len(all_samples(reader)) == 7200
        maintain(store, START + 2.1 * DAY)
        assert all_samples(reader) == []
        finest = reader.read_finest(POWER, START, at(7200))
        assert (len(finest.hours), len(finest.minutes), len(finest.samples)) == (0, 120, 0)
        for days in (8, 15, 22):
            maintain(store, START + days * DAY)
        maintain(store, START + 396 * DAY)  # a pause; nothing is thrown away at once after it
        maintain(store, START + 398 * DAY)
        finest = reader.read_finest(POWER, START, at(7200))
        assert (len(finest.hours), len(finest.minutes), len(finest.samples)) == (2, 0, 0)
        assert [each.samples for each in finest.hours] == [3600, 3600]
        assert reader.span() == (START, at(7200))
        store.close()

    def test_aggregates_say_the_same_before_and_after_thinning(self, path: Path) -> None:
        store, reader = writer(path), SqliteHistoryReader(path)
        store.append_samples(every_second(-5000, 5000))
        store.append_samples([(TEMPERATURE, sample(0, None, Quality.BAD, "device lost"))])
        before = {step: reader.read_aggregates(POWER, at(-9000), at(9000), step) for step in HistoryInterval}
        assert sum(each.samples for each in before[HistoryInterval.DAY]) == 10_000
        maintain(store, START + 1.2 * DAY)
        assert count(path, "SELECT count(*) FROM stale_day WHERE day < unixepoch('2026-08-02') * 1000000") == 0
        for days in (1.2, 2.3, 3.4, 4.5):
            maintain(store, START + days * DAY)
            after = {step: reader.read_aggregates(POWER, at(-9000), at(9000), step) for step in HistoryInterval}
            assert after == before
        assert count(path, "SELECT count(*) FROM sample_block") == 0
        store.close()

    def test_a_straggler_of_an_aggregated_day_is_worked_in(self, path: Path) -> None:
        store, reader = writer(path), SqliteHistoryReader(path)
        store.append_samples(every_second(0, 50))
        maintain(store, START + 1.2 * DAY)
        store.append_samples([recorded(55, 1000.0)])
        for now in (START + 1.2 * DAY, START + 1.3 * DAY):
            (minute,) = reader.read_aggregates(POWER, START, at(60), HistoryInterval.MINUTE)
            (day,) = reader.read_aggregates(POWER, START, at(60), HistoryInterval.DAY)
            assert (minute.samples, minute.maximum, day.samples, day.maximum) == (51, 1000.0, 51, 1000.0)
            maintain(store, now)
        store.close()

    def test_a_straggler_whose_day_has_lost_its_samples_does_not_spoil_the_minutes(self, path: Path) -> None:
        store, reader = writer(path), SqliteHistoryReader(path)
        store.append_samples(every_second(0, 3600))
        maintain(store, START + 1.2 * DAY)
        maintain(store, START + 2.3 * DAY)
        before = reader.read_aggregates(POWER, START, at(3600), HistoryInterval.MINUTE)
        store.append_samples([recorded(30, 1000.0), recorded(7200, 1000.0)])
        for now in (START + 2.3 * DAY, START + 2.4 * DAY):
            after = reader.read_aggregates(POWER, START, at(3600), HistoryInterval.MINUTE)
            assert after == before
            (added,) = reader.read_aggregates(POWER, at(7200), at(7260), HistoryInterval.MINUTE)
            assert added.mean == 1000.0
            maintain(store, now)
        store.close()

    def test_a_clock_set_to_another_year_throws_nothing_away(self, path: Path) -> None:
        store, reader = writer(path), SqliteHistoryReader(path)
        store.append_samples(every_second(0, 100))
        for now in (at(3600), START + 1.1 * DAY, datetime(2099, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, 1, tzinfo=UTC)):
            maintain(store, now)
        maintain(store, START + 1.2 * DAY)
        assert len(all_samples(reader)) == 100
        store.close()

    def test_after_a_long_pause_old_samples_are_aggregated_before_they_go(self, path: Path) -> None:
        store, reader = writer(path), SqliteHistoryReader(path)
        store.append_samples(every_second(0, 3600))
        store.close()
        store = writer(path)
        for days in (30, 31, 32):
            maintain(store, START + days * DAY)
        assert all_samples(reader) == []
        minutes = reader.read_aggregates(POWER, START, at(3600), HistoryInterval.MINUTE)
        assert [each.samples for each in minutes] == [60] * 60
        store.close()

    def test_how_long_may_be_chosen(self, path: Path) -> None:
        store = writer(path, keep=Retention(samples=timedelta(hours=1)))
        store.append_samples(every_second(0, 100))
        maintain(store, START + 1.2 * DAY)
        maintain(store, START + 2.2 * DAY)
        assert all_samples(SqliteHistoryReader(path)) == []
        store.close()

    def test_events_are_never_thinned(self, path: Path) -> None:
        store = writer(path)
        events = [Event(at(second), EventKind.MODE, "tidal_lighting", {"mode": "auto"}) for second in range(5)]
        store.append_events(events)
        for days in (1, 2, 1000, 1001, 1002):
            maintain(store, START + days * DAY)
        assert SqliteHistoryReader(path).read_events(BEGINNING, END_OF_TIME) == events
        store.close()


class TestTrouble:
    @pytest.mark.parametrize("damage", ["text", "first page", "a page in the middle"])
    def test_a_damaged_file_is_set_aside_and_a_fresh_one_begun(self, path: Path, damage: str) -> None:
        store = writer(path)
        store.append_samples(every_second(0, 5000))
        store.close()
        content = bytearray(path.read_bytes())
        if damage == "text":
            content = bytearray(b"not a database\n" * 1000)
        elif damage == "first page":
            content[:100] = b"\xff" * 100
        else:
            content[4096:] = b"\xa5" * (len(content) - 4096)
        path.write_bytes(content)

        store = writer(path)
        store.append_samples([recorded(6000, 1.0)])
        store.close()
        reader = SqliteHistoryReader(path)
        assert [each.value for each in all_samples(reader)] == [1.0]
        (event,) = reader.read_events(BEGINNING, END_OF_TIME)
        assert (event.kind, event.subject, event.at) == (EventKind.DAEMON, "history", START)
        assert (path.parent / str(event.body["kept_as"])).read_bytes() == content

    def test_two_damaged_files_are_both_kept(self, path: Path) -> None:
        for content in (b"first" * 100, b"second" * 100):
            path.write_bytes(content)
            store = writer(path)
            store.append_samples([recorded(0, 1.0)])
            store.close()
        kept = sorted(path.parent.glob("history.db.damaged-*"))
        assert [each.read_bytes()[:5] for each in kept] == [b"first", b"secon"]

    def test_an_empty_file_is_begun(self, path: Path) -> None:
        path.touch()
        store = writer(path)
        store.append_samples([recorded(0, 1.0)])
        store.close()
        assert len(all_samples(SqliteHistoryReader(path))) == 1

    def test_somebody_elses_database_is_refused_and_left_alone(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE invoices(id)")
        store = writer(path)
        with pytest.raises(HistorianError, match="not a history"):
            store.append_samples([recorded(0, 1.0)])
        assert count(path, "SELECT count(*) FROM invoices") == 0

    def test_a_newer_version_is_refused(self, path: Path) -> None:
        store = writer(path)
        store.open()
        store.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(HistorianError, match="version 99"):
            writer(path).append_samples([recorded(0, 1.0)])
        with pytest.raises(HistorianError, match="version 99"):
            SqliteHistoryReader(path).points()

    async def test_a_folder_that_cannot_be_used_is_an_error_until_it_can(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        state.write_text("a file where the folder should be")
        historian = SqliteHistorian(state / "history.db", StillClock())
        for _ in range(2):
            with pytest.raises(HistorianError):
                await historian.append_samples([recorded(0, 1.0)])
        with pytest.raises(HistorianError):
            await historian.read_samples(POWER, START, at(1))
        state.unlink()
        await historian.append_samples([recorded(0, 1.0)])
        assert len(await historian.read_samples(POWER, START, at(1))) == 1
        await historian.close()

    @pytest.mark.fault("full disk")
    def test_a_full_disk_is_an_error_until_there_is_room_and_nothing_is_lost_or_doubled(self, path: Path) -> None:
        answer = subprocess.run(
            [sys.executable, "-m", "tests.unit.historian.processes", "full-disk", str(path)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stderr
        batches, failures = map(int, answer.stdout.split())
        assert failures > 0
        assert all_samples(SqliteHistoryReader(path)) == [each for _, each in every_second(0, batches * 100)]

    async def test_a_file_removed_under_way_is_begun_anew(self, path: Path) -> None:
        historian = SqliteHistorian(path, StillClock())
        await historian.append_samples([recorded(0, 1.0)])
        for part in path.parent.glob("history.db*"):
            part.unlink()
        await historian.append_samples([recorded(1, 2.0)])
        assert [each.value for each in await historian.read_samples(POWER, START, at(9))] == [2.0]
        await historian.close()

    def test_a_batch_that_fails_leaves_nothing_behind_and_may_be_sent_again(self, path: Path) -> None:
        store = writer(path)
        store.append_samples([recorded(0, 1.0)])
        batch = [recorded(1, 2.0), recorded(2, 3.0, TEMPERATURE)]
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("ALTER TABLE hot RENAME TO elsewhere")
            with pytest.raises(HistorianError):
                store.append_samples(batch)
            connection.execute("ALTER TABLE elsewhere RENAME TO hot")
        store.append_samples(batch)
        reader = SqliteHistoryReader(path)
        assert [each.value for each in all_samples(reader)] == [1.0, 2.0]
        assert [each.value for each in all_samples(reader, TEMPERATURE)] == [3.0]
        store.close()

    def test_a_text_that_is_no_text_does_not_block_the_batch(self, path: Path) -> None:
        store = writer(path)
        broken = Sample("\ud800?", Quality.BAD, "said \udcff", START, 0.0)
        store.append_samples([(POWER, broken), recorded(1, 2**80), recorded(2, 1.5)])
        store.append_events([Event(START, EventKind.LINK, "\udcff", {"said": "\udcff"})])
        reader = SqliteHistoryReader(path)
        assert [each.value for each in all_samples(reader)] == ["\\ud800?", 2**80, 1.5]
        assert [each.subject for each in reader.read_events(BEGINNING, END_OF_TIME)] == ["\\udcff"]
        store.close()

    def test_what_is_no_value_is_a_bug_and_said_so(self, path: Path) -> None:
        store = writer(path)
        with pytest.raises(TypeError, match="not list"):
            store.append_samples([(POWER, sample(0, [1]))])  # type: ignore[arg-type]
        store.append_samples([recorded(0, 1.0)])
        store.close()


class TestBesideTheLoop:
    async def test_the_clock_stands_still_while_a_thread_works(self, path: Path) -> None:
        clock = StillClock()
        historian = SqliteHistorian(path, clock)
        appending = asyncio.gather(historian.append_samples([recorded(0, 1.0)]), historian.maintain(at(10)))
        await asyncio.wait([appending], timeout=0)
        assert clock.outside_now == 2
        await appending
        assert clock.outside_now == 0
        assert clock.outside_total > 4
        await historian.close()

    async def test_batches_go_between_the_slices_of_maintenance(self, path: Path) -> None:
        historian = SqliteHistorian(path, StillClock(), hot_rows=500)
        for point in (POWER, TEMPERATURE):
            await historian.append_samples(every_second(0, 3000, point))
        maintaining = asyncio.gather(historian.maintain(START + 1.2 * DAY))
        appended = 0
        while not maintaining.done():
            await historian.append_samples([recorded(4000 + appended, 1.0)])
            appended += 1
        assert appended > 3
        assert len(await historian.read_samples(POWER, BEGINNING, END_OF_TIME)) == 3000 + appended
        await historian.close()

    async def test_closing_leaves_one_file_and_no_log(self, path: Path) -> None:
        historian = SqliteHistorian(path, StillClock())
        await historian.append_samples([recorded(0, 1.0)])
        await historian.close()
        assert [each.name for each in path.parent.iterdir()] == ["history.db"]
