"""The chain of events over a file that was damaged or taken away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from controller.core.event import Event, EventKind
from controller.core.event_chain import Verification
from controller.historian.chain_reading import ChainReader
from controller.historian.reading import SqliteHistoryReader
from tests.unit.historian.support import BEGINNING, END_OF_TIME, START, at, every_second, recorded, writer


def verified(path: Path, *sought: bytes) -> Verification:
    verification = Verification(sought)
    ChainReader(path).verify(verification)
    return verification


def test_the_chain_after_a_damaged_file_names_the_end_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    store = writer(path)
    store.append_samples(every_second(0, 5000))
    store.append_events([Event(START, EventKind.ALARM, "plant", {"alarm": "hot"})])
    store.close()
    head = ChainReader(path).head()
    assert head is not None
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'hot'").fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    store = writer(path)
    store.append_samples([recorded(6000, 1.0)])
    store.close()
    (event,) = SqliteHistoryReader(path).read_events(BEGINNING, END_OF_TIME)
    assert event.body["trouble"] == "history damaged"
    assert (event.body["last_line"], event.body["last_chain"]) == (1, head.chain.hex())
    assert verified(path).breaks == 0
    assert verified(path, head.chain).missing == {head.chain}


def test_lines_are_found_where_the_file_was_taken_away_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    for number in range(2):
        store = writer(path)
        store.append_events([Event(at(number), EventKind.ALARM, "plant", {})])
        assert store.chain_head() == store.chain_at(1)
        store.close()
        path.unlink()
