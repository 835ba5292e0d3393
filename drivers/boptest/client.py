"""The REST API: every answer is status, message and payload, or an error of ours."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from controller.core.event import JsonValue
from drivers.boptest.exchange import Answer, Exchange

# What a server says about itself is bounded before it is told.
_LONGEST_CAUSE: Final = 200

Outside: TypeAlias = Callable[[], AbstractContextManager[None]]


class Client:
    """One request at a time, each on a connection of its own. While it waits, virtual time stands still."""

    def __init__(self, link: str, url: str, timeout: timedelta, outside: Outside = nullcontext) -> None:
        """outside: the clock's, by which virtual time stands still; outside any daemon there is none."""
        self.link = link
        self._url = url
        self._timeout = timeout.total_seconds()
        self._outside = outside
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix=f"boptest {link}")

    def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    async def get(self, path: str) -> Any:
        return await self.ask("GET", path)

    async def put(self, path: str, body: Mapping[str, JsonValue]) -> Any:
        return await self.ask("PUT", path, body)

    async def post(self, path: str, body: Mapping[str, JsonValue]) -> Any:
        return await self.ask("POST", path, body)

    async def ask(
        self, method: str, path: str, body: Mapping[str, JsonValue] | None = None, *, is_bare: bool = False
    ) -> Any:
        """The payload; None where the answer is bare. Raises ConnectFailed, DeviceTimeout, ProtocolViolation."""
        operation = path.partition("/")[0]
        if self._thread is None:
            raise ConnectFailed(self.link, operation, "not connected")
        sent = None if body is None else json.dumps(body, allow_nan=False).encode()
        exchange = Exchange(self._url, method, path, sent, self._timeout)
        try:
            with self._outside():
                answer = await asyncio.get_running_loop().run_in_executor(self._thread, exchange.run)
        except asyncio.CancelledError:
            exchange.abort()
            raise
        except (OSError, http.client.HTTPException) as error:
            raise ours(self.link, operation, error) from error
        return None if is_bare and answer.status < 400 else self._payload(operation, answer)

    def _payload(self, operation: str, answer: Answer) -> Any:
        try:
            content: Any = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            shown = f"status {answer.status}, and no JSON: {_shown(answer.body.decode(errors='replace'))}"
            raise ProtocolViolation(self.link, operation, shown) from error
        envelope: dict[str, Any] = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
        status: Any = envelope.get("status", answer.status)
        if answer.status >= 400 or not isinstance(status, int) or status >= 400:
            said = _refusal(envelope) or answer.body.decode(errors="replace")
            raise ProtocolViolation(self.link, operation, f"refused with {status}: {_shown(said)}")
        return envelope.get("payload", content)


def ours(link: str, operation: str, error: OSError | http.client.HTTPException) -> DeviceError:
    """The one place where the library's exceptions become ours."""
    match error:
        case TimeoutError():
            return DeviceTimeout(link, operation, "no answer")
        case http.client.RemoteDisconnected():
            return ConnectFailed(link, operation, "the server hung up without an answer")
        case OSError():
            return ConnectFailed(link, operation, error.strerror or str(error) or "connection lost")
        case _:
            return ProtocolViolation(link, operation, f"no proper HTTP: {_shown(repr(error))}")


def _refusal(envelope: Mapping[str, Any]) -> str:
    """Where the message is only "Bad Request", the payload says why; a web service in front has errors instead."""
    payload = envelope.get("payload")
    parts = (envelope.get("message"), payload if isinstance(payload, str) else None, envelope.get("errors"))
    return "\n".join(str(part) for part in parts if part)


def _shown(said: str) -> str:
    """The last line: where a case fails, a traceback comes before it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:_LONGEST_CAUSE] if lines else "nothing"
