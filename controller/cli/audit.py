"""tidewatt audit SITE [verify|head|export]: whether what was recorded as having happened is still what is there."""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from controller.cli.arguments import Exit, add_command, add_json, add_site, language
from controller.cli.output import complain, print_json, say
from controller.core.errors import EnvironmentProblem
from controller.core.event import Event, EventKind
from controller.core.event_chain import Break, ChainHead, Defect, Line, Verification
from controller.core.text import Language, Text
from controller.historian.chain_reading import ChainReader, written
from controller.historian.reading import SqliteHistoryReader
from controller.historian.schema import open_for_reading
from controller.runtime.store import kept_chain_head

_EXAMPLE = "tidewatt audit config/sites/demo"
_NO_EVENTS = Text("no events are recorded", "尚无事件记录")
_WHOLE = Text("whole: {} lines, to line {} of {}", "完整：{} 行，至第 {} 行（{}）")
_HEAD = Text("head: {}", "链首：{}")
_CHANGED = Text(
    "changed: line {} of {} ({} {}) does not follow from the line before it",
    "被改动：第 {} 行（{}，{} {}）与前一行不相接",
)
_MISSING = Text("missing: what stood between line {} and line {} of {}", "缺失：第 {} 行与第 {} 行（{}）之间的内容")
_BREAKS = Text("{} lines in all do not follow from the line before them", "共 {} 行与前一行不相接")
_ANCHOR_LOST = Text(
    "missing: line {} of {}, which store.db names, is not in the chain: the end was cut off or history replaced",
    "缺失：store.db 所记第 {} 行（{}）不在链中：末尾被截断或历史被替换",
)
_NO_ANCHOR = Text(
    "store.db names no line yet: whether the end is missing is not known", "store.db 尚无记录：无法判断末尾是否缺失"
)
_SOUGHT_LOST = Text("missing: the line with chain {} is not there", "缺失：链值为 {} 的行不存在")
_SOUGHT_FOUND = Text("the line with chain {} is there", "链值为 {} 的行在链中")
_INDEX = Text("damaged: questions may not find all events: {}", "损坏：查询可能遗漏事件：{}")
_NOTED = Text("noted on {}: {}", "曾于 {} 记录：{}")


class _Anchor(NamedTuple):
    """What the small store names as the newest line; trouble: why that is not known."""

    head: ChainHead | None
    trouble: str = ""


def register(commands: Any) -> None:
    parser = add_command(
        commands, "audit", "find out whether recorded events were changed or removed", f"{_EXAMPLE} verify"
    )
    add_site(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = add_command(actions, "verify", "check every event; names the first that is wrong", f"{_EXAMPLE} verify")
    verify.add_argument("--head", type=_hash, metavar="HASH", help="a head written down earlier must still be there")
    add_json(verify)
    verify.set_defaults(execute=_verify)
    head = add_command(
        actions, "head", "print the newest line and its hash, to be kept elsewhere", f"{_EXAMPLE} head >> heads.txt"
    )
    add_json(head)
    head.set_defaults(execute=_head)
    export = add_command(
        actions, "export", "JSON lines from which anybody can check the chain", f"{_EXAMPLE} export --since 2026-07-01"
    )
    export.add_argument(
        "--since", type=_moment, metavar="TIME", help="from the first event after it; UTC unless it says"
    )
    export.set_defaults(execute=_export)


def _hash(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no hash; write the 64 hex digits that 'head' printed")
    return bytes.fromhex(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-07-06 or 2026-07-06T18:30+08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# The configuration is not read: the state of a site that does not compile any more can be checked, or a copy of it.
def _history(site: Path) -> Path:
    return site / "state" / "history.db"


# --- export and head -------------------------------------------------------------------------------------------------


def _export(arguments: argparse.Namespace) -> int:
    sys.stdout.writelines(ChainReader(_history(arguments.site)).export(arguments.since))
    return Exit.OK


def _head(arguments: argparse.Namespace) -> int:
    head = ChainReader(_history(arguments.site)).head()
    if head is None:
        raise EnvironmentProblem(_NO_EVENTS.in_language(language()))
    if arguments.json:
        print_json(_of_head(head))
    else:
        say(f"{head.number} {written(head.at)} {head.chain.hex()}")
    return Exit.OK


def _of_head(head: ChainHead) -> dict[str, Any]:
    return {"line": head.number, "time": written(head.at), "chain": head.chain.hex()}


# --- verify ----------------------------------------------------------------------------------------------------------


def _verify(arguments: argparse.Namespace) -> int:
    history = _history(arguments.site)
    # Before the lines: while a daemon runs, both move on.
    anchor = _anchor(arguments.site / "state" / "store.db")
    sought = {each for each in (arguments.head, anchor.head and anchor.head.chain) if each is not None}
    reader, verification = ChainReader(history), Verification(sought)
    reader.verify(verification)
    index = reader.index_trouble()
    is_whole = verification.first is None and not verification.missing and not index
    noted = _noted(SqliteHistoryReader(history)) if is_whole else []
    if arguments.json:
        print_json(_as_json(verification, anchor, arguments.head, index, noted))
    else:
        _tell(verification, anchor, arguments.head, index, noted, language())
    return Exit.OK if is_whole else Exit.ENVIRONMENT


def _anchor(store: Path) -> _Anchor:
    if not store.exists():
        return _Anchor(None)
    try:
        with closing(open_for_reading(store)) as database:
            return _Anchor(kept_chain_head(database))
    except (sqlite3.Error, ValueError) as error:
        return _Anchor(None, str(error))


def _noted(reader: SqliteHistoryReader) -> list[Event]:
    """Where the chain itself says that another one ended, or that lines of it were gone."""
    ever = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    events = reader.read_events(*ever, [EventKind.DAEMON, EventKind.ALARM], "history")
    return [
        event
        for event in events
        if {"trouble", "earlier_lines"} & event.body.keys()
        or (event.body.get("state") == "active" and "cause" in event.body)
    ]


def _tell(
    verification: Verification,
    anchor: _Anchor,
    sought: bytes | None,
    index: str,
    noted: Iterable[Event],
    chosen: Language,
) -> None:
    for text, values in _troubles(verification, anchor, sought, index):
        complain(text.in_language(chosen).format(*values))
    for event in noted:
        what = {name: value for name, value in event.body.items() if name not in ("configuration", "state", "priority")}
        say(_NOTED.in_language(chosen).format(_time_of(event), json.dumps(what, ensure_ascii=False)))
    if anchor.head is None:
        say(_NO_ANCHOR.in_language(chosen) + (f" ({anchor.trouble})" if anchor.trouble else ""))
    if sought is not None and sought not in verification.missing:
        say(_SOUGHT_FOUND.in_language(chosen).format(sought.hex()))
    if verification.last is None:
        say(_NO_EVENTS.in_language(chosen))
        return
    number, at, *_, chain = verification.last
    if verification.first is None and not index and not verification.missing:
        say(_WHOLE.in_language(chosen).format(verification.lines, number, written(at)))
    say(_HEAD.in_language(chosen).format(chain.hex()))


def _troubles(
    verification: Verification, anchor: _Anchor, sought: bytes | None, index: str
) -> Iterable[tuple[Text, tuple[object, ...]]]:
    first = verification.first
    if first is not None:
        yield _broken(first)
        if verification.breaks > 1:
            yield _BREAKS, (verification.breaks,)
    if anchor.head is not None and anchor.head.chain in verification.missing:
        yield _ANCHOR_LOST, (anchor.head.number, written(anchor.head.at))
    if sought is not None and sought in verification.missing:
        yield _SOUGHT_LOST, (sought.hex(),)
    if index:
        yield _INDEX, (index,)


def _broken(first: Break) -> tuple[Text, tuple[object, ...]]:
    number, at, kind, subject, *_ = first.line
    if first.defect is Defect.MISSING:
        return _MISSING, (first.before, number, written(at))
    return _CHANGED, (number, written(at), _shown(kind), _shown(subject))


def _shown(stored: object) -> str:
    """What a damaged file has there, whatever it is."""
    return stored.decode("utf-8", "backslashreplace") if isinstance(stored, bytes) else str(stored)


def _as_json(
    verification: Verification, anchor: _Anchor, sought: bytes | None, index: str, noted: Iterable[Event]
) -> dict[str, Any]:
    first, last = verification.first, verification.last
    return {
        "whole": first is None and not verification.missing and not index,
        "lines": verification.lines,
        "breaks": verification.breaks,
        "first_break": None
        if first is None
        else {
            "defect": first.defect.value,
            "line": first.line[0],
            "time": written(first.line[1]),
            "after": first.before,
        },
        "head": None if last is None else _of_line(last),
        "anchor": None
        if anchor.head is None
        else {**_of_head(anchor.head), "found": anchor.head.chain not in verification.missing},
        "sought": None if sought is None else {"chain": sought.hex(), "found": sought not in verification.missing},
        "index": index,
        "noted": [{"time": _time_of(event), **event.body} for event in noted],
    }


def _of_line(line: Line) -> dict[str, Any]:
    return _of_head(ChainHead(line[0], line[1], line[5]))


def _time_of(event: Event) -> str:
    return event.at.isoformat(timespec="seconds").replace("+00:00", "Z")
