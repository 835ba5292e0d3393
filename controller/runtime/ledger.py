"""What is ours at the devices, and whether it is believed.

The rules stand in core/ledger.py; here is what they are applied to. The writer notes what it writes and lets go, and
each frozen image shows what became of it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterable, Mapping

from controller.core.event import EventKind
from controller.core.ledger import (
    Holding,
    Job,
    Step,
    Times,
    Verdict,
    fades_at,
    is_refreshed,
    judge,
    leaving,
    stands,
    stands_alike,
    written,
)
from controller.core.point import Effect, PointId, same_value
from controller.core.ports import Clock, WriteResult
from controller.core.sample import Quality, Sample, Scalar
from controller.core.system import System
from controller.runtime.deliberate_silence import DeliberateSilence
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.places import Place
from controller.runtime.stored import Held
from controller.runtime.verdict_alarms import VerdictAlarms

log = logging.getLogger(__name__)


class Ledger:
    """`holdings` changes only here. gone: what turned out to be dropped, and the store does not know yet."""

    def __init__(
        self, places: Mapping[PointId, Place], clock: Clock, journal: Journal, silence: DeliberateSilence
    ) -> None:
        self._places = places
        self._clock = clock
        self._journal = journal
        self._silence = silence
        self._alarms = VerdictAlarms(journal)
        self._shown_by: dict[PointId, list[PointId]] = {}
        for point, place in places.items():
            for outcome in place.outcomes:
                self._shown_by.setdefault(outcome, []).append(point)
        self._outcomes = frozenset(self._shown_by)
        self.holdings: dict[PointId, Holding] = {}
        self.gone: set[PointId] = set()
        # What has been judged for good: only another holding or reading can bring another verdict.
        self._judged: dict[PointId, Holding] = {}

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

    def succeed(self, earlier: Ledger) -> None:
        """Hold what was held under an earlier configuration; what had to be let go was let go before."""
        self.holdings.clear()
        self.holdings.update({point: each for point, each in earlier.holdings.items() if point in self._places})
        self.gone = {point for point in earlier.gone if point in self._places}
        self._alarms.succeed(earlier._alarms, self._places)

    # --- what the devices show ------------------------------------------------------------------------------------

    def judge(self, image: FrozenImage) -> None:
        """Compare what we hold with what the devices have shown since the last scan."""
        fresh = image.fresh
        if self._outcomes.isdisjoint(fresh):
            return
        for point, holding in self._to_be_judged(image.changed):
            place = self._places[point]
            self._judged.pop(point, None)
            if self.is_being_handed_back(place):
                continue
            sample = fresh.get(place.writable.readback)
            is_the_same = sample is not None and _is_the_same(holding, sample)
            if sample is not None and not is_the_same:
                if holding.verdict is Verdict.OWNED and self._silence.covers(point):
                    # What changes while we say nothing is the device's dropping us, and nobody's override.
                    holding = holding._replace(adopted=True)
                judged = judge(holding, sample, place.writable, image.monotonic)
                if judged is None:
                    del self.holdings[point]
                    self.gone.add(point)
                    self._alarms.clear(holding)
                    continue
                self.holdings[point] = judged
                if judged.verdict is not holding.verdict:
                    self._alarms.tell(judged, is_heartbeat=place.is_heartbeat)
            effect = place.writable.effect
            is_final = effect is None or (effect.point in fresh and self._look_for_effect(point, effect, image))
            if is_the_same and is_final:
                self._judged[point] = self.holdings[point]

    def _to_be_judged(self, changed: Mapping[PointId, Sample]) -> list[tuple[PointId, Holding]]:
        """changed: what shows another value or quality than at the last scan."""
        judged = self._judged
        shown = {point for outcome in self._outcomes & changed.keys() for point in self._shown_by[outcome]}
        return [each for each in self.holdings.items() if judged.get(each[0]) is not each[1] or each[0] in shown]

    def is_being_handed_back(self, place: Place) -> bool:
        """Whether what the device shows may be its own controls' doing already."""
        remote = None if place.remote is None else self.holdings.get(place.remote)
        return remote is not None and remote.releasing

    def _look_for_effect(self, point: PointId, effect: Effect, image: FrozenImage) -> bool:
        """Answers whether only another reading can tell anything else: the time for it is over."""
        holding = self.holdings[point]
        if holding.verdict is not Verdict.OWNED or holding.releasing:
            return False
        sample = image.samples[effect.point]
        if not sample.is_good:
            return False
        is_late = image.monotonic - holding.since > effect.within.total_seconds()
        missing = is_late and not same_value(sample.value, holding.value, effect.tolerance)
        if missing != holding.effect_missing:
            self.holdings[point] = holding._replace(effect_missing=missing)
            self._alarms.note_effect(point, is_missing=missing)
        return is_late

    # --- what the writer does -------------------------------------------------------------------------------------

    def note_leaving(self, jobs: Iterable[Job], before: Mapping[PointId, Holding]) -> None:
        """Their bytes are on their way. before: what was held of them until now."""
        self.holdings.update({job.point: leaving(before[job.point], job) for job in jobs})

    def note_written(self, job: Job, before: Holding, result: WriteResult) -> None:
        """The device has answered. before: what was held until the bytes left."""
        times = Times(self._clock.monotonic(), self._clock.wire_time())
        holding = written(before, job, None if result.accepted else result.reason, times)
        self.holdings[job.point] = holding
        if before.effect_missing and not holding.effect_missing:
            self._alarms.note_effect(job.point, is_missing=False)
        if not is_refreshed(before, job, result.accepted) and not self._is_heartbeat(job.point):
            body = {"step": job.step.value, "value": job.value, "accepted": result.accepted, "reason": result.reason}
            self._journal.note(EventKind.COMMAND, job.point, body)
        self._alarms.look_at(holding)

    def note_let_go(self, points: Iterable[PointId]) -> None:
        for point in points:
            self.gone.discard(point)
            holding = self.holdings.pop(point, None)
            if holding is None:
                continue
            self._alarms.clear(holding)
            if not self._is_heartbeat(point):
                body = {"before": holding.before, "verdict": holding.verdict.value}
                self._journal.note(EventKind.RELEASE, point, body)

    def with_what_they_hand_over(self, points: Collection[PointId]) -> list[PointId]:
        """A remote bit that goes takes with it everything that it handed over, but for what was ignored: how often that
        has been tried stays known."""
        handed_over = [each for point in points for each in self._places[point].hands_over]
        return [*points, *(each for each in handed_over if not self._is_ignored(each))]

    def hand_back(self, point: PointId) -> None:
        """A person says that what was overridden is ours again: the point, or the machine that it belongs to."""
        remote = self._places[point].remote or point
        for each in {point, remote, *self._places[remote].hands_over}:
            holding = self.holdings.get(each)
            if holding is not None and holding.verdict is Verdict.OVERRIDDEN:
                self.holdings[each] = holding._replace(since=-math.inf)

    # --- how it stands --------------------------------------------------------------------------------------------

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

    def next_assertion(self) -> float:
        """Wire time at which the next volatile value is to be written again."""
        return min(
            [fades_at(holding, self._places[point].fades_after) for point, holding in self.holdings.items()],
            default=math.inf,
        )

    def unsettled(self, wanted: Mapping[PointId, Scalar], wire: float) -> dict[PointId, Scalar]:
        """The wishes that the devices have not been seen to have, and those that they are to be told once more."""
        holdings, places = self.holdings, self._places
        return {
            point: value
            for point, value in wanted.items()
            if (holding := holdings.get(point)) is None
            or not stands(holding, value)
            or wire >= fades_at(holding, places[point].fades_after)
        }

    def is_settled(self, wanted: Mapping[PointId, Scalar]) -> bool:
        """Whether everything wished is owned, and nothing else is held; heartbeats go on meanwhile."""
        return (
            self.holdings.keys() == wanted.keys()
            and not self.gone
            and all(
                self._is_settled(holding) and (self._is_heartbeat(point) or _has_gone_out(wanted[point], holding))
                for point, holding in self.holdings.items()
            )
        )

    def stands_as(self, earlier: Mapping[PointId, Holding]) -> bool:
        """Whether what is held stands as it did, but for heartbeats and values written once more."""
        return self.holdings.keys() == earlier.keys() and all(
            holding is earlier[point]
            or stands_alike(holding, earlier[point])
            or (self._is_heartbeat(point) and self._is_settled(holding))
            for point, holding in self.holdings.items()
        )

    def is_refresh(self, job: Job) -> bool:
        """Whether the job only tells the device once more what it was told already."""
        holding = self.holdings.get(job.point)
        if holding is None or job.step is not Step.WRITE:
            return False
        return self._is_heartbeat(job.point) or job.value == holding.value

    def _is_settled(self, holding: Holding) -> bool:
        if holding.releasing or holding.adopted:
            return False
        is_beating = holding.verdict is Verdict.PENDING and self._is_heartbeat(holding.point)
        return holding.verdict is Verdict.OWNED or is_beating

    def _is_ignored(self, point: PointId) -> bool:
        holding = self.holdings.get(point)
        return holding is not None and holding.verdict is Verdict.IGNORED

    def _is_heartbeat(self, point: PointId) -> bool:
        return self._places[point].is_heartbeat


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
