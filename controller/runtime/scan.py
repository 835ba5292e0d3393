"""The cycle: freeze, judge, decide, arbitrate, guard, gate, hand to the writer, record. Nothing in it waits.

Live, shadow, simulation and replay run this same cycle; they differ in what stands behind the drivers.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from controller.core.command import Command, Priority, PriorityArray
from controller.core.event import EventKind, JsonValue
from controller.core.exclusion import Rival
from controller.core.handover import handed_over, heartbeats, lifelines_of, machines_of, next_beat
from controller.core.inhibition import Inhibition, combined, kept_value, released_at_once
from controller.core.ledger import Holding
from controller.core.point import PointId, RemoteBit
from controller.core.ports import Clock, Phase
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.stagger import motors
from controller.core.strategy import Mode
from controller.core.system import Authority, Condition
from controller.core.text import NO_TEXT
from controller.runtime.control import Beside, Control
from controller.runtime.delays import LATE_BY
from controller.runtime.exclusions import Exclusions
from controller.runtime.image import FrozenImage, Image
from controller.runtime.journal import Journal
from controller.runtime.mounted import MountedStrategy
from controller.runtime.overruns import Overruns
from controller.runtime.recorder import Recorder
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
        self._conditions = {
            condition: math.inf for system in site.systems for step in system.release for condition in step.conditions
        }
        self._motors = motors(site.points, site.equipment)
        self._starting: set[PointId] = set()
        self._next_start = -math.inf
        self._early = asyncio.Event()
        self.frozen: FrozenImage | None = None
        self.letting_go = False
        self.count = 0
        self.overruns = Overruns()
        self.actual_period = site.scan_every.total_seconds()
        self.longest_period = 0.0
        self._first: float | None = None
        # What the last arbitration leant on, so that a scan in which nothing of it changed need not repeat it.
        self._all_controls = tuple(self.controls.values())
        self._leant = self._leaning_on()
        # Until when only a change can bring anything new: monotonic, and by the wire's clock.
        self._may_rest = False
        self._rests_until = self._rests_until_wire = -math.inf
        self._rested_at = -math.inf
        self._settled_arrays: list[PriorityArray] = []
        self._settled_holdings: dict[PointId, Holding] = {}
        self._settled_authority: dict[str, Authority] = {}
        self._settled_inhibited: dict[PointId, Inhibition] = {}

    def _leaning_on(self) -> frozenset[PointId]:
        """The points whose values enter into arbitration, guard and release order."""
        conditions = {condition.point for condition in self._conditions}
        permissives = {each.condition.point for control in self._all_controls for each in control.permissives}
        shown = {point for each in self._all_controls for point in (each.shown_at, each.writable.readback)}
        return frozenset(conditions | permissives | shown | self._exclusions.looks_at)

    def request_early(self) -> None:
        """An urgent point changed: do not wait for the grid."""
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
            ended = self._clock.monotonic()
            if missed := int((ended - due) // period):
                self.overruns.note(ended - due, missed, ended)
            self._tell_overruns(ended)
            due += (missed + 1) * period

    def _tell_overruns(self, monotonic: float) -> None:
        growth = self.overruns.growth(monotonic)
        if growth is not None:
            figures = {"overruns": growth.overruns, "missed": growth.missed, "late_by_s": round(growth.late_by, 3)}
            self._journal.note(EventKind.DAEMON, "scan", {"state": "scan overrun", **figures})

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
        image = self._image.freeze()
        self._measure(image)
        for look in self.onlookers:
            look(image)
        self._ledger.judge(image)
        self._inhibited = self._inhibited_by(image)
        if not self.letting_go:
            for strategy in self._strategies:
                self._step(strategy, image)
        if not self._is_at_rest(image):
            self._arbitrate(image)
        elif self._clock.wire_time() >= self._rests_until_wire:
            self._keep_alive()
        self._recorder.record(image)
        self.count += 1

    def _inhibited_by(self, image: FrozenImage) -> dict[PointId, Inhibition]:
        inhibited: dict[PointId, Inhibition] = {}
        for each in self.inhibitors:
            for point, inhibition in each.inhibited(image).items():
                inhibited[point] = combined(inhibited[point], inhibition) if point in inhibited else inhibition
        return inhibited

    def _is_at_rest(self, image: FrozenImage) -> bool:
        """Whether arbitration, guard and writer would come to what they came to last time.

        Everything wished is owned and nothing else is held, no limit acts, no wish, lease or authority has changed,
        nothing that they lean on shows another value, and no lease ends.
        """
        if self.letting_go or not self._may_rest or image.monotonic >= self._rests_until:
            return False
        if self._ledger.holdings != self._settled_holdings:
            if not self._ledger.stands_as(self._settled_holdings):
                return False
            self._settle_holdings()
        if self._authority != self._settled_authority or self._inhibited != self._settled_inhibited:
            return False
        if not self._leant.isdisjoint(image.changed):
            return False
        arrays = [control.array for control in self._all_controls]
        if arrays != self._settled_arrays:
            if not all(map(PriorityArray.wishes_as, arrays, self._settled_arrays)):
                return False
            self._settle_arrays(arrays)
        self._rested_at = image.monotonic
        return True

    def _arbitrate(self, image: FrozenImage) -> None:
        insisted = self._insisted()
        wanted = self._wanted(image, insisted)
        at_once = released_at_once(self._inhibited, self._machines)
        spared = {id_ for id_, control in self.controls.items() if control.is_spared}
        self._writer.want(wanted, self._fulfilled(image), at_once, insisted, spared)
        self._may_rest = self._writer.is_settled(wanted) and not any(
            control.limit.en for control in self._all_controls if control.point.id not in self._inhibited
        )
        self._settle_arrays([control.array for control in self._all_controls])
        self._settle_holdings()
        self._settled_authority = dict(self._authority)
        self._settled_inhibited = self._inhibited

    def _settle_arrays(self, arrays: list[PriorityArray]) -> None:
        self._settled_arrays = arrays
        shadows = [control.shadow for control in self._all_controls]
        self._rests_until = min((array.next_end for array in (*arrays, *shadows)), default=math.inf)

    def _keep_alive(self) -> None:
        """What time alone brings while everything stays as it is."""
        wire = self._clock.wire_time()
        self._writer.keep_alive(heartbeats(self._lifelines, self._ledger.holdings, (), wire))
        # A job may be lost with its connection: what is still due is asked for again.
        self._rests_until_wire = min(self._ledger.next_assertion(), next_beat(self._lifelines, wire))

    def _settle_holdings(self) -> None:
        self._settled_holdings = dict(self._ledger.holdings)
        self._rests_until_wire = min(self._ledger.next_assertion(), next_beat(self._lifelines, self._clock.wire_time()))

    def _measure(self, image: FrozenImage) -> None:
        if self.frozen is not None:
            period = image.monotonic - self.frozen.monotonic
            # A moving average over about twenty scans: what the view shows as the actual scan period.
            self.actual_period += 0.05 * (period - self.actual_period)
            self.longest_period = max(self.longest_period, period)
            if period > LATE_BY * max(self.actual_period, self._site.scan_every.total_seconds()):
                self._journal.note(EventKind.DAEMON, "scan", {"state": "scan late", "after_s": round(period, 3)})
        elif self._first is None:
            self._first = image.monotonic
        self.frozen = image

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
        self._conditions.update(
            {each: since for each, since in earlier._conditions.items() if each in self._conditions}
        )
        self._starting, self._next_start = earlier._starting & self.controls.keys(), earlier._next_start
        self.count, self.overruns = earlier.count, earlier.overruns
        self.actual_period, self.longest_period = earlier.actual_period, earlier.longest_period
        self._first = earlier._first

    def figures(self) -> dict[str, JsonValue]:
        """How the scans of this run came out: number, left out, mean and longest time from one to the next."""
        if self.frozen is None or self._first is None:
            return {"scans": self.count}
        mean = (self.frozen.monotonic - self._first) / max(1, self.count - 1)
        return {
            "scans": self.count,
            "scans_left_out": self.overruns.missed,
            "scan_overruns": self.overruns.count,
            "scan_period_mean_s": round(mean, 3),
            "scan_period_longest_s": round(self.longest_period, 3),
        }

    def _step(self, strategy: MountedStrategy, image: FrozenImage) -> None:
        changed = strategy.step(image)
        if strategy.ladders.changed:
            self._tell_rungs(strategy)
        if changed:
            self._tell(strategy)
        if strategy.fault is not None and not strategy.fault.lets_go:
            return  # nobody renews its leases: what it wished ends by itself
        if changed or strategy.is_lease_due(image.monotonic):
            self._place(strategy, image.monotonic)

    def _place(self, strategy: MountedStrategy, monotonic: float) -> None:
        mount = strategy.mount
        ends = strategy.renew_lease(monotonic)
        for _, point in strategy.outputs:
            control = self.controls[point]
            array = control.shadow if strategy.mode is Mode.SHADOW else control.array
            value = strategy.wishes.get(point)
            if value is None:
                array = array.without(mount.priority, strategy.source)
            else:
                array = array.with_command(
                    Command(point, value, mount.priority, strategy.source, ends, strategy.reason)
                )
            if strategy.mode is Mode.SHADOW:
                control.shadow = array
                self._rests_until = min(self._rests_until, ends)
            else:
                control.array = array

    def _wanted(self, image: FrozenImage, insisted: Collection[PointId]) -> dict[PointId, Scalar]:
        """The complete wish of all systems that are ours, remote bits and heartbeats included."""
        holdings, yielding = self._ledger.holdings, self._ledger.yielding.difference(insisted)
        wanted: dict[PointId, Scalar] = {}
        excluded = self._excluded(image, yielding)
        for id_, control in self.controls.items():
            inhibition = self._inhibited.get(id_)
            keeps = inhibition is not None and inhibition.keeps
            kept = kept_value(id_, control.writable, holdings) if keeps else None
            is_held = id_ in holdings and id_ not in yielding
            register = self._writer.wear.register(id_, holdings[id_] if is_held else None, image)
            wait = self._wait_of(id_, control, image.monotonic)
            beside = Beside(inhibition, kept, excluded.get(id_), register, wait)
            value = control.settle(image, is_held, self._rested_at, beside)
            self._note_start(id_, control, image.monotonic)
            control.note_since(image.monotonic)
            if value is not None and self._is_ours(control):
                wanted[id_] = value
        wanted, waiting = handed_over(self._machines, wanted, holdings, yielding)
        for id_, control in self.controls.items():
            control.waiting = waiting.get(id_, NO_TEXT)
        wanted.update(heartbeats(self._lifelines, holdings, wanted, self._clock.wire_time()))
        return wanted

    def _wait_of(self, point: PointId, control: Control, monotonic: float) -> float | None:
        """None for what is no motor, or not ours to start."""
        if point not in self._motors or not self._is_ours(control):
            return None
        return 0.0 if point in self._starting else max(0.0, self._next_start - monotonic)

    def _note_start(self, point: PointId, control: Control, monotonic: float) -> None:
        """Until it is seen to be on, it goes on starting."""
        if not control.is_starting:
            self._starting.discard(point)
        elif point not in self._starting:
            self._starting.add(point)
            self._next_start = monotonic + self._site.start_gap.total_seconds()

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

    def _fulfilled(self, image: FrozenImage) -> set[Condition]:
        """The release conditions that hold, for as long as each asks."""
        fulfilled: set[Condition] = set()
        for condition, since in self._conditions.items():
            if not condition.holds(image.samples[condition.point]):
                self._conditions[condition] = math.inf
                continue
            since = min(since, image.monotonic)
            self._conditions[condition] = since
            if image.monotonic - since >= condition.lasting.total_seconds():
                fulfilled.add(condition)
        return fulfilled

    def _tell_rungs(self, strategy: MountedStrategy) -> None:
        for rung in strategy.take_changed_rungs():
            states: dict[str, JsonValue] = {
                "input": str(rung.input),
                "before": rung.before.value,
                "now": rung.now.value,
            }
            body: dict[str, JsonValue] = {"step": "input", **states, "point": rung.point, "cause": rung.cause}
            self._journal.note(EventKind.STRATEGY, strategy.mount.id, body)

    def _tell(self, strategy: MountedStrategy) -> None:
        fault = None if strategy.awaits_plan else strategy.fault
        body: dict[str, JsonValue] = {
            "mode": strategy.mode.value,
            "reason": strategy.reason.en,
            "reason_zh": strategy.reason.zh,
            "wishes": {str(point): value for point, value in strategy.wishes.items()},
            "fault": None if fault is None else fault.description,
        }
        self._journal.note(EventKind.STRATEGY, strategy.mount.id, body)
