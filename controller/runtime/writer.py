"""The one writer. Nobody else calls Driver.write.

The scan states what it wants; the writer's task of each link brings the difference to the devices: intent stored,
written, read back. The next scan judges.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller.core.errors import DeviceError, DeviceTimeout
from controller.core.event import EventKind
from controller.core.handover import ReleaseOrder, machines_of
from controller.core.ledger import Holding, Job, Step, Times, Verdict, judge, next_job, release_job
from controller.core.point import Effect, Heartbeat, Point, PointId, RemoteBit, Writable, same_value
from controller.core.ports import Clock, WriteResult
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority, Condition, System
from controller.runtime.image import FrozenImage, Image
from controller.runtime.journal import Journal
from controller.runtime.link import LONGEST_CALL_S, Session
from controller.runtime.store import Held, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """What the writer must know of a point. hands_over: the points that follow it, if it is a remote bit."""

    writable: Writable
    link: str
    system: System
    order: ReleaseOrder
    yield_for: float
    remote: PointId | None
    hands_over: tuple[PointId, ...]


def _places_of(site: Site) -> dict[PointId, _Place]:
    link_of = {point: link.id for link in site.links for device in link.devices for point in device.points}
    machines = {
        machine.remote: machine.points
        for machine in machines_of(point for point in site.points.values() if point.writable is not None)
    }
    places: dict[PointId, _Place] = {}
    for system in site.systems:
        order = ReleaseOrder(system)
        for point in system.points:
            writable = writable_of(site.points[point])
            remote = writable.release.point if isinstance(writable.release, RemoteBit) else None
            places[point] = _Place(
                writable,
                link_of[point],
                system,
                order,
                system.yield_for.total_seconds(),
                remote,
                machines.get(point, ()),
            )
    return places


class Writer:
    """Holds what is ours at the devices. `holdings` changes only here."""

    def __init__(
        self, site: Site, clock: Clock, image: Image, store: Store, journal: Journal, authority: Mapping[str, Authority]
    ) -> None:
        self._clock = clock
        self._image = image
        self._store = store
        self._journal = journal
        self._authority = authority
        self.holdings: dict[PointId, Holding] = {}
        self.writes = 0
        self._places = _places_of(site)
        self._heartbeats = {
            point.writable.on_silence.point
            for point in site.points.values()
            if point.writable is not None and isinstance(point.writable.on_silence, Heartbeat)
        }
        self._gone: set[PointId] = set()
        self._queues: dict[str, dict[PointId, Job]] = {link.id: {} for link in site.links}
        self._work = {link.id: asyncio.Event() for link in site.links}
        self._in_flight: set[PointId] = set()

    # --- what the scan calls; no waiting here ------------------------------------------------------------------

    def adopt(self, held: Iterable[Held]) -> None:
        """Take over what an earlier run left at the devices; the first read-back shows whether it is still there."""
        for each in held:
            if each.point not in self._places:
                log.warning("point %s was held by an earlier run and is not in this site any more", each.point)
                continue
            self.holdings[each.point] = Holding(
                each.point, each.value, each.before, -math.inf, -math.inf, since=self._clock.monotonic(), adopted=True
            )

    def judge(self, image: FrozenImage) -> None:
        """Compare what we hold with what the devices have shown since the last scan."""
        for point, holding in list(self.holdings.items()):
            place = self._places[point]
            if self._is_being_handed_back(place):
                continue
            if place.writable.readback in image.fresh:
                judged = judge(holding, image.samples[place.writable.readback], place.writable, image.monotonic)
                if judged is None:
                    del self.holdings[point]
                    self._gone.add(point)
                    continue
                self.holdings[point] = judged
                if judged.verdict is not holding.verdict:
                    self._tell(judged)
            if place.writable.effect is not None:
                self._look_for_effect(point, place.writable.effect, image)

    def want(self, wanted: Mapping[PointId, Scalar], fulfilled: Collection[Condition]) -> None:
        """State the complete wish; everything held that is not in it is let go, in its system's order."""
        times = Times(self._clock.monotonic(), self._clock.wire_time())
        yielding = self.yielding
        for queue in self._queues.values():
            queue.clear()
        for point in self._gone:
            self._queue(Job(point, Step.FORGET))
        for point, value in wanted.items():
            place = self._places[point]
            if point not in self._in_flight and point not in yielding and place.remote not in yielding:
                self._queue(next_job(point, place.writable, self.holdings.get(point), value, times))
        for point, holding in self.holdings.items():
            if point not in wanted and point not in self._in_flight:
                self._queue(self._release_job(holding, wanted, fulfilled, times))

    @property
    def yielding(self) -> set[PointId]:
        """Points that somebody else changed and that we leave alone for the time being."""
        now = self._clock.monotonic()
        return {
            point
            for point, holding in self.holdings.items()
            if holding.verdict is Verdict.OVERRIDDEN and now - holding.since < self._places[point].yield_for
        }

    def held_of(self, system: System) -> list[PointId]:
        return [point for point in system.points if point in self.holdings]

    def hand_back(self, points: Iterable[PointId]) -> None:
        """A person says that an overridden point is ours again."""
        for point in points:
            holding = self.holdings.get(point)
            if holding is not None and holding.verdict is Verdict.OVERRIDDEN:
                self.holdings[point] = holding._replace(since=-math.inf)

    # --- one task a link ----------------------------------------------------------------------------------------

    async def serve(self, session: Session) -> None:
        """Execute the link's jobs as they come; ends only by cancellation or DeviceError."""
        link = session.link.id
        while True:
            await self._work[link].wait()
            self._work[link].clear()
            jobs = list(self._queues[link].values())
            self._queues[link].clear()
            if not jobs:
                continue
            self._in_flight.update(job.point for job in jobs)
            try:
                await self._execute(session, jobs)
            finally:
                self._in_flight.difference_update(job.point for job in jobs)

    async def _execute(self, session: Session, jobs: Sequence[Job]) -> None:
        gone = [job.point for job in jobs if job.step is Step.FORGET]
        if gone:
            await self._forget(gone)
        writes = [job for job in jobs if job.step is not Step.FORGET and self._gate_is_open(job)]
        if not writes:
            return
        await self._store_intents(writes)
        results = await self._write(session, {job.point: job.value for job in writes})
        for job in writes:
            self._written(job, results[job.point])
        self._image.put(await session.read([self._writable(job.point).readback for job in writes]))

    def _gate_is_open(self, job: Job) -> bool:
        """In `original` we may only let go, whatever was queued before the switch."""
        return job.step is Step.RELEASE or self._authority[self._places[job.point].system.id] is Authority.TIDEWATT

    async def _store_intents(self, writes: Sequence[Job]) -> None:
        intents: list[Held] = []
        for job in writes:
            holding = self.holdings.get(job.point)
            if job.step is not Step.WRITE or job.value is None:
                continue
            if holding is None:
                holding = self._new_holding(job.point, job.value)
                self.holdings[job.point] = holding
            elif job.point in self._heartbeats or same_value(holding.value, job.value, 0.0):
                continue
            intents.append(Held(job.point, job.value, holding.before))
        if intents:
            await self._store.save_held(intents)

    def _new_holding(self, point: PointId, value: Scalar) -> Holding:
        present = self._image.freeze().samples[self._writable(point).readback]
        before = present.value if present.is_good else None
        # `written` in the future: nothing read until the bytes have left can be a read-back.
        return Holding(point, value, before, math.inf, -math.inf, since=self._clock.monotonic())

    async def _write(self, session: Session, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        async with session.lock:
            try:
                async with asyncio.timeout(LONGEST_CALL_S):
                    return await session.driver.write(values)
            except DeviceError:
                raise
            except TimeoutError as error:
                raise DeviceTimeout(session.link.id, "write", f"no answer within {LONGEST_CALL_S:g} s") from error

    def _written(self, job: Job, result: WriteResult) -> None:
        before = self.holdings[job.point]
        monotonic, wire = self._clock.monotonic(), self._clock.wire_time()
        self.writes += 1
        value = before.value if job.value is None else job.value
        again = same_value(before.value, value, 0.0) and before.written < math.inf
        refreshed = again and before.verdict is Verdict.OWNED and job.step is Step.WRITE and result.accepted
        verdict = Verdict.OWNED if refreshed else Verdict.PENDING
        self.holdings[job.point] = before._replace(
            value=value,
            written=monotonic,
            asserted=wire,
            verdict=verdict if result.accepted else Verdict.IGNORED,
            since=before.since if refreshed else monotonic,
            seen=None,
            attempts=before.attempts + 1 if again and not refreshed else 1,
            adopted=False,
            releasing=job.step is Step.RELEASE,
            refusal=result.reason,
            effect_missing=False,
        )
        if not refreshed and job.point not in self._heartbeats:
            body = {"step": job.step.value, "value": job.value, "accepted": result.accepted, "reason": result.reason}
            self._journal.note(EventKind.COMMAND, job.point, body)

    async def _forget(self, points: Sequence[PointId]) -> None:
        """What was let go. A remote bit takes with it everything that it handed over."""
        gone = [each for point in points for each in (point, *self._places[point].hands_over)]
        await self._store.forget_held(gone)
        for point in gone:
            self._gone.discard(point)
            holding = self.holdings.pop(point, None)
            if holding is not None and point not in self._heartbeats:
                body = {"before": holding.before, "verdict": holding.verdict.value}
                self._journal.note(EventKind.RELEASE, point, body)

    # --- the parts ----------------------------------------------------------------------------------------------

    def _release_job(
        self, holding: Holding, wanted: Mapping[PointId, Scalar], fulfilled: Collection[Condition], times: Times
    ) -> Job | None:
        place = self._places[holding.point]
        if not place.order.may_let_go(holding.point, self.holdings, fulfilled):
            return None
        return release_job(holding, place.writable, self.holdings, place.remote in wanted, times)

    def _queue(self, job: Job | None) -> None:
        if job is not None:
            link = self._places[job.point].link
            self._queues[link][job.point] = job
            self._work[link].set()

    def _is_being_handed_back(self, place: _Place) -> bool:
        """Whether what the device shows may be its own controls' doing already."""
        remote = None if place.remote is None else self.holdings.get(place.remote)
        return remote is not None and remote.releasing

    def _look_for_effect(self, point: PointId, effect: Effect, image: FrozenImage) -> None:
        holding = self.holdings[point]
        if holding.verdict is not Verdict.OWNED or holding.releasing:
            return
        sample = image.samples[effect.point]
        is_late = image.monotonic - holding.since > effect.within.total_seconds()
        missing = is_late and sample.is_good and not same_value(sample.value, holding.value, effect.tolerance)
        if missing != holding.effect_missing:
            self.holdings[point] = holding._replace(effect_missing=missing)
            state = "active" if missing else "cleared"
            self._journal.note(
                EventKind.ALARM, point, {"alarm": "effect missing", "state": state, "effect": effect.point}
            )

    def _tell(self, holding: Holding) -> None:
        if holding.point in self._heartbeats and holding.verdict in (Verdict.PENDING, Verdict.OWNED):
            return
        body = {"verdict": holding.verdict.value, "written": holding.value, "read": holding.seen}
        self._journal.note(EventKind.VERDICT, holding.point, body)
        if holding.verdict in (Verdict.IGNORED, Verdict.OVERRIDDEN, Verdict.IMPLAUSIBLE):
            log.warning(
                "%s: %s: written %s, read %s", holding.point, holding.verdict.value, holding.value, holding.seen
            )
            self._journal.note(EventKind.ALARM, holding.point, {"alarm": holding.verdict.value, "state": "active"})

    def _writable(self, point: PointId) -> Writable:
        return self._places[point].writable


def writable_of(point: Point) -> Writable:
    if point.writable is None:
        raise AssertionError(f"{point.id} is not writable and can never be held")
    return point.writable
