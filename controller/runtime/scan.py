"""The cycle: freeze, judge, decide, arbitrate, guard, gate, hand to the writer, record. Nothing in it waits.

Live, shadow, simulation and replay run this same cycle; they differ in what stands behind the drivers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from controller.core.command import Command, Priority
from controller.core.exclusion import Rival
from controller.core.handover import handed_over, heartbeats, lifelines_of, machines_of
from controller.core.inhibition import Inhibition, combined, kept_value, released_at_once
from controller.core.ledger import Holding
from controller.core.point import PointId, RemoteBit
from controller.core.ports import Clock, Phase
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.strategy import Mode
from controller.core.system import Authority
from controller.core.text import NO_TEXT, Text
from controller.runtime.control import Beside, Control
from controller.runtime.exclusions import Exclusions
from controller.runtime.image import FrozenImage, Image
from controller.runtime.journal import Journal
from controller.runtime.mounted import MountedStrategy
from controller.runtime.recorder import Recorder
from controller.runtime.release_conditions import ReleaseConditions
from controller.runtime.rest import Rest
from controller.runtime.scan_times import ScanTimes
from controller.runtime.start_gaps import StartGaps
from controller.runtime.strategy_events import note_decision, note_rungs
from controller.runtime.writer import Writer

# Urgent points may trigger a scan between two, at most this often.
EARLY_SCAN_PAUSE_S = 0.1


class Inhibits(Protocol):
    """Looks at each frozen image, before anything is decided on it."""

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        """The points that nobody may command now."""
        ...


class Scan:
    def __init__(
        self,
        site: Site,
        clock: Clock,
        image: Image,
        writer: Writer,
        recorder: Recorder,
        journal: Journal,
        strategies: Sequence[MountedStrategy],
        authority: Mapping[str, Authority],
    ) -> None:
        self._site = site
        self._clock = clock
        self._image = image
        self._writer = writer
        self._ledger = writer.ledger
        self._recorder = recorder
        self._journal = journal
        self._strategies = strategies
        self._authority = authority
        # Filled by those who are put together after the scan, before it runs. Onlookers are told each frozen image
        # before anything is decided on it.
        self.onlookers: list[Callable[[FrozenImage], None]] = []
        self.inhibitors: list[Inhibits] = []
        self._inhibited: dict[PointId, Inhibition] = {}
        self._waiting: Mapping[PointId, Text] | None = None
        writables = [point for point in site.points.values() if point.writable is not None]
        self._machines = machines_of(writables)
        self._lifelines = lifelines_of(writables)
        self.handshakes = {each.remote for each in self._machines} | {each.heartbeat for each in self._lifelines}
        self.controls: dict[PointId, Control] = {
            point: Control(site.points[point], system, site.points)
            for system in site.systems
            for point in system.points
            if point not in self.handshakes
        }
        self._exclusions = Exclusions(site.systems, {id_: each.shown_at for id_, each in self.controls.items()}, writer)
        self._conditions = ReleaseConditions(site.systems)
        self._starts = StartGaps(site)
        self._early = asyncio.Event()
        self._is_urgent = False
        self.frozen: FrozenImage | None = None
        self.letting_go = False
        self.times = ScanTimes(site.scan_every.total_seconds(), journal)
        self._rest = Rest(self.controls.values(), self._leaning_on(), self._lifelines, self._ledger, authority, clock)

    @property
    def count(self) -> int:
        """Scans of this run."""
        return self.times.count

    def _leaning_on(self) -> frozenset[PointId]:
        """The points whose values enter into arbitration, guard and release order."""
        controls = self.controls.values()
        permissives = {each.condition.point for control in controls for each in control.permissives}
        shown = {point for each in controls for point in (each.shown_at, each.writable.readback)}
        return frozenset(self._conditions.points | permissives | shown | self._exclusions.looks_at)

    def request_early(self) -> None:
        """An urgent point changed: do not wait for the grid, nor for it to believe what is commanded then."""
        self._is_urgent = True
        self._early.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_on_grid(), name="scan")
            tasks.create_task(self._run_early(), name="early scan")

    async def _run_on_grid(self) -> None:
        period = self._site.scan_every.total_seconds()
        due = self._clock.monotonic()
        while True:
            await self._clock.sleep_until(due, Phase.SCAN, "scan")
            self.cycle()
            missed = self.times.note_end(due, self._clock.monotonic())
            due += (missed + 1) * period

    async def _run_early(self) -> None:
        while True:
            await self._early.wait()
            last = self.frozen.monotonic if self.frozen else 0.0
            earliest = max(self._clock.monotonic(), last + EARLY_SCAN_PAUSE_S)
            # By its name it comes after the scan on the grid, which leaves it nothing to do at the same instant.
            await self._clock.sleep_until(earliest, Phase.SCAN, "scan, early")
            if self._early.is_set():
                self.cycle()

    def cycle(self) -> None:
        """One scan."""
        self._early.clear()
        is_urgent, self._is_urgent = self._is_urgent, False
        image = self._image.freeze()
        self.times.note_begin(image.monotonic)
        self.frozen = image
        for look in self.onlookers:
            look(image)
        self._ledger.judge(image)
        self._inhibited = self._inhibited_by(image)
        if not self.letting_go:
            for strategy in self._strategies:
                self._step(strategy, image)
        if self.letting_go or not self._rest.lasts(image, self._inhibited):
            self._arbitrate(image)
        elif self._clock.wire_time() >= self._rest.due_wire:
            self._keep_alive()
        if is_urgent:
            # The scan that is early for a read-back is not urgent itself, so that fades do not chase each other.
            self._image.await_changes(self._writer.awaited_read_backs(), self._early.set)
        self._recorder.record(image)
        self.times.count += 1

    def _inhibited_by(self, image: FrozenImage) -> dict[PointId, Inhibition]:
        inhibited: dict[PointId, Inhibition] = {}
        for each in self.inhibitors:
            for point, inhibition in each.inhibited(image).items():
                inhibited[point] = combined(inhibited[point], inhibition) if point in inhibited else inhibition
        return inhibited

    def _arbitrate(self, image: FrozenImage) -> None:
        insisted = self._insisted()
        wanted = self._wanted(image, insisted)
        at_once = released_at_once(self._inhibited, self._machines)
        spared = {id_ for id_, control in self.controls.items() if control.is_spared}
        self._writer.want(wanted, self._conditions.fulfilled(image), at_once, insisted, spared)
        self._rest.begin(self._inhibited, is_settled=self._writer.is_settled(wanted))

    def _keep_alive(self) -> None:
        """What time alone brings while everything stays as it is."""
        wire = self._clock.wire_time()
        self._writer.keep_alive(heartbeats(self._lifelines, self._ledger.holdings, (), wire))
        self._rest.look_ahead(wire)

    def succeed(self, earlier: Scan, unmoved: Collection[PointId]) -> None:
        """Go on where the scan of an earlier configuration was; points that live elsewhere now begin anew."""
        before = {each.source: each for each in earlier._strategies}
        after = {each.source: each for each in self._strategies}
        for id_, control in self.controls.items():
            if id_ in earlier.controls and id_ in unmoved:
                ended = [
                    source
                    for source, strategy in before.items()
                    if source not in after or not after[source].commands_alike(strategy, id_)
                ]
                control.succeed(earlier.controls[id_], ended)
        self._conditions.succeed(earlier._conditions)
        self._starts.succeed(earlier._starts, self.controls)
        self.times.succeed(earlier.times)

    def _step(self, strategy: MountedStrategy, image: FrozenImage) -> None:
        changed = strategy.step(image)
        if strategy.ladders.changed:
            note_rungs(self._journal, strategy)
        if changed:
            note_decision(self._journal, strategy)
        if strategy.fault is not None and not strategy.fault.lets_go:
            return  # nobody renews its leases: what it wished ends by itself
        if changed or strategy.is_lease_due(image.monotonic):
            self._place(strategy, image.monotonic)

    def _place(self, strategy: MountedStrategy, monotonic: float) -> None:
        mount = strategy.mount
        ends, priority = strategy.renew_lease(monotonic), mount.priority
        for _, point in strategy.outputs:
            control = self.controls[point]
            array = control.shadow if strategy.mode is Mode.SHADOW else control.array
            value = strategy.wishes.get(point)
            if value is None:
                array = array.without(priority, strategy.source)
            else:
                array = array.with_command(Command(point, value, priority, strategy.source, ends, strategy.reason))
            if strategy.mode is Mode.SHADOW:
                control.shadow = array
                self._rest.end_by(ends)
            else:
                control.array = array

    def _wanted(self, image: FrozenImage, insisted: Collection[PointId]) -> dict[PointId, Scalar]:
        """The complete wish of all systems that are ours, remote bits and heartbeats included."""
        holdings, yielding = self._ledger.holdings, self._ledger.yielding.difference(insisted)
        wanted: dict[PointId, Scalar] = {}
        excluded = self._excluded(image, yielding)
        for id_, control in self.controls.items():
            holding = None if id_ in yielding else holdings.get(id_)
            rival = excluded.get(id_)
            register = None if control.writable.wear is None else self._writer.wear.register(id_, holding, image)
            is_beside = rival is not None or id_ in self._inhibited
            if holding is not None and not is_beside and control.goes_on(image, register):
                value = control.allowed
            else:
                value = self._settled(id_, control, image, holding, Beside(rival=rival, register=register))
            if value is not None and self._is_ours(control):
                wanted[id_] = value
        wanted, waiting = handed_over(self._machines, wanted, holdings, yielding)
        if waiting != self._waiting:
            self._waiting = waiting
            for id_, control in self.controls.items():
                control.waiting = waiting.get(id_, NO_TEXT)
        wanted.update(heartbeats(self._lifelines, holdings, wanted, self._clock.wire_time()))
        return wanted

    def _settled(
        self, point: PointId, control: Control, image: FrozenImage, holding: Holding | None, beside: Beside
    ) -> Scalar | None:
        """What inhibitions and guard let through of the wishes for a point. holding: None where we do not hold it, or
        leave it to whoever changed it."""
        if control.array.winner is not None:
            beside = self._beside(point, control, image, beside)
        value = control.settle(image, holding is not None, self._rest.rested_at, beside)
        self._starts.note(point, is_starting=control.is_starting, monotonic=image.monotonic)
        control.note_since(image.monotonic)
        return value

    def _beside(self, point: PointId, control: Control, image: FrozenImage, beside: Beside) -> Beside:
        inhibition = self._inhibited.get(point)
        keeps = inhibition is not None and inhibition.keeps
        kept = kept_value(point, control.writable, self._ledger.holdings) if keeps else None
        may_start = point in self._starts.motors and self._is_ours(control)
        wait = self._starts.wait_of(point, image.monotonic) if may_start else None
        return Beside(inhibition, kept, beside.rival, beside.register, wait)

    def _insisted(self) -> set[PointId]:
        """What life safety commands, with the bits that hand it over: there nobody's override is yielded to."""
        insisted: set[PointId] = set()
        for id_, control in self.controls.items():
            winner, release = control.array.winner, control.writable.release
            if winner is not None and winner.priority.is_life_safety:
                insisted.update((id_, release.point) if isinstance(release, RemoteBit) else (id_,))
        return insisted

    def _excluded(self, image: FrozenImage, yielding: Collection[PointId]) -> Mapping[PointId, Rival]:
        """What mutual exclusion holds against the wishes that are about to be commanded."""
        wishes: dict[PointId, Command] = {}
        for point in self._exclusions.commands:
            command = self.controls[point].array.at(image.monotonic).winner
            is_ours = point not in yielding and point not in self._inhibited and self._is_ours(self.controls[point])
            if command is not None and is_ours:
                wishes[point] = command
        return self._exclusions.against(wishes, image, yielding)

    def _is_ours(self, control: Control) -> bool:
        if self.letting_go:
            return False
        authority, winner = self._authority[control.system.id], control.array.winner
        if authority is Authority.COMMISSIONING:
            return winner is not None and winner.priority <= Priority.MANUAL_OPERATOR
        return authority is Authority.TIDEWATT
