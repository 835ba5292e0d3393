"""The one list of alarms: what the daemon tells and what the site's rules find, and what people do about them.

Fed by events and by changes in the image, never by the scan; it works through what came in beside the scan, a little at
a time, so that thousands of alarms at once hold nothing up.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from controller.core.alarm import (
    ANNOUNCED,
    HIDDEN,
    NORMAL,
    AlarmId,
    AlarmState,
    Behaviour,
    Standing,
    Wording,
    acknowledged,
    out_of_service,
    seen,
    shelved,
    suppressed,
    unshelved,
)
from controller.core.alarm_catalogue import (
    DEVICE_LOST,
    LINK_LOST,
    LINK_REFUSED,
    NEVER_EXPLAINED,
    STRATEGY_FAULT,
    built_in,
)
from controller.core.alarm_rule import PointRule
from controller.core.errors import EnvironmentProblem
from controller.core.event import Event, EventKind, JsonValue
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.text import NO_TEXT, Text
from controller.runtime.image import Image
from controller.runtime.journal import Journal
from controller.runtime.reminder import Reminder
from controller.runtime.store import Store, StoredAlarm

log = logging.getLogger(__name__)

# Whoever raised an alarm before a restart raises it again by then, or it is over.
CONFIRM_WITHIN_S = 300.0
# Alarms handled before others get the loop: about a millisecond.
AT_ONCE = 25
SAVE_EVERY_S = 1.0
SAVED_AT_ONCE = 50
# A long weekend: who needs longer takes the alarm out of service, or mends its rule.
LONGEST_SHELVING = timedelta(hours=72)
OURSELVES = "Tidewatt"

_STEPS = {
    AlarmState.UNACKNOWLEDGED: "active",
    AlarmState.ACKNOWLEDGED: "acknowledged",
    AlarmState.RETURNED: "returned",
    AlarmState.NORMAL: "cleared",
    AlarmState.SUPPRESSED: "suppressed",
    AlarmState.SHELVED: "shelved",
    AlarmState.OUT_OF_SERVICE: "out of service",
}


class AlarmActionRefused(Exception):
    """Why nothing is done to an alarm; told to whoever asked."""


@dataclass(slots=True)
class Alarm:
    """One row. cause: what whoever raised it told. raised: when it became active, aware UTC. value: of its point, then.
    who, why: of the person who keeps it from view or acknowledged it. told: rungs that know, by route.
    is_heard: whoever raised it writes events of its own."""

    id: AlarmId
    behaviour: Behaviour
    wording: Wording
    parents: tuple[AlarmId, ...]
    rule: PointRule | None = None
    is_heard: bool = True
    standing: Standing = NORMAL
    cause: Text = NO_TEXT
    raised: datetime | None = None
    value: Scalar | None = None
    who: str = ""
    why: str = ""
    told: dict[str, int] | None = None

    @property
    def state(self) -> AlarmState:
        return self.standing.state

    @property
    def explains(self) -> bool:
        """Whether it is the reason of what it is parent of; from the first sign on, before its own delay."""
        return self.standing.condition or self.standing.is_active

    @property
    def is_forgotten(self) -> bool:
        return self.rule is None and self.standing == NORMAL


class _Report(NamedTuple):
    """What was told of an alarm since somebody looked; was_active: at any time meanwhile."""

    is_active: bool
    was_active: bool
    cause: Text


OnChange = Callable[[Alarm, AlarmState], None]


class Alarms:
    """listeners: told each alarm that is in another state than before, and that state before."""

    def __init__(self, site: Site, clock: Clock, image: Image, journal: Journal, store: Store) -> None:
        self._site = site
        self._clock = clock
        self._image = image
        self._journal = journal
        self._store = store
        self.listeners: list[OnChange] = []
        self._parents = _parents_by_subject(site)
        self._links = {link.id for link in site.links}
        self._all: dict[AlarmId, Alarm] = {}
        self._rules: dict[PointId, list[Alarm]] = {}
        self._only_while: dict[PointId, list[Alarm]] = {}
        for rule in site.alarms.rules:
            self._add_rule(rule)
        self._reports: dict[AlarmId, _Report] = {}
        self._changed: dict[PointId, None] = {}
        self._explained: set[AlarmId] = set()
        self._due: dict[AlarmId, float] = {}
        self._unconfirmed: dict[AlarmId, float] = {}
        self._unsaved: set[AlarmId] = set()
        self._wake = asyncio.Event()
        self._to_save = asyncio.Event()
        self._is_told_of_disk = False
        journal.listeners.append(self._hear)
        image.watch({*self._rules, *self._only_while}, self._note_changed)

    @property
    def all(self) -> Collection[Alarm]:
        """Everything that is known, rules in normal state included."""
        return self._all.values()

    def _add_rule(self, rule: PointRule) -> None:
        alarm = Alarm(rule.alarm, rule.behaviour, rule.wording, self._parents.get(rule.point, ()), rule, is_heard=False)
        self._all[alarm.id] = alarm
        self._rules.setdefault(rule.point, []).append(alarm)
        if rule.only_while is not None:
            self._only_while.setdefault(rule.only_while.point, []).append(alarm)

    # --- what comes in; no work here ------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        body, subject = event.body, event.subject
        if event.kind is EventKind.ALARM:
            if "priority" not in body:  # that would be our own
                self._report(AlarmId(subject, str(body["alarm"])), body["state"] == "active", _cause(body))
        elif event.kind is EventKind.LINK and body.get("state") in ("lost", "back", "connected"):
            name = LINK_LOST if subject in self._links else DEVICE_LOST
            self._report(AlarmId(subject, name), body["state"] == "lost", _cause(body))
        elif event.kind is EventKind.STRATEGY and ("fault" in body or body.get("step") == "restarted"):
            fault = body.get("fault")
            self._report(AlarmId(subject, STRATEGY_FAULT), fault is not None, _both(fault))

    def _report(self, alarm: AlarmId, is_active: bool, cause: Text) -> None:
        before = self._reports.get(alarm)
        was_active = is_active or (before is not None and before.was_active)
        self._reports[alarm] = _Report(is_active, was_active, cause if is_active or before is None else before.cause)
        self._wake.set()

    def _note_changed(self, points: Collection[PointId]) -> None:
        self._changed.update(dict.fromkeys(points))
        self._wake.set()

    # --- at work --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        self._note_changed([*self._rules, *self._only_while])
        self._explained.update(parent for alarm in self._all.values() for parent in alarm.parents)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._save_regularly(), name="alarms, saved")
            reminder = Reminder(self._clock, tasks, "alarms", self._wake.set)
            while True:
                await self._wake.wait()
                self._wake.clear()
                for count, _ in enumerate(self._work(), 1):
                    if count % AT_ONCE == 0:
                        await asyncio.sleep(0)
                reminder.at(min((*self._due.values(), *self._unconfirmed.values()), default=math.inf))

    def _work(self) -> Iterator[None]:
        """Everything that came in, alarm by alarm."""
        yield from self._take_reports()
        yield from self._take_changes()
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
        by_design = self._is_explained(alarm) or not self._is_meant(alarm)
        after = suppressed(alarm.standing, now, by_design=by_design)
        self._move(alarm, seen(after, alarm.behaviour, condition=after.condition, monotonic=now))

    def _is_explained(self, alarm: Alarm) -> bool:
        return any(parent in self._all and self._all[parent].explains for parent in alarm.parents)

    def _is_meant(self, alarm: Alarm) -> bool:
        rule = alarm.rule
        if rule is None or rule.only_while is None:
            return True
        return rule.is_meant(self._image.present[rule.only_while.point])

    def _see(self, alarm: Alarm, *, condition: bool) -> None:
        now, standing = self._clock.monotonic(), alarm.standing
        if condition and standing == NORMAL:
            by_design = self._is_explained(alarm) or not self._is_meant(alarm)
            standing = suppressed(standing, now, by_design=by_design)
        self._move(alarm, seen(standing, alarm.behaviour, condition=condition, monotonic=now))

    def _known(self, id_: AlarmId, *, create: bool) -> Alarm | None:
        alarm = self._all.get(id_)
        if alarm is None and create:
            alarm = self._all[id_] = self._built_in(id_)
        return alarm

    def _built_in(self, id_: AlarmId) -> Alarm:
        parents = self._parents.get(id_.subject, ())
        definition = built_in(id_.name)
        alarm = Alarm(
            id_,
            definition.behaviour,
            definition.wording,
            () if id_.name in NEVER_EXPLAINED else tuple(parent for parent in parents if parent != id_),
            is_heard=id_.name not in (LINK_LOST, DEVICE_LOST, STRATEGY_FAULT),
        )
        for adjustment in self._site.alarms.adjustments:
            if adjustment.fits(id_):
                alarm.behaviour = adjustment.behaviour
                alarm.wording = _reworded(alarm.wording, adjustment.wording)
        return alarm

    # --- one alarm moves ------------------------------------------------------------------------------------------

    def _move(self, alarm: Alarm, after: Standing, who: str = "", why: str = "") -> None:
        before, explained = alarm.standing, alarm.explains
        if after == before:
            return
        alarm.standing = after
        self._unsaved.add(alarm.id)
        self._to_save.set()
        self._note_due(alarm)
        if alarm.explains != explained:
            self._explained.add(alarm.id)
        if after.is_active and not before.is_active:
            alarm.raised, alarm.value = self._clock.now(), self._value(alarm)
        if after.state is not before.state:
            self._tell(alarm, before.state, who, why)
        elif who:
            self._note_deed(alarm, before, who, why)
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
            alarm.told = None
        for listener in self.listeners:
            listener(alarm, before)
        if not alarm.standing.is_active or alarm.standing.is_hidden:
            alarm.told = None
        told_already = alarm.is_heard and {before, after} == {AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED}
        is_of_interest = before in ANNOUNCED or after in ANNOUNCED or bool(who)
        if told_already or not is_of_interest:
            return
        body: dict[str, JsonValue] = {
            "alarm": alarm.id.name,
            "state": "acknowledged" if who and before is AlarmState.RETURNED else _STEPS[after],
            "priority": alarm.behaviour.priority.name.lower(),
        }
        if who:
            body |= {"who": who, "why": why}
        if after is AlarmState.UNACKNOWLEDGED:
            said = alarm.cause if alarm.cause.en else alarm.wording.wrong
            body |= {"reason": said.en, "reason_zh": said.zh}
        self._journal.note(EventKind.ALARM, alarm.id.subject, body)

    def _note_deed(self, alarm: Alarm, before: Standing, who: str, why: str) -> None:
        """What somebody did shows nowhere in the list (it is shelved or out of service), but it was done."""
        after = alarm.standing
        deed = "shelved"
        if after.is_out_of_service != before.is_out_of_service:
            deed = "out of service" if after.is_out_of_service else "into service"
        elif after.shelved_until is None and before.shelved_until is not None:
            deed = "unshelved"
        elif after.is_acknowledged != before.is_acknowledged:
            deed = "acknowledged"
        priority = alarm.behaviour.priority.name.lower()
        body = {"alarm": alarm.id.name, "state": deed, "priority": priority, "who": who, "why": why}
        self._journal.note(EventKind.ALARM, alarm.id.subject, body)

    # --- what people do -------------------------------------------------------------------------------------------

    def get(self, id_: AlarmId) -> Alarm | None:
        return self._all.get(id_)

    async def acknowledge(self, name: str, who: str) -> Alarm:
        """Somebody has seen the alarm. Raises AlarmActionRefused where there is nothing to acknowledge."""
        alarm = self._called(name)
        if alarm.standing.is_acknowledged:
            raise AlarmActionRefused(f"{name} is {_words(alarm.state)}; there is nothing to acknowledge")
        return await self._act(alarm, acknowledged(alarm.standing), who, "")

    async def acknowledge_all(self, who: str) -> list[Alarm]:
        waiting = [alarm for alarm in self._all.values() if not alarm.standing.is_acknowledged]
        for alarm in waiting:
            self._move(alarm, acknowledged(alarm.standing), who)
        await self._save_all()
        return waiting

    async def shelve(self, name: str, lasting: timedelta, who: str, why: str) -> Alarm:
        """Keep an alarm from view for a time. Raises AlarmActionRefused."""
        alarm = self._called(name)
        if not timedelta(0) < lasting <= LONGEST_SHELVING:
            hours = LONGEST_SHELVING.total_seconds() / 3600
            raise AlarmActionRefused(f"shelving needs an end, at most {hours:g} h from now, such as --for 2h")
        _require_reason(why)
        until = self._clock.monotonic() + lasting.total_seconds()
        return await self._act(alarm, shelved(alarm.standing, until), who, why)

    async def unshelve(self, name: str, who: str) -> Alarm:
        alarm = self._called(name)
        if alarm.standing.shelved_until is None:
            raise AlarmActionRefused(f"{name} is not shelved")
        return await self._act(alarm, unshelved(alarm.standing), who, "")

    async def take_out_of_service(self, name: str, who: str, why: str) -> Alarm:
        """For maintenance, until somebody puts it back. Raises AlarmActionRefused."""
        _require_reason(why)
        alarm = self._called(name)
        return await self._act(alarm, out_of_service(alarm.standing, is_out=True), who, why)

    async def put_into_service(self, name: str, who: str) -> Alarm:
        alarm = self._called(name)
        if not alarm.standing.is_out_of_service:
            raise AlarmActionRefused(f"{name} is in service")
        return await self._act(alarm, out_of_service(alarm.standing, is_out=False), who, "")

    def _called(self, name: str) -> Alarm:
        for alarm in self._all.values():
            if str(alarm.id) == name:
                return alarm
        raise AlarmActionRefused(f"there is no alarm {name!r} in the list; see: tidewatt alarms SITE list --all")

    async def _act(self, alarm: Alarm, after: Standing, who: str, why: str) -> Alarm:
        """Durable before whoever asked gets an answer."""
        self._move(alarm, after, who, why)
        self._wake.set()
        if not await self._save([alarm.id]):
            raise AlarmActionRefused(f"{alarm.id}: done, but the disk did not take it; a restart now would forget it")
        return alarm

    # --- what survives --------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """What was known before the restart; alarms that were raised by events wait to be raised again."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for stored in await self._store.load_alarm_standings():
            id_ = AlarmId(stored.subject, stored.name)
            alarm = self._all.get(id_)
            if alarm is None and stored.is_rule:
                self._unsaved.add(id_)  # its rule is gone
                self._to_save.set()
                continue
            alarm = alarm or self._known(id_, create=True)
            assert alarm is not None
            _restored(alarm, stored, now, monotonic)
            self._note_due(alarm)
            if alarm.rule is None and alarm.standing.condition and not built_in(id_.name).is_durable:
                self._unconfirmed[id_] = monotonic + CONFIRM_WITHIN_S
            if alarm.state is AlarmState.UNACKNOWLEDGED:
                for listener in self.listeners:
                    listener(alarm, AlarmState.NORMAL)

    def succeed(self, earlier: Alarms) -> None:
        """Go on where the list of an earlier configuration was. An alarm whose rule or subject is gone is over; what
        links and devices have told waits to be told again, since they connect anew."""
        for _ in earlier._work():
            pass
        now, subjects = self._clock.monotonic(), self._subjects()
        for alarm in list(earlier.all):
            present = self._all.get(alarm.id)
            if present is None and alarm.rule is not None:
                earlier._move(alarm, NORMAL)
                self._unsaved.add(alarm.id)
            elif alarm.standing != NORMAL:
                self._all.setdefault(alarm.id, self._built_in(alarm.id))
                self._go_on(alarm, self._all[alarm.id])
                if alarm.rule is None and alarm.id.subject not in subjects:
                    self._unconfirmed[alarm.id] = now
                elif alarm.id.name in (LINK_LOST, DEVICE_LOST, LINK_REFUSED) and alarm.standing.condition:
                    self._unconfirmed[alarm.id] = now + CONFIRM_WITHIN_S
                elif alarm.id in earlier._unconfirmed:
                    self._unconfirmed[alarm.id] = earlier._unconfirmed[alarm.id]
        self._unsaved |= earlier._unsaved
        self._to_save.set()

    def _go_on(self, before: Alarm, alarm: Alarm) -> None:
        alarm.standing, alarm.cause, alarm.raised = before.standing, before.cause, before.raised
        alarm.value, alarm.who, alarm.why, alarm.told = before.value, before.who, before.why, before.told
        self._note_due(alarm)

    def _subjects(self) -> set[str]:
        """Everything of this site that an alarm may be about."""
        site = self._site
        named = (each.id for kind in (site.systems, site.mounts) for each in kind)
        return {site.name, *map(str, site.points), *self._parents, *named}

    async def close(self) -> None:
        """Take in what letting go has told, and keep it."""
        for _ in self._work():
            pass
        await self._save_all()

    async def _save_regularly(self) -> None:
        while True:
            await self._to_save.wait()
            self._to_save.clear()
            await self._save_all()
            await asyncio.sleep(SAVE_EVERY_S)

    async def _save_all(self) -> None:
        while self._unsaved:
            if not await self._save([*islice(self._unsaved, SAVED_AT_ONCE)]):
                return

    async def _save(self, ids: Collection[AlarmId]) -> bool:
        """Whether the store took them. Control goes on without a disk; they are saved once it is back."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._unsaved.difference_update(ids)
        kept = [self._all[id_] for id_ in ids if id_ in self._all and self._all[id_].standing != NORMAL]
        gone = set(ids) - {alarm.id for alarm in kept}
        try:
            await self._store.save_alarm_standings([_stored(each, now, monotonic) for each in kept], list(gone))
        except EnvironmentProblem as error:
            self._unsaved.update(ids)
            self._to_save.set()
            if not self._is_told_of_disk:
                self._is_told_of_disk = True
                log.warning("the states of %d alarms could not be stored: %s", len(self._unsaved), error)
            return False
        self._is_told_of_disk = False
        return True

    def note_told(self, alarm: Alarm, route: str, rungs: int) -> None:
        """So many rungs of a route know by now, restarts included."""
        alarm = self._all.get(alarm.id, alarm)  # told of before the configuration changed
        alarm.told = {**(alarm.told or {}), route: rungs}
        self._unsaved.add(alarm.id)
        self._to_save.set()


def _parents_by_subject(site: Site) -> Mapping[str, tuple[AlarmId, ...]]:
    """What explains the alarms of a point, device or link: its device is lost, its link is, it is refused."""
    parents: dict[str, tuple[AlarmId, ...]] = {}
    for link in site.links:
        of_link = (AlarmId(link.id, LINK_LOST), AlarmId(link.id, LINK_REFUSED))
        parents[link.id] = of_link
        for device in link.devices:
            parents[device.id] = of_link
            parents.update({point: (AlarmId(device.id, DEVICE_LOST), *of_link) for point in device.points})
    return parents


def _reworded(wording: Wording, other: Wording) -> Wording:
    wording = replace(wording, wrong=other.wrong) if other.wrong.en else wording
    return replace(wording, advice=other.advice) if other.advice.en else wording


def _both(said: JsonValue) -> Text:
    return NO_TEXT if said is None else Text(str(said), str(said))


def _cause(body: Mapping[str, JsonValue]) -> Text:
    if "reason" in body:
        return Text(str(body["reason"]), str(body.get("reason_zh", body["reason"])))
    return _both(body.get("cause"))


def _words(state: AlarmState) -> str:
    return state.value.replace("_", " ")


def _require_reason(why: str) -> None:
    if not why:
        raise AlarmActionRefused("say why, such as --reason 'pump is being serviced'")


# --- to and from the store ----------------------------------------------------------------------------------------


def _stored(alarm: Alarm, now: datetime, monotonic: float) -> StoredAlarm:
    standing = alarm.standing
    content: dict[str, Any] = {
        "condition": standing.condition,
        "active": standing.is_active,
        "acknowledged": standing.is_acknowledged,
        "changing_for_s": None if standing.changing_since is None else monotonic - standing.changing_since,
        "shelved_for_s": None if standing.shelved_until is None else standing.shelved_until - monotonic,
        "out_of_service": standing.is_out_of_service,
        "cause": list(alarm.cause),
        "raised": None if alarm.raised is None else alarm.raised.isoformat(),
        "value": alarm.value,
        "who": alarm.who,
        "why": alarm.why,
        "told": alarm.told,
    }
    return StoredAlarm(alarm.id.subject, alarm.id.name, alarm.rule is not None, now, content)


def _restored(alarm: Alarm, stored: StoredAlarm, now: datetime, monotonic: float) -> None:
    """Delays and shelving have their remaining time; a wall clock that was set back makes nothing longer."""
    content = stored.content
    elapsed = max(0.0, (now - stored.saved).total_seconds())
    changing, shelf = content["changing_for_s"], content["shelved_for_s"]
    alarm.standing = Standing(
        condition=content["condition"],
        is_active=content["active"],
        is_acknowledged=content["acknowledged"],
        changing_since=None if changing is None else monotonic - changing - elapsed,
        shelved_until=None if shelf is None else monotonic + shelf - elapsed,
        is_out_of_service=content["out_of_service"],
    )
    alarm.cause = Text(*content["cause"])
    alarm.raised = None if content["raised"] is None else datetime.fromisoformat(content["raised"])
    alarm.value, alarm.who, alarm.why = content["value"], content["who"], content["why"]
    alarm.told = content["told"]
