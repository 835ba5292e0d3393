"""Plans at each strategy's own interval: made by a worker, stored, and given to the strategy with their age."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.event import EventKind
from controller.core.forecast import Forecast
from controller.core.point import PointId
from controller.core.ports import Aggregate, Clock, Historian, HistoryInterval, Phase
from controller.core.site import Site
from controller.core.state_codec import decode, encode
from controller.core.strategy import LooksBack, Mode, PlanInput, Plans, Role
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.load_forecasts import LoadForecasts
from controller.runtime.mounted import MountedStrategy
from controller.runtime.scan import Scan
from controller.runtime.store import Store
from controller.runtime.stored import StoredPlan
from controller.runtime.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

# Generous: importing a scientific library on a slow box takes ten seconds.
DEADLINE_S = 120.0
RETRY_S = 300.0
# One question a day of history: none keeps the loop or the history's thread for long.
_AT_ONCE = timedelta(days=1)


class Planner:
    def __init__(
        self,
        site: Site,
        clock: Clock,
        scan: Scan,
        store: Store,
        workers: Workers,
        journal: Journal,
        strategies: Sequence[MountedStrategy],
        forecasts: LoadForecasts,
        historian: Historian,
    ) -> None:
        self._site = site
        self._clock = clock
        self._scan = scan
        self._store = store
        self._workers = workers
        self._journal = journal
        self._forecasts = forecasts
        self._historian = historian
        self._planning = [each for each in strategies if each.plans is not None and each.mode is not Mode.OFF]

    def restore(self, stored: Mapping[str, StoredPlan]) -> None:
        """Plans made by an earlier run, as old as they are."""
        for strategy in self._planning:
            plan = stored.get(strategy.mount.id)
            if plan is None or strategy.plans is None:
                continue
            try:
                strategy.plan = decode(strategy.plans.plan_type, plan.plan)
            except ValueError as error:
                log.warning("the stored plan of %s is not used: %s", strategy.mount.id, error)
                continue
            strategy.awaits_plan = False
            age = max(0.0, (self._clock.now() - plan.made).total_seconds())
            strategy.plan_made = self._clock.monotonic() - age

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for strategy in self._planning:
                tasks.create_task(self._keep_planned(strategy), name=f"plan {strategy.mount.id}")

    async def _keep_planned(self, strategy: MountedStrategy) -> None:
        plans = strategy.plans
        assert plans is not None
        name = strategy.mount.id
        due = strategy.plan_made + plans.plan_every.total_seconds()
        while True:
            await self._clock.sleep_until(max(due, self._clock.monotonic()), Phase.CALENDAR, name)
            image = self._scan.frozen
            if image is None or strategy.withheld is not None:
                due = self._clock.monotonic() + self._site.scan_every.total_seconds()
                continue
            made = await self._plan(strategy, plans, image)
            if strategy.awaits_plan:
                strategy.awaits_plan, strategy.fault = False, None  # what is a fault now is told as one
            due = self._clock.monotonic() + (plans.plan_every.total_seconds() if made else RETRY_S)

    def _forecasts_for(self, strategy: MountedStrategy, plans: Plans, image: FrozenImage) -> Mapping[Role, Forecast]:
        """Of the roles that the plan leans on, those whose point is forecast and whose forecast is not over."""
        points = ((role, strategy.mount.roles[role]) for role in plans.forecasts)
        found = ((role, self._forecasts.present(point, image.now)) for role, point in points)
        return {role: forecast for role, forecast in found if forecast is not None}

    async def _history_for(
        self, strategy: MountedStrategy, plans: Plans, now: datetime
    ) -> Mapping[Role, Sequence[Aggregate]]:
        """The full hours that the plan learns from; nothing, and told, where history cannot be read."""
        if not isinstance(plans, LooksBack):
            return {}
        end = now.replace(minute=0, second=0, microsecond=0)
        try:
            return {
                role: await self._hours(strategy.mount.roles[role], end - plans.look_back, end)
                for role in sorted(plans.history)
            }
        except HistorianError as error:
            log.warning("the plan of %s learns nothing: %s", strategy.mount.id, error)
            return {}

    async def _hours(self, point: PointId, start: datetime, end: datetime) -> Sequence[Aggregate]:
        hours: list[Aggregate] = []
        while start < end:
            until = min(start + _AT_ONCE, end)
            hours += await self._historian.read_aggregates(point, start, until, HistoryInterval.HOUR)
            start = until
        return hours

    async def _plan(self, strategy: MountedStrategy, plans: Plans, image: FrozenImage) -> bool:
        given = PlanInput(
            now=image.now,
            zone=self._site.zone,
            position=self._site.position,
            seen=strategy.observe(image),
            state=strategy.state,
            previous=strategy.plan,
            tariff=self._site.tariff,
            forecasts=self._forecasts_for(strategy, plans, image),
            history=await self._history_for(strategy, plans, image.now),
            terrain=self._site.terrain,
        )
        try:
            plan = await self._workers.run(plans.plan, given, DEADLINE_S)
        except WorkerFailed as error:
            log.warning("no new plan for %s: %s", strategy.mount.id, error)
            self._journal.note(EventKind.PLAN, strategy.mount.id, {"made": False, "cause": str(error)})
            return False
        strategy.plan, strategy.plan_made = plan, image.monotonic
        stored = StoredPlan(image.now, encode(plan))
        try:
            await self._store.save_plan(strategy.mount.id, stored)
        except EnvironmentProblem as error:
            log.warning("the plan of %s is in force and not stored: %s", strategy.mount.id, error)
        self._journal.note(EventKind.PLAN, strategy.mount.id, {"made": True, "plan": stored.plan})
        return True
