"""Messages to a group chat's robot in WeCom's format, tried again while it is down.

References
----------
[1] WeCom, "How to configure a group robot" (developer documentation, document 91770): text of at most 2048 bytes,
    markdown of at most 4096, an image as base64 with the MD5 of its bytes, JPG or PNG of at most 2 MB; 20 messages a
    minute; the answer is JSON with `errcode`, 0 if it was taken.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock, Phase

MOST_TEXT = 2048  # bytes
MOST_MARKDOWN = 4096
MOST_IMAGE = 2_000_000

# Seconds between the tries of one message.
PAUSES: Sequence[float] = (2.0, 8.0, 30.0)
_MOST_A_MINUTE = 18
_ANSWER_WITHIN_S = 15.0
_LARGEST_ANSWER = 10_000  # bytes
_TOO_MANY = (45009, 45033, 130101)  # WeCom's codes for "too often": later again

Content: TypeAlias = dict[str, Any]


class NotTaken(Exception):
    """Why the robot did not take a message; without its address, which is a secret. is_final: trying helps nothing."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


def text(content: str) -> Content:
    return {"msgtype": "text", "text": {"content": content}}


def markdown(content: str) -> Content:
    return {"msgtype": "markdown", "markdown": {"content": content}}


def image(content: bytes) -> Content:
    """Raises EnvironmentProblem for what is too large; [1]."""
    if len(content) > MOST_IMAGE:
        raise EnvironmentProblem(f"the picture has {len(content)} bytes; a robot takes {MOST_IMAGE}")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"msgtype": "image", "image": {"base64": base64.b64encode(content).decode(), "md5": digest}}


def parts(head: str, lines: Iterable[str], most: int) -> list[str]:
    """The lines below the head, in as many messages of at most so many bytes as they need."""
    made: list[str] = []
    for line in lines:
        if made and len(f"{made[-1]}\n{line}".encode()) <= most:
            made[-1] += f"\n{line}"
        else:
            made.append(f"{head}\n{line}")
    return made


class Robot:
    """address: with its key; never shown."""

    def __init__(self, address: str, clock: Clock, pauses: Sequence[float] = PAUSES) -> None:
        split = urlsplit(address)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise EnvironmentProblem("the robot's address begins neither with http:// nor with https://")
        self.host = split.hostname
        self._address = address
        self._clock = clock
        self._pauses = pauses
        self._taken = 0

    def prepare(self) -> None:
        """Load what delivering needs. Blocks: for a thread of whoever may not wait."""
        import_module("aiohttp")

    async def deliver(self, contents: Sequence[Content]) -> None:
        """One after another. Raises EnvironmentProblem with what was tried, at the first that is not taken."""
        import aiohttp  # 0.1 s: only who pushes pays

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)) as session:
            for nth, content in enumerate(contents):
                if self._taken and self._taken % _MOST_A_MINUTE == 0:
                    await self._pause(60.0)
                try:
                    await self._persist(session, content)
                    self._taken += 1
                except NotTaken as trouble:
                    sent = f"{nth} of {len(contents)} messages were sent"
                    raise EnvironmentProblem(f"the robot at {self.host}: {trouble}; {sent}") from None

    async def _persist(self, session: Any, content: Content) -> None:
        for nth, pause in enumerate((*self._pauses, None), 1):
            try:
                return await self._post(session, content)
            except NotTaken as trouble:
                if pause is None or trouble.is_final:
                    raise NotTaken(f"{trouble} (tried {nth} times)" if nth > 1 else str(trouble)) from None
                await self._pause(pause)

    async def _post(self, session: Any, content: Content) -> None:
        import aiohttp

        try:
            async with session.post(self._address, json=content, allow_redirects=False) as response:
                status, body = response.status, await response.content.read(_LARGEST_ANSWER)
        except TimeoutError:
            raise NotTaken(f"no answer within {_ANSWER_WITHIN_S:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NotTaken(f"not reached ({type(error).__name__})") from None
        if status != 200:
            raise NotTaken(f"answered {status}", is_final=400 <= status < 500 and status not in (408, 425, 429))
        _judge(body)

    async def _pause(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.monotonic() + seconds, Phase.RECORD, "robot")


def _judge(body: bytes) -> None:
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    code: Any = cast("dict[str, Any]", answer).get("errcode") if isinstance(answer, dict) else None
    if not isinstance(code, int):
        raise NotTaken("its answer is not a robot's: no errcode", is_final=True)
    if code != 0:
        raise NotTaken(f"refused it with errcode {code}", is_final=code not in _TOO_MANY)
