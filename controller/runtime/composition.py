"""The parts of a daemon, put together: those that last, and those that hang on one configuration of the site."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from controller.core.commissioning import Item, Record, Result
from controller.core.event import EventKind
from controller.core.ports import Clock, Historian
from controller.core.reconfiguration import Reconfiguration
from controller.core.site import Link, Site
from controller.core.system import Authority
from controller.runtime.ab_days import ABDaysAtWork
from controller.runtime.alarm_actions import AlarmActions
from controller.runtime.alarms import Alarms
from controller.runtime.authorities import Authorities
from controller.runtime.authority_files import AuthorityFiles
from controller.runtime.authority_inputs import AuthorityInputs
from controller.runtime.availability import Availabilities
from controller.runtime.chain_anchor import ChainAnchor
from controller.runtime.clock_watch import ClockWatch
from controller.runtime.commissioning import Commissioning, body_of
from controller.runtime.disk_watch import DiskWatch
from controller.runtime.efficiency_watch import EfficiencyWatch
from controller.runtime.equipment_log import EquipmentLog
from controller.runtime.exit_latch import ExitLatch
from controller.runtime.fire import FireInterlock
from controller.runtime.forwarder import Forwarder
from controller.runtime.gate import Gate
from controller.runtime.image import Image
from controller.runtime.inspector import Inspector
from controller.runtime.journal import Journal
from controller.runtime.link import LinkTask
from controller.runtime.load_forecasts import LoadForecasts
from controller.runtime.messages import Messages
from controller.runtime.mounted import MountedStrategy
from controller.runtime.operator import Operator
from controller.runtime.operator_commands import OperatorCommands
from controller.runtime.planner import Planner
from controller.runtime.quarter_hours import QuarterHours
from controller.runtime.recorder import Recorder
from controller.runtime.reload import Configuration
from controller.runtime.scan import Scan
from controller.runtime.silence import SilenceTest
from controller.runtime.siren import SirenControl
from controller.runtime.start_log import StartLog
from controller.runtime.store import Store
from controller.runtime.store_copy import StoreCopy
from controller.runtime.strategy_states import StrategyStates
from controller.runtime.surroundings import NOTHING_AROUND, Surroundings
from controller.runtime.tariff_watch import TariffWatch
from controller.runtime.work_orders import WorkOrders
from controller.runtime.workers import WorkerProcess
from controller.runtime.write_rights import WriteRights
from controller.runtime.writer import Writer


class Composition:
    def __init__(
        self,
        site: Site,
        clock: Clock,
        historian: Historian,
        store: Store,
        around: Surroundings = NOTHING_AROUND,
    ) -> None:
        self.clock = clock
        self.began = clock.monotonic()
        self.earlier_run_ended_cleanly = True
        self.historian = historian
        self.store = store
        self.journal = Journal(clock, site.digest)
        self.workers = around.workers or WorkerProcess(clock)
        self.exit_latch = ExitLatch(site.name, clock, store, self.journal)
        self.store_copy = StoreCopy(clock, store, self.journal)
        self.chain_anchor = ChainAnchor(historian, store, self.journal)
        self.gate = Gate()
        self._forecaster = around.forecaster
        self._quarter_hours = around.quarter_hours or QuarterHours(historian)
        self._synchronization = around.synchronization
        self.compose(Configuration(site, around.remote, around.messenger), around.simulated)

    def compose(
        self, configuration: Configuration, simulated: Collection[str], connected: Collection[LinkTask] = ()
    ) -> None:
        """Everything that hangs on one configuration of the site, put together; nothing of it runs yet.

        connected: links of an earlier configuration that go on in this one.
        """
        site, remote, messenger = configuration
        clock, historian, store, forecaster = self.clock, self.historian, self.store, self._forecaster
        self.site = site
        self.authority: dict[str, Authority] = {system.id: site.first_authority for system in site.systems}
        self.strategies = [MountedStrategy(mount, lambda: self.availabilities.unavailable) for mount in site.mounts]
        self.strategy_states = StrategyStates(self.strategies, store, self.journal)
        self.image = Image(site.points, site.zone, clock, self._urgent)
        self.alarms = Alarms(site, clock, self.image, self.journal, store, lambda: self.availabilities.unavailable)
        self.alarm_actions = AlarmActions(self.alarms, clock)
        self.work_orders = WorkOrders(self.alarms, clock, self.journal, store)
        self.equipment_log = EquipmentLog(site, clock, self.image, self.journal, store)
        self.messages = None if messenger is None else Messages(site, clock, messenger, self.alarms.note_told)
        if self.messages is not None:
            self.alarms.listeners.append(self.messages.changed)
        self.disk = DiskWatch(site, clock, store, self.journal, self._urgent)
        self.writer = Writer(site, clock, self.image, store, self.journal, self.authority, self.disk)
        self.forwarder = None if remote is None else Forwarder(remote, self.journal)
        self.recorder = Recorder(site.points, historian, self.journal, self.forwarder)
        self.scan = Scan(
            site, clock, self.image, self.writer, self.recorder, self.journal, self.strategies, self.authority
        )
        self.starts = StartLog(self.scan.controls.values(), clock, store)
        self.fire = FireInterlock(site.fire, self.scan, self.authority, clock, self.journal, store)
        self.availabilities = Availabilities(site, clock, store, self.journal, self.writer.holdings, self._left_auto)
        self.scan.inhibitors.append(self.availabilities)
        self.scan.inhibitors.append(self.disk)
        self.operator = Operator(self.scan, clock, self.authority, self.availabilities.why_not)
        self.operator_commands = OperatorCommands(self.operator, self.scan, self.writer, clock, store, self.journal)
        siren = site.alarms.siren
        self.siren = None
        if siren is not None:
            self.siren = SirenControl(siren, self.alarms, self.scan, self.authority, clock, self.journal)
        self.efficiency = EfficiencyWatch(site, clock, historian, store, self.workers, self.journal, self.equipment_log)
        self.forecasts = LoadForecasts(
            site, clock, historian, store, self.workers, self.journal, forecaster, self._quarter_hours
        )
        self.tariff_watch = TariffWatch(site, clock, store, self.journal)
        self.planner = Planner(
            site, clock, self.scan, store, self.workers, self.journal, self.strategies, self.forecasts, historian
        )
        self.rights = WriteRights(site, self.authority, self.writer.holdings)
        stays = {each.link.id: each for each in connected}
        self.links = [stays.get(link.id) or self._new_link(link) for link in site.links]
        self.inspector = Inspector(self.links, clock)
        self.commissioning = Commissioning(site, simulated)
        self.silence = SilenceTest(
            site, clock, self.scan, self.writer, self.operator, self.image, self.links, self.record_test
        )
        self.authorities = Authorities(
            self.authority, clock, store, self.journal, self.commissioning, self.links, self._switched
        )
        self.authority_inputs = AuthorityInputs(site.systems, self.authorities)
        self.scan.onlookers.append(self.authority_inputs.look)
        self.authority_files = None
        if site.authority_files:
            self.authority_files = AuthorityFiles(
                site.folder / "state" / "authority", tuple(self.authority), clock, self.authorities
            )
        self.clock_watch = ClockWatch(
            site.name,
            clock,
            store,
            self.journal,
            self.strategies,
            self._synchronization,
            is_free_running=site.has_free_running_clock,
        )
        self.scan.onlookers.append(self.clock_watch.look)
        self.ab_days = ABDaysAtWork(
            site, clock, store, self.journal, self.authorities, self.authority, self.clock_watch, self.fire
        )
        self.scan.onlookers.append(self.ab_days.look)

    def succeed(self, earlier: Composition, change: Reconfiguration) -> None:
        """Everything that is known and no store knows to the second: part by part, in the order of the cycle."""
        self.image.succeed(earlier.image, change.unmoved)
        self.writer.succeed(earlier.writer)
        self.disk.succeed(earlier.disk)
        before = {each.mount.id: each for each in earlier.strategies}
        for strategy in self.strategies:
            if strategy.mount.id in before:
                strategy.succeed(before[strategy.mount.id])
        self.scan.succeed(earlier.scan, change.unmoved)
        self.operator_commands.succeed(earlier.operator_commands)
        self.clock_watch.succeed(earlier.clock_watch)
        self.fire.succeed(earlier.fire)
        self.availabilities.succeed(earlier.availabilities)
        self.authorities.succeed(earlier.authorities)
        self.authority_inputs.succeed(earlier.authority_inputs)
        self.ab_days.succeed(earlier.ab_days)
        if earlier.authority_files is not None:
            if self.authority_files is not None:
                self.authority_files.succeed(earlier.authority_files)
            else:
                earlier.authority_files.withdraw(self.authorities)
        self.alarms.succeed(earlier.alarms, self._connected_anew(earlier))
        self.work_orders.succeed(earlier.work_orders)
        if self.siren is not None and earlier.siren is not None:
            self.siren.succeed(earlier.siren)
        self.equipment_log.succeed(earlier.equipment_log)
        if self.messages is not None and earlier.messages is not None:
            self.messages.succeed(earlier.messages, self.alarms.get)
        self.recorder.succeed(earlier.recorder)
        if self.forwarder is not None and earlier.forwarder is not None:
            self.forwarder.succeed(earlier.forwarder)
        self.rights.succeed(earlier.rights)
        for link in self.links:
            if link in earlier.links:
                link.go_on(self.image, self.writer.serve, self.rights)

    def _new_link(self, link: Link) -> LinkTask:
        return LinkTask(link, self.clock, self.image, self.journal, self.writer.serve, self.rights)

    def _connected_anew(self, earlier: Composition) -> set[str]:
        """Links with their devices."""
        anew = [each.link for each in self.links if each not in earlier.links]
        return {link.id for link in anew} | {device.id for link in anew for device in link.devices}

    # --- what the parts tell each other -------------------------------------------------------------------------

    def _urgent(self) -> None:
        self.scan.request_early()

    def _left_auto(self, equipment: str) -> None:
        self.operator_commands.end_of_equipment(equipment)

    async def _switched(self, system: str) -> None:
        self.rights.refresh()
        if any(
            self.writer.is_silent(point) for each in self.site.systems if each.id == system for point in each.points
        ):
            self.writer.speak_again()
        self.scan.request_early()
        if self.authority[system] is Authority.ORIGINAL:
            await self.operator_commands.end_of_system(system)

    async def record_test(self, item: Item, result: Result, who: str, measured: str = "", note: str = "") -> Record:
        """Keep what somebody found on site. Raises EnvironmentProblem where it cannot be kept."""
        keep = partial(self.commissioning.record, item, result, who, measured, note, self.clock.now())
        with self.clock.outside(), ThreadPoolExecutor(1, thread_name_prefix="commissioning") as thread:
            record = await asyncio.get_running_loop().run_in_executor(thread, keep)
        self.journal.note(EventKind.COMMISSIONING, item.subject, body_of(record))
        return record
