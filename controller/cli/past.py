"""A past for a plant that begins with the demo: its loads and its traffic of the days before, under its old controls,
so that there is history to forecast and to learn from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.core.point import PointId
from controller.core.ports import Historian, RecordedSample
from controller.core.sample import Quality, Sample
from controller.core.site import Site
from controller.core.strategy import LooksBack, Role, Strategy
from simulator.simulated import SimulatedSite

PAST = timedelta(days=9)
"""A forecast needs eight days with readings."""
STEP_S = 60.0
"""Of the engine: a day's cooling differs by 0.1 % from that of a step of a second, in an eighth of the time."""
_TRAFFIC_EVERY_MIN = 2
"""History holds a value for three minutes: the share of an hour with motion is told as well, in half of the rows."""
_SLICE = timedelta(hours=6)
_MINUTE = timedelta(minutes=1)


async def record_past(site: Site, engine: SimulatedSite, until: datetime, historian: Historian) -> None:
    """Let the engine run until then, and record each minute of what the site forecasts and forecasts from, and what
    its strategies learn from.
    """
    looked_at = (point for target in site.forecasts for point in (target.point, target.temperature))
    forecasts = {point for point in looked_at if point is not None}
    learned = {mount.roles[role] for mount in site.mounts for role in _learns_from(mount.strategy)} - forecasts
    loads, traffic = [sorted(point for point in each if point in engine.tags) for each in (forecasts, learned)]
    while engine.now + _MINUTE <= until:
        await historian.append_samples(list(_minutes(engine, loads, traffic, min(engine.now + _SLICE, until))))


def _learns_from(strategy: Strategy[Any]) -> frozenset[Role]:
    return strategy.history if isinstance(strategy, LooksBack) else frozenset()


def _minutes(
    engine: SimulatedSite, loads: list[PointId], traffic: list[PointId], until: datetime
) -> Iterator[RecordedSample]:
    while engine.now + _MINUTE <= until:
        engine.advance(engine.now + _MINUTE, 0.0)
        at = engine.now.astimezone(UTC)
        for point in loads if at.minute % _TRAFFIC_EVERY_MIN else (*loads, *traffic):
            yield point, Sample(engine.read(point), Quality.GOOD, "", at, 0.0)
