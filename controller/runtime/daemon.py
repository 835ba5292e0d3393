"""The daemon: the life of its parts, from start to the last point let go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from copy import copy
from datetime import timedelta
from typing import Any, cast

from controller.core.availability import Lockout
from controller.core.command import Command
from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.event import EventKind
from controller.core.point import PointId
from controller.core.ports import Clock, Historian
from controller.core.reconfiguration import Reconfiguration, keeping_virtual_values
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority
from controller.runtime.calendar import Calendar, CalendarJob
from controller.runtime.composition import Composition
from controller.runtime.configuration_events import note_configuration
from controller.runtime.efficiency_watch import COMPARE_AT
from controller.runtime.exit_latch import WHY as WHY_LATCHED
from controller.runtime.file_watch import FileWatch
from controller.runtime.letting_go import Progress, let_go, nobody_watches
from controller.runtime.link import LinkTask
from controller.runtime.load_forecasts import TRAIN_AT
from controller.runtime.reload import Configuration, Reloads
from controller.runtime.store import Store
from controller.runtime.surroundings import NOTHING_AROUND, Surroundings
from controller.runtime.tariff_watch import LOOK_AT

log = logging.getLogger(__name__)

# The first scan waits this long (wire time) for every link to be read once, or to be found absent. No whole number of
# seconds: polls, most of them every second, began with the daemon and should not meet the scan each time.
FIRST_READ_S = 3.3
SAVE_STATES_EVERY_S = 10.0
# When nobody looks, and away from the hours that daylight saving skips or repeats.
HISTORY_AT: dict[str, int | str] = {"hour": 4, "minute": 20}
# Who vetoes while the program keeps ending by itself.
OUR_EXITS = "exit latch"
# A reload waits so long for a device to answer what was just written to it (wire time).
WRITTEN_WITHIN_S = 2.0
SCANNING = "scan"


class Daemon(Composition):
    def __init__(
        self,
        site: Site,
        clock: Clock,
        historian: Historian,
        store: Store,
        around: Surroundings = NOTHING_AROUND,
    ) -> None:
        super().__init__(site, clock, historian, store, around)
        self.reloads = Reloads(self, around.load)
        self._is_suspended = False
        self._group: asyncio.TaskGroup | None = None
        self._tasks: list[asyncio.Task[None]] = []
        # By link; these may outlive a configuration.
        self._link_tasks: dict[str, asyncio.Task[None]] = {}

    # --- life ---------------------------------------------------------------------------------------------------

    async def run(
        self, stop: asyncio.Event, progress: Progress = nobody_watches, *beside: Coroutine[Any, Any, None]
    ) -> bool:
        """Run until `stop` is set, then let everything go in order; answers whether all of it was let go.

        `beside` are tasks that live as long as the daemon (control socket, view). An unexpected exception anywhere
        stops the daemon; it lets go first and then raises.
        """
        try:
            await self._begin()
            await self._work(stop, beside)
        except BaseExceptionGroup as group:
            raise _cause(group) from group
        finally:
            for each in beside:
                each.close()
            released = await self._end(progress, on_purpose=stop.is_set())
        return released

    def suspend(self, stop: asyncio.Event) -> None:
        """Stop without letting go: the next run adopts what is held, if it comes before the watchdogs expire."""
        self._is_suspended = True
        stop.set()

    async def release(self, progress: Progress = nobody_watches, handed_back_by: str = "") -> bool:
        """Let go what an earlier run left at the devices, and nothing else; for when the daemon is dead.

        handed_back_by: who also gives all systems to their original controls; empty if nobody does.
        """
        await self._restore_held()
        if handed_back_by:
            self.authority.update(await self.store.load_authority())
            for system in self.site.systems:
                body = {"before": self.authority[system.id].value, "authority": Authority.ORIGINAL.value}
                self.journal.note(EventKind.AUTHORITY, system.id, {**body, "who": handed_back_by})
        # That the run before died still counts.
        return await self._end(progress, on_purpose=False)

    async def _begin(self) -> None:
        # Before all that may fail: what ends this start lets go what is held, too.
        await self._restore_held()
        await self.work_orders.restore()
        await self.alarms.restore()
        await self.exit_latch.begin()
        self.earlier_run_ended_cleanly = await self.store.begin_run()
        await self.store_copy.begin(self.site)
        await self.clock_watch.begin()
        await self.authorities.restore()
        if self.exit_latch.is_latched:
            await self.authorities.latch(OUR_EXITS, WHY_LATCHED)
        await self.fire.restore()
        await self.availabilities.restore()
        await self._restore()
        await self.operator_commands.restore()
        self.journal.note(
            EventKind.DAEMON,
            self.site.name,
            {
                "state": "started",
                "earlier_run_ended_cleanly": self.earlier_run_ended_cleanly,
                "adopted": [str(point) for point in self.writer.holdings],
            },
        )
        await note_configuration(self.site, self.store, self.journal)
        await self.tariff_watch.look()

    async def _restore(self) -> None:
        """What the parts of a configuration find in the store, at a start and after a reload."""
        await self.equipment_log.restore()
        await self.efficiency.restore()
        await self.ab_days.restore()
        await self.strategy_states.restore()
        self.planner.restore(await self.store.load_plans())
        await self.forecasts.restore(await self.store.load_trained())

    async def _work(self, stop: asyncio.Event, beside: tuple[Coroutine[Any, Any, None], ...]) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._set_to_work(self.links)
            lasting = [group.create_task(work) for work in (*beside, self.reloads.run())]
            await stop.wait()
            for task in (*lasting, *self._link_tasks.values(), *self._tasks):
                task.cancel()

    async def _set_to_work(self, awaited: Collection[LinkTask]) -> None:
        """Start the tasks of this configuration. awaited: links to be read before the first scan."""
        assert self._group is not None
        begin = self._group.create_task
        calendar = Calendar(self._calendar_jobs(), self.site.zone, self.clock, self.store)
        self.rights.refresh()
        for link in self.links:
            if link.link.id not in self._link_tasks:
                self._link_tasks[link.link.id] = begin(link.run(), name=f"link {link.link.id}")
        await self._first_read(awaited)
        self._tasks = [begin(self.scan.run(), name=SCANNING)]
        for work in (
            self.planner.run(),
            self.forecasts.run(),
            self.recorder.run(),
            calendar.run(),
            self.authorities.run(),
            self.exit_latch.run(),
            self.clock_watch.run(),
            self.alarms.run(),
            self.work_orders.run(),
            self.equipment_log.run(),
            self.fire.run(),
            self.ab_days.run(),
            self.chain_anchor.run(),
            self.store_copy.run(),
            self.disk.run(self.writer.intents.forget_what_is_over),
            self.silence.run(),
            self._save_states(),
        ):
            self._tasks.append(begin(work))
        if self.forwarder is not None:
            self._tasks.append(begin(self.forwarder.run(), name="forwarder"))
        if self.site.reload == "watch" and self.reloads.is_possible:
            watch = FileWatch(self.reloads, self.clock)
            self._tasks.append(begin(watch.run(), name="file watch"))
        if self.authority_files is not None:
            self._tasks.append(begin(self.authority_files.run(), name="authority files"))
        if self.messages is not None:
            self._tasks.append(begin(self.messages.run(), name="messages"))

    async def _rest_from_work(self, same: Collection[str]) -> list[LinkTask]:
        """End the tasks of this configuration; bytes that are on their way to a device arrive first.

        same: links that the next configuration has, too. Answers those that stay connected: a request that takes too
        long ends with its connection.
        """
        scanning = [task for task in self._tasks if task.get_name() == SCANNING]
        await _ended(scanning)
        with suppress(TimeoutError):
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                await self.writer.quiet()
        busy = self.writer.busy_links
        connected = {each.link.id: each for each in self.links if each.link.id in same and each.link.id not in busy}
        ending = [link for link in self._link_tasks if link not in connected]
        await _ended([*self._tasks, *(self._link_tasks.pop(link) for link in ending)])
        return [*connected.values()]

    async def switch_to(self, configuration: Configuration, change: Reconfiguration) -> None:
        """Go on with another configuration of the site: nothing is let go here, and nothing forgotten.

        What has to be let go for it is no longer held. Raises EnvironmentProblem where the disk does not play along;
        the present configuration then goes on.
        """
        await self._save_changed_states()
        connected = await self._rest_from_work(change.same_links)
        earlier, listeners = copy(self), self.journal.listeners
        site = keeping_virtual_values(self.site, configuration.site)
        simulated = self.commissioning.simulated_at_start - change.moved_devices
        self.journal.begin_configuration(site.digest)
        try:
            self.compose(configuration._replace(site=site), simulated, connected)
            self.forecasts.succeed(earlier.forecasts)
            await self.authorities.restore(but=earlier.authority)
            if self.exit_latch.is_latched:
                await self.authorities.latch(OUR_EXITS, WHY_LATCHED)
            await self._restore()
            await self.tariff_watch.look()
        except BaseException as error:
            vars(self).update(vars(earlier))
            self.journal.begin_configuration(self.site.digest, listeners)
            if isinstance(error, EnvironmentProblem):
                await self._set_to_work(())
            raise
        self.succeed(earlier, change)
        unseen = self.site.points.keys() - change.unmoved
        new = [link for link in self.links if not unseen.isdisjoint(link.points)]
        await self._set_to_work(new)
        if earlier.forwarder is not None:
            await earlier.forwarder.abandon()
        try:
            await note_configuration(self.site, self.store, self.journal)
        except EnvironmentProblem as error:
            log.warning("the next start will tell once more which configuration is in force: %s", error)

    async def _end(self, progress: Progress, *, on_purpose: bool) -> bool:
        """Let go, then close everything in the order that loses nothing, whatever fails."""
        released = False
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.store.close)
            closing.push_async_callback(self._close_history)
            closing.push_async_callback(self.workers.close)
            closing.push_async_callback(self.alarms.close)
            closing.push_async_callback(self.equipment_log.close)
            if self._is_suspended:
                state = "suspended"
            else:
                released = await let_go(self, progress)
                state = "stopped" if released else "stopped, not everything was let go"
            self.journal.note(EventKind.DAEMON, self.site.name, {"state": state, **self.scan.times.figures()})
            await self._save_states_or_later()
            await self._save_availability()
            if on_purpose:
                await self._note_end(cleanly=released)
            await self.store_copy.keep(now=True)
        return released

    async def _note_end(self, *, cleanly: bool) -> None:
        try:
            await self.store.end_run(cleanly=cleanly)
        except EnvironmentProblem as error:
            log.warning("the next start will not know that this run was asked to end: %s", error)

    async def _close_history(self) -> None:
        await self.recorder.flush()
        await self.chain_anchor.keep()
        try:
            await self.historian.close()
        except HistorianError as error:
            log.warning("history could not be closed: %s", error)
        if self.forwarder is not None:
            await self.forwarder.close()

    async def _first_read(self, links: Collection[LinkTask]) -> None:
        """Decide on a picture, not on a blank."""
        try:
            async with asyncio.timeout(FIRST_READ_S):
                for link in links:
                    await link.seen.wait()
        except TimeoutError:
            log.info("starting although not every link has answered yet")

    # --- what must survive --------------------------------------------------------------------------------------

    async def _restore_held(self) -> None:
        """What we hold, and what the guard counts: letting go adds to it."""
        self.writer.ledger.adopt(await self.store.load_held())
        await self.writer.wear.restore()
        await self.starts.restore()

    async def _save_states(self) -> None:
        while True:
            await asyncio.sleep(SAVE_STATES_EVERY_S)
            await self._save_states_or_later()
            await self._save_availability()
            await self.operator_commands.save()
            # A system that was handed back is done when nothing of it is held any more.
            self.rights.refresh()

    async def _save_states_or_later(self) -> None:
        try:
            await self._save_changed_states()
        except EnvironmentProblem as error:
            log.warning("what the strategies remember is not stored: %s", error)

    async def _save_availability(self) -> None:
        try:
            await self.availabilities.save()
        except EnvironmentProblem as error:
            log.debug("what equipment said of itself is not stored yet: %s", error)

    async def _save_changed_states(self) -> None:
        await self.strategy_states.save()
        await self.starts.save()
        await self.writer.wear.save()

    def _calendar_jobs(self) -> list[CalendarJob]:
        return [
            CalendarJob("history", HISTORY_AT, self._maintain_history),
            CalendarJob("forecasts", TRAIN_AT, self.forecasts.train),
            CalendarJob("efficiency", COMPARE_AT, self.efficiency.compare),
            CalendarJob("tariff", LOOK_AT, self.tariff_watch.look),
        ]

    async def _maintain_history(self) -> None:
        if self.clock_watch.doubt is not None:
            log.warning("history is not tidied up by a clock that nobody trusts, tomorrow again")
            return
        try:
            await self.historian.maintain(self.clock.now())
        except HistorianError as error:
            log.warning("history could not be tidied up, tomorrow again: %s", error)

    # --- what people do -----------------------------------------------------------------------------------------

    async def set_authority(
        self, system: str, authority: Authority, who: str, lasting: timedelta | None = None
    ) -> None:
        """A person hands a system over or back; letting go begins with the next scan, which is at once.

        It suspends A/B days of the system. lasting: of commissioning.
        Raises AuthorityRefused, or EnvironmentProblem where the disk does not take it.
        """
        await self.ab_days.decide(system, authority, who, lasting)

    async def resume_ab_days(self, system: str, who: str) -> None:
        """A person hands a system to its A/B days. Raises as `set_authority` does."""
        await self.ab_days.resume(system, who)

    async def reset_latch(self, who: str) -> bool:
        """Somebody has found out why the program kept ending; answers whether it was latched.

        The systems stay with their original controls until somebody hands them over. Raises EnvironmentProblem.
        """
        was_latched = await self.exit_latch.reset(who)
        for system in self.authority:
            self.authorities.lift_veto(system, OUR_EXITS)
        return was_latched

    async def command(self, point: PointId, value: Scalar, lasting: timedelta, who: str, reason: str) -> Command:
        """An operator's command; raises OperatorCommandRefused."""
        return await self.operator_commands.command(point, value, lasting, who, reason)

    async def relinquish(self, point: PointId, who: str) -> bool:
        """End an operator's command and take back what somebody overrode; answers whether there was a command."""
        return await self.operator_commands.relinquish(point, who)

    async def lock_out(self, equipment: str, who: str, reason: str) -> Lockout:
        """Raises AvailabilityRefused, or EnvironmentProblem where a restart would forget it."""
        try:
            return await self.availabilities.lock_out(equipment, who, reason)
        finally:
            self.scan.request_early()

    async def unlock(self, equipment: str, who: str, whose: str, why: str) -> Lockout:
        """Raises AvailabilityRefused, or EnvironmentProblem where it stays locked."""
        lockout = await self.availabilities.unlock(equipment, who, whose, why)
        self.scan.request_early()
        return lockout

    def retry(self, name: str, who: str) -> None:
        """Let a strategy that its faults switched off, or a link that is away, try again at once.

        Also a machine that has tripped: once it is reset. Raises AvailabilityRefused where it has not, KeyError if
        there is none of that name.
        """
        if name in self.availabilities.standings:
            self.availabilities.retry(name, who)
            self.scan.request_early()
            return
        links = {each.link.id: each for each in self.links}
        if name in links:
            self.journal.note(EventKind.LINK, name, {"step": "tried again", "who": who})
            links[name].retry()
            return
        {each.mount.id: each for each in self.strategies}[name].restart()
        self.journal.note(EventKind.STRATEGY, name, {"step": "restarted", "who": who})
        self.scan.request_early()


async def _ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """What a task raises while it is ended is its group's affair."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What the user can mend, if that is among them; else the one that stands for all."""
    causes = list(_leaves(group))
    return next((each for each in causes if isinstance(each, EnvironmentProblem)), causes[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(cast("BaseExceptionGroup[BaseException]", each))
        else:
            yield each
