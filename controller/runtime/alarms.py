"""The one list of alarms: what the daemon tells and what the site's rules find, and what people do about them.

Fed by events and by changes in the image, never by the scan; it works through what came in beside the scan, a little at
a time, so that thousands of alarms at once hold nothing up.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from controller.core.alarm import (
    HIDDEN,
    NORMAL,
    AlarmId,
    AlarmState,
    Standing,
    seen,
    suppressed,
)
from controller.core.alarm_catalogue import (
    ABOUT_PLACES,
    DEVICE_LOST,
    LINK_LOST,
    LINK_REFUSED,
    built_in,
)
from controller.core.alarm_rule import PointRule
from controller.core.availability import Standing as AvailabilityStanding
from controller.core.event import Event, EventKind
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.text import Text
from controller.runtime.alarm_definitions import AlarmDefinitions
from controller.runtime.alarm_events import deed, reported, transition
from controller.runtime.alarm_explanations import Explanations
from controller.runtime.alarm_keeping import AlarmKeeping
from controller.runtime.image import Image
from controller.runtime.journal import Journal
from controller.runtime.listed_alarm import Alarm, restore
from controller.runtime.reminder import Reminder
from controller.runtime.store import Store

# Whoever raised an alarm before a restart raises it again by then, or it is over.
CONFIRM_WITHIN_S = 300.0
# Alarms handled before others get the loop: about a millisecond.
AT_ONCE = 25
OURSELVES = "Tidewatt"
_OF_LINKS = (LINK_LOST, DEVICE_LOST, LINK_REFUSED)


class _Heard(NamedTuple):
    """What was told of an alarm since somebody looked; was_active: at any time meanwhile."""

    is_active: bool
    was_active: bool
    cause: Text


OnChange = Callable[[Alarm, AlarmState], None]


class Alarms:
    """listeners: told each alarm that is in another state than before, and that state before.

    unavailable: the equipment that is not in auto.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        image: Image,
        journal: Journal,
        store: Store,
        unavailable: Callable[[], Mapping[str, AvailabilityStanding]],
    ) -> None:
        self._site = site
        self._clock = clock
        self._image = image
        self._journal = journal
        self._store = store
        self.listeners: list[OnChange] = []
        self._definitions = AlarmDefinitions(site)
        self._links = {link.id for link in site.links}
        self._all: dict[AlarmId, Alarm] = {}
        self._explanations = Explanations(self._all, image, unavailable)
        self._rules: dict[PointId, list[Alarm]] = {}
        self._only_while: dict[PointId, list[Alarm]] = {}
        for rule in site.alarms.rules:
            self._add_rule(rule)
        self._reports: dict[AlarmId, _Heard] = {}
        self._changed: dict[PointId, None] = {}
        self._explained: set[AlarmId] = set()
        self._other_availability: set[str] = set()
        self._due: dict[AlarmId, float] = {}
        self._unconfirmed: dict[AlarmId, float] = {}
        self._is_at_work = False
        self._reminder = Reminder(clock, "alarms")
        self.keeping = AlarmKeeping(self._all, clock, store)
        journal.listeners.append(self._hear)
        image.watch({*self._rules, *self._only_while}, self._note_changed)

    @property
    def all(self) -> Collection[Alarm]:
        """Everything that is known, rules in normal state included."""
        return self._all.values()

    def get(self, id_: AlarmId) -> Alarm | None:
        return self._all.get(id_)

    def _add_rule(self, rule: PointRule) -> None:
        alarm = self._all[rule.alarm] = self._definitions.of_rule(rule)
        self._rules.setdefault(rule.point, []).append(alarm)
        if rule.only_while is not None:
            self._only_while.setdefault(rule.only_while.point, []).append(alarm)

    # --- what comes in; no work here ------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        report = reported(event, self._links)
        if report is not None:
            self._report(*report)
        elif event.kind is EventKind.AVAILABILITY and "availability" in event.body:
            self._other_availability.add(event.subject)
            self._reminder.stir()

    def _report(self, alarm: AlarmId, is_active: bool, cause: Text) -> None:
        before = self._reports.get(alarm)
        if self._is_at_work and not is_active and before is None and not self._may_stand(alarm):
            return  # as of nearly every decision: the strategy that decides has no fault
        was_active = is_active or (before is not None and before.was_active)
        self._reports[alarm] = _Heard(is_active, was_active, cause if is_active or before is None else before.cause)
        self._reminder.stir()

    def _may_stand(self, alarm: AlarmId) -> bool:
        return alarm in self._all or alarm in self._unconfirmed

    def _note_changed(self, points: Collection[PointId]) -> None:
        self._changed.update(dict.fromkeys(points))
        self._reminder.stir()

    def look_again(self) -> None:
        """Somebody has changed what may change others."""
        self._reminder.stir()

    # --- at work --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        self._is_at_work = True  # what an earlier run has left is known now
        self._note_changed([*self._rules, *self._only_while])
        self._explained.update(parent for alarm in self._all.values() for parent in alarm.parents)
        self._other_availability.update(alarm.equipment for alarm in self._all.values() if alarm.needs_auto)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.keeping.run(), name="alarms, saved")
            due = math.inf
            while True:
                await self._reminder.sleep_until(due)
                for count, _ in enumerate(self._work(), 1):
                    if count % AT_ONCE == 0:
                        await asyncio.sleep(0)
                due = min((*self._due.values(), *self._unconfirmed.values()), default=math.inf)

    def _work(self) -> Iterator[None]:
        """Everything that came in, alarm by alarm."""
        yield from self._take_reports()
        yield from self._take_changes()
        yield from self._take_availability()
        yield from self._take_time()
        # What explains others may itself be explained: links, then devices, then points.
        while self._explained:
            yield from self._suppress_explained()

    def _take_reports(self) -> Iterator[None]:
        while self._reports:
            id_ = next(iter(self._reports))
            report = self._reports.pop(id_)
            self._unconfirmed.pop(id_, None)
            alarm = self._known(id_, create=report.was_active)
            if alarm is not None:
                alarm.cause = report.cause
                is_blip = report.was_active and (not report.is_active or built_in(id_.name).is_momentary)
                if is_blip:
                    self._see(alarm, condition=True)
                self._see(alarm, condition=report.is_active and not is_blip)
            yield

    def _take_changes(self) -> Iterator[None]:
        samples = self._image.present
        while self._changed:
            point = next(iter(self._changed))
            del self._changed[point]
            for alarm in self._only_while.get(point, ()):
                self._suppress(alarm)
                yield
            for alarm in self._rules.get(point, ()):
                assert alarm.rule is not None
                self._see(alarm, condition=alarm.rule.test.holds(samples[point], held=alarm.standing.condition))
                yield

    def _take_availability(self) -> Iterator[None]:
        moved, self._other_availability = self._other_availability, set()
        if not moved:
            return
        for alarm in list(self._all.values()):
            if alarm.needs_auto and alarm.equipment in moved and alarm.id in self._all:
                self._suppress(alarm)
                yield

    def _take_time(self) -> Iterator[None]:
        now = self._clock.monotonic()
        for id_ in [id_ for id_, due in self._unconfirmed.items() if due <= now]:
            self._unconfirmed.pop(id_, None)
            if id_ in self._all:
                self._see(self._all[id_], condition=False)
            yield
        for id_ in [id_ for id_, due in self._due.items() if due <= now]:
            # A person may have acted, and the alarm be gone, since the list was made.
            alarm = self._all.get(id_)
            if self._due.pop(id_, None) is not None and alarm is not None:
                self._see(alarm, condition=alarm.standing.condition)
                self._note_due(alarm)
            yield

    def _suppress_explained(self) -> Iterator[None]:
        explained, self._explained = self._explained, set()
        for alarm in list(self._all.values()):
            if alarm.id in self._all and not explained.isdisjoint(alarm.parents):
                self._suppress(alarm)
                yield

    def _suppress(self, alarm: Alarm) -> None:
        now = self._clock.monotonic()
        after = suppressed(alarm.standing, now, by_design=self._explanations.explain(alarm))
        self.move(alarm, seen(after, alarm.behaviour, condition=after.condition, monotonic=now))

    def _see(self, alarm: Alarm, *, condition: bool) -> None:
        now, standing = self._clock.monotonic(), alarm.standing
        if condition and not (standing.is_active or standing.is_suppressed):
            standing = suppressed(standing, now, by_design=self._explanations.explain(alarm))
        self.move(alarm, seen(standing, alarm.behaviour, condition=condition, monotonic=now))

    def _known(self, id_: AlarmId, *, create: bool) -> Alarm | None:
        alarm = self._all.get(id_)
        if alarm is None and create:
            alarm = self._all[id_] = self._definitions.built_in(id_)
        return alarm

    # --- one alarm moves ------------------------------------------------------------------------------------------

    def move(self, alarm: Alarm, after: Standing, who: str = "", why: str = "") -> None:
        """Let an alarm stand otherwise, with everything that follows from it. who, why: where a person did it."""
        before, explained = alarm.standing, alarm.explains
        if after == before:
            return
        alarm.standing = after
        self.keeping.note(alarm.id)
        self._note_due(alarm)
        if alarm.explains != explained:
            self._explained.add(alarm.id)
        if after.is_active and not before.is_active:
            alarm.raised, alarm.value = self._clock.now(), self._value(alarm)
        if after.state is not before.state:
            self._tell(alarm, before.state, who, why)
        elif who:
            self._journal.note(EventKind.ALARM, alarm.id.subject, deed(alarm, before, who, why))
        if alarm.is_forgotten:
            del self._all[alarm.id]

    def _note_due(self, alarm: Alarm) -> None:
        due = alarm.standing.next_change(alarm.behaviour)
        if due == math.inf:
            self._due.pop(alarm.id, None)
        else:
            self._due[alarm.id] = due

    def _value(self, alarm: Alarm) -> Scalar | None:
        sample = self._image.present.get(PointId(alarm.id.subject))
        return None if sample is None else sample.value

    def _tell(self, alarm: Alarm, before: AlarmState, who: str, why: str) -> None:
        after = alarm.state
        if who or after not in HIDDEN:
            alarm.who, alarm.why = who, why
        if after is AlarmState.UNACKNOWLEDGED:
            alarm.told, alarm.is_silenced = None, False
        for listener in self.listeners:
            listener(alarm, before)
        if not alarm.standing.is_active or alarm.standing.is_hidden:
            alarm.told = None
        body = transition(alarm, before, who, why)
        if body is not None:
            self._journal.note(EventKind.ALARM, alarm.id.subject, body)

    # --- what survives --------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """What was known before the restart; alarms that were raised by events wait to be raised again."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for stored in await self._store.load_alarm_standings():
            id_ = AlarmId(stored.subject, stored.name)
            alarm = self._all.get(id_)
            if alarm is None and stored.is_rule:
                self.keeping.note(id_)  # its rule is gone
                continue
            alarm = alarm or self._known(id_, create=True)
            assert alarm is not None
            restore(alarm, stored, now, monotonic)
            self._note_due(alarm)
            if alarm.rule is None and alarm.standing.condition and not built_in(id_.name).is_durable:
                self._unconfirmed[id_] = monotonic + CONFIRM_WITHIN_S
            if alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
                for listener in self.listeners:
                    listener(alarm, AlarmState.NORMAL)

    def succeed(self, earlier: Alarms, anew: Collection[str]) -> None:
        """Go on where the list of an earlier configuration was. An alarm whose rule or subject is gone is over.

        anew: links that connect anew, and their devices; what was told of those waits to be told again.
        """
        for _ in earlier._work():
            pass
        now, subjects = self._clock.monotonic(), self._subjects()
        for alarm in list(earlier.all):
            present = self._all.get(alarm.id)
            if present is None and alarm.rule is not None:
                earlier.move(alarm, NORMAL)
                self.keeping.note(alarm.id)
            elif alarm.standing != NORMAL:
                self._all.setdefault(alarm.id, self._definitions.built_in(alarm.id))
                self._all[alarm.id].go_on(alarm)
                self._note_due(self._all[alarm.id])
                if alarm.rule is None and alarm.id.subject not in subjects and alarm.id.name not in ABOUT_PLACES:
                    self._unconfirmed[alarm.id] = now
                elif alarm.id.name in _OF_LINKS and alarm.id.subject in anew and alarm.standing.condition:
                    self._unconfirmed[alarm.id] = now + CONFIRM_WITHIN_S
                elif alarm.id in earlier._unconfirmed:
                    self._unconfirmed[alarm.id] = earlier._unconfirmed[alarm.id]
        self.keeping.note(*earlier.keeping.unsaved)

    def _subjects(self) -> set[str]:
        """Everything of this site that an alarm may be about."""
        site = self._site
        named = (each.id for kind in (site.systems, site.mounts) for each in kind)
        return {site.name, *map(str, site.points), *self._definitions.parents, *named}

    async def close(self) -> None:
        """Take in what letting go has told, and keep it."""
        for _ in self._work():
            pass
        await self.keeping.save_all()

    def note_told(self, alarm: Alarm, route: str, rungs: int) -> None:
        """So many rungs of a route know by now, restarts included."""
        alarm = self._all.get(alarm.id, alarm)  # told of before the configuration changed
        alarm.told = {**(alarm.told or {}), route: rungs}
        self.keeping.note(alarm.id)
