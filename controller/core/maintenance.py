"""What is to be done to equipment every so many run hours or days, and whether it is overdue. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from controller.core.run_record import HOUR_S, RunRecord
from controller.core.text import Text

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class MaintenanceTask:
    """Due when the first of its intervals is over; at least one of them is there. what: in the site's own words."""

    equipment: str
    what: str
    every_run_hours: float | None = None
    every_days: float | None = None


@dataclass(frozen=True, slots=True)
class TaskDone:
    """at: aware UTC. run_s: of the equipment, at that time."""

    at: datetime
    run_s: float
    who: str


class Due(NamedTuple):
    """What is left of each interval; negative when overdue, None where the task has no such interval."""

    run_hours: float | None
    days: float | None

    @property
    def is_over(self) -> bool:
        return any(each is not None and each < 0 for each in self)


def due(task: MaintenanceTask, done: TaskDone | None, record: RunRecord, now: datetime) -> Due:
    """What was never noted as done counts from when the equipment was first looked at."""
    begun, run_s = (record.begun, 0.0) if done is None else (done.at, done.run_s)
    hours, days = task.every_run_hours, task.every_days
    return Due(
        None if hours is None else hours - (record.run_s - run_s) / HOUR_S,
        None if days is None else days - (now - begun).total_seconds() / _DAY_S,
    )


def overdue_words(tasks: Iterable[MaintenanceTask]) -> Text:
    """They say the same for as long as the same is overdue."""
    told = [(task.what, *_every(task)) for task in tasks]
    return Text(
        "; ".join(f"{what} (every {english})" for what, english, _ in told),
        "；".join(f"{what}（每 {chinese}）" for what, _, chinese in told),
    )


def _every(task: MaintenanceTask) -> tuple[str, str]:
    english, chinese = list[str](), list[str]()
    if task.every_run_hours is not None:
        english.append(f"{task.every_run_hours:g} run hours")
        chinese.append(f"{task.every_run_hours:g} 运行小时")
    if task.every_days is not None:
        english.append(f"{task.every_days:g} days")
        chinese.append(f"{task.every_days:g} 天")
    return " or ".join(english), "或 ".join(chinese)
