"""Alarms on their way to people: routes, their ladders, and one message instead of many where too many come.

Each person's messages wait in an outbox of their own, bounded, sent by a task of its own; whatever becomes of them,
control goes on. What could not be sent is counted and shown.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import NamedTuple

from controller.core.alarm import ANNOUNCED, AlarmId, AlarmState
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.site import Site
from controller.runtime.listed_alarm import Alarm
from controller.runtime.message_words import STEPS, Notice, Step
from controller.runtime.outbox import Messenger, Outbox
from controller.runtime.reminder import Reminder


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
        self._reminder = Reminder(clock, "messages")
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
            while True:
                await self._reminder.sleep_until(min(self._due.values(), default=math.inf))
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
        self._reminder.stir()

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
