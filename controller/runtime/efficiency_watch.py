"""Compares every chiller with itself when it was clean: once a night, from history, never in the scan.

Whatever fails costs the comparison alone; the next night looks at what is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from controller.core.alarm_catalogue import CONDENSER_FOULED, EFFICIENCY_DRIFTING
from controller.core.clean_baseline import CleanBaseline, OperatingHour, clean_baseline
from controller.core.equipment_log import CleanPeriod
from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.event import EventKind, JsonValue
from controller.core.machine_condition import LOOKED_AT, Condition, advice, condition
from controller.core.operating_hours import QUANTITIES, can_be_compared, operating_hours
from controller.core.point import PointId
from controller.core.ports import Aggregate, Clock, Historian, HistoryInterval
from controller.core.site import Site
from controller.core.state_codec import decode, encode
from controller.core.text import Text
from controller.runtime.equipment_log import EquipmentLog
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from controller.runtime.stored import StoredEquipment
from controller.runtime.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

# After the night's tidying of history, before people come.
COMPARE_AT: dict[str, int | str] = {"hour": 4, "minute": 50}
# A machine that nobody called clean is taken for it in its first weeks: so many hours, and so long.
HOURS_TO_LEARN = 200
LEARNS_FOR = timedelta(days=14)
MOST_HOURS = 672
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_FIT_WITHIN_S = 60.0
_PART = "efficiency"


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives a restart. until: up to where history was looked at. hours: to be learnt from, or the last days."""

    until: datetime
    hours: tuple[OperatingHour, ...] = ()
    baseline: CleanBaseline | None = None


@dataclass(slots=True)
class Compared:
    """One chiller. points: by quantity, those that it has. trouble: why there is nothing new, "" if there is."""

    id: str
    points: Mapping[str, PointId]
    clean: CleanPeriod | None
    kept: Kept | None = None
    condition: Condition | None = None
    trouble: str = ""

    def advice(self, currency: str | None) -> Text | None:
        return None if self.condition is None else advice(self.condition, currency)


class EfficiencyWatch:
    def __init__(
        self,
        site: Site,
        clock: Clock,
        historian: Historian,
        store: Store,
        workers: Workers,
        journal: Journal,
        equipment_log: EquipmentLog,
    ) -> None:
        self._site = site
        self._clock = clock
        self._historian = historian
        self._store = store
        self._workers = workers
        self._journal = journal
        self._log = equipment_log
        self.currency = None if site.tariff is None else site.tariff.currency
        self.all: dict[str, Compared] = {}
        for id_, logged in equipment_log.all.items():
            points = {name: PointId(f"{id_}.{name}") for name in QUANTITIES if f"{id_}.{name}" in site.points}
            if logged.equipment_class == "chiller" and can_be_compared(points):
                self.all[id_] = Compared(id_, points, site.equipment_log.clean.get(id_))

    async def restore(self) -> None:
        for stored in await self._store.load_equipment():
            each = self.all.get(stored.equipment)
            if each is None or stored.part != _PART:
                continue
            try:
                each.kept = decode(Kept, stored.content)
            except ValueError as error:
                log.warning("%s learns its clean baseline anew: %s", each.id, error)
                continue
            self._judge(each)

    async def compare(self) -> None:
        """All chillers, with the hours since the last time."""
        now = self._clock.now().replace(minute=0, second=0, microsecond=0)
        for each in self.all.values():
            try:
                await self._compare(each, now)
            except (HistorianError, WorkerFailed, EnvironmentProblem) as error:
                if not each.trouble:
                    log.warning("%s is not compared with its clean baseline: %s", each.id, error)
                each.trouble = str(error)
            else:
                each.trouble = ""

    # --- one chiller ----------------------------------------------------------------------------------------------

    async def _compare(self, each: Compared, until: datetime) -> None:
        kept = each.kept or Kept(until - LEARNS_FOR)
        hours = (*kept.hours, *await self._hours(each, max(kept.until, until - LEARNS_FOR), until))
        baseline = kept.baseline if kept.baseline is not None and _is_meant(kept.baseline, each.clean) else None
        if baseline is None:
            baseline = await self._learn(each, hours, until)
        hours = hours[-MOST_HOURS:] if baseline is None else _since(hours, until - LOOKED_AT)
        each.kept = Kept(until, tuple(hours), baseline)
        self._judge(each)
        self._tell(each)
        await self._store.save_equipment([StoredEquipment(each.id, _PART, self._clock.now(), encode(each.kept))])

    def _judge(self, each: Compared) -> None:
        kept = each.kept
        if kept is None or kept.baseline is None:
            each.condition = None
            return
        was_told = any(self._log.is_told(each.id, alarm) for alarm in (CONDENSER_FOULED, EFFICIENCY_DRIFTING))
        hours = _since(kept.hours, kept.until - LOOKED_AT)
        each.condition = condition(kept.baseline, hours, self._site.tariff, was_told=was_told)

    async def _learn(self, each: Compared, hours: Sequence[OperatingHour], until: datetime) -> CleanBaseline | None:
        """A baseline where there is enough to learn it from; what takes a tenth of a second is done by the worker."""
        zone, clean = self._site.zone, each.clean
        if clean is not None:
            start, end = (datetime.combine(day, time(), zone) for day in (clean.first, clean.last + _DAY))
            if until < end:
                return None
            hours = await self._hours(each, start, end)
            lesson = Lesson(tuple(hours), clean.first, clean.last, declared=True)
        elif _is_enough(hours):
            first, last = (each.start.astimezone(zone).date() for each in (hours[0], hours[-1]))
            lesson = Lesson(tuple(hours), first, last, declared=False)
        else:
            return None
        baseline: CleanBaseline | None = await self._workers.run(learn, lesson, _FIT_WITHIN_S)
        if baseline is not None:
            self._note_learnt(each, baseline)
        return baseline

    async def _hours(self, each: Compared, start: datetime, end: datetime) -> list[OperatingHour]:
        """Those through which it ran. A day at a time: no question keeps the history's thread for long."""
        found: list[OperatingHour] = []
        while start < end:
            until = min(start + _DAY, end)
            read: dict[str, Sequence[Aggregate]] = {}
            for quantity, point in each.points.items():
                read[quantity] = await self._historian.read_aggregates(
                    point, start - _HOUR, until, HistoryInterval.HOUR
                )
            found += [hour for hour in operating_hours(read) if start <= hour.start < until]
            start = until
        return found

    # --- telling --------------------------------------------------------------------------------------------------

    def _tell(self, each: Compared) -> None:
        found = each.condition
        if found is None or (found.power is None and found.approach is None):
            return  # nothing new is known: what was told stands
        words = each.advice(self.currency)
        is_fouled, is_wasteful = found.is_fouled, found.is_wasteful
        self._log.tell(each.id, CONDENSER_FOULED, words if is_fouled else None, renewed=False)
        drifting = words if is_wasteful and not is_fouled else None
        self._log.tell(each.id, EFFICIENCY_DRIFTING, drifting, renewed=False)
        self._note(each, "compared", words or Text("runs as it did when it was clean", "运行状况与清洁时相同"), found)

    def _note_learnt(self, each: Compared, baseline: CleanBaseline) -> None:
        days = f"{baseline.first}..{baseline.last}"
        words = Text(
            f"clean baseline learnt from {baseline.hours} hours, {days}",
            f"已由 {baseline.hours} 小时（{days}）学得清洁基线",
        )
        self._note(each, "baseline learnt", words, baseline)

    def _note(self, each: Compared, step: str, words: Text, figures: Condition | CleanBaseline) -> None:
        body: dict[str, JsonValue] = {"step": step, "reason": words.en, "reason_zh": words.zh}
        self._journal.note(EventKind.EQUIPMENT, each.id, {**body, "figures": encode(figures)})


def _is_meant(baseline: CleanBaseline, clean: CleanPeriod | None) -> bool:
    """Whether it is of the dates that the site names, or of none where it names none."""
    if clean is None:
        return not baseline.declared
    return baseline.declared and (baseline.first, baseline.last) == clean


def _is_enough(hours: Sequence[OperatingHour]) -> bool:
    if len(hours) >= MOST_HOURS:
        return True
    return len(hours) >= HOURS_TO_LEARN and hours[-1].start - hours[0].start >= LEARNS_FOR


def _since(hours: Iterable[OperatingHour], start: datetime) -> list[OperatingHour]:
    return [each for each in hours if each.start >= start]


# --- in the worker process


class Lesson(NamedTuple):
    hours: tuple[OperatingHour, ...]
    first: date
    last: date
    declared: bool


def learn(lesson: Lesson) -> CleanBaseline | None:
    return clean_baseline(lesson.hours, lesson.first, lesson.last, declared=lesson.declared)
