"""Reading from outside: another process, while the daemon writes or after it was killed."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.errors import HistorianError
from controller.core.ports import HistoryInterval
from controller.historian.reading import SqliteHistoryReader
from controller.historian.timeline import to_datetime
from tests.unit.historian.support import (
    POWER,
    START,
    TEMPERATURE,
    all_samples,
    at,
    every_second,
    maintain,
    recorded,
    writer,
)

ROOT = Path(__file__).resolve().parents[3]
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a site with spaces? & more" / "history.db"


def test_a_missing_history_is_said_so(path: Path) -> None:
    with pytest.raises(HistorianError, match="no history at"):
        SqliteHistoryReader(path).points()


def test_points_and_span(path: Path) -> None:
    store, reader = writer(path), SqliteHistoryReader(path)
    store.open()
    assert reader.points() == []
    assert reader.span() is None
    store.append_samples([recorded(5, 1.0, TEMPERATURE), recorded(10, 1.0), recorded(20, 1.0)])
    assert reader.points() == sorted([POWER, TEMPERATURE])
    assert reader.span() == (at(5), at(20))
    assert reader.span(POWER) == (at(10), at(20))
    assert reader.span(POWER.replace("main", "other")) is None  # type: ignore[arg-type]
    store.seal()
    assert reader.span() == (at(5), at(20))
    assert reader.span(POWER) == (at(10), at(20))
    store.close()


def test_each_hour_comes_in_the_finest_form_that_is_left(path: Path) -> None:
    store, reader = writer(path), SqliteHistoryReader(path)
    store.append_samples(every_second(0, 3600))
    for days in (1.05, 2.1):
        maintain(store, START + days * DAY)
    store.append_samples(every_second(86400 * 3, 86400 * 3 + 100))
    finest = reader.read_finest(POWER, START, START + 4 * DAY)
    assert (len(finest.hours), len(finest.minutes), len(finest.samples)) == (0, 60, 100)
    assert reader.read_finest(TEMPERATURE, START, at(1)) == ((), (), ())
    store.close()


def test_means_alone_are_the_means_of_the_aggregates(path: Path) -> None:
    store, reader = writer(path), SqliteHistoryReader(path)
    store.append_samples(every_second(-3000, 5000))
    store.append_samples([recorded(5100, "text"), recorded(5300, "text")])
    for _ in range(2):
        for interval in HistoryInterval:
            starts, means = reader.read_means(POWER, at(-1000), at(5900), interval)
            aggregates = reader.read_aggregates(POWER, at(-1000), at(5900), interval)
            assert [to_datetime(start) for start in starts] == [each.start for each in aggregates]
            assert [None if math.isnan(mean) else mean for mean in means] == [each.mean for each in aggregates]
        maintain(store, START + 1.2 * DAY)
    assert reader.read_means(TEMPERATURE, START, at(10), HistoryInterval.MINUTE)[0].tolist() == []
    store.close()


def test_a_damaged_block_costs_its_hour_and_no_more(path: Path) -> None:
    store, reader = writer(path), SqliteHistoryReader(path)
    store.append_samples(every_second(0, 7200))
    store.seal()
    while store.seal():
        pass
    for work in store.join_slices(at(7200)):
        work()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "UPDATE sample_block SET body = zeroblob(50) WHERE first = (SELECT min(first) FROM sample_block)"
        )
    samples = all_samples(reader)
    assert len(samples) == 3601
    assert samples[0].reason.startswith("history: ")
    maintain(store, START + 1.2 * DAY)
    hours = reader.read_aggregates(POWER, START, at(7200), HistoryInterval.HOUR)
    assert [each.samples for each in hours] == [0, 3600]
    store.close()


def test_a_damaged_batch_costs_its_samples_and_no_more(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, reader = writer(path), SqliteHistoryReader(path)
    for first in range(0, 300, 100):
        store.append_samples(every_second(first, first + 100))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (body,) = connection.execute("SELECT body FROM hot WHERE id = 2").fetchone()
        connection.execute("UPDATE hot SET body = ? WHERE id = 2", (body[:-9] + b"?" + body[-8:],))
    left = [each for _, each in (*every_second(0, 100), *every_second(200, 300))]
    samples = [*all_samples(reader)]
    gap = samples.pop(100)
    assert (gap.timestamp, gap.value, gap.reason) == (at(100), None, "history: damaged batch")
    assert samples == left
    maintain(store, at(7200))
    assert all_samples(reader) == left
    assert "batch 2 of history cannot be sealed and is lost: damaged batch" in caplog.text
    store.close()


def test_who_may_not_write_the_folder_may_still_read_a_closed_history(path: Path) -> None:
    store = writer(path)
    store.append_samples([recorded(1, 21.5)])
    store.close()
    path.parent.chmod(0o555)
    try:
        assert len(all_samples(SqliteHistoryReader(path))) == 1
    finally:
        path.parent.chmod(0o755)


@pytest.mark.slow
def test_another_process_reads_while_this_one_writes_seals_and_thins(path: Path) -> None:
    store = writer(path, hot_rows=700)
    store.open()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.unit.historian.processes", "watch", str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as watcher:  # fmt: skip
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        seen: list[int] = []
        for number in range(60):
            watcher.stdin.write("look\n")  # the watcher looks while the next batches go in
            watcher.stdin.flush()
            for part in range(4):
                first = number * 200 + part * 50
                store.append_samples(every_second(first, first + 50))
            if number % 7 == 0:
                maintain(store, at(number * 200))
            length, whole, counted = watcher.stdout.readline().split()
            assert whole == "True"
            assert int(counted) >= int(length) - 1
            seen.append(int(length))
        watcher.stdin.close()
    assert watcher.returncode == 0
    assert seen == sorted(seen)
    assert seen[-1] >= 59 * 200
    store.close()
