"""Whatever is done to the recorded events, verifying finds it; and what it finds whole is what was recorded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.core.errors import HistorianError
from controller.core.event import Event, EventKind
from controller.core.event_chain import ChainHead, Defect, Verification
from controller.historian.chain_reading import ChainReader
from tests.sweep import examples
from tests.unit.historian.support import at, writer

COUNT = 12
COLUMNS = ("id", "at", "kind", "subject", "body", "chain")

Row = tuple[int, int, str, str, str, bytes]
texts = st.text(max_size=4)
subjects = st.sampled_from(["plant", "plant.chiller_1.enable_command", "冷站", "a\nb", ""]) | texts


def _recorded(path: Path) -> ChainHead:
    store = writer(path)
    kinds = list(EventKind)
    for number in range(COUNT):
        body = {"who": "li.na", "value": number * 0.5, "why": f"因为 {number}"}
        store.append_events([Event(at(number), kinds[number % len(kinds)], f"plant.pump_{number}.command", body)])
    head = store.chain_head()
    store.close()
    assert head is not None
    return head


RECORDED: list[tuple[bytes, ChainHead]] = []


def _fresh(path: Path) -> ChainHead:
    """The same file each time, made once."""
    if not RECORDED:
        head = _recorded(path)
        RECORDED.append((path.read_bytes(), head))
    content, head = RECORDED[0]
    path.write_bytes(content)
    return head


def _rows(path: Path) -> list[Row]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT id, at, kind, subject, body, chain FROM event ORDER BY id").fetchall()


def _rewrite(path: Path, rows: list[Row]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM event")
        database.executemany("INSERT INTO event(id, at, kind, subject, body, chain) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _verified(path: Path, head: ChainHead) -> Verification:
    verification = Verification({head.chain})
    ChainReader(path).verify(verification)
    return verification


def _is_whole(verification: Verification) -> bool:
    return verification.first is None and not verification.missing


places = st.integers(0, COUNT - 1)


@st.composite
def changed(draw: st.DrawFn, row: Row) -> Row:
    """The row with one of its columns another one."""
    column = draw(st.integers(0, 5))
    others: list[st.SearchStrategy[object]] = [
        st.integers(COUNT + 1, 99),
        st.integers(-(2**63), 2**63 - 1),
        st.sampled_from(list(EventKind)).map(str) | texts,
        subjects,
        texts | st.just(row[4].replace("li.na", "somebody")),
        st.binary(max_size=40) | st.integers(0, 255).map(lambda bit: _flipped(row[5], bit)),
    ]
    value = draw(others[column].filter(lambda value: value != row[column]))
    return (*row[:column], value, *row[column + 1 :])  # type: ignore[return-value]


def _flipped(content: bytes, bit: int) -> bytes:
    place, inside = divmod(bit, 8)
    return content[:place] + bytes([content[place] ^ 1 << inside]) + content[place + 1 :]


@examples(80)
@given(st.data())
def test_whatever_is_done_to_one_line_is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        head = _fresh(path)
        rows = _rows(path)
        assert _is_whole(_verified(path, head))
        place, other = data.draw(places), data.draw(places)
        deed = data.draw(st.sampled_from(["change", "delete", "insert", "swap"]))
        if deed == "change":
            rows[place] = data.draw(changed(rows[place]))
        elif deed == "delete":
            del rows[place]
            if data.draw(st.booleans()):  # and close the gap
                rows = [(number, *row[1:]) for number, row in enumerate(rows, 1)]
        elif deed == "insert":
            rows.insert(place, data.draw(st.sampled_from(rows)))
            rows = [(number, *row[1:]) for number, row in enumerate(rows, 1)]
        elif place != other:
            rows[place], rows[other] = (rows[place][0], *rows[other][1:]), (rows[other][0], *rows[place][1:])
        _rewrite(path, rows)
        assert _is_whole(_verified(path, head)) == (deed == "swap" and place == other)


@examples(80)
@example(1995, 1)  # a line's number, so that reading it slice by slice went round in circles
@given(st.integers(0, 2**31), st.integers(1, 255))
def test_a_file_found_whole_says_what_was_recorded(place: int, mask: int) -> None:
    """Any byte of the file: it is found, or it was none that anybody reads."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        head = _fresh(path)
        before = list(ChainReader(path).export(None))
        content = bytearray(path.read_bytes())
        used = [number for number, byte in enumerate(content) if byte]
        content[used[place % len(used)]] ^= mask
        path.write_bytes(content)
        reader = ChainReader(path)
        try:
            found = _verified(path, head)
            if not _is_whole(found) or reader.index_trouble():
                return
        except HistorianError:
            return
        assert list(reader.export(None)) == before


def _do(path: Path, deed: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(deed)


@pytest.mark.parametrize(
    "deed, defect, line, before",
    [
        ("DELETE FROM event WHERE id IN (5, 6)", Defect.MISSING, 7, 4),
        ("DELETE FROM event WHERE id < 4", Defect.MISSING, 4, 0),
        ("UPDATE event SET subject = 'nobody' WHERE id = 8", Defect.CHANGED, 8, 7),
        ("UPDATE event SET chain = x'00' WHERE id = 8", Defect.CHANGED, 8, 7),
    ],
)
def test_it_says_where_and_what(tmp_path: Path, deed: str, defect: Defect, line: int, before: int) -> None:
    path = tmp_path / "history.db"
    head = _fresh(path)
    _do(path, deed)
    first = _verified(path, head).first
    assert first is not None
    assert (first.defect, first.line[0], first.before) == (defect, line, before)


def test_a_cut_end_shows_only_by_what_was_kept_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    head = _fresh(path)
    _do(path, "DELETE FROM event WHERE id > 9")
    found = _verified(path, head)
    assert found.first is None
    assert found.missing == {head.chain}


def test_more_lines_than_are_read_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    store = writer(path)
    store.append_events([Event(at(number), EventKind.COMMAND, "p", {}) for number in range(20_100)])
    store.close()
    found = Verification()
    ChainReader(path).verify(found)
    assert (found.lines, found.breaks) == (20_100, 0)
