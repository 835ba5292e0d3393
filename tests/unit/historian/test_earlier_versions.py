"""Files of earlier versions: read as they are, brought up to date when they are written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.event_chain import Verification
from controller.historian.chain_reading import ChainReader
from controller.historian.reading import SqliteHistoryReader
from controller.historian.timeline import to_microseconds
from tests.unit.historian.support import (
    BEGINNING,
    END_OF_TIME,
    TEMPERATURE,
    all_samples,
    at,
    maintain,
    recorded,
    writer,
)

ROWS = (
    *((second, 1, second, 1, 0, "") for second in range(3)),
    *((3, 2, None, 0, 2, "device lost"), (3, 1, 1, 3, 0, ""), (4, 1, None, 1, 0, ""), (5, 1, str(2**70), 2, 0, "")),
    (1, 1, -1.0, 1, 0, ""),
)


def make_version_2(path: Path) -> None:
    """As files were before what is hot was kept by the batch; what is hot in this one goes."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE hot")
        connection.execute(
            "CREATE TABLE hot(id INTEGER PRIMARY KEY, point INTEGER NOT NULL, time INTEGER NOT NULL, "
            "type INTEGER NOT NULL, value, quality INTEGER NOT NULL, reason TEXT NOT NULL)"
        )
        connection.execute(
            "CREATE VIEW recent AS SELECT time, name, value, quality, reason FROM hot JOIN point ON point.id = point"
        )
        connection.execute("PRAGMA user_version = 2")


def make_version_1(path: Path) -> None:
    """As before that, when events were not chained."""
    make_version_2(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE event DROP COLUMN chain")
        connection.execute("PRAGMA user_version = 1")


def begun(path: Path, make_older: Callable[[Path], None]) -> None:
    store = writer(path)
    store.append_samples([recorded(-10, 1.0), recorded(-10, 1.0, TEMPERATURE)])
    while store.seal(store.newest_hot()):
        pass
    store.close()
    make_older(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for second, point, value, type_, quality, reason in ROWS:
            time = to_microseconds(at(second))
            connection.execute(
                "INSERT INTO hot(point, time, type, value, quality, reason) VALUES (?, ?, ?, ?, ?, ?)",
                (point, time, type_, value, quality, reason),
            )


def told(reader: SqliteHistoryReader) -> list[str]:
    rows = [(each.timestamp, each.value, each.quality, each.reason) for each in all_samples(reader)]
    rows += [(each.timestamp, each.value, each.quality, each.reason) for each in all_samples(reader, TEMPERATURE)]
    return [repr(row) for row in rows]


@pytest.mark.parametrize("make_older", [make_version_1, make_version_2])
def test_a_file_is_read_as_it_is_and_goes_on_as_one_of_today(
    tmp_path: Path, make_older: Callable[[Path], None]
) -> None:
    path = tmp_path / "history.db"
    begun(path, make_older)
    reader = SqliteHistoryReader(path)
    before, size = told(reader), path.read_bytes()
    assert len(before) == 1 + 6 + 1 + 1
    assert "device lost" in before[-1]
    assert {"True", "nan", str(2**70)} <= {row.split(", <")[0].rpartition("), ")[2] for row in before}
    assert reader.span() == (at(-10), at(5))
    assert path.read_bytes() == size

    store = writer(path)
    store.append_samples([recorded(5, 7.0), recorded(6, 8.0)])
    after = told(reader)
    assert after[:7] == before[:7]
    assert after[8:] == before[7:]
    maintain(store, at(7200))
    assert told(reader) == after
    store.close()


def test_a_file_from_before_is_read_as_it_is_and_chained_when_written(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    events = [Event(at(second), EventKind.MODE, "tidal_lighting", {"mode": "auto"}) for second in range(-5, 0)]
    store = writer(path)
    store.append_events(events)
    store.close()
    make_version_1(path)
    reader = SqliteHistoryReader(path)
    assert reader.read_events(BEGINNING, END_OF_TIME) == events
    with pytest.raises(HistorianError, match="before events were chained"):
        ChainReader(path).head()
    store = writer(path)
    store.append_events([Event(at(1), EventKind.MODE, "tidal_lighting", {"mode": "off"})])
    store.close()
    after = reader.read_events(BEGINNING, END_OF_TIME)
    assert after[:5] == events
    assert after[5].body == {"state": "chain begun", "earlier_lines": 5}
    found = Verification(())
    ChainReader(path).verify(found)
    assert (found.lines, found.breaks) == (7, 0)
