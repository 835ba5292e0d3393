"""The one writer. Nobody else calls Driver.write.

The scan states what it wants; the writer's task of each link brings the difference to the devices: intent stored,
written, read back. The next scan judges.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from controller.core.errors import EnvironmentProblem
from controller.core.ledger import (
    RETRY_INSISTING_S,
    RETRY_LONGEST_S,
    Holding,
    Job,
    Step,
    Times,
    keep_job,
    next_job,
    release_job,
)
from controller.core.point import PointId, Writable
from controller.core.ports import Clock, WriteResult
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority, Condition
from controller.runtime.delays import Delays
from controller.runtime.deliberate_silence import DeliberateSilence
from controller.runtime.disk_watch import DiskWatch
from controller.runtime.image import Image
from controller.runtime.intents import Intents, intents_of
from controller.runtime.job_queues import JobQueues
from controller.runtime.journal import Journal
from controller.runtime.ledger import Ledger
from controller.runtime.link import Session
from controller.runtime.places import places_of
from controller.runtime.store import Store
from controller.runtime.wear_log import WearLog


class Writer:
    def __init__(
        self,
        site: Site,
        clock: Clock,
        image: Image,
        store: Store,
        journal: Journal,
        authority: Mapping[str, Authority],
        disk: DiskWatch,
    ) -> None:
        """disk: is told where an intent cannot be stored."""
        self._clock = clock
        self._image = image
        self._authority = authority
        self._disk = disk
        self._places = places_of(site)
        self._silence = DeliberateSilence(clock)
        self.ledger = Ledger(self._places, clock, journal, self._silence)
        self.intents = Intents(store, disk)
        self.wear = WearLog(site, clock, store)
        self.writes = 0
        self._delays = Delays(site, self._places, journal)
        self._queues = JobQueues(link.id for link in site.links)
        # The last wish, what of it life safety insists on, and who had each system then.
        self._wished: Mapping[PointId, Scalar] = {}
        self._insisted: frozenset[PointId] = frozenset()
        self._wished_under: Mapping[str, Authority] = {}

    @property
    def holdings(self) -> Mapping[PointId, Holding]:
        """What is ours at the devices."""
        return self.ledger.holdings

    async def quiet(self) -> None:
        """Return once no bytes are on their way, and no intent is being stored."""
        await self._queues.quiet()

    @property
    def busy_links(self) -> set[str]:
        """Links on which bytes are on their way."""
        return {self._places[point].link for point in self._queues.in_flight}

    def succeed(self, earlier: Writer) -> None:
        """Go on where the writer of an earlier configuration was, which writes no more."""
        earlier._queues.close()
        self.ledger.succeed(earlier.ledger)
        self._delays.succeed(earlier._delays)
        self.intents.succeed(earlier.intents)
        self.wear.succeed(earlier.wear)
        self.writes = earlier.writes

    # --- what the scan calls; no waiting here ------------------------------------------------------------------

    def want(
        self,
        wanted: Mapping[PointId, Scalar],
        fulfilled: Collection[Condition],
        at_once: Collection[PointId] = (),
        insisted: Collection[PointId] = (),
        spared: Collection[PointId] = (),
    ) -> None:
        """State the complete wish; everything held that is not in it is let go, in its system's order.

        at_once: points that wait for no order. insisted: points that are written whoever overrode them. spared: points
        that stay as they are, whatever became of their last write.
        """
        self._wished_under = dict(self._authority)
        self._wished, self._insisted = wanted, frozenset(insisted)
        if not self._silence.points.isdisjoint(self._insisted):
            self._silence.end()
        times, in_flight = self._times(), self._queues.in_flight
        holdings, gone = self.ledger.holdings, self.ledger.gone
        yielding, busy = self.ledger.yielding.difference(insisted), in_flight | gone
        self._queues.clear()
        for point in gone - in_flight:
            self._queue(Job(point, Step.FORGET))
        unsettled = self.ledger.unsettled(wanted, times.wire)
        self._delays.note_wishes(unsettled, holdings, times.monotonic)
        for point, value in unsettled.items():
            # What is gone is forgotten first, so that taking it anew stores a new intent.
            if point in spared or point in busy or self._is_held_back(point, value):
                continue
            if point not in yielding and self._places[point].remote not in yielding:
                pause = RETRY_INSISTING_S if point in insisted else RETRY_LONGEST_S
                self._queue(next_job(point, self._writable(point), holdings.get(point), value, times, pause))
        for point, holding in holdings.items():
            if point not in wanted and point not in in_flight:
                self._queue(self._release_job(holding, wanted, fulfilled, times, is_at_once=point in at_once))

    def keep_alive(self, beats: Mapping[PointId, Scalar]) -> None:
        """Between two wishes that are the same: heartbeats, and what the device would forget."""
        times = self._times()
        for point, holding in self.holdings.items():
            value = beats.get(point, holding.value)
            if point not in self._queues.in_flight and not self._is_held_back(point, value):
                self._queue(next_job(point, self._writable(point), holding, value, times))

    def is_settled(self, wanted: Mapping[PointId, Scalar]) -> bool:
        """Whether everything wished is owned, and nothing else is held or waits to be written.

        Heartbeats and what is written only once more, because the device would forget it, go on meanwhile.
        """
        return all(map(self.ledger.is_refresh, self._queues.queued)) and self.ledger.is_settled(wanted)

    def awaited_read_backs(self) -> set[PointId]:
        """Where the devices will show what is to be written next, but for what is only written once more."""
        return {
            self._writable(job.point).readback
            for job in self._queues.queued
            if job.step is Step.WRITE and not self.ledger.is_refresh(job)
        }

    def is_in_flight(self, point: PointId) -> bool:
        return point in self._queues.in_flight

    def _release_job(
        self,
        holding: Holding,
        wanted: Mapping[PointId, Scalar],
        fulfilled: Collection[Condition],
        times: Times,
        *,
        is_at_once: bool,
    ) -> Job | None:
        place = self._places[holding.point]
        if not is_at_once and not place.order.may_let_go(holding.point, self.holdings, fulfilled):
            is_handed_back = self.ledger.is_being_handed_back(place)
            return None if is_handed_back else keep_job(holding, place.writable, times)
        pause = RETRY_INSISTING_S if is_at_once else RETRY_LONGEST_S
        return release_job(holding, place.writable, self.holdings, place.remote in wanted, times, pause)

    def _queue(self, job: Job | None) -> None:
        if job is not None:
            self._queues.put(self._places[job.point].link, job)

    # --- silence on purpose -------------------------------------------------------------------------------------

    def fall_silent(self, points: Collection[PointId], until: float) -> None:
        """For commissioning: `points` are not refreshed, and what their device drops is not taken again, before
        `until` (wire time) or `speak_again`. Letting go, and a value that is another one, are never held back; life
        safety ends it."""
        if self._insisted.isdisjoint(points):
            self._silence.begin(points, until)

    def speak_again(self) -> None:
        self._silence.end()

    def is_silent(self, point: PointId) -> bool:
        return self._silence.covers(point)

    def _is_held_back(self, point: PointId, value: Scalar) -> bool:
        return self._silence.holds_back(self._places[point], point, value, self.holdings.get(point))

    # --- one task a link ----------------------------------------------------------------------------------------

    async def serve(self, session: Session) -> None:
        """Execute the link's jobs as they come; ends where another writer succeeds this one, else only by cancellation
        or DeviceError."""
        link = session.link.id
        self._queues.clear_link(link)  # asked for before the link was there and its devices were looked at
        await self.intents.forget_what_never_left()
        while jobs := await self._queues.next(link):
            with self._queues.at_work(jobs):
                for each in _letting_go_first(jobs):
                    await self._execute(session, each)

    async def _execute(self, session: Session, jobs: Sequence[Job]) -> None:
        under = self._wished_under
        await self._forget([job.point for job in jobs if job.step is Step.FORGET])
        writes = [
            job
            for job in jobs
            # What the driver may not write yet is wished again in the next scan.
            if job.step is not Step.FORGET and job.point in session.may_write and self._gate_is_open(job, under)
        ]
        new = {
            job.point: self._new_holding(job.point, job.value)
            for job in writes
            if job.step is Step.WRITE and job.value is not None and job.point not in self.holdings
        }
        self.wear.count([job.point for job in writes])
        try:
            await self._keep_and_write(session, writes, new, under)
        except BaseException:
            # The connection has ended, at whatever point: no bytes of what is not held now have left.
            self.intents.note_never_left(new.keys() - self.holdings.keys())
            raise

    async def _keep_and_write(
        self, session: Session, writes: Sequence[Job], new: Mapping[PointId, Holding], under: Mapping[str, Authority]
    ) -> None:
        """The bytes leave once the store knows of them. new: points that are not held yet."""
        try:
            await self.intents.keep(intents_of(writes, new, self.holdings, self._places))
            if any(job.step is not Step.RELEASE for job in writes):
                await self.wear.save()  # letting go does not wait for a disk
        except EnvironmentProblem as error:
            self._disk.failed(str(error))
            writes = [job for job in writes if self._needs_no_intent(job)]
        async with session.lock:
            # While we waited a system may have been handed back, or a point be gone.
            before = {**new, **self.holdings}
            writes = [job for job in writes if job.point in before and self._gate_is_open(job, under)]
            results: Mapping[PointId, WriteResult] = {}
            if writes:
                self.ledger.note_leaving(writes, before)
                with session.calls.during("write"):
                    await session.advance()
                    results = await session.driver.write({job.point: job.value for job in writes})
        for job in writes:
            self._note_written(job, before[job.point], results[job.point])
        if unwritten := new.keys() - results.keys():
            await self.intents.forget([*unwritten])
        if writes:
            self._image.put_unless_older(await session.read([self._writable(job.point).readback for job in writes]))

    def _needs_no_intent(self, job: Job) -> bool:
        """Letting go, and what keeps the device from dropping a point before its turn to be let go."""
        return job.step is not Step.WRITE or (self._is_heartbeat(job.point) and job.point in self.holdings)

    def _gate_is_open(self, job: Job, under: Mapping[str, Authority]) -> bool:
        """In `original` we may only let go; a heartbeat goes on meanwhile.

        What was wished before any switch is not written after it: who may wish may have changed. Nor is what nobody
        wishes any more, or life safety otherwise: a fire or a lock may have come meanwhile. under: the authorities
        when it was wished.
        """
        if self._needs_no_intent(job):
            return True
        if job.point not in self._wished or (job.point in self._insisted and self._wished[job.point] != job.value):
            return False
        system = self._places[job.point].system.id
        return self._authority[system] is not Authority.ORIGINAL and self._authority[system] is under.get(system)

    def _new_holding(self, point: PointId, value: Scalar) -> Holding:
        present = self._image.present[self._writable(point).readback]
        before = present.value if present.is_good else None
        return Holding(point, value, before, math.inf, -math.inf, since=self._clock.monotonic())

    def _note_written(self, job: Job, before: Holding, result: WriteResult) -> None:
        self.writes += 1
        self.ledger.note_written(job, before, result)
        if result.accepted:
            self._delays.note_written(job, self._clock.monotonic())

    async def _forget(self, points: Sequence[PointId]) -> None:
        if points:
            gone = self.ledger.with_what_they_hand_over(points)
            await self.intents.forget(gone)
            self.ledger.note_let_go(gone)

    def _times(self) -> Times:
        return Times(self._clock.monotonic(), self._clock.wire_time())

    def _writable(self, point: PointId) -> Writable:
        return self._places[point].writable

    def _is_heartbeat(self, point: PointId) -> bool:
        return self._places[point].is_heartbeat


def _letting_go_first(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    """Letting go does not wait until the intents of other writes are on the disk."""
    going = [job for job in jobs if job.step is Step.RELEASE]
    others = [job for job in jobs if job.step is not Step.RELEASE]
    return [each for each in (going, others) if each]
