"""kill -9 at any moment: the history opens, has all that was answered for, and nothing twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.ports import HistoryInterval
from controller.historian.reading import SqliteHistoryReader
from tests.unit.historian.processes import BATCH
from tests.unit.historian.support import (
    BEGINNING,
    END_OF_TIME,
    POWER,
    TEMPERATURE,
    all_samples,
    at,
    every_second,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.fault("kill -9 while history is written", lost="history of the last second")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_a_killed_writer_loses_at_most_what_it_had_not_answered_for(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "history.db"
    chance = random.Random(seed)
    answered = 0
    for _ in range(8):
        answered = max(answered, write_until_killed(path, chance))
        check(path, answered)


def write_until_killed(path: Path, chance: random.Random) -> int:
    """How many batches it had answered for in all."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.unit.historian.processes", "append", str(path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(chance.randrange(1, 60))]
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.random() * 0.02)
        process.kill()
        said += process.stdout.read().splitlines()
        return int(said[-1])


def check(path: Path, answered: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    reader = SqliteHistoryReader(path)
    for point in (POWER, TEMPERATURE):
        samples = all_samples(reader, point)
        batches, rest = divmod(len(samples), BATCH)
        assert rest == 0, "a batch is there as a whole or not at all"
        assert answered <= batches <= answered + 1
        assert samples == [each for _, each in every_second(0, len(samples), point)]
        hours = reader.read_aggregates(point, at(0), at(len(samples)), HistoryInterval.HOUR)
        assert sum(each.samples for each in hours) == len(samples)
        events = reader.read_events(BEGINNING, END_OF_TIME, [EventKind.COMMAND], point)
        assert len({each.at for each in events}) == len(events)
        assert len(events) >= answered
