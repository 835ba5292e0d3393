"""tidewatt audit, as a person types it; no daemon runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.core.event import Event, EventKind
from controller.historian.chain_reading import ChainReader
from controller.runtime.store import Store
from tests.hand_clock import HandClock
from tests.unit.historian.support import at, writer

Type: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Nothing but its state: that is all an auditor needs."""
    store = writer(tmp_path / "state" / "history.db")
    for number in range(10):
        store.append_events([Event(at(number), EventKind.AUTHORITY, "plant", {"who": "李娜", "number": number})])
    store.close()
    return tmp_path


@pytest.fixture
def type_in(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """type_in(action, ...): exit code, output and complaints."""
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["audit", str(site), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def tamper(site: Path, deed: str) -> None:
    with closing(sqlite3.connect(site / "state" / "history.db")) as database, database:
        database.execute(deed)


def keep_head(site: Path) -> None:
    async def keep() -> None:
        head = ChainReader(site / "state" / "history.db").head()
        assert head is not None
        store = Store(site / "state" / "store.db", HandClock())
        await store.save_chain_head(head)
        await store.close()

    asyncio.run(keep())


def test_what_is_whole_is_called_whole(site: Path, type_in: Type) -> None:
    keep_head(site)
    code, out, err = type_in("verify")
    assert (code, err) == (Exit.OK, "")
    assert "whole: 10 lines, to line 10 of 2026-08-01T00:00:09.000000Z" in out


def test_without_an_anchor_it_says_what_it_cannot_know(type_in: Type) -> None:
    code, out, _ = type_in("verify")
    assert code == Exit.OK
    assert "store.db names no line yet" in out


@pytest.mark.parametrize(
    "deed, told, first",
    [
        (
            "UPDATE event SET body = replace(body, '李娜', '王五') WHERE id = 4",
            "changed: line 4 of 2026-08-01T00:00:03.000000Z (authority plant)",
            {"defect": "changed", "line": 4, "time": "2026-08-01T00:00:03.000000Z", "after": 3},
        ),
        (
            "DELETE FROM event WHERE id = 4",
            "missing: what stood between line 3 and line 5 of 2026-08-01T00:00:04.000000Z",
            {"defect": "missing", "line": 5, "time": "2026-08-01T00:00:04.000000Z", "after": 3},
        ),
        ("DELETE FROM event WHERE id > 7", "missing: line 10 of 2026-08-01T00:00:09.000000Z", None),
    ],
)
def test_it_names_the_first_bad_line(
    site: Path, type_in: Type, deed: str, told: str, first: dict[str, object] | None
) -> None:
    keep_head(site)
    tamper(site, deed)
    code, out, err = type_in("verify")
    assert code == Exit.ENVIRONMENT
    assert told in err
    assert "whole" not in out
    code, out, _ = type_in("verify", "--json")
    answer = json.loads(out)
    assert (code, answer["whole"], answer["first_break"]) == (Exit.ENVIRONMENT, False, first)
    assert answer["anchor"]["found"] is (first is not None)


def test_events_that_questions_would_not_find_are_told(site: Path, type_in: Type) -> None:
    """The lines are all there; an index that leads past one of them is not in the chain."""
    keep_head(site)
    deeds = (
        "CREATE TABLE other(id INTEGER PRIMARY KEY, at INTEGER)",
        "INSERT INTO other SELECT id, at FROM event WHERE id != 4",
        "CREATE INDEX other_at ON other(at)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other_at')"
        " WHERE name = 'event_at'",
        "DELETE FROM sqlite_schema WHERE name = 'other_at'",
    )
    with closing(sqlite3.connect(site / "state" / "history.db", isolation_level=None)) as database:
        for deed in deeds:
            database.execute(deed)
    code, _, err = type_in("verify")
    assert code == Exit.ENVIRONMENT
    assert "damaged: questions may not find all events" in err


def test_an_earlier_head_is_looked_for(site: Path, type_in: Type) -> None:
    keep_head(site)
    code, out, _ = type_in("head", "--json")
    head = json.loads(out)
    assert (code, head["line"], head["time"]) == (Exit.OK, 10, "2026-08-01T00:00:09.000000Z")
    assert type_in("head")[1].split() == ["10", head["time"], head["chain"]]
    store = writer(site / "state" / "history.db")
    store.append_events([Event(at(20), EventKind.ALARM, "plant", {})])
    store.close()
    code, out, _ = type_in("verify", "--head", head["chain"])
    assert code == Exit.OK
    assert f"the line with chain {head['chain']} is there" in out
    other = "ab" * 32
    code, _, err = type_in("verify", "--head", other)
    assert code == Exit.ENVIRONMENT
    assert f"missing: the line with chain {other} is not there" in err


def test_an_export_can_be_worked_out_again(site: Path, type_in: Type) -> None:
    """The program that docs/audit.md shows."""
    _, everything, _ = type_in("export")
    _, later, _ = type_in("export", "--since", "2026-08-01T08:00:06+08:00")
    lines = list(map(json.loads, everything.splitlines()))
    assert list(map(json.loads, later.splitlines())) == lines[6:]
    before = "0" * 64
    for line in lines:
        assert line["before"] == before
        texts = (str(line["line"]), str(line["at"]), line["kind"], line["subject"], line["body"])
        content = b"".join(b"%d:%b," % (len(text), text) for text in map(str.encode, texts))
        before = hashlib.sha256(bytes.fromhex(before) + content).hexdigest()
        assert line["chain"] == before
    assert lines[3]["body"] == '{"who": "李娜", "number": 3}'
    assert type_in("export", "--since", "2027-01-01")[:2] == (Exit.OK, "")


def test_no_history_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(tmp_path / "nowhere"), "verify"]) == Exit.ENVIRONMENT
    assert "no history at" in capsys.readouterr().err
