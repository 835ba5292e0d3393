"""The daemon's own sun clock: sends the day's lamp times by the site's calendar, and looks who has answered.

A task beside the control: nothing in a scan waits for it, and lamps do not care. Messages are made in the worker
process, files are looked at in a thread. What a robot has taken is marked in the store message by message; a daemon
that dies between the two sends that one again, rather than not at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from controller.core.alarm import AlarmId
from controller.core.alarm_catalogue import LAMP_TIMES_NOT_CONFIRMED, LAMP_TIMES_NOT_SENT
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.lamp_messages import LampMessages, day_to_send, next_sending
from controller.core.ports import Clock, Phase
from controller.core.text import Text
from controller.runtime.daemon import Daemon
from controller.runtime.workers import WorkerFailed
from controller.sunclock import messages
from controller.sunclock.making import Made, Order, make
from controller.sunclock.robot import Content, Robot
from controller.sunclock.sent import Sent, as_text, from_text
from controller.sunclock.tasks import Task, Tasks
from controller.sunclock.unanswered import alarms_of

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

TASKS = Path("state", "sunclock.db")
"""Within the site's folder; `sunclock-tasks` lists it and serves its links."""

# An answer, a clock that was set and a file that has come are noticed by then.
LOOK_EVERY_S = 60.0
# After the robot's own tries: doubled up to the longest, until the day is over.
RETRY_FIRST_S = 300.0
RETRY_LONGEST_S = 3600.0
# Real seconds in the worker process; boards of 20,000 places take a few minutes.
MAKE_WITHIN_S = 600.0
_MARK = "lamp_times"


class Delivers(Protocol):
    """What is needed of a robot."""

    def prepare(self) -> None:
        """Load what delivering needs. Blocks."""
        ...

    async def deliver(self, contents: Sequence[Content]) -> None:
        """Raises EnvironmentProblem."""
        ...


class DailyMessages:
    """robot_of: of an address."""

    def __init__(self, daemon: Daemon, robot_of: Callable[[str, Clock], Delivers] = Robot) -> None:
        self._daemon = daemon
        self._clock = daemon.clock
        self._robot_of = robot_of
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sun clock")
        self._sent: Sent | None = None
        self._failures = 0
        self._send_again = 0.0
        self._escalate_again = 0.0
        self._trouble = ""

    async def run(self) -> None:
        try:
            await self._restore()
            while True:
                wait = LOOK_EVERY_S
                if (settings := self._daemon.site.lamp_messages) is not None:
                    await self._send(settings)
                    wait = self._until_next(settings)
                await self._look(settings)
                await self._clock.sleep_until(self._clock.monotonic() + wait, Phase.CALENDAR, "sun clock")
        finally:
            # A disk that hangs must not hold up whoever ends us.
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _restore(self) -> None:
        try:
            stored = await self._daemon.store.load_run(_MARK)
        except EnvironmentProblem as error:
            log.warning("it is not known which lamp times were sent: %s", error)
            return
        self._sent = None if stored is None else from_text(stored)

    def _until_next(self, settings: LampMessages) -> float:
        now = self._clock.now()
        until = (next_sending(settings.at, self._daemon.site.zone, now) - now).total_seconds()
        return min(LOOK_EVERY_S, until)

    # --- sending --------------------------------------------------------------------------------------------------

    async def _send(self, settings: LampMessages) -> None:
        """What is due, as far as the robot takes it."""
        site = self._daemon.site
        whole = self._sent.day if self._sent is not None and self._sent.is_whole else None
        day = day_to_send(settings.at, site.zone, self._clock.now(), whole)
        if day is None or self._daemon.clock_watch.doubt is not None:
            return
        if self._sent is None or self._sent.day != day:
            self._sent, self._failures, self._send_again = Sent(day), 0, 0.0
        if self._clock.monotonic() < self._send_again:
            return
        try:
            made = await self._made(settings, day)
            await self._deliver(settings, made)
        except (EnvironmentProblem, WorkerFailed) as error:
            self._failed(str(error))
            return
        self._failures = 0
        self._report(site.name, LAMP_TIMES_NOT_SENT, _one_language("; ".join(made.flaws)))
        body: dict[str, JsonValue] = {"state": "lamp times sent", "date": day.isoformat()}
        self._daemon.journal.note(
            EventKind.DAEMON, "sun clock", {**body, "messages": len(made.texts) + len(made.pictures)}
        )

    async def _made(self, settings: LampMessages, day: date) -> Made:
        """Raises WorkerFailed or EnvironmentProblem."""
        order = Order(
            settings.places,
            day,
            settings.illuminance,
            settings.is_markdown,
            settings.has_pictures,
            self._tasks if settings.answers else None,
            settings.answers,
            self._clock.now() + settings.answer_within,
        )
        made: Made = await self._daemon.workers.run(make, order, MAKE_WITHIN_S)
        if made.trouble:
            raise EnvironmentProblem(made.trouble)
        return made

    async def _deliver(self, settings: LampMessages, made: Made) -> None:
        """Text first: it arrives although a picture does not."""
        robot = self._robot_of(settings.to, self._clock)
        await self._aside(robot.prepare)
        for content in made.texts:
            await self._deliver_once(robot, content)
        if made.words:
            await self._aside(partial(_mark_sent, self._tasks, made.words, self._clock.now()))
        for content in made.pictures:
            await self._deliver_once(robot, content)
        assert self._sent is not None
        await self._keep(self._sent._replace(is_whole=True))

    async def _deliver_once(self, robot: Delivers, content: Content) -> None:
        assert self._sent is not None
        if not self._sent.has(content):
            await robot.deliver([content])
            await self._keep(self._sent.with_taken(content))

    async def _keep(self, sent: Sent) -> None:
        """What was sent is known in this run even where the disk does not take it."""
        self._sent = sent
        await self._daemon.store.save_run(_MARK, as_text(sent))

    def _failed(self, why: str) -> None:
        pause = min(RETRY_FIRST_S * 2.0**self._failures, RETRY_LONGEST_S)
        self._failures += 1
        self._send_again = self._clock.monotonic() + pause
        log.warning("the lamp times are not sent, tried again in %.0f s: %s", pause, why)
        self._report(self._daemon.site.name, LAMP_TIMES_NOT_SENT, _one_language(why))

    # --- answers --------------------------------------------------------------------------------------------------

    async def _look(self, settings: LampMessages | None) -> None:
        """Keep the list of alarms as the file of tasks is, whoever answered, at whatever time."""
        site, now = self._daemon.site, self._clock.now()
        if settings is None:
            self._clear(LAMP_TIMES_NOT_SENT, ())
        if settings is None or not settings.answers:
            self._clear(LAMP_TIMES_NOT_CONFIRMED, ())
            return
        try:
            silent, overdue = await self._aside(partial(_silent_and_overdue, self._tasks, now))
            for subject, why in (alarms := alarms_of(silent, site.name, site.zone)).items():
                self._report(subject, LAMP_TIMES_NOT_CONFIRMED, why)
            self._clear(LAMP_TIMES_NOT_CONFIRMED, alarms)
            if overdue and settings.escalate_to and self._clock.monotonic() >= self._escalate_again:
                await self._escalate(settings.escalate_to, overdue)
        except EnvironmentProblem as error:
            if str(error) != self._trouble:
                log.warning("who has set the lamp times is not known or not told: %s", error)
            self._trouble = str(error)
            self._escalate_again = self._clock.monotonic() + RETRY_FIRST_S
        else:
            self._trouble = ""

    async def _escalate(self, to: str, overdue: Sequence[Task]) -> None:
        """Tell somebody else, once."""
        robot = self._robot_of(to, self._clock)
        await self._aside(robot.prepare)
        await robot.deliver(messages.overdue(overdue))
        await self._aside(partial(_mark_escalated, self._tasks, [task.word for task in overdue], self._clock.now()))

    # --- alarms -----------------------------------------------------------------------------------------------------

    def _report(self, subject: str, alarm: str, why: Text) -> None:
        """Raised as often as its reason changes, and cleared where there is none any more."""
        known = self._daemon.alarms.get(AlarmId(subject, alarm))
        stands = known is not None and known.standing.condition
        if not why.en:
            if stands:
                self._daemon.journal.note(EventKind.ALARM, subject, {"alarm": alarm, "state": "cleared"})
        elif known is None or not stands or known.cause != why:
            body: Mapping[str, JsonValue] = {"reason": why.en, "reason_zh": why.zh}
            self._daemon.journal.note(EventKind.ALARM, subject, {"alarm": alarm, "state": "active", **body})

    def _clear(self, name: str, but: Collection[str]) -> None:
        for alarm in list(self._daemon.alarms.all):
            if alarm.id.name == name and alarm.id.subject not in but:
                self._report(alarm.id.subject, name, _one_language(""))

    # --- beside the loop ----------------------------------------------------------------------------------------

    @property
    def _tasks(self) -> Path:
        return self._daemon.site.folder / TASKS

    async def _aside(self, work: Callable[[], ResultT]) -> ResultT:
        with self._clock.outside():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _one_language(why: str) -> Text:
    """What a file or a machine says has one form."""
    return Text(why, why)


def _mark_sent(file: Path, words: Sequence[str], now: datetime) -> None:
    Tasks(file, make=False).sent(words, now)


def _mark_escalated(file: Path, words: Sequence[str], now: datetime) -> None:
    Tasks(file, make=False).escalated(words, now)


def _silent_and_overdue(file: Path, now: datetime) -> tuple[list[Task], list[Task]]:
    """Places that have not answered, and what nobody else was told of yet."""
    try:
        file.stat()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise EnvironmentProblem(f"{file} cannot be used: {error.strerror}") from error
    tasks = Tasks(file, make=False)
    return tasks.unanswered(now), tasks.overdue(now)
