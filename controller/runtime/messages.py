"""Alarms on their way to people: routes, their ladders, and one message instead of many where too many come.

Each person's messages wait in an outbox of their own, bounded, sent by a task of its own; whatever becomes of them,
control goes on. What could not be sent is counted and shown.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from controller.core.alarm import ANNOUNCED, AlarmId, AlarmState
from controller.core.alarm_route import Flood, Route
from controller.core.point import PointId
from controller.core.ports import Clock, Phase
from controller.core.site import Site
from controller.core.text import Language
from controller.runtime.alarms import Alarm
from controller.runtime.backoff import Backoff
from controller.runtime.message_words import STEPS, Message, Notice, Step, single, summary
from controller.runtime.reminder import Reminder

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


class _Given(NamedTuple):
    """An alarm that people were told of: since when nobody acknowledged it, None once somebody did; rungs by route."""

    alarm: Alarm
    since: float | None
    rungs: dict[str, int]


NoteTold = Callable[[Alarm, str, int], None]


class Messages:
    """note_told: called once the n-th rung of a route has a message of an alarm."""

    def __init__(self, site: Site, clock: Clock, messenger: Messenger, note_told: NoteTold) -> None:
        self._site = site
        self._clock = clock
        self._routes = site.alarms.routes
        self._note_told = note_told
        self._given: dict[AlarmId, _Given] = {}
        self._due: dict[AlarmId, float] = {}
        self._stirred = asyncio.Event()
        self.outboxes = {
            (route.id, rung): Outbox(site.name, site.zone, clock, messenger, route, rung)
            for route in self._routes
            for rung in range(len(route.ladder))
        }

    def changed(self, alarm: Alarm, before: AlarmState) -> None:
        """An alarm is in another state than before."""
        after, now = alarm.state, self._clock.monotonic()
        if after is AlarmState.UNACKNOWLEDGED:
            # What was told before a restart is not told again; its ladder goes on.
            elapsed = 0.0
            if alarm.told and alarm.raised is not None:
                elapsed = max(0.0, (self._clock.now() - alarm.raised).total_seconds())
            self._given[alarm.id] = _Given(alarm, now - elapsed, dict(alarm.told or {}))
            self._climb(self._given[alarm.id])
        elif alarm.id in self._given:
            self._due.pop(alarm.id, None)
            if after is AlarmState.ACKNOWLEDGED:
                self._given[alarm.id] = self._given[alarm.id]._replace(since=None)
            else:
                self._over(self._given.pop(alarm.id), STEPS[after])
        elif before in ANNOUNCED and after not in ANNOUNCED and alarm.told:
            # Acknowledged before a restart.
            self._over(_Given(alarm, None, dict(alarm.told)), STEPS[after])

    def succeed(self, earlier: Messages, present: Callable[[AlarmId], Alarm | None]) -> None:
        """Go on with what people of the same routes were told; a route that was changed begins anew.

        present: the alarm of that name in the list as it is now.
        """
        kept = {route.id for route in self._routes if route in earlier._routes}
        earlier._note_told = self._note_told  # what still waits there says so when it is delivered
        for key, outbox in self.outboxes.items():
            if key[0] in kept:
                outbox.succeed(earlier.outboxes[key])
        for id_, given in earlier._given.items():
            alarm = present(id_)
            if alarm is not None:
                rungs = {route: count for route, count in given.rungs.items() if route in kept}
                self._given[id_] = _Given(alarm, given.since, rungs)
                if given.since is not None:
                    self._climb(self._given[id_])

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, outbox in self.outboxes.items():
                tasks.create_task(outbox.run(), name=f"messages {name}")
            reminder = Reminder(self._clock, tasks, "messages", self._stirred.set)
            while True:
                reminder.at(min(self._due.values(), default=math.inf))
                await self._stirred.wait()
                self._stirred.clear()
                now = self._clock.monotonic()
                for id_ in [id_ for id_, due in self._due.items() if due <= now]:
                    self._climb(self._given[id_])

    def _climb(self, given: _Given) -> None:
        """Tell whoever the ladder has reached, and note when it goes on."""
        alarm, now = given.alarm, self._clock.monotonic()
        assert given.since is not None
        due = math.inf
        for route in self._routes:
            if not route.takes(alarm.behaviour.priority):
                continue
            times = route.climbed(given.since)
            for rung in range(given.rungs.get(route.id, 0), len(times)):
                if times[rung] > now:
                    due = min(due, times[rung])
                    break
                self._put(alarm, route.id, rung, Step.RAISED)
                given.rungs[route.id] = rung + 1
        if due == math.inf:
            self._due.pop(alarm.id, None)
        else:
            self._due[alarm.id] = due
        self._stirred.set()

    def _over(self, given: _Given, step: Step) -> None:
        for route, rungs in given.rungs.items():
            for rung in range(rungs):
                self._put(given.alarm, route, rung, step)

    def _put(self, alarm: Alarm, route: str, rung: int, step: Step) -> None:
        outbox = self.outboxes.get((route, rung))
        if outbox is None:
            return  # a route that was there before the restart
        now = self._clock.now()
        notice = Notice(
            str(alarm.id),
            step,
            alarm.behaviour.priority,
            alarm.wording.wrong,
            alarm.cause,
            alarm.wording.advice,
            self._value(alarm),
            alarm.raised if alarm.raised is not None and step is Step.RAISED else now,
            self._clock.monotonic(),
        )
        if step is Step.RAISED:
            outbox.put(notice, lambda: self._note_told(alarm, route, rung + 1))
        else:
            outbox.put(notice, _not_kept)

    def _value(self, alarm: Alarm) -> str:
        point = self._site.points.get(PointId(alarm.id.subject))
        if point is None or alarm.value is None:
            return ""
        shown = f"{alarm.value:.5g}" if isinstance(alarm.value, float) else str(alarm.value)
        return shown if point.unit.value == "none" else f"{shown} {point.unit.value}"


def _not_kept() -> None:
    """That something is over is told once, or not at all."""


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
