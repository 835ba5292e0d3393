"""Equipment that starts too often or runs too shortly. Pure.

Defaults by class. Starts: NEMA MG 10-2001, allowable starts per hour of design A and B motors; of four poles, 6.3 at
60 hp and 3.7 at 250 hp. A pump or fan is held to the former, a chiller to half of the latter, because its oil and
refrigerant need longer than its motor (our own rule, as are the shortest runs). The maker's sheet goes before; a site
says it in site.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from controller.core.run_record import HOUR_S, RunRecord
from controller.core.text import Text


class CyclingLimits(NamedTuple):
    """starts_per_hour: the most that are allowed. shortest_run: what ends sooner was too short."""

    starts_per_hour: int
    shortest_run: timedelta


LIMITS_BY_CLASS: Mapping[str, CyclingLimits] = MappingProxyType(
    {
        "chiller": CyclingLimits(2, timedelta(minutes=10)),
        "pump": CyclingLimits(6, timedelta(minutes=2)),
        "cooling_tower": CyclingLimits(6, timedelta(minutes=2)),
        "fan": CyclingLimits(6, timedelta(minutes=2)),
        "air_handler": CyclingLimits(6, timedelta(minutes=5)),
    }
)


def starts_in_last_hour(record: RunRecord, monotonic: float) -> int:
    return sum(each > monotonic - HOUR_S for each in record.recent_starts)


def short_cycling(record: RunRecord, limits: CyclingLimits, monotonic: float) -> Text | None:
    """What is wrong, if anything was within the last hour."""
    since = monotonic - HOUR_S
    has_started = bool(record.recent_starts) and record.recent_starts[-1] > since
    has_run = bool(record.recent_runs) and record.recent_runs[-1].ended > since
    if not (has_started or has_run):
        return None
    most, shortest = limits.starts_per_hour, limits.shortest_run.total_seconds()
    if starts_in_last_hour(record, monotonic) > most:
        return Text(f"more than {most} starts within an hour", f"一小时内启动超过 {most} 次")
    if any(each.lasted < shortest and each.ended > since for each in record.recent_runs):
        minutes = shortest / 60
        return Text(f"it ran for less than {minutes:g} min", f"单次运行不足 {minutes:g} 分钟")
    return None
