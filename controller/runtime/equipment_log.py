"""The equipment log at work: counts run hours and starts, and tells short cycling and overdue maintenance.

A change of a status is taken in where it comes in; everything else (saving, showing, looking at limits) is done once a
minute beside the scan. Time is credited to a machine where somebody leans on it: counters and maintenance do.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.core.alarm_catalogue import CONDENSER_FOULED, EFFICIENCY_DRIFTING, MAINTENANCE_OVERDUE, SHORT_CYCLING
from controller.core.equipment_log import RUN_TIME, RUN_TIME_STEP_S, STARTS, logged_equipment
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.maintenance import MaintenanceTask, TaskDone, due, overdue_words
from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.run_record import HOUR_S, RunRecord, accounted, after_absence, seen, up_to_date
from controller.core.sample import Scalar, good
from controller.core.short_cycling import LIMITS_BY_CLASS, CyclingLimits, short_cycling
from controller.core.site import Site
from controller.core.state_codec import decode, encode
from controller.core.text import Text
from controller.runtime.image import Image
from controller.runtime.journal import Journal
from controller.runtime.reminder import Reminder
from controller.runtime.store import Store
from controller.runtime.stored import StoredEquipment

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
# Of the wire's time, which a fast simulation does not hurry: disks wear. A crash makes so much run time unknown; a
# start is saved sooner.
SAVE_EVERY_S = 60.0
SAVE_START_WITHIN_S = 5.0
_RUNNING, _DONE = "running", "done"
_ALARMS = (SHORT_CYCLING, MAINTENANCE_OVERDUE, CONDENSER_FOULED, EFFICIENCY_DRIFTING)


class MaintenanceRefused(Exception):
    """Why nothing is noted as done; told to whoever asked."""


@dataclass(slots=True)
class Logged:
    """One equipment. counters: points by which strategies see it, where the machine has no meters of its own."""

    id: str
    equipment_class: str
    status: PointId
    limits: CyclingLimits | None
    tasks: tuple[MaintenanceTask, ...]
    counters: Mapping[str, PointId]
    record: RunRecord
    done: dict[str, TaskDone] = field(default_factory=dict[str, TaskDone])


class EquipmentLog:
    def __init__(self, site: Site, clock: Clock, image: Image, journal: Journal, store: Store) -> None:
        self._clock = clock
        self._image = image
        self._journal = journal
        self._store = store
        self._alarms: dict[tuple[str, str], Text | None] = {}
        self._unsaved_alarms: set[tuple[str, str]] = set()
        self._reminder = Reminder(clock, "equipment log")
        self._has_news = False
        self._saved_at = -math.inf
        self._is_told_of_disk = False
        self._is_restored = False
        self.all: dict[str, Logged] = {
            id_: _logged(site, id_, status, RunRecord(clock.now(), clock.monotonic()))
            for id_, status in logged_equipment(site.equipment, site.points).items()
        }
        self._leant_on = [each for each in self.all.values() if each.counters or each.tasks]
        self._by_status = {each.status: each for each in self.all.values()}
        image.watch(self._by_status, self._note_changed)

    def _note_changed(self, points: Collection[PointId]) -> None:
        present = self._image.present
        for point in points:
            each = self._by_status[point]
            before, each.record = each.record, seen(each.record, present[point])
            if each.record.starts != before.starts or each.record.is_running is not before.is_running:
                self._has_news = True
                self._reminder.stir()

    # --- at work --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            self._look()
            await self._save_if_due()
            within = SAVE_START_WITHIN_S if self._has_news else None
            await self._reminder.sleep_until(self._clock.monotonic() + LOOK_EVERY_S, within)

    def _look(self) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._account(self._leant_on)
        for each in self.all.values():
            cycling = None if each.limits is None else short_cycling(each.record, each.limits, monotonic)
            overdue = _overdue(each, now) if each.tasks else None
            if cycling or overdue or self._alarms:
                self.tell(each.id, SHORT_CYCLING, cycling)
                self.tell(each.id, MAINTENANCE_OVERDUE, overdue)
        self._show_counters()

    def _account(self, machines: Collection[Logged]) -> None:
        """Bring their records to the present."""
        present, monotonic = self._image.present, self._clock.monotonic()
        for each in machines:
            each.record = up_to_date(each.record, present[each.status], monotonic)

    def _show_counters(self) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        shown: dict[PointId, Scalar] = {}
        for each in self._leant_on:
            values = {
                RUN_TIME: each.record.run_s // RUN_TIME_STEP_S * RUN_TIME_STEP_S,
                STARTS: each.record.starts,
            }
            shown.update({point: values[quantity] for quantity, point in each.counters.items()})
        if shown:
            self._image.put({point: good(value, now, monotonic) for point, value in shown.items()})

    def is_told(self, equipment: str, alarm: str) -> bool:
        return (equipment, alarm) in self._alarms

    def tell(self, equipment: str, alarm: str, words: Text | None, *, renewed: bool = True) -> None:
        """Once; where it is `renewed`, again with other words. Of what an earlier run told only the name is known."""
        key = (equipment, alarm)
        is_told = key in self._alarms
        if words is None and not is_told:
            return
        told = self._alarms.pop(key, None)
        if words is not None:
            self._alarms[key] = words
        if words is not None and is_told and (told in (None, words) or not renewed):
            return
        self._unsaved_alarms.add(key)
        body: dict[str, JsonValue] = {"alarm": alarm, "state": "cleared" if words is None else "active"}
        if words is not None:
            body |= {"reason": words.en, "reason_zh": words.zh}
        self._journal.note(EventKind.ALARM, equipment, body)

    # --- what people do -------------------------------------------------------------------------------------------

    async def note_done(self, equipment: str, what: str, who: str) -> Logged:
        """A task was done: its intervals begin anew. Raises MaintenanceRefused; EnvironmentProblem without a disk."""
        each = self.all.get(equipment)
        if each is None:
            raise MaintenanceRefused(f"there is no {equipment!r} in the log; there are {', '.join(self.all)}")
        task = _task_called(each, what)
        self._look()
        done = TaskDone(self._clock.now(), each.record.run_s, who)
        after = {**each.done, task.what: done}
        await self._store.save_equipment(
            [self._stored(each.id, _DONE, {what: encode(it) for what, it in after.items()})]
        )
        each.done = after
        hours = done.run_s / HOUR_S
        self._journal.note(
            EventKind.EQUIPMENT,
            each.id,
            {
                "step": "maintenance done",
                "what": task.what,
                "who": who,
                "run_hours": round(hours, 1),
                "reason": f"{task.what}: done by {who} at {hours:.1f} run hours",
                "reason_zh": f"{task.what}：{who} 已完成，运行 {hours:.1f} 小时",
            },
        )
        self._look()
        return each

    # --- what survives --------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """What earlier runs have counted; the time since the last saving is unknown. Shown before the first scan."""
        for stored in await self._store.load_equipment():
            each = self.all.get(stored.equipment)
            if each is None:
                continue  # kept in the store: it may come back
            try:
                self._restore_part(each, stored)
            except ValueError as error:
                log.warning("%s begins its log anew: %s", stored.equipment, error)
        self._alarms = dict.fromkeys((each for each in await self._store.load_alarms() if each[1] in _ALARMS), None)
        for equipment, alarm in [*self._alarms]:
            if equipment not in self.all:
                self.tell(equipment, alarm, None)
        self._is_restored = True
        for each in self.all.values():
            each.record = accounted(each.record, self._clock.monotonic())
        self._show_counters()

    def succeed(self, earlier: EquipmentLog) -> None:
        """Go on counting what an earlier configuration counted at the same status."""
        earlier._account(earlier.all.values())
        for each in self.all.values():
            before = earlier.all.get(each.id)
            if before is not None and before.status == each.status:
                each.record, each.done = before.record, before.done
        self._alarms.update({key: words for key, words in earlier._alarms.items() if key[0] in self.all})
        self._unsaved_alarms |= earlier._unsaved_alarms
        self._has_news, self._saved_at = earlier._has_news, earlier._saved_at
        self._show_counters()

    def _restore_part(self, each: Logged, stored: StoredEquipment) -> None:
        content: Any = stored.content
        if stored.part == _DONE:
            each.done = {what: decode(TaskDone, done) for what, done in content.items()}
        elif stored.part == _RUNNING:
            record = decode(RunRecord, content["record"])
            absent = (self._clock.now() - stored.saved).total_seconds()
            each.record = after_absence(record, absent, content["monotonic"], self._clock.monotonic())

    async def close(self) -> None:
        self._look()
        await self._save()

    async def _save_if_due(self) -> None:
        waited = self._clock.wire_time() - self._saved_at
        if waited >= SAVE_EVERY_S or (self._has_news and waited >= SAVE_START_WITHIN_S):
            await self._save()

    async def _save(self) -> None:
        """Control goes on without a disk; it is tried again."""
        if not self._is_restored:
            return  # nothing that is stored may be overwritten by what begins at nought
        self._saved_at, self._has_news = self._clock.wire_time(), False
        monotonic = self._clock.monotonic()
        alarms = set(self._unsaved_alarms)
        self._account(self.all.values())
        try:
            await self._store.save_equipment(
                [
                    self._stored(each.id, _RUNNING, {"record": encode(each.record), "monotonic": monotonic})
                    for each in self.all.values()
                ]
            )
            for equipment, alarm in alarms:
                await self._store.save_alarm(equipment, alarm, active=(equipment, alarm) in self._alarms)
        except EnvironmentProblem as error:
            if not self._is_told_of_disk:
                log.warning("run hours are counted and not saved: %s", error)
            self._is_told_of_disk = True
            return
        self._unsaved_alarms -= alarms
        self._is_told_of_disk = False

    def _stored(self, equipment: str, part: str, content: JsonValue) -> StoredEquipment:
        return StoredEquipment(equipment, part, self._clock.now(), content)


def _logged(site: Site, id_: str, status: PointId, record: RunRecord) -> Logged:
    its_class, said = site.equipment[id_], site.equipment_log
    wired = {binding.point.id for link in site.links for binding in link.bindings}
    points = {quantity: PointId(f"{id_}.{quantity}") for quantity in (RUN_TIME, STARTS)}
    return Logged(
        id_,
        its_class,
        status,
        said.limits.get(id_, LIMITS_BY_CLASS.get(its_class)),
        tuple(task for task in said.tasks if task.equipment == id_),
        {quantity: point for quantity, point in points.items() if point in site.points and point not in wired},
        record,
    )


def _overdue(each: Logged, now: datetime) -> Text | None:
    tasks = [task for task in each.tasks if due(task, each.done.get(task.what), each.record, now).is_over]
    return overdue_words(tasks) if tasks else None


def _task_called(each: Logged, what: str) -> MaintenanceTask:
    """The task of that name; without a name the only one."""
    fitting: Sequence[MaintenanceTask] = [task for task in each.tasks if not what or task.what == what]
    if len(fitting) == 1:
        return fitting[0]
    if not each.tasks:
        raise MaintenanceRefused(f"site.yaml names no maintenance of {each.id}")
    names = ", ".join(f"'{task.what}'" for task in each.tasks)
    if not what:
        raise MaintenanceRefused(f"{each.id} has several tasks; say which with --what: {names}")
    raise MaintenanceRefused(f"{each.id} has no task {what!r}; there are {names}")
