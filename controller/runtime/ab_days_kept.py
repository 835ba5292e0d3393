"""What of A/B days outlives a restart: the block in force, the tank's level at the first switch, who suspended them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controller.core.ab_days import NOT_BEGUN, ABDays, Standing, block_at
from controller.core.site import Site
from controller.core.text import Text
from controller.runtime.store import Store

KEY = "ab_days"


def written(schedule: ABDays, standing: Standing, suspended: Mapping[str, str]) -> str:
    kept = {"schedule": schedule.identity, "block": standing.number, "level": standing.level}
    return json.dumps({**kept, "suspended": dict(suspended)})


def read(kept: str, schedule: ABDays) -> tuple[Standing, dict[str, str]]:
    """The standing of another schedule says nothing; who suspended it counts on."""
    if not kept:
        return NOT_BEGUN, {}
    found: Any = json.loads(kept)
    suspended = {system: who for system, who in found["suspended"].items() if system in schedule.systems}
    if found["schedule"] != schedule.identity:
        return NOT_BEGUN, suspended
    return Standing(int(found["block"]), found["level"]), suspended


async def store_suspension(site: Site, store: Store, system: str, who: str | None) -> None:
    """For when no daemon runs: who suspends the schedule of a system; None resumes it. Raises EnvironmentProblem."""
    if site.ab_days is None or system not in site.ab_days.systems:
        return
    standing, suspended = read(await store.load_run(KEY) or "", site.ab_days)
    if who is None:
        suspended.pop(system, None)
    else:
        suspended.setdefault(system, who)
    await store.save_run(KEY, written(site.ab_days, standing, suspended))


async def stored_suspensions(site: Site, store: Store) -> dict[str, str]:
    """Who has suspended the schedule, by system."""
    return {} if site.ab_days is None else read(await store.load_run(KEY) or "", site.ab_days)[1]


def suspended_in_words(who: str) -> Text:
    return Text(
        f"A/B days are suspended since {who} decided; to resume them: tidewatt authority SITE SYSTEM --schedule",
        f"{who} 已作决定，A/B 日暂停；恢复：tidewatt authority SITE SYSTEM --schedule",
    )


def is_on_schedule(site: Site, system: str) -> bool:
    return site.ab_days is not None and system in site.ab_days.systems


def not_on_schedule(system: str) -> str:
    return f"system {system} has no A/B days; name it under ab_days in site.yaml"


def has_begun(site: Site, now: datetime) -> bool:
    return site.ab_days is not None and block_at(site.ab_days, site.zone, now) is not None
