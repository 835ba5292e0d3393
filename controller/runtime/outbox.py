"""One person's messages: bounded, sent one after another, and one instead of many where too many come."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from controller.core.alarm_route import Flood, Route
from controller.core.ports import Clock, Phase
from controller.core.text import Language
from controller.runtime.backoff import Backoff
from controller.runtime.message_words import Message, Notice, Step, single, summary

log = logging.getLogger(__name__)

# A messenger answers by then, or the message has failed.
SEND_WITHIN_S = 15.0
MOST_WAITING = 1000
# In a flood, one summary so often.
SUMMARY_EVERY_S = 60.0
# Older news helps nobody; the list of alarms has it all.
GIVE_UP_AFTER_S = 3600.0


class NotDelivered(Exception):
    """Why a message did not reach its messenger; without any secret."""


class Messenger(Protocol):
    async def deliver(self, address: str, message: Message) -> None:
        """Raises NotDelivered. May be cancelled when it takes too long."""
        ...


class _Waiting(NamedTuple):
    notice: Notice
    on_delivery: Callable[[], None]


class Outbox:
    """One person's messages. sent, failed: attempts; dropped: notices nobody got. trouble: "" while all is well."""

    def __init__(self, site: str, zone: ZoneInfo, clock: Clock, messenger: Messenger, route: Route, rung: int) -> None:
        self.name = f"{route.id}/{rung + 1}"
        self._site = site
        self._zone = zone
        self._clock = clock
        self._messenger = messenger
        self._language: Language = route.language
        self._address = route.ladder[rung].address
        self._waiting: deque[_Waiting] = deque()
        self._on_its_way: list[_Waiting] = []
        self._filled = asyncio.Event()
        self._flood = Flood()
        self._summarised = -math.inf
        self._backoff = Backoff(self.name)
        self.sent = 0
        self.failed = 0
        self.dropped = 0
        self.trouble = ""

    @property
    def waiting(self) -> int:
        return len(self._waiting) + len(self._on_its_way)

    def succeed(self, earlier: Outbox) -> None:
        """What could not be sent yet is sent from here."""
        self._waiting.extend((*earlier._on_its_way, *earlier._waiting))
        self._flood, self._summarised, self._backoff = earlier._flood, earlier._summarised, earlier._backoff
        self.sent, self.failed, self.dropped = earlier.sent, earlier.failed, earlier.dropped
        self.trouble = earlier.trouble
        self._filled.set()

    def put(self, notice: Notice, on_delivery: Callable[[], None]) -> None:
        if notice.step is Step.RAISED:
            self._flood = self._flood.another(self._clock.monotonic())
        self._waiting.append(_Waiting(notice, on_delivery))
        self._drop_oldest()
        self._filled.set()

    async def run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                await self._send()

    async def _send(self) -> None:
        """Send what comes next; where that fails, rest."""
        # What comes in one burst is seen whole, so that its first messages already tell of a flood.
        await asyncio.sleep(0)
        if self._flood.at(self._clock.monotonic()).on:
            await self._clock.sleep_until(self._summarised + SUMMARY_EVERY_S, Phase.RECORD, f"messages {self.name}")
            self._take(len(self._waiting))
            self._summarised = self._clock.monotonic()
        else:
            self._take(1)
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._messenger.deliver(self._address, self._message())
        except (NotDelivered, TimeoutError) as error:
            self._failed(str(error) or f"no answer within {SEND_WITHIN_S:g} s")
            await asyncio.sleep(self._backoff.next_pause())
        else:
            self._delivered()

    def _take(self, count: int) -> None:
        self._on_its_way = [self._waiting.popleft() for _ in range(count)]

    def _message(self) -> Message:
        notices: Sequence[Notice] = [each.notice for each in self._on_its_way]
        if len(notices) == 1:
            return single(notices[0], self._site, self._zone, self._language)
        return summary(notices, self._site, self._language)

    def _delivered(self) -> None:
        self.sent += 1
        self._backoff.reset()
        done, self._on_its_way = self._on_its_way, []
        for each in done:
            each.on_delivery()
        if self.trouble:
            self.trouble = ""
            log.info("messages of %s are delivered again; %d were dropped", self.name, self.dropped)

    def _failed(self, cause: str) -> None:
        self.failed += 1
        if not self.trouble:
            log.warning("messages of %s are not delivered: %s", self.name, cause)
        self.trouble = cause
        now = self._clock.monotonic()
        again = [each for each in self._on_its_way if now - each.notice.queued < GIVE_UP_AFTER_S]
        self.dropped += len(self._on_its_way) - len(again)
        self._on_its_way = []
        self._waiting.extendleft(reversed(again))
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
