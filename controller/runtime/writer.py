"""The one writer. Nobody else calls Driver.write.

The scan states what it wants; the writer's task of each link brings the difference to the devices: intent stored,
written, read back. The next scan judges.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind
from controller.core.ledger import (
    RETRY_INSISTING_S,
    RETRY_LONGEST_S,
    Holding,
    Job,
    Step,
    Times,
    Verdict,
    fades_at,
    is_refreshed,
    judge,
    keep_job,
    leaving,
    next_job,
    release_job,
    stands_alike,
    written,
)
from controller.core.point import Effect, PointId, Writable, same_value
from controller.core.ports import Clock, WriteResult
from controller.core.sample import Quality, Sample, Scalar
from controller.core.site import Site
from controller.core.system import Authority, Condition, System
from controller.runtime.disk_watch import DiskWatch
from controller.runtime.image import FrozenImage, Image
from controller.runtime.journal import Journal
from controller.runtime.link import Session
from controller.runtime.places import Place, places_of
from controller.runtime.store import Store
from controller.runtime.stored import Held
from controller.runtime.wear_log import WearLog

log = logging.getLogger(__name__)

# Verdicts that somebody should look into.
_ALARMING = (Verdict.IGNORED, Verdict.OVERRIDDEN, Verdict.IMPLAUSIBLE)


class _Waiting(NamedTuple):
    """A wish that has not reached its device yet, and since when (monotonic)."""

    value: Scalar
    since: float


# What comes this many scan periods later than it should is told.
LATE_BY = 5.0


class Writer:
    """Holds what is ours at the devices. `holdings` changes only here."""

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
        self._store = store
        self._journal = journal
        self._authority = authority
        self._disk = disk
        self.holdings: dict[PointId, Holding] = {}
        self.wear = WearLog(site, clock, store)
        self.writes = 0
        self._places = places_of(site)
        self._shows_outcomes = frozenset(point for place in self._places.values() for point in place.outcomes)
        self._gone: set[PointId] = set()
        # The last wish, what of it life safety insists on, and who had each system then.
        self._wished: Mapping[PointId, Scalar] = {}
        self._insisted: frozenset[PointId] = frozenset()
        # Let go, and still in the store: the disk did not take that it is over.
        self._still_stored: set[PointId] = set()
        self._wished_under: Mapping[str, Authority] = {}
        self._alarms: dict[PointId, Verdict] = {}
        self._queues: dict[str, dict[PointId, Job]] = {link.id: {} for link in site.links}
        self._work = {link.id: asyncio.Event() for link in site.links}
        self._in_flight: set[PointId] = set()
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()
        self._is_retired = False
        self._waiting: dict[PointId, _Waiting] = {}
        self._late_after = LATE_BY * site.scan_every.total_seconds()
        # Commissioning: what is not refreshed on purpose, and until when by the wire's clock.
        self._silent: frozenset[PointId] = frozenset()
        self._silent_until = -math.inf

    # --- what the scan calls; no waiting here ------------------------------------------------------------------

    def adopt(self, held: Iterable[Held]) -> None:
        """Take over what an earlier run left at the devices; the first read-back shows whether it is still there."""
        for each in held:
            if each.point not in self._places:
                log.warning("point %s was held by an earlier run and is not in this site any more", each.point)
                continue
            self.holdings[each.point] = Holding(
                each.point,
                each.value,
                each.before,
                -math.inf,
                -math.inf,
                since=self._clock.monotonic(),
                adopted=True,
                earlier=each.earlier,
            )

    async def quiet(self) -> None:
        """Return once no bytes are on their way, and no intent is being stored."""
        while self._in_flight:
            await self._is_quiet.wait()

    @property
    def busy_links(self) -> set[str]:
        """Links on which bytes are on their way."""
        return {self._places[point].link for point in self._in_flight}

    def succeed(self, earlier: Writer) -> None:
        """Hold what the writer of an earlier configuration held; what had to be let go was let go before."""
        earlier._retire()
        self.holdings.clear()
        self.holdings.update({point: each for point, each in earlier.holdings.items() if point in self._places})
        self._alarms = {point: each for point, each in earlier._alarms.items() if point in self._places}
        self._gone = {point for point in earlier._gone if point in self._places}
        self._waiting = {point: each for point, each in earlier._waiting.items() if point in self._places}
        self._still_stored = earlier._still_stored
        self.writes = earlier.writes
        self.wear.succeed(earlier.wear)

    def _retire(self) -> None:
        """Links that stay connected are served by another writer."""
        self._is_retired = True
        for work in self._work.values():
            work.set()

    def judge(self, image: FrozenImage) -> None:
        """Compare what we hold with what the devices have shown since the last scan."""
        fresh = image.fresh
        if self._shows_outcomes.isdisjoint(fresh):
            return
        for point, holding in list(self.holdings.items()):
            place = self._places[point]
            if self._is_being_handed_back(place):
                continue
            sample = fresh.get(place.writable.readback)
            if sample is not None and not _is_the_same(holding, sample):
                if self._silent and self.is_silent(point) and holding.verdict is Verdict.OWNED:
                    # What changes while we say nothing is the device's dropping us, and nobody's override.
                    holding = holding._replace(adopted=True)
                judged = judge(holding, sample, place.writable, image.monotonic)
                if judged is None:
                    del self.holdings[point]
                    self._gone.add(point)
                    self._clear_alarms(holding)
                    continue
                self.holdings[point] = judged
                if judged.verdict is not holding.verdict:
                    self._tell(judged)
            effect = place.writable.effect
            if effect is not None and effect.point in fresh:
                self._look_for_effect(point, effect, image)

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
        if not self._silent.isdisjoint(self._insisted):
            self.speak_again()
        times = Times(self._clock.monotonic(), self._clock.wire_time())
        yielding, busy = self.yielding.difference(insisted), self._in_flight | self._gone
        for queue in self._queues.values():
            queue.clear()
        for point in self._gone - self._in_flight:
            self._queue(Job(point, Step.FORGET))
        self._note_wishes(wanted, times.monotonic)
        for point, value in wanted.items():
            place = self._places[point]
            # What is gone is forgotten first, so that taking it anew stores a new intent.
            if point in spared or (self._silent and self._keeps_silent(point, value, times.wire)):
                continue
            if point not in busy and point not in yielding and place.remote not in yielding:
                pause = RETRY_INSISTING_S if point in insisted else RETRY_LONGEST_S
                self._queue(next_job(point, place.writable, self.holdings.get(point), value, times, pause))
        for point, holding in self.holdings.items():
            if point not in wanted and point not in self._in_flight:
                self._queue(self._release_job(holding, wanted, fulfilled, times, is_at_once=point in at_once))

    def _note_wishes(self, wanted: Mapping[PointId, Scalar], monotonic: float) -> None:
        """Since when each wish waits to reach its device."""
        for point, value in wanted.items():
            holding = self.holdings.get(point)
            if holding is not None and self._has_arrived(value, holding):
                self._waiting.pop(point, None)
            elif point not in self._waiting or self._waiting[point].value != value:
                self._waiting[point] = _Waiting(value, monotonic)
        for point in self._waiting.keys() - wanted.keys():
            del self._waiting[point]

    def _has_arrived(self, value: Scalar, holding: Holding) -> bool:
        """Whether the wish is what was written; bytes on their way, or refused, have not arrived."""
        on_its_way = holding.written == math.inf or holding.verdict is Verdict.IGNORED
        return not on_its_way and same_value(value, holding.value, self._writable(holding.point).tolerance)

    @property
    def yielding(self) -> set[PointId]:
        """Points that somebody else changed and that we leave alone for the time being."""
        now = self._clock.monotonic()
        return {
            point
            for point, holding in self.holdings.items()
            if holding.verdict is Verdict.OVERRIDDEN and now - holding.since < self._places[point].yield_for
        }

    def is_settled(self, wanted: Mapping[PointId, Scalar]) -> bool:
        """Whether everything wished is owned, and nothing else is held or waits to be written.

        Heartbeats and what is written only once more, because the device would forget it, go on meanwhile.
        """
        return (
            self.holdings.keys() == wanted.keys()
            and not self._gone
            and all(self._is_refresh(job) for queue in self._queues.values() for job in queue.values())
            and all(
                self._is_settled(holding) and (self._is_heartbeat(point) or _has_gone_out(wanted[point], holding))
                for point, holding in self.holdings.items()
            )
        )

    def _is_settled(self, holding: Holding) -> bool:
        if holding.releasing or holding.adopted:
            return False
        return holding.verdict is Verdict.OWNED or self._is_beating(holding)

    def _is_beating(self, holding: Holding) -> bool:
        return self._is_heartbeat(holding.point) and holding.verdict is Verdict.PENDING

    def _is_heartbeat(self, point: PointId) -> bool:
        return self._places[point].is_heartbeat

    def _is_refresh(self, job: Job) -> bool:
        holding = self.holdings.get(job.point)
        if holding is None or job.step is not Step.WRITE:
            return False
        return self._is_heartbeat(job.point) or job.value == holding.value

    def stands_as(self, earlier: Mapping[PointId, Holding]) -> bool:
        """Whether what is held stands as it did, but for heartbeats and values written once more."""
        return self.holdings.keys() == earlier.keys() and all(
            holding is earlier[point]
            or stands_alike(holding, earlier[point])
            or (self._is_heartbeat(point) and self._is_settled(holding))
            for point, holding in self.holdings.items()
        )

    def keep_alive(self, beats: Mapping[PointId, Scalar]) -> None:
        """Between two wishes that are the same: heartbeats, and what the device would forget."""
        times = Times(self._clock.monotonic(), self._clock.wire_time())
        for point, holding in self.holdings.items():
            if point not in self._in_flight:
                value = beats.get(point, holding.value)
                if self._silent and self._keeps_silent(point, value, times.wire):
                    continue
                self._queue(next_job(point, self._writable(point), holding, value, times))

    def fall_silent(self, points: Collection[PointId], until: float) -> None:
        """For commissioning: `points` are not refreshed, and what their device drops is not taken again, before
        `until` (wire time) or `speak_again`. Letting go, and a value that is another one, are never held back; life
        safety ends it."""
        if self._insisted.isdisjoint(points):
            self._silent, self._silent_until = frozenset(points), until

    def speak_again(self) -> None:
        self._silent, self._silent_until = frozenset(), -math.inf

    def is_silent(self, point: PointId) -> bool:
        return point in self._silent and self._clock.wire_time() < self._silent_until

    def _keeps_silent(self, point: PointId, value: Scalar, wire: float) -> bool:
        if point not in self._silent or wire >= self._silent_until:
            return False
        holding = self.holdings.get(point)
        return holding is None or self._is_heartbeat(point) or same_value(holding.value, value, 0.0)

    def next_assertion(self) -> float:
        """Wire time at which the next volatile value is to be written again."""
        return min(
            (fades_at(holding, self._writable(point)) for point, holding in self.holdings.items()), default=math.inf
        )

    def is_in_flight(self, point: PointId) -> bool:
        return point in self._in_flight

    def held_of(self, system: System) -> list[PointId]:
        return [point for point in system.points if point in self.holdings]

    def hand_back(self, point: PointId) -> None:
        """A person says that what was overridden is ours again: the point, or the machine that it belongs to."""
        remote = self._places[point].remote or point
        for each in {point, remote, *self._places[remote].hands_over}:
            holding = self.holdings.get(each)
            if holding is not None and holding.verdict is Verdict.OVERRIDDEN:
                self.holdings[each] = holding._replace(since=-math.inf)

    # --- one task a link ----------------------------------------------------------------------------------------

    async def serve(self, session: Session) -> None:
        """Execute the link's jobs as they come; ends where another writer succeeds this one, else only by cancellation
        or DeviceError."""
        link = session.link.id
        self._queues[link].clear()  # asked for before the link was there and its devices were looked at
        while True:
            await self._work[link].wait()
            if self._is_retired:
                return
            self._work[link].clear()
            jobs = list(self._queues[link].values())
            self._queues[link].clear()
            if not jobs:
                continue
            self._in_flight.update(job.point for job in jobs)
            self._is_quiet.clear()
            try:
                for each in _letting_go_first(jobs):
                    await self._execute(session, each)
            finally:
                self._in_flight.difference_update(job.point for job in jobs)
                if not self._in_flight:
                    self._is_quiet.set()

    async def _execute(self, session: Session, jobs: Sequence[Job]) -> None:
        under = self._wished_under
        gone = [job.point for job in jobs if job.step is Step.FORGET]
        if gone:
            await self._forget(gone)
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
            await self._store_intents(writes, new)
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
                self.holdings.update({job.point: leaving(before[job.point], job) for job in writes})
                with session.calls.during("write"):
                    results = await session.driver.write({job.point: job.value for job in writes})
        for job in writes:
            self._written(job, before[job.point], results[job.point])
        if unwritten := new.keys() - results.keys():
            await self._forget_stored([*unwritten])
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

    async def _store_intents(self, writes: Sequence[Job], new: Mapping[PointId, Holding]) -> None:
        """Nothing is held that the store does not know of."""
        intents = [Held(point, holding.value, holding.before) for point, holding in new.items()]
        for job in writes:
            holding = self.holdings.get(job.point)
            if holding is None or job.value is None or job.step is not Step.WRITE or self._is_heartbeat(job.point):
                continue
            if not same_value(holding.value, job.value, 0.0):
                intents.append(Held(job.point, job.value, holding.before, holding.value))
        if intents:
            self._still_stored.difference_update(each.point for each in intents)
            await self._store.save_held(intents)

    def _written(self, job: Job, before: Holding, result: WriteResult) -> None:
        times = Times(self._clock.monotonic(), self._clock.wire_time())
        self.writes += 1
        holding = written(before, job, None if result.accepted else result.reason, times)
        self.holdings[job.point] = holding
        if before.effect_missing and not holding.effect_missing:
            self._note_alarm(job.point, "effect missing", "cleared")
        if not is_refreshed(before, job, result.accepted) and not self._is_heartbeat(job.point):
            body = {"step": job.step.value, "value": job.value, "accepted": result.accepted, "reason": result.reason}
            self._journal.note(EventKind.COMMAND, job.point, body)
        if result.accepted:
            self._look_at_delay(job, times.monotonic)
        self._look_at_verdict(holding)

    def _look_at_delay(self, job: Job, monotonic: float) -> None:
        """A wish that reached its device late is told: the link, the disk or the machine could not keep up."""
        waiting = self._waiting.get(job.point)
        if waiting is None or waiting.value != job.value:
            return  # an older wish was on its way; the present one still waits
        del self._waiting[job.point]
        delay = monotonic - waiting.since
        if delay > self._late_after:
            self._journal.note(EventKind.DAEMON, job.point, {"state": "write late", "after_s": round(delay, 3)})

    async def _forget(self, points: Sequence[PointId]) -> None:
        """What was let go. A remote bit takes with it everything that it handed over, but for what was ignored: how
        often that has been tried stays known."""
        gone = [*points]
        for point in points:
            gone.extend(each for each in self._places[point].hands_over if not self._is_ignored(each))
        await self._forget_stored(gone)
        for point in gone:
            self._gone.discard(point)
            holding = self.holdings.pop(point, None)
            if holding is None:
                continue
            self._clear_alarms(holding)
            if not self._is_heartbeat(point):
                body = {"before": holding.before, "verdict": holding.verdict.value}
                self._journal.note(EventKind.RELEASE, point, body)

    async def _forget_stored(self, points: Sequence[PointId]) -> None:
        if self._disk.is_failing:
            self._still_stored.update(points)
            return
        try:
            await self._store.forget_held(points)
        except EnvironmentProblem as error:
            # Letting go does not wait for a disk; what is still listed is looked at by the next start.
            log.warning("what was let go stays in the store: %s", error)
            self._still_stored.update(points)

    async def forget_what_is_over(self) -> None:
        """What was let go while the disk did not take it. Raises EnvironmentProblem."""
        over = [*self._still_stored]
        if over:
            await self._store.forget_held(over)
            self._still_stored.difference_update(over)

    def _is_ignored(self, point: PointId) -> bool:
        holding = self.holdings.get(point)
        return holding is not None and holding.verdict is Verdict.IGNORED

    # --- the parts ----------------------------------------------------------------------------------------------

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
            return None if self._is_being_handed_back(place) else keep_job(holding, place.writable, times)
        pause = RETRY_INSISTING_S if is_at_once else RETRY_LONGEST_S
        return release_job(holding, place.writable, self.holdings, place.remote in wanted, times, pause)

    def _queue(self, job: Job | None) -> None:
        if job is not None:
            link = self._places[job.point].link
            self._queues[link][job.point] = job
            self._work[link].set()

    def _is_being_handed_back(self, place: Place) -> bool:
        """Whether what the device shows may be its own controls' doing already."""
        remote = None if place.remote is None else self.holdings.get(place.remote)
        return remote is not None and remote.releasing

    def _look_for_effect(self, point: PointId, effect: Effect, image: FrozenImage) -> None:
        holding = self.holdings[point]
        if holding.verdict is not Verdict.OWNED or holding.releasing:
            return
        sample = image.samples[effect.point]
        if not sample.is_good:
            return
        is_late = image.monotonic - holding.since > effect.within.total_seconds()
        missing = is_late and not same_value(sample.value, holding.value, effect.tolerance)
        if missing != holding.effect_missing:
            self.holdings[point] = holding._replace(effect_missing=missing)
            self._note_alarm(point, "effect missing", "active" if missing else "cleared")

    def _tell(self, holding: Holding) -> None:
        if not self._is_heartbeat(holding.point) or holding.verdict in _ALARMING:
            body = {"verdict": holding.verdict.value, "written": holding.value, "read": holding.seen}
            self._journal.note(EventKind.VERDICT, holding.point, body)
        self._look_at_verdict(holding)

    def _look_at_verdict(self, holding: Holding) -> None:
        """An alarm is raised once, however often the write is tried again, and cleared once it is over."""
        point, verdict = holding.point, holding.verdict
        present = self._alarms.get(point)
        if verdict is Verdict.PENDING or verdict is present:
            return
        if present is not None:
            del self._alarms[point]
            self._note_alarm(point, present.value, "cleared")
        if verdict in _ALARMING:
            self._alarms[point] = verdict
            self._note_alarm(point, verdict.value, "active")
            log.warning(
                "%s: %s: written %s, read %s %s", point, verdict.value, holding.value, holding.seen, holding.refusal
            )

    def _clear_alarms(self, holding: Holding) -> None:
        verdict = self._alarms.pop(holding.point, None)
        if verdict is not None:
            self._note_alarm(holding.point, verdict.value, "cleared")
        if holding.effect_missing:
            self._note_alarm(holding.point, "effect missing", "cleared")

    def _note_alarm(self, point: PointId, alarm: str, state: str) -> None:
        self._journal.note(EventKind.ALARM, point, {"alarm": alarm, "state": state})

    def _writable(self, point: PointId) -> Writable:
        return self._places[point].writable


def _is_the_same(holding: Holding, sample: Sample) -> bool:
    """Whether an owned point shows what it showed: the common case, told apart at once."""
    return (
        holding.verdict is Verdict.OWNED
        and sample.value == holding.seen
        and sample.quality is Quality.GOOD
        and not holding.adopted
        and not holding.releasing
    )


def _has_gone_out(wanted: Scalar, holding: Holding) -> bool:
    """Whether the bytes of this very wish have left; while others are on their way it is not even queued."""
    return wanted == holding.value and holding.written < math.inf


def _letting_go_first(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    """Letting go does not wait until the intents of other writes are on the disk."""
    going = [job for job in jobs if job.step is Step.RELEASE]
    others = [job for job in jobs if job.step is not Step.RELEASE]
    return [each for each in (going, others) if each]
