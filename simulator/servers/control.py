"""Faults at a person's word: JSON lines over a socket that only this user may open.

Request: {"tidewatt": 1, "command": "faults" | "add_fault" | "end_faults", ...}; answer: {"ok": true, "answer": ...} or
{"ok": false, "error": ...}, as at the daemon's control socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from simulator.faults.fault import Fault, contradictions
from simulator.faults.schedule import Schedule
from simulator.faults.spelling import as_data, fault_from
from simulator.tags import Tag

log = logging.getLogger(__name__)

VERSION = 1
LONGEST_LINE = 256 * 1024
"""A fault names every point that it meets."""
EVERYTHING = "all"


class Faulty(Protocol):
    """What can be made to go wrong."""

    @property
    def now(self) -> datetime: ...

    @property
    def faults(self) -> Schedule: ...

    @property
    def tags(self) -> Mapping[str, Tag]: ...

    def refresh(self) -> None: ...

    def add_fault(self, fault: Fault) -> None: ...

    def end_faults(self, faults: Iterable[Fault]) -> None: ...


@contextlib.asynccontextmanager
async def listening(path: Path, site: Faulty) -> AsyncGenerator[None]:
    """Answer at this path inside the block. Where that cannot be, the site is served all the same."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while line := await _next_line(reader):
                writer.write(json.dumps(_answer(site, line)).encode() + b"\n")
                await writer.drain()

    async with contextlib.AsyncExitStack() as stack:
        try:
            listener = _bound(path)
        except OSError as error:
            log.warning("%s cannot be opened, and `tidewatt fault` will not reach this simulator: %s", path, error)
        else:
            stack.callback(path.unlink, missing_ok=True)
            server = await asyncio.start_unix_server(converse, sock=listener, limit=LONGEST_LINE)
            stack.callback(server.close)
        yield


def _bound(path: Path) -> socket.socket:
    """Only this user may open it."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


async def _next_line(reader: asyncio.StreamReader) -> bytes:
    """The next request; empty at the end of the conversation or where a line is too long to be one."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


def _answer(site: Faulty, line: bytes) -> dict[str, Any]:
    try:
        return {"ok": True, "answer": _done(site, _request(line))}
    except (ValueError, RecursionError) as error:
        return {"ok": False, "error": str(error)}


def _request(line: bytes) -> Mapping[str, Any]:
    """Raises ValueError for what is none."""
    request: Any = json.loads(line)
    if not isinstance(request, dict) or cast("dict[str, Any]", request).get("tidewatt") != VERSION:
        raise ValueError(f'a request is {{"tidewatt": {VERSION}, "command": ...}}')
    return cast("dict[str, Any]", request)


def _done(site: Faulty, request: Mapping[str, Any]) -> Any:
    """Raises ValueError for what cannot be done; its words go to whoever asked."""
    site.refresh()
    match request.get("command"):
        case "faults":
            return {
                "now": site.now.isoformat(),
                "on": [as_data(each) for each in site.faults.on],
                "to_come": [as_data(each) for each in site.faults.to_come],
            }
        case "add_fault":
            fault = fault_from(request.get("fault") or {}, site.tags)
            _refuse_contradiction(site, fault)
            site.add_fault(fault)
            return as_data(fault)
        case "end_faults":
            named = str(request.get("what"))
            meant = [each for each in (*site.faults.on, *site.faults.to_come) if _is_meant(each, named)]
            site.end_faults(meant)
            return [as_data(each) for each in meant]
        case other:
            raise ValueError(f"there is no command {other!r}; there are faults, add_fault, end_faults")


def _refuse_contradiction(site: Faulty, fault: Fault) -> None:
    there_are = [*site.faults.on, *site.faults.to_come]
    for later, earlier in contradictions([*there_are, fault]):
        other = earlier if later is fault else later
        if fault in (later, earlier):
            raise ValueError(f"{other.target or 'the site'} has a fault '{other.kind}' at that time; end that first")


def _is_meant(fault: Fault, named: str) -> bool:
    return named in (EVERYTHING, fault.kind, fault.target)
