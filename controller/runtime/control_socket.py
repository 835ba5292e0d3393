"""How commands reach a running daemon: JSON lines over state/control.sock, mode 0600, versioned.

Request: {"tidewatt": 1, "command": "explain", ...}; answer: {"ok": true, "answer": ...} or {"ok": false, "error": ...}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeGuard, cast

from controller.core.errors import EnvironmentProblem
from controller.core.event import JsonValue
from controller.runtime.control_protocol import VERSION
from controller.runtime.control_requests import HANDLERS, LOOKS, REFUSALS
from controller.runtime.daemon import Daemon

# A request is small; what is longer is not for us.
LONGEST_LINE = 64 * 1024


@contextlib.contextmanager
def listening(path: Path) -> Generator[socket.socket]:
    """A socket that only this user may open; its file goes with us. Hold the site's lock before."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            path.chmod(0o600)
            listener.setblocking(False)
            listener.listen()  # who asks while we start waits for the answer
        except OSError as error:
            raise EnvironmentProblem(f"{path}: the control socket cannot be opened: {error}") from error
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


async def serve(daemon: Daemon, listener: socket.socket) -> None:
    """Answer requests until cancelled; nobody who is still connected holds us up."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            try:
                while line := await _next_line(reader):
                    writer.write(json.dumps(await _answer(daemon, line)).encode() + b"\n")
                    await writer.drain()
            except asyncio.CancelledError:
                writer.transport.abort()  # closing would wait for whoever does not read what it has asked for
                raise

    conversations = asyncio.TaskGroup()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.create_task(converse(reader, writer), name="control")

    server = await asyncio.start_unix_server(begin, sock=listener, limit=LONGEST_LINE, start_serving=False)
    async with server, conversations:
        await server.start_serving()
        await asyncio.Event().wait()


async def _next_line(reader: asyncio.StreamReader) -> bytes:
    """The next request; empty at the end of the conversation or where a line is too long to be one."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


async def _answer(daemon: Daemon, line: bytes) -> dict[str, JsonValue]:
    try:
        request: Any = json.loads(line)
    except (ValueError, RecursionError):
        return _error("this is no JSON")
    if not _is_text(request):
        return _error("this is no text: a name or reason was typed in another encoding than UTF-8")
    if not _is_request(request):
        return _error(f'a request is {{"tidewatt": {VERSION}, "command": ...}}')
    handler = HANDLERS.get(str(request.get("command")))
    if handler is None:
        return _error(f"there is no command {request.get('command')!r}; there are {', '.join(HANDLERS)}")
    try:
        if handler in LOOKS:
            return {"ok": True, "answer": await handler(daemon, request)}
        async with daemon.gate.passing():
            return {"ok": True, "answer": await handler(daemon, request)}
    except REFUSALS as error:
        return _error(str(error))


def _is_text(request: Any) -> bool:
    """Whether everything in it can be stored and shown: a terminal in another encoding sends half characters."""
    try:
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_request(request: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(request, dict) and cast("dict[str, Any]", request).get("tidewatt") == VERSION


def _error(words: str) -> dict[str, JsonValue]:
    return {"ok": False, "error": words}
