"""The equipment log as plain JSON, the same for the command line and the page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from controller.core.event import JsonValue
from controller.core.machine_condition import PowerNow
from controller.core.maintenance import MaintenanceTask, due
from controller.core.run_record import HOUR_S, up_to_date
from controller.core.short_cycling import short_cycling, starts_in_last_hour
from controller.core.state_codec import encode
from controller.runtime.daemon import Daemon
from controller.runtime.efficiency_watch import HOURS_TO_LEARN
from controller.runtime.equipment_log import Logged
from controller.runtime.shown import Json, text


def rows(daemon: Daemon, only: str | None = None) -> Json:
    """Everything that is logged, or one equipment of it."""
    logged = [each for each in daemon.equipment_log.all.values() if only in (None, each.id)]
    return {
        "now": daemon.clock.now().isoformat(),
        "time_zone": str(daemon.site.zone),
        "equipment": [_row(daemon, each) for each in logged],
    }


def _row(daemon: Daemon, each: Logged) -> Json:
    """Hours: seen running, seen off, and seen by nobody, since the log began. is_running: None where not known."""
    now, monotonic = daemon.clock.now(), daemon.clock.monotonic()
    record = up_to_date(each.record, daemon.image.present[each.status], monotonic)
    cycling = None if each.limits is None else short_cycling(record, each.limits, monotonic)
    return {
        "id": each.id,
        "class": each.equipment_class,
        "is_running": record.is_running if record.is_known else None,
        "log_began": record.begun.isoformat(),
        "run_hours": _hours(record.run_s),
        "off_hours": _hours(record.off_s),
        "unknown_hours": _hours(record.unknown_s),
        "starts": record.starts,
        "starts_last_hour": starts_in_last_hour(record, monotonic),
        "last_start": _instant(record.last_start),
        "last_stop": _instant(record.last_stop),
        "limits": None
        if each.limits is None
        else {
            "starts_per_hour": each.limits.starts_per_hour,
            "shortest_run_s": each.limits.shortest_run.total_seconds(),
        },
        "short_cycling": None if cycling is None else text(cycling),
        "efficiency": _efficiency(daemon, each.id),
        "maintenance": [_task(each, task, now) for task in each.tasks],
    }


def _efficiency(daemon: Daemon, equipment: str) -> Json | None:
    """A chiller beside itself when it was clean; None for what cannot be compared. advice: None where it is as clean.

    baseline: None while it is learnt, from hours_known. power, approach: None where not measured, or too few hours of
    the last days are like those of the baseline.
    """
    each = daemon.efficiency.all.get(equipment)
    if each is None:
        return None
    kept, found = each.kept, each.condition
    baseline = None if kept is None else kept.baseline
    words = each.advice(daemon.efficiency.currency)
    return {
        "hours_known": 0 if kept is None else len(kept.hours),
        "hours_to_learn": HOURS_TO_LEARN,
        "compared_until": None if kept is None else kept.until.isoformat(),
        "baseline": None
        if baseline is None
        else {
            "first": baseline.first.isoformat(),
            "last": baseline.last.isoformat(),
            "is_declared": baseline.declared,
            "hours": baseline.hours,
        },
        "power": None if found is None or found.power is None else _power(found.power, daemon.efficiency.currency),
        "approach": None if found is None or found.approach is None else encode(found.approach),
        "is_fouled": found is not None and found.is_fouled,
        "is_drifting": found is not None and found.is_wasteful,
        "advice": None if words is None else text(words),
        "trouble": each.trouble,
    }


def _power(power: PowerNow, currency: str | None) -> JsonValue:
    kw_per_rt = {"kw_per_rt": power.kw_per_rt, "clean_kw_per_rt": power.clean_kw_per_rt}
    return {**asdict(power), **kw_per_rt, "currency": currency}


def _task(each: Logged, task: MaintenanceTask, now: datetime) -> Json:
    done = each.done.get(task.what)
    left = due(task, done, each.record, now)
    return {
        "what": task.what,
        "every_run_hours": task.every_run_hours,
        "every_days": task.every_days,
        "done": None if done is None else done.at.isoformat(),
        "done_by": None if done is None else done.who,
        "run_hours_left": None if left.run_hours is None else round(left.run_hours, 1),
        "days_left": None if left.days is None else round(left.days, 1),
        "is_overdue": left.is_over,
    }


def _hours(seconds: float) -> float:
    return round(seconds / HOUR_S, 2)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
