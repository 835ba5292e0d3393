"""Which equipment may be commanded: looks at each frozen image, keeps people's locks, and tells everybody else.

What is not in auto is let go through the scan's seam for inhibitions: at once where the machine does not follow us
anyway, in the order of release where it still runs as we said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from controller.core.availability import (
    IN_AUTO,
    SILENT_FOR_S,
    Availability,
    Cause,
    Lockout,
    Memory,
    Standing,
    causes_told,
    forgiven,
    heard,
    said,
    standing_of,
    watched,
)
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind, JsonValue
from controller.core.inhibition import Inhibition
from controller.core.point import Point, PointId
from controller.core.ports import Clock
from controller.core.sample import Sample
from controller.core.site import Site
from controller.core.text import Text
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from controller.runtime.stored import StoredAvailability

log = logging.getLogger(__name__)

# A sample is a tuple: in every scan this is asked of every point, and its name would cost more than its place.
_reason_of = itemgetter(Sample._fields.index("reason"))

ALARM = "tripped"
NOT_STORED = "lock-out not stored"
_IN_AUTO_AGAIN = Text("in auto again", "恢复自动")


class AvailabilityRefused(Exception):
    """Why a lock is neither put on nor taken off, or a machine not given back."""


class _Place(NamedTuple):
    """earlier: what the release order lets go before this point."""

    point: PointId
    earlier: frozenset[PointId]


class Availabilities:
    """standings: of all equipment. unavailable: what is not in auto; another object after every change.

    held: the points that are ours now. on_leaving: told the equipment that has just left auto.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        store: Store,
        journal: Journal,
        held: Collection[PointId],
        on_leaving: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._store = store
        self._journal = journal
        self._held = held
        self._on_leaving = on_leaving
        by_equipment: dict[str, list[Point]] = {each: [] for each in site.equipment}
        for point in site.points.values():
            by_equipment.setdefault(point.equipment, []).append(point)
        self._watched = {equipment: watched(points) for equipment, points in by_equipment.items()}
        self._by_site = {
            equipment: Cause(Availability.OUT_OF_SERVICE, Text(f"out of service: {why}", f"停用：{why}"))
            for equipment, why in site.out_of_service.items()
        }
        self._places = _places(site)
        self._memories = dict.fromkeys(by_equipment, Memory())
        self._lockouts: dict[tuple[str, str], Lockout] = {}
        self._lookable = [each for each, watch in self._watched.items() if watch.inputs or watch.written]
        self._inputs = {point: each for each, watch in self._watched.items() for _, point in watch.inputs}
        self._input_points = frozenset(self._inputs)
        written = dict.fromkeys(point for watch in self._watched.values() for point in watch.written)
        self._points = [*(dict.fromkeys(self._inputs) | written)]
        self._reasons: list[str] = []
        # What time alone may change.
        self._unsettled = set(self._lookable)
        self._saved: dict[str, StoredAvailability] = {}
        self._is_unsaved = False
        # Whether what is remembered may differ from what is saved.
        self._has_news = True
        self.standings: dict[str, Standing] = dict.fromkeys(by_equipment, IN_AUTO)
        self.unavailable: Mapping[str, Standing] = {}

    # --- what everybody asks --------------------------------------------------------------------------------------

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        self._look(image)
        if not self.unavailable:
            return {}
        inhibited: dict[PointId, Inhibition] = {}
        for equipment, standing in self.unavailable.items():
            keeps = self._keeps(equipment, standing, image.monotonic)
            for place in self._places.get(equipment, ()):
                inhibited[place.point] = Inhibition(
                    standing.reason,
                    at_once=standing.goes_at_once,
                    keeps=keeps,
                    spares_life_safety=standing.availability is Availability.UNKNOWN,
                )
                if not (keeps or standing.goes_at_once) and place.point in self._held:
                    # Its order holds it until these are gone; then they are whoever's again.
                    why = _goes_first(equipment, standing.reason)
                    for earlier in place.earlier:
                        inhibited.setdefault(earlier, Inhibition(why))
        return inhibited

    def why_not(self, equipment: str) -> Text | None:
        """Why nobody may command the equipment; None where anybody may."""
        standing = self.unavailable.get(equipment)
        return None if standing is None else standing.reason

    def lockouts(self) -> list[Lockout]:
        return sorted(self._lockouts.values(), key=lambda each: (each.equipment, each.since))

    def needs_a_person(self, equipment: str) -> bool:
        """Whether it has tripped so often that it stays as it is until somebody says: try again."""
        return self._memories[equipment].needs_a_person

    def _keeps(self, equipment: str, standing: Standing, monotonic: float) -> bool:
        """After a start a machine that has not been heard of yet stays as an earlier run left it, for a while."""
        if standing.availability is not Availability.UNKNOWN:
            return False
        since = self._memories[equipment].silent_since
        return since is not None and monotonic - since < SILENT_FOR_S

    # --- every scan -----------------------------------------------------------------------------------------------

    def _look(self, image: FrozenImage) -> None:
        changed: list[str] = []
        for equipment in self._to_look_at(image):
            before = self._memories[equipment]
            after = heard(before, said(self._watched[equipment], image.samples), image.monotonic, image.now)
            if after != before:
                self._memories[equipment] = after
                changed.append(equipment)
            (self._unsettled.discard if after.is_settled else self._unsettled.add)(equipment)
        if changed:
            self._has_news = True
            self._stand(changed)

    def _to_look_at(self, image: FrozenImage) -> Collection[str]:
        """Of what is written only its device's words count, not its value."""
        # A sample may say something else about the same value; image.changed does not tell that.
        reasons = list(map(_reason_of, map(image.samples.__getitem__, self._points)))
        if reasons != self._reasons:
            self._reasons = reasons
            return self._lookable
        if not self._unsettled and self._input_points.isdisjoint(image.changed):
            return ()
        heard_of = {self._inputs[point] for point in self._input_points.intersection(image.changed)}
        return [each for each in self._lookable if each in heard_of or each in self._unsettled]

    def _stand(self, changed: Iterable[str], who: str = "") -> None:
        """Settle how equipment stands, and tell what is another availability than before."""
        moved: list[tuple[str, Standing]] = []
        for equipment in changed:
            before, after = self.standings[equipment], self._standing(equipment)
            if after != before:
                self.standings[equipment] = after
                moved.append((equipment, before))
        if not moved:
            return
        self.unavailable = {each: standing for each, standing in self.standings.items() if standing.causes}
        for equipment, before in moved:
            self._tell(equipment, before, self.standings[equipment], who)

    def _standing(self, equipment: str) -> Standing:
        by_people = [each.cause for each in self.lockouts() if each.equipment == equipment]
        by_site = [self._by_site[equipment]] if equipment in self._by_site else []
        return standing_of([*by_people, *by_site, *causes_told(self._memories[equipment])])

    def _tell(self, equipment: str, before: Standing, after: Standing, who: str) -> None:
        was, now = before.availability, after.availability
        has_tripped = _says(after, Availability.TRIPPED)
        if has_tripped and not _says(before, Availability.TRIPPED):
            self._note_alarm(equipment, "active", after.reason)
        elif _says(before, Availability.TRIPPED) and not has_tripped:
            self._note_alarm(equipment, "cleared", Text("", ""))
        # What was never heard of before is no news when it turns out to be as it should be.
        if was is now and len(before.causes) == len(after.causes):
            return
        why = after.reason if after.causes else _IN_AUTO_AGAIN
        body: dict[str, JsonValue] = {"before": was.value, "availability": now.value}
        body |= {"reason": why.en, "reason_zh": why.zh}
        if who:
            body["who"] = who
        self._journal.note(EventKind.AVAILABILITY, equipment, body)
        if was in (Availability.AUTO, Availability.UNKNOWN) and now not in (Availability.AUTO, Availability.UNKNOWN):
            self._on_leaving(equipment)

    def _note_alarm(self, equipment: str, state: str, reason: Text) -> None:
        body: dict[str, JsonValue] = {"alarm": ALARM, "state": state}
        if reason.en:
            body |= {"reason": reason.en, "reason_zh": reason.zh}
        self._journal.note(EventKind.ALARM, equipment, body)

    # --- what people do -------------------------------------------------------------------------------------------

    async def lock_out(self, equipment: str, who: str, reason: str) -> Lockout:
        """In force at once, whatever the disk does. Raises AvailabilityRefused, or EnvironmentProblem where a restart
        would forget it."""
        self._require(equipment)
        if not who or not reason:
            raise AvailabilityRefused("a lock-out has a name and a reason: --who NAME --reason TEXT")
        lockout = Lockout(equipment, who, reason, self._clock.now())
        self._lockouts[equipment, who] = lockout
        self._stand([equipment], who)
        try:
            await self._store.save_lockout(lockout)
        except EnvironmentProblem as error:
            self._note_unsaved(str(error))
            raise EnvironmentProblem(
                f"{equipment} is locked out, but the disk did not take it: a restart now would forget it; "
                f"it is tried again: {error}"
            ) from error
        return lockout

    async def unlock(self, equipment: str, who: str, whose: str = "", why: str = "") -> Lockout:
        """Take a lock off; another person's only with their name and a reason. Raises AvailabilityRefused, or
        EnvironmentProblem where the disk does not take it: then it stays locked."""
        self._require(equipment)
        lockout = lock_to_remove(self.lockouts(), equipment, who, whose, why)
        await self._store.forget_lockout(equipment, lockout.who)
        self._lockouts.pop((equipment, lockout.who), None)
        self._journal.note(EventKind.AVAILABILITY, equipment, removal(lockout, who, why))
        self._stand([equipment], who)
        return lockout

    def retry(self, equipment: str, who: str) -> None:
        """A person says that a machine that has tripped may be tried again. Raises AvailabilityRefused where it has
        not, KeyError where it is not known."""
        memory, reason = self._memories[equipment], self.standings[equipment].reason.en
        if not memory.has_tripped:
            raise AvailabilityRefused(f"{equipment} has not tripped; it is {reason or 'in auto'}")
        self._memories[equipment] = forgiven(self._memories[equipment])
        self._unsettled.add(equipment)
        self._has_news = True
        self._journal.note(EventKind.AVAILABILITY, equipment, {"step": "tried again", "who": who})
        self._stand([equipment], who)

    def _require(self, equipment: str) -> None:
        if equipment not in self.standings:
            known = ", ".join(sorted(self.standings))
            raise AvailabilityRefused(f"there is no equipment {equipment!r}; there are {known}")

    # --- what survives --------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Locks and trips of earlier runs; before anything is decided."""
        for lockout in await self._store.load_lockouts():
            self._lockouts[lockout.equipment, lockout.who] = lockout
            if lockout.equipment not in self.standings:
                log.warning("%s is locked out by %s, and is not in this site", lockout.equipment, lockout.who)
        self._saved = await self._store.load_availability()
        for equipment, stored in self._saved.items():
            if equipment in self._memories:
                self._memories[equipment] = Memory(causes=stored.causes, trips=stored.trips)
        self._stand(list(self.standings))

    def succeed(self, earlier: Availabilities) -> None:
        """Go on with what was known under an earlier configuration; who is out of service says the new one."""
        self._lockouts, self._saved, self._is_unsaved = earlier._lockouts, earlier._saved, earlier._is_unsaved
        for equipment in self.standings.keys() & earlier.standings.keys():
            self._memories[equipment] = earlier._memories[equipment]
            self.standings[equipment] = earlier.standings[equipment]
        self.unavailable = {each: standing for each, standing in self.standings.items() if standing.causes}
        self._stand(list(self.standings))

    async def save(self) -> None:
        """What the inputs have said so far, and locks that the disk did not take. Raises EnvironmentProblem."""
        if self._is_unsaved:
            for lockout in self.lockouts():
                await self._store.save_lockout(lockout)
            self._is_unsaved = False
            self._journal.note(EventKind.ALARM, "lock-outs", {"alarm": NOT_STORED, "state": "cleared"})
        if not self._has_news:
            return
        self._has_news = False
        present = {each: stored for each, memory in self._memories.items() if (stored := _stored(memory)) != _NOTHING}
        if present != self._saved:
            try:
                await self._store.save_availability(present)
            except EnvironmentProblem:
                self._has_news = True
                raise
            self._saved = present

    def _note_unsaved(self, cause: str) -> None:
        if not self._is_unsaved:
            self._is_unsaved = True
            body: dict[str, JsonValue] = {"alarm": NOT_STORED, "state": "active", "cause": cause}
            self._journal.note(EventKind.ALARM, "lock-outs", body)


_NOTHING = StoredAvailability((), ())


def _stored(memory: Memory) -> StoredAvailability:
    """Not knowing is no news to the next run."""
    causes = tuple(each for each in memory.causes if each.availability is not Availability.UNKNOWN)
    return StoredAvailability(causes, memory.trips)


def _places(site: Site) -> Mapping[str, tuple[_Place, ...]]:
    """What can be written, by equipment, with what is let go before it."""
    places: dict[str, list[_Place]] = {}
    for system in site.systems:
        earlier: frozenset[PointId] = frozenset()
        for step in system.release:
            for point in step.points:
                places.setdefault(site.points[point].equipment, []).append(_Place(point, earlier))
            earlier |= frozenset(step.points)
    return {equipment: tuple(each) for equipment, each in places.items()}


def _says(standing: Standing, availability: Availability) -> bool:
    return any(each.availability is availability for each in standing.causes)


def _goes_first(equipment: str, reason: Text) -> Text:
    return Text(f"let go before {equipment}, which is {reason.en}", f"先于 {equipment} 释放：{reason.zh}")


def lock_to_remove(locks: Iterable[Lockout], equipment: str, who: str, whose: str, why: str) -> Lockout:
    """The lock that a person may take off: their own, or another's with a reason. Raises AvailabilityRefused."""
    theirs = [each for each in locks if each.equipment == equipment]
    lockout = next((each for each in theirs if each.who == (whose or who)), None)
    if not theirs:
        raise AvailabilityRefused(f"{equipment} is not locked out")
    if lockout is None:
        names = ", ".join(each.who for each in theirs)
        raise AvailabilityRefused(
            f"{whose or who} has no lock on {equipment}; it is locked by {names}: name whose lock it is, with --of NAME"
        )
    if lockout.who != who and not why:
        raise AvailabilityRefused(f"the lock is {lockout.who}'s: say why you take it off, with --reason TEXT")
    return lockout


def removal(lockout: Lockout, who: str, why: str) -> dict[str, JsonValue]:
    """The event of a lock that was taken off."""
    return {"step": "lock removed", "who": who, "lock_of": lockout.who, "why": why}
